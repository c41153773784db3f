"""KY's playbook: the way to go-live, for the municipality itself and for KOMBIT, on paper and in klik."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pypdf
import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import GalleryLookup, MunicipalTask, MunicipalTaskField, Person
from klik.plugins import FrontView
from klik.plugins.ky import readiness
from klik.plugins.ky.countdown import data
from klik.plugins.ky.playbook import distance
from klik.plugins.ky.wave_plan import countdown
from klik.services import for_plugins, plugin_jobs
from tests import make
from tests.client import Browser

GO_LIVE = make.TODAY + timedelta(days=92)


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def plan(house: Installation) -> Installation:
    """Køge in B2, 92 days before go-live: of twelve tasks to prepare five are closed, one is red and one is of ØiR."""
    with house.writing(make.NOW) as work:
        session = work.session
        make.has_system(session, make.KOEGE, "ky", wave=make.wave(session, "b2", go_live=GO_LIVE))
        ky = make.project(session, "ky", system_code="ky")
        for number in range(12):
            row = make.municipal_task(
                session,
                in_project=ky,
                title=f"Forberedelse {number}",
                deadline=GO_LIVE - timedelta(days=90),
                status=Status.COMPLETED if number < 5 else Status.NOT_STARTED,
            )
            if number == 7:
                row.deadline = row.yellow_from = make.TODAY - timedelta(days=1)
            if number == 11:
                session.add(
                    MunicipalTaskField(
                        municipality_id=make.KOEGE, municipal_task_id=row.id, field="ky.omraade", value="oeir"
                    )
                )
        make.municipal_task(session, in_project=ky, title="Trukket").withdrawn_at = make.NOW
        make.municipal_task(session, in_project=ky, title="Vores egen huskeseddel", local=True)
        after = make.municipal_task(session, in_project=ky, title="Efter KY")
        after.phase, after.deadline = "forankring", GO_LIVE + timedelta(days=14)
        mette = make.person(session, "Mette Holm", email="mette@koege.example")
        make.holding(session, "projektleder", holder=mette, system_code="ky")
        make.person(session, "Lis Læser", email="lis@koege.example", level=Level.READER)
        make.person(session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
        make.person(session, "Lars", email="lars@netcompany.example", level=Level.SUPPLIER, systems=("ky",))
        make.person(session, "Hans", email="hans@herning.example", municipality=make.HERNING)
    return house


def words(page: BeautifulSoup) -> str:
    return " ".join(page.get_text(" ").split())


@pytest.mark.parametrize(
    ("days_to", "said"),
    [(90, "90 dage før"), (1, "1 dag før"), (0, "samme dag"), (-1, "1 dag efter"), (-14, "14 dage efter")],
)
def test_a_deadline_is_told_by_its_distance_to_go_live(days_to: int, said: str) -> None:
    assert distance(GO_LIVE - timedelta(days=days_to), GO_LIVE) == said
    assert distance(None, GO_LIVE) == distance(GO_LIVE, None) == ""


def test_the_countdown_in_words() -> None:
    day = date(2026, 11, 21)
    assert countdown(date(2027, 2, 21), day) == "92 dage til KY"
    assert countdown(date(2026, 11, 22), day) == "1 dag til KY"
    assert countdown(day, day) == "KY tages i brug i dag"
    assert countdown(date(2026, 11, 20), day) == "KY blev taget i brug for 1 dag siden"
    assert countdown(None, day) == "Dagen er ikke fastsat"


def test_a_municipality_reads_its_own_playbook(plan: Installation, browser: Callable[..., Browser]) -> None:
    page = browser().sign_in("mette@koege.example").get("/p/ky/drejebog?kommune=657")
    told = words(page)
    assert "92 dage til KY" in told and "B2" in told and "21. februar 2027" in told
    assert "På vej: 5 af 12 løst" in told
    heads = [words(each) for each in page.select("#opgaver ~ h3, section h3")]
    # The local task is one of the thirteen of the phase; the withdrawn one is none of them.
    assert "Forberedelse: 8 åbne af 13, 1 rød" in heads and "Forankring: 1 åben af 1" in heads
    assert "90 dage før" in told and "14 dage efter" in told and "93 dage før" in told
    assert "Trukket" not in told and "Vores egen huskeseddel" in told
    assert "1 opgave er åben af 1" in told and "Herning" not in told
    roles = {words(row.th): words(row.td) for row in page.select("tr") if row.th and row.td}
    assert roles["Projektleder"] == "Mette Holm (primær)"
    assert roles["Medarbejder med økonomiopgaver"].startswith("Ubesat")
    assert page.select_one("form[action='/p/ky/drejebog']") is None
    links = [str(each["href"]) for each in page.select("main a[href]")]
    assert not [href for href in links if href.startswith("/boelger") or "overblik?" in href]


def test_kombit_chooses_a_municipality_and_finds_the_way_to_move_it(
    plan: Installation, browser: Callable[..., Browser]
) -> None:
    karen = browser().sign_in("karen@kombit.example")
    page = karen.get("/p/ky/drejebog")
    assert len(page.select("#kommune option")) == 98 and "Køge (B2)" in words(page)
    assert "Kommune: “999” findes ikke" in words(karen.get("/p/ky/drejebog?kommune=999"))
    assert "findes ikke" in words(karen.get("/p/ky/drejebog?kommune=%F0%9F%98%80"))
    page = karen.get("/p/ky/drejebog?kommune=259")
    told = words(page)
    assert "På vej: 5 af 12 løst" in told and "Mette Holm" in told
    assert "huskeseddel" not in told
    assert page.select_one("a[href='/boelger/ky/kommune/259']") is not None
    karen.get("/boelger/ky/kommune/259")
    for link in page.select("main a[href^='/opgaver']"):
        karen.get(str(link["href"]))
    # Who was told of the gallery's names is noted: once a day for the same page and municipality.
    with plan.reading(make.NOW) as work:
        seen = work.session.execute(
            select(
                GalleryLookup.kind, GalleryLookup.subject, GalleryLookup.municipality_id, GalleryLookup.people
            )
        ).all()
    assert [tuple(each) for each in seen] == [("udvidelse", "/p/ky/drejebog", make.KOEGE, 1)]


def test_kombit_sees_the_waves_first(plan: Installation, browser: Callable[..., Browser]) -> None:
    with plan.writing(make.NOW) as work:
        b2 = make.wave(work.session, "b2", go_live=GO_LIVE)
        make.has_system(work.session, make.HERNING, "ky", wave=b2)
        pilot = make.wave(work.session, "pilot", go_live=make.TODAY - timedelta(days=3))
        make.has_system(work.session, make.AARHUS, "ky", wave=pilot)
        ky = make.project(work.session, "ky", system_code="ky")
        make.municipal_task(work.session, in_project=ky, municipality=make.AARHUS, status=Status.COMPLETED)
        anna = make.person(work.session, "Anna", municipality=make.AARHUS)
        make.holding(work.session, "projektleder", holder=anna, municipality=make.AARHUS, system_code="ky")
    page = browser().sign_in("karen@kombit.example").get("/p/ky/drejebog")
    rows = [[words(cell) for cell in row.select("th, td")] for row in page.select("tbody tr")]
    assert rows == [
        ["Pilot", "18. november 2026", "KY blev taget i brug for 3 dage siden", "1", "1", "0", "0"],
        ["B2", "21. februar 2027", "92 dage til KY", "2", "0", "1", "0"],
    ]


def test_moving_a_municipality_shows_every_deadline_that_moves(
    plan: Installation, browser: Callable[..., Browser]
) -> None:
    later = GO_LIVE + timedelta(days=70)
    with plan.writing(make.NOW) as work:
        make.wave(work.session, "b3", go_live=later)
        ky = make.project(work.session, "ky", system_code="ky")
        rules = {
            "Opsæt integrationer": ("ky.foer-idriftsaettelse", "90", GO_LIVE - timedelta(days=90)),
            "Klargør brugere": ("ky.foer-idriftsaettelse", "45", GO_LIVE - timedelta(days=45)),
            "Gennemgå listerne": ("ky.foer-retsvirkning", "01-03-2027, 5", date(2027, 2, 22)),
        }
        for title, (rule, parameter, deadline) in rules.items():
            version = make.task(work.session, title, in_project=ky)
            version.deadline_rule, version.deadline_parameter = rule, parameter
            make.municipal_task(work.session, version, deadline=deadline)
    karen = browser().sign_in("karen@kombit.example")
    book = karen.get("/p/ky/drejebog?kommune=259")
    way = book.select_one("a[href^='/boelger/ky/kommune/']")
    assert way is not None
    form = karen.get(str(way["href"]))
    b3 = next(each for each in form.select("[name=wave] option") if each.get_text().startswith("B3"))
    ahead = karen.submit(form, "/boelger/ky/kommune/259", wave=str(b3["value"]), go_live="", trin="vis")
    told = words(ahead)
    assert "2 frister flyttes 70 dage frem" in told
    assert "fra 23. november 2026 til 1. februar 2027, 70 dage frem" in told
    assert "fra 7. januar 2027 til 18. marts 2027, 70 dage frem" in told
    # The law does not move with the wave.
    assert "Gennemgå listerne" not in told
    done = karen.submit(ahead, "/boelger/ky/kommune/259", trin="flyt")
    assert "Køge" in words(done)
    told = words(karen.get("/p/ky/drejebog?kommune=259"))
    assert "162 dage til KY" in told and "B3" in told and "18. marts 2027" in told and "45 dage før" in told


def test_suppliers_have_no_business_here(plan: Installation, browser: Callable[..., Browser]) -> None:
    lars = browser().sign_in("lars@netcompany.example")
    lars.get("/p/ky/drejebog?kommune=259", expect=404)
    lars.get("/p/ky/drejebog.pdf?kommune=259", expect=404)
    assert "/p/ky/drejebog" not in str(lars.get("/systemer/ky"))
    lis = browser().sign_in("lis@koege.example")
    assert "Mette Holm" in words(lis.get("/p/ky/drejebog"))
    hans = browser().sign_in("hans@herning.example")
    told = words(hans.get("/p/ky/drejebog?kommune=259"))
    assert "Køge" not in told and "Dagen er ikke fastsat" in told and "ikke udgivet opgaver" in told


def test_the_playbook_on_paper(plan: Installation, browser: Callable[..., Browser]) -> None:
    karen = browser().sign_in("karen@kombit.example")
    content = karen.download("/p/ky/drejebog.pdf?kommune=259")
    text = " ".join(
        " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).split()
    )
    for said in ("Drejebog for KY: Køge", "B2, tages i brug 21. februar 2027", "92 dage til KY"):
        assert said in text, said
    assert "90 dage før" in text and "Mette Holm" in text and "Ubesat" in text and "ØiR" in text
    karen.download("/p/ky/drejebog.pdf", expect=303)


def test_the_front_page_counts_down_until_the_day(plan: Installation) -> None:
    def shown(day: date, person: str) -> Mapping[str, Any]:
        with plan.writing(make.NOW) as work:
            make.wave(work.session, "b2", go_live=day)
            row = work.session.scalars(select(Person).where(Person.email_key == person)).one()
            own = replace(work, actor=make.actor(work.session, row))
            return data(FrontView(municipality=None, kombit=False), for_plugins.context(own, "ky"))

    assert shown(GO_LIVE, "mette@koege.example") == {
        "time": "92 dage til KY",
        "left": "7 af 12 forberedelsesopgaver mangler.",
        "when": "Køge tager KY i brug 21. februar 2027 i bølge B2.",
    }
    assert shown(make.TODAY, "mette@koege.example")["time"] == "KY tages i brug i dag"
    assert shown(make.TODAY - timedelta(days=1), "mette@koege.example") == {"time": ""}
    assert shown(GO_LIVE, "hans@herning.example") == {"time": ""}


def test_readiness_is_counted_anew_from_klik(plan: Installation) -> None:
    with plan.writing(make.NOW) as work:
        context = for_plugins.context(work, "ky")
        assert context.store is not None
        readiness.read_anew(context)
        # Twelve and the one of forankring; neither the local nor the withdrawn one.
        assert [(each.municipality, each.closed) for each in readiness.counts(context.store)] == [
            (make.KOEGE, 5)
        ]
        assert readiness.counts(context.store)[0].published == 13
        task = work.session.scalars(
            select(MunicipalTask).where(MunicipalTask.title == "Forberedelse 11")
        ).one()
        task.status, task.completed_on = Status.COMPLETED.value, make.TODAY
    assert plugin_jobs.run(plan, readiness.JOB, make.NOW, "2026-11-21") == ""
    with plan.reading(make.NOW) as work:
        store = for_plugins.context(work, "ky").store
        assert store is not None and readiness.counts(store)[0].closed == 6
