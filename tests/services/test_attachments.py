"""Files on a task: stored before their row, handed out whole, and never somebody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalTaskFile, StoredFile, TaskChange, TaskFile
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.tasks import attachments
from klik.services.tasks.attachments import FileLostError
from klik.services.work import Actor
from tests import make
from tests.make import NOW

CSV = "rolle;navn\nA;Bø\n".encode()


@pytest.fixture
def scene(house: Installation) -> tuple[int, Actor]:
    """A task in Køge and a plus user there."""
    with house.writing(NOW) as work:
        return make.municipal_task(work.session).id, make.actor(work.session, make.person(work.session))


def _add(house: Installation, actor: Actor, task: int, name: str = "Roller.csv", content: bytes = CSV) -> int:
    with house.writing(NOW, actor) as work:
        return attachments.add(work, house.files, task, name, content).id


def _files(house: Installation) -> tuple[int, int]:
    with house.reading(NOW) as work:
        count = select(func.count())
        return (
            work.session.scalar(count.select_from(MunicipalTaskFile)) or 0,
            work.session.scalar(count.select_from(StoredFile)) or 0,
        )


def test_a_file_comes_back_as_it_was(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    file = _add(house, me, task, "C:\\mappe\\Bilag 1/2: Køge.csv")
    with house.reading(NOW, me) as work:
        found = attachments.own(work, house.files, task, file)
        assert (found.name, found.media_type, found.content) == ("2 Køge.csv", "text/csv", CSV)
        row = work.session.scalars(select(TaskChange)).one()
        assert (row.field, row.old, row.new) == ("file", None, "2: Køge.csv")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x" * 151 + ".csv", "højst fylde 150"),
        ("a\0b.csv", "ikke kan gemmes"),
        ("gpj.\u202evsc.csv", "ikke kan gemmes"),
        ("", "skal udfyldes"),
        ("mappe/", "skal udfyldes"),
        ("a.pdf", "indholdet er: tekst"),
    ],
)
def test_a_refused_file_leaves_nothing(
    house: Installation, scene: tuple[int, Actor], name: str, sentence: str
) -> None:
    task, me = scene
    with pytest.raises(RefusedError) as caught:
        _add(house, me, task, name)
    assert sentence in caught.value.problems["file"]
    assert _files(house) == (0, 0)
    assert not house.files.folder.exists() or not any(house.files.folder.iterdir())


def test_the_same_bytes_are_stored_once_and_once_on_a_task(
    house: Installation, scene: tuple[int, Actor]
) -> None:
    task, me = scene
    with house.writing(NOW) as work:
        other = make.municipal_task(work.session).id
    _add(house, me, task)
    _add(house, me, other, "Andet navn.csv")
    with pytest.raises(RefusedError, match=r"allerede på opgaven med navnet “Roller\.csv”"):
        _add(house, me, task, "Kopi.csv")
    assert _files(house) == (2, 1)


def test_a_task_has_room_for_a_hundred_files(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    with house.writing(NOW, me) as work:
        for number in range(attachments.MOST_FILES):
            attachments.add(work, house.files, task, f"{number}.txt", str(number).encode())
    with pytest.raises(RefusedError, match="højst have 100"):
        _add(house, me, task)


def test_who_may_attach_and_read(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    file = _add(house, me, task)
    with house.writing(NOW) as work:
        people = {
            level: make.actor(work.session, make.person(work.session, level=level, systems=("kp",)))
            for level in Level
        }
        herning = make.actor(work.session, make.person(work.session, municipality=make.HERNING))
    for level, actor in people.items():
        at_home = actor.municipality_id == make.KOEGE
        with house.reading(NOW, actor) as work:
            if at_home:
                assert attachments.own(work, house.files, task, file).content == CSV
            else:
                with pytest.raises(NotFoundError):
                    attachments.own(work, house.files, task, file)
        if level in (Level.ADMINISTRATOR, Level.PLUS_USER):
            _add(house, actor, task, f"{level.value}.txt", level.value.encode())
        else:
            with pytest.raises(ForbiddenError):
                _add(house, actor, task, "Nej.txt", b"nej")
    with pytest.raises(NotFoundError), house.reading(NOW, herning) as work:
        attachments.own(work, house.files, task, file)
    with pytest.raises(NotFoundError):
        _add(house, herning, task)


def test_a_file_is_not_found_below_another_task(house: Installation, scene: tuple[int, Actor]) -> None:
    task, me = scene
    file = _add(house, me, task)
    with house.writing(NOW) as work:
        other = make.municipal_task(work.session).id
    with pytest.raises(NotFoundError), house.reading(NOW, me) as work:
        attachments.own(work, house.files, other, file)


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_lost_bytes_are_said_and_not_handed_out(
    house: Installation, scene: tuple[int, Actor], harm: str
) -> None:
    task, me = scene
    file = _add(house, me, task)
    with house.reading(NOW) as work:
        path = house.files.path(work.session.get_one(MunicipalTaskFile, file).sha256)
    path.unlink() if harm == "missing" else path.write_bytes(b"andet")
    with pytest.raises(FileLostError, match=r"Roller\.csv"), house.reading(NOW, me) as work:
        attachments.own(work, house.files, task, file)


def test_removing_a_file_keeps_its_bytes_for_other_tasks(
    house: Installation, scene: tuple[int, Actor]
) -> None:
    task, me = scene
    with house.writing(NOW) as work:
        other = make.municipal_task(work.session).id
    first, second = _add(house, me, task), _add(house, me, other)
    with house.writing(NOW, me) as work:
        attachments.remove(work, task, first)
    with house.reading(NOW, me) as work:
        assert attachments.own(work, house.files, other, second).content == CSV


def test_kombits_files_are_for_everybody_who_sees_the_task(
    house: Installation, scene: tuple[int, Actor]
) -> None:
    task, _me = scene
    sha256 = house.files.put(CSV)
    with house.writing(NOW) as work:
        published = work.session.scalars(select(make.MunicipalTask)).one().task_id
        work.session.add(StoredFile(sha256=sha256, size=len(CSV), media_type="text/csv", created_at=NOW))
        work.session.flush()
        row = TaskFile(task_id=published, sha256=sha256, name="KLE-numre.csv", added_at=NOW)
        work.session.add(row)
        work.session.flush()
        file = row.id
        supplier = make.actor(work.session, make.person(work.session, level=Level.SUPPLIER, systems=("kp",)))
        stranger = make.actor(work.session, make.person(work.session, municipality=make.HERNING))
    with house.reading(NOW, supplier) as work:
        assert attachments.from_kombit(work, house.files, task, file).name == "KLE-numre.csv"
    with pytest.raises(NotFoundError), house.reading(NOW, stranger) as work:
        attachments.from_kombit(work, house.files, task, file)
