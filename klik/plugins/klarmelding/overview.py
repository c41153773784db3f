"""KOMBIT's overview: every sheet against every interface, and how many stand where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from klik.plugins.klarmelding.catalogue import Interface, interfaces
from klik.plugins.klarmelding.readiness import Line, ReadinessSheet, key_of
from klik.plugins.klarmelding.verdict import NO, NOT_RELEVANT, SAID, UNSAID, YES
from klik.plugins.sheets import Sheet, workbook

# Each cell: what is read, and the shade of it; the words alone say it all.
STATES = {
    "klarmeldt": "Klarmeldt",
    "uenig": "Uenige",
    "ja": "Siger Ja",
    "nej": "Siger Nej",
    "ikke-relevant": "Ikke relevant",
    "ingen": "–",
}


@dataclass(frozen=True, slots=True)
class Overview:
    """The sheets shown, the interfaces they are held against, and what can be chosen between."""

    sheets: tuple[ReadinessSheet, ...]
    interfaces: tuple[Interface, ...]
    suppliers: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, int], ...]


def state(line: Line) -> str:
    """Where an interface stands on a sheet: a key of STATES."""
    if line.difference:
        return "uenig"
    if line.verdict.ready:
        return "klarmeldt"
    return {YES: "ja", NO: "nej", NOT_RELEVANT: "ikke-relevant", UNSAID: "ingen"}[line.said]


def overview(every: Iterable[ReadinessSheet], supplier: str = "", interface: str = "") -> Overview:
    """The part of all sheets that a supplier's key and an interface's number leave; unknown ones leave none."""
    known = tuple(every)
    shown = tuple(each for each in known if not supplier or each.supplier_key == key_of(supplier))
    columns = tuple(each for each in interfaces().values() if not interface or each.number == interface)
    tally = dict.fromkeys(STATES, 0)
    for sheet in shown:
        for column in columns:
            tally[state(sheet.line(column.number))] += 1
    names = {each.supplier_key: each.supplier for each in known}
    return Overview(
        sheets=shown,
        interfaces=columns,
        suppliers=tuple(sorted(names.items())),
        counts=tuple((words, tally[key]) for key, words in STATES.items() if key != "ingen"),
    )


def as_workbook(shown: Overview) -> bytes:
    """One row for each sheet and interface, to be sorted and filtered in Excel."""
    heading: Sequence[str] = (
        "Leverandør",
        "System",
        "Pilotkommune",
        "Version",
        "Snitflade nummer",
        "Integration",
        "Leverandørens selvangivelse",
        "Selvangivet",
        "Klarmeldt",
        "Samlet vurdering",
        "Bekræftet",
        "Forskel",
    )
    rows = [
        (
            sheet.supplier,
            sheet.system,
            sheet.place,
            sheet.edition,
            interface.number,
            interface.name,
            SAID[line.said],
            line.said_on,
            "Ja" if line.verdict.ready else "Nej",
            line.verdict.reason,
            line.confirmed_on,
            line.difference,
        )
        for sheet in shown.sheets
        for interface in shown.interfaces
        for line in (sheet.line(interface.number),)
    ]
    return workbook([Sheet("Overblik", (heading, *rows))])
