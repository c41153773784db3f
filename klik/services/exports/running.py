"""Making what was ordered: taken with a lease and a fence, made outside any transaction, put in place at once."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from klik.db import rows_changed
from klik.domain.calendar import clock as clock_words
from klik.domain.rights import Right
from klik.models import Export, ExportProof, Membership, Person
from klik.services import house_package
from klik.services.exports import making
from klik.services.exports.contents import Contents, contents_of, kept_until
from klik.services.exports.fetching import path_of
from klik.services.exports.gathering import House
from klik.services.exports.kinds import HOUSE
from klik.services.exports.making import Made, Order
from klik.services.exports.states import (
    DONE,
    FAILED,
    LEASE,
    RUNNING,
    WAITING,
    ExportCancelledError,
    ImpossibleError,
)
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.people import sessions
from klik.services.rendering import RenderingError
from klik.services.work import Actor, Work

TELL_EVERY = 0.5  # seconds between two notes of progress: so soon a cancelled file is left
READY = "eksport-klar"
NO_RIGHT = "Du har ikke længere adgang til at lave udtræk."
NO_SPACE = "Der er ikke plads til filen på serverens disk. Sig det til driften, og bestil den igen."
UNFORESEEN = "Udtrækket kunne ikke laves. Prøv igen, eller kontakt driften."
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
log = logging.getLogger("klik.exports")


class LeftError(Exception):
    """The worker stops: somebody else goes on with the file."""


def _free(now: datetime) -> ColumnElement[bool]:
    """What waits, and what a dead worker has left."""
    return or_(
        Export.state == WAITING,
        (Export.state == RUNNING) & (func.coalesce(Export.lease_until, Export.created_at) < now),
    )


def waits(work: Work) -> bool:
    """Whether there is something to make now."""
    return work.session.scalar(select(Export.id).where(_free(work.now)).limit(1)) is not None


def run_waiting(
    house: House,
    folder: Path,
    clock: Callable[[], datetime],
    patience: float,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Make what waits, one after the other, until nothing does or ``patience`` seconds are over; how many.

    Once ``stopping`` says so, the file in hand is given back, for the next worker to go on with.
    """
    started, made = time.monotonic(), 0
    while not stopping() and (made == 0 or time.monotonic() - started < patience):
        claimed = _claim(house, clock())
        if claimed is None:
            break
        _Making(house, folder, clock, stopping, *claimed).run()
        made += 1
    return made


def _claim(house: House, now: datetime) -> tuple[int, int] | None:
    """The id and fence of an export that is ours now."""
    with house.writing(now) as work:
        export = work.session.scalar(
            select(Export).where(_free(now)).order_by(Export.id).limit(1).with_for_update(skip_locked=True)
        )
        if export is None:
            return None
        export.state, export.started_at, export.done = RUNNING, now, 0
        export.lease_until, export.fence = now + LEASE, export.fence + 1
        work.session.flush()
        return export.id, export.fence


