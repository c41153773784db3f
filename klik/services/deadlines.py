"""The core's own deadline rules, in the same form as a plug-in's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from klik.domain.calendar import days, long_date, parse_date
from klik.domain.deadlines import danish_today, default_yellow_from
from klik.domain.errors import InputError
from klik.domain.working_days import WorkingDay, day_off, moved, moved_words
from klik.models import MunicipalTask
from klik.plugins.answers import is_day, is_text
from klik.plugins.contributions import DeadlineRule
from klik.plugins.manager import CORE, Registry, plugin_of
from klik.plugins.views import MunicipalityView, TaskView

FIXED_DATE = "core.date"
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


def _before_go_live(_task: TaskView, municipality: MunicipalityView, parameter: str) -> date | None:
    return municipality.go_live - timedelta(days=int(parameter)) if municipality.go_live else None


def _after_go_live(_task: TaskView, municipality: MunicipalityView, parameter: str) -> date | None:
    return municipality.go_live + timedelta(days=int(parameter)) if municipality.go_live else None


def _go_live_words(parameter: str, side: str) -> str:
    number = int(parameter)
    if number == 0:
        return "Fristen er den dag, kommunen tager systemet i brug"
    return f"Fristen er {days(number)} {side} idriftsættelse"


def whole_number(parameter: str, most: int, unit: str, least: int = 1) -> str | None:
    """What is wrong with a rule's number, or None."""
    plain = parameter.isascii() and parameter.isdigit() and len(parameter) <= 6
    if not plain or not least <= int(parameter) <= most:
        return f"Frist: skriv et helt antal {unit} mellem {least} og {most}"
    return None


RULES = (
    DeadlineRule(
        key=FIXED_DATE,
        label="På en bestemt dato",
        parameter_label="Dato",
        deadline=_on_date,
        check=_check_date,
        explain=lambda parameter: f"Fristen er {long_date(parse_date(parameter))}",
    ),
    DeadlineRule(
        key="core.days-after-publication",
        label="Et antal dage efter udgivelsen",
        parameter_label="Antal dage",
        deadline=_after_days,
        check=lambda parameter: whole_number(parameter, LONGEST_DAYS, "dage"),
        explain=lambda parameter: f"Fristen er {days(int(parameter))} efter udgivelsen",
    ),
    DeadlineRule(
        key="core.months-after-publication",
        label="Et antal måneder efter udgivelsen",
        parameter_label="Antal måneder",
        deadline=_after_months,
        check=lambda parameter: whole_number(parameter, LONGEST_MONTHS, "måneder"),
        explain=lambda parameter: (
            f"Fristen er {'en måned' if parameter == '1' else f'{parameter} måneder'} efter udgivelsen"
        ),
    ),
    DeadlineRule(
        key="core.days-before-go-live",
        label="Et antal dage før idriftsættelse (T-90)",
        parameter_label="Antal dage",
        deadline=_before_go_live,
        check=lambda parameter: whole_number(parameter, LONGEST_DAYS, "dage", least=0),
        explain=lambda parameter: _go_live_words(parameter, "før"),
    ),
    DeadlineRule(
        key="core.days-after-go-live",
        label="Et antal dage efter idriftsættelse",
        parameter_label="Antal dage",
        deadline=_after_go_live,
        check=lambda parameter: whole_number(parameter, LONGEST_DAYS, "dage", least=0),
        explain=lambda parameter: _go_live_words(parameter, "efter"),
    ),
)


def rule_problem(registry: Registry, rule: DeadlineRule, parameter: str) -> str | None:
    """What is wrong with a rule's parameter, as a Danish sentence; a rule that cannot answer is a problem too."""
    if plugin_of(rule.key) == "core":
        return rule.check(parameter)
    silent = f"Fristreglen “{rule.label}” svarer ikke. Vælg en anden, eller prøv igen senere."
    return registry.guard.ask(
        f"{rule.key}/parameter",
        lambda: rule.check(parameter),
        silent,
        lambda answer: answer is None or is_text()(answer),
    )


def explanation(
    registry: Registry, rule_key: str, parameter: str, working_day: str = WorkingDay.UNCHANGED.value
) -> str:
    """The rule in words for this parameter; its label where a plug-in's rule cannot say.

    "Fristen er 90 dage før idriftsættelse, flyttet til arbejdsdagen før, når den falder på en fridag"
    """
    rule = registry.deadline_rules.get(rule_key)
    if rule is None:
        return "Fristreglen findes ikke længere"
    wanted = WorkingDay(working_day)
    if rule_key == FIXED_DATE and wanted is not WorkingDay.UNCHANGED:
        return _fixed_words(parse_date(parameter), wanted)
    words = rule.explain(parameter) if plugin_of(rule_key) == "core" else _said(registry, rule, parameter)
    more = moved_words(wanted)
    return f"{words.rstrip('.')}, {more}" if more else words


