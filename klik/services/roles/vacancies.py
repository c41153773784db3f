"""Which roles should be filled and are not: the one rule of gallery, front pages, task page, matrix and files.

A role is needed now where a KLIK-opgave is open in one of the phases its file names ("faser"), for its system or,
for a role across the municipality, anywhere; and where an open KLIK-opgave is given to the role and to no person.
Local tasks need no role, so that KOMBIT and the municipality count the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Select, and_, case, func, literal, null, select, union_all

from klik.content.roles import Holders, RoleDescription, RoleScope
from klik.domain.rights import Right
from klik.models import Membership, Municipality, MunicipalSystem, MunicipalTask, Person, RoleHolding, System
from klik.services import access, holders
from klik.services.errors import NotFoundError
from klik.services.holders import HOLDER
from klik.services.overview import IN_FORCE, is_open
from klik.services.work import Work

ACROSS = ""  # in place of a system's code, for a role that is held across them
_BYTES = 400_000  # about, of what 98 municipalities with 20 systems need


class Standing(StrEnum):
    """How it stands with a role for a system, the best first."""

    FILLED = "besat"
    WITHOUT_PRIMARY = "mangler-primaer"
    VACANT = "ubesat"
    MISSING = "mangler-nu"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]


_LABELS = {
    Standing.FILLED: "Besat",
    Standing.WITHOUT_PRIMARY: "Mangler primær",
    Standing.VACANT: "Ubesat",
    Standing.MISSING: "Mangler nu",
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What a municipality's KLIK-opgaver ask of its roles.

    ``systems``: those it has or was given tasks of. ``phases``: the phases with open tasks, by system (ACROSS for
    tasks of none). ``given``: role → the systems of the open tasks that only the role stands for.
    """

    name: str = ""
    name_key: str = ""
    region: str = ""
    systems: Set[str] = frozenset()
    phases: Mapping[str, Set[str]] = field(default_factory=dict)
    given: Mapping[str, Set[str]] = field(default_factory=dict)

    def phases_of(self, role: RoleDescription, system: str) -> Set[str]:
        """The phases with open tasks in which the role should be filled."""
        open_ones = (
            self.phases.get(system, frozenset()) if system else frozenset().union(*self.phases.values())
        )
        return open_ones & set(role.phases)

    def by_phases(self, phases: Iterable[str]) -> Set[str]:
        """The systems with open tasks in one of the phases; ACROSS with them when there are any."""
        wanted = set(phases)
        found = {system for system, open_ones in self.phases.items() if not wanted.isdisjoint(open_ones)}
        return found | {ACROSS} if found else frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """For which systems somebody holds a role today, a system for each holder, and which of these are primary."""

    systems: tuple[str, ...] = ()
    primary: tuple[str, ...] = ()


NOBODY = Held()


@dataclass(frozen=True, slots=True)
class Places:
    """The systems a role is to be held for in a municipality (ACROSS: once), and how it stands with each."""

    slots: Set[str]
    vacant: Set[str]
    missing: Set[str]
    without_primary: Set[str]

    def standing(self, system: str) -> Standing:
        """How it stands with one of them."""
        if system in self.missing:
            return Standing.MISSING
        if system in self.vacant:
            return Standing.VACANT
        return Standing.WITHOUT_PRIMARY if system in self.without_primary else Standing.FILLED


def places(
    role: RoleDescription, slots: Set[str], needs: Needs, held: Held, needed: Set[str] | None = None
) -> Places:
    """The rule itself: which of these slots nobody holds, which are needed now, which lack a primary holder.

    Whoever holds a role of systems across all of them holds it for each. Only where several hold a role that wants
    a primary ("en-primaer") can the primary be missing: one alone is it. ``needed``: what
    ``needs.by_phases(role.phases)`` gives, where the caller has it already.
    """
    vacant = frozenset() if ACROSS in held.systems else slots - set(held.systems)
    missing: Set[str] = frozenset()
    if vacant:
        by_phase = needs.by_phases(role.phases) if needed is None else needed
        given = needs.given.get(role.slug, frozenset())
        asked = by_phase | given
        if given and role.scope is RoleScope.MUNICIPALITY:
            asked = asked | {ACROSS}
        missing = vacant & asked
    return Places(slots, vacant, missing, _without_primary(role, slots, held))


def _without_primary(role: RoleDescription, slots: Set[str], held: Held) -> Set[str]:
    if role.holders is not Holders.ONE_PRIMARY or len(held.systems) < 2 or ACROSS in held.primary:
        return frozenset()
    everywhere = held.systems.count(ACROSS)
    if not everywhere and len(set(held.systems)) == len(held.systems):
        return frozenset()
    return {
        system
        for system in slots - set(held.primary)
        if (held.systems.count(system) if system else 0) + everywhere > 1
    }


