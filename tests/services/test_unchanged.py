"""What was collected of a task before is given again only while collecting it anew would give the very same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, event, insert, select, update
from sqlalchemy.orm import Session

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import (
    ChecklistItem,
    Comment,
    Deletion,
    DeletionItem,
    Deviation,
    Membership,
    Municipality,
    MunicipalTask,
    MunicipalTaskField,
    MunicipalTaskFile,
    Person,
    Project,
    Question,
    RoleHolding,
    StoredFile,
    System,
    Task,
    TaskChange,
    TaskFile,
    TaskLink,
    TaskVersion,
    TaskVersionField,
)
from klik.services.keeping import Keep
from klik.services.tasks import exporting, unchanged
from klik.services.tasks.exporting import TaskExport
from klik.services.work import Actor, Work
from klik.settings import Settings
from tests import make
from tests.make import KOEGE, NOW, TODAY
from tests.services.test_panels import a_plugin

Change = Callable[[Session, int], object]
SHA = "ab" * 32


def _of(task_id: int) -> dict[str, int]:
    return {"municipality_id": KOEGE, "municipal_task_id": task_id}


def _published(session: Session, task_id: int) -> int:
    return session.get_one(MunicipalTask, task_id).task_id or 0


def _new_version(session: Session, task_id: int) -> None:
    published = _published(session, task_id)
    last = session.scalars(select(TaskVersion).where(TaskVersion.task_id == published)).one()
    values = {
        column.name: getattr(last, column.name) for column in TaskVersion.__table__.c if column.name != "id"
    }
    session.execute(insert(TaskVersion).values(values | {"number": 2, "change_note": "Ny frist"}))
    session.execute(update(Task).where(Task.id == published).values(current_number=2))


# What somebody, somewhere, may change: each must be seen in the export or change nothing in it.
CHANGES: dict[str, Change] = {
    "status": lambda s, t: s.execute(
        update(MunicipalTask).where(MunicipalTask.id == t).values(status="i-gang")
    ),
    "title of the neighbour": lambda s, t: s.execute(
        update(MunicipalTask).where(MunicipalTask.id != t).values(title="Naboen hedder nu noget andet")
    ),
    "comment edited": lambda s, _t: s.execute(update(Comment).values(text="Rettet ord")),
    "comment made private": lambda s, _t: s.execute(update(Comment).values(private=True)),
    "author renamed": lambda s, _t: s.execute(
        update(Person).where(Person.name == "Åge Sørensen").values(name="Åge Holm")
    ),
    "holder changes": lambda s, _t: s.execute(update(RoleHolding).values(valid_to=TODAY - timedelta(days=1))),
    "author leaves the house": lambda s, _t: s.execute(update(Membership).values(active=False)),
    "municipality renamed": lambda s, _t: s.execute(
        update(Municipality).where(Municipality.id == KOEGE).values(name="Ny Køge")
    ),
    "project renamed": lambda s, _t: s.execute(update(Project).values(name="Nyt projekt")),
    "system renamed": lambda s, _t: s.execute(update(System).values(name="Nyt system")),
    "corrected by KOMBIT": _new_version,
    "version field": lambda s, _t: s.execute(update(TaskVersionField).values(value="Noget nyt")),
    "own field": lambda s, t: s.execute(
        insert(MunicipalTaskField).values(**_of(t), field="gammel.felt", value="Værdi")
    ),
    "history": lambda s, t: s.execute(
        insert(TaskChange).values(**_of(t), at=NOW, field="title", old="a", new="b", via="")
    ),
    "ticked": lambda s, _t: s.execute(update(ChecklistItem).values(done_at=NOW)),
    "file of the municipality": lambda s, _t: s.execute(
        update(MunicipalTaskFile).values(name="Andet navn.txt")
    ),
    "file of KOMBIT": lambda s, t: s.execute(
        insert(TaskFile).values(task_id=_published(s, t), sha256=SHA, name="Bilag.txt", added_at=NOW)
    ),
    "answer": lambda s, _t: s.execute(update(Question).values(answer="Ja", answered_at=NOW)),
    "deviation": lambda s, _t: s.execute(update(Deviation).values(settled_at=NOW, answer="behold")),
    "fetched for the deletion": lambda s, _t: s.execute(
        update(DeletionItem).values(state="hentet", fetched_at=NOW)
    ),
    "deletion postponed": lambda s, _t: s.execute(update(Deletion).values(last_day=date(2027, 6, 1))),
    "withdrawn": lambda s, t: s.execute(
        update(MunicipalTask).where(MunicipalTask.id == t).values(withdrawn_at=NOW)
    ),
    "reason of the withdrawal": lambda s, t: s.execute(
        update(Task).where(Task.id == _published(s, t)).values(withdrawal_reason="Fejl i opgaven")
    ),
    "link gone": lambda s, _t: s.execute(delete(TaskLink)),
    "comment deleted": lambda s, _t: s.execute(delete(Comment)),
}
# What the document does not tell as it stands; a document that comes to tell it may move them up.
MAY_STAY = {
    "author leaves the house",
    "fetched for the deletion",
    "deletion postponed",
    "version field",
    "own field",
    "comment made private",
}


@pytest.fixture
def words() -> dict[str, str]:
    """What the plug-in's panel says: from outside the database."""
    return {"word": "hvide sten"}


