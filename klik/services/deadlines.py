"""The core's own deadline rules, in the same form as a plug-in's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def rule_problem(registry: Registry, rule: DeadlineRule, parameter: str) -> str | None:
    """What is wrong with a rule's parameter, as a Danish sentence; a rule that cannot answer is a problem too."""
    if plugin_of(rule.key) == "core":
        return rule.check(parameter)
    silent = f"Fristreglen “{rule.label}” svarer ikke. Vælg en anden, eller prøv igen senere."
    return registry.guard.ask(
        rule.key, lambda: rule.check(parameter), silent, lambda answer: answer is None or type(answer) is str
    )


def explanation(registry: Registry, rule_key: str, parameter: str) -> str:
    """The rule in words for this parameter; its label where a plug-in's rule cannot say."""
    rule = registry.deadline_rules.get(rule_key)
    if rule is None:
        return "Fristreglen findes ikke længere"
    if plugin_of(rule_key) == "core":
        return rule.explain(parameter)
    return registry.guard.ask(
        rule_key, lambda: rule.explain(parameter), rule.label, lambda answer: type(answer) is str
    )


def deadlines_for(
    registry: Registry,
    rule_key: str,
    parameter: str,
    task: TaskView,
    municipalities: Iterable[MunicipalityView],
) -> Mapping[int, date | None]:
    """The deadline a rule gives each municipality, by code; a plug-in's rule is asked once for them all.

    When it fails, hangs, gives rubbish or is gone, every deadline is None (then KOMBIT is told).
    """
    wanted = tuple(municipalities)
    none: dict[int, date | None] = {municipality.code: None for municipality in wanted}
    rule = registry.deadline_rules.get(rule_key)
    if rule is None:
        return none

    def answers() -> dict[int, date | None]:
        return {municipality.code: rule.deadline(task, municipality, parameter) for municipality in wanted}

    if plugin_of(rule_key) == "core":
        return answers()
    return registry.guard.ask(rule_key, answers, none, lambda days: all(map(is_day, days.values())))


def yellow_from_days(
    registry: Registry, rule_key: str, start: date | None, deadlines: Iterable[date]
) -> Mapping[date, date]:
    """The first yellow day for each deadline: the rule's own, else the installation's number of days before."""
    wanted = set(deadlines)
    fallback = {day: default_yellow_from(start, day, registry.yellow_days) for day in wanted}
    rule = registry.deadline_rules.get(rule_key)
    if rule is None or rule.yellow_from is None:
        return fallback
    own = rule.yellow_from
    return registry.guard.ask(
        rule_key,
        lambda: {day: own(start, day) for day in wanted},
        fallback,
        lambda days: all(type(first) is date and first <= day for day, first in days.items()),
    )


def yellow_from_for(registry: Registry, rule_key: str, start: date | None, deadline: date) -> date:
    """The first yellow day of one deadline."""
    return yellow_from_days(registry, rule_key, start, (deadline,))[deadline]


def yellow_note(registry: Registry, rule_key: str) -> str:
    """Whose rule decides when a task turns yellow, where it is not the standard: "regel fra KSD, standard er 14"."""
    rule = registry.deadline_rules.get(rule_key)
    if rule is None or rule.yellow_from is None or plugin_of(rule_key) == "core":
        return ""
    return f"regel fra {plugin_of(rule_key).upper()}, standard er {registry.yellow_days}"
