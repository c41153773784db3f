"""What the database remembers by itself of how tasks stood, to raw SQL too, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from klik.domain.status import Status
from klik.installation import Installation
from klik.models import EarlierState, MunicipalTask, remembering
from klik.services import schema
from tests import make

LATER = make.NOW + timedelta(hours=2)


def _earlier(house: Installation) -> Sequence[Any]:
    columns = EarlierState.__table__.columns
    with house.database.reading() as session:
        return session.execute(select(*columns).order_by(columns.municipal_task_id, columns.until)).all()


def _change(house: Installation, **values: Any) -> None:
    with house.database.writing() as session:
        session.execute(update(MunicipalTask).values(**values))


@pytest.fixture
def task(house: Installation) -> MunicipalTask:
    with house.database.writing() as session:
        return make.municipal_task(session, deadline=date(2026, 12, 24))


def test_what_stood_before_a_change_is_kept_until_the_change(
    house: Installation, task: MunicipalTask
) -> None:
    _change(house, status="i-gang", changed_at=LATER)
    (kept,) = _earlier(house)
    assert (kept.municipal_task_id, kept.municipality_id, kept.until) == (task.id, make.KOEGE, LATER)
    assert {name: getattr(kept, name) for name in remembering.TRACKED} == {
        name: getattr(task, name) for name in remembering.TRACKED
    }


def test_raw_sql_over_many_rows_is_remembered(house: Installation, task: MunicipalTask) -> None:
    with house.database.writing() as session:
        make.municipal_task(session, municipality=make.HERNING)
    with house.database.writing() as session:
        session.execute(
            text("update municipal_tasks set priority = 'hoej', changed_at = '2026-11-22 08:00:00+00:00'")
            if not house.database.sqlite
            else text(
                "update municipal_tasks set priority = 'hoej', changed_at = '2026-11-22 08:00:00.000000'"
            )
        )
    assert [(kept.municipality_id, kept.priority) for kept in _earlier(house)] == [
        (make.KOEGE, "normal"),
        (make.HERNING, "normal"),
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"changed_at": LATER},
        {"changed_at": LATER, "title": "Et nyt navn", "version": 7},
        {"changed_at": LATER, "status": Status.NOT_STARTED.value, "responsible_id": None},
        {"changed_at": make.NOW, "status": "i-gang"},
        {"changed_at": make.NOW - timedelta(days=1), "status": "i-gang"},
    ],
)
def test_nothing_is_kept_where_nothing_changed_or_time_stood_still(
    house: Installation, task: MunicipalTask, values: dict[str, Any]
) -> None:
    _change(house, **values)
    assert _earlier(house) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("deadline", None),
        ("deadline", date(2027, 1, 1)),
        ("completed_on", date(2026, 11, 21)),
        ("responsible_role", "projektleder"),
        ("infrastructure", True),
        ("withdrawn_at", LATER),
    ],
)
def test_a_change_from_or_to_nothing_is_a_change(
    house: Installation, task: MunicipalTask, column: str, value: object
) -> None:
    _change(house, **{column: value, "changed_at": LATER})
    (kept,) = _earlier(house)
    assert getattr(kept, column) == getattr(task, column)


def test_two_changes_at_one_instant_keep_what_stood_before_both(
    house: Installation, task: MunicipalTask
) -> None:
    _change(house, status="i-gang", changed_at=LATER)
    _change(house, changed_at=make.NOW)
    _change(house, status="fuldfoert", changed_at=LATER)
    assert [(kept.until, kept.status) for kept in _earlier(house)] == [(LATER, "ikke-paabegyndt")]


def test_what_is_erased_leaves_no_earlier_states(house: Installation, task: MunicipalTask) -> None:
    _change(house, status="i-gang", changed_at=LATER)
    with house.database.writing() as session:
        # The guard asks for an archive file first; only the forgetting is looked at here.
        guard = "drop trigger municipal_tasks_erased_after_archive"
        session.execute(text(guard if house.database.sqlite else f"{guard} on municipal_tasks"))
    _change(
        house, erased_at=LATER + timedelta(hours=1), status="fuldfoert", changed_at=LATER + timedelta(hours=1)
    )
    assert _earlier(house) == []


def test_lost_memory_is_noticed(house: Installation) -> None:
    with house.database.writing() as session:
        drop = f"drop trigger {remembering.REMEMBERED}"
        session.execute(text(drop if house.database.sqlite else f"{drop} on municipal_tasks"))
    assert schema.differences(house.database, house.registry) == [
        f"klik: vagten {remembering.REMEMBERED} mangler i databasen"
    ]
