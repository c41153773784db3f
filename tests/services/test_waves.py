"""Moving a wave or a municipality: what is foreseen is what is done, and nothing else is touched."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import event, func, select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    Deviation,
    EarlierState,
    Municipality,
    MunicipalSystem,
    MunicipalTask,
    Notice,
    TaskChange,
    TaskVersion,
    Wave,
)
from klik.services import waves
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.waves import Leaving, NewGoLive, Placing, words
from klik.services.work import Work
from tests import make

LIVE = date(2027, 3, 1)
B2_LIVE = date(2027, 3, 29)
LATER = make.NOW + timedelta(hours=2)


def _version(work: Work, days: str = "90", rule: str = "core.days-before-go-live") -> TaskVersion:
    version = make.task(work.session, in_project=make.project(work.session, "ky", system_code="ky"))
    version.deadline_rule, version.deadline_parameter = rule, days
    return version


def _copy(work: Work, version: TaskVersion, municipality: int = make.KOEGE, **facts: object) -> MunicipalTask:
    deadline = facts.pop("deadline", None) or LIVE - timedelta(days=int(version.deadline_parameter))
    return make.municipal_task(work.session, version, municipality=municipality, deadline=deadline, **facts)  # type: ignore[arg-type]


def _world(work: Work) -> tuple[Wave, Wave, MunicipalSystem]:
    b1 = make.wave(work.session, "b1", go_live=LIVE)
    b2 = make.wave(work.session, "b2", go_live=B2_LIVE)
    here = make.has_system(work.session, code="ky", wave=b1)
    make.has_system(work.session, make.HERNING, "ky", wave=b1)
    return b1, b2, here


def test_a_wave_moves_the_open_deadlines_and_leaves_closed_own_and_fixed_ones(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        b1, _b2, _here = _world(work)
        person = make.person(work.session)
        version, fixed = _version(work), _version(work, "2026-12-21", "core.date")
        moved = _copy(work, version, responsible=person)
        own = _copy(work, version, make.HERNING, deadline=date(2026, 12, 15))
        own.deadline_is_own = True
        closed = _copy(work, _version(work, "30"), status=Status.COMPLETED)
        still = _copy(work, fixed, deadline=date(2026, 12, 21))
        ids = [row.id for row in (moved, own, closed, still)]
        change = NewGoLive(b1.id, LIVE + timedelta(days=28), b1.version)
        foreseen = waves.foresee(work, "ky", change)
        assert words.sentences(foreseen)[:2] == (
            "1 frist flyttes 28 dage frem",
            "1 afsluttet opgave flyttes ikke",
        )
        assert "1 har en egen frist" in words.sentences(foreseen)[2]
        assert work.session.get_one(Wave, b1.id).go_live == LIVE
    with house.writing(LATER) as work:
        done = waves.carry_out(work, "ky", change, str(uuid.uuid4()))
        assert done is not None and words.sentences(done) == words.sentences(foreseen)
        assert words.lines(done) == words.lines(foreseen)
    with house.reading(LATER) as work:
        rows = [work.session.get_one(MunicipalTask, number) for number in ids]
        assert [row.deadline for row in rows] == [
            date(2026, 12, 29),
            date(2026, 12, 15),
            date(2027, 1, 30),
            date(2026, 12, 21),
        ]
        assert [row.deadline_version for row in rows] == [2, 1, 1, 1]
        assert [row.changed_at == LATER for row in rows] == [True, False, False, False]
        assert rows[0].yellow_from == date(2026, 12, 15)
        deviation = work.session.scalars(select(Deviation)).one()
        assert (deviation.municipal_task_id, deviation.field) == (ids[1], "deadline")
        assert (deviation.central_old, deviation.central_new, deviation.local) == (
            "2026-12-01",
            "2026-12-29",
            "2026-12-15",
        )
        change_row = work.session.scalars(select(TaskChange)).one()
        assert (change_row.old, change_row.new, change_row.via) == (
            "1. december 2026",
            "29. december 2026",
            "boelge",
        )
        notice = work.session.scalars(select(Notice)).one()
        assert notice.dedupe_key.startswith(f"frist-flyttet/mt={ids[0]}/v=2/")
        assert "fra 1. december 2026 til 29. december 2026" in notice.sentence
        assert work.session.scalars(select(EarlierState.deadline)).all() == [date(2026, 12, 1)]
        assert work.session.scalar(select(func.count(AuditEntry.id))) == 3


def test_a_second_move_settles_the_open_deviation_with_its_own(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        b1, _b2, _here = _world(work)
        own = _copy(work, _version(work), deadline=date(2026, 12, 15))
        own.deadline_is_own = True
        work.session.flush()
        for weeks in (6, 10):
            work.session.refresh(b1)
            waves.carry_out(work, "ky", NewGoLive(b1.id, LIVE + timedelta(weeks=weeks), b1.version))
        rows = work.session.scalars(select(Deviation).order_by(Deviation.id)).all()
        assert [row.settled_at is None for row in rows] == [False, True]
        assert [row.central_new for row in rows] == ["2027-01-12", "2027-02-09"]


def test_a_municipality_moves_to_another_wave_and_then_gets_a_day_of_its_own(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        _b1, b2, here = _world(work)
        copy = _copy(work, _version(work))
        away = _copy(work, work.session.get_one(TaskVersion, copy.task_version_id), make.HERNING)
        waves.carry_out(work, "ky", Placing(make.KOEGE, b2.id, None, here.version))
        assert copy.deadline == date(2026, 12, 29)
        work.session.refresh(here)
        waves.carry_out(work, "ky", Placing(make.KOEGE, b2.id, date(2027, 4, 1), here.version))
        work.session.flush()
        work.session.refresh(copy)
        assert (copy.deadline, copy.deadline_version) == (date(2027, 1, 1), 3)
        assert away.deadline == date(2026, 12, 1)
        # Whoever has a day of its own stays when the wave moves.
        work.session.refresh(b2)
        plan = waves.carry_out(work, "ky", NewGoLive(b2.id, None, b2.version))
        assert plan is not None and not plan.moved


def test_without_a_go_live_the_deadline_is_lost_and_comes_again(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        b1, _b2, _here = _world(work)
        copy = _copy(work, _version(work))
        plan = waves.carry_out(work, "ky", NewGoLive(b1.id, None, b1.version))
        assert plan is not None and "mister sin dato" in words.sentences(plan)[0]
        assert (copy.deadline, copy.yellow_from) == (None, None)
        work.session.refresh(b1)
        waves.carry_out(work, "ky", NewGoLive(b1.id, LIVE, b1.version))
        assert copy.deadline == date(2026, 12, 1)


def test_an_old_version_is_a_conflict_and_a_second_press_does_nothing(house: Installation) -> None:
    key = str(uuid.uuid4())
    with house.writing(make.NOW) as work:
        b1, b2, here = _world(work)
        _copy(work, _version(work))
        change = Placing(make.KOEGE, b2.id, None, here.version)
        assert waves.carry_out(work, "ky", change, key) is not None
    with house.writing(LATER) as work:
        assert waves.carry_out(work, "ky", change, key) is None
        assert work.session.scalar(select(func.count(TaskChange.id))) == 1
        with pytest.raises(ConflictError):
            waves.carry_out(work, "ky", change, str(uuid.uuid4()))
        with pytest.raises(ConflictError):
            waves.carry_out(work, "ky", NewGoLive(b1.id, None, b1.version + 1))


def test_what_does_not_exist_or_belongs_to_another_system_is_refused(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        b1, _b2, here = _world(work)
        make.system(work.session, "kp")
        with pytest.raises(NotFoundError):
            waves.foresee(work, "findes-ikke", Leaving(make.KOEGE, 1))
        with pytest.raises(NotFoundError):
            waves.foresee(work, "kp", NewGoLive(b1.id, LIVE, 1))
        with pytest.raises(NotFoundError):
            waves.foresee(work, "ky", Placing(9999, None, None, None))
        with pytest.raises(RefusedError):
            waves.foresee(work, "kp", Placing(make.KOEGE, b1.id, None, None))
        with pytest.raises(RefusedError):
            waves.foresee(work, "ky", Placing(make.KOEGE, None, date(1999, 1, 1), here.version))
        leader = make.person(work.session, level=Level.ADMINISTRATOR)
        mine = Work(work.session, make.actor(work.session, leader), work.now, work.registry)
        with pytest.raises(ForbiddenError):
            waves.carry_out(mine, "ky", Leaving(make.KOEGE, here.version))


def test_who_leaves_keeps_its_open_tasks_and_their_deadlines(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        _b1, _b2, here = _world(work)
        copy = _copy(work, _version(work))
        plan = waves.carry_out(work, "ky", Leaving(make.KOEGE, here.version))
        assert plan is not None
        assert words.sentences(plan) == ("1 åben opgave bliver hos kommunen med deres frister",)
        assert copy.deadline == date(2026, 12, 1)
        assert work.session.scalars(select(MunicipalSystem.municipality_id)).all() == [make.HERNING]


def test_the_statements_do_not_grow_with_municipalities_and_tasks(house: Installation) -> None:
    counts = []
    for size in (1, 12):
        with house.writing(make.NOW) as work:
            wave = make.wave(work.session, f"s{size}", go_live=LIVE)
            codes = _municipalities(work, size)
            for code in codes:
                row = work.session.scalar(
                    select(MunicipalSystem).where(MunicipalSystem.municipality_id == code)
                ) or make.has_system(work.session, code, "ky")
                row.wave_id = wave.id
            for _number in range(size):
                version = _version(work)
                for code in codes:
                    _copy(work, version, code)
            work.session.flush()
            work.session.expire_all()
            number, version_number = wave.id, wave.version
            statements: list[str] = []

            def note(*facts: object, seen: list[str] = statements) -> None:
                seen.append(str(facts[2]))

            event.listen(house.database.engine, "before_cursor_execute", note)
            plan = waves.carry_out(work, "ky", NewGoLive(number, LIVE + timedelta(days=7), version_number))
            event.remove(house.database.engine, "before_cursor_execute", note)
            assert plan is not None and len(plan.moved) == size * size
            counts.append(len(statements))
    assert counts[1] <= counts[0] + 2, counts


def _municipalities(work: Work, count: int) -> list[int]:
    return list(work.session.scalars(select(Municipality.id).order_by(Municipality.id).limit(count)))
