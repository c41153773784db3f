"""Reading tasks as they stood at a moment: a shadow takes the place of the table in the statement itself.

The shadow is a common table expression that bears the table's name. Every filter, order and count that names the
table then means the shadow, without knowing of it. Titles, texts, comments, read marks and the fields of plug-ins
are today's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, case, column, event, func, or_, select, table
from sqlalchemy.orm import ORMExecuteState, aliased

from klik.domain.calendar import parse_date_range
from klik.domain.deadlines import end_of_day
from klik.domain.errors import InputError
from klik.models import EarlierState, MunicipalTask
from klik.models.remembering import TRACKED
from klik.services.criteria import Criteria
from klik.services.keeping import NOTHING_KEPT
from klik.services.work import Work

YESTERDAY = ("igaar", "i går")
_NAME = MunicipalTask.__tablename__


def past_day(typed: str, today: date) -> date:
    """The past day that a text of the language means: 2026-10-01, igaar, idag-7; raises InputError."""
    text = "idag-1" if typed.strip().casefold() in YESTERDAY else typed
    first, last = parse_date_range(text, today)
    if first is None or first != last:
        raise InputError("skriv en enkelt dag, fx 2026-10-01 eller idag-7")
    if first >= today:
        raise InputError("dagen skal ligge før i dag")
    return first


@dataclass(frozen=True, slots=True)
class Standing:
    """What a list is read with: ``day`` is the past day it is shown as of, None for now; ``criteria`` without a
    ``vis_som`` that means nothing, which is remarked instead."""

    work: Work
    criteria: Criteria
    day: date | None


@contextmanager
def asked(work: Work, criteria: Criteria) -> Iterator[Standing]:
    """Read within the block as ``vis_som`` of the criteria asks; without it as everything stands now."""
    day = None
    if criteria.as_of:
        try:
            day = past_day(criteria.as_of, work.today)
        except InputError as error:
            remark = f"Vis som: {str(error).rstrip('.')}. Listen er vist, som den står nu."
            criteria = replace(criteria, as_of="", remarks=(*criteria.remarks, remark))
    if day is None:
        yield Standing(work, criteria, None)
        return
    with as_of(work, day) as then:
        yield Standing(then, criteria, day)


@contextmanager
def as_of(work: Work, day: date) -> Iterator[Work]:
    """Within the block every statement of the session reads municipal tasks as they stood when ``day`` ended.

    The work it yields has its ``now`` in the last instant of that Danish day, so that colours and relative dates
    are that day's. Nothing may be written with it.
    """
    moment = end_of_day(day)
    shadow = _shadow(work, moment)

    def read_the_shadow(state: ORMExecuteState) -> None:
        if state.is_select:
            state.statement = state.statement.add_cte(shadow)  # type: ignore[attr-defined]

    event.listen(work.session, "do_orm_execute", read_the_shadow)
    try:
        yield standing_at(work, day)
    finally:
        event.remove(work.session, "do_orm_execute", read_the_shadow)


def standing_at(work: Work, day: date) -> Work:
    """The same work in the last instant of a Danish day; nothing of it is kept."""
    return replace(work, now=end_of_day(day) - timedelta(microseconds=1), kept=NOTHING_KEPT)


def did_not_match(work: Work, day: date, conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a task did not satisfy the conditions when ``day`` ended, or was not there yet.

    The conditions are made with ``standing_at(work, day)``.
    """
    matched = select(MunicipalTask.id).where(conditions).correlate(None)
    return MunicipalTask.id.not_in(matched.add_cte(_shadow(work, end_of_day(day)), nest_here=True))


def differences(
    work: Work, day: date, columns: Sequence[Any], pairs: Sequence[tuple[Any, ColumnElement[bool]]]
) -> Select[Any]:
    """The tasks of which a condition holds now but its twin did not when ``day`` ended; one statement.

    ``pairs`` are conditions as of now and as of the day. A row is the columns, then a 1 or 0 for each pair.
    """
    marks = [case((now, 1), else_=0).label(f"now_{place}") for place, (now, _then) in enumerate(pairs)]
    matching = (
        select(MunicipalTask.id, *columns, *marks).where(or_(*(now for now, _then in pairs))).cte("matching")
    )
    marks = [case((then, 1), else_=0).label(f"then_{place}") for place, (_now, then) in enumerate(pairs)]
    # Only what matches now can be new: the shadow of that day need hold no more.
    shadow = _shadow(work, end_of_day(day), only=select(matching.c.id))
    before = (
        select(MunicipalTask.id, *marks)
        .where(or_(*(then for _now, then in pairs)))
        .correlate(None)
        .add_cte(shadow, nest_here=True)
        .subquery("before")
    )
    new = [
        case(
            (and_(matching.c[f"now_{place}"] == 1, func.coalesce(before.c[f"then_{place}"], 0) == 0), 1),
            else_=0,
        )
        for place in range(len(pairs))
    ]
    return (
        select(*(matching.c[column.key] for column in columns), *new)
        .select_from(matching.outerjoin(before, before.c.id == matching.c.id))
        .where(or_(*(mark == 1 for mark in new)))
    )


def _shadow(work: Work, moment: datetime, only: Select[Any] | None = None) -> CTE:
    """The municipal tasks as they stood just before ``moment``; in a municipality only its own.

    ``only`` gives the ids that are asked for at all.
    """
    # Qualified, or the name would mean the shadow itself.
    schema = work.session.get_bind().dialect.default_schema_name
    columns = MunicipalTask.__table__.columns
    real = table(_NAME, *(column(each.name, each.type) for each in columns), schema=schema).alias("present")
    earlier, later = EarlierState.__table__.alias("earlier"), aliased(EarlierState)
    first = (
        select(func.min(later.until))
        .where(later.municipal_task_id == real.c.id, later.until >= moment)
        .correlate(real)
        .scalar_subquery()
    )

    def stood(name: str) -> Any:
        if name not in TRACKED:
            return real.c[name]
        # By presence of the row: what is empty in it was empty then.
        return case((earlier.c.until.is_not(None), earlier.c[name]), else_=real.c[name]).label(name)

    statement = (
        select(*(stood(each.name) for each in columns))
        .select_from(
            real.outerjoin(earlier, and_(earlier.c.municipal_task_id == real.c.id, earlier.c.until == first))
        )
        .where(real.c.created_at < moment)
    )
    actor = work.actor
    if actor is not None and actor.municipality_id is not None:
        statement = statement.where(real.c.municipality_id == actor.municipality_id)
    if only is not None:
        statement = statement.where(real.c.id.in_(only))
    return statement.cte(_NAME)
