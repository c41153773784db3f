"""The keys KP's users see, told by their shape, and CPR numbers taken out of what is written (seed 000)."""

from __future__ import annotations

import re

from klik.plugins import InputError, find_cpr_numbers

# Seed 000: BT-CA48CN2-K-0CUYR2 and FOP-QHH4QP-K-06GSD2, and the short form HK-GMFVV8 in the list of events.
_CASE = r"(?!OPG-)[A-Z]{2,3}-[A-Z0-9]{6,7}(?:-K-[A-Z0-9]{6})?"
# Seed 000: OPG-AEP3K7LJ, OPG-RRC4H010, OPG-5ZBGTD4A.
_TASK = r"OPG-[A-Z0-9]{8}"
_ANYWHERE = re.compile(rf"(?<![\w-])(?:{_TASK}|{_CASE})(?![\w-])", re.ASCII | re.IGNORECASE)
_DASHES = re.compile(r"\s*[-‐‑‒–—−]\s*")
REPLACEMENT = "udfyldes i MinSupport"


def tidy(typed: str) -> str:
    """A key as KP writes it: capitals, plain dashes, no spaces around them."""
    return _DASHES.sub("-", typed.strip()).upper()


def case_key(typed: str) -> str:
    """The Sags-ID, or empty; raises InputError with a Danish sentence."""
    key = tidy(typed)
    if not key or re.fullmatch(_CASE, key, re.ASCII):
        return key
    if key.startswith("OPG-"):
        raise InputError("Sags-ID: det ligner et Opgave-ID. Skriv det i feltet Opgave-ID.")
    raise InputError(
        "Sags-ID skal se ud som FOP-QHH4QP-K-06GSD2 eller HK-GMFVV8. Det står under Generel sagsinfo på sagen."
    )


def task_key(typed: str) -> str:
    """The Opgave-ID, or empty; raises InputError with a Danish sentence."""
    key = tidy(typed)
    if not key or re.fullmatch(_TASK, key, re.ASCII):
        return key
    if re.fullmatch(_CASE, key, re.ASCII):
        raise InputError("Opgave-ID: det ligner et Sags-ID. Skriv det i feltet Sags-ID.")
    raise InputError(
        "Opgave-ID skal se ud som OPG-AEP3K7LJ: OPG, en bindestreg og 8 bogstaver eller tal. "
        "Det står på fanen Hændelser og i selve opgaven."
    )


def keys_in(text: str) -> tuple[str, ...]:
    """The keys that stand in a text, in order, each once."""
    return tuple(dict.fromkeys(tidy(found[0]) for found in _ANYWHERE.finditer(text)))


def without_cpr(text: str) -> str:
    """The text with each CPR number replaced by the words that say where it belongs."""
    while spans := find_cpr_numbers(text):
        for span in reversed(spans):
            text = text[: span.start] + REPLACEMENT + text[span.end :]
    return text
