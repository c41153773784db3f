"""The map of municipalities and phases as a page: each cell with its words and the list it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import abort, render_template, url_for

from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.domain.rights import Right
from klik.services import access as doors
from klik.services import filtering
from klik.services.criteria import QueryTooLongError
from klik.services.filters import NEWEST_ROUND, ROLE
from klik.services.follow_up import heat_map, measures, tempo
from klik.services.follow_up import wanted as asked_for
from klik.services.follow_up.heat_map import Cell, Group, HeatMap, Row
from klik.services.follow_up.measures import Column
from klik.services.follow_up.tempo import Promise
from klik.services.follow_up.wanted import COUNTED, GROUPINGS, ORDERS, Wanted
from klik.services.work import Work
from klik.web.tasks import way

# What has a field of its own above the map.
FIELDS = ("projekt", "bolge", "region", "tema", "ansvarlig", "runde")


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell with its words; ``href`` is the list of all it counts, ``late_href`` of its red or yellow ones."""

    percent: int
    total: int
    completed: int
    shade: str
    words: str
    href: str
    late_href: str


@dataclass(frozen=True, slots=True)
class ShownMark:
    """What a plug-in's measure says in a row; ``state`` and ``words`` are those of a municipality, empty for totals."""

    state: str
    words: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the map; ``code`` is 0 for totals, ``cells`` end with all phases together."""

    code: int
    name: str
    note: str
    silent: str
    written: str
    without: bool
    cells: tuple[ShownCell, ...]
    promise: str
    marks: tuple[ShownMark | None, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A choice above the map: the name in the address, its label, its values and the chosen one."""

    key: str
    label: str
    options: Sequence[tuple[str, str]]
    value: str


def wanted(work: Work) -> Wanted:
    """What the address asks; too long a query is answered with 414."""
    try:
        return asked_for.read(work.registry, way.address_query())
    except QueryTooLongError:
        abort(414)


def page(work: Work) -> str:
    """The map for KOMBIT and suppliers."""
    drawn = heat_map.draw(work, wanted(work))
    follows = heat_map.may_follow(work)
    promises = tempo.promises(work, drawn) if drawn.wanted.pace else {}
    phases = [phase for phase in work.registry.content.phases if _is_shown(drawn, phase.slug)]
    slugs = [phase.slug for phase in phases]
    columns = measures.columns(work, drawn)
    draw_row = _Rows(drawn, slugs, promises, columns)
    return render_template(
        "overview/heat_map.html",
        drawn=drawn,
        phases=phases,
        measures=columns,
        groups=[
            (
                group,
                [draw_row.municipality(row) for row in group.rows],
                draw_row.total(group, group.name) if group.name else None,
            )
            for group in drawn.groups
        ],
        total=draw_row.total(drawn.whole, "I alt") if len(drawn.rows) > 1 else None,
        fields=_fields(work, drawn),
        hidden=_hidden(drawn),
        chips=_chips(work, drawn),
        weeks=tempo.weeks(work, drawn) if drawn.wanted.pace else (),
        follows=follows,
        may_write=follows and work.actor is not None and work.actor.has(Right.PUBLISH),
        sorts=ORDERS.items(),
        groupings=GROUPINGS.items(),
        address=lambda **changes: _address(drawn.wanted, **changes),
        pairs=drawn.wanted.pairs(),
        lead=_lead(work),
    )


def _lead(work: Work) -> str:
    if not doors.sees_people(work) and work.actor is not None:
        systems = " og ".join(code.upper() for code in sorted(work.actor.systems))
        return f"Kommunernes fremdrift for {systems}, fase for fase. Tryk på et felt for at se opgaverne."
    return "Kommunerne, fase for fase. Tryk på et felt for at se netop de opgaver, det tæller."


def _address(wanted: Wanted, **changes: object) -> str:
    query = wanted.query(**changes)
    return url_for("overview.show") + (f"?{query}" if query else "")


def _is_shown(drawn: HeatMap, phase: str) -> bool:
    asked = drawn.selection.criteria.values("fase")
    return not asked or phase in asked


