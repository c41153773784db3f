"""When an interface counts as taken into use: the seed's criteria, with what KOMBIT has written since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from klik.plugins import PluginContext, PluginStore
from klik.plugins.klarmelding.catalogue import interfaces
from klik.plugins.klarmelding.tables import criteria

LONGEST = 500
MOST = 40


@dataclass(frozen=True, slots=True)
class Criterion:
    """A numbered criterion; ``edition`` grows with each new wording, and what was seen of an older one is void."""

    number: int
    text: str
    edition: int


class TooManyCriteriaError(Exception):
    """An interface cannot have more criteria."""


class ChangedMeanwhileError(Exception):
    """Somebody else has written since the form was drawn."""


def in_force(store: PluginStore) -> Mapping[str, tuple[Criterion, ...]]:
    """The criteria that hold, by interface and in order; an interface without any is there with none."""
    found = {
        number: {place: Criterion(place, text, 1) for place, text in enumerate(interface.criteria, start=1)}
        for number, interface in interfaces().items()
    }
    for row in store.execute(select(criteria).order_by(criteria.c.number)):
        of_interface = found.get(row.interface, {})
        if row.withdrawn:
            of_interface.pop(row.number, None)
        else:
            of_interface[row.number] = Criterion(row.number, row.text, row.edition)
    return {
        number: tuple(each for _, each in sorted(by_number.items())) for number, by_number in found.items()
    }


def write(context: PluginContext, interface: str, number: int, text: str, edition: int) -> bool:
    """Word a criterion anew, empty to withdraw it; whether anything changed. ``edition`` is the one that was shown.

    Raises ChangedMeanwhileError. A number is never used again, so an old answer never meets a new criterion.
    """
    store = context.store
    assert store is not None
    here = (criteria.c.interface == interface) & (criteria.c.number == number)
    kept = store.execute(select(criteria).where(here)).first()
    before = {each.number: each for each in in_force(store)[interface]}.get(number)
    if (kept.edition if kept else before.edition if before else 0) != edition:
        raise ChangedMeanwhileError
    if (before.text if before else "") == text:
        return False
    values = {
        "text": text,
        "withdrawn": not text,
        "edition": edition + 1,
        "changed_at": context.now,
        "person": context.person_id,
    }
    if kept is None:
        store.execute(insert(criteria).values(interface=interface, number=number, **values))
    else:
        store.execute(update(criteria).where(here).values(**values))
    return True


def add(context: PluginContext, interface: str, text: str) -> None:
    """A further criterion, with the next number that was never used; raises TooManyCriteriaError."""
    assert context.store is not None
    used = context.store.execute(select(criteria.c.number).where(criteria.c.interface == interface)).scalars()
    number = max([*used, len(interfaces()[interface].criteria)], default=0) + 1
    if number > MOST:
        raise TooManyCriteriaError
    write(context, interface, number, text, 0)
