"""Links to klik's own forms, with the words of a row of the board in the address."""

from __future__ import annotations

from urllib.parse import urlencode

from klik.plugins import PluginContext, Right
from klik.plugins.ksd.catalogue import CLASSES
from klik.plugins.ksd.payment import next_cut_off

PHASE, THEME = "ibrugtagning", "organisering-og-arbejdsgange"
QUESTIONS = (
    "Hvilke opgaver blokerer, og hvad er følgen?",
    "Hvordan løses de blokerende opgaver?",
    "Hvordan prioriterer vi dem?",
    "Hvem holder øje med dem?",
)


def task_of_row(context: PluginContext, title: str, count: int, blocks: str) -> tuple[str, str] | None:
    """The label and address of the form for a task about a row; None for who may begin neither kind.

    A municipality begins a local task that is due on the day of the next payment run; KOMBIT a KLIK-opgave for all.
    """
    words = {
        "titel": f"Løs opgaverne “{title}” i KSD"[:200],
        "beskrivelse": f"Rapport R23 viser {_unsolved(count)} af typen “{title}”. {CLASSES[blocks]}.",
        "system": "ksd",
        "fase": PHASE,
        "tema": THEME,
    }
    if context.municipality is not None and context.has(Right.CREATE_LOCAL_TASK):
        day = next_cut_off(context.now).date().isoformat()
        return "Opret lokal opgave", f"/opgaver/ny?{urlencode(words | {'deadline': day})}"
    if context.municipality is None and context.has(Right.PUBLISH):
        return "Ny KLIK-opgave", f"/udgivelser/ny?{urlencode(words)}"
    return None


def _unsolved(count: int) -> str:
    return "1 uløst opgave" if count == 1 else f"{count:,} uløste opgaver".replace(",", ".")


def questions_of_leaders(context: PluginContext) -> tuple[str, str] | None:
    """The form for the questions that leaders settle before KSD is taken into use, as a checklist (seed 004)."""
    if context.municipality is not None and context.has(Right.CREATE_LOCAL_TASK):
        words = {
            "titel": "Drøft de blokerende opgaver i KSD i ledelsen",
            "beskrivelse": "Ledelsen tager stilling til hvert spørgsmål i tjeklisten, inden KSD tages i brug.",
            "system": "ksd",
            "fase": "forberedelse",
            "tema": "projektstyring-og-ledelse",
            "tjekliste": "\n".join(QUESTIONS),
        }
        return "Opret dem som lokal opgave med tjekliste", f"/opgaver/ny?{urlencode(words)}"
    if context.municipality is None and context.has(Right.PUBLISH):
        return "Ny KLIK-opgave med spørgsmålene", "/udgivelser/ny?skabelon=ksd.droeft-blokerende-opgaver"
    return None
