"""When a task is to be published, as the buttons and the field of the preview say it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import request

from klik.domain.errors import InputError
from klik.domain.life import Act
from klik.domain.moments import moment_words, monday_morning, parse_moment, typed_moment
from klik.services.errors import RefusedError
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
MOMENT, AT = "tidspunkt", "at"
# The roles ticked for a task "Udpeg …"; an empty one goes with them, so that none at all is an answer too.
TICKED = "udpeg"


def ticked_roles() -> tuple[str, ...] | None:
    """The vacant roles ticked in the preview; None where it was not asked."""
    sent = request.form.getlist(TICKED)
    return tuple(role for role in sent if role) if sent else None


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
