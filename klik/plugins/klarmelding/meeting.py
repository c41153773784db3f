"""Forbered leverandørmøde: what one supplier owes the municipality, and what to ask it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from klik.plugins import long_date
from klik.plugins.klarmelding.agreements import Agreement, Demand
from klik.plugins.klarmelding.verdict import NO, NOT_RELEVANT, YES


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting with one supplier about the systems bought of it. ``own_questions`` are the municipality's words."""

    supplier: str
    agreements: tuple[Agreement, ...]
    questions: tuple[str, ...]
    own_questions: tuple[str, ...]

    @property
    def demanded(self) -> int:
        """How many interfaces the agreements demand."""
        return sum(len(each.demands) for each in self.agreements)

    @property
    def confirmed(self) -> int:
        """How many of them are confirmed."""
        return sum(each.confirmed for each in self.agreements)


def meeting(bought: Sequence[Agreement], supplier_key: str, today: date) -> Meeting | None:
    """The meeting with a supplier; None when nothing is bought of it."""
    fitting = tuple(each for each in bought if each.supplier_key == supplier_key)
    if not fitting:
        return None
    several = len(fitting) > 1
    return Meeting(
        supplier=fitting[0].supplier,
        agreements=fitting,
        questions=tuple(
            _question(each, agreement.system if several else "", today)
            for agreement in fitting
            for each in agreement.lacking
        ),
        own_questions=tuple(
            line.strip() for agreement in fitting for line in agreement.questions.splitlines() if line.strip()
        ),
    )


def _question(demand: Demand, system: str, today: date) -> str:
    name = f"{demand.interface.number} {demand.interface.name}" + (f" i {system}" if system else "")
    return f"{name}: {_asked(demand)}{_pressed(demand, today)}"


def _asked(demand: Demand) -> str:
    if demand.said == YES and demand.line is not None:
        open_ones = [each.number for each in demand.line.criteria if demand.line.answer(each).met is not True]
        if open_ones:
            which = _listed(open_ones)
            return f"I siger, at den er klar, men vi har ikke kunnet bekræfte {which}. Hvornår kan I vise os det?"
        return "I siger, at den er klar. Hvornår kan vi prøve den af sammen?"
    if demand.said == NO:
        reason = (
            f" I skriver: “{demand.line.supplier_remark}”"
            if demand.line and demand.line.supplier_remark
            else ""
        )
        return f"I siger, at den ikke er klar.{reason} Hvornår bliver den det?"
    if demand.said == NOT_RELEVANT:
        return "I skriver, at den ikke er relevant, men den står i vores aftale. Hvad bygger I det på?"
    return "Vi har ikke fået jeres selvangivelse. Er den klar, og hvornår kan I skrive det?"


def _pressed(demand: Demand, today: date) -> str:
    if demand.due is None:
        return ""
    verb = "skulle" if demand.due < today else "skal"
    return f" Efter aftalen {verb} den være klar {long_date(demand.due)}."


def _listed(numbers: Sequence[int]) -> str:
    words = [str(each) for each in numbers]
    if len(words) == 1:
        return f"kriterium {words[0]}"
    return f"kriterierne {', '.join(words[:-1])} og {words[-1]}"
