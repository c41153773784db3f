"""Large files made in the background: ordered, made by the worker with progress, fetched, and forgotten after a week.

What can be made stands in ``KINDS``; a further kind (a ZIP) is a further entry. Rights are those of the moment the
file is made. A worker that dies leaves its lease behind, and the next one begins anew; a fence keeps the first from
writing over the second.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import delete, func, or_, select, update

from klik.db import rows_changed
from klik.domain.calendar import clock as clock_words
from klik.domain.rights import Right
from klik.models import Export, Membership, Person
from klik.services import access, auditing, filtering, listing, past, tables
from klik.services.criteria import Criteria
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.people import sessions
from klik.services.work import Actor, Work

AT_ONCE = 5_000
MOST_WAITING = 5
QUERY_LIMIT = 4_000
KEPT = timedelta(days=7)
LEASE = timedelta(minutes=3)
TELL_EVERY = 1.0  # seconds between two notes of progress
READY = "eksport-klar"
WAITING, RUNNING, DONE, FAILED, CANCELLED = "venter", "i-gang", "faerdig", "fejlet", "annulleret"
STATES: Mapping[str, str] = {
    WAITING: "Venter på tur",
    RUNNING: "Bliver lavet",
    DONE: "Klar",
    FAILED: "Mislykkedes",
    CANCELLED: "Annulleret",
}
log = logging.getLogger("klik.exports")


class ExportCancelledError(Exception):
    """Whoever ordered the file has cancelled it, or another worker has taken it over."""


class House(Protocol):
    """What making files needs of an installation."""

    def reading(self, now: datetime, actor: Actor | None = None) -> AbstractContextManager[Work]:
        """A transaction for looking."""

    def writing(self, now: datetime, actor: Actor | None = None) -> AbstractContextManager[Work]:
        """A transaction that is stored."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: what people call it, how it is sent, and how it is made.

    ``make`` writes the file at a path, tells how many parts are done, and returns the name to save it under.
    """

    label: str
    media_type: str
    make: Callable[[Work, str, Path, Callable[[int], None]], str]


def _table(extension: str) -> Callable[[Work, str, Path, Callable[[int], None]], str]:
    def make(work: Work, query: str, path: Path, told: Callable[[int], None]) -> str:
        with past.asked(work, filtering.read(work.registry, query)) as standing:
            selection = filtering.select_tasks(standing.work, standing.criteria)
            with path.open("wb") as file:
                tables.WRITERS[extension](standing.work, selection, file, told)
            what = tables.PAST_WHAT if standing.day else tables.WHAT
            return tables.named(standing.work, extension, what)

    return make


KINDS: Mapping[str, Kind] = {
    "xlsx": Kind(
        "Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _table("xlsx")
    ),
    "csv": Kind("CSV", "text/csv; charset=utf-8", _table("csv")),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file is: whole per cent, and about how many seconds are left where that can be said."""

    percent: int
    seconds_left: int | None


def order(work: Work, kind: str, criteria: Criteria) -> Export:
    """Ask for a list as a file. Raises RefusedError ("filter") for too many rows or too many files at once."""
    actor = access.require(work, Right.EXPORT)
    if kind not in KINDS:
        raise NotFoundError
    query = criteria.whole_list().query()
    if len(query) > QUERY_LIMIT:
        raise RefusedError({"filter": "Filteret er for langt til et udtræk; højst 4.000 tegn."})
    with past.asked(work, criteria) as standing:
        selection = filtering.select_tasks(standing.work, standing.criteria)
        total = listing.count(standing.work, selection).total
    tables.require_reasonable(total)
    waiting = select(func.count(Export.id)).where(
        Export.person_id == actor.person_id, Export.state.in_((WAITING, RUNNING))
    )
    if (work.session.scalar(waiting) or 0) >= MOST_WAITING:
        raise RefusedError({"filter": f"Du har allerede {MOST_WAITING} udtræk på vej. Vent, til et er klar."})
    export = Export(
        municipality_id=actor.municipality_id,
        person_id=actor.person_id,
        kind=kind,
        query=query,
        state=WAITING,
        total=total,
        created_at=work.now,
        expires_at=work.now + KEPT,
    )
    work.session.add(export)
    work.session.flush()
    auditing.record(work, "bestil-udtræk", f"eksport/{export.id}", {"rækker": total}, actor.municipality_id)
    return export


def own(work: Work) -> Sequence[Export]:
    """What the actor has ordered, the newest first."""
    return work.session.scalars(
        select(Export).where(access.exports(work)).order_by(Export.id.desc()).limit(100)
    ).all()


def cancel(work: Work, export_id: int) -> Export:
    """Stop a file that is not made yet; one that is stays. Raises NotFoundError."""
    export = access.export(work, export_id)
    work.session.refresh(export, with_for_update=True)
    if export.state in (WAITING, RUNNING):
        export.state, export.finished_at = CANCELLED, work.now
        work.session.flush()
        auditing.record(work, "annullér-udtræk", f"eksport/{export.id}", None, export.municipality_id)
    return export


