"""A klarmelding: one sheet with what the supplier says and what the municipality has confirmed, and who sees what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from klik.plugins import PluginContext, Right, in_denmark, search_key
from klik.plugins.klarmelding.catalogue import Interface, interfaces
from klik.plugins.klarmelding.criteria import Criterion, in_force
from klik.plugins.klarmelding.tables import answers, confirmations, declarations, sheets
from klik.plugins.klarmelding.verdict import NOT_RELEVANT, UNSAID, YES, Verdict, difference, verdict

# An actor without a place of its own is written as KOMBIT; no supplier is called so.
NOBODYS_SUPPLIER = "kombit"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the municipality has seen of one criterion; ``stale``: its wording has changed since."""

    met: bool | None
    remark: str
    stale: bool


NOT_ANSWERED = Answer(None, "", False)


@dataclass(frozen=True, slots=True)
class Line:
    """One interface of a sheet. Remarks are empty for who may not read them."""

    interface: Interface
    criteria: tuple[Criterion, ...]
    said: str
    supplier_remark: str
    by_supplier: bool
    said_on: date | None
    said_ready: bool
    remark: str
    confirmed_on: date | None
    answers: Mapping[int, Answer]
    verdict: Verdict
    difference: str
    looked_at: bool = False

    def answer(self, criterion: Criterion) -> Answer:
        """What is said of a criterion."""
        return self.answers.get(criterion.number, NOT_ANSWERED)


