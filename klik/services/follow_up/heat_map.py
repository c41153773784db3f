"""Municipalities × phases: how many tasks there are in each cell, how many done, red and yellow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, and_, func, select

from klik.domain.deadlines import Colour
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.models import Municipality, MunicipalSystem, MunicipalTask, Project, Wave
from klik.models.stamps import Part
from klik.services import access, filtering
from klik.services.criteria import Criteria
from klik.services.filtering import Selection
from klik.services.filters import NEWEST_ROUND, has_colour
from klik.services.follow_up import silence
from klik.services.follow_up.silence import Signs
from klik.services.follow_up.wanted import LEAST_FAR, MOST_RED, RED, REGION, SILENT, WAVE, Wanted, whole
from klik.services.overview import count_of
from klik.services.work import Work

_SIZE = 80_000  # bytes, about: 98 rows of four numbers in four phases
NO_WAVE = "Uden bølge"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: relevant tasks in force, and how they stand; ``last_deadline`` is the latest of them."""

    total: int = 0
    completed: int = 0
    red: int = 0
    yellow: int = 0
    last_deadline: date | None = None

    @property
    def percent(self) -> int:
        """Share completed, in whole per cent, never rounded up to 100."""
        return self.completed * 100 // self.total if self.total else 0

    @property
    def shade(self) -> str:
        """What the cell looks like: "roed", "gul", "faerdig", "groen" or "ingen"; its words say the same."""
        if not self.total:
            return "ingen"
        if self.red or self.yellow:
            return Colour.RED.value if self.red else Colour.YELLOW.value
        return "faerdig" if self.completed == self.total else Colour.GREEN.value

    @property
    def words(self) -> str:
        """What stands beside the per cent: "3 røde", "2 gule", "færdig" or "ingen sene"."""
        if self.red:
            return f"{self.red} {'rød' if self.red == 1 else 'røde'}"
        if self.yellow:
            return f"{self.yellow} {'gul' if self.yellow == 1 else 'gule'}"
        if not self.total:
            return "ingen opgaver"
        return "færdig" if self.completed == self.total else "ingen sene"


