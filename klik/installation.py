"""One installation of klik: its settings, its database and everything that is declared, put together once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

from klik.content import loading
from klik.db import Database
from klik.models import Base
from klik.plugins import manager
from klik.plugins.manager import Loaded, Registry
from klik.services import contributions, quarantine
from klik.services.filestore import FileStore
from klik.services.keeping import Keep
from klik.services.rendering import Renderer
from klik.services.work import Actor, Work
from klik.settings import Settings


class Installation:
    """What web, worker and commands share. Making one writes nothing, connects to nothing, starts nothing."""

    def __init__(self, settings: Settings, plugins: Iterable[Loaded] | None = None) -> None:
        """Raise ContentErrors when a content file is wrong; ``plugins`` replaces the installed ones (tests)."""
        self.settings = settings
        content = loading.load(settings.phases_dir, settings.roles_dir)
        self.registry: Registry = manager.build(
            content,
            yellow_days=settings.yellow_days,
            core=contributions.core(content, settings.smtp, settings.mail_from, settings.leader_days),
            disabled=settings.disabled_plugins,
            plugins=plugins,
            plugin_settings=settings.plugin_settings,
            core_tables=Base.metadata.tables,
        )
        self.database = Database(settings.database_url)
        self.kept = Keep()
        self.files = FileStore(settings.data / "files")
        self.archive = FileStore(settings.data / "arkiv")
        # Set when this process is to end: long work is then given back, for another process to go on with.
        self.stopping = threading.Event()

    @cached_property
    def renderer(self) -> Renderer:
        """Makes PDFs in children of its own; started by the first PDF."""
        return Renderer()

    @contextmanager
    def reading(self, now: datetime, actor: Actor | None = None) -> Iterator[Work]:
        """Work that looks and changes nothing."""
        try:
            with self.database.reading() as session:
                yield Work(session, actor, now, self.registry)
        finally:
            self.note_faults(now)

    @contextmanager
    def writing(self, now: datetime, actor: Actor | None = None, *, queued: bool = True) -> Iterator[Work]:
        """Work that is stored as a whole when the block ends well; ``queued`` as in ``Database.writing``."""
        try:
            with self.database.writing(queued=queued) as session:
                yield Work(session, actor, now, self.registry)
        finally:
            self.note_faults(now)

    def note_faults(self, now: datetime) -> None:
        """Tell the other processes how plug-ins have failed here, once no transaction is open in this thread."""
        quarantine.write_down(self.database, self.registry, now)

    def close(self) -> None:
        """Give back connections and end the children."""
        if "renderer" in self.__dict__:
            self.renderer.close()
        self.database.close()
