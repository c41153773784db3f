"""The demo's story: Køge prepares a meeting with its EOJ supplier; Herning has been a pilot.

The suppliers are invented; Netcompany is there because the demo's supplier belongs to it, with an invented system.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from klik.plugins import PluginContext
from klik.plugins.klarmelding import agreements, writing
from klik.plugins.klarmelding.agreements import Bought
from klik.plugins.klarmelding.tables import sheets
from klik.plugins.klarmelding.verdict import NO, NOT_RELEVANT, YES
from klik.plugins.klarmelding.writing import Confirmed

KOEGE, HERNING, AARHUS = 259, 657, 751
FJORD, HAVN, OWN = ("Fjord Omsorg", "Fjord EOJ"), ("Havn Sag", "Havn ESDH"), ("Netcompany", "Prøvesystem Job")
SEEN = {1: (True, ""), 2: (True, ""), 3: (True, "")}


def fill(context: PluginContext) -> None:
    """Put it into the tables, unless something stands there already."""
    assert context.store is not None
    if context.store.execute(select(sheets.c.id)).first() is not None:
        return
    _koege(_on(context, KOEGE, 60))
    _others(context)


def _on(context: PluginContext, municipality: int | None, days_ago: int) -> PluginContext:
    moment = context.now - timedelta(days=days_ago)
    return replace(context, municipality=municipality, kombit=False, now=moment, person_id=None)


def _koege(context: PluginContext) -> None:
    today = context.today
    late, soon = today - timedelta(days=23), today + timedelta(days=66)
    agreements.keep(
        context,
        Bought(
            *FJORD,
            bought_on=today - timedelta(days=410),
            questions="Hvem er vores kontakt, mens snitfladerne bliver klarmeldt?\n"
            "Kan vi prøve adviserne af i jeres testmiljø?",
            demands={"SF0810": late, "SF1460_A": late, "SF1470": soon, "SF1500": soon, "SF1514": None},
        ),
    )
    agreements.keep(
        context,
        Bought(
            *OWN,
            bought_on=today - timedelta(days=120),
            questions="",
            demands={"SF1470": soon, "SF1511": soon, "SF1512": soon},
        ),
    )
    sheet = writing.make(context, KOEGE, *FJORD, "01.00")
    for number, said, remark in (
        ("SF0810", YES, ""),
        ("SF1460_A", YES, ""),
        ("SF1470", NO, "Kommer med version 5.2 i næste kvartal."),
        ("SF1500", NOT_RELEVANT, "Vi bruger vores egen organisation."),
        ("SF0741", NOT_RELEVANT, ""),
        ("SF1490", NOT_RELEVANT, ""),
    ):
        writing.declare(context, sheet, KOEGE, number, said, remark)
    seen = replace(context, now=context.now + timedelta(days=46))
    found = {1: (True, "Set i drift den første uge."), 2: (False, "Adviserne lander i en fælles indbakke.")}
    writing.confirm(seen, sheet, KOEGE, "SF0810", Confirmed(False, "Afventer leverandørens rettelse.", found))
    writing.confirm(seen, sheet, KOEGE, "SF1460_A", Confirmed(True, "Prøvet af med 20 beskeder."))
    writing.make(context, KOEGE, *OWN, "01.00")


def _others(context: PluginContext) -> None:
    herning = _on(context, HERNING, 40)
    sheet = writing.make(herning, HERNING, *FJORD, "01.00")
    for number, said in (("SF0810", YES), ("SF1460_A", YES), ("SF1470", NO), ("SF1500", YES)):
        writing.declare(herning, sheet, HERNING, number, said, "")
    writing.confirm(herning, sheet, HERNING, "SF0810", Confirmed(True, "", SEEN))
    writing.confirm(herning, sheet, HERNING, "SF1500", Confirmed(True, ""))
    writing.publish(herning, sheet, shown=True)
    demanded = {"SF0810": None, "SF1500": None}
    agreements.keep(herning, Bought(*FJORD, bought_on=None, questions="", demands=demanded))
    aarhus = _on(context, AARHUS, 25)
    sheet = writing.make(aarhus, AARHUS, *HAVN, "01.00")
    for number, said in (("SF1470", YES), ("SF1500", NO), ("SF1510", YES), ("SF1515", NOT_RELEVANT)):
        writing.declare(aarhus, sheet, AARHUS, number, said, "")
    writing.confirm(aarhus, sheet, AARHUS, "SF1470", Confirmed(True, ""))
    writing.confirm(aarhus, sheet, AARHUS, "SF1510", Confirmed(False, "Slår fejl ved opslag."))
    demanded = {"SF1470": None, "SF1500": None, "SF1510": None}
    agreements.keep(aarhus, Bought(*HAVN, bought_on=None, questions="", demands=demanded))