class _Rows:
    """Makes rows ready to be shown; what all addresses share is put together once."""

    def __init__(
        self,
        drawn: HeatMap,
        phases: Sequence[str],
        promises: Mapping[int, Promise],
        columns: Sequence[Column],
    ) -> None:
        self._drawn, self._phases, self._promises, self._columns = drawn, phases, promises, columns
        self._list = url_for("tasks.index")
        pairs = list(drawn.selection.criteria.pairs())
        self._asked = {
            key: [value for name, value in pairs if name == key] for key in ("kommune", "region", "fase")
        }
        self._shared = [pair for pair in pairs if pair[0] not in (*self._asked, "status")]
        self._whole = urlencode([("status", status) for status in COUNTED])

    def municipality(self, row: Row) -> ShownRow:
        signs = row.signs
        start = self._start([("kommune", f"{row.place.code}")])
        notes = [row.place.wave] if row.place.wave else []
        notes += [f"i drift {long_date(row.place.go_live)}"] if row.place.go_live else []
        promise = self._promises.get(row.place.code)
        return ShownRow(
            code=row.place.code,
            name=row.place.name,
            note=", ".join(notes),
            silent=signs.words if row.silent and signs else "",
            written=long_date(danish_today(signs.written_at)) if signs and signs.written_at else "",
            without=row.without,
            cells=self._cells(start, (row.cells.get(phase, Cell()) for phase in self._phases), row.sum),
            promise=promise.words if promise else "",
            marks=tuple(_mark(column, row) for column in self._columns),
        )

    def total(self, group: Group, name: str) -> ShownRow:
        drawn = self._drawn
        if drawn.narrowed or (group.name and not group.value):
            start = self._start([("kommune", f"{row.place.code}") for row in group.rows])
        elif group.value:
            start = self._start(
                [*(("kommune", code) for code in self._asked["kommune"]), ("region", group.value)]
            )
        else:
            start = self._start([(key, value) for key in ("kommune", "region") for value in self._asked[key]])
        number = f"{len(group.rows)} kommuner" if len(group.rows) != 1 else "1 kommune"
        cells = self._cells(start, (group.total(phase) for phase in self._phases), group.total())
        sums = tuple(ShownMark("", "", column.sum(group.rows)) for column in self._columns)
        return ShownRow(0, name, number, "", "", False, cells, "", sums)

    def _start(self, pairs: Iterable[tuple[str, str]]) -> str:
        return f"{self._list}?{urlencode([*self._shared, *pairs])}"

    def _cells(self, start: str, cells: Iterable[Cell], whole: Cell) -> tuple[ShownCell, ...]:
        shown = [
            self._cell(f"{start}&fase={phase}", cell) for phase, cell in zip(self._phases, cells, strict=True)
        ]
        of_asked = "".join(f"&fase={phase}" for phase in self._asked["fase"])
        return (*shown, self._cell(start + of_asked, whole))

    def _cell(self, start: str, cell: Cell) -> ShownCell:
        late = "roed" if cell.red else "gul" if cell.yellow else ""
        return ShownCell(
            cell.percent,
            cell.total,
            cell.completed,
            cell.shade,
            cell.words,
            f"{start}&{self._whole}" if cell.total else "",
            f"{start}&deadline={late}" if late else "",
        )


def _mark(column: Column, row: Row) -> ShownMark | None:
    mark = column.mark(row)
    return ShownMark(mark.state, measures.WORDS[mark.state], mark.text) if mark else None


def _fields(work: Work, drawn: HeatMap) -> Sequence[Field]:
    """The choices that mean something here; one with several values stands as chips instead."""
    content, scope, criteria = work.registry.content, drawn.scope, drawn.selection.criteria
    words = drawn.selection.words
    known: dict[str, list[tuple[str, str]]] = {
        "projekt": [(slug, name) for _id, slug, name, _system, _round in scope.projects],
        "bolge": list(heat_map.waves(work, scope.system)) if scope.system else [],
        "region": list(words.region.items()),
        "tema": [(theme.slug, theme.name) for theme in content.themes],
        "ansvarlig": [(f"{ROLE}{role.slug}", role.name) for role in content.roles]
        if doors.sees_people(work)
        else [],
        "runde": [(NEWEST_ROUND, "Nyeste")]
        + [(str(number), f"Runde {number}") for number in range(scope.rounds, 0, -1)]
        if scope.rounds > 1
        else [],
    }
    labels = {"ansvarlig": "Ansvarlig rolle"}
    return [
        Field(
            key,
            labels.get(key, work.registry.filters[key].label),
            [*([] if key == "runde" else [("", "Alle")]), *known[key]],
            next(iter(criteria.values(key)), ""),
        )
        for key in FIELDS
        if known[key] and len(criteria.values(key)) < 2
    ]


def _chips(work: Work, drawn: HeatMap) -> Sequence[tuple[str, str]]:
    """What is chosen without a field of its own: its words, and the address without it."""
    registry, wanted = work.registry, drawn.wanted
    return [
        (
            f"{registry.filters[key].label}: {filtering.label(registry, drawn.selection.words, key, value)}",
            _address(wanted, criteria=wanted.criteria.without(key, value)),
        )
        for key, value in _hidden_filters(drawn)
    ]


def _hidden_filters(drawn: HeatMap) -> Sequence[tuple[str, str]]:
    criteria = drawn.wanted.criteria
    return [
        (key, value) for key, value in criteria.pairs() if key not in FIELDS or len(criteria.values(key)) > 1
    ]


def _hidden(drawn: HeatMap) -> Sequence[tuple[str, str]]:
    """What the form carries on because no field of it shows it."""
    arranged = [pair for pair in drawn.wanted.pairs() if pair[0] in ("kun", "tempo")]
    return [*_hidden_filters(drawn), *arranged]
