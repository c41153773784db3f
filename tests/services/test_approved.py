"""Words that a second redaktør approved are not changed by who sent them for approval, whatever way is tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from klik.domain.life import Act
from klik.installation import Installation
from klik.models import Task
from klik.services import publishing
from klik.services.errors import RefusedError
from klik.services.publishing import life
from klik.services.publishing.steps import Press
from klik.services.work import Actor
from tests import make
from tests.services.test_life import DRAFT, MONDAY, THREE, Scene, scene

__all__ = ["scene"]
OTHER = replace(DRAFT, title="Udpeg en anden")


def _approved(scene: Scene, act: Act) -> int:
    task_id = scene.stored()
    scene.do(scene.ida, Act.SUBMIT, task_id)
    scene.do(scene.per, act, task_id, **({"at": MONDAY} if act is Act.PLAN else {}))
    return task_id


def _change(scene: Scene, actor: Actor, task_id: int, draft: publishing.Draft = OTHER) -> None:
    with scene.by(actor) as work:
        publishing.change_draft(work, task_id, draft, work.session.get_one(Task, task_id).version)


def _title(scene: Scene, task_id: int) -> str:
    with scene.house.reading(make.NOW) as work:
        return publishing.draft_of(work, task_id).title


@pytest.mark.parametrize("act", [Act.PLAN, Act.ANNOUNCE])
def test_who_sent_it_cannot_change_it_alone(scene: Scene, act: Act) -> None:
    task_id = _approved(scene, act)
    with pytest.raises(RefusedError, match="Du sendte selv teksten til godkendelse"):
        _change(scene, scene.ida, task_id)
    with scene.by(scene.ida) as work, pytest.raises(RefusedError, match="om at rette den"):
        publishing.publish(work, OTHER, (101,), task_id=task_id)
    with scene.by(scene.ida) as work, pytest.raises(RefusedError, match="en anden redaktør har godkendt"):
        press = Press(work.session.get_one(Task, task_id).version)
        life.do_with_draft(work, Act.PLAN, OTHER, THREE, press, task_id=task_id, at=MONDAY)
    assert _title(scene, task_id) == DRAFT.title
    # The approved words may be stored again, planned anew and published by anybody.
    _change(scene, scene.ida, task_id, DRAFT)
    scene.do(scene.ida, Act.PLAN, task_id, at=MONDAY)
    with pytest.raises(RefusedError, match="en anden redaktør har godkendt"):
        _change(scene, scene.ida, task_id)
    _change(scene, scene.per, task_id)
    assert _title(scene, task_id) == OTHER.title
    scene.do(scene.ida, Act.PUBLISH, task_id)


def test_a_stopped_plan_is_a_draft_again_and_is_approved_anew(scene: Scene) -> None:
    task_id = _approved(scene, Act.PLAN)
    with pytest.raises(RefusedError, match="Stop planen, ret teksten, og send den til godkendelse igen"):
        _change(scene, scene.ida, task_id)
    scene.do(scene.ida, Act.UNPLAN, task_id)
    _change(scene, scene.ida, task_id)
    scene.do(scene.ida, Act.SUBMIT, task_id)
    with pytest.raises(RefusedError, match="En anden redaktør skal godkende"):
        scene.do(scene.ida, Act.PUBLISH, task_id)


def test_what_the_municipalities_know_of_stays_approved_when_its_plan_is_stopped(scene: Scene) -> None:
    task_id = _approved(scene, Act.ANNOUNCE)
    scene.do(scene.ida, Act.PLAN, task_id, at=MONDAY)
    scene.do(scene.ida, Act.UNPLAN, task_id)
    with pytest.raises(RefusedError, match=r"godkendt den\. Bed en anden redaktør om at rette den\."):
        _change(scene, scene.ida, task_id)


def test_without_approval_nothing_is_in_the_way(house: Installation, scene: Scene) -> None:
    task_id = scene.stored()
    scene.do(scene.ida, Act.SUBMIT, task_id)
    scene.do(scene.per, Act.RETURN, task_id, note="Mangler et formål")
    scene.do(scene.ida, Act.ANNOUNCE, task_id)
    _change(scene, scene.ida, task_id)
    assert _title(scene, task_id) == OTHER.title