class _Making:
    """One export in our hands."""

    def __init__(
        self,
        house: House,
        folder: Path,
        clock: Callable[[], datetime],
        stopping: Callable[[], bool],
        export_id: int,
        fence: int,
    ) -> None:
        self._house, self._folder, self._clock, self._stopping = house, folder, clock, stopping
        self._id, self._fence = export_id, fence
        self._last_told = 0.0

    def run(self) -> None:
        """Make it, or say why not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".tmp-{secrets.token_hex(8)}"
        try:
            self._make(temporary)
        except ExportCancelledError:
            log.info("export %s was cancelled or taken over", self._id)
        except LeftError:
            self._set(state=WAITING, lease_until=None, done=0, started_at=None)
        except (ImpossibleError, RenderingError) as problem:
            self._fail(str(problem))
        except Exception as problem:
            log.exception("export %s could not be made", self._id)
            full = isinstance(problem, OSError) and problem.errno in _FULL
            self._fail(NO_SPACE if full else UNFORESEEN)
        finally:
            temporary.unlink(missing_ok=True)

    def _make(self, temporary: Path) -> None:
        with self._house.reading(self._clock()) as work:
            export = work.session.get_one(Export, self._id)
            actor, asked = _actor(work, export), contents_of(export)
        if actor is None:
            raise ImpossibleError(NO_RIGHT)
        made = making.make(Order(self._house, actor, self._clock(), asked, self._told), temporary)
        self._ready(temporary, made, asked, _sealed(temporary))

    def _told(self, done: int) -> None:
        """Say how far it is and that we live; raises ExportCancelledError, LeftError when it is to be left."""
        if self._stopping():
            raise LeftError
        if time.monotonic() - self._last_told < TELL_EVERY:
            return
        self._last_told = time.monotonic()
        now = self._clock()
        self._set(done=done, lease_until=now + LEASE)

    def _set(self, **values: object) -> None:
        """Store values of an export that is still ours; raises ExportCancelledError when it is not."""
        with self._house.writing(self._clock()) as work:
            _store(work, self._id, self._fence, **values)

    def _fail(self, sentence: str) -> None:
        try:
            self._set(state=FAILED, error=sentence[:500], finished_at=self._clock())
        except ExportCancelledError:
            log.info("export %s was cancelled before it failed", self._id)

    def _ready(self, made_at: Path, made: Made, asked: Contents, sha256: str) -> None:
        """Put the file in its place and say so, together: whoever lost the export to another moves nothing."""
        now, size = self._clock(), made_at.stat().st_size
        with self._house.writing(now) as work:
            export = work.session.get_one(Export, self._id)
            if _actor(work, export) is None:
                raise ImpossibleError(NO_RIGHT)
            expires = kept_until(work, asked, self._house.settings.archive_days)
            values = {"file_name": made.name, "sha256": sha256, "size": size, "expires_at": expires}
            _store(work, self._id, self._fence, state=DONE, finished_at=now, **values)
            work.session.refresh(export)
            export.done = export.total
            if made.code:
                _prove(work, export, made, sha256)
            _tell(work, export)
            made_at.replace(path_of(self._folder, self._id))


def _sealed(path: Path) -> str:
    """Make a finished file durable and its owner's alone; returns its SHA-256."""
    path.chmod(0o600)
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _actor(work: Work, export: Export) -> Actor | None:
    """Whoever ordered it, as the rights are now; None without the right."""
    member = work.session.scalar(
        select(Membership.id).where(
            Membership.person_id == export.person_id,
            Membership.municipality_id.is_not_distinct_from(export.municipality_id),
        )
    )
    actor = sessions.actor_of(work.session, member, export.person_id or 0) if member else None
    if export.kind == HOUSE and not house_package.may_take(actor):
        return None
    return actor if actor is not None and actor.has(Right.EXPORT) else None


def _store(work: Work, export_id: int, fence: int, **values: object) -> None:
    changed = rows_changed(
        work.session,
        update(Export)
        .where(Export.id == export_id, Export.fence == fence, Export.state == RUNNING)
        .values(**values),
    )
    if not changed:
        raise ExportCancelledError


def _prove(work: Work, export: Export, made: Made, sha256: str) -> None:
    """Write down that this package is genuine: its code and hash stay when it is gone."""
    dialect = sqlite if work.session.get_bind().dialect.name == "sqlite" else postgresql
    actor = _actor(work, export)
    statement = dialect.insert(ExportProof).values(
        kind="pakke",
        code=made.code,
        content_key=made.content_key,
        sha256=sha256,
        size=export.size,
        municipality_id=export.municipality_id,
        tasks=made.tasks,
        exported_by=actor.place[:200] if actor else None,
        exported_at=work.now,
    )
    work.session.execute(statement.on_conflict_do_nothing(index_elements=["content_key", "sha256"]))


def _tell(work: Work, export: Export) -> None:
    person = work.session.get_one(Person, export.person_id)
    assert export.expires_at is not None
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=READY,
                dedupe_key=f"{READY}/{export.id}",
                recipient=Recipient(
                    person.id, person.email, export.municipality_id, "du har bestilt udtrækket"
                ),
                heading=f"Udtrækket er klar: {export.file_name}",
                sentence=f"{export.file_name} kan hentes til og med {clock_words(export.expires_at)}.",
                path=f"/eksport/{export.id}",
            )
        ],
    )
