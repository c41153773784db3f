"""Columns that plug-ins add to the heat map: marks, sums for each wave, files, and what a bad one costs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Person
from klik.plugins import ItSystem, Mark, Measure, ProgressView
from klik.plugins.ky.preparation import mark
from klik.services import for_plugins
from klik.services.follow_up import heat_map, measures, wanted
from klik.services.work import Work
from klik.settings import Settings
from tests import make
from tests.client import Browser
from tests.plugins import rogues

OPEN, DONE, NEVER = Status.NOT_STARTED, Status.COMPLETED, Status.NOT_RELEVANT


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


def wave_plan(house: Installation) -> None:
    """Køge and Herning in B2, Aarhus in pilot, Læsø without KY: three, one and no tasks of the preparation each."""
    with house.writing(make.NOW) as work:
        session = work.session
        b2 = make.wave(session, "b2", go_live=make.TODAY + timedelta(days=92))
        pilot = make.wave(session, "pilot", go_live=make.TODAY + timedelta(days=20))
        for code, wave in ((make.KOEGE, b2), (make.HERNING, b2), (make.AARHUS, pilot)):
            make.has_system(session, code, "ky", wave=wave)
        ky = make.project(session, "ky", system_code="ky")
        statuses = {make.KOEGE: (DONE, DONE, NEVER), make.HERNING: (DONE, OPEN, OPEN), make.AARHUS: (OPEN,)}
        for code, found in statuses.items():
            make.holding(
                session,
                "projektleder",
                holder=make.person(session, municipality=code),
                municipality=code,
                system_code="ky",
            )
            for status in found:
                make.municipal_task(session, in_project=ky, municipality=code, status=status)
            # What comes with and after the day says nothing of how ready one is for it.
            for phase in ("ibrugtagning", "forankring"):
                later = make.task(session, in_project=ky, phase=phase)
                make.municipal_task(session, later, municipality=code)
        make.person(session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)


def column(page: BeautifulSoup) -> dict[str, str]:
    """The last cell of each row by the words before the first line break of its heading."""
    found = {}
    for row in page.select("table.klik-heat-map tr"):
        name = row.select_one("th.klik-heat-place")
        if name is not None:
            last = row.find_all(["td", "th"])[-1]
            found[next(iter(name.stripped_strings))] = last.get_text(" ", strip=True)
    return found


def test_readiness_is_a_column_with_sums_for_each_wave(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    wave_plan(house)
    karen = browser().sign_in("karen@kombit.example")
    page = karen.get("/overblik?system=ky&grupper=bolge")
    shown = column(page)
    assert shown["Kommune"] == "Parathed"
    assert (
        shown["B2"] == "1 af 2 klar" and shown["Pilot"] == "0 af 1 klar" and shown["I alt"] == "1 af 3 klar"
    )
    assert shown["Køge"] == "Klar 3 af 3 løst"
    assert shown["Herning"] == "På vej 1 af 3 løst"
    assert shown["Aarhus"] == "Ikke klar 0 af 1 løst"
    assert shown["Læsø"] == ""
    # The waves stand in the order of KY's plan: the pilot first.
    names = [next(iter(each.stripped_strings)) for each in page.select("tbody tr.klik-heat-sum th")]
    assert names == ["Pilot", "B2", "Uden bølge"]
    one = column(karen.get("/overblik?system=ky&bolge=b2"))
    assert one["I alt"] == "1 af 2 klar" and set(one) == {"Kommune", "Køge", "Herning", "I alt"}
    assert "Parathed" not in karen.get("/overblik").get_text()


def test_the_files_have_the_column(house: Installation, browser: Callable[..., Browser]) -> None:
    wave_plan(house)
    karen = browser().sign_in("karen@kombit.example")
    text = karen.download("/overblik.csv?system=ky&bolge=b2").decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [(line["Kommune"], line["Parathed"], line["Parathed i ord"]) for line in lines] == [
        ("Herning", "På vej", "1 af 3 løst"),
        ("Køge", "Klar", "3 af 3 løst"),
    ]
    book = openpyxl.load_workbook(io.BytesIO(karen.download("/overblik.xlsx?system=ky&bolge=b2")))
    rows = list(book.active.values)  # type: ignore[union-attr]
    assert [row[-2:] for row in rows[:3]] == [
        ("Parathed", "Parathed i ord"),
        ("På vej", "1 af 3 løst"),
        ("Klar", "3 af 3 løst"),
    ]
    assert "Parathed" not in karen.download("/overblik.csv").decode("utf-8-sig")


@pytest.mark.parametrize(
    ("closed", "tasks", "led", "days", "state"),
    [
        (12, 12, True, 5, "klar"),
        (12, 12, False, 200, "ikke-klar"),
        (6, 12, True, 29, "paa-vej"),
        (5, 12, True, 29, "ikke-klar"),
        (5, 12, True, 30, "paa-vej"),
        (1, 12, True, None, "paa-vej"),
        (0, 12, True, 400, "ikke-klar"),
    ],
)
def test_ready_underway_and_not(closed: int, tasks: int, led: bool, days: int | None, state: str) -> None:
    today = date(2026, 11, 21)
    go_live = today + timedelta(days=days) if days is not None else None
    found = mark(ProgressView(tasks=tasks, closed=closed), led, go_live, today)
    assert found.state == state
    assert found.text == f"{closed} af {tasks} løst" + ("" if led else ", ingen projektleder")
    assert mark(None, led, go_live, today).state == "ukendt"


def rogue(values: Callable[..., Any]) -> Callable[[], Any]:
    measure = Measure(key="skurk.maal", label="Skurkens mål", system="skurk", values=values)
    return lambda: (measure,)


def system() -> Any:
    return (ItSystem(code="skurk", name="Skurkens system", supplier="Skurk"),)


@pytest.mark.parametrize(
    "values",
    [
        lambda _places, _context: 1 / 0,
        lambda _places, _context: None,
        lambda _places, _context: {259: "klar"},
        lambda _places, _context: {259: Mark(text="klar", state="grøn")},
        lambda _places, _context: {259: Mark(text="x" * 201, state="klar")},
        lambda _places, _context: {"259": Mark(text="klar", state="klar")},
    ],
)
def test_a_bad_measure_is_unknown_everywhere_and_named(
    house_settings: Settings, values: Callable[..., Any]
) -> None:
    house = Installation(
        house_settings, plugins=[rogues.plugin("skurk", klik_systems=system, klik_measures=rogue(values))]
    )
    try:
        with house.writing(make.NOW) as work:
            make.has_system(work.session, make.KOEGE, "skurk")
            make.person(work.session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
        with house.reading(make.NOW) as work:
            karen = acting(work)
            drawn = heat_map.draw(karen, wanted.read(karen.registry, "system=skurk"))
            (found,) = measures.columns(karen, drawn)
            assert found.remark.startswith("Udvidelsen SKURK svarede ikke, så “Skurkens mål” er ukendt")
            assert found.sum(drawn.rows) == "Ukendt"
            marks = {row.place.code: found.mark(row) for row in drawn.rows}
            assert marks[make.KOEGE] == measures.NO_ANSWER and marks[make.HERNING] is None
            assert house.registry.guard.faults()
    finally:
        house.close()


def test_one_call_for_all_and_whoever_is_left_out_is_unknown(house_settings: Settings) -> None:
    asked: list[list[int]] = []

    def values(places: Any, _context: object) -> dict[int, Mark]:
        asked.append([each.code for each in places])
        return {make.KOEGE: Mark(text="prøvet", state="klar"), 999: Mark(text="findes ikke", state="klar")}

    house = Installation(
        house_settings, plugins=[rogues.plugin("skurk", klik_systems=system, klik_measures=rogue(values))]
    )
    try:
        with house.writing(make.NOW) as work:
            for code in (make.KOEGE, make.HERNING, make.AARHUS):
                make.has_system(work.session, code, "skurk")
            make.person(work.session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
            lars = make.person(work.session, "Lars", level=Level.SUPPLIER, systems=("skurk",))
        with house.reading(make.NOW) as work:
            karen = acting(work)
            drawn = heat_map.draw(karen, wanted.read(karen.registry, "system=skurk"))
            (found,) = measures.columns(karen, drawn)
            assert asked == [sorted((make.KOEGE, make.HERNING, make.AARHUS))]
            assert found.remark == "" and found.sum(drawn.rows) == "1 af 3 klar, 2 ukendt"
            supplier = replace(work, actor=make.actor(work.session, work.session.merge(lars)))
            assert measures.columns(supplier, drawn) == () and len(asked) == 1
    finally:
        house.close()


def acting(work: Work) -> Work:
    """The same work done by Karen of KOMBIT."""
    karen = work.session.scalars(select(Person).where(Person.email_key == "karen@kombit.example")).one()
    return replace(work, actor=make.actor(work.session, karen))


def test_counting_is_klik_s_own_and_a_municipality_gets_only_its_own(house: Installation) -> None:
    wave_plan(house)
    phases = ("opstart", "forberedelse")
    with house.writing(make.NOW) as work:
        session = work.session
        ky = make.project(session, "ky", system_code="ky")
        # Local tasks, other phases and withdrawn tasks are not the preparation KOMBIT asks about.
        make.municipal_task(session, in_project=ky, local=True)
        make.municipal_task(session, in_project=ky).phase = "forankring"
        make.municipal_task(session, in_project=ky).withdrawn_at = make.NOW
        # A substitute does not fill a role, nor does a holder for another system.
        stand_in = make.holding(
            session, "projektleder", mailbox="a@laesoe.example", municipality=make.LAESOE, system_code="ky"
        )
        stand_in.kind = "stedfortraeder"
        make.holding(session, "projektleder", mailbox="a@holbaek.example", municipality=316, system_code="kp")
        mette = make.person(session, "Mette Holm", email="mette2@koege.example")
        session.flush()
        kombit = for_plugins.context(acting(work), "ky").klik
        own = for_plugins.context(replace(work, actor=make.actor(session, mette)), "ky").klik
        assert kombit is not None and own is not None
        assert kombit.progress("ky", phases) == {
            make.KOEGE: ProgressView(tasks=3, closed=3),
            make.HERNING: ProgressView(tasks=3, closed=1),
            make.AARHUS: ProgressView(tasks=1, closed=0),
        }
        assert kombit.filled("ky", "projektleder") == {make.KOEGE, make.HERNING, make.AARHUS}
        assert own.progress("ky", phases) == {make.KOEGE: ProgressView(tasks=3, closed=3)}
        assert own.filled("ky", "projektleder") == {make.KOEGE}
