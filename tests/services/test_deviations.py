"""Deviations: what a municipality answers where a correction met its own value, and what that does."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from klik.installation import Installation
from klik.models import Deviation, TaskChange
from klik.services.correcting import answering, deviations
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.tasks.assigning import Assignee
from tests import make
from tests.services.correcting_world import (
    HOUR,
    NEW_DAY,
    OWN_DAY,
    OWN_DEADLINE,
    OWN_PERSON,
    STARTED,
    Scene,
    scene,
)


@pytest.fixture
def deviating(house: Installation) -> Scene:
    """A moved deadline met one municipality's own, and a new role another's own choice."""
    found = scene(house)
    found.correct(deadline_parameter=NEW_DAY.isoformat(), responsible_role="superbruger")
    return found


def _row(scene: Scene, code: int) -> Deviation:
    with scene.house.reading(make.NOW) as work:
        row = work.session.scalars(select(Deviation).where(Deviation.municipality_id == code)).one()
        work.session.expunge_all()
        return row


def _answer(scene: Scene, code: int, given: str, *, version: int = 1, who: int | None = None) -> None:
    row = _row(scene, code)
    with scene.house.writing(make.NOW + 60 * HOUR, scene.leaders[who or code]) as work:
        answering.answer(work, row.municipal_task_id, row.id, version, given)


def test_both_values_are_told_in_words(deviating: Scene) -> None:
    with deviating.house.reading(make.NOW) as work:
        for code, sentence in (
            (
                OWN_DEADLINE,
                (
                    "KOMBIT ændrede deadline 1. december 2026 → 15. december 2026. "
                    "Jeres eget valg, 10. december 2026, er bevaret."
                ),
            ),
            (
                OWN_PERSON,
                (
                    "KOMBIT ændrede ansvarlig Systemansvarlig → Superbruger. "
                    "Jeres eget valg, Bo Dam, er bevaret."
                ),
            ),
        ):
            task = work.session.merge(deviating.copies()[code])
            assert [each.sentence for each in deviations.open_on(work, task)] == [sentence]
        assert deviations.open_on(work, work.session.merge(deviating.copies()[STARTED])) == ()


def test_following_takes_kombits_value(deviating: Scene) -> None:
    _answer(deviating, OWN_DEADLINE, "foelg")
    copy = deviating.copies()[OWN_DEADLINE]
    assert (copy.deadline, copy.deadline_is_own, copy.deadline_version) == (NEW_DAY, False, 3)
    _answer(deviating, OWN_PERSON, "foelg")
    copy = deviating.copies()[OWN_PERSON]
    assert (copy.responsible_id, copy.responsible_role) == (None, "superbruger")
    for code in (OWN_DEADLINE, OWN_PERSON):
        row = _row(deviating, code)
        assert (row.answer, row.settled_by) == ("foelg", deviating.leaders[code].person_id)


def test_keeping_changes_nothing_but_the_history(deviating: Scene) -> None:
    before = deviating.copies()[OWN_DEADLINE]
    _answer(deviating, OWN_DEADLINE, "behold")
    copy = deviating.copies()[OWN_DEADLINE]
    assert (copy.deadline, copy.deadline_is_own, copy.version) == (OWN_DAY, True, before.version)
    assert _row(deviating, OWN_DEADLINE).answer == "behold"
    with deviating.house.reading(make.NOW) as work:
        said = work.session.scalars(select(TaskChange).where(TaskChange.field == "deviation")).one()
        assert said.new == "Deadline 10. december 2026 (KOMBIT: 15. december 2026)"


def test_an_answer_counts_once(deviating: Scene) -> None:
    with pytest.raises(ConflictError):
        _answer(deviating, OWN_DEADLINE, "foelg", version=2)
    _answer(deviating, OWN_DEADLINE, "behold")
    with pytest.raises(ConflictError):
        _answer(deviating, OWN_DEADLINE, "foelg", version=2)
    assert deviating.copies()[OWN_DEADLINE].deadline == OWN_DAY


def test_who_may_answer(deviating: Scene) -> None:
    with pytest.raises(NotFoundError):
        _answer(deviating, OWN_DEADLINE, "foelg", who=STARTED)
    with pytest.raises(RefusedError):
        _answer(deviating, OWN_DEADLINE, "måske")
    row = _row(deviating, OWN_DEADLINE)
    with deviating.house.writing(make.NOW, deviating.editor) as work, pytest.raises(ForbiddenError):
        answering.answer(work, row.municipal_task_id, row.id, 1, "foelg")
    other = _row(deviating, OWN_PERSON)
    with (
        deviating.house.writing(make.NOW, deviating.leaders[OWN_DEADLINE]) as work,
        pytest.raises(NotFoundError),
    ):
        answering.answer(work, row.municipal_task_id, other.id, 1, "foelg")


def test_changing_the_field_itself_is_an_answer(deviating: Scene) -> None:
    deviating.change(OWN_DEADLINE, 61, deadline=None)
    assert _row(deviating, OWN_DEADLINE).answer == "foelg"
    assert deviating.copies()[OWN_DEADLINE].deadline == NEW_DAY
    leader = deviating.leaders[OWN_PERSON].person_id
    deviating.change(OWN_PERSON, 61, responsible=Assignee(person_id=leader))
    assert _row(deviating, OWN_PERSON).answer == "behold"