def added(cells: Iterable[Cell]) -> Cell:
    """Several cells as one."""
    cells = tuple(cells)
    return Cell(
        sum(cell.total for cell in cells),
        sum(cell.completed for cell in cells),
        sum(cell.red for cell in cells),
        sum(cell.yellow for cell in cells),
        max((cell.last_deadline for cell in cells if cell.last_deadline), default=None),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality. ``has_system`` is None where no single system is asked for; ``go_live`` is that system's.

    ``wave_order``: the wave's place in the system's plan.
    """

    code: int
    name: str
    region: str
    wave: str | None
    go_live: date | None
    has_system: bool | None
    wave_order: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A municipality with its cell in each phase; ``signs`` is None for whoever must not know of people."""

    place: Place
    cells: Mapping[str, Cell]
    signs: Signs | None

    @property
    def sum(self) -> Cell:
        """All phases together."""
        return added(self.cells.values())

    @property
    def silent(self) -> bool:
        """Whether nobody has been seen for long, while something is late or nearly."""
        late = self.sum.red or self.sum.yellow
        return bool(late and self.signs is not None and self.signs.silent)

    @property
    def without(self) -> bool:
        """Whether the municipality does not have the system, and no tasks of it either."""
        return self.place.has_system is False and not self.cells


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with their totals; ``name`` is empty where the rows are not grouped. ``values`` narrow the list to it."""

    name: str
    rows: tuple[Row, ...]
    value: str = ""

    def total(self, phase: str | None = None) -> Cell:
        """A phase's totals, or those of all phases."""
        return added(row.sum if phase is None else row.cells.get(phase, Cell()) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the choices come to: the one system they are about, if it is one, and the newest round of its projects."""

    projects: tuple[tuple[int, str, str, str | None, int], ...]
    system: str | None
    rounds: int
    project_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The map. ``selection`` holds the filters that were used; ``silent``, ``red`` and ``everyone`` count rows.

    ``narrowed``: the rows shown are fewer than those the filters find.
    """

    groups: tuple[Group, ...]
    scope: Scope
    selection: Selection
    wanted: Wanted
    remarks: tuple[str, ...]
    silent: int
    red: int
    everyone: int
    narrowed: bool

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows that are shown."""
        return tuple(row for group in self.groups for row in group.rows)

    @property
    def whole(self) -> Group:
        """All rows as one group."""
        return Group("", self.rows)


def draw(work: Work, wanted: Wanted) -> HeatMap:
    """The map of what is wanted, as far as the actor sees it; at most seven statements."""
    scope = scope_of(work, wanted)
    criteria = wanted.criteria
    if scope.rounds > 1 and not criteria.values("runde"):
        criteria = criteria.with_values("runde", [NEWEST_ROUND])
    selection = filtering.select_tasks(work, whole(criteria))
    places = _places(work, selection, scope.system)
    cells = counts(work, selection, scope)
    signs = silence.signs(work) if may_follow(work) else {}
    everyone = tuple(Row(place, cells.get(place.code, {}), signs.get(place.code)) for place in places)
    shown = [
        row
        for row in everyone
        if (wanted.only != SILENT or row.silent) and (wanted.only != RED or row.sum.red)
    ]
    remarks = [*wanted.remarks, *selection.remarks]
    if wanted.grouped_by == WAVE and scope.system is None:
        remarks.append("Vælg ét projekt eller system for at samle kommunerne efter bølge.")
        wanted = replace(wanted, grouped_by="")
    return HeatMap(
        groups=_grouped(_ordered(shown, wanted.order), wanted.grouped_by),
        scope=scope,
        selection=selection,
        wanted=wanted,
        remarks=tuple(dict.fromkeys(remarks)),
        silent=sum(row.silent for row in everyone),
        red=sum(bool(row.sum.red) for row in everyone),
        everyone=len(everyone),
        # Then the rows are not all that the filters find, and a sum's list must name its municipalities.
        narrowed=len(shown) < len(everyone) or not cells.keys() <= {place.code for place in places},
    )


def may_follow(work: Work) -> bool:
    """Whether the actor may know which municipalities are silent, and write to them: KOMBIT only."""
    return work.actor is not None and work.actor.kombit


def scope_of(work: Work, wanted: Wanted) -> Scope:
    """The projects the actor may choose among, and what the choice comes to; one statement."""
    systems = _own_systems(work)

    def asked() -> tuple[tuple[int, str, str, str | None, int], ...]:
        narrowed = () if systems is None else (Project.system_code.in_(systems),)
        rows = work.session.execute(
            select(Project.id, Project.slug, Project.name, Project.system_code, Project.round)
            .where(*narrowed)
            .order_by(Project.name, Project.id)
        )
        return tuple((row[0], row[1], row[2], row[3], row[4]) for row in rows)

    found = work.kept.once(("map projects", access.sight(work)), asked, part=Part.FRAME)
    slugs, codes = wanted.criteria.values("projekt"), wanted.criteria.values("system")
    meant = [
        each for each in found if (not slugs or each[1] in slugs) and (not codes or (each[3] or "") in codes)
    ]
    about = {each[3] for each in meant}
    system = about.pop() if len(about) == 1 and (slugs or codes) else None
    if system is None and len(codes) == 1 and (systems is None or codes[0] in systems):
        system = codes[0]
    return Scope(found, system, max((each[4] for each in meant), default=1), tuple(each[0] for each in meant))


def _own_systems(work: Work) -> Sequence[str] | None:
    """The systems of a supplier, who learns of no other's waves and days; None for everybody else."""
    actor = work.actor
    return sorted(actor.systems) if actor is not None and actor.level is Level.SUPPLIER else None


def waves(work: Work, system: str) -> Sequence[tuple[str, str]]:
    """The system's waves in order, as (slug, name); one statement."""
    rows = work.session.execute(
        select(Wave.slug, Wave.name).where(Wave.system_code == system).order_by(Wave.position)
    )
    return [(slug, name) for slug, name in rows]


def counts(work: Work, selection: Selection, scope: Scope) -> Mapping[int, Mapping[str, Cell]]:
    """Each municipality's cells by phase; one statement, answered by an index alone, and kept under the stamps."""

    def asked() -> Mapping[int, Mapping[str, Cell]]:
        found: dict[int, dict[str, Cell]] = {}
        for code, phase, *numbers in work.session.execute(statement(work, selection, scope)):
            found.setdefault(code, {})[phase] = Cell(*numbers)
        return found

    key = selection.key and ("heat map", selection.key)
    return work.kept.once(key, asked, size=_SIZE)


def relevant(
    selection: Selection, scope: Scope, project: ColumnElement[int] | None = None
) -> ColumnElement[bool]:
    """What is selected, in words that leave the index to project and municipality: the statuses of ``whole``.

    The projects are named by their ids, in ``project`` where the column itself would mislead the database.
    """
    asked = [selection.where("status", "projekt"), MunicipalTask.status != Status.NOT_RELEVANT.value]
    slugs = selection.criteria.values("projekt")
    ids = [each[0] for each in scope.projects if each[1] in slugs]
    column = MunicipalTask.project_id if project is None else project
    if len(ids) == 1:
        # One alone leaves its rows in the order that they are grouped by.
        asked.append(column == ids[0])
    elif slugs:
        asked.append(column.in_(ids))
    return and_(*asked)


def statement(work: Work, selection: Selection, scope: Scope):  # type: ignore[no-untyped-def]
    """The one grouped statement of the map."""
    task = MunicipalTask
    return (
        select(
            task.municipality_id,
            task.phase,
            func.count(),
            count_of(task.status == Status.COMPLETED.value),
            count_of(has_colour(Colour.RED, work.today)),
            count_of(has_colour(Colour.YELLOW, work.today)),
            func.max(task.deadline),
        )
        .where(relevant(selection, scope))
        .group_by(task.municipality_id, task.phase)
    )


def _places(work: Work, selection: Selection, system: str | None) -> Sequence[Place]:
    """The municipalities the choices leave, by name; one statement."""
    criteria = selection.criteria
    day = func.coalesce(MunicipalSystem.go_live, Wave.go_live)
    rows = work.session.execute(
        select(
            Municipality.id,
            Municipality.name,
            Municipality.region,
            Wave.name,
            Wave.position,
            day,
            MunicipalSystem.id,
        )
        .outerjoin(
            MunicipalSystem,
            and_(
                MunicipalSystem.municipality_id == Municipality.id,
                MunicipalSystem.system_code == (system or ""),
            ),
        )
        .outerjoin(Wave, Wave.id == MunicipalSystem.wave_id)
        .where(Municipality.active.is_(True), access.municipalities(work), *_narrowed(work, criteria, system))
        .order_by(Municipality.name_key)
    )
    return [
        Place(code, name, region, wave, live, None if system is None else holding is not None, order or 0)
        for code, name, region, wave, order, live, holding in rows
    ]


def _narrowed(work: Work, criteria: Criteria, system: str | None) -> Iterable[ColumnElement[bool]]:
    if codes := criteria.values("kommune"):
        yield Municipality.id.in_([int(code) for code in codes])
    if regions := criteria.values("region"):
        yield Municipality.region.in_(regions)
    if waves := criteria.values("bolge"):
        systems = _own_systems(work) if system is None else [system]
        yield (
            select(MunicipalSystem.id)
            .join(Wave, Wave.id == MunicipalSystem.wave_id)
            .where(
                MunicipalSystem.municipality_id == Municipality.id,
                Wave.slug.in_(waves),
                *([] if systems is None else [MunicipalSystem.system_code.in_(systems)]),
            )
            .correlate(Municipality)
            .exists()
        )


def _ordered(rows: Sequence[Row], order: str) -> Sequence[Row]:
    """By name as they come; else the worst first, those without tasks last."""
    if order == MOST_RED:
        return sorted(rows, key=lambda row: (not row.sum.total, -row.sum.red, -row.sum.yellow))
    if order == LEAST_FAR:
        return sorted(rows, key=lambda row: (not row.sum.total, row.sum.percent, -row.sum.red))
    return rows


def _grouped(rows: Sequence[Row], by: str) -> tuple[Group, ...]:
    if not by:
        return (Group("", tuple(rows)),) if rows else ()
    found: dict[str, list[Row]] = {}
    for row in rows:
        name = row.place.region if by == REGION else row.place.wave or NO_WAVE
        found.setdefault(name, []).append(row)
    return tuple(
        Group(name, tuple(rows), name if by == REGION else "")
        for name, rows in sorted(found.items(), key=lambda pair: _group_order(pair[0], pair[1][0], by))
    )


def _group_order(name: str, first: Row, by: str) -> tuple[bool, int, str]:
    """Regions by name, waves as the plan has them, and last those without a wave."""
    return name == NO_WAVE, first.place.wave_order if by == WAVE else 0, name
