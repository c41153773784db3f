"""The mails of subscribed filters: what a filter holds this morning, in the eyes of each who asked for it.

Planned in a reading transaction and entered in the ledger like every other notice: the unique key (filter, day,
person) decides, so a morning may be run any number of times by any number of processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select, update

from klik.domain.calendar import in_denmark, long_date
from klik.domain.rights import Right
from klik.domain.status import Status
from klik.models import FilterUse, SavedFilter
from klik.services import access, filtering, listing
from klik.services.listing import TaskRow
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.people import acting
from klik.services.saved_filters import DAILY, NEVER, WEEKLY
from klik.services.saved_filters.uses import path
from klik.services.work import Work

MOST_TASKS = 20
MORNING = 5  # o'clock in Denmark: after the night's imports, before anybody is mailed
_OFTEN = {DAILY: "hver dag", WEEKLY: "hver mandag"}


@dataclass(frozen=True, slots=True)
class Digest:
    """A subscription that was looked at: what there is to send, None where the filter holds nothing."""

    person_id: int
    saved_filter_id: int
    draft: NoticeDraft | None


def is_morning(now: datetime) -> bool:
    """Whether the morning run may begin, on a Danish clock."""
    return in_denmark(now).hour >= MORNING


def plans(work: Work, *, at_once: bool = False) -> Iterator[Digest]:
    """Every subscription that is due; only reads. ``at_once``: those asked for today too.

    Three mornings missed are one mail: what counts is whether the period has begun since the last look.
    """
    due = work.session.execute(
        select(
            FilterUse.person_id,
            FilterUse.membership_id,
            FilterUse.subscription,
            FilterUse.saved_filter_id,
            SavedFilter.name,
            SavedFilter.query,
        )
        .join(SavedFilter, SavedFilter.id == FilterUse.saved_filter_id)
        .where(FilterUse.subscription != NEVER, _is_due(work.today, at_once=at_once))
        .order_by(FilterUse.person_id, FilterUse.saved_filter_id)
    ).all()
    actors = acting.actors(work, [row.membership_id for row in due])
    for row in due:
        actor = actors.get(row.membership_id)
        draft = None
        if actor is not None and actor.has(Right.SAVE_FILTERS) and actor.has(Right.READ_TASKS):
            draft = _draft(replace(work, actor=actor), row)
        yield Digest(row.person_id, row.saved_filter_id, draft)


def write(work: Work, digests: Iterable[Digest]) -> int:
    """Enter what is to be sent, note that all were looked at, and return how many are new."""
    drafts = []
    for digest in digests:
        if digest.draft is not None:
            drafts.append(digest.draft)
        work.session.execute(
            update(FilterUse)
            .where(
                FilterUse.person_id == digest.person_id,
                FilterUse.saved_filter_id == digest.saved_filter_id,
            )
            .values(looked_on=work.today)
        )
    return ledger.enqueue(work, drafts)


def _is_due(today: date, *, at_once: bool):  # type: ignore[no-untyped-def]
    """Looked at before the period began, or never and asked for before it."""

    def since(begun: date):  # type: ignore[no-untyped-def]
        never = FilterUse.looked_on.is_(None)
        return or_(
            FilterUse.looked_on < begun, never if at_once else and_(never, FilterUse.chosen_on < begun)
        )

    monday = today - timedelta(days=today.weekday())
    return or_(
        and_(FilterUse.subscription == DAILY, since(today)),
        and_(FilterUse.subscription == WEEKLY, since(monday)),
    )


def _draft(reader: Work, row) -> NoticeDraft | None:  # type: ignore[no-untyped-def]
    """What the person is to be told, seen with their eyes; None when there is nothing, or no right to it."""
    actor = reader.actor
    assert actor is not None
    readable = select(SavedFilter.id).where(
        SavedFilter.id == row.saved_filter_id, access.saved_filters(reader)
    )
    if reader.session.scalar(readable) is None:
        return None
    criteria = filtering.read(reader.registry, row.query).with_page_size(MOST_TASKS)
    selection = filtering.select_tasks(reader, criteria)
    total = listing.count(reader, selection).total
    if not total:
        return None
    shown = listing.page(reader, selection, total).rows
    several = actor.municipality_id is None
    lines = [f"Pr. {long_date(reader.today)} er der {_tasks(total)} i filteret “{row.name}”."]
    lines += [f"Bemærk: {remark}" for remark in selection.remarks]
    lines += [_line(task, several) for task in shown]
    if total > len(shown):
        lines.append(f"… og {_tasks(total - len(shown))} mere.")
    return NoticeDraft(
        occasion=access.OWN_OCCASION,
        dedupe_key=f"{access.OWN_OCCASION}/f={row.saved_filter_id}/d={reader.today.isoformat()}",
        recipient=Recipient(
            actor.person_id,
            actor.email,
            actor.municipality_id,
            f"abonnent på filteret, {_OFTEN[row.subscription]}",
        ),
        heading=f"{row.name}: {_tasks(total)}",
        sentence="\n".join(lines),
        path=path(row.saved_filter_id),
        about_day=reader.today,
    )


def _tasks(count: int) -> str:
    return f"{count} {'opgave' if count == 1 else 'opgaver'}"


def _line(task: TaskRow, several: bool) -> str:
    """ "Rød: MI 15 Udarbejd jobfunktionsroller (frist 20. november 2026)"; the colour's word, never colour alone."""
    title = f"{task.number} {task.title}" if task.number else task.title
    colour = task.colour.label if task.colour else _closed(task)
    where = f"{task.municipality}, " if several else ""
    deadline = f"frist {long_date(task.deadline)}" if task.deadline else "ingen frist"
    return f"{colour}: {title} ({where}{deadline})" if colour else f"{title} ({where}{deadline})"


def _closed(task: TaskRow) -> str:
    return "" if task.status in (Status.NOT_STARTED, Status.IN_PROGRESS) else task.status.label
