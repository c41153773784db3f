"""Changing a municipality's task: words, dates, people, races, and what is told and written down."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import AuditEntry, MunicipalTask, Notice, ReadMark, TaskChange
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.tasks import changing
from klik.services.tasks.assigning import NOBODY, Assignee
from klik.services.tasks.steps import Changes
from klik.services.work import Actor
from tests import make
from tests.make import NOW, TODAY


@pytest.fixture
def scene(house: Installation) -> tuple[int, Actor]:
    """A task in Køge and a plus user there."""
    with house.writing(NOW) as work:
        mette = make.person(work.session)
        task = make.municipal_task(work.session, start=TODAY)
        return task.id, make.actor(work.session, mette)


def _words(house: Installation, task: int) -> list[tuple[str, str | None, str | None]]:
    with house.reading(NOW) as work:
        rows = work.session.scalars(
            select(TaskChange).where(TaskChange.municipal_task_id == task).order_by(TaskChange.id)
        )
        return [(row.field, row.old, row.new) for row in rows]


def _change(house: Installation, actor: Actor, task: int, version: int = 1, **wanted: object) -> int:
    with house.writing(NOW, actor) as work:
        return changing.change(work, task, version, Changes(**wanted)).version


def test_the_history_is_in_the_words_people_read(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    with house.writing(NOW) as work:
        bo = make.person(work.session, "Bo Jensen", level=Level.USER).id
    version = _change(house, me, task, status=Status.IN_PROGRESS, responsible=Assignee(person_id=bo))
    _change(
        house,
        me,
        task,
        version,
        status=Status.NOT_RELEVANT,
        not_relevant_reason="Vi har ikke systemet",
        executor=Assignee(role="systemansvarlig"),
        deadline=date(2027, 1, 4),
    )
    assert _words(house, task) == [
        ("status", "Ikke påbegyndt", "I gang"),
        ("responsible", "Ingen", "Bo Jensen"),
        ("status", "I gang", "Ikke relevant"),
        ("not_relevant_reason", "Ingen", "Vi har ikke systemet"),
        ("executor", "Ingen", "Systemansvarlig"),
        ("deadline", "21. december 2026", "4. januar 2027"),
    ]


def test_nothing_changed_leaves_no_trace(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    assert (
        _change(house, me, task, status=Status.NOT_STARTED, responsible=NOBODY, not_relevant_reason="") == 1
    )
    assert _words(house, task) == []
    with house.reading(NOW) as work:
        assert work.session.scalar(select(func.count()).select_from(AuditEntry)) == 0


def test_completing_sets_the_end_date_and_reopening_clears_it(
    house: Installation, scene: tuple[int, Actor]
) -> None:
    task, me = scene
    version = _change(house, me, task, status=Status.COMPLETED)
    with house.reading(NOW) as work:
        assert work.session.get_one(MunicipalTask, task).completed_on == TODAY
    _change(house, me, task, version, status=Status.IN_PROGRESS)
    with house.reading(NOW) as work:
        assert work.session.get_one(MunicipalTask, task).completed_on is None


def test_an_own_deadline_moves_yellow_and_counts_up_and_goes_back_to_kombits(
    house: Installation, scene: tuple[int, Actor]
) -> None:
    task, me = scene
    version = _change(house, me, task, deadline=TODAY + timedelta(days=60))
    with house.reading(NOW) as work:
        row = work.session.get_one(MunicipalTask, task)
        assert (row.deadline_is_own, row.deadline_version) == (True, 2)
        assert row.yellow_from == TODAY + timedelta(days=46)
    _change(house, me, task, version, deadline=None)
    with house.reading(NOW) as work:
        row = work.session.get_one(MunicipalTask, task)
        assert (row.deadline, row.deadline_is_own, row.deadline_version) == (date(2026, 12, 21), False, 3)
        assert row.yellow_from == date(2026, 12, 7)


REFUSALS: dict[str, tuple[dict[str, object], str, str]] = {
    "not relevant without a reason": (
        {"status": Status.NOT_RELEVANT},
        "not_relevant_reason",
        "mindst 3 tegn",
    ),
    "a reason too long": (
        {"status": Status.NOT_RELEVANT, "not_relevant_reason": "x" * 501},
        "not_relevant_reason",
        "højst fylde 500",
    ),
    "a person who is not there": ({"responsible": Assignee(person_id=99_999)}, "responsible", "egen kommune"),
    "a role that is not there": ({"executor": Assignee(role="kejser")}, "executor", "vælg en rolle"),
    "a deadline before the start": ({"deadline": TODAY - timedelta(days=1)}, "deadline", "før startdatoen"),
    "KOMBIT's title": ({"title": "Noget andet"}, "title", "hører til KOMBITs opgave"),
    "an unknown field": ({"fields": {"kp.findes-ikke": "1"}}, "kp.findes-ikke", "findes ikke"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_names_the_field_and_stores_nothing(
    house: Installation, scene: tuple[int, Actor], case: str
) -> None:
    task, me = scene
    wanted, field, sentence = REFUSALS[case]
    with pytest.raises(RefusedError) as caught:
        _change(house, me, task, **({"status": Status.IN_PROGRESS} | wanted))
    assert sentence in caught.value.problems[field]
    assert _words(house, task) == []


def test_every_wrong_field_is_named_at_once(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    with pytest.raises(RefusedError) as caught:
        _change(house, me, task, status=Status.NOT_RELEVANT, executor=Assignee(role="kejser"))
    assert set(caught.value.problems) == {"not_relevant_reason", "executor"}


def test_somebody_from_another_municipality_is_refused(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    with house.writing(NOW) as work:
        stranger = make.person(work.session, "Ole Fremmed", municipality=make.HERNING)
        other, theirs = make.actor(work.session, stranger), stranger.id
        gone = make.person(work.session, "Gitte Gået", active=False).id
    for person in (theirs, gone):
        with pytest.raises(RefusedError):
            _change(house, me, task, responsible=Assignee(person_id=person))
    with pytest.raises(NotFoundError):
        _change(house, other, task, status=Status.COMPLETED)


def test_a_user_changes_only_what_is_theirs(house: Installation) -> None:
    with house.writing(NOW) as work:
        bo = make.person(work.session, "Bo Jensen", level=Level.USER)
        me = make.actor(work.session, bo)
        mine = make.municipal_task(work.session, executor=bo).id
        not_mine = make.municipal_task(work.session).id
    assert _change(house, me, mine, status=Status.IN_PROGRESS) == 2
    with pytest.raises(ForbiddenError):
        _change(house, me, not_mine, status=Status.IN_PROGRESS)


def test_the_loser_of_a_race_is_shown_both_sides(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    with house.writing(NOW) as work:
        karen = make.actor(work.session, make.person(work.session, "Karen Kjær"))
    _change(house, karen, task, status=Status.COMPLETED)
    with pytest.raises(ConflictError) as caught:
        _change(house, me, task, 1, status=Status.IN_PROGRESS, executor=Assignee(role="systemansvarlig"))
    assert caught.value.version == 2
    assert caught.value.who == "Karen Kjær"
    assert [(each.field, each.mine, each.theirs) for each in caught.value.differences] == [
        ("Status", "I gang", "Fuldført"),
        ("Udfører", "Systemansvarlig", "Ingen"),
    ]
    with house.reading(NOW) as work:
        row = work.session.get_one(MunicipalTask, task)
        assert (row.status, row.executor_role) == ("fuldfoert", None)


def test_of_a_hundred_pairs_at_once_none_is_overwritten(
    house: Installation, scene: tuple[int, Actor]
) -> None:
    """Promise R3: of two who store at once one wins and the other is told; nothing is lost in silence."""
    task, me = scene
    outcomes: list[str] = []

    def store(start: threading.Barrier, version: int, deadline: date) -> None:
        start.wait()
        try:
            _change(house, me, task, version, deadline=deadline)
            outcomes.append("stored")
        except ConflictError:
            outcomes.append("told")

    for number in range(100):
        start = threading.Barrier(2)
        days = [TODAY + timedelta(days=100 + 2 * number + side) for side in (0, 1)]
        pair = [threading.Thread(target=store, args=(start, number + 1, day)) for day in days]
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join()
    assert (outcomes.count("stored"), outcomes.count("told")) == (100, 100)
    assert len(_words(house, task)) == 100


def test_whoever_gets_the_task_is_told_once_and_nobody_of_their_own_doing(
    house: Installation, scene: tuple[int, Actor]
) -> None:
    task, me = scene
    with house.writing(NOW) as work:
        bo = make.person(work.session, "Bo Jensen", level=Level.USER, email="bo@koege.example")
        lone = make.person(work.session, "Lone Lund", level=Level.USER)
        make.holding(work.session, "systemansvarlig", holder=lone)
        bo_id = bo.id
    version = _change(
        house, me, task, responsible=Assignee(person_id=bo_id), executor=Assignee(person_id=bo_id)
    )
    version = _change(house, me, task, version, executor=Assignee(role="systemansvarlig"))
    _change(house, me, task, version, responsible=Assignee(person_id=me.person_id))
    with house.reading(NOW) as work:
        told = work.session.scalars(select(Notice).order_by(Notice.id)).all()
        assert [(notice.occasion, notice.heading.partition(":")[0]) for notice in told] == [
            ("tildelt", "Du er ansvarlig og udfører"),
            ("tildelt", "Du er udfører"),
        ]
        assert told[0].address == "bo@koege.example"
        assert told[1].reason == "har rollen Systemansvarlig, som er udfører for opgaven"
        assert told[0].path == f"/opgaver/{task}"


def test_whoever_changed_a_task_has_seen_it(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    _change(house, me, task, status=Status.IN_PROGRESS)
    with house.reading(NOW) as work:
        assert work.session.get_one(ReadMark, (me.person_id, task)).seen_at == NOW
