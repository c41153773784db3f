"""The demo's support desk: an excellent case (seed 000's own example), a poor one, and some on their way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from klik.plugins import PluginContext
from klik.plugins.kp.cases import stored
from klik.plugins.kp.checklists import ENTITLED
from klik.plugins.kp.tables import cases, knowledge, ticks

PLACE = 259  # Køge
WRITER = "supportberettiget-bruger"
_EMPTY = {
    "municipality": PLACE,
    "kind": "fejl",
    "support_kind": "",
    "title_kept": False,
    "component": "",
    "criticality": "",
    "about_citizen": False,
    "case_key": "",
    "task_key": "",
    "payment_on": None,
    "steps": "",
    "tried": "",
    "technical": "",
    "expected": "",
    "elsewhere": "",
    "state": "kladde",
    "reference": "",
    "filed_on": None,
    "follow_up_on": None,
    "answer": "",
    "answered_on": None,
    "version": 1,
}
# The seed's example of a good description.
EXCELLENT = {
    "title": "Ydelsen “Medicin, helbredstillæg” fremgår ikke af sagen efter bevilling",
    "component": "Opgaver",
    "criticality": "B",
    "about_citizen": True,
    "case_key": "BT-CA48CN2-K-0CUYR2",
    "task_key": "OPG-5ZBGTD4A",
    "steps": (
        "Borger har et bevilget Helbredstillægskort\n"
        "Jeg startede “Opret bevilling” via Handlingsmenuen for at oprette et Alm. Helbredstillæg\n"
        "Jeg valgte at bevilge Helbredstillægget med følgende oplysninger: "
        "Bevilling Startdato: 01-11-2021, Bevilling Slutdato: 31-05-2022\n"
        "Jeg tilføjede en ydelse af typen “Medicin, helbredstillæg” og gennemførte handlingen\n"
        "Sagen blev korrekt oprettet, men ydelsen fremgår ikke af sagen og ikke under “planlagte udbetalinger”"
    ),
    "tried": (
        "Hændelser er set igennem og viser intet usædvanligt.\n"
        "Et trin tilbage i Gennemførte trin og frem igen hjalp ikke.\n"
        "Hele proceduren er gentaget med samme fejl."
    ),
    "technical": "Intern systemfejl, kontakt venligst helpdesk [code status: 5601]",
    "expected": "Jeg forventede, at det Alm. Helbredstillæg blev oprettet med ovenstående ydelse.",
    "elsewhere": "Nej. Jeg har kunnet oprette en sag med samme ydelse på andre borgere.",
}
POOR = {"title": "HASTER!! Hvorfor får jeg denne her fejl!?", "steps": "Det virker bare ikke"}
WAITING = {
    "title": "Flettefelter udfyldes ikke automatisk i “Helbredstillægskort”-brev",
    "component": "Breve",
    "criticality": "C",
    "steps": "Jeg åbnede opgaven Send brev\nJeg valgte brevet Helbredstillægskort\nNavn og dato er tomme i brevet",
    "tried": "Brevet er dannet igen fra en ny opgave.",
    "expected": "At navn og dato står i brevet, som de gør i de andre breve.",
    "elsewhere": "Ja, på HK-GMFVV8 og FOP-QHH4QP-K-06GSD2.",
    "state": "oprettet",
    "reference": "MS-20418",
}
CLOSED = {
    "title": "Informationer fra UDK udstilles ikke i “UDK - Pension” fanen",
    "component": "UDK - Pension",
    "criticality": "C",
    "steps": "Jeg åbnede borgerens sag\nJeg valgte fanen UDK - Pension\nFanen er tom",
    "expected": "At pensionens oplysninger vises.",
    "elsewhere": "Ja, på alle de sager, vi har prøvet.",
    "state": "lukket",
    "reference": "MS-20377",
    "answer": "Integrationen til UDK var nede natten over. Åbn fanen igen; oplysningerne hentes på ny.",
}
LEARNT = (
    {
        "municipality": PLACE,
        "component": "UDK - Pension",
        "problem": "Fanen UDK - Pension er tom",
        "solution": "Vent, og åbn fanen igen senere på dagen. Er den stadig tom dagen efter, så skriv en sag.",
        "offered": True,
    },
    {
        "municipality": None,
        "component": "Opgaver",
        "problem": "“Supplement til brøkpension” kan ikke bevilges",
        "solution": (
            "Det kan ikke bevilges til en borger med delvist optjent førtidspension, som er tilkendt før 2003.\n"
            "Opret i stedet “Supplerende hjælp - Personligt tillæg”."
        ),
        "offered": False,
    },
)


def fill(context: PluginContext) -> None:
    """Put the demo's cases into the tables, around today, in the name of who holds the role in Køge."""
    writer = _writer(context)
    ago = lambda days: context.now - timedelta(days=days)  # noqa: E731
    day = lambda days: context.today + timedelta(days=days)  # noqa: E731
    excellent = _case(context, writer, {**EXCELLENT, "created_at": ago(1), "changed_at": ago(1)})
    _case(context, writer, {**POOR, "created_at": ago(0), "changed_at": ago(0)})
    _case(
        context,
        writer,
        {**WAITING, "created_at": ago(9), "changed_at": ago(8), "filed_on": day(-8), "follow_up_on": day(-1)},
    )
    closed = _case(
        context,
        writer,
        {
            **CLOSED,
            "created_at": ago(30),
            "changed_at": ago(20),
            "filed_on": day(-29),
            "answered_on": day(-21),
        },
    )
    row = {
        "case_id": excellent,
        "checklist": ENTITLED.key,
        "municipality": PLACE,
        "person": writer,
        "at": ago(1),
    }
    done = [point.key for point in ENTITLED.points if point.key not in ("lignende", "bilag")]
    stored(context).execute(insert(ticks), [{**row, "point": point} for point in done])
    for each in LEARNT:
        own = each["municipality"] is not None
        more = {"case_id": closed if own else None, "published_at": None if own else ago(15)}
        rest = {"person": writer if own else None, "version": 1, "changed_at": ago(15)}
        stored(context).execute(insert(knowledge).values({**each, **more, **rest}))


def _writer(context: PluginContext) -> int | None:
    assert context.klik is not None
    return next((each.person for each in context.klik.holders("kp", PLACE) if each.role == WRITER), None)


def _case(context: PluginContext, writer: int | None, values: dict[str, Any]) -> int:
    row = {**_EMPTY, "person": writer, "changed_by": writer, **values}
    return int(stored(context).execute(insert(cases).values(row).returning(cases.c.id)).scalar_one())
