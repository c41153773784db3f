"""Everybody who holds, held or is to hold a role in a municipality, and who wrote it down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from klik.domain.deadlines import danish_today
from klik.models import AuditEntry, Person, RoleHolding
from klik.services.roles.gallery import Holding, holdings
from klik.services.work import Work

FILLED, ENDED = "rolle-besaet", "rolle-afslut"


@dataclass(frozen=True, slots=True)
class Written:
    """Who wrote something down, and on which Danish day; no name where klik itself did or they are gone."""

    name: str
    on: date


@dataclass(frozen=True, slots=True)
class Stretch:
    """Somebody's time in the role; ``filled`` and ``ended`` are None where klik knows no act (brought along)."""

    holding: Holding
    filled: Written | None
    ended: Written | None

    def is_over(self, today: date) -> bool:
        """Whether the last day has passed."""
        return self.holding.valid_to is not None and self.holding.valid_to < today


def of(work: Work, municipality_id: int, role: str) -> tuple[Stretch, ...]:
    """Who had, has and gets the role, latest first; two statements. Nothing of what the actor may not see."""
    found = holdings(work, RoleHolding.municipality_id == municipality_id, RoleHolding.role == role)
    acts = _acts(work, found)
    stretches = [
        Stretch(each, acts.get((FILLED, each.id)), acts.get((ENDED, each.id)) if each.valid_to else None)
        for each in found
    ]
    return tuple(
        sorted(
            stretches,
            key=lambda each: (each.holding.valid_from, each.holding.valid_to or date.max, each.holding.id),
            reverse=True,
        )
    )


def _acts(work: Work, found: Iterable[Holding]) -> Mapping[tuple[str, int], Written]:
    """The last act of each kind by the holding's id."""
    subjects = {f"role-holding/{each.id}": each.id for each in found}
    if not subjects:
        return {}
    rows = work.session.execute(
        select(AuditEntry.action, AuditEntry.subject, AuditEntry.at, Person.name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(AuditEntry.subject.in_(subjects), AuditEntry.action.in_((FILLED, ENDED)))
        .order_by(AuditEntry.id)
    )
    return {
        (action, subjects[subject]): Written(name or "klik", danish_today(at))
        for action, subject, at, name in rows
    }
