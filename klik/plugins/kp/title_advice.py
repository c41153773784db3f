"""What is to be said of the title of a support case, by the good and bad examples of KP's support course (seed 000)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from klik.plugins.kp.keys import keys_in, tidy

FAULT, ADVICE = "fejl", "raad"
SHORTEST, LONGEST, FAR_TOO_LONG = 15, 90, 140  # the good examples have 66 and 59 characters
FEWEST_WORDS = 4
GOOD = (
    "Flettefelter udfyldes ikke automatisk i “Helbredstillægskort”-brev",
    "Informationer fra UDK udstilles ikke i “UDK - Pension” fanen",
)
BAD = (
    ("Låsningsdato", "ét ord siger ikke, hvad der er galt"),
    ("Bestil et opkald vedr.", "siger ikke, hvad sagen handler om"),
    ("HASTER!! HASTER !!! - Hvorfor får jeg denne her fejl!?!?!?!?", "råber, og siger ikke, hvor fejlen ses"),
)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_URGENT = re.compile(
    r"\b(?:hast(?:er|esag|ende|e)?|akut|asap|omgående|hurtigst\s+muligt|straks|meget\s+vigtigt?)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"^\W*(?:bestil|ring|kontakt|hjælp|opkald|venligst)\b", re.IGNORECASE)
_CUT_OFF = re.compile(r"\b(?:vedr|ang|vedrørende|angående|om|til|fx|mht|ift)\s*[.:…-]*\s*$", re.IGNORECASE)
_VAGUE = re.compile(
    r"^\W*(?:(?:der\s+er\s+)?(?:en\s+)?(?:fejl|problem(?:er)?)(?:\s+i\s+kp)?|(?:det|kp|systemet)\s+virker\s+ikke)\W*$",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:i|på|under|fra|ved|hos|til)\b|[“”„\"»«']", re.IGNORECASE)
# Names that are written in capitals and are no shouting.
_NAMES = frozenset({"SKAT", "KOMBIT", "MITID", "OIOUBL", "SAPA"})


@dataclass(frozen=True, slots=True)
class TitleAdvice:
    """One thing to say of a title; a fault is mended or deliberately kept, the rest is advice."""

    level: str
    text: str


def advice_on(title: str) -> tuple[TitleAdvice, ...]:
    """What there is to say, faults first; nothing of an empty title."""
    title = " ".join(title.split())
    if not title:
        return ()
    found = [TitleAdvice(FAULT, text) for text in _faults(title)]
    return (*found, *(TitleAdvice(ADVICE, text) for text in _further(title, not found)))


def faults_of(title: str) -> tuple[str, ...]:
    """What must be mended or deliberately kept before the case goes to MinSupport."""
    return tuple(each.text for each in advice_on(title) if each.level == FAULT)


def _faults(title: str) -> list[str]:
    words = _WORD.findall(title)
    found = []
    if len(words) <= 1:
        found.append("Titlen er ét ord. Skriv, hvad der er galt, og hvor det ses.")
    elif len(title) < SHORTEST:
        found.append(
            f"Titlen er på {len(title)} tegn. Skriv mindst {SHORTEST}, så det ses, hvad sagen handler om."
        )
    if len(title) > FAR_TOO_LONG:
        found.append(
            f"Titlen er på {len(title)} tegn. Hold den under {LONGEST}; resten hører til i beskrivelsen."
        )
    if shouted := _shouted(title):
        found.append(f"Skriv med små bogstaver: {', '.join(shouted)}.")
    if "!" in title:
        found.append("Fjern udråbstegnene. Titlen skal være neutral.")
    if _URGENT.search(title):
        found.append("Hvor meget det haster, siger kritikaliteten. Tag det ud af titlen.")
    if _REQUEST.search(title) and len(words) > 1:
        found.append("Titlen beder om noget. Beskriv i stedet, hvad der er galt.")
    if _CUT_OFF.search(title) and len(words) > 1:
        found.append("Titlen slutter midt i det hele. Skriv, hvad det drejer sig om.")
    if _VAGUE.search(title) and len(words) > 1:
        found.append("Titlen siger ikke, hvad der ikke virker. Nævn handlingen, brevet eller fanen.")
    return found


def _further(title: str, faultless: bool) -> list[str]:
    found = []
    if LONGEST < len(title) <= FAR_TOO_LONG:
        found.append(
            f"Titlen er på {len(title)} tegn. Kort og præcist er bedre: prøv at holde den under {LONGEST}."
        )
    if "?" in title:
        found.append("Spørgsmålet hører til i beskrivelsen. Lad titlen sige, hvad der sker.")
    if faultless and len(_WORD.findall(title)) < FEWEST_WORDS:
        found.append("Titlen er meget kort. Er det klart, hvad der er galt?")
    if faultless and not _PLACE.search(title):
        found.append("Skriv, hvor fejlen ses, fx hvilken fane, opgave eller hvilket brev.")
    return found


def _shouted(title: str) -> list[str]:
    """Words in capitals that are no keys and no names; three letters are an abbreviation (UDK, CPR)."""
    keys = {part for key in keys_in(title) for part in (key, *key.split("-"))}
    return list(
        dict.fromkeys(
            word
            for word in _WORD.findall(title)
            if len(word) > 3
            and word.isupper()
            and word.isalpha()
            and word not in _NAMES
            and tidy(word) not in keys
        )
    )
