"""The words of a month and its figures as they are stored: read, written, and whether any are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from klik.plugins import PluginStore
from klik.plugins.driftsstatus.figures import before
from klik.plugins.driftsstatus.tables import areas, figures, months

DUE_DAY = (
    5  # of the month: KOMBIT's figures come in its first four working days (domain: Infrastrukturen i tal)
)


class TakenError(Exception):
    """Somebody else has written the month meanwhile; ``version`` is theirs."""

    def __init__(self, version: int) -> None:
        super().__init__()
        self.version = version


@dataclass(frozen=True, slots=True)
class Month:
    """What KOMBIT wrote about a month; ``windows`` is the number of service windows, None when nobody said."""

    windows: int | None
    remarks: tuple[str, ...]
    version: int


def read(store: PluginStore, system: str, month: str) -> Month:
    """The month's words; version 0 when there are none."""
    row = store.execute(select(months).where(months.c.system == system, months.c.month == month)).first()
    if row is None:
        return Month(None, (), 0)
    return Month(row.windows, tuple(row.remarks.splitlines()), row.version)


def newest(store: PluginStore, system: str) -> str | None:
    """The last month with a figure."""
    statement = select(func.max(figures.c.month)).join_from(figures, areas, areas.c.id == figures.c.area)
    found: str | None = store.execute(statement.where(areas.c.system == system)).scalar()
    return found


def missing(store: PluginStore, systems: Mapping[str, str], today: date) -> tuple[str, ...]:
    """The names of the systems whose figures of last month are not here, from the fifth of the month on."""
    return lacking(store, systems, today) if today.day >= DUE_DAY else ()


def lacking(store: PluginStore, systems: Mapping[str, str], today: date) -> tuple[str, ...]:
    """The names of the systems whose figures of last month are not here, on whatever day."""
    statement = (
        select(areas.c.system)
        .join_from(areas, figures, areas.c.id == figures.c.area)
        .where(figures.c.month == before(today))
        .distinct()
    )
    there = set(store.execute(statement).scalars())
    return tuple(name for code, name in systems.items() if code not in there)


def touch(store: PluginStore, system: str, month: str) -> None:
    """Note that figures of the month were changed, so that a form drawn before is not stored over them."""
    here = (months.c.system == system, months.c.month == month)
    done = store.execute(update(months).where(*here).values(version=months.c.version + 1)).rowcount
    if not done:
        words = {"system": system, "month": month, "windows": None, "remarks": "", "version": 1}
        store.execute(insert(months).values(words))


def write(
    store: PluginStore,
    system: str,
    month: str,
    *,
    values: Mapping[int, int | None],
    windows: int | None,
    remarks: str,
    version: int,
) -> None:
    """Store a month as a whole; raises TakenError when it is not the version the form was drawn with."""
    known = read(store, system, month)
    if known.version != version:
        raise TakenError(known.version)
    here = (months.c.system == system, months.c.month == month)
    words: dict[str, Any] = {"windows": windows, "remarks": remarks, "version": version + 1}
    if version:
        mine = (*here, months.c.version == version)
        if not store.execute(update(months).where(*mine).values(words)).rowcount:
            raise TakenError(read(store, system, month).version)
    else:
        store.execute(insert(months).values(words | {"system": system, "month": month}))
    store.execute(delete(figures).where(figures.c.month == month, figures.c.area.in_(values)))
    rows = [
        {"area": area, "month": month, "value": value} for area, value in values.items() if value is not None
    ]
    if rows:
        store.execute(insert(figures), rows)
