"""The reports that were read in: one a day for each municipality, the newest of which is the board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Subquery, and_, delete, func, insert, select, update

from klik.plugins import PluginStore
from klik.plugins.ksd.r23 import OpenTask
from klik.plugins.ksd.tables import open_tasks, reports

KEPT_FOR = timedelta(days=2 * 366)
Values = Mapping[tuple[str, str], tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Report:
    """That a municipality has read a report in: its Danish day and the moment."""

    municipality: int
    day: date
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Sum:
    """How many tasks of a type are unsolved in the newest reports; ``month`` is "2017-10" or empty."""

    month: str
    title: str
    blocks: str
    count: int


def newest(store: PluginStore, municipality: int | None = None) -> Mapping[int, Report]:
    """The newest report of each municipality, or of one."""
    last = _last_days(municipality)
    rows = store.execute(select(reports).join(last, _same_report(reports, last)))
    return {row.municipality: Report(row.municipality, row.day, _aware(row.read_at)) for row in rows}


def open_now(store: PluginStore, municipality: int | None = None) -> tuple[Sum, ...]:
    """What the newest reports say is unsolved, added up over the municipalities."""
    last = _last_days(municipality)
    rows = store.execute(
        select(
            open_tasks.c.month,
            open_tasks.c.title,
            open_tasks.c.blocks,
            func.sum(open_tasks.c.count).label("total"),
        )
        .join(last, _same_report(open_tasks, last))
        .group_by(open_tasks.c.month, open_tasks.c.title, open_tasks.c.blocks)
    )
    return tuple(Sum(row.month, row.title, row.blocks, int(row.total)) for row in rows)


def totals(
    store: PluginStore, municipality: int | None = None, since: date | None = None
) -> Mapping[tuple[int, date], Mapping[str, int]]:
    """By municipality and day of report: how many are unsolved in each class; the newest alone without ``since``."""
    statement = select(
        open_tasks.c.municipality,
        open_tasks.c.day,
        open_tasks.c.blocks,
        func.sum(open_tasks.c.count).label("total"),
    ).group_by(open_tasks.c.municipality, open_tasks.c.day, open_tasks.c.blocks)
    if since is None:
        last = _last_days(municipality)
        statement = statement.join(last, _same_report(open_tasks, last))
    else:
        statement = statement.where(open_tasks.c.day >= since, *_of(open_tasks, municipality))
    found: dict[tuple[int, date], dict[str, int]] = {}
    for row in store.execute(statement):
        found.setdefault((row.municipality, row.day), {})[row.blocks] = int(row.total)
    return found


def days(store: PluginStore, since: date, municipality: int | None = None) -> Iterable[tuple[int, date]]:
    """Every report's municipality and day from a day on, the oldest first."""
    rows = store.execute(
        select(reports.c.municipality, reports.c.day)
        .where(reports.c.day >= since, *_of(reports, municipality))
        .order_by(reports.c.day)
    )
    return [(row.municipality, row.day) for row in rows]


def values_on(store: PluginStore, municipality: int, day: date) -> Values:
    """What the municipality's report of a day says: title, class and count by month and title."""
    rows = store.execute(
        select(open_tasks).where(open_tasks.c.municipality == municipality, open_tasks.c.day == day)
    )
    return {(row.month, row.title_key): (row.title, row.blocks, row.count) for row in rows}


def keep(store: PluginStore, municipality: int, day: date, at: datetime, tasks: Iterable[OpenTask]) -> None:
    """Make these the municipality's report of the day, and let go of what is older than two years."""
    here = (open_tasks.c.municipality == municipality, open_tasks.c.day == day)
    store.execute(delete(open_tasks).where(*here))
    rows = [
        {
            "municipality": municipality,
            "day": day,
            "month": task.month,
            "title_key": task.key[1],
            "title": task.title,
            "blocks": task.blocks,
            "count": task.count,
        }
        for task in tasks
    ]
    if rows:
        store.execute(insert(open_tasks), rows)
    report = {"municipality": municipality, "day": day}
    same = (reports.c.municipality == municipality, reports.c.day == day)
    if not store.execute(update(reports).where(*same).values(read_at=at)).rowcount:
        store.execute(insert(reports), [report | {"read_at": at}])
    for table in (open_tasks, reports):
        old = (table.c.municipality == municipality, table.c.day < day - KEPT_FOR)
        store.execute(delete(table).where(*old))


def _last_days(municipality: int | None) -> Subquery:
    return (
        select(reports.c.municipality, func.max(reports.c.day).label("day"))
        .where(*_of(reports, municipality))
        .group_by(reports.c.municipality)
        .subquery("ksd_last_days")
    )


def _same_report(table: Any, last: Subquery) -> Any:
    return and_(table.c.municipality == last.c.municipality, table.c.day == last.c.day)


def _of(table: Any, municipality: int | None) -> tuple[Any, ...]:
    return () if municipality is None else (table.c.municipality == municipality,)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
