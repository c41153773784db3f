"""What every page says of the deletions a municipality stands in: the bar on top, and which tasks it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, bindparam, case, func, or_, select

from klik.models import Deletion, DeletionItem
from klik.models.stamps import Part
from klik.services.deleting import last_days
from klik.services.deleting.progress import HOLD_NOTICE_DAYS
from klik.services.work import Work

# A package goes on being spoken of for so long where nothing says how long it is kept.
SPOKEN_OF = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Countdown:
    """The most urgent deletion in which the actor's municipality has tasks that nobody took home.

    ``kept_until``: until when klik's own package lies there, once the last day is over and it is made.
    """

    deletion_id: int
    last_day: date
    tasks: int
    kept_until: date | None = None

    def days_left(self, today: date) -> int:
        """Whole days until and including the last day; below 0 when it is over."""
        return (self.last_day - today).days

    def over(self, today: date) -> bool:
        """Whether the last day, open to 23:59:59 Danish time, is over."""
        return self.last_day < today


_UNFETCHED = and_(
    DeletionItem.municipality_id == bindparam("municipality"),
    DeletionItem.fetched_at.is_(None),
    DeletionItem.state.in_(("varslet", "arkiveret", "slettet")),
    DeletionItem.archive_removed_at.is_(None),
    Deletion.state != "fortrudt",
    # What KOMBIT keeps needs nobody's hurry before the end is near.
    or_(
        DeletionItem.hold_granted.is_not(True),
        DeletionItem.state != "varslet",
        DeletionItem.hold_until <= bindparam("soon"),
    ),
    # What KOMBIT has not answered yet is not too late.
    or_(
        DeletionItem.hold_reason.is_(None),
        DeletionItem.hold_granted.is_not(None),
        DeletionItem.state != "varslet",
        Deletion.last_day >= bindparam("today"),
    ),
)
_own_day = last_days.own()
_NEAREST = (
    select(
        Deletion.id,
        _own_day,
        func.count(),
        func.min(DeletionItem.archive_kept_until),
    )
    .join(DeletionItem, DeletionItem.deletion_id == Deletion.id)
    .where(
        _UNFETCHED,
        or_(_own_day >= bindparam("since"), DeletionItem.archive_kept_until >= bindparam("today")),
    )
    .group_by(Deletion.id, _own_day)
    .order_by(case((_own_day >= bindparam("today"), 0), else_=1), _own_day, Deletion.id)
    .limit(1)
)
_TASKS = (
    select(DeletionItem.municipal_task_id, func.min(_own_day))
    .join(Deletion, Deletion.id == DeletionItem.deletion_id)
    .where(
        DeletionItem.municipality_id == bindparam("municipality"),
        DeletionItem.state.in_(("varslet", "hentet", "kvitteret")),
        Deletion.state == "varslet",
    )
    .group_by(DeletionItem.municipal_task_id)
)


def countdown(work: Work) -> Countdown | None:
    """The deletion whose last day is nearest, or else one that is over and was not fetched in time."""
    actor = work.actor
    if actor is None or actor.municipality_id is None:
        return None

    def nearest() -> Countdown | None:
        row = work.session.execute(
            _NEAREST,
            {
                "municipality": actor.municipality_id,
                "today": work.today,
                "soon": work.today + timedelta(days=HOLD_NOTICE_DAYS),
                "since": work.today - SPOKEN_OF,
            },
        ).first()
        return Countdown(*row) if row else None

    key = ("countdown", actor.municipality_id, work.today)
    return work.kept.once(key, nearest, part=Part.FRAME)


def tasks(work: Work) -> Mapping[int, date]:
    """The actor's municipality's tasks that stand in a running announcement, each with its last day."""
    actor = work.actor
    if actor is None or actor.municipality_id is None:
        return {}

    def announced() -> Mapping[int, date]:
        rows = work.session.execute(_TASKS, {"municipality": actor.municipality_id})
        return {task_id: last_day for task_id, last_day in rows}

    return work.kept.once(("announced tasks", actor.municipality_id), announced, part=Part.FRAME)
