"""Deleting what is due, one municipal task at a time: archived, read again, erased within the minute, swept.

Each step is its own transaction, so one task that is stuck stops no other, and a run that dies goes on where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, func, select, update

from klik.models import Deletion, DeletionItem
from klik.models.guards import MOST_SECONDS
from klik.services import auditing
from klik.services.deleting import archiving, progress, reaching, sanity, sweeping, tombstones
from klik.services.deleting.archiving import Clock, House, Proven, WaitingError
from klik.services.work import Work

log = logging.getLogger("klik.deleting")
UNFORESEEN = "Noget uventet gik galt; det står i loggen på serveren."


@dataclass(frozen=True, slots=True)
class Erased:
    """What a run came to: ``doubt`` says why the clock is not believed, ``waiting`` counts the tasks that are stuck."""

    erased: int = 0
    left: int = 0
    waiting: int = 0
    untold: int = 0
    problem: str = ""
    doubt: str = ""


def delete_due(
    house: House, clock: Clock, patience: float, stop: Callable[[], bool] = lambda: False
) -> Erased:
    """Delete what is due until nothing is, or ``patience`` seconds are over; what is left is due the next time."""
    started = time.monotonic()
    with house.writing(clock()) as work:
        sanity.note(work)
        doubt = sanity.doubt(work)
        if not doubt:
            # A mail may have come back, or a notice been opened, since it was last written down.
            reaching.note_notified(work)
        waiting = [] if doubt else archiving.due(work)
    if doubt:
        return Erased(doubt=doubt)
    erased = stuck = tried = 0
    problem = ""
    for item_id in waiting:
        if stop() or (tried and time.monotonic() - started > patience):
            break
        tried += 1
        found = _delete(house, clock, item_id)
        erased += not found
        stuck += bool(found)
        problem = problem or found
    if erased:
        sweeping.remove_discarded(house, clock())
        house.database.leave_no_trace(sweeping.TABLES)
    with house.writing(clock()) as work:
        _finish(work)
        untold = progress.due(work).untold
    return Erased(erased, len(waiting) - tried, stuck, untold, problem)


def _delete(house: House, clock: Clock, item_id: int) -> str:
    """Delete one task; empty, or why it waits."""
    try:
        delete(house, clock, item_id)
    except WaitingError as error:
        return _wait(house, clock, item_id, str(error))
    except Exception:
        log.exception("deletion item %s could not be deleted", item_id)
        return _wait(house, clock, item_id, UNFORESEEN)
    return ""


def delete(house: House, clock: Clock, item_id: int) -> None:
    """Archive, read again and erase one item that is due; raises WaitingError."""
    with house.reading(clock()) as work:
        archived = work.session.get_one(DeletionItem, item_id).state == "arkiveret"
    if archived:
        try:
            if erase(house, clock, item_id, archiving.verify(house, clock, item_id)):
                return
        except WaitingError:
            log.info("the archive file of deletion item %s is made again", item_id)
    archiving.archive(house, clock, item_id)
    if not erase(house, clock, item_id, archiving.verify(house, clock, item_id)):
        raise WaitingError("Opgaven blev ændret, efter at den var arkiveret.")


def erase(house: House, clock: Clock, item_id: int, proven: Proven) -> bool:
    """Leave a tombstone; False when the task is not as its archive file holds it, or that was read too long ago."""
    with house.writing(clock()) as work:
        item = archiving.locked(work, item_id)
        if item is None or item.state != "arkiveret" or sanity.doubt(work):
            raise WaitingError("Opgaven skal ikke slettes længere.")
        if item.verified_at != proven.at or not _fresh(work, proven):
            return False
        if archiving.current_content(house, work, item) != proven.content:
            return False
        tombstones.clear(work, item)
        item.state, item.erased_at, item.problem = "slettet", work.now, None
        item.archive_kept_until = work.today + timedelta(days=house.settings.archive_days)
        work.session.flush()
        facts = {"municipal_task": item.municipal_task_id, "sha256": item.archive_sha256}
        auditing.record(work, "deletion-erased", f"deletion-item/{item_id}", facts, item.municipality_id)
        return True


def _fresh(work: Work, proven: Proven) -> bool:
    return timedelta(0) <= work.now - proven.at <= timedelta(seconds=MOST_SECONDS)


def _wait(house: House, clock: Clock, item_id: int, problem: str) -> str:
    with house.writing(clock()) as work:
        work.session.execute(
            update(DeletionItem).where(DeletionItem.id == item_id).values(problem=problem[:500])
        )
    return problem


def _finish(work: Work) -> None:
    """Deletions of which every task is gone are done; one with a task that is kept goes on."""
    left = exists().where(DeletionItem.deletion_id == Deletion.id, DeletionItem.state != "slettet")
    for deletion in work.session.scalars(select(Deletion).where(Deletion.state == "varslet", ~left)):
        deletion.state = "afsluttet"
        work.session.flush()
        erased = select(func.count()).where(DeletionItem.deletion_id == deletion.id)
        facts = {"tasks": work.session.scalar(erased)}
        auditing.record(work, "deletion-done", f"deletion/{deletion.id}", facts)