def slots_of(role: RoleDescription, systems: Set[str]) -> Set[str]:
    """The systems that a role is to be held for, or ACROSS alone."""
    if role.is_retired:
        return frozenset()
    if role.scope is RoleScope.MUNICIPALITY:
        return {ACROSS}
    return systems & set(role.systems) if role.systems else systems


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A role that is not as it should be; without ``system`` it is one across the municipality.

    ``waited_for``: an open task is given to the role and to nobody.
    """

    role: RoleDescription
    system: str | None
    system_name: str | None
    standing: Standing
    waited_for: bool = False

    @property
    def words(self) -> str:
        """ "Systemansvarlig for Kommunernes Pensionssystem"."""
        return f"{self.role.name} for {self.system_name}" if self.system_name else self.role.name


def of(work: Work, municipality_id: int) -> Sequence[Vacancy]:
    """A municipality's vacancies; three statements. Raises NotFoundError.

    Those needed now come first, and of them those that tasks wait for and those KOMBIT writes to.
    """
    facts = needs(work, municipality_id)
    if municipality_id not in facts:
        raise NotFoundError
    theirs = facts[municipality_id]
    held = held_by(work, municipality_id).get(municipality_id, {})
    names = dict(work.session.execute(select(System.code, System.name)).all())
    found = []
    for role in work.registry.content.roles:
        standing = places(role, slots_of(role, theirs.systems), theirs, held.get(role.slug, NOBODY))
        found += [
            Vacancy(
                role,
                system or None,
                names.get(system, system) if system else None,
                state,
                bool(
                    theirs.given.get(role.slug, frozenset())
                    & ({system} if system else theirs.systems | {ACROSS})
                ),
            )
            for system in sorted(standing.slots)
            if (state := standing.standing(system)) is not Standing.FILLED
        ]
    order = (Standing.MISSING, Standing.WITHOUT_PRIMARY, Standing.VACANT)
    return sorted(
        found, key=lambda each: (order.index(each.standing), not each.waited_for, not each.role.spoc_phases)
    )


def needs(work: Work, municipality_id: int | None = None) -> Mapping[int, Needs]:
    """What the tasks ask of the roles, by municipality; one statement, kept until tasks or systems change."""
    access.require(work, Right.READ_ROLES)
    key = ("role-needs", access.sight(work), municipality_id)
    return work.kept.once(key, lambda: _read_needs(work, municipality_id), size=_BYTES)


def _read_needs(work: Work, municipality_id: int | None) -> Mapping[int, Needs]:
    who: dict[int, tuple[str, str, str]] = {}
    systems: dict[int, set[str]] = defaultdict(set)
    phases: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    given: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for code, kind, first, second, third, fourth in work.session.execute(
        needs_statement(work, municipality_id)
    ):
        if kind == "kommune":
            who[code] = first, second, third
            continue
        system = first or ACROSS
        if system:
            systems[code].add(system)
        if second:
            phases[code][system].add(second)
        for role in (third, fourth):
            if role:
                given[code][role].add(system)
    return {
        code: Needs(*words, systems[code], dict(phases[code]), dict(given[code]))
        for code, words in who.items()
    }


def needs_statement(work: Work, municipality_id: int | None = None) -> object:
    """Municipalities, their systems, and what their open tasks are of; in one statement."""
    published = and_(access.visible(work), MunicipalTask.task_id.is_not(None), IN_FORCE)
    given = [
        case((and_(is_open(), person.is_(None)), role))
        for person, role in (
            (MunicipalTask.responsible_id, MunicipalTask.responsible_role),
            (MunicipalTask.executor_id, MunicipalTask.executor_role),
        )
    ]
    parts: list[Select[tuple[object, ...]]] = [
        select(
            Municipality.id,
            literal("kommune"),
            Municipality.name,
            Municipality.name_key,
            Municipality.region,
            null(),
        ).where(Municipality.active.is_(True), access.municipalities(work)),
        select(
            MunicipalSystem.municipality_id,
            literal("system"),
            MunicipalSystem.system_code,
            null(),
            null(),
            null(),
        ),
        select(
            MunicipalTask.municipality_id,
            literal("opgaver"),
            MunicipalTask.system_code,
            case((is_open(), MunicipalTask.phase)),
            *given,
        )
        .where(published)
        .distinct(),
    ]
    if municipality_id is not None:
        columns = (Municipality.id, MunicipalSystem.municipality_id, MunicipalTask.municipality_id)
        parts = [part.where(column == municipality_id) for part, column in zip(parts, columns, strict=True)]
    return union_all(*parts)


def held_by(work: Work, municipality_id: int | None = None) -> Mapping[int, Mapping[str, Held]]:
    """Who holds what today, by municipality and role; one statement, a row for each role of a municipality."""
    found: dict[int, dict[str, Held]] = defaultdict(dict)
    for code, role, systems, primary in work.session.execute(held_statement(work, municipality_id)):
        found[code][role] = Held(
            tuple(systems.split(",")), tuple(primary.split(",")) if primary is not None else ()
        )
    return found


def held_statement(work: Work, municipality_id: int | None = None) -> object:
    """Those at work who hold a role; a substitute does not fill one, and who left holds nothing."""
    system = func.coalesce(RoleHolding.system_code, ACROSS)
    statement = (
        select(
            RoleHolding.municipality_id,
            RoleHolding.role,
            func.aggregate_strings(system, ","),
            func.aggregate_strings(case((RoleHolding.is_primary, system)), ","),
        )
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(Membership, holders.MEMBER)
        .where(
            access.holdings(work),
            RoleHolding.kind == HOLDER,
            holders.today(work),
            holders.AT_WORK,
        )
        .group_by(RoleHolding.municipality_id, RoleHolding.role)
    )
    if municipality_id is not None:
        statement = statement.where(RoleHolding.municipality_id == municipality_id)
    return statement