@pytest.fixture
def full(
    house_settings: Settings, tmp_path: Path, words: dict[str, str]
) -> Iterator[tuple[Installation, Actor, int]]:
    """A task with one of everything on it, and whoever exports it."""
    plugin = a_plugin(tmp_path / "plugin", lambda task, _context: {"number": task.number, **words})
    house = Installation(house_settings, plugins=[plugin])
    with house.writing(NOW) as work:
        session = work.session
        mette, aage = make.person(session), make.person(session, "Åge Sørensen")
        make.holding(session, holder=aage)
        row = make.municipal_task(session, responsible=mette)
        row.executor_role = "systemansvarlig"
        neighbour = make.municipal_task(session, title="Naboen")
        make.comment(session, row, aage)
        session.add_all(
            [
                TaskLink(task_id=row.task_id, needs_task_id=neighbour.task_id),
                ChecklistItem(**_of(row.id), position=1, text="Ring til fagchefen"),
                StoredFile(sha256=SHA, size=3, media_type="text/plain", created_at=NOW),
                TaskVersionField(task_version_id=row.task_version_id, field="kp.felt", value="Noget"),
                Question(
                    **_of(row.id), task_id=row.task_id, asked_by=mette.id, asked_at=NOW, text="Hvornår?"
                ),
                Deviation(
                    **_of(row.id),
                    field="deadline",
                    task_version_id=row.task_version_id,
                    central_old="2026-12-01",
                    central_new="2026-12-21",
                    local="2026-12-24",
                    at=NOW,
                ),
            ]
        )
        session.flush()
        announced = Deletion(
            state="varslet",
            last_day=TODAY + timedelta(days=60),
            heading="KP er i drift",
            legal_basis="Arkivloven",
            decided_by="KOMBIT",
            decided_on=TODAY,
            announced_at=NOW,
        )
        session.add_all(
            [
                MunicipalTaskFile(
                    **_of(row.id), sha256=SHA, name="Vores.txt", added_by=mette.id, added_at=NOW
                ),
                announced,
            ]
        )
        session.flush()
        session.add(DeletionItem(**_of(row.id), deletion_id=announced.id, state="varslet"))
        actor = make.actor(session, mette)
        task_id = row.id
    yield house, actor, task_id
    house.close()


