"""Changing many tasks at once: the same as one by one, only what is one's own, and back again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    BulkChange,
    BulkChangeItem,
    MunicipalTask,
    MunicipalTaskField,
    Notice,
    PluginEvent,
    ReadMark,
    TaskChange,
)
from klik.services import auditing, filtering
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.tasks import changing
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.bulk import chosen, storing, undoing
from klik.services.tasks.bulk.preview import Preview, StaleError, preview
from klik.services.tasks.bulk.wanted import Wanted
from klik.services.tasks.steps import Changes
from klik.services.work import Actor
from tests import make
from tests.make import HERNING, KOEGE, NOW, TODAY

COLUMNS = [
    column.key
    for column in MunicipalTask.__table__.columns
    if column.key not in ("version", "changed_at", "deadline_version")
]


@pytest.fixture
def mette(house: Installation) -> Actor:
    """A plus user in Køge."""
    with house.writing(NOW) as work:
        return make.actor(work.session, make.person(work.session))


def _tasks(house: Installation, count: int = 4, **options: Any) -> list[int]:
    with house.writing(NOW) as work:
        return [make.municipal_task(work.session, title=f"Opgave {n}", **options).id for n in range(count)]


def _state(house: Installation, ids: list[int]) -> dict[int, dict[str, Any]]:
    """Every column of the tasks that an undo must bring back."""
    with house.reading(NOW) as work:
        rows = work.session.scalars(select(MunicipalTask).where(MunicipalTask.id.in_(ids)))
        return {row.id: {column: getattr(row, column) for column in COLUMNS} for row in rows}


def _preview(house: Installation, actor: Actor, wanted: Wanted, ids: list[int]) -> Preview:
    with house.reading(NOW, actor) as work:
        return preview(work, wanted, chosen.versions(work, ids))


def _store(house: Installation, actor: Actor, wanted: Wanted, ids: list[int]) -> int:
    with house.writing(NOW, actor) as work:
        return storing.store(work, wanted, chosen.versions(work, ids)).id


def _undo(house: Installation, actor: Actor, change_id: int) -> undoing.Undone:
    with house.writing(NOW, actor) as work:
        return undoing.undo(work, change_id)


WANTED = {
    "status": Wanted("status", Status.IN_PROGRESS.value),
    "not relevant": Wanted("status", Status.NOT_RELEVANT.value, reason="Vi har ikke systemet"),
    "completed": Wanted("status", Status.COMPLETED.value),
    "a role": Wanted("executor", "rolle/systemansvarlig"),
    "a date": Wanted("deadline", day=date(2027, 2, 1)),
    "moved": Wanted("deadline", days=14),
}


@pytest.mark.parametrize("case", WANTED)
def test_the_same_as_one_by_one(house: Installation, mette: Actor, case: str) -> None:
    wanted = WANTED[case]
    together, apart = _tasks(house), _tasks(house)
    with house.writing(NOW) as work:
        make.holding(work.session, holder=make.person(work.session, "Bo Jensen"))
    _store(house, mette, wanted, together)
    with house.writing(NOW, mette) as work:
        for task_id in apart:
            task = work.session.get_one(MunicipalTask, task_id)
            changing.change(work, task_id, 1, wanted.changes(task))
    assert _traces(house, together) == _traces(house, apart)
    with house.reading(NOW) as work:
        assert list(auditing.breaks(work.session)) == []


def _traces(house: Installation, ids: list[int]) -> list[Any]:
    """Everything the change of each task left behind, without ids."""
    found = []
    with house.reading(NOW) as work:
        session = work.session
        for task_id in ids:
            task = session.get_one(MunicipalTask, task_id)
            own = ("id", "task_id", "task_version_id", "task_number", "number_key", "search_key")
            columns = {
                each.key: getattr(task, each.key)
                for each in MunicipalTask.__table__.columns
                if each.key not in own
            }
            history = select(TaskChange).where(TaskChange.municipal_task_id == task_id)
            audit = select(AuditEntry).where(AuditEntry.subject == f"kommuneopgave/{task_id}")
            notices = select(Notice).where(Notice.municipal_task_id == task_id)
            found.append(
                (
                    columns,
                    [(row.field, row.old, row.new, row.person_id) for row in session.scalars(history)],
                    [(row.action, row.facts) for row in session.scalars(audit)],
                    [(row.occasion, row.person_id, row.reason) for row in session.scalars(notices)],
                    len(session.scalars(select(ReadMark).where(ReadMark.municipal_task_id == task_id)).all()),
                )
            )
        events = session.scalars(select(PluginEvent.payload)).all()
        found.append(sum(f'"task": {task_id},' in payload for payload in events for task_id in ids))
    return found


@pytest.mark.parametrize("case", WANTED)
def test_undo_restores_exactly(house: Installation, mette: Actor, case: str) -> None:
    ids = [
        *_tasks(house, 2, start=TODAY - timedelta(days=30)),
        *_tasks(house, 1, status=Status.COMPLETED),
        *_tasks(house, 1, local=True),
    ]
    with house.writing(NOW) as work:
        done = work.session.get_one(MunicipalTask, ids[2])
        done.completed_on = TODAY - timedelta(days=9)
    before = _state(house, ids)
    change = _store(house, mette, WANTED[case], ids)
    assert _state(house, ids) != before
    undone = _undo(house, mette, change)
    assert undone.left == ()
    assert _state(house, ids) == before
    with house.reading(NOW) as work:
        assert [row.version for row in work.session.scalars(select(MunicipalTask))].count(
            3
        ) == undone.restored
        assert list(auditing.breaks(work.session)) == []


def test_a_moved_deadline_never_counts_back(house: Installation, mette: Actor) -> None:
    ids = _tasks(house, 1)
    _undo(house, mette, _store(house, mette, WANTED["moved"], ids))
    with house.reading(NOW) as work:
        row = work.session.get_one(MunicipalTask, ids[0])
        assert (row.deadline_version, row.deadline_is_own) == (3, False)


def test_what_somebody_changed_since_is_named_and_left(house: Installation, mette: Actor) -> None:
    ids = _tasks(house, 3)
    with house.writing(NOW) as work:
        bo = make.actor(work.session, make.person(work.session, "Bo Jensen"))
    change = _store(house, mette, WANTED["status"], ids)
    with house.writing(NOW, bo) as work:
        changing.change(work, ids[0], 2, Changes(status=Status.COMPLETED))
        # Another field is no reason to leave the task, but one set and set back is.
        changing.change(work, ids[1], 2, Changes(executor=Assignee(role="systemansvarlig")))
        changing.change(work, ids[2], 2, Changes(status=Status.COMPLETED))
        changing.change(work, ids[2], 3, Changes(status=Status.IN_PROGRESS))
    undone = _undo(house, mette, change)
    assert undone.restored == 1
    assert [why for _name, why in undone.left] == [
        "Status er siden sat til Fuldført af Bo Jensen.",
        "Status er siden sat til I gang af Bo Jensen.",
    ]
    with house.reading(NOW, mette) as work:
        states = [work.session.get_one(MunicipalTask, each).status for each in ids]
        assert states == ["fuldfoert", "ikke-paabegyndt", "i-gang"]
        row = work.session.get_one(BulkChange, change)
        assert [item.kept_because is None for item in undoing.items(work, row)] == [False, True, False]
    with pytest.raises(RefusedError, match="allerede fortrudt"):
        _undo(house, mette, change)


def test_only_ones_own_bulk_change_can_be_undone(house: Installation, mette: Actor) -> None:
    change = _store(house, mette, WANTED["status"], _tasks(house))
    with house.writing(NOW) as work:
        bo = make.actor(work.session, make.person(work.session, "Bo Jensen"))
        reader = make.actor(work.session, make.person(work.session, "Lis Læser", level=Level.READER))
        kombit = make.actor(work.session, make.person(work.session, "Kim", level=Level.KOMBIT_EDITOR))
    with pytest.raises(NotFoundError):
        _undo(house, bo, change)
    for actor in (reader, kombit):
        with pytest.raises(ForbiddenError):
            _undo(house, actor, change)
        with pytest.raises(ForbiddenError):
            _store(house, actor, WANTED["status"], _tasks(house))


def test_another_municipalitys_ids_are_counted_and_never_named(house: Installation, mette: Actor) -> None:
    mine, theirs = _tasks(house, 2), _tasks(house, 2, municipality=HERNING)
    before = _state(house, theirs)
    found = _preview(house, mette, WANTED["status"], [*mine, *theirs, 999_999])
    assert [line.task.id for line in found.lines] == mine
    assert [(each.count, each.names) for each in found.skipped] == [(3, ())]
    assert found.sentence() == ("2 rettes, 3 springes over: 3 findes ikke, eller du kan ikke se dem.")
    with house.writing(NOW, mette) as work:
        # A guessed version does not help either.
        storing.store(work, WANTED["status"], dict.fromkeys([*mine, *theirs], 1))
    assert _state(house, theirs) == before
    with house.reading(NOW) as work:
        assert set(work.session.scalars(select(BulkChangeItem.municipal_task_id))) == set(mine)


def test_each_reason_for_leaving_a_task_is_counted(house: Installation, mette: Actor) -> None:
    ids = [*_tasks(house, 2), *_tasks(house, 1, status=Status.IN_PROGRESS)]
    with house.writing(NOW) as work:
        gone = make.municipal_task(work.session, title="Trukket tilbage")
        gone.withdrawn_at = NOW
        work.session.flush()
        ids.append(gone.id)
    found = _preview(house, mette, WANTED["status"], ids)
    assert found.sentence() == ("2 rettes, 2 springes over: 1 har allerede værdien, 1 er trukket tilbage.")
    local = _tasks(house, 1, local=True)
    found = _preview(house, mette, Wanted("priority", "hoej"), [*ids, *local])
    assert [line.task.id for line in found.lines] == local
    with pytest.raises(RefusedError, match="mindst 3 tegn"):
        _preview(house, mette, Wanted("status", Status.NOT_RELEVANT.value), ids[:2])


def test_a_user_changes_only_what_is_theirs_also_by_role(house: Installation) -> None:
    with house.writing(NOW) as work:
        row = make.person(work.session, "Bo Jensen", level=Level.USER)
        bo = make.actor(work.session, row)
        make.holding(work.session, holder=row)
        own = make.municipal_task(work.session, executor=row).id
        by_role = make.municipal_task(work.session)
        by_role.responsible_role = "systemansvarlig"
        ids = [own, by_role.id, make.municipal_task(work.session).id]
    found = _preview(house, bo, WANTED["status"], ids)
    assert [line.task.id for line in found.lines] == ids[:2]
    assert [(each.count, each.why) for each in found.skipped] == [(1, "må du ikke rette")]


def test_a_plugins_field_is_set_and_restored(house: Installation, mette: Actor) -> None:
    extra = next(
        each for each in house.registry.extra_fields.values() if each.municipal and each.system == "kp"
    )
    value = extra.choices[0].value if extra.choices else "12"
    ids = [*_tasks(house, 3), *_tasks(house, 1, local=True)]
    with house.writing(NOW) as work:
        ky = make.project(work.session, "ky", system_code="ky")
        other = make.municipal_task(work.session, in_project=ky).id
    change = _store(house, mette, Wanted(extra.key, value), [*ids, other])
    rows = select(MunicipalTaskField.municipal_task_id, MunicipalTaskField.value)
    with house.reading(NOW) as work:
        assert dict(work.session.execute(rows).all()) == dict.fromkeys(ids, value)
    assert _undo(house, mette, change).restored == 4
    with house.reading(NOW) as work:
        assert work.session.execute(rows).all() == []


def test_tasks_changed_since_are_shown_and_nothing_is_stored(house: Installation, mette: Actor) -> None:
    ids = _tasks(house, 2)
    with house.writing(NOW) as work:
        bo = make.actor(work.session, make.person(work.session, "Bo Jensen"))
    with house.writing(NOW, bo) as work:
        changing.change(work, ids[0], 1, Changes(status=Status.COMPLETED))
    with pytest.raises(StaleError) as caught, house.writing(NOW, mette) as work:
        storing.store(work, WANTED["status"], dict.fromkeys(ids, 1))
    (line,) = caught.value.preview.changed_since
    assert (line.old, line.new, line.version) == ("Fuldført", "I gang", 2)
    assert [row["status"] for row in _state(house, ids).values()] == ["fuldfoert", "ikke-paabegyndt"]
    with house.writing(NOW, mette) as work:
        storing.store(work, WANTED["status"], {ids[0]: 2, ids[1]: 1})


def test_of_two_at_once_the_second_is_told(house: Installation, mette: Actor) -> None:
    ids = _tasks(house, 6)
    with house.writing(NOW) as work:
        bo = make.actor(work.session, make.person(work.session, "Bo Jensen"))
    start, outcomes = threading.Barrier(2), []

    def run(actor: Actor, status: Status, order: list[int]) -> None:
        start.wait()
        try:
            with house.writing(NOW, actor) as work:
                storing.store(work, Wanted("status", status.value), dict.fromkeys(order, 1))
            outcomes.append("stored")
        except StaleError as stale:
            outcomes.append(len(stale.preview.changed_since))

    both = [
        threading.Thread(target=run, args=(mette, Status.IN_PROGRESS, ids)),
        threading.Thread(target=run, args=(bo, Status.COMPLETED, ids[::-1])),
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(outcomes, key=str) == [6, "stored"]
    assert len({row["status"] for row in _state(house, ids).values()}) == 1
    with house.reading(NOW) as work:
        assert len(work.session.scalars(select(TaskChange)).all()) == 6


@contextmanager
def _counted(house: Installation) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(house.database.engine, "before_cursor_execute", note)


def test_the_statements_do_not_grow_with_the_tasks(house: Installation, mette: Actor) -> None:
    with house.writing(NOW) as work:
        make.holding(work.session, holder=make.person(work.session, "Bo Jensen"))
    counts = []
    for count in (5, 60):
        ids = _tasks(house, count)
        with _counted(house) as statements:
            change = _store(house, mette, WANTED["a role"], ids)
        with _counted(house) as undone:
            _undo(house, mette, change)
        counts.append((len(statements), len(undone)))
    assert counts[0] == counts[1]


def test_the_whole_filter_can_be_chosen_but_not_without_end(
    house: Installation, mette: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _tasks(house, 3)
    _tasks(house, 1, status=Status.COMPLETED)
    _tasks(house, 1, municipality=HERNING)
    with house.reading(NOW, mette) as work:
        selection = filtering.select_tasks(work, filtering.read(work.registry, ""))
        assert set(chosen.in_filter(work, selection)) == set(ids)
        monkeypatch.setattr(chosen, "MOST", 2)
        with pytest.raises(RefusedError, match=r"højst 5\.000"):
            chosen.in_filter(work, selection)


def test_somebody_who_left_does_not_get_the_task_back(house: Installation, mette: Actor) -> None:
    with house.writing(NOW) as work:
        bo = make.person(work.session, "Bo Jensen")
        task = make.municipal_task(work.session, responsible=bo).id
        bo_id = bo.id
    change = _store(house, mette, Wanted("responsible", ""), [task])
    with house.writing(NOW) as work:
        _leave(work.session, bo_id)
    assert _undo(house, mette, change).left[0][1] == "Bo Jensen kan ikke længere få opgaven."


def _leave(session: Session, person_id: int) -> None:
    from klik.models import Membership

    member = session.scalars(select(Membership).where(Membership.person_id == person_id)).one()
    member.active = False
    assert member.municipality_id == KOEGE
    session.execute(delete(Notice).where(Notice.person_id == person_id))
