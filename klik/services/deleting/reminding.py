"""What the daily job tells municipalities of announced deletions: reminders, ends of holds, days that have passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, func, select

from klik.domain.calendar import days, long_date
from klik.models import Deletion, DeletionItem
from klik.services.deleting import last_days, notices, reaching
from klik.services.deleting.notices import are_deleted, tasks, tell, until
from klik.services.deleting.progress import HOLD_NOTICE_DAYS, held
from klik.services.work import Work

# Days before the last day on which those who have not fetched are reminded, the nearest first.
REMINDED = (1, 7, 14, 30)
# Days before the forgotten package is removed on which its municipality hears of it.
PACKAGE_NOTICE_DAYS = 14


def remind(work: Work) -> int:
    """Everything of a day; returns the new ledger rows. However often it runs, each thing is told once."""
    told = 0
    running = work.session.scalars(
        select(Deletion).where(Deletion.state == "varslet").order_by(Deletion.id)
    ).all()
    for deletion in running:
        told += _catch_up(work, deletion)
        if deletion.last_day >= work.today:
            told += _of_last_day(work, deletion)
        told += _ends_of_holds(work, deletion)
    return told + _missed_days(work) + _ends_of_packages(work)


def _catch_up(work: Work, deletion: Deletion) -> int:
    """Tell those who came to a municipality after the announcement, as long as nobody there was told."""
    codes = reaching.unreached(work, deletion.id)
    return notices.announced(work, deletion, codes) if codes else 0


def _of_last_day(work: Work, deletion: Deletion) -> int:
    """Remind municipalities that have not fetched, 30, 14, 7 and 1 days before.

    A day that was missed is caught up with until the next one. Nobody is reminded of a step that had already
    passed when the deletion was announced, and tasks KOMBIT keeps are not reminded of.
    """
    left = (deletion.last_day - work.today).days
    step = next((step for step in REMINDED if left <= step), None)
    announced_left = (deletion.last_day - replace(work, now=deletion.announced_at).today).days
    if step is None or announced_left <= step:
        return 0
    ending = "i dag er sidste dag" if left == 0 else f"{days(left)} tilbage"
    return tell(
        work,
        deletion,
        notices.REMINDER,
        f"/rest={step}/dag={deletion.last_day}",
        lambda count: f"{are_deleted(count)} efter {long_date(deletion.last_day)}: {ending}",
        f"Opgaverne er ikke hentet endnu. Hent dem senest {until(deletion)}; derefter slettes de.",
        only=and_(DeletionItem.state == "varslet", ~held(work)),
        about_day=deletion.last_day - timedelta(days=step),
    )


def _missed_days(work: Work) -> int:
    """The day after a task's own last day: tell those who did not fetch it that klik makes their package.

    A deletion may be over before the notices of the day are made: tasks are deleted from midnight on.
    """
    day = last_days.own()
    forgotten = and_(
        DeletionItem.fetched_at.is_(None),
        DeletionItem.notified_at.is_not(None),
        DeletionItem.archive_removed_at.is_(None),
        ~held(work),
    )
    rows = work.session.execute(
        select(DeletionItem.deletion_id, day, func.min(DeletionItem.archive_kept_until))
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(forgotten, Deletion.state != "fortrudt", day < work.today)
        .group_by(DeletionItem.deletion_id, day)
        .order_by(DeletionItem.deletion_id, day)
    ).all()
    told = 0
    for deletion_id, last_day, kept in rows:
        deletion = work.session.get_one(Deletion, deletion_id)
        of_day = select(Deletion.id).where(Deletion.id == DeletionItem.deletion_id, day == last_day)
        told += _missed(
            work, deletion, last_day, kept, and_(forgotten, of_day.correlate(DeletionItem).exists())
        )
    return told


def _missed(
    work: Work, deletion: Deletion, last_day: date, kept: date | None, only: ColumnElement[bool]
) -> int:
    package = (
        f"klik har lavet jeres pakke. Den ligger på siden til og med {long_date(kept)}."
        if kept
        else "klik laver jeres pakke, før opgaverne slettes. Den ligger derefter på siden, "
        "hvor I kan se hvor længe."
    )
    return tell(
        work,
        deletion,
        notices.MISSED,
        f"/passeret={last_day}",
        lambda count: f"I nåede det ikke: {tasks(count)} blev ikke hentet i tide",
        f"Sidste dag for “{deletion.heading}” var {long_date(last_day)}. {package}",
        only=only,
        about_day=last_day,
    )


def _ends_of_holds(work: Work, deletion: Deletion) -> int:
    """Tell of tasks that were kept and come back, two weeks before they can be deleted."""
    soon = and_(
        DeletionItem.deletion_id == deletion.id,
        DeletionItem.hold_granted.is_(True),
        DeletionItem.hold_until <= work.today + timedelta(days=HOLD_NOTICE_DAYS),
        DeletionItem.state.in_(("varslet", "hentet", "kvitteret")),
    )
    told = 0
    ends = select(DeletionItem.hold_until).where(soon).distinct().order_by(DeletionItem.hold_until)
    for end in work.session.scalars(ends).all():
        if end is None or end < deletion.last_day:
            continue
        told += _end_of_hold(work, deletion, end, and_(soon, DeletionItem.hold_until == end))
    return told


def _end_of_hold(work: Work, deletion: Deletion, end: date, only: ColumnElement[bool]) -> int:
    last = max(end, work.today + timedelta(days=HOLD_NOTICE_DAYS))
    return tell(
        work,
        deletion,
        notices.HOLD_ENDS,
        f"/ophoerer={end}",
        lambda count: f"{tasks(count)}, der blev bevaret, slettes efter {long_date(last)}",
        f"KOMBIT beholdt dem til {long_date(end)}. Hent dem senest {long_date(last)} kl. 23.59.59 dansk tid, "
        "eller bed om at beholde dem længere på siden.",
        only=only,
        about_day=end,
    )


def _ends_of_packages(work: Work) -> int:
    """Tell of packages nobody fetched, two weeks before they are removed."""
    soon = and_(
        DeletionItem.fetched_at.is_(None),
        DeletionItem.archive_removed_at.is_(None),
        DeletionItem.archive_kept_until >= work.today,
        DeletionItem.archive_kept_until <= work.today + timedelta(days=PACKAGE_NOTICE_DAYS),
    )
    rows = work.session.execute(
        select(DeletionItem.deletion_id, DeletionItem.archive_kept_until)
        .where(soon)
        .distinct()
        .order_by(DeletionItem.deletion_id, DeletionItem.archive_kept_until)
    ).all()
    told = 0
    for deletion_id, kept in rows:
        deletion = work.session.get_one(Deletion, deletion_id)
        told += tell(
            work,
            deletion,
            notices.PACKAGE_ENDS,
            f"/pakke={kept}",
            lambda count, kept=kept: f"Pakken med {tasks(count)} fjernes efter {long_date(kept)}",  # type: ignore[misc]
            f"Opgaverne i “{deletion.heading}” er slettet, og I har ikke hentet jeres pakke. "
            f"Hent den senest {long_date(kept)}; derefter findes de ikke mere i klik.",
            only=and_(soon, DeletionItem.archive_kept_until == kept),
            about_day=kept,
        )
    return told
