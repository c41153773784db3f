"""Topics: who may subscribe, and that what a plug-in tells reaches each who did, once, as they want their mails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from klik import jobs
from klik.app import create_app
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Notice, NoticeSettings, Person, PluginAnnouncement, TopicSubscription
from klik.plugins import ItSystem, PluginContext, Topic
from klik.plugins.manager import Loaded
from klik.services import control, for_plugins, topics
from klik.services.errors import RefusedError
from klik.services.notices import announcements, inbox, preferences
from klik.services.notices.mails import plain_text
from klik.services.people import privacy
from klik.services.work import Actor
from klik.settings import Settings
from tests import make
from tests.client import Browser
from tests.plugins.rogues import plugin
from tests.sink import running_sink

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # a Tuesday, after the mail of the day
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FAULT, DIGEST, OTHER = "x.driftsstop", "x.nyt", "x.andet"


def loaded() -> Loaded:
    return plugin(
        "x",
        klik_systems=lambda: (ItSystem(code="x-fag", name="Fagsystemet X", supplier="Systematic"),),
        klik_topics=lambda: (
            Topic(key=FAULT, label="Driftsstop i X", help="Når X er nede.", at_once=True),
            Topic(key=DIGEST, label="Nyt om X"),
            Topic(key=OTHER, label="For dem, der har X", system="x-fag"),
        ),
    )


@pytest.fixture
def told(house_settings: Settings) -> Iterator[Installation]:
    """An installation with the plug-in x alone."""
    house = Installation(house_settings, plugins=[loaded()])
    yield house
    house.close()


def somebody(house: Installation, name: str = "Mette Holm", **options: object) -> Actor:
    with house.database.writing() as session:
        email = f"{name.split()[0].casefold()}@koege.example"
        return make.actor(session, make.person(session, name, email=email, **options))  # type: ignore[arg-type]


def choose(house: Installation, actor: Actor, *keys: str, now: datetime = NOW) -> None:
    with house.writing(now, actor) as work:
        topics.choose(work, keys)


def tell(house: Installation, topic: str, key: str = "en", now: datetime = NOW + MINUTE) -> None:
    with house.writing(now) as work:
        context: PluginContext = for_plugins.context(work, "x")
        assert context.klik is not None
        context.klik.tell(topic, key, f"Driftsstop {key}", "X er nede fra kl. 9.", "/systemer/x-fag")


def run(house: Installation, now: datetime = NOW + 2 * MINUTE) -> str:
    outcome = jobs.run(house, "tell-subscribers", now, f"{now}")
    assert outcome is not None
    return outcome.sentence


def notices(house: Installation) -> list[tuple[str, str, bool]]:
    with house.database.reading() as session:
        rows = session.execute(
            select(Person.name, Notice.occasion, Notice.withdrawn_at.is_(None))
            .join(Person, Person.id == Notice.person_id)
            .order_by(Notice.id)
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_what_each_is_offered(told: Installation) -> None:
    people = {
        "mine": somebody(told, "Mette", municipality=make.KOEGE),
        "other": somebody(told, "Jens", municipality=make.HERNING),
        "kombit": somebody(told, "Karin", level=Level.KOMBIT_EDITOR),
        "supplier": somebody(told, "Lars", level=Level.SUPPLIER),
    }
    with told.database.writing() as session:
        make.system(session, "x-fag")
    with told.database.writing() as session:
        people["theirs"] = make.actor(
            session, make.person(session, "Liv", level=Level.SUPPLIER, systems=("x-fag",))
        )

    def offered() -> set[str]:
        found = set()
        for name, actor in people.items():
            with told.reading(NOW, actor) as work:
                keys = {each.topic.key for each in topics.offers(work)}
            assert {FAULT, DIGEST} <= keys
            found |= {name} if OTHER in keys else set()
        return found

    assert offered() == {"mine", "other", "kombit", "theirs"}, "nobody is noted to have it: it is everybody's"
    with told.database.writing() as session:
        make.has_system(session, make.KOEGE, "x-fag")
    assert offered() == {"mine", "kombit", "theirs"}
    with told.writing(NOW, people["other"]) as work, pytest.raises(RefusedError, match="kan ikke vælges"):
        topics.choose(work, [OTHER])


def test_everybody_who_subscribes_is_told_once_however_often_it_runs(told: Installation) -> None:
    mette, jens = somebody(told), somebody(told, "Jens Lund", municipality=make.HERNING)
    choose(told, mette, FAULT, DIGEST)
    choose(told, jens, FAULT)
    tell(told, FAULT)
    tell(told, FAULT)  # the plug-in's job ran twice
    assert run(told) == "2 nye varsler om emner er skrevet ind."
    assert run(told, NOW + 3 * MINUTE) == "0 nye varsler om emner er skrevet ind."
    with told.writing(NOW + 4 * MINUTE) as work:  # a worker that died before it could note it
        work.session.scalars(select(PluginAnnouncement)).one().told_at = None
    assert run(told, NOW + 5 * MINUTE) == "0 nye varsler om emner er skrevet ind."
    assert notices(told) == [("Mette Holm", FAULT, True), ("Jens Lund", FAULT, True)]
    with told.reading(NOW + 5 * MINUTE, mette) as work:
        (letter,) = inbox.letters(work)
        assert letter.occasion == "Driftsstop i X"
        assert letter.reason == "du har tilmeldt dig “Driftsstop i X”"
        assert not announcements.waits(work)


def test_who_leaves_or_comes_later_is_not_told(told: Installation) -> None:
    stays, leaves, gone, forgotten = (somebody(told, name) for name in ("Mette", "Jens", "Karin", "Lars"))
    for actor in (stays, leaves, gone, forgotten):
        choose(told, actor, FAULT, DIGEST)
    choose(told, leaves, DIGEST)
    with told.writing(NOW) as work:
        work.session.get_one(Person, gone.person_id).active = False
        privacy.anonymise(work, work.session.get_one(Person, forgotten.person_id))
    tell(told, FAULT)
    choose(told, somebody(told, "Sent"), FAULT, now=NOW + 90 * MINUTE)
    run(told, NOW + 91 * MINUTE)
    assert notices(told) == [("Mette", FAULT, True)]
    with told.database.reading() as session:
        assert forgotten.person_id not in set(session.scalars(select(TopicSubscription.person_id)))
    tell(told, DIGEST, now=NOW + 92 * MINUTE)
    run(told, NOW + 93 * MINUTE)
    choose(told, leaves, now=NOW + 94 * MINUTE)
    assert ("Jens", DIGEST, False) in notices(told), "what waited to be mailed is withdrawn"


def test_what_waits_while_the_plugin_is_away_stays_and_is_old_after_a_week(told: Installation) -> None:
    mette = somebody(told)
    choose(told, mette, FAULT)
    tell(told, FAULT)
    away = Installation(told.settings, plugins=[])
    try:
        assert run(away) == "0 nye varsler om emner er skrevet ind."
        with away.writing(NOW, mette) as work:
            assert topics.offers(work) == []
            topics.choose(work, [])
            assert topics.subscribed(work) == {FAULT}, "kept for when it is back"
    finally:
        away.close()
    assert run(told, NOW + DAY) == "1 nyt varsel om emner er skrevet ind."
    tell(told, FAULT, "to", NOW + DAY)
    run(told, NOW + 9 * DAY)
    assert notices(told) == [("Mette Holm", FAULT, True), ("Mette Holm", FAULT, False)]


def test_at_once_or_in_the_mail_of_the_day_as_the_topic_or_the_person_says(told: Installation) -> None:
    usual, chose = somebody(told), somebody(told, "Jens")
    with told.database.writing() as session:
        make.notice_settings(session, session.get_one(Person, chose.person_id), at_once=(DIGEST,))
    choose(told, usual, FAULT, DIGEST)
    choose(told, chose, DIGEST, FAULT)
    with told.reading(NOW, chose) as work:
        group = next(each for each in preferences.groups(work) if each.label == preferences.TOPICS)
        assert group.occasions == {FAULT: "Driftsstop i X", DIGEST: "Nyt om X"}
        assert group.at_once == {FAULT}
        assert {FAULT, DIGEST} <= preferences.read(work).at_once, "a new topic comes as it usually does"
    tell(told, FAULT)
    tell(told, DIGEST)
    run(told)
    with told.database.reading() as session:
        rows = session.execute(select(Notice.person_id, Notice.occasion, Notice.due_at)).all()
    due = {(person, occasion): at for person, occasion, at in rows}
    now, tomorrow = NOW + 2 * MINUTE, datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
    assert due[usual.person_id, FAULT] == due[chose.person_id, FAULT] == now
    assert due[usual.person_id, DIGEST] == tomorrow
    assert due[chose.person_id, DIGEST] == now
    with told.writing(NOW, chose) as work:
        version = preferences.read(work).version
        preferences.choose(work, 7, [FAULT], [7], version)
        assert work.session.get_one(NoticeSettings, chose.person_id).at_once is not None


def test_the_control_finds_who_was_not_told(told: Installation) -> None:
    mette, jens = somebody(told), somebody(told, "Jens")
    choose(told, mette, FAULT)
    choose(told, jens, FAULT)
    tell(told, FAULT)
    tell(told, FAULT, "to")
    run(told)
    with told.writing(NOW + 3 * MINUTE) as work:
        row = work.session.scalars(select(Notice).order_by(Notice.id)).first()
        assert row is not None
        work.session.delete(row)
        work.session.execute(
            PluginAnnouncement.__table__.update()
            .where(PluginAnnouncement.dedupe_key == "to")
            .values(told_at=None)
        )
    with told.writing(NOW + 60 * MINUTE) as work:
        found = control.examine(work)
        assert [each.occasion for each in found.untold] == [FAULT]
        control.heal(work, found)
        assert control.examine(work).untold == []
    assert len(notices(told)) == 4


def test_a_real_mail_server_gets_the_mail_once_and_at_once(house_settings: Settings) -> None:
    with running_sink() as sink:
        house = Installation(replace(house_settings, smtp=sink.address), plugins=[loaded()])
        try:
            somebody(house, "Jens")
            choose(house, somebody(house), FAULT, DIGEST)
            tell(house, FAULT)
            tell(house, DIGEST)
            for minutes in (2, 3):
                run(house, NOW + minutes * MINUTE)
                jobs.send_due(house, lambda: NOW + timedelta(minutes=3), patient=True)
            (message,) = sink.messages()
            assert message["To"] == "mette@koege.example"
            assert message["Subject"] == "Driftsstop en"
            text = plain_text(message.as_bytes())
            assert "X er nede fra kl. 9." in text
            assert "du har tilmeldt dig “Driftsstop i X”" in text
            assert "/systemer/x-fag" in text
            jobs.send_due(house, lambda: NOW + DAY, patient=True)
            assert len(sink.messages()) == 2, "the other comes with the mail of the day"
        finally:
            house.close()


def test_the_page_and_the_link_of_a_plugin(told: Installation, house_settings: Settings) -> None:
    somebody(told)
    app = create_app(house_settings, plugins=[loaded()])
    try:
        browser = Browser(app).sign_in("mette@koege.example")
        for page in ("/varsler/mine", "/varsler/indstillinger"):
            assert browser.get(page).select('a[href="/varsler/emner"]')
        page = browser.get("/varsler/emner?emne=x.nyt")
        assert [each["value"] for each in page.select("input[name=topics]")] == [DIGEST, FAULT, OTHER]
        assert "Når X er nede. Sendes straks." in page.get_text()
        page = browser.post("/varsler/emner", {"topics": [DIGEST, FAULT], "emne": DIGEST})
        assert "Du får nu besked om 2 emner." in page.get_text()
        assert len(page.select("input[name=topics][checked]")) == 2
        page = browser.get("/varsler/indstillinger")
        assert "Beskeder, du har tilmeldt dig" in page.get_text()
        page = browser.post("/varsler/emner", {"topics": ["x.findes-ikke"]}, expect=422)
        assert "Noget skal rettes" in page.get_text()
        browser.get("/varsler/emner?emne=%00findes")
        page = browser.post("/varsler/emner", {})
        assert "Du får ikke længere besked om nogen emner." in page.get_text()
    finally:
        app.extensions["klik"].close()
