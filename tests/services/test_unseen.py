"""What is new to whom: exactly what others did after the mark, and what the person may see of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.domain.texts import search_key
from klik.installation import Installation
from klik.models import MunicipalTask, ReadMark, TaskVersion
from klik.services import filtering
from klik.services.tasks import attachments, changing, checklist, commenting, details, read_marks, unseen
from klik.services.tasks.changing import Changes
from klik.services.tasks.unseen import Unseen
from klik.services.work import Actor, Work
from tests import make
from tests.make import NOW

HOUR = timedelta(hours=1)


@dataclass
class Scene:
    """A published task in Køge, and who reads and writes."""

    house: Installation
    task: int
    version: int
    people: dict[str, Actor]

    def seen(self, who: str, hour: float) -> None:
        """ "Set" at an hour."""
        with self.house.writing(NOW + hour * HOUR, self.people[who]) as work:
            read_marks.mark_read(work, self.task)

    def news(self, who: str, hour: float) -> Unseen:
        """What is new to them at that hour; page, filter and the mark in the list's row must agree."""
        with self.house.reading(NOW + hour * HOUR, self.people[who]) as work:
            found = unseen.load(work, details.load(work, self.task))
            selection = filtering.select_tasks(
                work, filtering.read(work.registry, "aendret=ja&fuldfoerte=ja")
            )
            listed = set(work.session.scalars(select(MunicipalTask.id).where(selection.where())))
            marked = read_marks.news(work, [self.task])
        assert found.any == (self.task in listed), (who, found)
        assert marked == ({self.task: not found.never} if found.any else {}), (who, found)
        return found

    def act(self, who: str, hour: float, act: Callable[[Work], object]) -> None:
        """Let somebody do something at an hour."""
        with self.house.writing(NOW + hour * HOUR, self.people[who]) as work:
            act(work)

    def status(self, who: str, hour: float, status: Status) -> None:
        """Let somebody set the status."""

        def store(work: Work) -> None:
            now = work.session.get_one(MunicipalTask, self.task).version
            changing.change(work, self.task, now, Changes(status=status))

        self.act(who, hour, store)


@pytest.fixture
def scene(house: Installation) -> Scene:
    """See Scene."""
    with house.writing(NOW) as work:
        session = work.session
        make.has_system(session)
        version = make.task(session, description="Første afsnit.\n\nAndet afsnit.\n\nTredje afsnit.")
        task = make.municipal_task(session, version)
        levels = {
            "mette": (Level.PLUS_USER, make.KOEGE),
            "jens": (Level.PLUS_USER, make.KOEGE),
            "kombit": (Level.KOMBIT_EDITOR, None),
            "leverandoer": (Level.SUPPLIER, None),
        }
        people = {
            name: make.actor(
                session, make.person(session, name, level=level, municipality=place, systems=("kp",))
            )
            for name, (level, place) in levels.items()
        }
        return Scene(house, task.id, version.id, people)


def _corrected(scene: Scene, hour: float) -> None:
    with scene.house.writing(NOW + hour * HOUR) as work:
        old = work.session.get_one(TaskVersion, scene.version)
        values = {
            column.name: getattr(old, column.name)
            for column in TaskVersion.__table__.columns
            if column.name not in ("id", "number", "description", "created_at")
        }
        text = old.description.replace("Andet afsnit", "Et rettet afsnit")
        new = TaskVersion(**values, number=2, description=text, created_at=work.now)
        new.search_key = search_key(text)
        work.session.add(new)
        work.session.flush()
        task = work.session.get_one(MunicipalTask, scene.task)
        task.task_version_id, task.changed_at = new.id, work.now


def test_a_task_never_seen_is_new_as_a_whole(scene: Scene) -> None:
    scene.status("jens", 1, Status.IN_PROGRESS)
    found = scene.news("mette", 2)
    assert found.never and found.count == 0


def test_only_what_others_did_after_the_mark(scene: Scene) -> None:
    scene.status("jens", 1, Status.IN_PROGRESS)
    scene.seen("mette", 2)
    assert not scene.news("mette", 3).any
    scene.status("jens", 4, Status.COMPLETED)
    found = scene.news("mette", 5)
    assert {key: (each.before, each.who) for key, each in found.fields.items()} == {
        "status": ("I gang", "jens")
    }
    scene.seen("mette", 6)
    assert not scene.news("mette", 7).any


