"""The troubleshooting ring of KP's support course: six steps before a case is made (seeds 000 and 001)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from klik.plugins.kp.choices import ERROR, SUPPORT


@dataclass(frozen=True, slots=True)
class Finding:
    """Something one can find out in a step; ``note`` is what the case says of it."""

    key: str
    label: str
    note: str
    # What it points to, where it tells a system fault from a user's.
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class RingStep:
    """One step: what to do, how, and what one may find."""

    title: str
    how: tuple[str, ...]
    findings: tuple[Finding, ...]


STEPS = (
    RingStep(
        "Forstå, hvordan fejlen er opstået",
        (
            "Spørg sagsbehandleren: Hvad arbejdede du på? Hvad gjorde du, og hvad forventede du?",
            "Spørg: Hvad skete der i stedet?",
            "Spørg også, hvilke processer det drejer sig om, og hvad der allerede er prøvet.",
            "Nogle fejl er ingen fejl, men en ny måde at arbejde på. Se i vejledningerne.",
        ),
        (
            Finding("procesfejl", "Der kom en fejlbesked op", "Der kom en fejlbesked op i en proces.", ERROR),
            Finding(
                "integration",
                "Oplysninger kunne ikke hentes fra et andet system (vent, og prøv igen senere)",
                "Oplysninger kunne ikke hentes fra et andet system; vi har ventet og prøvet igen.",
                ERROR,
            ),
            Finding(
                "ikke-muligt",
                "Det, der blev forsøgt, kan ikke lade sig gøre i KP",
                "Det, der blev forsøgt, ser ikke ud til at kunne lade sig gøre i KP.",
                SUPPORT,
            ),
            Finding(
                "mangler",
                "Der mangler oplysninger på sagen",
                "Der mangler oplysninger på sagen.",
                SUPPORT,
            ),
        ),
    ),
    RingStep(
        "Dan dig et overblik over, hvad der er sket",
        (
            "Brug fanen Hændelser, og undersøg historikken på borgerens sager.",
            "Har en anden sagsbehandler eller systemet selv opdateret sagen i mellemtiden?",
        ),
        (
            Finding(
                "kollega",
                "En anden sagsbehandler har opdateret sagen",
                "Hændelser: en anden sagsbehandler har opdateret sagen i mellemtiden.",
            ),
            Finding(
                "systemet",
                "Systemet har selv opdateret sagen",
                "Hændelser: systemet har selv opdateret sagen i mellemtiden.",
            ),
            Finding(
                "intet",
                "Hændelser viser intet usædvanligt",
                "Hændelser er set igennem og viser intet usædvanligt.",
            ),
        ),
    ),
    RingStep(
        "Gå tilbage i Gennemførte trin og frem igen",
        (
            "I opgaven kan nogle få tekniske fejl afhjælpes ved at gå et trin tilbage i Gennemførte trin og frem igen.",
        ),
        (
            Finding(
                "trin",
                "Prøvet, og fejlen er der stadig",
                "Et trin tilbage i Gennemførte trin og frem igen hjalp ikke.",
            ),
            Finding(
                "ingen-trin",
                "Der er ingen trin at gå tilbage til",
                "Der er ingen gennemførte trin at gå tilbage til.",
            ),
        ),
    ),
    RingStep(
        "Afslut alle åbne opgaver på borgeren",
        ("Færdiggør alle ubehandlede opgaver på borgeren.", "Husk, at opgaver også kan slettes."),
        (
            Finding(
                "afsluttet",
                "Alle åbne opgaver er afsluttet, og fejlen er der stadig",
                "Alle åbne opgaver på borgeren er afsluttet; fejlen er der stadig.",
            ),
            Finding(
                "staar-aaben", "En opgave kan ikke afsluttes", "En opgave på borgeren kan ikke afsluttes."
            ),
        ),
    ),
    RingStep(
        "Tjek og ret i andre relevante opgaver",
        ("Se efter, om en anden opgave på sagen rummer det, der skal rettes, og ret det dér.",),
        (
            Finding(
                "andre-opgaver",
                "Andre opgaver er tjekket, og fejlen er der stadig",
                "Andre relevante opgaver er tjekket og rettet; fejlen er der stadig.",
            ),
        ),
    ),
    RingStep(
        "Gentag eventuelt proceduren",
        (
            "Gentag alle trinene. Der kan være sket nyt på sagen.",
            "Se efter, om noget er kommet til siden sidst.",
        ),
        (
            Finding(
                "gentaget",
                "Gentaget, og den samme fejl kom igen",
                "Hele proceduren er gentaget med samme fejl.",
            ),
            Finding(
                "cpr",
                "Der er kommet en hændelse ind fra CPR",
                "Der er kommet en hændelse ind fra CPR i mellemtiden.",
            ),
            Finding(
                "arbejdet",
                "En kollega har arbejdet på sagen",
                "En kollega har arbejdet på sagen i mellemtiden.",
            ),
            Finding(
                "indsendt",
                "Borgeren har indsendt oplysninger",
                "Borgeren har indsendt oplysninger i mellemtiden.",
            ),
            Finding(
                "indtaegt",
                "Der er kommet en indtægt, som skal med",
                "Der er kommet en indtægt ind, som skal medtages.",
            ),
            Finding(
                "nyt", "Der er opstået et nyt problem på sagen", "Der er opstået et nyt problem på sagen."
            ),
        ),
    ),
)
FINDINGS = {finding.key: finding for step in STEPS for finding in step.findings}


def found(keys: Iterable[str]) -> tuple[Finding, ...]:
    """The findings of these keys in the ring's order; strangers are left out."""
    wanted = set(keys)
    return tuple(finding for key, finding in FINDINGS.items() if key in wanted)


def kind_of(findings: Iterable[Finding]) -> str | None:
    """The sagstype they point to: a system fault weighs more than a user's; None when they say nothing."""
    kinds = {finding.kind for finding in findings}
    return ERROR if ERROR in kinds else SUPPORT if SUPPORT in kinds else None


def notes(findings: Iterable[Finding]) -> str:
    """What the case says was tried, a line each."""
    return "\n".join(finding.note for finding in findings)
