"""The page of channels, and the control as KOMBIT's administrators see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, ChannelRoute, ControlReport, Heartbeat, Mail, Notice
from klik.services import job_runs
from klik.services.control import heartbeat, reporting
from tests import make
from tests.client import Browser

MONDAY = datetime(2026, 11, 23, 6, 45, tzinfo=UTC)  # 07:45 in Denmark


@pytest.fixture
def gitte(house: Installation, browser: Callable[..., Browser]) -> Browser:
    with house.database.writing() as session:
        make.person(session, level=Level.KOMBIT_ADMINISTRATOR, email="gitte@kombit.example")
        make.system(session, "kp")
    return browser().sign_in("gitte@kombit.example")


def test_a_channel_is_tied_tried_and_ended(gitte: Browser, house: Installation) -> None:
    page = gitte.get("/varsler/kanaler")
    assert "Ingen kanaler er i brug" in page.text
    gitte.submit(page, "/varsler/kanaler", channel="kp.teams", system="kp", occasions=["udgivet", "rettet"])
    page = gitte.get("/varsler/kanaler")
    assert "Teams-kanal for KP" in page.text and "Opgave udgivet, Opgave rettet" in page.text
    with house.database.reading() as session:
        route = session.scalars(select(ChannelRoute.id)).one()
    gitte.post(f"/varsler/kanaler/{route}/proeve", {})
    with house.database.reading() as session:
        occasions = session.scalars(select(Notice.occasion).where(Notice.channel == "kp.teams")).all()
    assert list(occasions) == ["kanal-proeve"]
    gitte.post(f"/varsler/kanaler/{route}/afslut", {"version": "7"}, expect=409)
    gitte.post(f"/varsler/kanaler/{route}/afslut", {"version": "1"})
    assert "Ingen kanaler er i brug" in gitte.get("/varsler/kanaler").text
    with house.database.reading() as session:
        acts = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"kanal/{route}")).all()
    assert list(acts) == ["tilknyt-kanal", "proev-kanal", "afslut-kanal"]


def test_without_an_occasion_it_is_refused_in_danish(gitte: Browser) -> None:
    page = gitte.post("/varsler/kanaler", {"channel": "kp.teams", "system": "kp"}, expect=422)
    assert "Anledninger: vælg mindst én." in page.text


def _told(house: Installation) -> list[str]:
    with house.database.reading() as session:
        rows = select(Notice.heading).where(Notice.occasion == reporting.OCCASION).order_by(Notice.id)
        return list(session.scalars(rows))


def test_the_morning_account_comes_once_on_working_days(house: Installation, gitte: Browser) -> None:
    jobs.check(house, MONDAY - timedelta(minutes=30))
    assert _told(house) == []
    for minutes in (0, 15, 300):
        now = MONDAY + timedelta(minutes=minutes)
        with house.writing(now) as work:
            job_runs.beat(work, job_runs.DISPATCHER)
        jobs.check(house, now)
    assert _told(house) == ["Kontrol 23. november 2026: 0 skulle, 0 afsendt, 0 mangler"]
    for day in (-1, 33):  # a Sunday, and 26 December
        now = MONDAY + timedelta(days=day)
        with house.writing(now) as work:
            job_runs.beat(work, job_runs.DISPATCHER)
        jobs.check(house, now)
    assert sum(heading.endswith("mangler") for heading in _told(house)) == 1
    with house.database.reading() as session:
        assert len(session.scalars(select(ControlReport)).all()) == 3


def test_what_is_wrong_is_told_at_once_and_once_a_day(house: Installation, gitte: Browser) -> None:
    night = MONDAY - timedelta(hours=1)
    for number in range(3):
        with house.database.writing() as session:
            mette = make.person(session, level=Level.USER)
            make.municipal_task(session, deadline=make.TODAY - timedelta(days=1), responsible=mette)
        outcome = jobs.check(house, night + timedelta(minutes=number))
        assert not outcome.well and "1 mangler" in outcome.sentence
    assert _told(house) == ["Kontrol: 1 varsel manglede"]
    with house.database.reading() as session:
        assert session.scalar(select(ControlReport.missing)) == 3


def test_a_silent_dispatcher_is_said_everywhere(
    house: Installation, gitte: Browser, browser: Callable[..., Browser]
) -> None:
    now = jobs.wall_clock()
    with house.database.writing() as session:
        for process, minutes in ((heartbeat.WORKER, 5), (heartbeat.DISPATCHER, 45)):
            session.add(Heartbeat(process=process, at=now - timedelta(minutes=minutes), detail=""))
    outcome = jobs.check(house, now)
    assert not outcome.well and "Mailafsendelsen har været tavs i 45 minutter" in outcome.sentence
    for address in ("/", "/varsler", "/drift"):
        assert "Mailafsendelsen har været tavs i 45 minutter" in gitte.get(address).text, address
    assert "tavs i 45 minutter" in browser().download("/sundhed/klar").decode()
    figures = browser().download("/metrics").decode().splitlines()
    assert "klik_silent 1" in figures
    assert any(line.startswith("klik_control_age_seconds ") for line in figures)
    with house.database.reading() as session:
        assert session.scalars(select(Mail)).all() == []


def test_a_control_that_does_not_run_is_said(house: Installation) -> None:
    with house.writing(MONDAY) as work:
        assert heartbeat.control_silence(work) == "Den supplerende kontrol har ikke kørt endnu."
    jobs.check(house, MONDAY)
    for later, said in (
        (timedelta(minutes=30), None),
        (timedelta(minutes=31), "Den supplerende kontrol har ikke kørt i 31 minutter."),
        (timedelta(hours=18), None),  # it rests at night
    ):
        with house.writing(MONDAY + later) as work:
            assert heartbeat.control_silence(work) == said


def test_a_municipality_sees_none_of_it(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.database.writing() as session:
        make.person(session, level=Level.ADMINISTRATOR, email="karen@koege.example")
    karen = browser().sign_in("karen@koege.example")
    karen.get("/varsler/kanaler", expect=403)
    assert "Supplerende kontrol" not in karen.get("/varsler").text
