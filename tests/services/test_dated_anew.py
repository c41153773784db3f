"""A copy that was closed while its go-live moved, and is opened again: the deadline is what the rule gives now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from bench.measuring import statements
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTask, TaskChange, Wave
from klik.services import correcting, publishing, waves
from klik.services.publishing import Draft
from klik.services.tasks import changing
from klik.services.tasks.changing import Changes
from klik.services.work import Actor
from tests import make
from tests.make import KOEGE, NOW, TODAY

DRAFT = Draft(
    project="ky",
    title="Klargør data til konvertering",
    phase="forberedelse",
    theme="ud-indfasning",
    deadline_rule="core.days-before-go-live",
    deadline_parameter="30",
)
FIRST, LATER = TODAY + timedelta(days=100), TODAY + timedelta(days=160)
OLD, NEW = FIRST - timedelta(days=30), LATER - timedelta(days=30)


@dataclass(frozen=True)
class Scene:
    house: Installation
    ida: Actor
    mette: Actor
    wave_id: int

    def publish(self, title: str) -> int:
        with self.house.writing(NOW, self.ida) as work:
            draft = replace(DRAFT, title=title)
            return publishing.publish(work, draft, [KOEGE]).task_id

    def move(self) -> None:
        with self.house.writing(NOW, self.ida) as work:
            row = work.session.get_one(Wave, self.wave_id)
            waves.carry_out(work, "ky", waves.NewGoLive(row.id, LATER, row.version))

    def copy(self, task_id: int) -> MunicipalTask:
        with self.house.reading(NOW) as work:
            found = work.session.scalars(select(MunicipalTask).where(MunicipalTask.task_id == task_id)).one()
            work.session.expunge(found)
            return found

    def change(self, task_id: int, **wanted: object) -> MunicipalTask:
        copy = self.copy(task_id)
        with self.house.writing(NOW, self.mette) as work:
            changing.change(work, copy.id, copy.version, Changes(**wanted))  # type: ignore[arg-type]
        return self.copy(task_id)


@pytest.fixture
def scene(house: Installation) -> Scene:
    with house.database.writing() as session:
        make.project(session, "ky", system_code="ky")
        wave = make.wave(session, "b1", go_live=FIRST)
        make.has_system(session, KOEGE, "ky", wave=wave)
        return Scene(
            house,
            make.actor(session, make.person(session, level=Level.KOMBIT_EDITOR)),
            make.actor(session, make.person(session, level=Level.ADMINISTRATOR)),
            wave.id,
        )


def _days(copy: MunicipalTask) -> tuple[date | None, bool]:
    assert copy.deadline is None or (copy.yellow_from is not None and copy.yellow_from <= copy.deadline)
    return copy.deadline, copy.deadline_is_own


def test_opened_again_by_the_municipality(scene: Scene) -> None:
    task_id = scene.publish("Den ene")
    assert _days(scene.change(task_id, status=Status.COMPLETED)) == (OLD, False)
    scene.move()
    assert _days(scene.copy(task_id)) == (OLD, False)
    copy = scene.change(task_id, status=Status.IN_PROGRESS)
    assert _days(copy) == (NEW, False) and copy.yellow_from > OLD and copy.deadline_version == 2
    with scene.house.reading(NOW) as work:
        rows = work.session.scalars(
            select(TaskChange).where(TaskChange.field == "deadline", TaskChange.municipal_task_id == copy.id)
        ).all()
        assert [(row.via, row.person_id) for row in rows] == [("genaabnet", scene.mette.person_id)]


def test_an_own_deadline_stays_and_so_does_one_that_comes_with_the_opening(scene: Scene) -> None:
    own, given = TODAY + timedelta(days=12), TODAY + timedelta(days=33)
    first, second = scene.publish("Den ene"), scene.publish("Den anden")
    scene.change(first, status=Status.COMPLETED, deadline=own)
    scene.change(second, status=Status.COMPLETED)
    scene.move()
    assert _days(scene.change(first, status=Status.NOT_STARTED)) == (own, True)
    assert _days(scene.change(second, status=Status.NOT_STARTED, deadline=given)) == (given, True)


def test_opened_again_by_kombit_with_a_correction(scene: Scene) -> None:
    task_id = scene.publish("Den ene")
    scene.change(task_id, status=Status.COMPLETED)
    scene.move()
    with scene.house.writing(NOW, scene.ida) as work:
        draft = replace(publishing.draft_of(work, task_id), purpose="Nu med et formål.")
        correcting.correct(work, task_id, draft, "Formålet er skrevet.", version=1, reopen=None)
    assert _days(scene.copy(task_id)) == (NEW, False)


def test_many_at_once_take_the_statements_of_a_few(scene: Scene) -> None:
    counts = []
    for count in (3, 12):
        tasks = [scene.publish(f"Opgave {count}/{number}") for number in range(count)]
        for task_id in tasks:
            scene.change(task_id, status=Status.NOT_RELEVANT, not_relevant_reason="Vi venter")
        if count == 3:
            scene.move()
        else:
            with scene.house.database.writing() as session:
                session.get_one(Wave, scene.wave_id).go_live = LATER + timedelta(days=7)
        ids = [scene.copy(task_id).id for task_id in tasks]
        with statements(scene.house.database.engine) as seen, scene.house.writing(NOW, scene.mette) as work:
            rows = work.session.scalars(select(MunicipalTask).where(MunicipalTask.id.in_(ids))).all()
            changed = [
                changing.store(work, row, changing.steps_of(work, row, Changes(status=Status.IN_PROGRESS)))
                for row in rows
            ]
            work.session.flush()
            changing.write_down(work, changed)
        counts.append(sum(each.startswith(("SELECT", "INSERT")) for each in seen))
        assert len({scene.copy(task_id).deadline for task_id in tasks}) == 1
    assert scene.copy(tasks[0]).deadline == NEW + timedelta(days=7)
    assert counts[0] == counts[1], counts
