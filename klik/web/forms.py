"""Forms as the pages use them, and the last net for CPR numbers behind them all."""

from __future__ import annotations

from urllib.parse import unquote_plus

from flask import g, request

from klik.domain import cpr
from klik.plugins.forms import (
    MESSAGES,
    CleanText,
    Danish,
    Form,
    OnceForm,
    VersionedForm,
    accepted,
    offer_tick,
    showable,
    ticked,
)
from klik.services import free_text

__all__ = [
    "DRAWN",
    "MESSAGES",
    "CleanText",
    "Danish",
    "Form",
    "OnceForm",
    "VersionedForm",
    "accepted",
    "cpr_problems",
    "offer_tick",
    "showable",
    "stores_nothing",
    "ticked",
]

# Before a field's name: what was stored when the form was drawn; compared with and never stored.
DRAWN = "foer-"
# Fields that a page fills in itself: tokens, keys, and lists of ids and versions.
NOT_TEXT = frozenset({"csrf_token", "idempotency_key", "opgaver", "opgave", "overskriv", "opdater"})


def stores_nothing() -> None:
    """For a view that is sent a form only to show how it reads: the page itself says what is wrong with it."""
    g.klik_stores_nothing = True


def cpr_problems() -> dict[str, str]:
    """The sent fields with a CPR number that no form has asked about: the last net, for every address there is."""
    if g.get("klik_stores_nothing"):
        return {}
    passed = g.get("klik_cpr_accepted", set())
    fields = {
        name
        for name, value in request.form.items(multi=True)
        if not (name in NOT_TEXT or "password" in name or name in passed or name.startswith(DRAWN))
        and f"{name}{free_text.TICK_ENDING}" not in request.form
        and cpr.find(unquote_plus(value))
    }
    files = {name for name, file in request.files.items(multi=True) if cpr.find(file.filename or "")}
    return {
        name: "Noget af det, du har skrevet, ser ud til at indeholde et CPR-nummer, og CPR-numre hører ikke hjemme i "
        "klik. Gå tilbage, og fjern nummeret."
        for name in sorted(fields | files)
    }
