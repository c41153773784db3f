"""Who holds a role today: the one answer that telling, publishing, giving tasks and following up all use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from sqlalchemy import ColumnElement, and_, or_, select

from klik.content.roles import Holders
from klik.models import Membership, Person, RoleHolding
from klik.services.work import Work

HOLDER, SUBSTITUTE = "indehaver", "stedfortraeder"


@dataclass(frozen=True, slots=True)
class Holder:
    """A person, or a functional mailbox (then without ``person_id``), that holds a role for a system or across.

    ``stands_for`` is the name of the one a substitute stands for, empty where the role is vacant.
    """

    person_id: int | None
    name: str
    address: str
    system: str | None
    primary: bool
    substitute: bool
    stands_for: str = ""

    @classmethod
    def of_person(cls, person: Person) -> Holder:
        """Somebody whom no role stands between."""
        return cls(person.id, person.name, person.email, None, primary=False, substitute=False)

    @property
    def who(self) -> int | str:
        """What makes two holdings the same recipient."""
        return self.person_id or self.address.casefold()


Holdings = Mapping[tuple[int, str], list[Holder]]


@dataclass(frozen=True, slots=True)
class PrimaryHolders:
    """Who is given a task by default: the primary holder of a role, for the system first, else across all."""

    held: Holdings
    system: str | None

    def person(self, municipality: int, role: str) -> int | None:
        """The person who is the role's primary holder; None also where a functional mailbox is."""
        primary = [each for each in self._holders(municipality, role) if each.primary]
        # The system's own holder goes before one for all systems.
        return min(primary, key=lambda each: each.system is None).person_id if primary else None

    def lacks(self, municipality: int, role: str) -> bool:
        """Whether nobody at all holds the role; a substitute does not fill it."""
        return not self._holders(municipality, role)

    def _holders(self, municipality: int, role: str) -> list[Holder]:
        held = fitting(self.held.get((municipality, role), ()), self.system)
        return [holder for holder in held if not holder.substitute]


def today(work: Work) -> ColumnElement[bool]:
    """The holdings whose period the day lies in."""
    return and_(
        RoleHolding.valid_from <= work.today,
        or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= work.today),
    )


# Both beside a holding: nobody where a functional mailbox holds the role.
MEMBER = and_(
    Membership.person_id == RoleHolding.person_id,
    Membership.municipality_id == RoleHolding.municipality_id,
)
# Who may no longer sign in, or has left the municipality, holds nothing.
AT_WORK = or_(RoleHolding.person_id.is_(None), and_(Person.active.is_(True), Membership.active.is_(True)))


def primary_of(
    work: Work, municipalities: Iterable[int], system: str | None, roles: Iterable[str]
) -> PrimaryHolders:
    """The primary holders today; one statement for all municipalities and roles."""
    return PrimaryHolders(of_roles(work, set(municipalities), set(roles)), system)


def of_roles(work: Work, municipalities: Collection[int], roles: Collection[str]) -> Holdings:
    """Those who hold the roles today, by municipality and role, the primary one first; one statement.

    People who may no longer sign in, or who left the municipality, hold nothing.
    """
    rows = work.session.execute(
        select(RoleHolding, Person.name, Person.email)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(Membership, MEMBER)
        .where(
            RoleHolding.role.in_(sorted(roles)),
            RoleHolding.municipality_id.in_(sorted(municipalities)),
            today(work),
            AT_WORK,
        )
        .order_by(RoleHolding.id)
    )
    places: dict[tuple[int, str, str | None], list[_Row]] = defaultdict(list)
    for holding, name, email in rows:
        address = email or holding.mailbox
        place = holding.municipality_id, holding.role, holding.system_code
        places[place].append((holding, name or address, address))
    found: dict[tuple[int, str], list[Holder]] = defaultdict(list)
    for (municipality, role, _system), held in places.items():
        found[municipality, role] += _of_place(work, role, held)
    for everybody in found.values():
        everybody.sort(key=lambda holder: (not holder.primary, holder.substitute))
    return found


_Row = tuple[RoleHolding, str, str]


def _of_place(work: Work, role: str, held: Sequence[_Row]) -> list[Holder]:
    """Those who hold a role for one system or across."""
    first = first_in_line(
        work.registry.content.role(role).holders,
        [holding for holding, _name, _address in held if holding.kind != SUBSTITUTE],
    )
    present = next((name for holding, name, _address in held if holding is first), None) or next(
        (name for holding, name, _address in held if holding.kind != SUBSTITUTE), ""
    )
    return [
        Holder(
            holding.person_id,
            name,
            address,
            holding.system_code,
            holding is first,
            holding.kind == SUBSTITUTE,
            present if holding.kind == SUBSTITUTE else "",
        )
        for holding, name, address in held
    ]


class InLine(Protocol):
    """A holding as the rule for primaries sees it: the one chosen, and since when each has held the role."""

    @property
    def id(self) -> int: ...
    @property
    def is_primary(self) -> bool: ...
    @property
    def valid_from(self) -> date: ...


AnyInLine = TypeVar("AnyInLine", bound=InLine)


def first_in_line(rule: Holders, held: Iterable[AnyInLine]) -> AnyInLine | None:
    """The primary one of those who hold a role today: who was chosen, else whoever has held it longest.

    A role for several has one only where one was chosen.
    """
    row = sorted(held, key=lambda each: (not each.is_primary, each.valid_from, each.id))
    if not row or (rule is Holders.SEVERAL and not row[0].is_primary):
        return None
    return row[0]


def fitting(holders: Iterable[Holder], system: str | None) -> list[Holder]:
    """Those who hold it for the system or across all."""
    return [holder for holder in holders if holder.system is None or holder.system == system]


def current(holders: Iterable[Holder], system: str | None) -> list[Holder]:
    """Whom the role stands for: those who hold it, and a substitute in its period together with them.

    The primary one first, substitutes last; where the role is vacant the substitute alone.
    """
    return fitting(holders, system)


def of_task(work: Work, municipality: int, role: str, system: str | None) -> list[Holder]:
    """Everybody who stands behind a role that a task is given to, substitutes too; the primary one first."""
    return current(of_roles(work, [municipality], [role]).get((municipality, role), ()), system)


def standing(holder: Holder) -> str:
    """What is added to the role's name: " (primær)", " (stedfortræder for Mette Holm)"."""
    if holder.substitute:
        return f" (stedfortræder for {holder.stands_for})" if holder.stands_for else " (stedfortræder)"
    return " (primær)" if holder.primary else ""


def role_name(work: Work, role: str) -> str:
    """The role's name as it stands in the middle of a sentence."""
    name = work.registry.content.role(role).name
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
