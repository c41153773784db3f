"""What a change of go-live comes to, in words: the same sentences before it is done and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from klik.domain.calendar import days, long_date
from klik.models import MunicipalTask
from klik.services.waves.changes import Leaving
from klik.services.waves.moving import Plan
from klik.services.waves.reckoning import Moved


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One of KOMBIT's tasks: how many copies move and how, and how many do not."""

    name: str
    moved: int
    how: str
    closed: int
    own: int

    @property
    def is_closed(self) -> bool:
        """Whether nothing but closed copies is concerned."""
        return not (self.moved or self.own)


def sentences(plan: Plan) -> tuple[str, ...]:
    """The whole of it: "14 frister flyttes 28 dage frem", "2 afsluttede opgaver flyttes ikke", …"""
    found = plan.reckoned
    said = []
    if found.moved:
        said.append(f"{_count(len(found.moved), 'frist', 'frister')} flyttes {_how(found.moved)}")
    elif not isinstance(plan.target.change, Leaving):
        said.append("Ingen frister flyttes")
    if found.closed:
        said.append(f"{_count(len(found.closed), 'afsluttet opgave', 'afsluttede opgaver')} flyttes ikke")
    if found.own:
        said.append(
            f"{len(found.own)} har en egen frist, som bliver stående; kommunen bliver spurgt om at følge den nye"
        )
    if found.silent:
        said.append(
            f"{_count(len(found.silent), 'frist', 'frister')} bliver, hvor de er, fordi fristreglen ikke svarer"
        )
    said += _late_sentences(plan)
    if isinstance(plan.target.change, Leaving):
        said.append(
            f"{_count(found.open, 'åben opgave', 'åbne opgaver')} bliver hos kommunen med deres frister"
            if found.open
            else "Kommunen har ingen åbne opgaver for systemet"
        )
    return tuple(said)


def overdue(plan: Plan, today: date) -> int:
    """How many deadlines move to a day that has passed."""
    return sum(each.new is not None and each.new < today for each in plan.moved)


def lines(plan: Plan) -> tuple[TaskLine, ...]:
    """The tasks that something happens to, by number."""
    moved: dict[str, list[Moved]] = {}
    for each in plan.moved:
        moved.setdefault(_name(each.copy), []).append(each)
    closed = Counter(map(_name, plan.reckoned.closed))
    own = Counter(map(_name, plan.reckoned.own_copies))
    names = sorted({*moved, *closed, *own})
    return tuple(
        TaskLine(
            name,
            len(moved.get(name, [])),
            _how(moved[name], dated=True) if name in moved else "",
            closed[name],
            own[name],
        )
        for name in names
    )


def _late_sentences(plan: Plan) -> Iterable[str]:
    if plan.late is None:
        return
    if plan.late.offers:
        yield f"{_count(len(plan.late.offers), 'opgave', 'opgaver')} oprettes"
        if plan.late.for_information:
            yield f"{plan.late.for_information} af dem til orientering, fordi fristen er passeret"
    if plan.late.skipped:
        yield f"{_count(len(plan.late.skipped), 'opgave', 'opgaver')} springes over"


def _how(moved: list[Moved], *, dated: bool = False) -> str:
    """By how much they move, or from where to where when they do not all move alike."""
    if dated and len(ways := {(each.old, each.new) for each in moved}) == 1:
        old, new = next(iter(ways))
        shift = f", {_shift((new - old).days)}" if old and new else ""
        return f"fra {_day(old)} til {_day(new)}{shift}"
    shifts = {(each.new - each.old).days if each.old and each.new else None for each in moved}
    if len(shifts) == 1 and (only := next(iter(shifts))) is not None:
        return _shift(only)
    known = sorted(shift for shift in shifts if shift is not None)
    given = sum(each.old is None for each in moved)
    lost = sum(each.new is None for each in moved)
    said = []
    if known:
        said.append(_between(known[0], known[-1]) if len(known) > 1 else _shift(known[0]))
    if given:
        said.append(f"{given} får en dato")
    if lost:
        said.append(f"{lost} mister sin dato")
    return f"({', '.join(said)})" if given or lost else said[0]


def _shift(count: int) -> str:
    return f"{days(abs(count))} {'frem' if count > 0 else 'tilbage'}"


def _between(first: int, last: int) -> str:
    if (first > 0) == (last > 0):
        low, high = sorted((abs(first), abs(last)))
        return f"mellem {low} og {days(high)} {'frem' if first > 0 else 'tilbage'}"
    return f"mellem {_shift(first)} og {_shift(last)}"


def _day(day: date | None) -> str:
    return long_date(day) if day else "ikke fastsat"


def _name(copy: MunicipalTask) -> str:
    return f"{copy.task_number} {copy.title}"


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
