"""A stamp rises with every change that a page could show, of the right municipality and part, and with no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from klik.domain.status import Status
from klik.installation import Installation
from klik.models import DataStamp, LoginSession, MunicipalTask, Person, ReadMark, stamps
from klik.models.stamps import EVERYONE, Part
from klik.services import schema
from tests import make

KOEGE, HERNING = make.KOEGE, make.HERNING
Raised = set[tuple[int, Part]]


def _stamps(session: Session) -> Mapping[tuple[int, Part], int]:
    rows = session.execute(
        select(DataStamp.municipality_id, DataStamp.part, func.sum(DataStamp.stamp)).group_by(
            DataStamp.municipality_id, DataStamp.part
        )
    )
    return {(place, Part(part)): int(stamp) for place, part, stamp in rows}


def _raised(house: Installation, change: Callable[[Session], object]) -> Raised:
    """Whose stamps rise by a change; none may fall."""
    with house.reading(make.NOW) as work:
        before = _stamps(work.session)
    with house.writing(make.NOW) as work:
        change(work.session)
    with house.reading(make.NOW) as work:
        after = _stamps(work.session)
    assert all(after[key] >= stamp for key, stamp in before.items())
    return {key for key, stamp in after.items() if stamp != before.get(key)}


@pytest.fixture
def task(house: Installation) -> MunicipalTask:
    """Køge's task; Herning has one of the same."""
    with house.writing(make.NOW) as work:
        version = make.task(work.session)
        make.municipal_task(work.session, version, municipality=HERNING)
        return make.municipal_task(work.session, version)


def test_a_task_raises_its_own_municipalitys(house: Installation, task: MunicipalTask) -> None:
    own = {(KOEGE, Part.TASKS)}
    change = "update municipal_tasks set status = '%s' where id = %d" % (Status.IN_PROGRESS.value, task.id)  # noqa: UP031
    assert _raised(house, lambda session: session.execute(text(change))) == own
    assert _raised(house, lambda session: make.municipal_task(session, local=True)) == own


def test_one_statement_raises_all_it_touches(house: Installation, task: MunicipalTask) -> None:
    everywhere = text("update municipal_tasks set title = 'Nyt' where task_id = :task")
    assert _raised(house, lambda session: session.execute(everywhere, {"task": task.task_id})) == {
        (KOEGE, Part.TASKS),
        (HERNING, Part.TASKS),
    }


def test_people_and_projects_raise_the_frames(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        mette = make.person(work.session, "Mette Holm")
    everyone, own = (EVERYONE, Part.FRAME), (KOEGE, Part.FRAME)
    assert _raised(house, lambda session: make.person(session, "Lars Lund")) == {everyone, own}
    rename = "update people set name = 'Mette Lund', name_key = 'x' where id = :person"
    assert _raised(house, lambda session: session.execute(text(rename), {"person": mette.id})) == {everyone}
    assert _raised(house, lambda session: make.project(session, "ksd", system_code=None)) == {everyone}


def test_a_visit_raises_nothing(house: Installation, task: MunicipalTask) -> None:
    with house.writing(make.NOW) as work:
        mette = make.person(work.session)
        membership = make.actor(work.session, mette).membership_id
    opened = LoginSession(
        id="x" * 64,
        person_id=mette.id,
        membership_id=membership,
        epoch=1,
        created_at=make.NOW,
        seen_at=make.NOW,
        expires_at=make.NOW,
        browser="",
    )

    def visit(session: Session) -> None:
        session.add(opened)
        mark = {"municipality_id": KOEGE, "municipal_task_id": task.id, "seen_at": make.NOW}
        session.add(ReadMark(person_id=mette.id, **mark))
        there = session.get(Person, mette.id)
        assert there is not None
        there.seen_at, there.epoch = make.NOW, 7

    assert _raised(house, visit) == set()


def test_what_is_undone_raises_nothing(house: Installation, task: MunicipalTask) -> None:
    with house.reading(make.NOW) as work:
        before = _stamps(work.session)
    with pytest.raises(ZeroDivisionError), house.writing(make.NOW) as work:
        work.session.execute(text("update municipal_tasks set title = 'Nyt'"))
        assert _stamps(work.session) != before
        raise ZeroDivisionError
    with house.reading(make.NOW) as work:
        assert _stamps(work.session) == before


def test_two_who_write_at_once_neither_wait_nor_come_to_the_same_stamp(
    house: Installation, task: MunicipalTask
) -> None:
    if house.database.sqlite:
        return  # SQLite has one writer at a time.
    change = text("update municipal_tasks set version = version + 1 where municipality_id = :place")
    engine = house.database.engine
    seen = []
    with house.reading(make.NOW) as work:
        seen.append(_stamps(work.session)[KOEGE, Part.TASKS])
    local = make.municipal_task
    with house.writing(make.NOW) as work:
        other = local(work.session, local=True).id
    with house.reading(make.NOW) as work:
        seen.append(_stamps(work.session)[KOEGE, Part.TASKS])
    with engine.connect() as first, engine.connect() as second:
        backends = {connection.scalar(text("select pg_backend_pid()")) for connection in (first, second)}
        assert len({backend % stamps.SLOTS for backend in backends}) == 2
        second.execute(text("set lock_timeout = 2000"))
        one = text("update municipal_tasks set version = version + 1 where id = :id")
        first.execute(one, {"id": task.id})
        second.execute(one, {"id": other})
        # Each also touches what the other one has touched: with one row a municipality they would deadlock.
        first.execute(change, {"place": HERNING})
        second.commit()
        with house.reading(make.NOW) as work:
            seen.append(_stamps(work.session)[KOEGE, Part.TASKS])
        first.commit()
    with house.reading(make.NOW) as work:
        seen.append(_stamps(work.session)[KOEGE, Part.TASKS])
    assert seen == sorted(set(seen))


def test_a_stamp_is_never_below_the_clock(house: Installation, task: MunicipalTask) -> None:
    """After a restored backup new changes must not come to stamps that an older state once had."""
    with house.writing(make.NOW) as work:
        work.session.execute(text("update data_stamps set stamp = 1"))
        work.session.execute(text("update municipal_tasks set title = 'Nyt'"))
    with house.reading(make.NOW) as work:
        assert _stamps(work.session)[KOEGE, Part.TASKS] > 1_700_000_000_000


def test_a_trigger_that_is_gone_is_missed_and_made_anew(house: Installation) -> None:
    gone = "municipal_tasks_stamped_update"
    with house.writing(make.NOW) as work:
        on = "" if house.database.sqlite else " on municipal_tasks"
        work.session.execute(text(f"drop trigger {gone}{on}"))
    assert any(gone in line for line in schema.differences(house.database, house.registry))
    schema.upgrade(house.database, house.registry)
    with house.writing(make.NOW) as work:
        assert stamps.missing(work.session.connection()) == []
