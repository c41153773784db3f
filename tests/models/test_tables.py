"""The tables and what the database itself refuses, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from klik.installation import Installation
from klik.models import AuditEntry, Comment, Municipality, MunicipalTask
from klik.services import auditing, schema
from klik.services.auditing import breaks
from tests import make


def test_models_and_migrations_agree(house: Installation) -> None:
    assert schema.differences(house.database, house.registry) == []


def test_upgrading_twice_changes_nothing(house: Installation) -> None:
    schema.upgrade(house.database, house.registry)
    with house.database.reading() as session:
        assert len(session.scalars(select(Municipality)).all()) == 98


def test_a_lost_guard_is_noticed(house: Installation) -> None:
    with house.database.writing() as session:
        drop = "drop trigger audit_entries_stay"
        session.execute(text(drop if house.database.sqlite else f"{drop} on audit_entries"))
    assert schema.differences(house.database, house.registry) == [
        "klik: vagten audit_entries_stay mangler i databasen"
    ]


def test_a_child_of_another_municipalitys_task_cannot_exist(house: Installation) -> None:
    with house.database.writing() as session:
        mette = make.person(session)
        task = make.municipal_task(session)
        ours = task.id
    with pytest.raises(IntegrityError), house.database.writing() as session:
        session.add(
            Comment(
                municipality_id=make.HERNING,
                municipal_task_id=ours,
                author_id=mette.id,
                at=make.NOW,
                text="x",
            )
        )


def test_somebody_from_another_municipality_cannot_be_responsible(house: Installation) -> None:
    with house.database.writing() as session:
        stranger = make.person(session, municipality=make.HERNING)
        task = make.municipal_task(session)
    with pytest.raises(IntegrityError), house.database.writing() as session:
        session.execute(
            update(MunicipalTask).where(MunicipalTask.id == task.id).values(responsible_id=stranger.id)
        )


@pytest.mark.parametrize(
    "statement",
    [
        "update municipal_tasks set municipality_id = 657",
        "delete from municipal_tasks",
        "update municipal_tasks set erased_at = created_at",
        "update audit_entries set action = 'x'",
        "delete from audit_entries",
    ],
)
def test_raw_sql_is_refused(house: Installation, statement: str) -> None:
    with house.writing(make.NOW) as work:
        make.municipal_task(work.session)
        auditing.record(work, "act", "thing/1")
    with pytest.raises(DBAPIError), house.database.writing() as session:
        session.execute(text(statement))


def test_the_announced_last_day_never_comes_earlier(house: Installation) -> None:
    with house.database.writing() as session:
        session.execute(
            text(
                "insert into deletions (state, last_day, heading, legal_basis, decided_by, decided_on,"
                " announced_at, version) values ('varslet', '2027-01-31', 'h', 'b', 'd', '2026-11-01',"
                " '2026-11-21 07:00:00', 1)"
            )
        )
    later = "update deletions set last_day = '2027-02-28'"
    with house.database.writing() as session:
        session.execute(text(later))
    with pytest.raises(DBAPIError), house.database.writing() as session:
        session.execute(text("update deletions set last_day = '2027-02-27'"))


def test_the_audit_chain_holds_and_a_change_behind_it_is_found(house: Installation) -> None:
    for number in range(5):
        with house.writing(make.NOW + timedelta(minutes=number)) as work:
            auditing.record(work, "act", f"thing/{number}", {"count": number}, make.KOEGE)
    with house.database.reading() as session:
        assert list(breaks(session)) == []
    with house.database.writing() as session:
        drop = "drop trigger audit_entries_stay"
        session.execute(text(drop if house.database.sqlite else f"{drop} on audit_entries"))
        session.execute(update(AuditEntry).where(AuditEntry.id == 3).values(subject="thing/9"))
    with house.database.reading() as session:
        assert [found.number for found in breaks(session)] == [3]


def test_dates_and_instants_come_back_as_they_went(house: Installation) -> None:
    with house.database.writing() as session:
        task = make.municipal_task(session, deadline=date(2027, 3, 28))
    with house.database.reading() as session:
        found = session.get_one(MunicipalTask, task.id)
        assert (found.deadline, found.created_at) == (date(2027, 3, 28), make.NOW)
        assert found.created_at.tzinfo is not None
