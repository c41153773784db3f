"""KOMBIT's view of the galleries: which roles nobody holds, municipality by municipality."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import literal, null, select, union_all

from klik.content.roles import RoleDescription, RoleScope
from klik.domain.rights import Right
from klik.models import Municipality, MunicipalSystem, MunicipalTask, RoleHolding
from klik.services import access, holders
from klik.services.errors import ForbiddenError
from klik.services.holders import HOLDER
from klik.services.overview import IN_FORCE, is_open
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Vacancy:
    """How a role stands in a municipality: slots in all, those vacant, and those vacant and needed now."""

    slots: int = 0
    vacant: int = 0
    urgent: int = 0


@dataclass(frozen=True, slots=True)
class MunicipalVacancies:
    """One row of KOMBIT's matrix; ``roles`` is by slug, without roles the municipality has no slot for."""

    municipality_id: int
    municipality: str
    roles: Mapping[str, Vacancy]

    @property
    def vacant(self) -> int:
        """How many of the municipality's roles nobody holds."""
        return sum(each.vacant for each in self.roles.values())

    @property
    def urgent(self) -> int:
        """How many of them the open tasks need now."""
        return sum(each.urgent for each in self.roles.values())


@dataclass(slots=True)
class _Facts:
    name: str = ""
    name_key: str = ""
    systems: set[str] = field(default_factory=set)
    phases: dict[str | None, set[str]] = field(default_factory=lambda: defaultdict(set))
    held: set[tuple[str, str | None]] = field(default_factory=set)


def matrix(work: Work) -> list[MunicipalVacancies]:
    """Every municipality × role, for KOMBIT; one statement. Municipalities in Danish order."""
    actor = access.require(work, Right.READ_ROLES)
    if not actor.kombit:
        raise ForbiddenError(Right.READ_ROLES)
    facts: dict[int, _Facts] = defaultdict(_Facts)
    for kind, code, first, second in work.session.execute(_vacancy_facts(work)):
        if kind == "kommune":
            facts[code].name, facts[code].name_key = first, second
        elif kind == "system":
            facts[code].systems.add(first)
        elif kind == "fase":
            facts[code].phases[first].add(second)
            if first:
                facts[code].systems.add(first)
        else:
            facts[code].held.add((first, second))
    return [
        MunicipalVacancies(code, each.name, _count(work.registry.content.roles, each))
        for code, each in sorted(facts.items(), key=lambda item: item[1].name_key)
        if each.name
    ]


def _vacancy_facts(work: Work) -> object:
    return union_all(
        select(literal("kommune"), Municipality.id, Municipality.name, Municipality.name_key).where(
            Municipality.active.is_(True)
        ),
        select(literal("system"), MunicipalSystem.municipality_id, MunicipalSystem.system_code, null()),
        select(literal("fase"), MunicipalTask.municipality_id, MunicipalTask.system_code, MunicipalTask.phase)
        .where(access.visible(work), IN_FORCE, is_open())
        .distinct(),
        select(literal("rolle"), RoleHolding.municipality_id, RoleHolding.role, RoleHolding.system_code)
        .where(RoleHolding.kind == HOLDER, holders.today(work))
        .distinct(),
    )


def _count(roles: Iterable[RoleDescription], facts: _Facts) -> Mapping[str, Vacancy]:
    counted = {}
    every_phase = set().union(*facts.phases.values())
    for role in roles:
        systems = [system for system in facts.systems if role.is_for(system)]
        wanted = [None] if role.scope is RoleScope.MUNICIPALITY else systems
        vacant = [system for system in wanted if (role.slug, system) not in facts.held]
        urgent = [
            system
            for system in vacant
            if set(role.phases) & (facts.phases[system] if system else every_phase)
        ]
        if wanted:
            counted[role.slug] = Vacancy(len(wanted), len(vacant), len(urgent))
    return counted
