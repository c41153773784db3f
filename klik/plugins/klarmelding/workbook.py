"""A sheet as the Excel file it came from: the layout of the klarmeldingsregneark v. 1 (seed 003)."""

from __future__ import annotations

from klik.plugins.klarmelding.readiness import Line, ReadinessSheet
from klik.plugins.klarmelding.verdict import SAID, UNSAID
from klik.plugins.sheets import Sheet, workbook

TITLE = "KLARMELDINGSREGNEARK v. 1 (juni 2020)"
FRONT = ("LEVERANDØR", "SYSTEM", "PILOTKOMMUNE", "Version")
ROWS = ("SNITFLADE NUMMER", "INTEGRATIONER", "Leverandørens selvangivelse", "Klarmeldt")
CRITERIA = ("Nr.", "Klarmelding", "Klarmeldingskriterium")
# To the right of the layout's own columns, so that nothing is lost on the way out and in again.
SUPPLIER_REMARK, REMARK = "Leverandørens bemærkning", "Bemærkning"
ANSWERS = {True: "Ja", False: "Nej", None: ""}


def as_workbook(sheet: ReadinessSheet) -> bytes:
    """The front sheet, and a sheet for each integration; what the reader may not see is empty."""
    front = (
        (TITLE,),
        FRONT,
        (sheet.supplier, sheet.system, sheet.place, sheet.edition),
        (*ROWS, SUPPLIER_REMARK),
        *(
            (
                line.interface.number,
                line.interface.name,
                SAID[line.said] if line.said != UNSAID else "",
                "Ja" if line.said_ready else "Nej",
                line.supplier_remark,
            )
            for line in sheet.lines
        ),
    )
    return workbook(
        [
            Sheet("Klarmelding", front, headings=2),
            *(Sheet(line.interface.number, _integration(sheet, line)) for line in sheet.lines),
        ]
    )


def _integration(sheet: ReadinessSheet, line: Line) -> tuple[tuple[str | int, ...], ...]:
    return (
        ("LEVERANDØR", "PILOTKOMMUNE", "SYSTEM"),
        (sheet.supplier, sheet.place, sheet.system),
        ("Samlet vurdering af klarmelding", "", "Bemærkninger"),
        ("Ja" if line.verdict.ready else "Nej", "", line.remark),
        ("Integration", line.interface.number, line.interface.name),
        (*CRITERIA, REMARK),
        *(
            (each.number, ANSWERS[line.answer(each).met], each.text, line.answer(each).remark)
            for each in line.criteria
        ),
    )