class Asked:
    """Asks for exports, and counts how many had to be collected."""

    def __init__(self, house: Installation) -> None:
        self._house = house
        self.collected = 0

    def collect(self, work: Work, task_id: int) -> TaskExport:
        """As exporting does it."""
        self.collected += 1
        return exporting.collect(work, self._house.files, task_id, self._house.settings.base_url)

    def __call__(self, actor: Actor, task_id: int, later: timedelta = timedelta(0)) -> TaskExport:
        with self._house.reading(NOW + later, actor) as work:
            (export,) = unchanged.exports(work, self._house, [task_id], self.collect)
            return export

    def anew(self, actor: Actor, task_id: int, later: timedelta = timedelta(0)) -> TaskExport:
        with self._house.reading(NOW + later, actor) as work:
            return exporting.collect(work, self._house.files, task_id, self._house.settings.base_url)


def test_whatever_changes_is_seen_and_what_does_not_is_not_collected(
    full: tuple[Installation, Actor, int],
) -> None:
    house, actor, task_id = full
    ask = Asked(house)
    first = ask(actor, task_id)
    assert ask(actor, task_id, timedelta(minutes=9)) == first == ask.anew(actor, task_id)
    assert ask.collected == 1
    unseen = set()
    for name, change in CHANGES.items():
        with house.writing(NOW) as work:
            change(work.session, task_id)
        now = ask(actor, task_id)
        assert now == ask.anew(actor, task_id), name
        if now == first:
            unseen.add(name)
        first = now
        collected = ask.collected
        assert ask(actor, task_id) == now
        assert ask.collected == collected, name
    assert unseen <= MAY_STAY


def test_panels_files_days_and_people_are_seen_too(
    full: tuple[Installation, Actor, int], words: dict[str, str]
) -> None:
    house, actor, task_id = full
    ask = Asked(house)
    first = ask(actor, task_id)
    words["word"] = "sorte sten"
    assert "sorte sten" in ask(actor, task_id).document.panels[0].html
    assert any("mangler på serveren" in line for line in first.document.omitted)
    path = house.files.path(SHA)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"hej")
    assert not any("mangler på serveren" in line for line in ask(actor, task_id).document.omitted)
    day = timedelta(days=1)
    assert ask(actor, task_id, day) == ask.anew(actor, task_id, day) != ask(actor, task_id)
    elsewhere = replace(actor, person_id=actor.person_id + 100, place="Et andet sted")
    assert ask(elsewhere, task_id).document.exported_by == "Et andet sted"
    house.kept = Keep(most=10)
    collected = ask.collected
    assert ask(actor, task_id) == ask(actor, task_id)
    assert ask.collected == collected + 2  # where nothing fits, everything is collected


def test_a_plug_in_that_answers_otherwise_a_moment_later_has_nothing_kept(
    full: tuple[Installation, Actor, int], words: dict[str, str]
) -> None:
    house, actor, task_id = full
    ask = Asked(house)
    collect = ask.collect

    def changing(work: Work, task: int) -> TaskExport:
        words["word"] = "et øjeblik"
        export = collect(work, task)
        words["word"] = "hvide sten"
        return export

    ask.collect = changing  # type: ignore[method-assign]
    assert "et øjeblik" in ask(actor, task_id).document.panels[0].html
    ask.collect = collect  # type: ignore[method-assign]
    assert ask(actor, task_id) == ask.anew(actor, task_id)


def test_collecting_reads_nothing_that_is_not_watched(full: tuple[Installation, Actor, int]) -> None:
    """Whoever has the document tell something new names its table in ``unchanged``."""
    house, actor, task_id = full
    with house.writing(NOW) as work:
        _new_version(work.session, task_id)
        kombit = make.actor(
            work.session, make.person(work.session, level=Level.KOMBIT_ADMINISTRATOR, municipality=None)
        )
    read: set[str] = set()

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        read.update(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", statement))

    event.listen(house.database.engine, "before_cursor_execute", note)
    for who in (actor, kombit):
        Asked(house).anew(who, task_id)
    event.remove(house.database.engine, "before_cursor_execute", note)
    assert {"comments", "questions", "people"} <= read
    assert read - unchanged.READ == set()
