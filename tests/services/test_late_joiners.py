"""A municipality that gets a system later: the published tasks once, with its own deadlines, and one notice."""

from __future__ import annotations

import threading
import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from klik.domain.life import State
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalSystem, MunicipalTask, Notice, Task, TaskVersion
from klik.plugins.views import MunicipalityView
from klik.services import waves
from klik.services.errors import ConflictError
from klik.services.publishing import RecipientChoice, audience, late
from klik.services.publishing.late import Skipped
from klik.services.tasks import changing
from klik.services.tasks.steps import Changes
from klik.services.waves import Placing, words
from klik.services.work import Work
from tests import make
from tests.services.test_statements import counted

LIVE = date(2027, 3, 1)
KOEGE = MunicipalityView(
    code=make.KOEGE, name="Køge", region="Region Sjælland", wave="b2", go_live=date(2027, 3, 1)
)


def _published(
    work: Work, rule: str, parameter: str, recipients: str | None = None, state: str = "udgivet"
) -> TaskVersion:
    project = make.project(work.session, "ky", system_code="ky")
    version = make.task(work.session, in_project=project, state=state)
    version.deadline_rule, version.deadline_parameter = rule, parameter
    task = work.session.get_one(Task, version.task_id)
    task.recipients = recipients
    # Published two months before the municipality joins.
    task.published_at = make.NOW - timedelta(days=60)
    task.recipient_count = 97
    work.session.flush()
    return version


def _six_tasks(work: Work) -> dict[str, TaskVersion]:
    return {
        "go-live": _published(work, "core.days-before-go-live", "90"),
        "after": _published(work, "core.days-after-publication", "30", "system"),
        "passed": _published(work, "core.date", "2026-11-01", "undtagen:101"),
        "listed": _published(work, "core.date", "2027-01-01", "101,147"),
        "elsewhere": _published(work, "core.date", "2027-01-01", "bølge:ky/b1"),
        "withdrawn": _published(work, "core.date", "2027-01-01", state=State.WITHDRAWN.value),
        "draft": _published(work, "core.date", "2027-01-01", state=State.DRAFT.value),
    }


def test_the_municipality_gets_what_covers_it_with_its_own_deadlines_and_one_notice(
    house: Installation,
) -> None:
    with house.writing(make.NOW) as work:
        b2 = make.wave(work.session, "b2", go_live=LIVE)
        make.person(work.session, level=Level.PLUS_USER)
        tasks = _six_tasks(work)
        change = Placing(make.KOEGE, b2.id, None, None)
        said = words.sentences(waves.foresee(work, "ky", change))
        assert said == (
            "Ingen frister flyttes",
            "3 opgaver oprettes",
            "1 af dem til orientering, fordi fristen er passeret",
            "3 opgaver springes over",
        )
        assert work.session.scalar(select(func.count(MunicipalTask.id))) == 0
        plan = waves.carry_out(work, "ky", change)
        assert plan is not None and words.sentences(plan) == said
        assert plan.late is not None
        assert [skip.why for skip in plan.late.skipped] == [
            Skipped.LISTED,
            Skipped.ELSEWHERE,
            Skipped.WITHDRAWN,
        ]
        rows = {row.task_version_id: row for row in work.session.scalars(select(MunicipalTask))}
        dates = {
            name: (rows[version.id].deadline, rows[version.id].for_information)
            for name, version in tasks.items()
            if version.id in rows
        }
        assert dates == {
            "go-live": (date(2026, 12, 1), False),
            "after": (date(2026, 12, 21), False),
            "passed": (None, True),
        }
        notice = work.session.scalars(select(Notice)).one()
        assert notice.heading == "3 opgaver for Kommunernes Ydelsessystem er kommet til"
        assert "Én er til orientering" in notice.sentence
        assert work.session.get_one(Task, tasks["after"].task_id).recipient_count == 98


