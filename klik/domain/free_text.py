"""What people write, made clean, and the one flow for CPR numbers: found, said, stored only after the writer's tick.

What the number was is never repeated: not in the sentence, the log or the audit trail (databeskyttelsesloven § 11;
reliability P1).
"""

from __future__ import annotations

from klik.domain import cpr, texts
from klik.domain.errors import InputError

TICK = "Det er ikke et CPR-nummer"
# The name of the tick beside a form's field: "text" → "text-ikke-cpr".
TICK_ENDING = "-ikke-cpr"


class CprError(InputError):
    """A text that seems to hold a CPR number; ``may_tick`` where the writer may say that it is something else."""

    def __init__(self, sentence: str, *, may_tick: bool) -> None:
        super().__init__(sentence)
        self.may_tick = may_tick


class Confirmed(str):
    """A text whose writer has ticked that what looks like a CPR number in it is none; goes where the text goes."""

    __slots__ = ()


def clean(
    text: str, *, field: str, limit: int, required: bool = False, lines: bool = False, tick: bool = True
) -> str:
    """The text as it is stored, as ``texts.clean``; raises InputError, CprError for an unconfirmed CPR number.

    ``tick`` false where a number is never right, whatever the writer says: names, and what goes to all municipalities.
    """
    stored = texts.clean(text, field=field, limit=limit, required=required, lines=lines)
    refuse_cpr(Confirmed(stored) if isinstance(text, Confirmed) else stored, field=field, tick=tick)
    return str(stored)


def confirmed(text: str) -> Confirmed:
    """The text with its writer's word that it holds no CPR number."""
    return Confirmed(text)


def is_confirmed(text: str | None) -> bool:
    """Whether the writer has ticked."""
    return isinstance(text, Confirmed)


def asks(problem: str) -> bool:
    """Whether a problem's sentence asks for the tick."""
    return "CPR-" in problem and "sæt kryds" in problem


def refuse_cpr(text: str, *, field: str, tick: bool = True) -> None:
    """Raise CprError for a text that seems to hold a CPR number and is not confirmed."""
    if tick and isinstance(text, Confirmed):
        return
    if spans := cpr.find(text):
        raise CprError(sentence(field, text, spans, tick=tick), may_tick=tick)


def sentence(field: str, text: str, spans: list[cpr.Span], *, tick: bool) -> str:
    """What is said of the field, with the lines where the numbers stand; never the numbers."""
    numbers = sorted({text.count("\n", 0, span.start) + 1 for span in spans})
    lines = "linje " + str(numbers[0]) if len(numbers) == 1 else "linjerne " + ", ".join(map(str, numbers))
    place = f" i {lines}" if "\n" in text else ""
    remedy = "Fjern nummeret, eller sæt kryds ved, at det er noget andet." if tick else "Fjern nummeret."
    # A label that asks would read as two sentences.
    named = f"“{field}”" if field.endswith("?") else field
    return (
        f"{named} ser ud til at indeholde et CPR-nummer{place}, og CPR-numre hører ikke hjemme i klik. "
        f"{remedy}"
    )
