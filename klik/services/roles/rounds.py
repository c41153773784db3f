""" "Er det stadig dig?", twice a year: the round a day lies in, the holdings it asks, how many are confirmed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from sqlalchemy import func, select

from klik.domain.deadlines import danish_today
from klik.domain.rights import Right
from klik.domain.working_days import WorkingDay, moved
from klik.models import BouncedAddress, Membership, Municipality, Person, RoleAnswer, RoleHolding
from klik.services import access, holders
from klik.services.errors import ForbiddenError
from klik.services.holders import HOLDER
from klik.services.work import Work

ONE_DAY = timedelta(days=1)
# Whoever was confirmed so shortly before a round is not asked in it.
EARLY = timedelta(days=30)
A_YEAR = timedelta(days=365)
MONTHS = {1: 3, 2: 9}
_SLUG = re.compile(r"(20[0-9]{2})-([12])")
PROPOSALS = ("ny", "tom")


class Confirmable(Protocol):
    """A holding as a round sees it: since when, and when somebody last said that it is right."""

    @property
    def valid_from(self) -> date: ...
    @property
    def confirmed_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Round:
    """A round of questions: "2026-2" is the one that begins in September 2026 (decision 0017)."""

    year: int
    half: int

    @property
    def slug(self) -> str:
        """As answers and notices name it."""
        return f"{self.year}-{self.half}"

    @property
    def begins(self) -> date:
        """The first working day of March or September."""
        return moved(date(self.year, MONTHS[self.half], 1), WorkingDay.AFTER)

    @property
    def after(self) -> Round:
        """The next round."""
        return Round(self.year, 2) if self.half == 1 else Round(self.year + 1, 1)

    @property
    def last_day(self) -> date:
        """The last day on which the round can be answered."""
        return self.after.begins - ONE_DAY

    def asks(self, holding: Confirmable) -> bool:
        """Whether a holding that stands today is to be confirmed: it is older than the round, and so is its word."""
        at = holding.confirmed_at
        fresh = at is not None and danish_today(at) >= self.begins - EARLY
        return holding.valid_from < self.begins and not fresh


def of(day: date) -> Round:
    """The round that a day lies in."""
    newest = Round(day.year, 2)
    for each in (newest, Round(day.year, 1)):
        if each.begins <= day:
            return each
    return Round(day.year - 1, 2)


def named(slug: str) -> Round | None:
    """The round with this name, or None."""
    found = _SLUG.fullmatch(slug)
    return Round(int(found[1]), int(found[2])) if found else None


def overdue(confirmed_at: datetime | None, valid_from: date, today: date) -> bool:
    """Whether nobody has confirmed a holding for twelve months, counted from its first day where nobody ever has."""
    last = danish_today(confirmed_at) if confirmed_at else valid_from
    return today - last > A_YEAR


@dataclass(frozen=True, slots=True)
class Standing:
    """A holding of today with its holder; ``returned``: mails to the address come back."""

    holding: RoleHolding
    name: str
    address: str
    returned: bool

    @property
    def mailbox(self) -> bool:
        """Whether a functional mailbox holds it."""
        return self.holding.person_id is None


def standing(work: Work, *where: object) -> list[Standing]:
    """What is held today, substitutes and roles that are no more left out; one statement."""
    rows = work.session.execute(
        select(RoleHolding, Person.name, Person.email, BouncedAddress.state)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(Membership, holders.MEMBER)
        .outerjoin(
            BouncedAddress,
            BouncedAddress.address_key == func.coalesce(Person.email_key, func.lower(RoleHolding.mailbox)),
        )
        .where(
            RoleHolding.kind == HOLDER,
            holders.today(work),
            holders.AT_WORK,
            *where,  # type: ignore[arg-type]
        )
        .order_by(RoleHolding.id)
    )
    return [
        Standing(holding, name or holding.mailbox or "", email or holding.mailbox or "", state == "haard")
        for holding, name, email, state in rows
        if not work.registry.content.role(holding.role).is_retired
    ]


def pending(work: Work, holdings: Collection[int]) -> dict[int, RoleAnswer]:
    """What was proposed of these holdings and is not settled yet, by holding; one statement."""
    rows = work.session.scalars(
        select(RoleAnswer).where(
            RoleAnswer.role_holding_id.in_(sorted(holdings)),
            RoleAnswer.answer.in_(PROPOSALS),
            RoleAnswer.settled_at.is_(None),
        )
    )
    return {row.role_holding_id: row for row in rows}


def unanswered(work: Work, *where: object) -> list[Standing]:
    """What the round of today asks about and nobody has answered; two statements."""
    current = of(work.today)
    asked = [each for each in standing(work, *where) if current.asks(each.holding)]
    answered = _proposed(work) if asked else set()
    return [each for each in asked if each.holding.id not in answered]


def _proposed(work: Work) -> set[int]:
    return set(
        work.session.scalars(
            select(RoleAnswer.role_holding_id).where(
                RoleAnswer.answer.in_(PROPOSALS), RoleAnswer.settled_at.is_(None)
            )
        )
    )


@dataclass(frozen=True, slots=True)
class Share:
    """How a municipality stands in the round: its holdings, those confirmed, and those that are flagged."""

    municipality_id: int
    municipality: str
    total: int = 0
    confirmed: int = 0
    overdue: int = 0
    returned: int = 0

    @property
    def percent(self) -> int:
        """Whole per cent of the holdings that are confirmed, rounded down; 100 where there are none."""
        return 100 * self.confirmed // self.total if self.total else 100

    @property
    def flagged(self) -> int:
        """How many marks there are."""
        return self.overdue + self.returned


def share(work: Work, municipality_id: int) -> Share:
    """The share of one municipality, as far as the actor may see its holdings; one statement."""
    found = standing(work, access.holdings(work), RoleHolding.municipality_id == municipality_id)
    return _share(work, municipality_id, "", found)


def shares(work: Work) -> list[Share]:
    """Every municipality, the least confirmed first; two statements. Only for KOMBIT: raises ForbiddenError."""
    actor = access.require(work, Right.READ_ROLES)
    if not actor.kombit:
        raise ForbiddenError(Right.READ_ROLES)
    by_place: dict[int, list[Standing]] = defaultdict(list)
    for each in standing(work):
        by_place[each.holding.municipality_id].append(each)
    places = work.session.execute(
        select(Municipality.id, Municipality.name)
        .where(Municipality.active.is_(True))
        .order_by(Municipality.name_key)
    )
    found = [_share(work, code, name, by_place.get(code, ())) for code, name in places]
    return sorted(found, key=lambda each: (each.percent, -each.total))


def _share(work: Work, code: int, name: str, found: Iterable[Standing]) -> Share:
    current, found = of(work.today), list(found)
    return Share(
        code,
        name,
        total=len(found),
        confirmed=sum(not current.asks(each.holding) for each in found),
        overdue=sum(
            overdue(each.holding.confirmed_at, each.holding.valid_from, work.today) for each in found
        ),
        returned=sum(each.returned for each in found),
    )
