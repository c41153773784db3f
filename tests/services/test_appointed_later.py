"""The tick at "Opret “Udpeg …”" holds until the task is published: by a press, a second redaktør, or its plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from klik import jobs
from klik.domain.life import Act
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalTask, Task
from klik.services import publishing
from klik.services.errors import RefusedError
from klik.services.publishing import Draft, RecipientChoice, life, steps
from klik.services.publishing.steps import Press
from klik.services.work import Actor, Work
from tests import make
from tests.make import AARHUS, HERNING, KOEGE, LAESOE

DRAFT = Draft(
    project="ky",
    title="Klargør data til konvertering",
    phase="forberedelse",
    theme="ud-indfasning",
    responsible_role="systemansvarlig",
    executor_role="superbruger",
    deadline_rule="core.days-after-publication",
    deadline_parameter="45",
)
CHOICE = RecipientChoice.parse(f"{KOEGE},{HERNING},{AARHUS},{LAESOE}")
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    house: Installation
    ida: Actor
    per: Actor

    @contextmanager
    def by(self, actor: Actor) -> Iterator[Work]:
        with self.house.writing(make.NOW) as work:
            yield replace(work, actor=actor)

    def stored(self, act: Act, *roles: str) -> int:
        """The task as the preview's button leaves it, with these ticks."""
        with self.by(self.ida) as work:
            press = Press(None, None, roles)
            at = MONDAY if act is Act.PLAN else None
            return life.do_with_draft(work, act, DRAFT, CHOICE, press, at=at)

    def roles(self, task_id: int) -> tuple[str, ...]:
        with self.house.reading(make.NOW) as work:
            return steps.kept_roles(work.session.get_one(Task, task_id))

    def appointed(self) -> dict[str, list[int]]:
        """Where tasks "Udpeg …" stand, by the role they appoint."""
        with self.house.reading(make.NOW) as work:
            rows = work.session.execute(
                select(Task.appoints_role, MunicipalTask.municipality_id)
                .join(MunicipalTask, MunicipalTask.task_id == Task.id)
                .where(Task.appoints_role.is_not(None))
                .order_by(MunicipalTask.municipality_id)
            )
            found: dict[str, list[int]] = {}
            for role, code in rows:
                found.setdefault(role, []).append(code)
            return found


@pytest.fixture
def scene(house: Installation) -> Scene:
    """Køge has somebody in the role; the other three have not."""
    with house.database.writing() as session:
        make.project(session, "ky", system_code="ky")
        for code in (KOEGE, HERNING, AARHUS, LAESOE):
            make.has_system(session, code, "ky")
        make.holding(session, holder=make.person(session, "Mette Holm", systems=("ky",)), system_code="ky")
        people = [make.person(session, name, level=Level.KOMBIT_EDITOR) for name in ("Ida Krog", "Per Dahl")]
        return Scene(house, *(make.actor(session, person) for person in people))


def test_a_planned_task_appoints_where_the_role_is_still_vacant(scene: Scene) -> None:
    task_id = scene.stored(Act.PLAN, "systemansvarlig")
    assert scene.roles(task_id) == ("systemansvarlig",)
    assert scene.appointed() == {}
    # Herning fills the role while the task waits.
    with scene.house.database.writing() as session:
        make.holding(session, mailbox="it@herning.example", municipality=HERNING, system_code="ky")
    assert jobs.publish_planned(scene.house, MONDAY).well
    assert scene.appointed() == {"systemansvarlig": [AARHUS, LAESOE]}
    assert jobs.publish_planned(scene.house, MONDAY).sentence.startswith("Ingen")
    assert scene.appointed() == {"systemansvarlig": [AARHUS, LAESOE]}


@pytest.mark.parametrize("act", [Act.SUBMIT, Act.ANNOUNCE])
def test_a_second_redaktor_publishes_what_was_ticked(scene: Scene, act: Act) -> None:
    task_id = scene.stored(act, "systemansvarlig", "superbruger", "findes-ikke")
    assert scene.roles(task_id) == ("superbruger", "systemansvarlig")
    for _press in range(2):
        with scene.by(scene.per) as work:
            life.do(work, Act.PUBLISH, task_id, Press())
    assert scene.appointed() == {
        "superbruger": [KOEGE, HERNING, AARHUS, LAESOE],
        "systemansvarlig": [HERNING, AARHUS, LAESOE],
    }


def test_a_later_preview_can_take_the_tick_away_and_no_preview_leaves_it(scene: Scene) -> None:
    task_id = scene.stored(Act.ANNOUNCE, "systemansvarlig")
    with scene.by(scene.ida) as work:
        version = work.session.get_one(Task, task_id).version
        publishing.change_draft(work, task_id, replace(DRAFT, title="Klargør alle data"), version)
    assert scene.roles(task_id) == ("systemansvarlig",)
    with scene.by(scene.ida) as work:
        life.do(work, Act.PLAN, task_id, Press(None, None, ()), at=MONDAY)
    assert scene.roles(task_id) == ()
    assert jobs.publish_planned(scene.house, MONDAY).well
    assert scene.appointed() == {}


def test_both_or_none(scene: Scene) -> None:
    task_id = scene.stored(Act.PLAN, "systemansvarlig")
    with pytest.raises(RefusedError), scene.by(scene.per) as work:
        assert publishing.publish_stored(work, task_id, Press()).municipalities == 4
        assert work.session.scalar(select(Task.id).where(Task.appoints_role == "systemansvarlig"))
        publishing.publish(work, replace(DRAFT, title=""), (KOEGE,))
    assert scene.appointed() == {}
    with scene.house.reading(make.NOW) as work:
        assert work.session.get_one(Task, task_id).state == "planlagt"
