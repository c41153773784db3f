"""KOMBIT's matrix of vacancies: municipality by role, narrowed as its address asks; and as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from sqlalchemy import select

from klik.content.roles import RoleDescription
from klik.domain.rights import Right
from klik.models import MunicipalSystem, System, Wave
from klik.services import access, small_tables
from klik.services.errors import ForbiddenError
from klik.services.roles import vacancies
from klik.services.roles.vacancies import NOBODY, Needs, Standing
from klik.services.small_tables import Value
from klik.services.work import Work

FILTERS: Mapping[str, str] = {
    "system": "It-system",
    "rolle": "Rolle",
    "region": "Region",
    "bolge": "Bølge",
    "kun": "Vis kun",
}
ONLY: Mapping[str, str] = {
    Standing.MISSING.value: "Mangler nu",
    Standing.VACANT.value: "Ubesatte",
    Standing.WITHOUT_PRIMARY.value: "Mangler primær",
}
MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class Count:
    """How a role stands: slots in all, those vacant, those of them needed now, and those that lack a primary."""

    slots: int = 0
    vacant: int = 0
    urgent: int = 0
    without_primary: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.slots + other.slots,
            self.vacant + other.vacant,
            self.urgent + other.urgent,
            self.without_primary + other.without_primary,
        )

    @property
    def words(self) -> str:
        """ "2 af 3 ubesat, 1 mangler nu"."""
        said = f"{self.vacant} af {self.slots} ubesat"
        if self.urgent:
            said += f", {self.urgent} mangler nu"
        if self.without_primary:
            said += f", {self.without_primary} mangler primær"
        return said


NONE = Count()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the matrix is narrowed to, by the filters' words; ``remarks`` say what of it was not understood."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> tuple[str, ...]:
        return self.values.get(key, ())

    def pairs(self) -> list[tuple[str, str]]:
        """As they stand in an address."""
        return [(key, value) for key in FILTERS for value in self[key]]


@dataclass(frozen=True, slots=True)
class Row:
    """One municipality; ``roles`` is by slug, without roles the municipality has no slot for."""

    municipality_id: int
    municipality: str
    region: str
    roles: Mapping[str, Count]
    total: Count


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows in Danish order, the roles that are shown, and the sums of each and of all."""

    wanted: Wanted
    rows: Sequence[Row]
    roles: Sequence[RoleDescription]
    totals: Mapping[str, Count]
    total: Count
    choices: Mapping[str, Mapping[str, str]]

    @property
    def counts(self) -> Set[Count]:
        """Every count that stands in a cell: few beside the cells, so that each is put into words once."""
        return {count for row in self.rows for count in row.roles.values()}


def read(work: Work, asked: Iterable[tuple[str, str]]) -> Matrix:
    """Every municipality × role that the pairs of an address ask for; five statements, for KOMBIT alone."""
    require_kombit(work)
    needs = vacancies.needs(work)
    choices = _choices(work, needs)
    wanted = _understood(asked, choices)
    held = vacancies.held_by(work)
    roles = [
        role for role in work.registry.content.roles if not wanted["rolle"] or role.slug in wanted["rolle"]
    ]
    rows = []
    for code, theirs in sorted(_places(work, needs, wanted), key=lambda item: item[1].name_key):
        counted = _count(roles, theirs, held.get(code, {}), wanted)
        total = sum(counted.values(), NONE)
        if _is_wanted(total, wanted["kun"]):
            rows.append(Row(code, theirs.name, theirs.region, counted, total))
    totals = {role.slug: sum((row.roles.get(role.slug, NONE) for row in rows), NONE) for role in roles}
    shown = [
        role for role in roles if totals[role.slug].slots and _is_wanted(totals[role.slug], wanted["kun"])
    ]
    return Matrix(wanted, rows, shown, totals, sum((totals[role.slug] for role in shown), NONE), choices)


def all_together(work: Work) -> Count:
    """All municipalities' vacancies together, for KOMBIT's front page; two statements."""
    require_kombit(work)
    held = vacancies.held_by(work)
    roles = work.registry.content.roles
    counted = (
        _count(roles, theirs, held.get(code, {}), Wanted()) for code, theirs in vacancies.needs(work).items()
    )
    return sum((each for by_role in counted for each in by_role.values()), NONE)


def require_kombit(work: Work) -> None:
    """Refuse everybody who sees one municipality alone."""
    if not access.require(work, Right.READ_ROLES).kombit:
        raise ForbiddenError(Right.READ_ROLES)


