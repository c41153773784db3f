"""Between the form's fields and what is stored with a task: whom it is for, and when it is to be published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import request

from klik.domain.errors import InputError
from klik.domain.life import Act
from klik.domain.moments import moment_words, monday_morning, parse_moment, typed_moment
from klik.services.errors import RefusedError
from klik.services.publishing import RecipientChoice, audience
from klik.services.work import Work

DONE: Mapping[Act, str] = {
    Act.SUBMIT: "Opgaven er sendt til godkendelse. En anden redaktør kan nu udgive den.",
    Act.RETURN: "Opgaven er sendt tilbage og er en kladde igen.",
    Act.ANNOUNCE: "Opgaven er annonceret som kommende.",
    Act.PLAN: "Opgaven er planlagt og udgives af sig selv.",
    Act.UNPLAN: "Planen er standset.",
    Act.PUBLISH: "Opgaven er udgivet.",
    Act.WITHDRAW: "Opgaven er trukket tilbage.",
}
RECIPIENT_WORDS: Mapping[str, str] = {
    audience.WITH_SYSTEM: "Alle, der har projektets system",
    audience.ALL: "Alle kommuner",
    audience.LISTED: "Kommunerne",
    audience.WAVES: "Kommuner i bølge",
    audience.REGIONS: "Kommuner i",
    audience.ALL_EXCEPT: "Alle undtagen",
}
MOMENT, AT = "tidspunkt", "at"


def recipient_data(choice: RecipientChoice | None, system: str | None) -> Mapping[str, Any]:
    """The stored choice as the form's fields; nothing where none is stored."""
    if choice is None:
        return {}
    data: dict[str, Any] = {"recipients": choice.kind}
    if choice.kind in (audience.LISTED, audience.ALL_EXCEPT):
        data["codes"] = ", ".join(choice.values)
    elif choice.kind == audience.WAVES:
        data["waves"] = [value if "/" in value else f"{system or ''}/{value}" for value in choice.values]
    elif choice.kind == audience.REGIONS:
        data["regions"] = list(choice.values)
    return data


def recipient_words(choice: RecipientChoice | None) -> str:
    """Whom a task is for, in a line people read; empty where nothing is chosen."""
    if choice is None:
        return ""
    named = ", ".join(
        value.rpartition("/")[2] if choice.kind == audience.WAVES else value for value in choice.values
    )
    label = RECIPIENT_WORDS.get(choice.kind, choice.kind)
    return f"{label} {named}" if named else label


def read_moment(work: Work) -> datetime:
    """The moment a quick choice or the typed words stand for; raises RefusedError."""
    typed = request.form.get("udgives") or request.form.get(MOMENT, "")
    try:
        return parse_moment(typed[:100], work.now)
    except InputError as error:
        raise RefusedError({AT: f"Tidspunkt: {error}"}) from error


def moments(work: Work, problem: str = "") -> Mapping[str, Any]:
    """What the buttons need to offer a plan: the next Monday morning, and what was typed."""
    monday = monday_morning(work.now)
    return {
        "monday_words": moment_words(monday),
        "monday_typed": typed_moment(monday),
        "moment_typed": request.form.get(MOMENT, "")[:100],
        "moment_problem": problem,
    }
