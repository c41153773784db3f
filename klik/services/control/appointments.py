"""Roles that are vacant or to be confirmed, and whether anybody was told; reckoned from the holdings alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from sqlalchemy import select

from klik.domain.deadlines import danish_today
from klik.domain.working_days import day_off
from klik.models import Membership, MunicipalSystem, MunicipalTask, Notice, Person, RoleAnswer, RoleHolding
from klik.services.control.findings import LOOKED_BACK, Untold, since
from klik.services.control.people import SUBSTITUTE, People
from klik.services.notices import ledger, roles, still_you
from klik.services.work import Work

OCCASIONS = (roles.VACANT, still_you.OCCASION)
ONE_DAY, TWO_WEEKS = timedelta(days=1), timedelta(days=14)
ROUND, EARLY = timedelta(days=190), timedelta(days=30)


def untold(work: Work, people: People) -> Iterable[Untold]:
    """Roles whose last holder's time ended, and holders to confirm, that nobody was told of.

    Of today's own the scan tells (``notices.roles``); what it should have told by yesterday is looked for.
    """
    held = _held(work)
    yield from _vacant(work, held, people)
    yield from _to_confirm(work, held)


def _heal(work: Work) -> int:
    return ledger.enqueue(work, [*roles.lacking(work), *still_you.lacking(work)])


@dataclass(frozen=True, slots=True)
class _Held:
    holding: RoleHolding
    there: bool  # the mailbox, or a person who may still sign in there

    @property
    def place(self) -> tuple[int, str, str | None]:
        """What is held."""
        return self.holding.municipality_id, self.holding.role, self.holding.system_code

    def on(self, today: date) -> bool:
        """Whether somebody holds it through this one."""
        return self.there and (self.holding.valid_to is None or self.holding.valid_to >= today)


def _held(work: Work) -> list[_Held]:
    """Everything that was ever held of the roles there still are, without substitutes."""
    rows = work.session.execute(
        select(RoleHolding, RoleHolding.person_id.is_(None) | (Person.active & Membership.active))
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(
            Membership,
            (Membership.person_id == Person.id) & (Membership.municipality_id == RoleHolding.municipality_id),
        )
        .where(RoleHolding.kind != SUBSTITUTE, RoleHolding.valid_from <= work.today)
    )
    return [
        _Held(holding, bool(there))
        for holding, there in rows
        if not work.registry.content.role(holding.role).is_retired
    ]


def _vacant(work: Work, held: Sequence[_Held], people: People) -> Iterable[Untold]:
    filled = {each.place for each in held if each.on(work.today)}
    last: dict[tuple[int, str, str | None], date] = {}
    for each in held:
        if each.holding.valid_to is not None and each.holding.valid_to < work.today:
            last[each.place] = max(each.holding.valid_to, last.get(each.place, date.min))
    told = _keys(work, roles.VACANT)
    for (code, role, system), ended in sorted(last.items(), key=str):
        gap = work.today - ended
        if not ONE_DAY < gap <= LOOKED_BACK or {(code, role, system), (code, role, None)} & filled:
            continue
        about = f"{roles.VACANT}/{code}/{role}/{system or '-'}/{ended + ONE_DAY}/"
        is_told = any(key.startswith(about) for key in told)
        if not is_told and _works_with(work, code, system) and people.others(code, system, None):
            yield Untold(roles.VACANT, about, _heal)


def _works_with(work: Work, code: int, system: str | None) -> bool:
    """Whether the municipality has the system, as far as that is noted of any, and was given tasks of it."""
    if system is None:
        return True
    having = set(
        work.session.scalars(
            select(MunicipalSystem.municipality_id).where(MunicipalSystem.system_code == system)
        )
    )
    given = select(MunicipalTask.id).where(
        MunicipalTask.municipality_id == code,
        MunicipalTask.system_code == system,
        MunicipalTask.erased_at.is_(None),
        MunicipalTask.withdrawn_at.is_(None),
    )
    return (not having or code in having) and work.session.scalar(given.limit(1)) is not None


def _to_confirm(work: Work, held: Sequence[_Held]) -> Iterable[Untold]:
    """Holders that the round should have asked by yesterday, and should have reminded two weeks later."""
    begins = _round(work.today)
    if not ONE_DAY < work.today - begins <= ROUND:
        return
    proposed = set(
        work.session.scalars(
            select(RoleAnswer.role_holding_id).where(
                RoleAnswer.settled_at.is_(None), RoleAnswer.answer.in_(("ny", "tom"))
            )
        )
    )
    lacks = {
        (each.holding.municipality_id, each.holding.person_id or (each.holding.mailbox or "").casefold())
        for each in held
        if each.on(work.today) and each.holding.id not in proposed and _to_ask(each.holding, begins)
    }
    told = _told_of_round(work, begins) if lacks else {}
    for code, holder in sorted(lacks, key=str):
        about = _about(begins, code, holder)
        day = told.get(about)
        if day is None and work.today - begins <= LOOKED_BACK:
            yield Untold(still_you.OCCASION, about, _heal)
        elif day and ONE_DAY < work.today - day - TWO_WEEKS <= LOOKED_BACK and f"{about}/igen" not in told:
            yield Untold(still_you.OCCASION, f"{about}/igen", _heal)


def _round(today: date) -> date:
    """When the round of the day began: the first working day of March or September (decision 0017)."""
    days = []
    for year, month in ((today.year - 1, 9), (today.year, 3), (today.year, 9)):
        day = date(year, month, 1)
        while day_off(day):
            day += ONE_DAY
        days.append(day)
    return max(day for day in days if day <= today)


def _to_ask(holding: RoleHolding, begins: date) -> bool:
    at = holding.confirmed_at
    return holding.valid_from < begins and (at is None or danish_today(at) < begins - EARLY)


def _about(begins: date, code: int, holder: int | str) -> str:
    who = f"p{holder}" if isinstance(holder, int) else f"m{sha256(holder.encode()).hexdigest()[:16]}"
    return f"{still_you.OCCASION}/{begins.year}-{1 if begins.month == 3 else 2}/{code}/{who}"


def _told_of_round(work: Work, begins: date) -> Mapping[str, date]:
    """What was told since the round began, without the recipient, and on which day first."""
    rows = work.session.execute(
        select(Notice.dedupe_key, Notice.created_at)
        .where(
            Notice.occasion == still_you.OCCASION,
            Notice.created_at >= work.now - ROUND - ONE_DAY,
        )
        .order_by(Notice.id.desc())
    )
    return {key.rpartition("/")[0]: danish_today(at) for key, at in rows}


def _keys(work: Work, occasion: str) -> Sequence[str]:
    return work.session.scalars(
        select(Notice.dedupe_key).where(
            Notice.occasion == occasion, Notice.created_at >= since(work) - LOOKED_BACK
        )
    ).all()
