"""Roles that are vacant or to be confirmed, and whether anybody was told; reckoned from the holdings alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from klik.domain.deadlines import danish_today
from klik.models import Membership, MunicipalSystem, MunicipalTask, Notice, Person, RoleHolding
from klik.services.control.findings import LOOKED_BACK, Untold, since
from klik.services.control.people import SUBSTITUTE, People
from klik.services.notices import ledger, roles
from klik.services.work import Work

OCCASIONS = (roles.VACANT, roles.CONFIRM)
HALF_A_YEAR = timedelta(days=183)
ONE_DAY = timedelta(days=1)


def untold(work: Work, people: People) -> Iterable[Untold]:
    """Roles whose last holder's time ended, and holders to confirm, that nobody was told of.

    Of today's own the scan tells (``notices.roles``); what it should have told by yesterday is looked for.
    """
    held = _held(work)
    yield from _vacant(work, held, people)
    yield from _to_confirm(work, held, people)


def _heal(work: Work) -> int:
    return ledger.enqueue(work, roles.lacking(work))


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


def _to_confirm(work: Work, held: Sequence[_Held], people: People) -> Iterable[Untold]:
    told = _keys(work, roles.CONFIRM)
    for each in held:
        at = each.holding.confirmed_at
        day = danish_today(at) if at else each.holding.valid_from
        over = work.today - day - HALF_A_YEAR
        about = f"{roles.CONFIRM}/{each.holding.id}/siden={day}/"
        if not each.on(work.today) or not ONE_DAY < over <= LOOKED_BACK:
            continue
        if not any(key.startswith(about) for key in told) and people.others(*each.place[::2], None):
            yield Untold(roles.CONFIRM, about, _heal)


def _keys(work: Work, occasion: str) -> Sequence[str]:
    return work.session.scalars(
        select(Notice.dedupe_key).where(
            Notice.occasion == occasion, Notice.created_at >= since(work) - LOOKED_BACK
        )
    ).all()
