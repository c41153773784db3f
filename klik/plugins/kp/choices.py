"""The lists of MinSupport's form "Opret sag", each with when to choose what (seed 000)."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, SUPPORT, WISH = "fejl", "support", "aendring"
DRAFT, FILED, ANSWERED, CLOSED = "kladde", "oprettet", "svar", "lukket"
STATES = {
    DRAFT: "Kladde",
    FILED: "Oprettet i MinSupport",
    ANSWERED: "Svar modtaget",
    CLOSED: "Lukket",
}


@dataclass(frozen=True, slots=True)
class CaseKind:
    """A sagstype: its word in klik, its word in MinSupport, and when to choose it."""

    label: str
    in_min_support: str
    when: str
    example: str


KINDS = {
    ERROR: CaseKind(
        "Fejl",
        "Fejl",
        "en systemfejl: noget uventet, som ikke burde ske",
        "fx en opgave, der ikke gennemføres, forkerte data fra en integration eller et brev med forkerte oplysninger",
    ),
    SUPPORT: CaseKind(
        "Supportsag",
        "Support sag",
        "en brugerfejl, eller hjælp, som leverandøren kan give",
        "fx sletning af en forkert oprettet sag eller hjælp til lokal konfiguration",
    ),
    WISH: CaseKind(
        "Ændringsønske",
        "Ændringsønske",
        "et forslag til, hvordan KP kan blive bedre",
        "fx data, der mangler under sagsbehandlingen, en ny knap eller en uhensigtsmæssig proces",
    ),
}


@dataclass(frozen=True, slots=True)
class Criticality:
    """A kritikalitet by both definitions: the course's slide and the checklist's."""

    label: str
    slide: str
    checklist: str


# The slide prints "B" at Lav; the checklist says D.
CRITICALITIES = {
    "A": Criticality("Kritisk", "fejl i afgørende og central funktionalitet", "udbetalingskritisk for mange"),
    "B": Criticality(
        "Høj", "fejl, der ikke kan omgås ved en anden arbejdsgang", "udbetalingskritisk for en enkelt borger"
    ),
    "C": Criticality(
        "Medium",
        "fejl, der kan omgås ved en anden arbejdsgang",
        "mindre fejl, som kan håndteres ved en anden arbejdsgang",
    ),
    "D": Criticality("Lav", "en gene, som ikke blokerer for arbejdet", "en mindre gene"),
}
# The screens, menus and tabs of KP Basis.
COMPONENTS = (
    "Opgaver",
    "Breve",
    "Overblik",
    "Udbetalinger",
    "UDK - Pension",
    "Journalnotater og dokumenter",
    "Indkomstoplysninger",
    "Hændelser",
    "Finansieringshistorik",
    "Søg",
    "Rapport",
    "Masseindberetning",
    "Systemadministration",
    "Integrationer",
    "Andet",
)


def criticality_words(letter: str) -> str:
    """The letter and its word; also words for none yet."""
    return f"{letter} ({CRITICALITIES[letter].label})" if letter in CRITICALITIES else "Ikke valgt"
