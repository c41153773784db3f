"""The list in each person's own columns, order and groups, and the way to a task and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from bs4 import BeautifulSoup, Tag
from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import ListSettings, MunicipalTaskField
from tests import make
from tests.client import Browser

TODAY = make.TODAY
USUAL = ["Opgave", "Deadline", "Status", "Ansvarlig", "Udfører", "Fase og tema"]


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> None:
    with time_machine.travel(make.NOW, tick=False):
        yield


def fill(house: Installation, count: int = 8) -> None:
    with house.writing(make.NOW) as work:
        phases = [phase.slug for phase in work.registry.content.phases]
        make.person(work.session, "Mette Holm", email="mette@koege.example")
        for number in range(count):
            task = make.municipal_task(
                work.session,
                title=f"Opgave {number}",
                deadline=TODAY + timedelta(days=number - 2),
                status=Status.COMPLETED if number == 7 else Status.NOT_STARTED,
            )
            task.phase = phases[number % 2]


def heads(page: BeautifulSoup) -> list[str]:
    found = []
    for head in page.select(".klik-task-table thead th"):
        for word in head.select(".sr-only, .klik-sort-place"):
            word.extract()
        found.append(head.get_text(strip=True))
    return found


def titles(page: BeautifulSoup) -> list[str]:
    return [link.get_text(strip=True) for link in page.select(".klik-task-table tr[id^=opgave-] th a")]


def one(page: BeautifulSoup, selector: str) -> Tag:
    found = page.select_one(selector)
    assert found is not None, selector
    return found


def test_columns_are_chosen_ordered_remembered_and_reset(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    assert heads(mette.get("/opgaver")) == USUAL
    extra = next(iter(house.registry.extra_fields.values()))
    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session, title="Med felt", deadline=TODAY)
        value = extra.choices[0].value if extra.choices else "abc"
        work.session.add(
            MunicipalTaskField(
                municipal_task_id=task.id, municipality_id=make.KOEGE, field=extra.key, value=value
            )
        )
    chosen = {
        "kolonne": ["nummer", "prioritet", "tema", "aendret", "slutdato", "system", extra.key],
        "plads-prioritet": "1",
        "plads-nummer": "2",
        "plads-tema": "",
        "grupper": "fase",
        "pr_side": "25",
    }
    at_once = mette.post("/opgaver/kolonner?deadline=roed", chosen)
    for page in (at_once, browser().sign_in("mette@koege.example").get("/opgaver?deadline=idag..")):
        assert heads(page)[:4] == ["Opgave", "Deadline", "Prioritet", "Nummer"]
        assert set(heads(page)[4:]) == {"Tema", "Ændret", "Fuldført", "System", extra.label}
        assert page.select("tbody.klik-group") and "Status" not in heads(page)
    row = next(row for row in page.select("tr[id^=opgave-]") if "Med felt" in row.get_text())
    shown = one(row, f'td[data-label="{extra.label}"]').get_text(strip=True)
    assert shown == (extra.choices[0].label if extra.choices else "abc")
    # The list's own order and groups stay in every address of the page.
    assert all(
        "grupper=fase" in link["href"] and "pr_side=25" in link["href"]
        for link in page.select(".klik-sort, tr[id^=opgave-] th a")
    )
    mette.post("/opgaver/kolonner/nulstil", {})
    assert heads(mette.get("/opgaver")) == USUAL
    with house.reading(make.NOW) as work:
        assert work.session.scalars(select(ListSettings)).all() == []


def test_a_column_goes_to_the_place_it_is_given_up_or_down(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    four = {"kolonne": ["status", "ansvarlig", "udfoerer", "fase"]}
    places = {"plads-status": "1", "plads-ansvarlig": "2", "plads-udfoerer": "3", "plads-fase": "4"}
    up = mette.post("/opgaver/kolonner", {**four, **places, "plads-fase": "1"})
    assert heads(up)[2:] == ["Fase og tema", "Status", "Ansvarlig", "Udfører"]
    mette.post("/opgaver/kolonner/nulstil", {})
    down = mette.post("/opgaver/kolonner", {**four, **places, "plads-status": "3"})
    assert heads(down)[2:] == ["Ansvarlig", "Udfører", "Status", "Fase og tema"]


def test_a_wrong_place_is_named_and_what_was_typed_is_kept(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    for typed in ("-1", "0", "1000", "først", "²"):
        page = mette.post(
            "/opgaver/kolonner", {"kolonne": ["status", "findesikke"], "plads-status": typed}, expect=422
        )
        assert "Pladsen for Status skal være et helt tal fra 1 til 99." in page.get_text(" ", strip=True)
        assert one(page, "#plads-status")["value"] == typed
    assert heads(mette.get("/opgaver")) == USUAL


def test_suppliers_are_offered_no_people(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    with house.writing(make.NOW) as work:
        email = make.person(work.session, "Sofus", level=Level.SUPPLIER, systems=("kp",)).email
    supplier = browser().sign_in(email)
    offered = supplier.get("/opgaver/kolonner").get_text(" ", strip=True)
    assert "Ansvarlig" not in offered and "Udfører" not in offered and "Kommune" in offered
    supplier.post(
        "/opgaver/kolonner", {"kolonne": ["ansvarlig", "udfoerer", "status"], "grupper": "ansvarlig"}
    )
    page = supplier.get("/opgaver?sorter=ansvarlig,titel")
    assert heads(page) == ["Opgave", "Deadline", "Status"] and not page.select("tbody.klik-group")


def test_three_keys_are_said_in_words_and_the_foremost_turns_round(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    page = mette.get("/opgaver?sorter=fase&sorter=-deadline&sorter=titel")
    sorted_heads = page.select("th[aria-sort]")
    assert [head["aria-sort"] for head in sorted_heads] == ["ascending"]
    words = {
        head.get_text(" ", strip=True).partition(" ")[0]: head.get_text(" ", strip=True)
        for head in page.select("thead th")
    }
    assert "nummer 1 i sorteringen, stigende. Vend rækkefølgen" in words["Fase"]
    assert "nummer 2 i sorteringen, faldende" in words["Deadline"]
    assert "nummer 3 i sorteringen, stigende" in words["Opgave"]
    assert titles(page) == [
        "Opgave 6",
        "Opgave 4",
        "Opgave 2",
        "Opgave 0",
        "Opgave 5",
        "Opgave 3",
        "Opgave 1",
    ]
    turned = mette.get(one(page, "th[aria-sort] a")["href"])
    assert titles(turned) == [
        "Opgave 5",
        "Opgave 3",
        "Opgave 1",
        "Opgave 6",
        "Opgave 4",
        "Opgave 2",
        "Opgave 0",
    ]
    alone = next(head for head in page.select("thead th a") if head.get_text().startswith("Deadline"))
    assert titles(mette.get(alone["href"])) == [f"Opgave {number}" for number in range(7)]
    remarks = mette.get("/opgaver?sorter=fase,tema,titel,status,forkert&grupper=farve").get_text(
        " ", strip=True
    )
    assert "Der kan højst sorteres efter 3 ting; “status” er ikke brugt." in remarks
    assert "Sorteringen “forkert” findes ikke" in remarks and "Grupperingen “farve” findes ikke" in remarks


def test_groups_say_what_the_whole_list_holds_and_go_on_over_pages(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house, 60)
    mette = browser().sign_in("mette@koege.example")
    page = mette.get("/opgaver?grupper=fase&pr_side=25&fuldfoerte=ja")
    first = one(page, ".klik-group-head")
    assert "30 opgaver 1 rød 8 gule" in first.get_text(" ", strip=True)
    assert len(page.select("tbody")) == 1 and one(first, "th")["scope"] == "rowgroup"
    second = mette.get("/opgaver?grupper=fase&pr_side=25&fuldfoerte=ja&side=2")
    assert "(fortsat)" in second.select(".klik-group-head")[0].get_text()
    assert len(second.select("tbody.klik-group")) == 2
    listed = page.select(".klik-groups-list a")
    assert len(listed) == 2 and listed[1]["href"].endswith("side=2&pr_side=25#gruppe-2")
    assert second.select(".klik-group-head")[1]["id"] == "gruppe-2"
    only = one(first, ".klik-group-only")["href"]
    assert (
        "30 opgaver" in one(mette.get(only), ".klik-showing").get_text()
        or "af 30" in mette.get(only).get_text()
    )
    csv = mette.download(one(page, '.klik-downloads a[href*=".csv"]')["href"]).decode("utf-8-sig")
    rows = [line.split(";")[1] for line in csv.splitlines()[1:]]
    assert rows[:25] == titles(page) and rows[25:50] == titles(second)


def test_the_way_back_lands_on_the_row_where_it_stands_now(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house, 60)
    mette = browser().sign_in("mette@koege.example")
    page = mette.get("/opgaver?sorter=-titel&grupper=fase&pr_side=25&fuldfoerte=ja")
    last = page.select("tr[id^=opgave-] th a")[-1]
    task = mette.get(last["href"])
    following = mette.get(one(task, "a[rel=next]")["href"])
    back = urlsplit(one(following, ".klik-back a")["href"])
    list_page = mette.get(f"{back.path}?{back.query}")
    assert "side=2" in back.query and "grupper=fase" in back.query and "sorter=-titel" in back.query
    assert list_page.select("tr[id^=opgave-]")[0]["id"] == back.fragment


def test_an_empty_list_of_a_person_says_what_comes_next_for_the_place(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        make.person(work.session, "Mette Holm", email="mette@koege.example")
        make.municipal_task(work.session, deadline=TODAY + timedelta(days=18))
        make.municipal_task(work.session, deadline=TODAY - timedelta(days=1), title="En andens røde")
    mette = browser().sign_in("mette@koege.example")
    for query, heading in (
        ("ansvarlig=ingen&deadline=gul", "Ingen gule – næste bliver gul om 4 dage"),
        ("ansvarlig=ingen&deadline=gul&vis_som=idag-1", "Ingen gule"),
        ("ansvarlig=mig&deadline=roed&deadline=gul", "Ingen røde eller gule"),
        ("ansvarlig=mig&deadline=roed&deadline=idag..", "Ingen opgaver passer på filteret"),
        ("ansvarlig=mig", "Ingen opgaver passer på filteret"),
    ):
        assert one(mette.get(f"/opgaver?{query}"), ".klik-empty h2").get_text(strip=True) == heading, query
    for query in ("grupper=ansvarlig&sorter=titel,-status&q=findesikke", "ansvarlig=mig&pr_side=25&side=9"):
        page = mette.get(f"/opgaver?{query}")
        assert page.select(".klik-empty") and not page.select(".klik-task-table, .klik-groups")
