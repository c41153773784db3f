"""Calendar feeds: an independent parser reads them, their rights follow the person, and their secret is nowhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select, text, update

from klik import logs
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import CalendarFeed, Membership, MunicipalTask, Person
from klik.services import calendar_feeds, filtering
from klik.services.calendar_file import feed_as_ics
from klik.services.errors import NotFoundError, RefusedError
from klik.services.work import Actor
from tests import make
from tests.client import Browser
from tests.make import NOW, TODAY


@dataclass
class Scene:
    """Mette's feed of red and yellow tasks in Køge, with one task in it and one outside."""

    house: Installation
    me: Actor
    task: int
    other: int
    secret: str

    def events(self, minutes: int = 0) -> dict[int, Any]:
        """What a calendar reads, by task."""
        with self.house.writing(NOW + timedelta(minutes=minutes)) as work:
            feed = calendar_feeds.fetch(work, self.secret)
            content = feed_as_ics(
                feed.name, feed.days, feed.cancelled, "klik.example", str, several=feed.several
            )
        found = Calendar.from_ical(content).walk("VEVENT")
        return {int(str(event["UID"]).partition("@")[0].removeprefix("opgave-")): event for event in found}

    def change(self, **values: Any) -> None:
        """Change the task in the feed."""
        with self.house.writing(NOW) as work:
            work.session.execute(update(MunicipalTask).where(MunicipalTask.id == self.task).values(**values))


@pytest.fixture
def scene(house: Installation) -> Scene:
    """See Scene."""
    with house.writing(NOW) as work:
        session = work.session
        mette = make.person(session, "Mette Holm")
        me = make.actor(session, mette)
        task = make.municipal_task(session, title="Rød; med, tegn", deadline=TODAY - timedelta(days=1))
        make.municipal_task(session, deadline=TODAY - timedelta(days=1), municipality=make.HERNING)
        other = make.municipal_task(session, deadline=TODAY + timedelta(days=90))
    with house.writing(NOW, me) as work:
        criteria = filtering.read(work.registry, "deadline=roed&deadline=gul")
        _feed, secret = calendar_feeds.make(work, "Mine frister", criteria)
    return Scene(house, me, task.id, other.id, secret)


def test_a_whole_day_that_a_calendar_understands(scene: Scene) -> None:
    events = scene.events()
    assert set(events) == {scene.task}
    event = events[scene.task]
    assert event["DTSTART"].params["VALUE"] == event["DTEND"].params["VALUE"] == "DATE"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (TODAY - timedelta(days=1), TODAY)
    assert event["STATUS"] == "CONFIRMED" and event["SEQUENCE"] == 1
    assert event["UID"] == f"opgave-{scene.task}@klik.example"
    assert "Rød; med, tegn" in event["SUMMARY"]


def test_sequence_rises_and_what_is_gone_is_cancelled_without_a_word(scene: Scene) -> None:
    scene.events()
    scene.change(deadline=date(2026, 11, 1), deadline_version=2)
    assert scene.events()[scene.task]["SEQUENCE"] == 2
    scene.change(status=Status.COMPLETED.value, completed_on=TODAY)
    for _ in range(2):
        gone = scene.events()[scene.task]
        assert (gone["STATUS"], gone["SEQUENCE"]) == ("CANCELLED", 3)
        assert "Rød" not in gone["SUMMARY"] and "DESCRIPTION" not in gone
        assert gone["DTSTART"].dt == date(2026, 11, 1)
    scene.change(status=Status.IN_PROGRESS.value, completed_on=None)
    back = scene.events()[scene.task]
    assert (back["STATUS"], back["SEQUENCE"]) == ("CONFIRMED", 4)
    scene.change(
        deadline=TODAY + timedelta(days=200), deadline_version=3, yellow_from=TODAY + timedelta(days=9)
    )
    assert scene.events()[scene.task]["STATUS"] == "CANCELLED"
    scene.change(withdrawn_at=NOW)
    assert scene.events()[scene.task]["STATUS"] == "CANCELLED"


