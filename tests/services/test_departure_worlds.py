"""Leaving, killed anywhere and in random worlds: all or nothing, and what a plain oracle says."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    Departure,
    Membership,
    MunicipalTask,
    Notice,
    Person,
    TaskChange,
)
from klik.services.departures import announcing
from klik.services.departures.announcing import Wanted
from tests import make
from tests.services.departures_world import (
    ONE_DAY,
    TOMORROW,
    Place,
    founded,
    nine_tasks,
    person,
    standing,
)

ROUNDS = int(os.environ.get("KLIK_TEST_ROUNDS", "6"))


@pytest.fixture
def place(house: Installation) -> Place:
    return founded(house)


class Killed(BaseException):
    """As if the process died."""


def test_a_kill_between_any_two_steps_leaves_all_or_nothing(place: Place, house: Installation) -> None:
    nine_tasks(place)
    place.announce(opgaver="ida", rolle__systemansvarlig__kp="ida")
    before = _everything(place)
    engine = house.database.engine
    statements = kills = 0
    while True:
        left = [statements]

        def die(*_args: object, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        event.listen(engine, "before_cursor_execute", die)
        try:
            place.night()
        except Killed:
            kills += 1
        else:
            event.remove(engine, "before_cursor_execute", die)
            break
        event.remove(engine, "before_cursor_execute", die)
        assert _everything(place) == before
        statements += 7
    after = _everything(place)
    assert after != before
    place.night(TOMORROW + timedelta(minutes=5))
    assert _everything(place) == after
    print(f"departure: killed at {kills} places, all or nothing at each; run twice changes nothing")  # noqa: T201 - what the test promises


def _everything(place: Place) -> object:
    with place.house.database.reading() as session:
        return (
            standing(place),
            place.holders_on(make.TODAY),
            place.holders_on(make.TODAY + ONE_DAY),
            session.scalar(select(func.count(AuditEntry.id))),
            session.scalar(select(func.count(Notice.id))),
            session.scalar(select(func.count(TaskChange.id))),
            session.scalar(select(func.count()).where(Departure.completed_at.is_not(None))),
            session.get_one(Membership, place.members["mette"]).active,
        )


def test_random_worlds_against_an_oracle(place: Place) -> None:
    """Who stands on what, by plain sets: what was the leaver's is the heir's, and nothing else moved."""
    dice = random.Random(20261122)
    roles = ("systemansvarlig", "superbruger", "projektleder")
    names = ("mette", "bo", "ida")
    moved = 0
    for number in range(ROUNDS):
        leaver = f"stopper{number}"
        place.add(leaver, Level.USER)
        gone = place.people[leaver]
        heirs: dict[str, int | None] = {}
        with place.house.database.writing() as session:
            anybody = [person(session, place, name) for name in (*names, leaver)] + [None]
            projects = [make.project(session, code, system_code=code) for code in ("kp", "ky")]
            for _ in range(dice.randrange(6)):
                make.municipal_task(
                    session,
                    local=True,
                    in_project=dice.choice(projects),
                    responsible=dice.choice(anybody),
                    executor=dice.choice(anybody),
                    status=dice.choice((Status.NOT_STARTED, Status.IN_PROGRESS, Status.COMPLETED)),
                )
            for role in roles:
                for code in ("kp", "ky"):
                    if dice.random() < 0.4:
                        make.holding(
                            session, role, holder=session.get(Person, gone), system_code=code, primary=False
                        )
                        heirs[f"rolle/{role}/{code}"] = dice.choice(
                            (None, *(place.people[name] for name in names))
                        )
            heirs["opgaver"] = dice.choice((None, *(place.people[name] for name in names)))
            if dice.random() < 0.5:
                heirs[f"opgaver/{projects[0].id}"] = dice.choice(
                    (None, *(place.people[name] for name in names))
                )
            states = {
                row.id: (row.responsible_id, row.executor_id, row.status, row.project_id)
                for row in session.scalars(select(MunicipalTask))
            }
        today = make.TODAY + number * 2 * ONE_DAY
        now = make.NOW + timedelta(days=2 * number)
        roles_before = {each[:3] for each in place.holders_on(today)}
        with place.work("karen", now) as work:
            announcing.announce(work, place.members[leaver], Wanted(today, "", heirs), 0)
        place.night(now + timedelta(days=1))
        expected = {}
        for key, (responsible, executor, status, project) in states.items():
            heir = heirs.get(f"opgaver/{project}", heirs["opgaver"])
            closed = status in (Status.COMPLETED.value, Status.NOT_RELEVANT.value)
            expected[key] = tuple(
                heir if each == gone and not closed else each for each in (responsible, executor)
            )
        assert standing(place) == expected
        moved += sum(expected[key] != states[key][:2] for key in states)
        roles_after = {(role, code, who) for role, code, who in roles_before if who != gone}
        for key, heir in heirs.items():
            if key.startswith("rolle/") and heir is not None:
                _kind, role, *code = key.split("/")
                held = {(r, c) for r, c, who in roles_after}
                alone = place.house.registry.content.role(role).holders.value == "praecis-en"
                if not (alone and (role, code[0]) in held):
                    roles_after.add((role, code[0], heir))
        tomorrow = place.holders_on(today + ONE_DAY)
        assert {each[:3] for each in tomorrow} == roles_after
        for role in roles:
            if place.house.registry.content.role(role).holders.value == "en-primaer":
                for code in {c for r, c, _ in roles_after if r == role}:
                    primary = [each for each in tomorrow if each[:2] == (role, code) and each[3]]
                    assert len(primary) == 1, (role, code, tomorrow)
    print(f"departure: {ROUNDS} random worlds, {moved} tasks moved as the oracle says")  # noqa: T201 - what the test promises
