"""The weeks of a project against a diary kept in plain Python, and what they promise; on both databases."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from klik.domain.deadlines import end_of_day
from klik.domain.forecast import Point
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalTask
from klik.services import pace
from tests import make
from tests.services.filter_oracle import make_world
from tests.services.test_past import _live, _stood


@pytest.mark.parametrize("seed", [5])
def test_the_points_agree_with_the_diary(house: Installation, seed: int) -> None:
    chance = random.Random(seed)
    with house.writing(make.NOW) as work:
        world = make_world(work.session, house.registry.content, 30, seed)
        diary = _live(work.session, world, chance)
        lookers = [make.actor(work.session, person) for person in (world.me, world.kombit, world.supplier)]
    seen = 0
    for actor in lookers:
        with house.reading(make.NOW, actor) as work:
            for found in pace.by_project(work):
                assert [point.day for point in found.points] == list(pace.days_shown(make.TODAY))
                for point in found.points:
                    rows = [
                        row
                        for row in _stood(world, diary, point.day).rows
                        if row.project == found.slug
                        and (row.municipality == make.KOEGE if actor.municipality_id else not row.local)
                        and not row.withdrawn
                        and row.status != "ikke-relevant"
                    ]
                    done = sum(row.status == "fuldfoert" for row in rows)
                    assert point == Point(point.day, len(rows), done), (actor.level, found.slug)
                    seen += 0 < done < len(rows)
    assert seen > 10


def test_a_steady_project_names_what_it_will_not_reach(house: Installation) -> None:
    made = make.NOW - timedelta(weeks=10)
    with house.writing(make.NOW) as work:
        leader = make.actor(work.session, make.person(work.session))
        other = make.actor(work.session, make.person(work.session, municipality=make.HERNING))
        supplier = make.actor(work.session, make.person(work.session, level=Level.SUPPLIER, systems=("kp",)))
        tasks = [
            make.municipal_task(
                work.session, title=f"Opgave {place}", deadline=make.TODAY + timedelta(days=place)
            )
            for place in range(1, 13)
        ]
        make.municipal_task(work.session, municipality=make.HERNING)
        work.session.execute(update(MunicipalTask).values(created_at=made, changed_at=made))
    # Eight of twelve in eight weeks, one a week; four are left and twelve days are room for one.
    for week, task in enumerate(tasks[:8]):
        at = end_of_day(make.TODAY - timedelta(weeks=8 - week)) + timedelta(hours=3)
        with house.writing(at) as work:
            work.session.execute(
                update(MunicipalTask)
                .where(MunicipalTask.id == task.id)
                .values(status="fuldfoert", completed_on=at.date(), changed_at=at)
            )
    with house.reading(make.NOW, leader) as work:
        (found,) = pace.by_project(work)
    assert [(point.total, point.completed) for point in found.points[-3:]] == [(12, 6), (12, 7), (12, 8)]
    assert found.forecast is not None
    assert (found.forecast.ready_on, found.forecast.late) == (make.TODAY + timedelta(weeks=4), 16)
    assert [task.title for task in found.deciding] == ["Opgave 10", "Opgave 11", "Opgave 12"]
    assert found.aim == "den sidste frist"
    with house.writing(make.NOW) as work:
        make.has_system(work.session, go_live=make.TODAY + timedelta(weeks=4))
    with house.reading(make.NOW, leader) as work:
        (found,) = pace.by_project(work)
    assert (found.forecast and found.forecast.late, found.aim, found.deciding) == (0, "idriftsættelsen", ())
    with house.reading(make.NOW, other) as work:
        (theirs,) = pace.by_project(work)
    assert theirs.points[-1] == Point(date(2026, 11, 21), 1, 0) and theirs.forecast is None
    with house.reading(make.NOW, supplier) as work:
        (all_of_them,) = pace.by_project(work)
    assert all_of_them.points[-1].total == 13 and all_of_them.deciding == ()