def test_rights_are_those_of_the_moment(scene: Scene) -> None:
    scene.events()
    with scene.house.writing(NOW) as work:
        member = work.session.get_one(Membership, scene.me.membership_id)
        member.level = Level.READER.value
    assert set(scene.events()) == {scene.task}
    for model, key in ((Person, scene.me.person_id), (Membership, scene.me.membership_id)):
        with scene.house.writing(NOW) as work:
            work.session.get_one(model, key).active = False
        with pytest.raises(calendar_feeds.FeedGoneError):
            scene.events()
        with scene.house.writing(NOW) as work:
            work.session.get_one(model, key).active = True
    assert scene.events()[scene.task]["STATUS"] == "CONFIRMED"


def test_a_moved_membership_shows_its_own_rows_and_no_word_of_the_old(scene: Scene) -> None:
    scene.events()
    with scene.house.writing(NOW) as work:
        elsewhere = make.person(work.session, level=Level.KOMBIT_EDITOR, municipality=None)
        member = work.session.scalars(select(Membership).where(Membership.person_id == elsewhere.id)).one()
        feed = work.session.scalars(select(CalendarFeed)).one()
        feed.person_id, feed.membership_id = elsewhere.id, member.id
        local = make.municipal_task(work.session, local=True, deadline=TODAY - timedelta(days=3)).id
    assert local not in scene.events()


def test_renewed_and_revoked(scene: Scene) -> None:
    old = scene.secret
    with scene.house.writing(NOW, scene.me) as work:
        feed = calendar_feeds.own(work)[0]
        _feed, scene.secret = calendar_feeds.renew(work, feed.id)
    assert scene.events()
    fresh, scene.secret = scene.secret, old
    with pytest.raises(NotFoundError):
        scene.events()
    scene.secret = fresh
    with scene.house.writing(NOW, scene.me) as work:
        calendar_feeds.revoke(work, feed.id)
        assert not calendar_feeds.own(work)
    with pytest.raises(calendar_feeds.FeedGoneError):
        scene.events()


def test_fetched_too_often(scene: Scene) -> None:
    for minute in range(calendar_feeds.FETCHES_AN_HOUR):
        scene.events(minute // 2)
    with pytest.raises(calendar_feeds.TooOftenError):
        scene.events(40)
    assert scene.events(61)


def test_the_limits_are_told(scene: Scene) -> None:
    with scene.house.writing(NOW, scene.me) as work:
        for number in range(calendar_feeds.MOST - 1):
            calendar_feeds.make(work, f"Nr. {number}", filtering.read(work.registry, ""))
        with pytest.raises(RefusedError, match="allerede 20 kalendere"):
            calendar_feeds.make(work, "En til", filtering.read(work.registry, ""))
        with pytest.raises(RefusedError, match="Navn"):
            calendar_feeds.make(work, " ", filtering.read(work.registry, ""))


def test_the_secret_is_stored_nowhere_and_logged_nowhere(
    scene: Scene, browser: Callable[..., Browser], caplog: pytest.LogCaptureFixture
) -> None:
    window = browser().sign_in(scene.me.email)
    page = window.get("/kalender/ny?deadline=roed")
    page = window.submit(page, "/kalender", name="Nye frister")
    assert window.response.headers["Referrer-Policy"] == "no-referrer"
    address = page.select_one("#adresse")["value"]
    secret = address.rpartition("/")[2].removesuffix(".ics")
    assert (
        "adresse" not in window.get("/kalender").select_one("main").get("id", "")
        and secret not in page.title.text
    )
    path = f"/kalender/{secret}.ics"
    with caplog.at_level(logging.DEBUG):
        stranger = browser()
        content = stranger.download(path)
        again = stranger._client.get(path, headers={"If-None-Match": stranger.response.headers["ETag"]})
        unknown = stranger._client.get("/kalender/findes-ikke.ics")
    assert again.status_code == 304 and unknown.status_code == 404
    assert stranger.response.mimetype == "text/calendar"
    assert stranger.response.headers["Referrer-Policy"] == "no-referrer"
    assert "private" in stranger.response.headers["Cache-Control"]
    assert Calendar.from_ical(content).walk("VEVENT")
    assert secret not in caplog.text
    assert secret not in json.dumps(logs._without_secrets(None, "", {"secret": secret}))
    with scene.house.reading(NOW) as work:
        for table in ("calendar_feeds", "audit_entries", "request_keys"):
            rows = work.session.execute(text(f"select * from {table}")).all()
            assert secret not in repr(rows)
    window.submit(window.get("/kalender"), "/kalender/2/luk")
    assert browser().get("/kalender").title.text.startswith("Log ind")
    assert stranger._client.get(path).status_code == 410
