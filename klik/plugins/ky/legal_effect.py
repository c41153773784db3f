"""Deadlines that must come before the day a decision takes effect.

In KY a task of partshøring came on the 6th though the reduction took effect on the 1st, so municipalities had to pull
lists and handle them before the 1st (HK, 26 May 2023). A deadline counted from the day of effect cannot come too late.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from klik.plugins import (
    DeadlineRule,
    ExtraField,
    InputError,
    MunicipalityView,
    TaskView,
    long_date,
    parse_date,
    working_days_before,
)

MOST_WORKING_DAYS = 60
_MONTHLY = re.compile(r"den ([0-9]{1,2})\.?")
_NUMBER = re.compile(r"([0-9]{1,2})(?: arbejdsdage?)?")
# Each month has these days.
LAST_DAY_OF_ALL = 28
HOW = "Skriv dagen og antallet af arbejdsdage før den, fx “01-03-2027, 5” eller “den 1., 5” for den 1. i hver måned."


class _WrongError(InputError):
    """A parameter that cannot be read; the text is a Danish sentence."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """So many working days before one day, or before a day of the month (``monthly``, then ``day`` is None)."""

    day: date | None
    monthly: int
    before: int

    def deadline(self, published: date) -> date:
        """The deadline; for a day of the month the first that is not over when the task is published."""
        if self.day is not None:
            return working_days_before(self.day, self.before)
        month = published.replace(day=1)
        while (found := working_days_before(month.replace(day=self.monthly), self.before)) < published:
            month = (month.replace(day=LAST_DAY_OF_ALL) + timedelta(days=4)).replace(day=1)
        return found


def _read(parameter: str) -> _Wanted:
    when, comma, count = parameter.strip().casefold().rpartition(",")
    number = _NUMBER.fullmatch(count.strip())
    if not comma or number is None:
        raise _WrongError(HOW)
    before = int(number[1])
    if not 1 <= before <= MOST_WORKING_DAYS:
        raise _WrongError(
            f"Arbejdsdage før retsvirkning skal være et helt tal fra 1 til {MOST_WORKING_DAYS}."
        )
    if monthly := _MONTHLY.fullmatch(when.strip()):
        day = int(monthly[1])
        if not 1 <= day <= LAST_DAY_OF_ALL:
            raise _WrongError(f"Dagen i måneden skal være fra 1 til {LAST_DAY_OF_ALL}.")
        return _Wanted(None, day, before)
    return _Wanted(parse_date(when), 0, before)


def _deadline(task: TaskView, _municipality: MunicipalityView, parameter: str) -> date:
    return _read(parameter).deadline(task.published_on)


def _check(parameter: str) -> str | None:
    try:
        _read(parameter)
    except InputError as error:
        return str(error)
    return None


def _explain(parameter: str) -> str:
    wanted = _read(parameter)
    number = "1 arbejdsdag" if wanted.before == 1 else f"{wanted.before} arbejdsdage"
    if wanted.day is None:
        return f"{number} før den {wanted.monthly}. i måneden, hvor afgørelserne får virkning."
    last = long_date(working_days_before(wanted.day, wanted.before))
    return f"{number} før retsvirkningen {long_date(wanted.day)}, altså {last}."


BEFORE_EFFECT = DeadlineRule(
    key="ky.foer-retsvirkning",
    label="Arbejdsdage før retsvirkning",
    parameter_label="Dag og antal arbejdsdage",
    deadline=_deadline,
    check=_check,
    explain=_explain,
)


def _wrong_day(value: str) -> str | None:
    try:
        parse_date(value)
    except InputError as error:
        return f"Retsvirkning: {error}"
    return None


def _too_late(value: str, deadline: date) -> str | None:
    effect = parse_date(value)
    if deadline < effect:
        return None
    how = "samme dag som" if deadline == effect else "efter"
    return f"Fristen {long_date(deadline)} ligger {how} retsvirkningen {long_date(effect)}, så opgaven løses for sent."


EFFECT = ExtraField(
    key="ky.retsvirkning",
    system="ky",
    label="Retsvirkning",
    help="Den dag, afgørelserne får virkning, fx 01-03-2027. Fristen skal ligge før den.",
    check=_wrong_day,
    warning=_too_late,
)