@dataclass(frozen=True, slots=True)
class ReadinessSheet:
    """A supplier's system in a pilot municipality, in one version; lines in the order of the catalogue.

    ``whole``: remarks and all may be read (the municipality's own people and KOMBIT).
    """

    id: int
    municipality: int
    place: str
    supplier: str
    supplier_key: str
    system: str
    system_key: str
    edition: str
    published_on: date | None
    changed_on: date
    version: int
    whole: bool
    lines: tuple[Line, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """As people call it: "Nexus EOJ, version 01.00"."""
        return f"{self.system}, version {self.edition}" if self.edition else self.system

    @property
    def confirmed(self) -> int:
        """How many interfaces are klarmeldt."""
        return sum(line.verdict.ready for line in self.lines)

    @property
    def said(self) -> int:
        """How many interfaces the supplier says are ready."""
        return sum(line.said == YES for line in self.lines)

    @property
    def relevant(self) -> int:
        """How many interfaces the supplier does not call irrelevant."""
        return sum(line.said != NOT_RELEVANT for line in self.lines)

    @property
    def differences(self) -> tuple[Line, ...]:
        """The lines on which the two do not agree."""
        return tuple(line for line in self.lines if line.difference)

    def line(self, number: str) -> Line:
        """The line of an interface."""
        return next(line for line in self.lines if line.interface.number == number)


def key_of(name: str) -> str:
    """What two spellings of a supplier's or system's name have in common: everything but case and spaces."""
    return search_key(name)


def is_supplier(context: PluginContext) -> bool:
    """Whether a supplier asks."""
    return context.municipality is None and not context.kombit


def visible(context: PluginContext) -> ColumnElement[bool]:
    """Which sheets: KOMBIT all, a municipality its own and the published ones, a supplier those of its own name."""
    if context.kombit:
        return true()
    if context.municipality is not None:
        return or_(sheets.c.municipality_id == context.municipality, sheets.c.published_at.is_not(None))
    own = key_of(context.place)
    return sheets.c.supplier_key == own if own and own != NOBODYS_SUPPLIER else false()


def may_confirm(context: PluginContext, municipality: int) -> bool:
    """Whether the actor writes for the municipality."""
    return context.municipality == municipality and context.has(Right.CHANGE_ANY_TASK)


def load(
    context: PluginContext, *where: ColumnElement[bool], demanded: Iterable[tuple[str, str, str]] = ()
) -> tuple[ReadinessSheet, ...]:
    """The sheets the actor may see that fit, by supplier, system, place and newest version first; four statements.

    ``demanded``: supplier key, system key and interface of what the reader's agreements demand.
    """
    store = context.store
    assert store is not None
    rows = store.execute(select(sheets).where(visible(context), *where)).all()
    if not rows:
        return ()
    ids = [row.id for row in rows]
    said = _by_sheet(store.execute(select(declarations).where(declarations.c.sheet_id.in_(ids))))
    ready = _by_sheet(store.execute(select(confirmations).where(confirmations.c.sheet_id.in_(ids))))
    met = _by_sheet(store.execute(select(answers).where(answers.c.sheet_id.in_(ids))))
    held = in_force(store)
    places = names_of_places(context)
    wanted = frozenset(demanded)
    found = [
        ReadinessSheet(
            id=row.id,
            municipality=row.municipality_id,
            place=places.get(row.municipality_id, ""),
            supplier=row.supplier,
            supplier_key=row.supplier_key,
            system=row.system,
            system_key=row.system_key,
            edition=row.edition,
            published_on=day(row.published_at),
            changed_on=in_denmark(aware(row.changed_at)).date(),
            version=row.version,
            whole=context.kombit or row.municipality_id == context.municipality,
            lines=tuple(
                _line(
                    context,
                    row,
                    interface,
                    held[number],
                    (said.get((row.id, number)) or [None])[0],
                    (ready.get((row.id, number)) or [None])[0],
                    met.get((row.id, number), ()),
                    demanded=(row.supplier_key, row.system_key, number) in wanted,
                )
                for number, interface in interfaces().items()
            ),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=_order))


def _order(sheet: ReadinessSheet) -> tuple[Any, ...]:
    newest_first = tuple(-ord(sign) for sign in sheet.edition.rjust(20))
    return (sheet.supplier_key, sheet.system_key, sheet.place, newest_first, -sheet.id)


def one(context: PluginContext, sheet_id: int) -> ReadinessSheet | None:
    """The sheet, or None when there is none that the actor may see."""
    return next(iter(load(context, sheets.c.id == sheet_id)), None)


def _by_sheet(rows: Iterable[Any]) -> dict[tuple[int, str], list[Any]]:
    found: dict[tuple[int, str], list[Any]] = {}
    for row in rows:
        found.setdefault((row.sheet_id, row.interface), []).append(row)
    return found


def _line(
    context: PluginContext,
    sheet: Any,
    interface: Interface,
    held: tuple[Criterion, ...],
    said: Any,
    ready: Any,
    met: Sequence[Any],
    *,
    demanded: bool,
) -> Line:
    own = context.kombit or sheet.municipality_id == context.municipality
    editions = {each.number: each.edition for each in held}
    given = {
        row.criterion: Answer(
            row.met if row.edition == editions[row.criterion] else None,
            row.remark if own else "",
            row.edition != editions[row.criterion],
        )
        for row in met
        if row.criterion in editions
    }
    said_ready = bool(ready and ready.ready)
    judged = verdict([given.get(each.number, NOT_ANSWERED).met for each in held], said_ready)
    looked_at = ready is not None or any(answer.met is not None for answer in given.values())
    return Line(
        interface=interface,
        criteria=held,
        said=said.said if said else UNSAID,
        supplier_remark=said.remark if said and (own or is_supplier(context)) else "",
        by_supplier=bool(said and said.by_supplier),
        said_on=day(said.said_at) if said else None,
        said_ready=said_ready,
        remark=ready.remark if ready and own else "",
        confirmed_on=day(ready.confirmed_at) if ready else None,
        answers=given,
        verdict=judged,
        difference=difference(said.said if said else UNSAID, judged.ready, looked_at, demanded),
        looked_at=looked_at,
    )


def names_of_places(context: PluginContext) -> Mapping[int, str]:
    """Every municipality's name by its code."""
    assert context.klik is not None
    return {each.code: each.name for each in context.klik.municipalities()}


def aware(moment: datetime) -> datetime:
    """A moment out of the table with its zone; SQLite keeps none."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def day(moment: datetime | None) -> date | None:
    """The Danish day of a moment."""
    return in_denmark(aware(moment)).date() if moment else None