def test_a_second_time_gives_nothing_more(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        b2 = make.wave(work.session, "b2", go_live=LIVE)
        _six_tasks(work)
        waves.carry_out(work, "ky", Placing(make.KOEGE, b2.id, None, None))
        row = work.session.scalars(select(MunicipalSystem)).one()
        plan = waves.carry_out(work, "ky", Placing(make.KOEGE, b2.id, None, row.version))
        assert plan is not None and plan.late is not None
        assert (plan.late.offers, plan.late.there) == ((), 3)
        assert work.session.scalar(select(func.count(MunicipalTask.id))) == 3


def test_a_move_to_a_wave_brings_the_tasks_published_to_it(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        b2, b3 = make.wave(work.session, "b2", go_live=LIVE), make.wave(work.session, "b3", go_live=LIVE)
        row = make.has_system(work.session, code="ky", wave=b2)
        _published(work, "core.date", "2027-01-01", "bølge:b3")
        plan = waves.carry_out(work, "ky", Placing(make.KOEGE, b3.id, None, row.version))
        assert plan is not None and plan.late is not None and len(plan.late.offers) == 1


def test_what_came_for_information_gets_a_deadline_when_the_go_live_moves_ahead(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        _published(work, "core.days-before-go-live", "90")
        waves.carry_out(work, "ky", Placing(make.KOEGE, None, date(2026, 12, 24), None))
        copy = work.session.scalars(select(MunicipalTask)).one()
        assert (copy.for_information, copy.deadline) == (True, None)
        row = work.session.scalars(select(MunicipalSystem)).one()
        waves.carry_out(work, "ky", Placing(make.KOEGE, None, LIVE, row.version))
        work.session.refresh(copy)
        assert (copy.for_information, copy.deadline) == (False, date(2026, 12, 1))


def test_what_came_for_information_and_gets_an_own_deadline_is_a_task_like_any_other(
    house: Installation,
) -> None:
    with house.writing(make.NOW) as work:
        _published(work, "core.days-before-go-live", "90")
        waves.carry_out(work, "ky", Placing(make.KOEGE, None, date(2026, 12, 24), None))
        copy = work.session.scalars(select(MunicipalTask)).one()
        assert copy.for_information
        changing.change(work, copy.id, copy.version, Changes(deadline=date(2026, 12, 20)))
        assert (copy.for_information, copy.deadline) == (False, date(2026, 12, 20))


def test_after_publication_still_counts_from_the_day_it_came_when_the_wave_moves(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        _published(work, "core.days-after-publication", "30")
        waves.carry_out(work, "ky", Placing(make.KOEGE, None, LIVE, None))
        row = work.session.scalars(select(MunicipalSystem)).one()
        plan = waves.carry_out(work, "ky", Placing(make.KOEGE, None, date(2027, 5, 1), row.version))
        assert plan is not None and not plan.moved


def test_two_who_add_the_same_municipality_at_once_make_each_task_once(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        _six_tasks(work)
    keys = [str(uuid.uuid4()), str(uuid.uuid4())]
    found: list[object] = []
    start = threading.Barrier(4)

    def add(key: str) -> None:
        start.wait()
        try:
            with house.writing(make.NOW) as work:
                found.append(waves.carry_out(work, "ky", Placing(make.KOEGE, None, LIVE, None), key))
        except ConflictError as error:
            found.append(error)

    threads = [threading.Thread(target=add, args=(keys[number % 2],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.reading(make.NOW) as work:
        assert work.session.scalar(select(func.count(MunicipalTask.id))) == 3
        assert work.session.scalar(select(func.count(MunicipalSystem.id))) == 1
    # One did it, the same key again found it done, and the other key was told of the newer row.
    assert len(found) == 4
    assert sum(isinstance(each, waves.Plan) for each in found) == 1
    assert sum(each is None for each in found) == 1


@pytest.mark.parametrize(
    ("choice", "covered"),
    [
        ("all", True),
        ("alle", True),
        ("259", False),
        ("bølge:ky/b2", True),
        ("bølge:b2", True),
        ("bølge:ky/b1", False),
        ("bølge:kp/b2", False),
        ("region:Sjælland", True),
        ("region:Hovedstaden", False),
        ("undtagen:101", True),
        ("undtagen:259", False),
        ("undtagen:Køge", False),
        ("undtagen:Greve", True),
        ("kommuner:Køge", False),
        ("system+undtagen:101", True),
        ("system+region:Sjælland", True),
    ],
)
def test_which_choices_cover_a_municipality_that_comes_later(
    house: Installation, choice: str, covered: bool
) -> None:
    with house.reading(make.NOW) as work:
        places = audience.places_of(work)
    assert late.covers(RecipientChoice.parse(choice), KOEGE, "ky", places) is covered


def test_many_tasks_come_in_as_many_statements_as_a_few(house: Installation) -> None:
    def asked(more: int) -> int:
        with house.writing(make.NOW) as work:
            for number in range(more):
                version = _published(
                    work,
                    "core.days-after-publication",
                    "30",
                    f"undtagen:{make.HERNING if number % 2 else 101},Greve",
                )
                version.responsible_role = "systemansvarlig"
            work.session.flush()
            work.session.expire_all()
            with counted(house) as sent:
                found = late.offered(work, "ky", KOEGE)
                made = late.give(work, found)
                work.session.flush()
            assert len(made) == len(found.offers) == more
            return len(sent)

    assert asked(2) == asked(12) <= 10