def _said(registry: Registry, rule: DeadlineRule, parameter: str) -> str:
    return registry.guard.ask(f"{rule.key}/ordlyd", lambda: rule.explain(parameter), rule.label, is_text())


def _fixed_words(day: date, wanted: WorkingDay) -> str:
    """What a fixed date comes to is known, so it is said."""
    to = moved(day, wanted)
    if to == day:
        return f"Fristen er {long_date(day)}"
    side = "før" if wanted is WorkingDay.BEFORE else "efter"
    return f"Fristen er {long_date(to)}, arbejdsdagen {side} {long_date(day)} ({day_off(day)})"


def given_on(copy: MunicipalTask) -> date:
    """The Danish day from which "after publication" counts: when the municipality got the task.

    It is the day of publication for all but those who got the system later.
    """
    return danish_today(copy.created_at)


def deadlines_for(
    registry: Registry,
    rule_key: str,
    parameter: str,
    task: TaskView,
    municipalities: Iterable[MunicipalityView],
    *,
    working_day: str,
) -> Mapping[int, date | None]:
    """The deadline a rule gives each municipality, by code; a plug-in's rule is asked once for them all.

    ``working_day`` (WorkingDay) moves what falls on a day off, for every rule alike. When a rule fails, hangs,
    gives rubbish or is gone, every deadline is None (then KOMBIT is told).
    """
    wanted = tuple(municipalities)
    found = deadlines_or_none(registry, rule_key, parameter, task, wanted, working_day=working_day)
    return dict.fromkeys((municipality.code for municipality in wanted), None) if found is None else found


def deadlines_or_none(
    registry: Registry,
    rule_key: str,
    parameter: str,
    task: TaskView,
    municipalities: Iterable[MunicipalityView],
    *,
    working_day: str,
) -> Mapping[int, date | None] | None:
    """The same, and None when the rule does not answer: whoever moves deadlines must leave them alone then."""
    wanted = tuple(municipalities)
    rule = registry.deadline_rules.get(rule_key)
    if rule is None:
        return None

    def answers() -> dict[int, date | None]:
        return {municipality.code: rule.deadline(task, municipality, parameter) for municipality in wanted}

    found: Mapping[int, date | None] | None
    if plugin_of(rule_key) == "core":
        found = answers()
    else:
        found = registry.guard.ask(
            rule_key, answers, None, lambda days: days is None or all(map(is_day, days.values()))
        )
    if found is None:
        return None
    side = WorkingDay(working_day)
    return {code: moved(day, side) if day else None for code, day in found.items()}


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
        f"{rule_key}/gul",
        lambda: {day: own(start, day) for day in wanted},
        fallback,
        lambda days: all(type(first) is date and first <= day for day, first in days.items()),
    )


def yellow_from_for(registry: Registry, rule_key: str, start: date | None, deadline: date) -> date:
    """The first yellow day of one deadline."""
    return yellow_from_days(registry, rule_key, start, (deadline,))[deadline]


def out_of_order(registry: Registry, rule_key: str) -> str:
    """That a plug-in's rule does not answer just now and what is used meanwhile, a Danish sentence; else empty."""
    if plugin_of(rule_key) == CORE:
        return ""
    faults, plugin = registry.guard.faults(), plugin_of(rule_key).upper()
    if rule_key in faults:
        return f"{plugin}'s fristregel er ude af drift. Frister, den har sat, står ved magt; nye sættes ikke imens."
    if f"{rule_key}/gul" in faults:
        standard = days(registry.yellow_days)
        return (
            f"{plugin}'s regel er ude af drift. Nye frister bliver gule efter standarden på {standard} imens."
        )
    return ""


def yellow_note(registry: Registry, rule_key: str) -> str:
    """Whose rule decides when a task turns yellow, where it is not the standard: "regel fra KSD, standard er 14"."""
    rule = registry.deadline_rules.get(rule_key)
    if rule is None or rule.yellow_from is None or plugin_of(rule_key) == "core":
        return ""
    return f"regel fra {plugin_of(rule_key).upper()}, standard er {registry.yellow_days}"
