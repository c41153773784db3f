"""Whom a row of a drejebog is for, and the template it takes what it leaves open from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Task
from klik.services import publishing
from klik.services.publishing import RecipientChoice
from klik.services.work import Actor
from tests import make
from tests.make import HERNING, KOEGE, NOW
from tests.services.test_playbook import book, outcomes, read

HEAD = ("Projekt", "Titel", "Fase", "Tema", "Formål", "Modtagere", "Skabelon")
TEMPLATE = "Udpeg systemansvarlig (KY)"


@pytest.fixture
def editor(house: Installation) -> Actor:
    with house.writing(NOW) as work:
        make.project(work.session, "ky", system_code="ky")
        make.has_system(work.session, KOEGE, "ky", wave=make.wave(work.session, "b1"))
        return make.actor(work.session, make.person(work.session, level=Level.KOMBIT_EDITOR))


def _file(*rows: Sequence[Any]) -> bytes:
    return book(*rows, head=HEAD)


def _row(title: str, to: str = "", template: str = "", purpose: str = "Fordi.") -> list[str]:
    plain = ["Forberedelse", "it-miljoe-og-infrastruktur"] if not template else ["", ""]
    return ["KY", title, *plain, purpose, to, template]


def _tasks(house: Installation) -> list[Task]:
    with house.reading(NOW) as work:
        found = list(work.session.scalars(select(Task).order_by(Task.id)))
        work.session.expunge_all()
        return found


def test_whom_a_row_is_for(house: Installation, editor: Actor) -> None:
    words = ("system", "alle", f"{KOEGE},{HERNING}", "bølge:ky/b1", "region:Region Sjælland", "undtagen:101")
    file = _file(*(_row(f"Til {each}", each) for each in words), _row("Uden"))
    assert read(house, editor, file).count("ny") == 7
    assert [task.recipients for task in _tasks(house)] == [*words, None]
    assert read(house, editor, file).count("uændret") == 7
    assert [task.version for task in _tasks(house)] == [1] * 7
    # An empty cell leaves whom a task is for; other words are a change.
    changed = read(house, editor, _file(_row("Til system"), _row("Til alle", "system")))
    assert [each.outcome for each in changed.rows] == ["uændret", "ændret"]
    assert [task.recipients for task in _tasks(house)][:2] == ["system", "system"]


def test_whom_it_cannot_be_for_is_said_at_the_cell(house: Installation, editor: Actor) -> None:
    file = _file(_row("A", "dem alle"), _row("B", "bølge:ky/b9"), _row("C", "kommuner:Kjøge"))
    texts = [each.text for each in read(house, editor, file).rows]
    assert texts[0].startswith("F2: Modtagere: “dem alle” kan ikke læses.")
    assert texts[1].startswith("F3: ") and "b9" in texts[1]
    assert texts[2].startswith("F4: ") and "“Kjøge” kendes ikke" in texts[2]
    assert _tasks(house) == []


def test_what_a_row_leaves_open_comes_from_its_template(house: Installation, editor: Actor) -> None:
    file = _file(_row("", "", TEMPLATE, ""), _row("Udpeg to", "system", TEMPLATE.upper(), "Vores eget."))
    assert [each.outcome for each in read(house, editor, file).rows] == ["ny", "ny"]
    template = house.registry.task_types["ky.udpeg-systemansvarlig"]
    with house.reading(NOW, editor) as work:
        first, second = (publishing.draft_of(work, task.id) for task in _tasks(house))
    assert (first.title, first.purpose, first.phase) == (template.title, template.purpose, template.phase)
    assert (first.template, first.deadline_rule) == (template.key, template.deadline_rule)
    assert first.responsible_role == template.responsible_role
    assert (second.title, second.purpose) == ("Udpeg to", "Vores eget.")
    assert second.how_to == template.how_to
    assert [each.outcome for each in read(house, editor, file).rows] == ["uændret", "uændret"]
    wrong = read(house, editor, _file(_row("A", template="Udpeg systemansvarlige (KY)")))
    assert "Skabelon: “Udpeg systemansvarlige (KY)” kan ikke vælges." in wrong.rows[0].text


@pytest.mark.parametrize("title", ["EKSEMPEL: Udpeg", "eksempel: noget"])
def test_the_example_is_never_read_in(house: Installation, editor: Actor, title: str) -> None:
    report = read(house, editor, _file(_row(title), _row("Eksempelsamlingen gennemgås")))
    assert outcomes(report)[0] == (
        2,
        "forkert",
        "B2: Titel: rækken er skabelonens eksempel. Slet den, før drejebogen indlæses.",
    )
    assert report.rows[1].outcome == "ny" and _tasks(house) == []


def test_a_choice_is_stored_as_it_is_parsed(house: Installation, editor: Actor) -> None:
    read(house, editor, _file(_row("A", " boelge:b1 ")))
    stored = _tasks(house)[0].recipients or ""
    assert RecipientChoice.parse(stored) == RecipientChoice.parse("bølge:b1")