def test_ones_own_acts_are_never_new_and_hide_nothing(scene: Scene) -> None:
    scene.seen("mette", 1)
    scene.status("mette", 2, Status.IN_PROGRESS)
    assert not scene.news("mette", 3).any
    scene.act("jens", 4, lambda work: commenting.add(work, scene.task, "Hej"))
    scene.status("mette", 5, Status.COMPLETED)
    found = scene.news("mette", 6)
    assert len(found.comments) == 1 and not found.fields


def test_what_comes_while_somebody_reads_is_still_new(scene: Scene) -> None:
    scene.seen("mette", 1)
    scene.status("jens", 3, Status.IN_PROGRESS)
    with scene.house.writing(NOW + 4 * HOUR, scene.people["mette"]) as work:
        read_marks.mark_read(work, scene.task, NOW + 2 * HOUR, scene.version)
    assert set(scene.news("mette", 5).fields) == {"status"}
    with scene.house.writing(NOW + 6 * HOUR, scene.people["mette"]) as work:
        mine = select(ReadMark).where(ReadMark.person_id == scene.people["mette"].person_id)
        read_marks.mark_read(work, scene.task, NOW - 9 * HOUR)
        assert work.session.scalars(mine).one().seen_at == NOW + 2 * HOUR
        read_marks.mark_read(work, scene.task, NOW + 99 * HOUR)
        assert work.session.scalars(mine).one().seen_at == NOW + 6 * HOUR


def test_exactly_the_changed_paragraph_of_kombits_text(scene: Scene) -> None:
    scene.seen("mette", 1)
    _corrected(scene, 2)
    found = scene.news("mette", 3)
    assert list(found.texts) == ["Beskrivelse"]
    marked = [(each.kind, each.html) for each in found.texts["Beskrivelse"]]
    assert marked[1] == ("changed", "<p>Et rettet afsnit.</p>\n")
    assert [kind for kind, _html in marked] == ["unchanged", "changed", "unchanged"]
    with scene.house.writing(NOW + 4 * HOUR, scene.people["mette"]) as work:
        # "Set" on a page that still showed the old text.
        read_marks.mark_read(work, scene.task, None, scene.version)
    assert list(scene.news("mette", 5).texts) == ["Beskrivelse"]
    scene.seen("mette", 6)
    assert not scene.news("mette", 7).any


def test_what_stays_at_home_is_news_at_home_only(scene: Scene) -> None:
    for who in scene.people:
        scene.seen(who, 1)
    scene.act("jens", 2, lambda work: commenting.add(work, scene.task, "Kun os", private=True))
    scene.act("jens", 3, lambda work: checklist.add(work, scene.task, "Ring"))
    files = scene.house.files
    scene.act("jens", 4, lambda work: attachments.add(work, files, scene.task, "a.txt", b"hej"))
    mine = scene.news("mette", 5)
    assert (len(mine.comments), len(mine.items), len(mine.files)) == (1, 1, 1)
    assert not scene.news("kombit", 5).any and not scene.news("leverandoer", 5).any
    scene.act("jens", 6, lambda work: commenting.add(work, scene.task, "Til alle"))
    assert len(scene.news("kombit", 7).comments) == 1 and not scene.news("leverandoer", 7).any
    scene.status("jens", 8, Status.IN_PROGRESS)
    found = scene.news("leverandoer", 9)
    assert found.fields["status"].who == "Kommunen"


def test_page_and_list_agree_whatever_happened(scene: Scene) -> None:
    chance = random.Random(12)
    names = list(scene.people)
    for hour in range(1, 30):
        who = chance.choice(names[:3])
        kind = chance.randrange(5)
        if kind == 0:
            scene.seen(chance.choice(names), hour)
        elif kind == 1:
            private = chance.random() < 0.5
            scene.act(who, hour, lambda work, p=private: commenting.add(work, scene.task, "x", private=p))
        elif kind == 2 and who != "kombit":
            status = chance.choice([Status.IN_PROGRESS, Status.COMPLETED, Status.NOT_STARTED])
            scene.status(who, hour, status)
        elif kind == 3 and who != "kombit":
            scene.act(who, hour, lambda work: checklist.add(work, scene.task, "linje"))
        for name in names:
            scene.news(name, hour + 0.5)
