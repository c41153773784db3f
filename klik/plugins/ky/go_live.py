"""Deadlines counted back from the day a municipality takes KY into use."""

from __future__ import annotations

from datetime import date, timedelta

from klik.plugins import DeadlineRule, MunicipalityView, TaskView

LONGEST = 730
# Preparation cannot be caught up in the last fortnight, so the warning comes a month ahead (seed 003).
YELLOW = timedelta(days=30)


def _deadline(_task: TaskView, municipality: MunicipalityView, parameter: str) -> date | None:
    return municipality.go_live - timedelta(days=int(parameter)) if municipality.go_live else None


def _check(parameter: str) -> str | None:
    text = parameter.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) <= LONGEST:
        return None
    return f"Dage før idriftsættelse skal være et helt tal fra 0 til {LONGEST}."


def _explain(parameter: str) -> str:
    number = int(parameter)
    if number == 0:
        return "Samme dag som kommunen tager KY i brug."
    return f"{number} {'dag' if number == 1 else 'dage'} før kommunen tager KY i brug."


def _yellow_from(start: date | None, deadline: date) -> date:
    return max(start or deadline - YELLOW, deadline - YELLOW)


BEFORE_GO_LIVE = DeadlineRule(
    key="ky.foer-idriftsaettelse",
    label="Dage før kommunens idriftsættelse",
    parameter_label="Dage før idriftsættelse",
    deadline=_deadline,
    check=_check,
    explain=_explain,
    yellow_from=_yellow_from,
)
