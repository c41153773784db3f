"""The two checklists of KP's support course (seed 000), on the pages of KP's tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from klik.plugins import MunicipalTaskView, Panel, PluginContext


@dataclass(frozen=True, slots=True)
class Checklist:
    """Whom it is for, and its points."""

    title: str
    points: tuple[str, ...]


CHECKLISTS = (
    Checklist(
        "For sagsbehandleren",
        (
            "Prøv selv at forstå fejlen: se vejledningerne, driftssiden og fanen Hændelser, og genberegn.",
            "Find ud af, om andre sager har samme fejl, og skriv deres sags-id ned.",
            "Skriv, hvad du gjorde: hvilke opgaver du løste, og hvad du indtastede.",
            "Skriv, hvad du ventede, der ville ske, og hvad der skete.",
            "Skriv, hvad du har prøvet, og hvilke vejledninger du har brugt.",
            "Vurdér, om fejlen rammer udbetalingen for flere, for en enkelt, eller kan omgås.",
        ),
    ),
    Checklist(
        "For den supportberettigede",
        (
            "Er sagsbehandlerens beskrivelse grundig nok til, at fejlen kan genskabes?",
            "Kan fejlen løses i kommunen?",
            "Er der en lignende sag i MinSupport eller på driftssiden?",
            "Giv sagen en kort og neutral titel, der siger, hvor fejlen ses.",
            "Vælg sagstype: Fejl ved systemfejl, Support sag ved brugerfejl, Ændringsønske ved et forslag.",
            "Vælg kritikalitet fra A til D efter, hvad fejlen betyder; en for høj skjuler de virkelig kritiske.",
            "Skriv din egen mail og telefon; det er dig, leverandøren svarer.",
            "Angiv sags-id og opgave-id, og datoen, hvis en udbetaling er standset.",
            "Beskriv handlingen trin for trin, også det, der er prøvet, og hvad der var ventet.",
            "Saml flere borgere med samme fejl i én sag.",
            "Vedhæft kun skærmbilleder.",
        ),
    ),
)


def _data(_view: Any, _context: PluginContext) -> Mapping[str, Any]:
    return {"checklists": CHECKLISTS}


PANEL = Panel(
    key="kp.tjeklister",
    title="Tjeklister til support",
    place="task",
    template="kp/checklists.html",
    applies=lambda view: isinstance(view, MunicipalTaskView) and view.system == "kp",
    data=_data,
)
