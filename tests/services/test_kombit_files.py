"""KOMBIT's files on a task: on a draft and after publication, for every municipality, told and audited."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, MunicipalTask, StoredFile, Task, TaskChange, TaskFile
from klik.services import publishing
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.publishing import Draft, files, steps
from klik.services.tasks import attachments, read_marks
from klik.services.work import Actor
from tests import make
from tests.make import KOEGE, LAESOE, NOW

CSV = "rolle;navn\nA;Bø\n".encode()
DRAFT = Draft(project="kp", title="Udpeg", phase="forberedelse", theme="it-miljoe-og-infrastruktur")


@pytest.fixture
def editor(house: Installation) -> Actor:
    with house.writing(NOW) as work:
        make.project(work.session)
        return make.actor(work.session, make.person(work.session, level=Level.KOMBIT_EDITOR))


@pytest.fixture
def draft(house: Installation, editor: Actor) -> int:
    with house.writing(NOW, editor) as work:
        return publishing.save_draft(work, DRAFT)


def _publish(house: Installation, editor: Actor, task_id: int) -> None:
    with house.writing(NOW, editor) as work:
        publishing.publish(work, DRAFT, [KOEGE, LAESOE], task_id=task_id)


def _add(house: Installation, editor: Actor, task_id: int, name: str = "Skema.csv") -> int:
    with house.writing(NOW, editor) as work:
        return files.add(work, house.files, task_id, name, CSV).id


def _count(house: Installation, what: object) -> int:
    with house.reading(NOW) as work:
        return work.session.scalar(select(func.count(what))) or 0  # type: ignore[arg-type]


def test_a_file_of_the_draft_is_read_in_every_municipality(
    house: Installation, editor: Actor, draft: int
) -> None:
    file_id = _add(house, editor, draft, "C:\\mappe\\Skema.csv")
    assert _count(house, TaskChange.id) == 0
    _publish(house, editor, draft)
    with house.writing(NOW) as work:
        me = make.actor(work.session, make.person(work.session))
        mine = work.session.scalar(select(MunicipalTask.id).where(MunicipalTask.municipality_id == KOEGE))
    with house.reading(NOW, me) as work:
        found = attachments.from_kombit(work, house.files, mine or 0, file_id)
        assert (found.name, found.content) == ("Skema.csv", CSV)
    with house.reading(NOW, editor) as work:
        assert files.read(work, house.files, draft, file_id).content == CSV
        assert [(file.name, file.size) for file in files.of(work, draft)] == [("Skema.csv", len(CSV))]
        actions = work.session.scalars(select(AuditEntry.action)).all()
        assert "vedhæft-kombits-fil" in actions


def test_what_comes_and_goes_later_stands_in_every_history(
    house: Installation, editor: Actor, draft: int
) -> None:
    _publish(house, editor, draft)
    later = NOW.replace(hour=12)
    with house.writing(NOW) as work:
        me = make.actor(work.session, make.person(work.session))
    with house.writing(NOW, me) as work:
        mine = work.session.scalar(select(MunicipalTask).where(MunicipalTask.municipality_id == KOEGE))
        assert mine is not None
        read_marks.mark_read(work, mine.id)
        assert not read_marks.is_unread(work, mine)
    with house.writing(later, editor) as work:
        file_id = files.add(work, house.files, draft, "Skema.csv", CSV).id
    with house.writing(later, editor) as work:
        assert files.remove(work, draft, file_id) == "Skema.csv"
        assert files.of(work, draft) == ()
    with house.reading(later, me) as work:
        rows = work.session.execute(
            select(TaskChange.municipality_id, TaskChange.old, TaskChange.new).order_by(
                TaskChange.municipality_id, TaskChange.id
            )
        ).all()
        assert [tuple(row) for row in rows] == [
            (code, *words) for code in (KOEGE, LAESOE) for words in ((None, "Skema.csv"), ("Skema.csv", None))
        ]
        mine = work.session.scalars(select(MunicipalTask).where(MunicipalTask.municipality_id == KOEGE)).one()
        assert read_marks.is_unread(work, mine)
        assert mine.version == 1


def test_the_checks_are_the_municipalities_own(house: Installation, editor: Actor, draft: int) -> None:
    for name, content, sentence in (
        ("a.pdf", CSV, "indholdet er: tekst"),
        ("a.xlsm", CSV, "Vælg en af disse typer"),
        ("a.csv", b"", "Filen er tom"),
    ):
        with pytest.raises(RefusedError) as caught, house.writing(NOW, editor) as work:
            files.add(work, house.files, draft, name, content)
        assert sentence in caught.value.problems["file"]
    assert _count(house, StoredFile.sha256) == 0
    _add(house, editor, draft)
    with pytest.raises(RefusedError) as caught:
        _add(house, editor, draft, "Igen.csv")
    assert "Den samme fil ligger allerede på opgaven med navnet “Skema.csv”" in caught.value.problems["file"]


def test_only_kombit_and_only_the_tasks_own_file(house: Installation, editor: Actor, draft: int) -> None:
    file_id = _add(house, editor, draft)
    with house.writing(NOW, editor) as work:
        other = publishing.save_draft(work, DRAFT)
    with pytest.raises(NotFoundError), house.writing(NOW, editor) as work:
        files.remove(work, other, file_id)
    with house.writing(NOW) as work:
        me = make.actor(work.session, make.person(work.session))
    for act in (
        lambda work: files.add(work, house.files, draft, "B.csv", CSV + b"x"),
        lambda work: files.remove(work, draft, file_id),
        lambda work: files.read(work, house.files, draft, file_id),
        lambda work: files.of(work, draft),
    ):
        with pytest.raises(ForbiddenError), house.writing(NOW, me) as work:
            act(work)
    assert _count(house, TaskFile.id) == 1


def test_a_withdrawn_task_keeps_its_files(house: Installation, editor: Actor, draft: int) -> None:
    file_id = _add(house, editor, draft)
    _publish(house, editor, draft)
    with house.writing(NOW) as work:
        work.session.get_one(Task, draft).state = "tilbagetrukket"
    with pytest.raises(RefusedError, match="trukket tilbage"), house.writing(NOW, editor) as work:
        files.remove(work, draft, file_id)


def test_a_copy_takes_each_file_once(house: Installation, editor: Actor, draft: int) -> None:
    _add(house, editor, draft)
    with house.writing(NOW, editor) as work:
        other = publishing.save_draft(work, DRAFT)
    for expected in (1, 0):
        with house.writing(NOW, editor) as work:
            assert files.copy(work, draft, other) == expected
    assert (_count(house, TaskFile.id), _count(house, StoredFile.sha256)) == (2, 1)


def test_it_stands_in_kombits_own_history_and_overtakes_no_form(
    house: Installation, editor: Actor, draft: int
) -> None:
    with house.reading(NOW) as work:
        before = work.session.get_one(Task, draft).version
    file_id = _add(house, editor, draft)
    _publish(house, editor, draft)
    with house.writing(NOW, editor) as work:
        files.remove(work, draft, file_id)
    with house.reading(NOW, editor) as work:
        task = work.session.get_one(Task, draft)
        lines = [(line.what, line.note) for line in steps.of_task(work, task)]
        assert lines[0] == ("Fil fjernet", "Skema.csv") and lines[-2] == ("Fil vedhæftet", "Skema.csv")
        assert task.state == "udgivet"
    with house.writing(NOW, editor) as work:
        task_id = publishing.save_draft(work, DRAFT)
    with house.reading(NOW) as work:
        assert work.session.get_one(Task, task_id).version == before
    _add(house, editor, task_id)
    with house.reading(NOW) as work:
        assert work.session.get_one(Task, task_id).version == before
