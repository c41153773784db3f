"""Checklists: lines, ticks, order, limits, races, and who sees what of them."""

from __future__ import annotations

import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.tasks import checklist, details, history
from klik.services.work import Actor
from tests import make
from tests.make import NOW


@pytest.fixture
def scene(house: Installation) -> tuple[int, dict[str, Actor]]:
    """A task in Køge with three lines, and people by level."""
    with house.writing(NOW) as work:
        make.has_system(work.session)
        task = make.municipal_task(work.session).id
        people = {
            level.value: make.actor(work.session, make.person(work.session, level=level, systems=("kp",)))
            for level in Level
        }
        away = make.person(work.session, municipality=make.HERNING)
        people["herning"] = make.actor(work.session, away)
    with house.writing(NOW, people["plusbruger"]) as work:
        for text in ("Ring til Netcompany", "Bestil lokale", "Skriv referat"):
            checklist.add(work, task, text)
    return task, people


def _lines(house: Installation, task: int, actor: Actor) -> checklist.Checklist:
    with house.reading(NOW, actor) as work:
        return details.load(work, task).checklist


def test_add_tick_rename_move_and_remove(house: Installation, scene: tuple[int, dict[str, Actor]]) -> None:
    task, people = scene
    me = people["plusbruger"]
    first, second, third = _lines(house, task, me).lines
    with house.writing(NOW, me) as work:
        checklist.tick(work, task, first.id, first.version, True)
        checklist.rename(work, task, second.id, second.version, "Bestil mødelokale")
    with house.writing(NOW, me) as work:
        checklist.move(work, task, third.id, third.version, -1)
    found = _lines(house, task, me)
    assert [(line.text, line.done) for line in found.lines] == [
        ("Ring til Netcompany", True),
        ("Skriv referat", False),
        ("Bestil mødelokale", False),
    ]
    assert found.words == "1 af 3"
    with house.writing(NOW, me) as work:
        checklist.remove(work, task, found.lines[0].id, found.lines[0].version)
        assert checklist.progress(work, [task]) == {task: "0 af 2"}
        told = [entry.sentence for entry in history.history(work, details.load(work, task).task, own=True)]
    assert "Afkrydset på tjeklisten: Ring til Netcompany" in told
    assert "Linje på tjeklisten ændret: Bestil lokale → Bestil mødelokale" in told
    assert "Linje fjernet fra tjeklisten: Ring til Netcompany" in told


def test_two_who_write_at_once(house: Installation, scene: tuple[int, dict[str, Actor]]) -> None:
    task, people = scene
    me, other = people["plusbruger"], people["administrator"]
    line = _lines(house, task, me).lines[0]
    with house.writing(NOW, other) as work:
        checklist.rename(work, task, line.id, line.version, "Ring straks")
    for act in (
        lambda work: checklist.rename(work, task, line.id, line.version, "Ring i morgen"),
        lambda work: checklist.tick(work, task, line.id, line.version, True),
        lambda work: checklist.remove(work, task, line.id, line.version),
        lambda work: checklist.move(work, task, line.id, line.version, 1),
    ):
        with pytest.raises(ConflictError), house.writing(NOW, me) as work:
            act(work)
    assert _lines(house, task, me).lines[0].text == "Ring straks"
    now = _lines(house, task, me).lines[0]
    with house.writing(NOW, other) as work:
        checklist.tick(work, task, line.id, now.version, True)
    with house.writing(NOW, me) as work:
        checklist.tick(work, task, line.id, now.version, True)  # both wanted the same


def test_limits_are_told(house: Installation, scene: tuple[int, dict[str, Actor]]) -> None:
    task, people = scene
    with house.writing(NOW, people["plusbruger"]) as work:
        with pytest.raises(RefusedError, match="CPR-nummer"):
            checklist.add(work, task, "Ring til 010190-1234 i dag")
        checklist.add(work, task, "Ring til 010190-1234 i dag", not_cpr=True)
        with pytest.raises(RefusedError, match="Linje"):
            checklist.add(work, task, "x" * 301)
        with pytest.raises(RefusedError, match="Linje"):
            checklist.add(work, task, "  ")
        for number in range(96):
            checklist.add(work, task, f"Linje {number}")
        with pytest.raises(RefusedError, match=r"100 linjer og må højst have 100"):
            checklist.add(work, task, "én for meget")


def test_kombit_sees_how_far_and_no_words(house: Installation, scene: tuple[int, dict[str, Actor]]) -> None:
    task, people = scene
    kombit = _lines(house, task, people["kombit-administrator"])
    assert (kombit.words, kombit.lines) == ("0 af 3", ())
    assert _lines(house, task, people["leverandoer"]).words == ""
    with house.reading(NOW, people["leverandoer"]) as work:
        assert checklist.progress(work, [task]) == {}
    with house.reading(NOW, people["kombit-administrator"]) as work:
        shown = history.history(work, details.load(work, task).task, own=False)
    assert not any("tjeklist" in entry.sentence.lower() for entry in shown)


def test_who_may_not(house: Installation, scene: tuple[int, dict[str, Actor]]) -> None:
    task, people = scene
    line = _lines(house, task, people["plusbruger"]).lines[0]
    for who, refusal in (
        ("laeser", ForbiddenError),
        ("kombit-administrator", ForbiddenError),
        ("herning", NotFoundError),
    ):
        with pytest.raises(refusal), house.writing(NOW, people[who]) as work:
            checklist.tick(work, task, line.id, line.version, True)
