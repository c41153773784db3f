"""Corrections in the browser without JavaScript: KOMBIT's form, impact and versions; the municipality's answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from klik.installation import Installation
from klik.models import Deviation, Person, Task, TaskVersion
from klik.services import publishing
from tests import make
from tests.client import Browser, filled
from tests.services.correcting_world import (
    DRAFT,
    FINISHED,
    NEW_DAY,
    NOT_STARTED,
    OWN_DEADLINE,
    Scene,
    scene,
)

TYPED = {
    "note": "Leverandøren er forsinket.",
    "deadline_parameter": "15-12-2026",
    "title": "Udpeg en systemansvarlig",
    "description": "Vælg en systemansvarlig nu.\n\nSkriv navnet i rollegalleriet.",
}


@pytest.fixture
def at_work(house: Installation) -> Scene:
    """A published task with municipalities that have come differently far."""
    return scene(house)


@pytest.fixture
def sign_in(at_work: Scene, browser: Callable[..., Browser]) -> Callable[[int | None], Browser]:
    """Sign in as a municipality's leader, or as KOMBIT's redaktør."""

    def visit(code: int | None) -> Browser:
        actor = at_work.leaders[code] if code else at_work.editor
        return browser().sign_in(actor.email)

    return visit


def _address(scene: Scene, end: str = "rettelse") -> str:
    return f"/udgivelser/{scene.task_id}/{end}"


def test_from_the_task_to_a_published_correction(
    at_work: Scene, sign_in: Callable[[int | None], Browser]
) -> None:
    editor = sign_in(None)
    shown = editor.get(f"/udgivelser/{at_work.task_id}")
    assert shown.find("a", string="Ret")["href"] == _address(at_work)
    form = editor.get(_address(at_work))
    assert not form.select("[name=recipients], [name=codes]")
    ahead = editor.submit(form, _address(at_work), **TYPED, trin="virkning")
    assert ahead.select_one(".correcting-sum").text == "2 følger, 2 mærkes, 2 uændret"
    assert [each.text for each in ahead.select("ins")] == [
        "Tilføjet: en",
        "Tilføjet: 15.",
        "Tilføjet: systemansvarlig nu.",
    ]
    words = " ".join(ahead.text.split())
    assert "Aarhus: deadline hos KOMBIT 1. december 2026 →til 15. december 2026" in words
    done = editor.submit(ahead, _address(at_work), trin="udgiv")
    assert editor.response.request.path == _address(at_work, "versioner")
    assert "Rettelsen er udgivet som version 2. 2 følger, 2 mærkes, 2 uændret." in done.text
    assert "Leverandøren er forsinket." in done.select_one("#version-2").text
    assert at_work.copies()[NOT_STARTED].deadline == NEW_DAY
    assert at_work.copies()[NOT_STARTED].title == TYPED["title"]


def test_pressing_twice_corrects_once(
    at_work: Scene, sign_in: Callable[[int | None], Browser], house: Installation
) -> None:
    editor = sign_in(None)
    ahead = editor.submit(editor.get(_address(at_work)), _address(at_work), **TYPED, trin="virkning")
    sent = filled(ahead.find("form", attrs={"action": _address(at_work)})) | {"trin": "udgiv"}
    for _press in range(2):
        editor.post(_address(at_work), sent)
        assert editor.response.request.path == _address(at_work, "versioner")
    with house.reading(make.NOW) as work:
        assert work.session.scalar(select(func.count(TaskVersion.id))) == 2


def test_a_newer_version_meanwhile_keeps_both_texts(
    at_work: Scene, sign_in: Callable[[int | None], Browser]
) -> None:
    editor = sign_in(None)
    form = editor.get(_address(at_work))
    at_work.correct(title="Den andens titel", note="Den anden rettede.")
    for step in ("virkning", "udgiv"):
        page = editor.submit(form, _address(at_work), expect=409, **TYPED, trin=step)
        conflict = page.select_one("#konflikt").parent.text
        assert "har rettet opgaven imens" in conflict and "Den anden rettede." in conflict
        assert "Fjernet: Den andens titel" in conflict
        kept = filled(page.find("form", attrs={"action": _address(at_work)}))
        assert {name: kept[name] for name in TYPED} == TYPED
    assert at_work.copies()[NOT_STARTED].title == "Den andens titel"
    ahead = editor.submit(page, _address(at_work), trin="virkning")
    editor.submit(ahead, _address(at_work), trin="udgiv")
    assert at_work.copies()[NOT_STARTED].title == TYPED["title"]


WRONG = (
    ({"note": ""}, "Note til kommunerne skal udfyldes"),
    ({"note": "x " * 400}, "må højst fylde 450 tegn"),
    ({"title": ""}, "Titel skal udfyldes"),
    ({"deadline_parameter": "1-11-2026"}, "er allerede overskredet"),
    ({"number": "MI 77"}, "en udgivet opgave beholder sit nummer"),
    ({"start": "31-02-2027"}, "Startdato"),
    ({"needs": "MI 77"}, "projektet har ingen opgave med nummeret MI 77"),
)


def test_bad_input_names_the_field_and_is_kept(
    at_work: Scene, sign_in: Callable[[int | None], Browser]
) -> None:
    editor = sign_in(None)
    page = editor.get(_address(at_work))
    for change, sentence in WRONG:
        answer = editor.submit(page, _address(at_work), expect=422, **(TYPED | change | {"trin": "virkning"}))
        assert sentence in answer.select_one(".klik-error-summary").text
        kept = filled(answer.find("form", attrs={"action": _address(at_work)}))
        assert kept["description"] == TYPED["description"]
    page = editor.get(_address(at_work))
    answer = editor.submit(page, _address(at_work), expect=422, trin="virkning", note="Hvorfor.")
    assert "Intet er ændret" in answer.text


def test_reopening_from_the_impact(at_work: Scene, sign_in: Callable[[int | None], Browser]) -> None:
    editor = sign_in(None)
    ahead = editor.submit(editor.get(_address(at_work)), _address(at_work), **TYPED, trin="virkning")
    finished = at_work.copies()[FINISHED]
    assert ahead.select_one(f"#genaabn-{finished.id}") is not None
    again = editor.submit(ahead, _address(at_work), trin="virkning", genaabn=str(finished.id))
    assert again.select_one(".correcting-sum").text == "2 følger, 3 mærkes, 1 uændret"
    assert again.select_one(f"#genaabn-{finished.id}").has_attr("checked")
    editor.submit(again, _address(at_work), trin="udgiv")
    assert at_work.copies()[FINISHED].status == "i-gang"


def test_the_municipality_sees_both_values_and_follows(
    at_work: Scene, sign_in: Callable[[int | None], Browser], house: Installation
) -> None:
    at_work.correct(deadline_parameter=NEW_DAY.isoformat(), note="Leverandøren er forsinket.")
    aarhus = sign_in(OWN_DEADLINE)
    copy = at_work.copies()[OWN_DEADLINE]
    page = aarhus.get(f"/opgaver/{copy.id}")
    box = page.select_one(".correcting-deviation")
    words = " ".join(box.text.split())
    assert "KOMBIT har flyttet fristen" in words
    assert "1. december 2026" in words and "15. december 2026" in words and "10. december 2026" in words
    assert [each.contents[0] for each in box.select("button")] == ["Følg KOMBIT", "Behold jeres"]
    with house.reading(make.NOW) as work:
        deviation = work.session.scalars(select(Deviation)).one().id
    action = f"/opgaver/{copy.id}/afvigelser/{deviation}"
    aarhus.post(action, {"version": "7", "svar": "foelg"}, expect=409)
    assert at_work.copies()[OWN_DEADLINE].deadline_is_own
    after = aarhus.post(action, {"version": "1", "svar": "foelg"})
    assert "I følger nu KOMBIT." in after.text and not after.select(".correcting-deviation")
    assert at_work.copies()[OWN_DEADLINE].deadline == NEW_DAY
    aarhus.post(action, {"version": "2", "svar": "behold"}, expect=409)
    assert "Afvigelsen er besvaret" in aarhus.response.text


def test_the_task_page_says_what_kombit_corrected(
    at_work: Scene, sign_in: Callable[[int | None], Browser]
) -> None:
    koege = sign_in(NOT_STARTED)
    assert "Rettet af KOMBIT" not in koege.get(f"/opgaver/{at_work.copies()[NOT_STARTED].id}").text
    at_work.correct(title="Ny titel", note="Titlen var uklar.")
    page = koege.get(f"/opgaver/{at_work.copies()[NOT_STARTED].id}")
    line = page.select_one(".correcting-lines summary")
    assert " ".join(line.text.split()) == "Rettet af KOMBIT 23. november 2026: Titlen var uklar."
    assert "Rettet af KOMBIT" in page.select_one("#historik").text
    brondby = sign_in(FINISHED)
    page = brondby.get(f"/opgaver/{at_work.copies()[FINISHED].id}")
    assert page.select_one("h1").text.strip().endswith(DRAFT.title)
    assert "efter at I afsluttede den" in page.text


def test_a_draft_cannot_be_corrected(
    at_work: Scene, sign_in: Callable[[int | None], Browser], house: Installation
) -> None:
    with house.writing(make.NOW) as work:
        draft = make.task(work.session, state="kladde").task_id
        assert work.session.get_one(Task, draft).published_at is None
        assert work.session.scalars(select(Person.id)).first()
    sign_in(None).get(f"/udgivelser/{draft}/rettelse", expect=404)


def test_a_circle_is_warned_of_in_the_form_and_before_it_is_published(
    at_work: Scene, sign_in: Callable[[int | None], Browser]
) -> None:
    editor = sign_in(None)
    with at_work.house.writing(make.NOW, at_work.editor) as work:
        first = publishing.draft_of(work, at_work.task_id)
        waiting = replace(first, number=None, title="Den anden", needs=(first.number or "",))
        second = publishing.publish(work, waiting, [NOT_STARTED]).task_id
        number = publishing.draft_of(work, second).number
    form = editor.get(_address(at_work))
    assert "venter på hinanden" not in form.text
    circle = f"{first.number} → {number} → {first.number}"
    ahead = editor.submit(form, _address(at_work), **TYPED, needs=number, trin="virkning")
    assert "Opgaverne venter på hinanden" in ahead.text and circle in ahead.text
    again = editor.submit(ahead, _address(at_work), trin="ret")
    assert circle in again.text
    done = editor.submit(ahead, _address(at_work), trin="udgiv")
    assert "Rettelsen er udgivet som version 2" in done.text
    assert circle in editor.get(_address(at_work)).text