def progress(export: Export, now: datetime) -> Progress:
    """How far it is, and how long it takes at the pace so far."""
    if export.state == DONE:
        return Progress(100, 0)
    if not export.total:
        return Progress(0, None)
    # The last per cent is putting the file together.
    percent = min(99, export.done * 100 // export.total)
    if export.state != RUNNING or not export.done or export.started_at is None:
        return Progress(percent, None)
    spent = (now - export.started_at).total_seconds()
    return Progress(percent, max(1, round(spent * (export.total - export.done) / export.done)))


def folder_in(data: Path) -> Path:
    """Where finished files lie in an installation's data folder; no backup holds them."""
    return data / "exports"


def path_of(folder: Path, export_id: int) -> Path:
    """Where the file of an export lies."""
    return folder / str(export_id)


def fetch(work: Work, folder: Path, export_id: int) -> tuple[Export, Path]:
    """A finished file of the actor's own; raises NotFoundError when it is not there (any more)."""
    export = access.export(work, export_id)
    path = path_of(folder, export_id)
    if export.state != DONE or not path.is_file() or (export.expires_at and export.expires_at <= work.now):
        raise NotFoundError
    return export, path


def run_waiting(house: House, folder: Path, clock: Callable[[], datetime], patience: float) -> int:
    """Make what waits, one after the other, until nothing does or ``patience`` seconds are over; how many."""
    started, made = time.monotonic(), 0
    while made == 0 or time.monotonic() - started < patience:
        claimed = _claim(house, clock())
        if claimed is None:
            break
        _make(house, folder, clock, *claimed)
        made += 1
    return made


def _claim(house: House, now: datetime) -> tuple[int, int] | None:
    """The id and fence of an export that is ours now."""
    with house.writing(now) as work:
        export = work.session.scalar(
            select(Export)
            .where(
                or_(
                    Export.state == WAITING,
                    (Export.state == RUNNING) & (func.coalesce(Export.lease_until, Export.created_at) < now),
                )
            )
            .order_by(Export.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if export is None:
            return None
        export.state, export.started_at, export.done = RUNNING, now, 0
        export.lease_until, export.fence = now + LEASE, export.fence + 1
        work.session.flush()
        return export.id, export.fence


def _make(house: House, folder: Path, clock: Callable[[], datetime], export_id: int, fence: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".tmp-{secrets.token_hex(8)}"
    last_told = 0.0

    def told(done: int) -> None:
        nonlocal last_told
        if time.monotonic() - last_told < TELL_EVERY:
            return
        last_told = time.monotonic()
        _note(house, clock(), export_id, fence, done=done, lease_until=clock() + LEASE)

    try:
        with house.reading(clock()) as work:
            export = work.session.get_one(Export, export_id)
            actor, kind, query = _actor(work, export), KINDS[export.kind], export.query
        if actor is None or not actor.has(Right.EXPORT):
            _fail(house, clock(), export_id, fence, "Du har ikke længere adgang til at lave udtræk.")
            return
        with house.reading(clock(), actor) as work:
            name = kind.make(work, query, temporary, told)
        with temporary.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        temporary.chmod(0o600)
        _ready(house, clock(), export_id, fence, temporary, path_of(folder, export_id), name, sha256)
    except ExportCancelledError:
        log.info("export %s was cancelled or taken over", export_id)
    except Exception:
        log.exception("export %s could not be made", export_id)
        _fail(
            house, clock(), export_id, fence, "Udtrækket kunne ikke laves. Prøv igen, eller kontakt driften."
        )
    finally:
        temporary.unlink(missing_ok=True)


def _actor(work: Work, export: Export) -> Actor | None:
    member = work.session.scalar(
        select(Membership.id).where(
            Membership.person_id == export.person_id,
            Membership.municipality_id.is_not_distinct_from(export.municipality_id),
        )
    )
    return sessions.actor_of(work.session, member, export.person_id or 0) if member else None


def _note(house: House, now: datetime, export_id: int, fence: int, **values: object) -> None:
    """Store values of an export that is still ours; raises ExportCancelledError when it is not."""
    with house.writing(now) as work:
        _set(work, export_id, fence, **values)


def _set(work: Work, export_id: int, fence: int, **values: object) -> None:
    changed = rows_changed(
        work.session,
        update(Export)
        .where(Export.id == export_id, Export.fence == fence, Export.state == RUNNING)
        .values(**values),
    )
    if not changed:
        raise ExportCancelledError


def _fail(house: House, now: datetime, export_id: int, fence: int, sentence: str) -> None:
    try:
        _note(house, now, export_id, fence, state=FAILED, error=sentence, finished_at=now)
    except ExportCancelledError:
        log.info("export %s was cancelled before it failed", export_id)


def _ready(
    house: House,
    now: datetime,
    export_id: int,
    fence: int,
    made: Path,
    path: Path,
    name: str,
    sha256: str,
) -> None:
    """Put the file in its place and say so, together: whoever lost the export to another moves nothing."""
    with house.writing(now) as work:
        _set(
            work,
            export_id,
            fence,
            state=DONE,
            file_name=name,
            sha256=sha256,
            size=made.stat().st_size,
            finished_at=now,
            expires_at=now + KEPT,
        )
        export = work.session.get_one(Export, export_id)
        export.done = export.total
        person = work.session.get_one(Person, export.person_id)
        ledger.enqueue(
            work,
            [
                NoticeDraft(
                    occasion=READY,
                    dedupe_key=f"{READY}/{export.id}",
                    recipient=Recipient(
                        person.id, person.email, export.municipality_id, "du har bestilt udtrækket"
                    ),
                    heading=f"Udtrækket er klar: {name}",
                    sentence=f"{name} kan hentes til og med {clock_words(now + KEPT)}.",
                    path=f"/eksport/{export.id}",
                )
            ],
        )
        made.replace(path)


def sweep(work: Work, folder: Path) -> int:
    """Forget exports that are over, files and rows; how many."""
    over = work.session.scalars(
        select(Export.id).where(Export.expires_at < work.now, Export.state.not_in((WAITING, RUNNING)))
    ).all()
    for export_id in over:
        path_of(folder, export_id).unlink(missing_ok=True)
    return rows_changed(work.session, delete(Export).where(Export.id.in_(over))) if over else 0
