"""What a municipality has bought under SKI 02.19, and per interface: demanded, said, confirmed, missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select, update

from klik.plugins import PluginContext
from klik.plugins.klarmelding.catalogue import Interface, interfaces
from klik.plugins.klarmelding.readiness import Line, ReadinessSheet, key_of, load
from klik.plugins.klarmelding.tables import agreements, demands, sheets
from klik.plugins.klarmelding.verdict import UNSAID, difference, missing

LONGEST_NAME, LONGEST_QUESTIONS = 120, 2_000


class ThereAlreadyError(Exception):
    """The municipality has that system on its list already."""


@dataclass(frozen=True, slots=True)
class Demand:
    """An interface that the agreement demands, and how far it is. ``missing`` is empty when the municipality has it.

    ``pilots`` are places whose published sheet says that it is klarmeldt there.
    """

    interface: Interface
    due: date | None
    line: Line | None
    missing: str
    difference: str
    pilots: tuple[str, ...]

    @property
    def said(self) -> str:
        """What the supplier says."""
        return self.line.said if self.line else UNSAID

    @property
    def ready(self) -> bool:
        """Whether the municipality has confirmed it."""
        return self.line is not None and self.line.verdict.ready

    def late(self, today: date) -> bool:
        """Whether it should have been ready before today."""
        return not self.ready and self.due is not None and self.due < today


@dataclass(frozen=True, slots=True)
class Agreement:
    """A system bought, with what it must have. ``sheet`` is the newest the municipality has of it."""

    id: int
    supplier: str
    supplier_key: str
    system: str
    system_key: str
    bought_on: date | None
    questions: str
    version: int
    sheet: ReadinessSheet | None
    demands: tuple[Demand, ...]

    @property
    def confirmed(self) -> int:
        """How many of the demanded interfaces the municipality has confirmed."""
        return sum(each.ready for each in self.demands)

    @property
    def lacking(self) -> tuple[Demand, ...]:
        """The demands that are not met."""
        return tuple(each for each in self.demands if each.missing)


def own(context: PluginContext) -> tuple[Agreement, ...]:
    """The municipality's list, by supplier and system; empty for others."""
    store = context.store
    if store is None or context.municipality is None:
        return ()
    rows = store.execute(
        select(agreements)
        .where(agreements.c.municipality_id == context.municipality)
        .order_by(agreements.c.supplier_key, agreements.c.system_key)
    ).all()
    if not rows:
        return ()
    wanted: dict[int, dict[str, date | None]] = {row.id: {} for row in rows}
    for row in store.execute(select(demands).where(demands.c.municipality_id == context.municipality)):
        if row.agreement_id in wanted:
            wanted[row.agreement_id][row.interface] = row.due
    demanded = [(row.supplier_key, row.system_key, interface) for row in rows for interface in wanted[row.id]]
    known = load(context, sheets.c.supplier_key.in_({row.supplier_key for row in rows}), demanded=demanded)
    return tuple(_agreement(context, row, wanted[row.id], known) for row in rows)


def _agreement(
    context: PluginContext, row: Any, wanted: Mapping[str, date | None], known: tuple[ReadinessSheet, ...]
) -> Agreement:
    same = [
        each for each in known if (each.supplier_key, each.system_key) == (row.supplier_key, row.system_key)
    ]
    sheet = next((each for each in same if each.municipality == context.municipality), None)
    pilots = [each for each in same if each.municipality != context.municipality]
    return Agreement(
        id=row.id,
        supplier=row.supplier,
        supplier_key=row.supplier_key,
        system=row.system,
        system_key=row.system_key,
        bought_on=row.bought_on,
        questions=row.questions,
        version=row.version,
        sheet=sheet,
        demands=tuple(
            _demand(context, interface, wanted[number], sheet, pilots)
            for number, interface in interfaces().items()
            if number in wanted
        ),
    )


def _demand(
    context: PluginContext,
    interface: Interface,
    due: date | None,
    sheet: ReadinessSheet | None,
    pilots: list[ReadinessSheet],
) -> Demand:
    line = sheet.line(interface.number) if sheet else None
    said, ready = (line.said, line.verdict.ready) if line else (UNSAID, False)
    return Demand(
        interface=interface,
        due=due,
        line=line,
        missing=missing(said, ready, line.verdict.reason if line else "", due, context.today),
        difference=difference(said, ready, bool(line and line.looked_at), demanded=True),
        pilots=tuple(
            dict.fromkeys(each.place for each in pilots if each.line(interface.number).verdict.ready)
        ),
    )


@dataclass(frozen=True, slots=True)
class Bought:
    """What a municipality writes of a system it has bought: ``demands`` is the due day by interface."""

    supplier: str
    system: str
    bought_on: date | None
    questions: str
    demands: Mapping[str, date | None]


def keep(
    context: PluginContext, bought: Bought, agreement_id: int | None = None, version: int = 0
) -> int | None:
    """Store it as a new system on the list, or as ``agreement_id`` in the version that was shown.

    Returns its id, or None when somebody else has written since or it is not the municipality's; raises
    ThereAlreadyError.
    """
    assert context.store is not None and context.municipality is not None
    values = {
        "supplier": bought.supplier,
        "supplier_key": key_of(bought.supplier),
        "system": bought.system,
        "system_key": key_of(bought.system),
        "bought_on": bought.bought_on,
        "questions": bought.questions,
        "changed_at": context.now,
        "person": context.person_id,
    }
    here = agreements.c.municipality_id == context.municipality
    same = context.store.execute(
        select(agreements.c.id).where(
            here,
            agreements.c.supplier_key == values["supplier_key"],
            agreements.c.system_key == values["system_key"],
        )
    ).scalar()
    if same is not None and same != agreement_id:
        raise ThereAlreadyError
    if agreement_id is None:
        made = insert(agreements).values(municipality_id=context.municipality, version=1, **values)
        agreement_id = int(context.store.execute(made.returning(agreements.c.id)).scalar_one())
    else:
        changed = context.store.execute(
            update(agreements)
            .where(here, agreements.c.id == agreement_id, agreements.c.version == version)
            .values(version=version + 1, **values)
        )
        if changed.rowcount != 1:
            return None
    context.store.execute(delete(demands).where(demands.c.agreement_id == agreement_id))
    rows = [
        {
            "agreement_id": agreement_id,
            "municipality_id": context.municipality,
            "interface": number,
            "due": due,
        }
        for number, due in bought.demands.items()
    ]
    if rows:
        context.store.execute(insert(demands), rows)
    return agreement_id


def remove(context: PluginContext, agreement_id: int) -> None:
    """Take the system off the municipality's list; its sheets stay."""
    assert context.store is not None
    context.store.execute(
        delete(demands).where(
            demands.c.agreement_id == agreement_id, demands.c.municipality_id == context.municipality
        )
    )
    context.store.execute(
        delete(agreements).where(
            agreements.c.id == agreement_id, agreements.c.municipality_id == context.municipality
        )
    )
