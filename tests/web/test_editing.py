"""Changing in the row and many at once, as pages and forms: reasons, clashes, what is kept, and nothing twice."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from klik.domain.status import Status
from klik.installation import Installation
from klik.models import BulkChange, MunicipalTask, TaskChange
from klik.services.tasks import changing
from klik.services.tasks.steps import Changes
from tests import make
from tests.client import Browser, filled
from tests.make import HERNING, NOW


@pytest.fixture
def ids(house: Installation) -> list[int]:
    """Three tasks in Køge."""
    with house.writing(NOW) as work:
        return [make.municipal_task(work.session, title=f"Opgave {n}").id for n in range(3)]


@pytest.fixture
def mette(house: Installation, browser: Callable[..., Browser]) -> Browser:
    """A plus user in Køge, signed in."""
    with house.writing(NOW) as work:
        email = make.person(work.session).email
    return browser().sign_in(email)


def _meanwhile(house: Installation, task: int, version: int = 1) -> None:
    with house.writing(NOW) as work:
        bo = make.actor(work.session, make.person(work.session, "Bo Jensen"))
    with house.writing(NOW, bo) as work:
        changing.change(work, task, version, Changes(status=Status.COMPLETED))


def _statuses(house: Installation, ids: list[int]) -> list[str]:
    with house.reading(NOW) as work:
        return [work.session.get_one(MunicipalTask, each).status for each in ids]


def test_a_clash_in_the_row_shows_both_and_lets_one_choose(
    house: Installation, mette: Browser, ids: list[int]
) -> None:
    address = f"/opgaver/{ids[0]}/celle/status"
    sent = {"version": "1", "foer": "ikke-paabegyndt", "vaerdi": "i-gang"}
    _meanwhile(house, ids[0])
    page = mette.post(f"{address}?deadline=gul", sent, expect=409)
    said = " ".join(page.select_one(".klik-cell-clash").get_text(" ").split())
    assert re.fullmatch(r"Bo Jensen har sat status til Fuldført .*; du valgte I gang \.", said), said
    assert _statuses(house, ids[:1]) == ["fuldfoert"]
    form = page.select_one("form.klik-cell-form")
    page = mette.post(f"{address}?deadline=gul", filled(form) | {"vaerdi": "i-gang"})
    assert _statuses(house, ids[:1]) == ["i-gang"]
    assert mette.response.request.path == "/opgaver"


def test_another_field_changed_meanwhile_is_not_in_the_way(
    house: Installation, mette: Browser, ids: list[int]
) -> None:
    _meanwhile(house, ids[0])
    sent = {"version": "1", "foer": "", "vaerdi": "rolle/systemansvarlig"}
    mette.post(f"/opgaver/{ids[0]}/celle/ansvarlig?status=i-gang", sent)
    with house.reading(NOW) as work:
        row = work.session.get_one(MunicipalTask, ids[0])
        assert (row.responsible_role, row.status) == ("systemansvarlig", "fuldfoert")


def test_a_value_nobody_offered_is_refused(mette: Browser, ids: list[int]) -> None:
    for cell, value in (("status", "findes-ikke"), ("ansvarlig", "person/99999"), ("udfoerer", "rolle/x")):
        page = mette.post(f"/opgaver/{ids[0]}/celle/{cell}", {"version": "1", "vaerdi": value}, expect=422)
        assert "vælg en af mulighederne på listen" in page.get_text(" ")


def test_a_short_reason_is_kept_as_typed(house: Installation, mette: Browser, ids: list[int]) -> None:
    address = f"/opgaver/{ids[0]}/celle/status"
    sent = {"version": "1", "foer": "ikke-paabegyndt", "vaerdi": "ikke-relevant"}
    page = mette.post(address, sent)
    assert page.select_one("textarea[name=begrundelse]") is not None
    page = mette.post(address, sent | {"begrundelse": "å"}, expect=422)
    assert "mindst 3 tegn" in page.get_text(" ")
    assert page.select_one("textarea[name=begrundelse]").text.strip() == "å"
    assert _statuses(house, ids[:1]) == ["ikke-paabegyndt"]


def test_the_swapped_row_comes_with_the_counts(mette: Browser, ids: list[int]) -> None:
    sent = {"csrf_token": mette.token(), "version": "1", "foer": "ikke-paabegyndt", "vaerdi": "i-gang"}
    answer = mette._client.post(
        f"/opgaver/{ids[0]}/celle/status?status=ikke-paabegyndt", data=sent, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert answer.headers["HX-Retarget"] == f"#opgave-{ids[0]}"
    assert answer.text.lstrip().startswith(f'<tr id="opgave-{ids[0]}" class="klik-row-gone">')
    assert "Passer ikke længere på filteret" in answer.text
    assert answer.text.count("hx-swap-oob") == 2
    assert "2 opgaver" in answer.text
    assert "klik-gemt" in answer.headers["HX-Trigger-After-Settle"]


def _chosen(mette: Browser, ids: list[int], **more: str) -> dict[str, object]:
    page = mette.post("/opgaver/ret-flere", {"opgave": [str(each) for each in ids]} | more)
    return filled(page.select_one("form#masse"))


def test_many_are_stored_once_however_often_it_is_pressed(
    house: Installation, mette: Browser, ids: list[int]
) -> None:
    sent = _chosen(mette, ids, felt="status", vaerdi="i-gang")
    for _press in range(2):
        page = mette.post("/opgaver/ret-flere/gem", sent)
        assert mette.response.request.path == "/opgaver"
    assert _statuses(house, ids) == ["i-gang"] * 3
    with house.reading(NOW) as work:
        assert work.session.scalar(select(func.count()).select_from(BulkChange)) == 1
        assert work.session.scalar(select(func.count()).select_from(TaskChange)) == 3
    page = mette.get(f"/opgaver/{ids[0]}")
    assert page.select_one("#historik a[href^='/opgaver/rettelser/']") is not None
    page = mette.get("/opgaver/rettelser")
    assert "Status: I gang" in page.get_text(" ")
    page = mette.get(page.select_one("tbody th a")["href"])
    page = mette.submit(page, page.select_one(".klik-post-button")["action"])
    assert "3 opgaver er sat tilbage." in page.get_text(" ")
    assert _statuses(house, ids) == ["ikke-paabegyndt"] * 3


def test_what_changed_after_the_preview_is_shown_and_only_overwritten_when_ticked(
    house: Installation, mette: Browser, ids: list[int]
) -> None:
    sent = _chosen(mette, ids, felt="status", vaerdi="i-gang")
    _meanwhile(house, ids[0])
    _meanwhile(house, ids[1])
    page = mette.post("/opgaver/ret-flere/gem", sent, expect=409)
    assert "Bo Jensen har sat den til Fuldført" in " ".join(page.get_text(" ").split())
    assert _statuses(house, ids) == ["fuldfoert", "fuldfoert", "ikke-paabegyndt"]
    form = filled(page.select_one("form#masse"))
    mette.post("/opgaver/ret-flere/gem", form | {"overskriv": f"{ids[0]}:2"})
    assert _statuses(house, ids) == ["i-gang", "fuldfoert", "i-gang"]


def test_ids_that_are_not_ones_own_are_counted_and_not_named(
    house: Installation, mette: Browser, ids: list[int]
) -> None:
    with house.writing(NOW) as work:
        theirs = make.municipal_task(work.session, title="Hernings hemmelige", municipality=HERNING).id
    page = mette.post(
        "/opgaver/ret-flere",
        {"opgaver": f"{ids[0]}:1,{theirs}:1", "felt": "status", "vaerdi": "i-gang"},
    )
    text = " ".join(page.get_text(" ").split())
    assert "1 rettes, 1 springes over: 1 findes ikke, eller du kan ikke se den." in text
    assert "Hernings" not in text
    mette.post("/opgaver/ret-flere/gem", filled(page.select_one("form#masse")))
    assert _statuses(house, [ids[0], theirs]) == ["i-gang", "ikke-paabegyndt"]


def test_the_whole_filter_and_every_field(mette: Browser, ids: list[int]) -> None:
    page = mette.post("/opgaver/ret-flere", {"alle": "ja", "filter": "status=ikke-paabegyndt"})
    assert page.select_one("h1").text == "Ret 3 opgaver"
    chosen = filled(page.select_one("form#masse"))
    for field in page.select("input[name=felt]"):
        mette.post("/opgaver/ret-flere", chosen | {"felt": field["value"]})
    wrong = {"felt": "deadline", "dato": "1-1-2027", "dage": "4"}
    page = mette.post("/opgaver/ret-flere", chosen | wrong, expect=422)
    assert "ikke begge" in page.get_text(" ")
    page = mette.post("/opgaver/ret-flere", chosen | {"felt": "deadline", "dage": "fjorten"}, expect=422)
    assert "skriv et helt antal dage" in page.get_text(" ")
    assert page.select_one("input[name=dage]")["value"] == "fjorten"


def test_without_a_tick_it_says_what_to_do(mette: Browser, ids: list[int]) -> None:
    page = mette.post("/opgaver/ret-flere", {"filter": "status=ikke-paabegyndt"})
    assert "Sæt først et mark" in page.get_text(" ")
    assert mette.response.request.query_string == b"status=ikke-paabegyndt"
