"""Announced deletions, and whether the municipalities were told and reminded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import ColumnElement, Row, String, and_, cast, func, literal, not_, or_, select

from klik.domain.deadlines import danish_today
from klik.models import Deletion, DeletionItem, MunicipalTask, Notice
from klik.services.control.findings import Untold, since
from klik.services.control.people import People
from klik.services.deleting import notices as deletion_notices
from klik.services.deleting import reminding
from klik.services.work import Work

OCCASIONS = (deletion_notices.ANNOUNCED, deletion_notices.REMINDER)
STEPS = (30, 14, 7, 1)  # days before the last one


def untold(work: Work, people: People) -> Iterable[Untold]:
    """What nobody in a municipality was told of."""
    yield from _deletions(work, people)
    yield from _reminders(work, people)


def _reminders(work: Work, people: People) -> Iterable[Untold]:
    """Municipalities that have not fetched and were not reminded on the last of the days that have passed.

    A day's own reminder may still come until it is over.
    """
    rows = work.session.execute(
        select(Deletion, DeletionItem.municipality_id, MunicipalTask.system_code)
        .join(DeletionItem, DeletionItem.deletion_id == Deletion.id)
        .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
        .where(
            Deletion.state == "varslet",
            Deletion.last_day >= work.today,
            DeletionItem.state == "varslet",
            not_(_stays(work)),
        )
        .distinct()
    ).all()
    told = set(
        work.session.scalars(
            select(Notice.dedupe_key).where(
                Notice.occasion == deletion_notices.REMINDER,
                Notice.path.in_({f"/sletning/{deletion.id}" for deletion, *_ in rows}),
            )
        )
    )
    abouts = {key.rpartition("/")[0] for key in told}
    lacking: dict[tuple[int, int], str] = {}
    for deletion, code, system in rows:
        step = _last_step(deletion, work)
        about = f"sletning={deletion.id}/kommune={code}/rest={step}/dag={deletion.last_day}"
        if step and about not in abouts and people.others(code, system, None):
            lacking[deletion.id, code] = about
    for about in lacking.values():
        yield Untold(deletion_notices.REMINDER, about, reminding.remind)


def _last_step(deletion: Deletion, work: Work) -> int | None:
    left = (deletion.last_day - work.today).days
    had = (deletion.last_day - danish_today(deletion.announced_at)).days
    step = min((step for step in STEPS if left <= step), default=None)
    return step if step is not None and left < step < had else None


def _stays(work: Work) -> ColumnElement[bool]:
    """What a municipality asked to keep: without an answer yet, or with a yes until a day to come."""
    until = func.coalesce(DeletionItem.hold_until, work.today)
    granted = func.coalesce(DeletionItem.hold_granted, False)
    unanswered = and_(DeletionItem.hold_granted.is_(None), DeletionItem.hold_reason.is_not(None))
    return or_(unanswered, and_(granted.is_(True), until >= work.today))


def _deletions(work: Work, people: People) -> Iterable[Untold]:
    """Municipalities with tasks in an announced deletion that nobody was told of."""
    told = (
        select(Notice.id)
        .where(
            Notice.occasion == deletion_notices.ANNOUNCED,
            Notice.municipality_id == DeletionItem.municipality_id,
            Notice.created_at >= Deletion.announced_at,
            Notice.about_day.is_not(None),
            Notice.path.like("/sletning/%"),
        )
        .correlate(DeletionItem, Deletion)
    )
    rows = work.session.execute(
        select(Deletion.id, DeletionItem.municipality_id, MunicipalTask.system_code, Deletion.announced_by)
        .join(DeletionItem, DeletionItem.deletion_id == Deletion.id)
        .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
        .where(
            Deletion.state == "varslet",
            Deletion.announced_at >= since(work),
            ~told.where(Notice.dedupe_key.like(_of_deletion())).exists(),
        )
        .distinct()
    ).all()
    yield from _by_deletion(rows, people)


def _of_deletion() -> ColumnElement[str]:
    return literal("sletning=") + cast(Deletion.id, String) + literal("/kommune=%")


def _by_deletion(
    rows: Sequence[Row[tuple[int, int, str | None, int | None]]], people: People
) -> Iterable[Untold]:
    reachable = {
        (deletion_id, code) for deletion_id, code, system, doer in rows if people.others(code, system, doer)
    }
    for deletion_id, code in sorted(reachable):
        yield Untold(deletion_notices.ANNOUNCED, f"sletning={deletion_id}/{code}", _announcement(deletion_id))


def _announcement(deletion_id: int) -> Callable[[Work], int]:
    return lambda work: deletion_notices.announced(work, work.session.get_one(Deletion, deletion_id))
