"""klik with one plug-in alone, for tests: its tables, one person of each kind, their browsers and contexts."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event, select

from klik import settings as settings_module
from klik.app import create_app
from klik.db import Database
from klik.domain.rights import Level
from klik.domain.texts import sort_key
from klik.installation import Installation
from klik.models import Membership, MembershipSystem, Person, PluginAnnouncement, System
from klik.plugins import PluginContext, manager
from klik.plugins.manager import Loaded
from klik.services import for_plugins, schema
from klik.services.people import sessions
from klik.services.work import Actor
from klik.settings import Settings
from klik.testing.browsing import PluginBrowser
from klik.web.base import COOKIE

SECRET = "only-for-the-tests-of-plug-ins-0123456789"
PASSWORD = "kun til udvidelsernes prøver"
KOEGE = 259
KLIK = "klik"
PEOPLE: Mapping[str, Level] = {
    "laeser": Level.READER,
    "bruger": Level.USER,
    "plusbruger": Level.PLUS_USER,
    "administrator": Level.ADMINISTRATOR,
    "kombit": Level.KOMBIT_ADMINISTRATOR,
    "kombit-redaktoer": Level.KOMBIT_EDITOR,
    "leverandoer": Level.SUPPLIER,
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the plug-in told those who subscribe to a topic (``context.klik.tell``)."""

    topic: str
    key: str
    heading: str
    sentence: str
    path: str


def loaded(name: str, module: ModuleType) -> Loaded:
    """A module as klik would have found it under this entry-point name."""
    return Loaded(name, module, manager.PluginInfo(name, "?", "?", manager.hooks_of(module), "i drift"))


class PluginSite:
    """An installation on SQLite in ``folder`` with one plug-in; the municipality's people belong to Køge.

    The supplier's systems are those of the plug-in. ``close`` it in the end.
    """

    def __init__(self, name: str, module: ModuleType, folder: Path) -> None:
        self.name = name
        self.settings = _settings(folder)
        self.plugins = [loaded(name, module)]
        self.house = Installation(self.settings, plugins=self.plugins)
        _careless(self.house.database)
        if not (folder / "klik.sqlite").exists():
            (folder / "klik.sqlite").write_bytes(_tables_of_klik())
        schema.upgrade(self.house.database, self.house.registry)
        self._add_people()

    @functools.cached_property
    def app(self) -> Flask:
        """The web application; a page that says no right is left out of it and named by the guard."""
        app = create_app(self.settings, self.plugins)
        app.jinja_env.bytecode_cache = compiled_templates()
        _careless(app.extensions["klik"].database)
        return app

    def browser(self, kind: str) -> PluginBrowser:
        """The browser of the person of this kind, signed in; "" is a stranger's."""
        return signed_in(self.app, kind)

    @contextmanager
    def context(self, kind: str, now: datetime | None = None) -> Iterator[PluginContext]:
        """What the plug-in is handed for the person of this kind, or for klik itself ("klik")."""
        now = now or datetime.now(UTC)
        with self.house.writing(now, None if kind == KLIK else self._actor(kind, now)) as work:
            yield for_plugins.context(work, self.name)

    def announcements(self) -> tuple[Announcement, ...]:
        """What was told and stored, the first first."""
        with self.house.reading(datetime.now(UTC)) as work:
            rows = work.session.scalars(select(PluginAnnouncement).order_by(PluginAnnouncement.id))
            return tuple(
                Announcement(row.topic, row.dedupe_key, row.heading, row.sentence, row.path) for row in rows
            )

    def close(self) -> None:
        """Give everything back."""
        if "app" in self.__dict__:
            self.app.extensions["klik"].close()
        self.house.close()

    def _actor(self, kind: str, now: datetime) -> Actor:
        with self.house.reading(now) as work:
            row = work.session.scalars(
                select(Membership)
                .join(Person, Person.id == Membership.person_id)
                .where(Person.email == _email(kind))
            ).one()
            actor = sessions.actor_of(work.session, row.id, row.person_id)
        assert actor is not None
        return actor

    def _add_people(self) -> None:
        now = datetime.now(UTC)
        hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        with self.house.writing(now) as work:
            if work.session.scalar(select(Person.id).limit(1)) is not None:
                return
            for kind, level in PEOPLE.items():
                person = Person(
                    name=f"Prøve {level.label}",
                    name_key=sort_key(f"Prøve {level.label}"),
                    email=_email(kind),
                    email_key=_email(kind),
                    password_hash=hashed,
                    active=True,
                    created_at=now,
                )
                work.session.add(person)
                work.session.flush()
                member = Membership(
                    person_id=person.id,
                    municipality_id=KOEGE if level.scope == "municipality" else None,
                    level=level.value,
                    organisation={"kombit": "KOMBIT", "supplier": "Leverandøren"}.get(level.scope),
                    since=work.today,
                )
                work.session.add(member)
                work.session.flush()
                if level is Level.SUPPLIER:
                    for code in work.session.scalars(select(System.code)):
                        work.session.add(MembershipSystem(membership_id=member.id, system_code=code))


@functools.cache
def compiled_templates() -> FileSystemBytecodeCache:
    """Where the templates of all applications of this process are kept compiled; half a second for each otherwise."""
    folder = tempfile.mkdtemp(prefix="klik-testing-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return FileSystemBytecodeCache(folder)


def signed_in(app: Flask, kind: str) -> PluginBrowser:
    """A browser of the application, signed in as the person of this kind; "" is a stranger's."""
    client = app.test_client()
    if kind:
        house: Installation = app.extensions["klik"]
        with house.writing(datetime.now(UTC)) as work:
            cookie = sessions.sign_in(work, _email(kind), PASSWORD, "127.0.0.1", "prøve")
        assert cookie is not None, f"there is no {kind}; the kinds are {', '.join(PEOPLE)}"
        client.set_cookie(COOKIE, cookie)
    return PluginBrowser(client)


def _email(kind: str) -> str:
    return f"{kind}@klik.example"


def _settings(folder: Path) -> Settings:
    return settings_module.load({"KLIK_DATA": str(folder), "KLIK_SECRET_KEY": SECRET})


@functools.cache
def _tables_of_klik() -> bytes:
    """A database with klik's own tables and the 98 municipalities: the same for every plug-in, so made once."""
    with tempfile.TemporaryDirectory(prefix="klik-testing-") as folder:
        house = Installation(_settings(Path(folder)), plugins=[])
        try:
            _careless(house.database)
            schema.upgrade(house.database, house.registry)
        finally:
            house.close()
        return (Path(folder) / "klik.sqlite").read_bytes()


def _careless(database: Database) -> None:
    """Nobody reads these files after the test, so nothing waits for the disk."""

    @event.listens_for(database.engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.execute("pragma synchronous=off")
