"""Silent municipalities: nobody has signed in or changed a task for three weeks, while something is late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.models import Membership, Municipality, Notice, Person, TaskChange
from klik.services import access, overview
from klik.services.work import Work

DAYS = 21
WRITTEN = "skrevet"
_LEADERS = frozenset({Level.ADMINISTRATOR, Level.PLUS_USER})


@dataclass(frozen=True, slots=True)
class Signs:
    """The last signs of life of a municipality's own people, and when KOMBIT last wrote to it.

    ``joined`` is the day its newest member got access: until then nobody could have been seen. ``days`` is how
    long it has been silent; None where nobody has access at all.
    """

    seen_at: datetime | None
    changed_at: datetime | None
    joined: date | None
    written_at: datetime | None
    today: date

    @property
    def days(self) -> int | None:
        """Whole days since the last sign of life."""
        known = [danish_today(moment) for moment in (self.seen_at, self.changed_at) if moment]
        known += [self.joined] if self.joined else []
        return (self.today - max(known)).days if known else None

    @property
    def silent(self) -> bool:
        """Whether that is 21 days or more; a municipality where nobody has access is silent too."""
        return self.days is None or self.days >= DAYS

    @property
    def words(self) -> str:
        """ "stille i 34 dage", or why nobody can be heard."""
        if self.days is None:
            return "ingen har adgang"
        return f"stille i {self.days} dage"


def signs(work: Work, code: int | None = None) -> Mapping[int, Signs]:
    """The signs of every municipality, or of one; one statement. For KOMBIT: who calls has checked it."""
    here = Membership.municipality_id == Municipality.id
    members = select(func.max(Person.seen_at)).join(Membership, Membership.person_id == Person.id)
    seen = members.where(here, Membership.active.is_(True), access.memberships(work))
    joined = select(func.max(Membership.since)).where(
        here, Membership.active.is_(True), access.memberships(work)
    )
    written = select(func.max(Notice.created_at)).where(
        Notice.municipality_id == Municipality.id, Notice.occasion == WRITTEN
    )
    rows = work.session.execute(
        select(
            Municipality.id,
            seen.correlate(Municipality).scalar_subquery(),
            _last_change().correlate(Municipality).scalar_subquery(),
            joined.correlate(Municipality).scalar_subquery(),
            written.correlate(Municipality).scalar_subquery(),
        ).where(*([] if code is None else [Municipality.id == code]))
    )
    return {
        place: Signs(seen_at, changed_at, day, written_at, work.today)
        for place, seen_at, changed_at, day, written_at in rows
    }


def _last_change():  # type: ignore[no-untyped-def]
    """When one of the municipality's own last changed a task of it; read from the newest change backwards."""
    own = select(Membership.person_id).where(Membership.municipality_id == Municipality.id)
    return (
        select(TaskChange.at)
        .where(
            TaskChange.municipality_id == Municipality.id,
            TaskChange.person_id.in_(own.correlate(Municipality)),
        )
        .order_by(TaskChange.at.desc())
        .limit(1)
    )


@dataclass(frozen=True, slots=True)
class Untouched:
    """For how many days a municipality has not touched its tasks, and how many are red and yellow meanwhile."""

    days: int
    red: int
    yellow: int

    @property
    def sentence(self) -> str:
        """ "I har ikke rørt opgaverne i 34 dage; 3 er røde." """
        late = [
            *([f"{self.red} er {'rød' if self.red == 1 else 'røde'}"] if self.red else []),
            *([f"{self.yellow} er {'gul' if self.yellow == 1 else 'gule'}"] if self.yellow else []),
        ]
        return f"I har ikke rørt opgaverne i {self.days} dage; {' og '.join(late)}."


def own(work: Work, counts: overview.Counts | None = None) -> Untouched | None:
    """What a municipality's leaders are told of their own silence; None where there is nothing to say.

    Whoever reads it has signed in, so only changes count here. At most two statements.
    """
    actor = work.actor
    if actor is None or actor.municipality_id is None or actor.level not in _LEADERS:
        return None
    at, joined = work.session.execute(
        select(
            _last_change().correlate(Municipality).scalar_subquery(),
            select(func.min(Membership.since))
            .where(Membership.municipality_id == Municipality.id, Membership.active.is_(True))
            .correlate(Municipality)
            .scalar_subquery(),
        ).where(Municipality.id == actor.municipality_id)
    ).one()
    last = danish_today(at) if at else joined
    days = (work.today - last).days if last else 0
    if days < DAYS:
        return None
    counts = counts or overview.counts(work)
    return Untouched(days, counts.red, counts.yellow) if counts.red or counts.yellow else None