def _choices(work: Work, needs: Mapping[int, Needs]) -> Mapping[str, Mapping[str, str]]:
    waves: dict[str, str] = {}
    for system, slug, name in work.session.execute(
        select(Wave.system_code, Wave.slug, Wave.name).order_by(Wave.system_code, Wave.position)
    ):
        label = f"{system.upper()}: {name}"
        waves[slug] = f"{waves[slug]}, {label}" if slug in waves else label
    used = {system for each in needs.values() for system in each.systems}
    systems = work.session.execute(select(System.code, System.name).order_by(System.name))
    return {
        "system": {code: name for code, name in systems if code in used},
        "rolle": {role.slug: role.name for role in work.registry.content.roles},
        "region": {region: region for region in sorted({each.region for each in needs.values()})},
        "bolge": waves,
        "kun": ONLY,
    }


def _understood(asked: Iterable[tuple[str, str]], choices: Mapping[str, Mapping[str, str]]) -> Wanted:
    values: dict[str, list[str]] = {}
    remarks = []
    for key, value in list(asked)[:MOST_VALUES]:
        if not value:
            continue
        if key not in FILTERS:
            remarks.append(f"Filteret “{key[:40]}” findes ikke her og er ikke brugt.")
        elif value not in choices[key]:
            remarks.append(f"{FILTERS[key]}: “{value[:60]}” findes ikke og er ikke brugt.")
        elif value not in values.setdefault(key, []):
            values[key].append(value)
    return Wanted({key: tuple(each) for key, each in values.items()}, tuple(dict.fromkeys(remarks)))


def _places(work: Work, needs: Mapping[int, Needs], wanted: Wanted) -> Iterator[tuple[int, Needs]]:
    inside = _in_waves(work, wanted["bolge"])
    for code, each in needs.items():
        if (not wanted["region"] or each.region in wanted["region"]) and (inside is None or code in inside):
            yield code, each


def _in_waves(work: Work, waves: Sequence[str]) -> set[int] | None:
    if not waves:
        return None
    return set(
        work.session.scalars(
            select(MunicipalSystem.municipality_id)
            .join(Wave, Wave.id == MunicipalSystem.wave_id)
            .where(Wave.slug.in_(waves))
        )
    )


def _count(
    roles: Iterable[RoleDescription],
    needs: Needs,
    held: Mapping[str, vacancies.Held],
    wanted: Wanted,
) -> dict[str, Count]:
    systems = needs.systems & set(wanted["system"]) if wanted["system"] else needs.systems
    needed = {}
    counted = {}
    for role in roles:
        slots = vacancies.slots_of(role, systems)
        if not slots or (wanted["system"] and vacancies.ACROSS in slots):
            continue
        if role.phases not in needed:
            needed[role.phases] = needs.by_phases(role.phases)
        found = vacancies.places(role, slots, needs, held.get(role.slug, NOBODY), needed[role.phases])
        counted[role.slug] = Count(
            len(slots), len(found.vacant), len(found.missing), len(found.without_primary)
        )
    return counted


def _is_wanted(count: Count, only: Sequence[str]) -> bool:
    """Whether a row or a role has what alone is asked for."""
    numbers = {
        Standing.MISSING.value: count.urgent,
        Standing.VACANT.value: count.vacant,
        Standing.WITHOUT_PRIMARY.value: count.without_primary,
    }
    return not only or any(numbers[each] for each in only)


def headings(matrix: Matrix) -> tuple[str, ...]:
    """The first row of the file; a column a role."""
    return (
        *("Kommune", "Kommunekode", "Region", "Roller", "Ubesatte", "Mangler nu", "Mangler primær"),
        *(role.name for role in matrix.roles),
    )


def lines(matrix: Matrix) -> Iterator[tuple[Value, ...]]:
    """A line a municipality: how often each role is vacant, nothing where it is not used."""
    for row in matrix.rows:
        total = row.total
        counts = [row.roles.get(role.slug) for role in matrix.roles]
        yield (
            *(row.municipality, f"{row.municipality_id:03d}", row.region),
            *(total.slots, total.vacant, total.urgent, total.without_primary),
            *(count.vacant if count else None for count in counts),
        )


def as_csv(matrix: Matrix) -> bytes:
    """The matrix for a Danish Excel."""
    return small_tables.as_csv(headings(matrix), lines(matrix))


def as_xlsx(work: Work, matrix: Matrix) -> bytes:
    """The matrix as an Excel workbook."""
    return small_tables.as_xlsx(
        "Ubesatte roller", "Ubesatte roller", work.now, headings(matrix), lines(matrix), width=14
    )
