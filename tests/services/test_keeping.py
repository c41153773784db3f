"""What is kept is true: numbers, vocabularies and choices under a stamp are what a fresh question gives."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import DataStamp, MunicipalTask
from klik.models.stamps import EVERYONE, Part
from klik.services import counting, filtering, listing, vocabulary
from klik.services.keeping import Keep, Kept, Stamps
from klik.services.work import Actor, Work
from tests import make

PLACES = (make.KOEGE, make.HERNING, make.AARHUS, make.LAESOE)
QUERIES = (
    "",
    "deadline=roed",
    "deadline=roed&deadline=gul&status=ikke-paabegyndt",
    "projekt=kp&fuldfoerte=ja",
)


def kept_work(work: Work, keep: Keep) -> Work:
    """The work as a reading request has it: with the stamps read first."""
    actor = work.actor
    assert actor is not None
    here = (EVERYONE, actor.municipality_id)
    raised = {Part.FRAME: 0, Part.TASKS: 0}
    for row in work.session.scalars(select(DataStamp)):
        if actor.municipality_id is None or row.municipality_id in here:
            raised[Part(row.part)] += row.stamp
    stamps = Stamps(raised[Part.FRAME], raised[Part.TASKS])
    return replace(work, kept=Kept(keep, stamps))


def counted(work: Work, query: str) -> tuple[object, object]:
    selection = filtering.select_tasks(work, filtering.read(work.registry, query))
    return listing.count(work, selection), counting.choices(work, selection)


@pytest.mark.parametrize("level", [Level.KOMBIT_EDITOR, Level.PLUS_USER, Level.SUPPLIER])
def test_numbers_that_are_kept_are_those_of_a_fresh_question(house: Installation, level: Level) -> None:
    chance = random.Random(level.value)
    with house.writing(make.NOW) as work:
        for place in PLACES:
            for _each in range(3):
                make.municipal_task(work.session, municipality=place, deadline=make.TODAY)
        person = make.person(work.session, level=level, systems=("kp",) if level is Level.SUPPLIER else ())
        actor = make.actor(work.session, person)
    keep = Keep()
    for _round in range(12):
        with house.writing(make.NOW) as work:
            _change(work, chance)
        for query in QUERIES:
            with house.reading(make.NOW, actor) as work:
                fresh = counted(work, query)
                assert counted(kept_work(work, keep), query) == fresh
                assert counted(kept_work(work, keep), query) == fresh
    assert len(keep) > 0


def _change(work: Work, chance: random.Random) -> None:
    place = chance.choice(PLACES)
    rows = list(
        work.session.scalars(select(MunicipalTask).where(MunicipalTask.municipality_id == place)).all()
    )
    task = chance.choice(rows)
    match chance.randrange(4):
        case 0:
            task.status = chance.choice([Status.NOT_STARTED, Status.IN_PROGRESS, Status.COMPLETED]).value
        case 1:
            task.deadline = make.TODAY + timedelta(days=chance.randrange(-5, 30))
            task.yellow_from = task.deadline - timedelta(days=14)
        case 2:
            make.municipal_task(work.session, municipality=place, local=chance.random() < 0.5)
        case _:
            task.withdrawn_at = None if task.withdrawn_at else make.NOW


def test_after_a_change_only_that_municipality_is_counted_again(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        for place in PLACES:
            make.municipal_task(work.session, municipality=place)
        actor = make.actor(work.session, make.person(work.session, level=Level.KOMBIT_EDITOR))
    keep = Keep()
    _total(house, actor, keep)
    with house.writing(make.NOW) as work:
        # Behind the stamps' back: who counted everything again would see it.
        _without_stamps(work)
        make.municipal_task(work.session, municipality=make.HERNING)
        work.session.flush()
        _with_stamps(work)
        make.municipal_task(work.session, municipality=make.KOEGE, local=True)
        make.municipal_task(
            work.session, municipality=make.KOEGE, version=make_version_of(work, make.HERNING)
        )
    assert _total(house, actor, keep) == 5
    assert _total(house, actor, Keep()) == 6


def make_version_of(work: Work, place: int):  # type: ignore[no-untyped-def]
    """The version behind the newest task of a place."""
    task = work.session.scalars(
        select(MunicipalTask)
        .where(MunicipalTask.municipality_id == place)
        .order_by(MunicipalTask.id.desc())
        .limit(1)
    ).one()
    return task.task_version


def _without_stamps(work: Work) -> None:
    for name in ("municipal_tasks", "task_versions"):
        on = "" if work.session.get_bind().dialect.name == "sqlite" else f" on {name}"
        work.session.execute(text(f"drop trigger {name}_stamped_insert{on}"))


def _with_stamps(work: Work) -> None:
    from klik.models import stamps

    stamps.install(work.session.connection())


def _total(house: Installation, actor: Actor, keep: Keep) -> int:
    with house.reading(make.NOW, actor) as work:
        work = kept_work(work, keep)
        selection = filtering.select_tasks(work, filtering.read(work.registry, ""))
        return listing.count(work, selection).total


def test_the_vocabulary_knows_a_new_colleague_at_once_and_no_strangers(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        mine = make.actor(work.session, make.person(work.session, "Mette Holm"))
        theirs = make.actor(work.session, make.person(work.session, "Ole Fri", municipality=make.HERNING))
    keep = Keep()

    def names(actor: Actor) -> set[str]:
        with house.reading(make.NOW, actor) as work:
            return set(vocabulary.read(kept_work(work, keep)).people.values())

    assert names(mine) == {"Mette Holm"}
    assert names(theirs) == {"Ole Fri"}
    with house.writing(make.NOW) as work:
        make.person(work.session, "Lars Lund")
    assert names(mine) == {"Mette Holm", "Lars Lund"}
    assert names(theirs) == {"Ole Fri"}


def test_tomorrow_is_another_question(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        make.municipal_task(work.session, deadline=make.TODAY)
        actor = make.actor(work.session, make.person(work.session))
    keep = Keep()
    red = []
    for days in (0, 1):
        with house.reading(make.NOW + timedelta(days=days), actor) as work:
            work = kept_work(work, keep)
            red.append(
                listing.count(work, filtering.select_tasks(work, filtering.read(work.registry, ""))).pulse.red
            )
    assert red == [0, 1]


def test_the_store_is_bounded_and_lets_go_of_what_was_not_asked_for() -> None:
    keep = Keep(most=100)
    for name in ("a", "b"):
        keep.put(name, 1, name, 40)
    assert keep.get("a", 1) == "a"
    keep.put("c", 1, "c", 40)
    assert [keep.get(name, 1) for name in ("a", "b", "c")] == ["a", None, "c"]
    keep.put("huge", 1, "huge", 101)
    assert keep.get("huge", 1) is None
    assert keep.get("a", 2) is None
    keep.put("a", 2, "new", 60)
    assert (keep.get("a", 1), keep.get("a", 2), len(keep)) == (None, "new", 2)


def test_what_belongs_to_everyone_counts_everywhere_again(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        for slug, places in (("kp", PLACES), ("ky", PLACES[:1])):
            home = make.project(work.session, slug, system_code=None)
            for place in places:
                make.municipal_task(work.session, municipality=place, in_project=home)
        actor = make.actor(work.session, make.person(work.session, level=Level.KOMBIT_EDITOR))
    keep = Keep()

    def total() -> int:
        with house.reading(make.NOW, actor) as work:
            work = kept_work(work, keep)
            return listing.count(
                work, filtering.select_tasks(work, filtering.read(work.registry, "projekt=kp"))
            ).total

    assert total() == len(PLACES)
    with house.writing(make.NOW) as work:
        for old, new in (("kp", "x"), ("ky", "kp"), ("x", "ky")):
            work.session.execute(
                text("update projects set slug = :new where slug = :old"), {"old": old, "new": new}
            )
    assert total() == 1
