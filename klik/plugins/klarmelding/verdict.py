"""Whether an interface is klarmeldt, why not, and where supplier and municipality say different things; all derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

YES, NO, NOT_RELEVANT, UNSAID = "ja", "nej", "ikke-relevant", ""
SAID: Mapping[str, str] = {
    UNSAID: "Ikke oplyst",
    NOT_RELEVANT: "Ikke relevant",
    YES: "Ja",
    NO: "Nej",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Samlet vurdering af klarmelding: whether it is a Ja, and in words what it rests on."""

    ready: bool
    reason: str


def verdict(met: Sequence[bool | None], said_ready: bool) -> Verdict:
    """The verdict from each criterion in force (None: not looked at, or its wording is new) and "Klarmeldt"."""
    failed, open_ones = sum(each is False for each in met), sum(each is None for each in met)
    if failed:
        words = f"{failed} af {_criteria(len(met))} er ikke opfyldt"
        return Verdict(False, f"{words}, og {open_ones} er ikke besvaret" if open_ones else words)
    if open_ones:
        return Verdict(False, f"{open_ones} af {_criteria(len(met))} er ikke besvaret")
    if not said_ready:
        words = "Alle kriterier er opfyldt, men kommunen har" if met else "Kommunen har"
        return Verdict(False, f"{words} ikke klarmeldt")
    if not met:
        return Verdict(True, "Klarmeldt af kommunen; der er ikke skrevet kriterier")
    return Verdict(True, f"{_all(len(met))} opfyldt")


def _criteria(many: int) -> str:
    return f"{many} {'kriterium' if many == 1 else 'kriterier'}"


def _all(many: int) -> str:
    return "Det ene kriterium er" if many == 1 else f"Alle {many} kriterier er"


def difference(said: str, ready: bool, looked_at: bool, demanded: bool) -> str:
    """What supplier and municipality (or agreement) disagree on, as a sentence; empty where they do not.

    ``looked_at``: the municipality has answered something of it; what nobody has looked at is no disagreement.
    """
    if said == NOT_RELEVANT and demanded:
        return "Leverandøren skriver, at snitfladen ikke er relevant, men aftalen kræver den."
    if said == NOT_RELEVANT and ready:
        return "Leverandøren skriver, at snitfladen ikke er relevant, men kommunen har klarmeldt den."
    if said == YES and not ready and looked_at:
        return "Leverandøren siger Ja, men kommunen kan ikke bekræfte det."
    if said == NO and ready:
        return "Leverandøren siger Nej, men kommunen har klarmeldt."
    return ""


def missing(said: str, ready: bool, reason: str, due: date | None, today: date) -> str:
    """What is missing of an interface the agreement demands, in words; empty when the municipality has it."""
    if ready:
        return ""
    late = (
        f"Fristen er overskredet med {_days((today - due).days)}. " if due is not None and due < today else ""
    )
    words = {
        UNSAID: "Leverandøren har ikke oplyst noget.",
        NOT_RELEVANT: "Leverandøren skriver, at snitfladen ikke er relevant.",
        NO: "Leverandøren er ikke klar.",
        YES: f"Vi har ikke bekræftet den: {reason[:1].lower()}{reason[1:]}."
        if reason
        else "Vi har ikke bekræftet den.",
    }
    return late + words[said]


def _days(many: int) -> str:
    return f"{many} {'dag' if many == 1 else 'dage'}"
