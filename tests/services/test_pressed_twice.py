"""Double clicks and pairs of redaktører on both databases: one publication, one new version, never a part of two."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from klik.installation import Installation
from klik.models import AuditEntry, MunicipalTask, Notice, Task, TaskVersion
from klik.services import correcting, publishing
from klik.services.correcting import Corrected
from klik.services.errors import ConflictError
from klik.services.publishing import Draft
from tests import make

pytestmark = pytest.mark.hard
# A thousand were pressed by hand; this many are pressed with every change.
PRESSES = int(os.environ.get("KLIK_TEST_PRESSES", "100"))
# No task of KOMBIT's gets a thousand versions: each hundred presses have one of their own.
SPAN = 100
CODES = (101, 147, 259)
DRAFT = Draft(
    project="kp",
    title="Udpeg systemansvarlig",
    phase="opstart",
    theme="it-miljoe-og-infrastruktur",
    deadline_rule="core.date",
    deadline_parameter="2026-12-01",
)


@pytest.fixture
def ready(house: Installation) -> Installation:
    """Three municipalities with a plus user each."""
    with house.database.writing() as session:
        make.project(session)
        for code in CODES:
            make.person(session, municipality=code)
    return house


def both(acts: tuple[Callable[[], object], Callable[[], object]]) -> list[object]:
    """What two people hear who press at the same moment: a result or an exception."""
    heard: list[object] = [None, None]
    together = threading.Barrier(2)

    def press(place: int) -> None:
        together.wait()
        try:
            heard[place] = acts[place]()
        except Exception as fault:
            heard[place] = fault

    threads = [threading.Thread(target=press, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return heard


def _publish(house: Installation, title: str, key: str | None) -> object:
    with house.writing(make.NOW) as work:
        return publishing.publish(work, replace(DRAFT, title=title), CODES, key)


def _publications(house: Installation) -> tuple[int, int, int, int]:
    with house.database.reading() as session:
        counts = [session.scalar(select(func.count(each))) for each in (Task.id, MunicipalTask.id, Notice.id)]
        audited = select(func.count(AuditEntry.id)).where(AuditEntry.action == "publish")
        return (*counts, session.scalar(audited))  # type: ignore[return-value]


def test_a_double_click_publishes_once(ready: Installation) -> None:
    for press in range(1, PRESSES + 1):
        key = str(uuid.uuid4())
        act = lambda key=key: _publish(ready, f"Udpeg {key}", key)  # noqa: E731
        first, second = both((act, act))
        assert first == second, (first, second)
        assert {first.repeated, second.repeated} == {True, False}  # type: ignore[attr-defined]
        assert _publications(ready) == (press, 3 * press, 3 * press, press)


def test_two_redaktoerer_publish_two_tasks(ready: Installation) -> None:
    for press in range(1, PRESSES // 5 + 1):
        acts = tuple(
            lambda name=name, press=press: _publish(ready, f"{name} {press}", str(uuid.uuid4()))
            for name in ("Ida", "Bo")
        )
        first, second = both(acts)  # type: ignore[arg-type]
        assert first.task_id != second.task_id  # type: ignore[attr-defined]
        assert _publications(ready) == (2 * press, 6 * press, 6 * press, 2 * press)
    with ready.database.reading() as session:
        numbers = session.scalars(select(Task.task_number)).all()
    assert len(set(numbers)) == len(numbers)


def _correct(house: Installation, task_id: int, title: str, key: str | None, version: int) -> Corrected:
    with house.writing(make.NOW) as work:
        draft = replace(publishing.draft_of(work, task_id), title=title)
        return correcting.correct(work, task_id, draft, "Rettet.", key, version=version)


def _places(house: Installation) -> Iterator[tuple[int, int, int]]:
    """For each press its number, the task to correct and the version it has; tasks are published on the way."""
    for press in range(1, PRESSES + 1):
        earlier, version = divmod(press - 1, SPAN)
        if version == 0:
            _publish(house, f"{DRAFT.title} {earlier}", None)
        yield press, earlier + 1, version + 1


def _corrections(house: Installation, task_id: int) -> tuple[int, int, int, set[str]]:
    """The task's versions, everything audited, the copies in its newest version, and their titles."""
    with house.database.reading() as session:
        versions = select(func.count(TaskVersion.id)).where(TaskVersion.task_id == task_id)
        audited = session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.action == "correct"))
        newest = select(func.max(TaskVersion.id)).where(TaskVersion.task_id == task_id).scalar_subquery()
        followed = select(func.count(MunicipalTask.id)).where(MunicipalTask.task_version_id == newest)
        titles = set(session.scalars(select(MunicipalTask.title).where(MunicipalTask.task_id == task_id)))
        return session.scalar(versions) or 0, audited or 0, session.scalar(followed) or 0, titles


def test_a_double_click_corrects_once(ready: Installation) -> None:
    for press, task_id, version in _places(ready):
        key, title = str(uuid.uuid4()), f"Titel {press}"
        act = lambda arguments=(task_id, title, key, version): _correct(ready, *arguments)  # noqa: E731
        first, second = both((act, act))
        assert first == second, (first, second)
        assert {first.repeated, second.repeated} == {True, False}  # type: ignore[attr-defined]
        assert _corrections(ready, task_id) == (version + 1, press, 3, {title})


def test_of_two_redaktoerer_one_corrects_and_the_other_is_told(ready: Installation) -> None:
    for press, task_id, version in _places(ready):
        both_of = tuple((task_id, f"{name} {press}", str(uuid.uuid4()), version) for name in ("Ida", "Bo"))
        acts = tuple(lambda arguments=arguments: _correct(ready, *arguments) for arguments in both_of)
        heard = both(acts)  # type: ignore[arg-type]
        kinds = sorted(type(each).__name__ for each in heard)
        assert kinds == [ConflictError.__name__, Corrected.__name__], heard
        winner = ("Ida", "Bo")[isinstance(heard[1], Corrected)]
        assert _corrections(ready, task_id) == (version + 1, press, 3, {f"{winner} {press}"})


def test_a_press_without_its_key_is_caught(ready: Installation) -> None:
    """The control: what the tests above look at differs as soon as the form forgets its key."""
    _publish(ready, DRAFT.title, None)
    both((lambda: _publish(ready, "Naiv", None), lambda: _publish(ready, "Naiv", None)))
    assert _publications(ready)[0] == 3
    heard = both((lambda: _correct(ready, 1, "Ny", None, 1), lambda: _correct(ready, 1, "Ny", None, 1)))
    assert heard[0] != heard[1]
    assert sorted(type(each).__name__ for each in heard) == ["ConflictError", "Corrected"]
