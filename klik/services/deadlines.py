"""The core's own deadline rules, in the same form as a plug-in's."""

from __future__ import annotations

from datetime import date, timedelta

from klik.domain.calendar import days, long_date, parse_date
from klik.domain.deadlines import default_yellow_from
from klik.domain.errors import InputError
from klik.plugins.answers import is_day
from klik.plugins.contributions import DeadlineRule
from klik.plugins.manager import Registry, plugin_of
from klik.plugins.views import MunicipalityView, TaskView

LONGEST_DAYS = 3_650
LONGEST_MONTHS = 120


def _on_date(_task: TaskView, _municipality: MunicipalityView, parameter: str) -> date:
    return parse_date(parameter)


def _check_date(parameter: str) -> str | None:
    try:
        parse_date(parameter)
    except InputError as error:
        return str(error)
    return None


def _after_days(task: TaskView, _municipality: MunicipalityView, parameter: str) -> date:
    return task.published_on + timedelta(days=int(parameter))


def _after_months(task: TaskView, _municipality: MunicipalityView, parameter: str) -> date:
    months = task.published_on.month - 1 + int(parameter)
    year, month = task.published_on.year + months // 12, months % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(task.published_on.day, last))


def whole_number(parameter: str, most: int, unit: str) -> str | None:
    """What is wrong with a rule's number, or None."""
    if not parameter.isascii() or not parameter.isdigit() or not 1 <= int(parameter) <= most:
        return f"Frist: skriv et helt antal {unit} mellem 1 og {most}"
    return None


RULES = (
    DeadlineRule(
        key="core.date",
        label="På en bestemt dato",
        parameter_label="Dato",
        deadline=_on_date,
        check=_check_date,
        explain=lambda parameter: f"Fristen er {long_date(parse_date(parameter))}",
    ),
    DeadlineRule(
        key="core.days-after-publication",
        label="Et antal dage efter publicering",
        parameter_label="Antal dage",
        deadline=_after_days,
        check=lambda parameter: whole_number(parameter, LONGEST_DAYS, "dage"),
        explain=lambda parameter: f"Fristen er {days(int(parameter))} efter publicering",
    ),
    DeadlineRule(
        key="core.months-after-publication",
        label="Et antal måneder efter publicering",
        parameter_label="Antal måneder",
        deadline=_after_months,
        check=lambda parameter: whole_number(parameter, LONGEST_MONTHS, "måneder"),
        explain=lambda parameter: (
            f"Fristen er {'en måned' if parameter == '1' else f'{parameter} måneder'} efter publicering"
        ),
    ),
)


def deadline_for(
    registry: Registry, rule_key: str, parameter: str, task: TaskView, municipality: MunicipalityView
) -> date | None:
    """The deadline a rule gives; a plug-in's rule that fails or is gone gives none (then KOMBIT is told)."""
    rule = registry.deadline_rules.get(rule_key)
    if rule is None:
        return None
    if plugin_of(rule_key) == "core":
        return rule.deadline(task, municipality, parameter)
    return registry.guard.ask(rule_key, lambda: rule.deadline(task, municipality, parameter), None, is_day)


def yellow_from_for(registry: Registry, rule_key: str, start: date | None, deadline: date) -> date:
    """The first yellow day: the rule's own, else the installation's number of days before."""
    fallback = default_yellow_from(start, deadline, registry.yellow_days)
    rule = registry.deadline_rules.get(rule_key)
    if rule is None or rule.yellow_from is None:
        return fallback
    own = rule.yellow_from
    return registry.guard.ask(
        rule_key, lambda: own(start, deadline), fallback, lambda day: type(day) is date and day <= deadline
    )
