"""KOMBIT's pages of waves and rounds, and the administrator's proposal, as people meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    Membership,
    MunicipalSystem,
    MunicipalTask,
    Notice,
    Project,
    Round,
    Task,
    TaskVersion,
    Wave,
)
from tests import make
from tests.client import Browser

LIVE, B2_LIVE = date(2027, 3, 1), date(2027, 3, 29)


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def karen(house: Installation, browser: Callable[..., Browser]) -> Browser:
    """KOMBIT's redaktør; Køge is in B1 with one task ninety days before, Aarhus has not the system."""
    with house.writing(make.NOW) as work:
        session = work.session
        make.person(session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
        make.person(session, "Mette Holm", email="mette@koege.example", level=Level.ADMINISTRATOR)
        b1 = make.wave(session, "b1", go_live=LIVE)
        make.wave(session, "b2", go_live=B2_LIVE)
        make.has_system(session, code="ky", wave=b1)
        version = make.task(
            session, "Planlæg uddannelse", in_project=make.project(session, "ky", system_code="ky")
        )
        version.deadline_rule, version.deadline_parameter = "core.days-before-go-live", "90"
        make.municipal_task(session, version, deadline=LIVE - timedelta(days=90))
    return browser().sign_in("karen@kombit.example")


def _words(page: BeautifulSoup) -> str:
    return " ".join(page.get_text(" ").split())


def _wave(house: Installation, slug: str) -> int:
    with house.reading(make.NOW) as work:
        return work.session.scalars(select(Wave.id).where(Wave.slug == slug)).one()


def test_koege_is_moved_to_b2_with_a_look_ahead(house: Installation, karen: Browser) -> None:
    page = karen.get("/boelger/ky")
    assert "Køge" in _words(page) and "Uden bølge" not in _words(page)
    action = "/boelger/ky/kommune/259"
    form = karen.get(action)
    ahead = karen.submit(form, action, wave=str(_wave(house, "b2")), trin="vis")
    assert "1 frist flyttes 28 dage frem" in _words(ahead)
    assert "fra 1. december 2026 til 29. december 2026, 28 dage frem" in _words(ahead)
    with house.reading(make.NOW) as work:
        assert work.session.scalars(select(MunicipalTask.deadline)).all() == [date(2026, 12, 1)]
    done = karen.submit(ahead, action, trin="flyt")
    assert "1 frist flyttes 28 dage frem" in _words(done)
    with house.reading(make.NOW) as work:
        assert work.session.scalars(select(MunicipalTask.deadline)).all() == [date(2026, 12, 29)]
    # The same form sent again finds it done; another one with the old version is told of the newer.
    assert "allerede gjort" in _words(karen.submit(ahead, action, trin="flyt"))
    karen.submit(form, action, wave="", trin="vis", expect=409)


def test_a_wave_gets_another_day_and_a_wrong_day_keeps_what_was_typed(
    house: Installation, karen: Browser
) -> None:
    action = f"/boelger/ky/boelge/{_wave(house, 'b1')}"
    form = karen.get(action)
    wrong = karen.submit(form, action, go_live="32-1-2027", trin="vis", expect=422)
    assert (
        "Tages i brug" in _words(wrong) and wrong.find("input", {"name": "go_live"})["value"] == "32-1-2027"
    )
    early = karen.submit(form, action, go_live="1-12-2026", trin="vis")
    assert "1 frist flyttes til en dag, der er passeret" in _words(early)
    karen.submit(early, action, trin="flyt")
    with house.reading(make.NOW) as work:
        assert work.session.scalars(select(MunicipalTask.deadline)).all() == [date(2026, 9, 2)]


def test_a_municipality_gets_the_system_and_leaves_it(house: Installation, karen: Browser) -> None:
    action = "/boelger/ky/kommune/751"
    form = karen.get(action)
    ahead = karen.submit(form, action, go_live="1-2-2027", trin="vis")
    assert "1 opgave oprettes" in _words(ahead) and "Til orientering" in _words(ahead)
    karen.submit(ahead, action, trin="flyt")
    with house.reading(make.NOW) as work:
        copy = work.session.scalars(
            select(MunicipalTask).where(MunicipalTask.municipality_id == make.AARHUS)
        ).one()
        assert copy.for_information
        number = copy.id
    shown = karen.get(f"/opgaver/{number}")
    assert "Fristen var passeret, da kommunen fik opgaven" in _words(shown)
    assert "Til orientering" in _words(karen.get("/opgaver?kommune=751"))
    leaving = karen.submit(karen.get(action), action, trin="vis-fjern")
    assert "1 åben opgave bliver hos kommunen" in _words(leaving)
    karen.submit(leaving, action, trin="fjern")
    with house.reading(make.NOW) as work:
        rows = select(MunicipalSystem).where(MunicipalSystem.municipality_id == make.AARHUS)
        assert work.session.scalar(rows) is None


def test_municipalities_have_no_way_to_the_waves(karen: Browser, browser: Callable[..., Browser]) -> None:
    mette = browser().sign_in("mette@koege.example")
    mette.get("/boelger/ky", expect=403)
    assert "Flyt bølger" not in _words(mette.get("/systemer/ky"))
    assert "Flyt bølger" in _words(karen.get("/systemer/ky"))


def test_a_new_round_is_opened_and_shown_where_it_counts(house: Installation, karen: Browser) -> None:
    page = karen.get("/boelger/ky")
    unsure = karen.submit(page, "/boelger/ky/runde", name="Stor release R27", expect=422)
    assert "Sæt kryds, når runden skal åbnes" in _words(unsure)
    empty = karen.submit(page, "/boelger/ky/runde", name="", expect=422)
    assert "Rundens navn" in _words(empty)
    typed = {
        "project": "ky",
        "version": "1",
        "name": "R27",
        "sure": "ja",
        "idempotency_key": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    }
    for elsewhere in ("/boelger/kp/runde", "/boelger/findes-ikke/runde", "/boelger/kp/udpeg"):
        karen.post(elsewhere, typed, expect=404)
    karen.submit(page, "/boelger/ky/runde", name="Stor release R27", sure="ja")
    karen.submit(page, "/boelger/ky/runde", name="Stor release R27", sure="ja")  # the same key: once
    with house.writing(make.NOW) as work:
        project = work.session.scalars(select(Project).where(Project.slug == "ky")).one()
        assert project.round == 2
        assert work.session.scalars(select(Round.name)).all() == ["Stor release R27"]
        assert work.session.scalars(select(MunicipalTask.round)).all() == [1]
        task = make.municipal_task(work.session, title="Opdatér test", in_project=project)
        task.round = 2
        number = task.id
    assert "Runde 2" in _words(karen.get(f"/opgaver/{number}"))
    listed = karen.get("/opgaver?runde=2")
    titles = " ".join(row.get_text(" ") for row in listed.select("tbody tr"))
    assert "Opdatér test" in titles and "Planlæg uddannelse" not in titles
    assert "Runde 2 (KY: Stor release R27)" in _words(listed)


def test_the_task_that_names_the_systemansvarlig_is_offered_and_written(
    house: Installation, karen: Browser
) -> None:
    page = karen.get("/boelger/ky")
    assert "KY har ingen opgave, der udpeger systemansvarlig" in _words(page)
    karen.submit(page, "/boelger/ky/udpeg")
    with house.reading(make.NOW) as work:
        row = work.session.scalars(select(Task).where(Task.appoints_role == "systemansvarlig")).one()
        words = work.session.scalars(select(TaskVersion).where(TaskVersion.task_id == row.id)).one()
        assert (row.state, words.phase, words.deadline_rule) == (
            "kladde",
            "forberedelse",
            "ky.foer-idriftsaettelse",
        )
    assert "ingen opgave, der udpeger" not in _words(karen.get("/boelger/ky"))


@pytest.fixture
def finished(house: Installation) -> Callable[..., None]:
    """Køge has closed its one KP task of Forberedelse; Bo is systemansvarlig."""

    def prepare(level: Level = Level.USER, systems: tuple[str, ...] = ()) -> None:
        with house.writing(make.NOW) as work:
            session = work.session
            make.person(session, "Mette Holm", email="mette@koege.example", level=Level.ADMINISTRATOR)
            bo = make.person(session, "Bo Dam", level=level, systems=systems, email="bo@koege.example")
            make.holding(session, holder=bo)
            make.has_system(session)
            make.municipal_task(session, title="Kortlæg snitflader", status=Status.COMPLETED)

    return prepare


def _bo(house: Installation) -> tuple[str, list[str]]:
    with house.reading(make.NOW) as work:
        member = work.session.scalars(
            select(Membership).where(Membership.person.has(email="bo@koege.example"))
        ).one()
        return member.level, [link.system_code for link in member.systems]


def test_the_administrator_makes_the_systemansvarlig_plusbruger_with_one_click(
    house: Installation, browser: Callable[..., Browser], finished: Callable[..., None]
) -> None:
    finished()
    mette = browser().sign_in("mette@koege.example")
    front = mette.get("/")
    assert "Gør Bo Dam (systemansvarlig) til plusbruger" in _words(front)
    action = front.find("form", {"action": lambda each: each and "plusbruger" in each})["action"]
    done = mette.submit(front, action, svar="ja")
    assert "Bo Dam er nu plusbruger" in _words(done) and "Nej tak" not in _words(done)
    assert _bo(house) == ("plusbruger", ["kp"])
    with house.reading(make.NOW) as work:
        assert work.session.scalars(select(Notice.occasion)).all() == ["plusbruger"]
    mette.submit(front, action, svar="ja", expect=404)


def test_no_thanks_is_remembered(
    house: Installation, browser: Callable[..., Browser], finished: Callable[..., None]
) -> None:
    finished()
    mette = browser().sign_in("mette@koege.example")
    page = mette.get("/systemer/kp")
    action = page.find("form", {"action": lambda each: each and "plusbruger" in each})["action"]
    mette.submit(page, action, svar="nej")
    assert "Bo Dam (systemansvarlig)" not in _words(mette.get("/systemer/kp"))
    assert _bo(house) == ("bruger", [])


@pytest.mark.parametrize(
    ("level", "systems"),
    [(Level.ADMINISTRATOR, ()), (Level.PLUS_USER, ()), (Level.PLUS_USER, ("kp",))],
)
def test_who_has_it_already_is_not_proposed(
    browser: Callable[..., Browser],
    finished: Callable[..., None],
    level: Level,
    systems: tuple[str, ...],
) -> None:
    finished(level, systems)
    assert "til plusbruger" not in _words(browser().sign_in("mette@koege.example").get("/"))


def test_a_plusbruger_of_other_systems_is_linked_too_and_an_open_task_holds_it_back(
    house: Installation, browser: Callable[..., Browser], finished: Callable[..., None]
) -> None:
    with house.writing(make.NOW) as work:
        make.system(work.session, "ky")
    finished(Level.PLUS_USER, ("ky",))
    mette = browser().sign_in("mette@koege.example")
    front = mette.get("/")
    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session, title="Afslut ibrugtagning")
        task.phase = "ibrugtagning"
    assert "til plusbruger" not in _words(mette.get("/"))
    with house.writing(make.NOW) as work:
        work.session.get_one(MunicipalTask, task.id).status = Status.COMPLETED.value
    action = front.find("form", {"action": lambda each: each and "plusbruger" in each})["action"]
    mette.submit(front, action, svar="ja")
    assert _bo(house) == ("plusbruger", ["ky", "kp"]) or _bo(house) == ("plusbruger", ["kp", "ky"])
