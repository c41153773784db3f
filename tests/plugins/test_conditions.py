"""A plug-in's filter is about the row at hand: it sees no other rows, and no page falls over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    MetaData,
    String,
    Table,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    text,
    true,
)

from klik.installation import Installation
from klik.models import MunicipalTask
from klik.plugins import Filter, FilterQuestion
from klik.plugins.conditions import is_harmless
from klik.services import filtering
from klik.settings import Settings
from tests import make
from tests.plugins.rogues import plugin

TASKS: Table = MunicipalTask.__table__  # type: ignore[assignment]
OWN = Table("x_marks", MetaData(), Column("task", Integer), Column("word", String(20)))
PEOPLE = Table("people", MetaData(), Column("id", Integer), Column("name", String(20)))
OTHERS = TASKS.alias()
T = TASKS.c


@pytest.mark.parametrize(
    "condition",
    [
        T.title == "a",
        or_(T.priority == "hoej", T.deadline.is_(None)),
        not_(T.title.ilike("%a%")),
        func.lower(T.title).startswith("a"),
        cast(T.number_key, String) == "a",
        T.id.in_(select(OWN.c.task).where(OWN.c.word == "a")),
        exists(select(OWN.c.task).where(OWN.c.task == T.id)),
        true(),
        literal(1) == 1,
    ],
)
def test_what_a_filter_may_ask(condition: Any) -> None:
    assert is_harmless(condition, "x", TASKS, [])


@pytest.mark.parametrize(
    "condition",
    [
        None,
        True,
        "a",
        object(),
        text("1=1) or (1=1"),
        literal_column("1=1) or (1=1"),
        T.title.op("= 'a' or 1=1 or")("a"),
        column("title") == "a",
        T.id.in_(text("select 1")),
        PEOPLE.c.name == "a",
        OWN.c.word == "a",
        T.id.in_(select(PEOPLE.c.id)),
        exists(select(PEOPLE.c.id).where(PEOPLE.c.id == T.responsible_id)),
        exists(select(table("people", column("id")))),
        exists(select(OTHERS.c.id).where(OTHERS.c.title == T.title)),
        exists(select(OWN.c.task).where(OWN.c.task == T.id).correlate(None)),
        T.id.in_(select(select(T.id).subquery().c.id)),
        exists(select(OWN.c.task).join(PEOPLE, PEOPLE.c.id == OWN.c.task)),
        select(T.id).cte("a").c.id == 1,
    ],
)
def test_what_it_may_not(condition: Any) -> None:
    assert not is_harmless(condition, "x", TASKS, [])


def answers(settings: Settings, where: Callable[..., Any]) -> Iterator[tuple[Installation, Any]]:
    loaded = plugin(
        "x", klik_filters=lambda: (Filter(key="x.filter", label="X-filter", where=where, describe=str),)
    )
    house = Installation(settings, plugins=[loaded])
    try:
        with house.writing(make.NOW) as work:
            make.municipal_task(work.session, title="Vores")
            make.municipal_task(work.session, title="Aarhus' egen", municipality=make.AARHUS)
            person = make.person(work.session)
            mine = make.actor(work.session, person)
        with house.reading(make.NOW, mine) as work:
            chosen = filtering.select_tasks(work, filtering.read(house.registry, "x.filter=a"))
            titles = work.session.scalars(select(MunicipalTask.title).where(chosen.where())).all()
            assert "Aarhus' egen" not in titles
            yield house, (titles, chosen.remarks)
    finally:
        house.close()


def _field(_values: Any, question: FilterQuestion) -> ColumnElement[bool]:
    return or_(
        question.columns.field("x.felt").is_(None), func.lower(question.columns.field("x.felt")) == "a"
    )


@pytest.mark.parametrize("where", [_field, lambda _v, _q: true(), lambda _v, _q: or_(T.id > 0, true())])
def test_a_good_filter_finds_only_what_may_be_seen(
    house_settings: Settings, where: Callable[..., Any]
) -> None:
    for house, (titles, remarks) in answers(house_settings, where):
        assert (titles, remarks) == (["Vores"], ())
        assert house.registry.guard.faults() == {}


@pytest.mark.parametrize(
    "where",
    [
        lambda _v, _q: func.findes_ikke(T.title) == 1,
        lambda _v, _q: T.id.in_(select(OWN.c.task)),  # its table was never made
        lambda _v, _q: T.id == object(),
        lambda _v, _q: literal_column("1=1) or (1=1"),
        lambda _v, _q: None,
    ],
)
def test_what_the_database_refuses_is_left_out_and_named(
    house_settings: Settings, where: Callable[..., Any]
) -> None:
    for house, (titles, remarks) in answers(house_settings, where):
        assert titles == ["Vores"]
        assert remarks == ("Udvidelsen X svarede ikke, så filteret “X-filter” er ikke brugt.",)
        assert next(iter(house.registry.guard.faults())).startswith("x.filter")
