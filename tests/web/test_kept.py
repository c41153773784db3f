"""What is kept shows in no page: every page is the one that would be worked out now, and nobody else's."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import pytest
import time_machine

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.services.keeping import Keep
from tests import make
from tests.client import Browser

QUERIES = (
    "",
    "fuldfoerte=nej",
    "deadline=roed&deadline=gul&status=ikke-paabegyndt",
    "ansvarlig=mig",
    "aendret=ja",
    "siden=igaar",
    "vis_som=idag-1",
    "grupper=fase&sorter=ansvarlig,-deadline&fuldfoerte=ja",
    "q=f%C3%A6lles",
)
CHANGE = """
import sys
from sqlalchemy import create_engine, text
with create_engine(sys.argv[1]).begin() as connection:
    connection.execute(text(sys.argv[2]))
"""
Visitors = Mapping[str, Browser]


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> Iterator[time_machine.Coordinates]:
    # Ten minutes before midnight in Denmark.
    with time_machine.travel(make.NOW + timedelta(hours=15, minutes=50), tick=False) as clock:
        yield clock


@pytest.fixture
def visitors(house: Installation, browser: Callable[..., Browser]) -> Visitors:
    """Browsers of people who see different things, on one application; Køge and Herning have tasks."""
    with house.writing(make.NOW) as work:
        session = work.session
        people = {
            "Mette": make.person(session, "Mette Holm"),
            "Lars": make.person(session, "Lars Lund", level=Level.READER),
            "Ole": make.person(session, "Ole Fri", municipality=make.HERNING),
            "KOMBIT": make.person(session, "Ida Kom", level=Level.KOMBIT_EDITOR),
            "KP": make.person(session, "Per Lev", level=Level.SUPPLIER, systems=("kp",)),
            "KSD": make.person(session, "Kim Lev", level=Level.SUPPLIER, systems=("ksd",)),
        }
        for place, name, whose in ((make.KOEGE, "Køges", "Mette"), (make.HERNING, "Hernings", "Ole")):
            for number, day in enumerate((make.TODAY - timedelta(days=2), make.TODAY)):
                title = f"{name} sammenskudt {number}"
                make.municipal_task(
                    session, municipality=place, title=title, deadline=day, responsible=people[whose]
                )
            make.municipal_task(session, municipality=place, title=f"{name} egen", local=True)
        emails = {name: person.email for name, person in people.items()}
    return {name: browser().sign_in(email) for name, email in emails.items()}


def seen(visitor: Browser, query: str) -> str:
    """What stands in a page, without what is made anew for each: tokens and the keys of forms."""
    page = visitor.download(f"/opgaver?{query}").decode()
    main = page[page.index("<main") : page.index("</main>")]
    assert "\x00" not in main
    return re.sub(r'<input type="hidden" name="(csrf_token|noegle)"[^>]*>', "", main)


def worked_out(visitor: Browser, query: str) -> str:
    """The same with nothing kept."""
    house = visitor.app.extensions["klik"]
    kept, house.kept = house.kept, Keep()
    try:
        return seen(visitor, query)
    finally:
        house.kept = kept


def elsewhere(house: Installation, statement: str) -> None:
    """Change the data from another process, which knows nothing of klik."""
    url = house.database.url.render_as_string(hide_password=False)
    subprocess.run([sys.executable, "-c", CHANGE, url, statement], check=True)


def test_every_page_is_the_one_that_would_be_worked_out_now(
    house: Installation, visitors: Visitors, _the_day_is_fixed: time_machine.Coordinates
) -> None:
    chance = random.Random(259)
    changes = (
        "update municipal_tasks set status = 'i-gang' where title = 'Køges sammenskudt 0'",
        "update municipal_tasks set deadline = '2026-11-01' where title = 'Hernings sammenskudt 1'",
        "update projects set name = 'Kontanthjælp'",
        "update people set name = 'Mette Lund', name_key = 'mette lund' where name = 'Mette Holm'",
        "delete from read_marks",
    )
    for change in changes:
        for name in chance.sample(sorted(visitors), len(visitors)):
            for query in chance.sample(QUERIES, 2):
                assert seen(visitors[name], query) == worked_out(visitors[name], query), (name, query)
        elsewhere(house, change)
    _the_day_is_fixed.shift(timedelta(minutes=20))
    for name, visitor in visitors.items():
        assert seen(visitor, QUERIES[2]) == worked_out(visitor, QUERIES[2]), name


def test_a_change_by_another_process_is_seen_at_once(house: Installation, visitors: Visitors) -> None:
    def titles(name: str) -> set[str]:
        page = visitors[name].get("/opgaver?deadline=roed")
        return {link.get_text(strip=True) for link in page.select(".klik-task-table tbody th a")}

    assert titles("Mette") == {"Køges sammenskudt 0"}
    everyone = {"Køges sammenskudt 0", "Hernings sammenskudt 0"}
    assert titles("KOMBIT") == titles("KP") == everyone
    elsewhere(house, "update municipal_tasks set deadline = '2026-10-01' where title = 'Køges sammenskudt 1'")
    assert titles("Mette") == {"Køges sammenskudt 0", "Køges sammenskudt 1"}
    assert titles("Ole") == {"Hernings sammenskudt 0"}
    assert titles("KOMBIT") == titles("KP") == everyone | {"Køges sammenskudt 1"}


def test_what_one_has_seen_is_new_to_the_other(house: Installation, visitors: Visitors) -> None:
    def number(name: str) -> int:
        return len(visitors[name].get("/opgaver?aendret=ja").select("tr[id^=opgave-]"))

    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session, title="Ny").id
    before = {name: number(name) for name in ("Mette", "Lars")}
    visitors["Mette"].get(f"/opgaver/{task}")
    assert worked_out(visitors["Mette"], "aendret=ja") == seen(visitors["Mette"], "aendret=ja")
    assert number("Lars") == before["Lars"]


def test_my_tasks_are_mine_and_names_are_for_those_who_may_see_them(visitors: Visitors) -> None:
    for _again in range(2):
        assert ">Køges sammenskudt 0</a>" in seen(visitors["Mette"], "ansvarlig=mig")
        assert ">Køges sammenskudt 0</a>" not in seen(visitors["Lars"], "ansvarlig=mig")
        assert "Mette Holm" in seen(visitors["KOMBIT"], "fuldfoerte=nej")
        assert "Mette Holm" not in seen(visitors["KP"], "fuldfoerte=nej")
        assert "sammenskudt" not in seen(visitors["KSD"], "fuldfoerte=nej")


def test_the_past_and_what_a_plug_in_says_are_not_kept(house: Installation, visitors: Visitors) -> None:
    kept = visitors["Mette"].app.extensions["klik"].kept
    seen(visitors["Mette"], "fuldfoerte=nej")
    asked = [key for key in house.registry.filters if "." in key]
    plugin_filter = (
        f"{asked[0]}={next(iter(house.registry.filters[asked[0]].choices)).value}" if asked else ""
    )
    seen(visitors["Mette"], "status=i-gang")
    before = set(kept.keys())
    seen(visitors["Mette"], "status=i-gang&vis_som=idag-3")
    assert {key for key in set(kept.keys()) - before if "vocabulary" not in str(key)} == set()
    seen(visitors["Mette"], f"{plugin_filter}&status={Status.COMPLETED.value}")
    assert not [
        key for key in set(kept.keys()) - before if plugin_filter.split("=")[0] in str(key) and plugin_filter
    ]
