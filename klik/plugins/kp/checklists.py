"""The two checklists of KP's support course (seed 000): on KP's tasks to read, and on each support case to tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from klik.plugins import MunicipalTaskView, Panel, PluginContext, Right


@dataclass(frozen=True, slots=True)
class Point:
    """One line; ``key`` is what a tick is stored by and never changes."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Checklist:
    """Whom it is for, and its points in the seed's order."""

    key: str
    title: str
    points: tuple[Point, ...]


CASEWORKER = Checklist(
    "sagsbehandler",
    "For sagsbehandleren",
    (
        Point(
            "forstaa",
            "Prøv selv at forstå fejlen: se vejledningerne, driftssiden og fanen Hændelser, og genberegn.",
        ),
        Point(
            "andre-sager",
            "Find ud af, om andre sager har samme fejl, og skriv deres Sags-ID og Opgave-ID ned.",
        ),
        Point(
            "handling", "Skriv, hvad du gjorde før fejlen: hvilke opgaver du løste, og hvad du indtastede."
        ),
        Point("forventet", "Skriv præcist, hvad du ventede, der ville ske."),
        Point("forsoegt", "Skriv, hvad du selv har prøvet, og hvilke vejledninger du har læst."),
        Point("flere-borgere", "Vurdér, om fejlen er kritisk for flere borgere."),
        Point("en-borger", "Vurdér, om fejlen er kritisk for en enkelt borger."),
        Point("omgaas", "Vurdér, om fejlen kan omgås ved en anden arbejdsgang."),
        Point("gene", "Vurdér, om fejlen er en lille gene uden betydning for udbetalingen."),
    ),
)
ENTITLED = Checklist(
    "supportberettiget",
    "For den supportberettigede",
    (
        Point(
            "grundig",
            "Er sagsbehandlerens beskrivelse grundig nok til, at fejlen kan genskabes? Ellers spørg igen.",
        ),
        Point("lokalt", "Kan fejlen løses i kommunen med værktøjskassen?"),
        Point("lignende", "Er der en lignende sag i MinSupport eller på driftssiden?"),
        Point("titel", "Giv sagen en kort og neutral titel, der siger, hvor fejlen ses."),
        Point(
            "sagstype",
            "Vælg sagstype: Fejl ved systemfejl, Supportsag ved brugerfejl, Ændringsønske ved et forslag.",
        ),
        Point(
            "kritikalitet",
            "Vælg kritikalitet fra A til D efter, hvad fejlen betyder; en for høj skjuler de virkelig kritiske.",
        ),
        Point("kontakt", "Skriv din egen mail og telefon i MinSupport; det er dig, leverandøren svarer."),
        Point("noegler", "Angiv Sags-ID og Opgave-ID. CPR-nummeret skrives kun i MinSupport."),
        Point("dispdato", "Angiv den disponible dato, hvis en udbetaling på sagen er standset."),
        Point("trin", "Beskriv handlingen i punkter, også det, der er prøvet."),
        Point("resultat", "Beskriv konkret, hvad der var ventet."),
        Point("samlet", "Saml flere borgere med samme fejl i én sag, og send nøglerne på dem alle med."),
        Point("bilag", "Vedhæft kun skærmbilleder fra KP."),
    ),
)
CHECKLISTS = (CASEWORKER, ENTITLED)


def _data(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    own = context.municipality is not None
    return {"checklists": CHECKLISTS, "desk": own, "may_write": own and context.has(Right.COMMENT)}


PANEL = Panel(
    key="kp.tjeklister",
    title="Tjeklister til support",
    place="task",
    template="kp/checklists.html",
    applies=lambda view: isinstance(view, MunicipalTaskView) and view.system == "kp",
    data=_data,
)
