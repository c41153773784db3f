"""Links in mails that act: nothing by looking, the one thing by pressing, and in nobody else's name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select, update

from klik.domain.calendar import long_date
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    FilterUse,
    Membership,
    MunicipalTask,
    Notice,
    Person,
    SavedFilter,
    TaskChange,
)
from klik.services.notices import actions, ledger, quiet, scanning
from klik.services.notices.composing import compose
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.mails import Sender
from klik.services.notices.recipients import Recipient
from klik.services.saved_filters import DAILY, NEVER
from tests import make
from tests.client import Browser

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Scene:
    house: Installation
    now: datetime
    mette: int
    task: int
    notice: int

    def token(self, purpose: str, notice: int | None = None, now: datetime | None = None) -> str:
        with self.house.reading(self.now) as work:
            row = work.session.get_one(Notice, notice or self.notice)
            return actions.token(self.house.settings.secret_key, purpose, row, now or self.now)

    def status(self) -> str:
        with self.house.reading(self.now) as work:
            return work.session.get_one(MunicipalTask, self.task).status

    def changes(self) -> list[tuple[int | None, str, str]]:
        with self.house.reading(self.now) as work:
            rows = work.session.scalars(select(TaskChange).where(TaskChange.field == "status"))
            return [(row.person_id, row.new or "", row.via) for row in rows]

    def facts(self) -> tuple[object, ...]:
        """All that a link could change."""
        with self.house.reading(self.now) as work:
            session = work.session
            return (
                session.scalars(select(MunicipalTask.version)).all(),
                session.scalar(select(func.count(TaskChange.id))),
                session.scalar(select(func.count(AuditEntry.id))),
                session.execute(select(Notice.id, Notice.read_at, Notice.snoozed_until)).all(),
            )


@pytest.fixture
def scene(house: Installation) -> Scene:
    now = datetime.now(UTC)
    with house.writing(now) as work:
        session = work.session
        mette = make.person(session, "Mette Krog", level=Level.USER, email="mette@koege.example")
        make.person(session, "Ali Holm", email="ali@koege.example")
        task = make.municipal_task(
            session, title="Udpeg superbrugere", deadline=work.today + 7 * DAY, responsible=mette
        )
        scanning.scan_deadlines(work)
        notice = session.scalars(
            select(Notice.id).where(Notice.municipal_task_id == task.id, Notice.withdrawn_at.is_(None))
        ).one()
        return Scene(house, now, mette.id, task.id, notice)


def words(page: BeautifulSoup) -> str:
    return " ".join(page.find("main").get_text(" ").split())  # type: ignore[union-attr]


def test_looking_changes_nothing_however_often_and_however_it_is_done(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    before, visitor = scene.facts(), browser()
    for purpose in (actions.START, actions.POSTPONE):
        address = f"/handling/{scene.token(purpose)}"
        for _ in range(2):
            page = words(visitor.get(address))
            assert "Udpeg superbrugere" in page
            assert "Du handler som Mette Krog , Køge" in page
        client = visitor.app.test_client()
        assert client.head(address).status_code == 200
        for headers in (
            {"Purpose": "prefetch"},
            {"Sec-Purpose": "prefetch;prerender"},
            {"X-Moz": "prefetch"},
        ):
            assert client.get(address, headers=headers).status_code == 200
        assert client.options(address).status_code == 200
        assert client.put(address).status_code == 405
    assert scene.facts() == before


def test_the_button_does_it_once_and_the_history_says_how(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    address, visitor = f"/handling/{scene.token(actions.START)}", browser()
    page = visitor.get(address)
    assert "Sæt opgaven i gang" in words(page)
    assert "Opgaven er sat i gang." in words(visitor.submit(page, address))
    assert scene.status() == Status.IN_PROGRESS.value
    via = f"mail-link/{scene.notice}"
    assert scene.changes() == [(scene.mette, "I gang", via)]
    for _ in range(2):
        assert "Det er allerede gjort." in words(visitor.post(address, {"token": address[10:]}))
    assert "Det er allerede gjort." in words(visitor.get(address))
    assert scene.changes() == [(scene.mette, "I gang", via)]
    page = browser().sign_in("mette@koege.example").get(f"/opgaver/{scene.task}")
    assert "Status ændret via mail-link" in words(page)
    with scene.house.reading(scene.now) as work:
        entry = work.session.scalars(select(AuditEntry).where(AuditEntry.action == "mail-link")).one()
        assert (entry.person_id, entry.subject) == (scene.mette, f"varsel/{scene.notice}")


def test_it_acts_as_its_own_person_whoever_is_signed_in(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    address = f"/handling/{scene.token(actions.START)}"
    visitor = browser().sign_in("ali@koege.example")
    page = visitor.get(address)
    assert "Linket gælder Mette Krog, selv om Ali Holm er logget ind" in words(page)
    visitor.submit(page, address)
    assert [who for who, _, _ in scene.changes()] == [scene.mette]


def test_a_form_without_the_token_does_nothing(scene: Scene, browser: Callable[..., Browser]) -> None:
    """The address alone, posted by a page of somebody else's or by a scanner, is not the button."""
    before, visitor = scene.facts(), browser()
    address = f"/handling/{scene.token(actions.START)}"
    for given in ({}, {"token": ""}, {"token": scene.token(actions.POSTPONE)}):
        visitor.post(address, given, expect=422)
    assert scene.facts() == before


def test_the_headers_keep_the_address_to_itself(scene: Scene, browser: Callable[..., Browser]) -> None:
    visitor = browser()
    for address, status in ((scene.token(actions.START), 200), ("start.ingenting", 404)):
        visitor.get(f"/handling/{address}", expect=status)
        headers = visitor.response.headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in headers["X-Robots-Tag"]
        assert "no-store" in headers["Cache-Control"]
        assert "Set-Cookie" not in headers


def test_reminders_are_put_off_for_this_person_and_this_task_only(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    sender = Sender("klik@klik.example", "https://klik.example")
    with scene.house.writing(scene.now) as work:
        ali = work.session.scalars(select(Person).where(Person.email == "ali@koege.example")).one()
        work.session.get_one(MunicipalTask, scene.task).executor_id = ali.id
        make.municipal_task(
            work.session,
            title="En anden",
            deadline=work.today + 7 * DAY,
            responsible=work.session.get_one(Person, scene.mette),
        )
        scanning.scan_deadlines(work)
        until = work.today + 5 * DAY
    address, visitor = f"/handling/{scene.token(actions.POSTPONE)}", browser()
    page = visitor.get(address)
    too_far = (until + 30 * DAY).isoformat()
    wrong = visitor.submit(page, address, expect=422, dag=too_far)
    assert "14 dage frem" in words(wrong)
    done = words(visitor.submit(page, address, dag=until.isoformat()))
    assert f"ingen mails med påmindelser om opgaven før {long_date(until)}" in done
    with scene.house.writing(scene.now) as work:
        compose(work, sender)
    with scene.house.reading(scene.now) as work:
        rows = work.session.execute(
            select(Notice.person_id, Notice.municipal_task_id, Notice.mail_id.is_not(None)).where(
                Notice.withdrawn_at.is_(None)
            )
        ).all()
    mailed = {(person, task) for person, task, was in rows if was}
    assert (scene.mette, scene.task) not in mailed
    assert len(mailed) == 2
    with scene.house.writing(scene.now + 5 * DAY) as work:
        compose(work, sender)
        late = work.session.scalars(select(Notice).where(Notice.id == scene.notice)).one()
        assert late.mail_id is not None
    assert "Det er allerede gjort." in words(visitor.get(address))


def test_a_filter_mail_is_stopped(scene: Scene, browser: Callable[..., Browser]) -> None:
    with scene.house.writing(scene.now) as work:
        session = work.session
        member = session.scalars(select(Membership.id).where(Membership.person_id == scene.mette)).one()
        mine = SavedFilter(
            person_id=scene.mette, name="Mine røde", name_key="mine røde", query="", created_at=scene.now
        )
        session.add(mine)
        session.flush()
        session.add(
            FilterUse(
                person_id=scene.mette,
                saved_filter_id=mine.id,
                subscription=DAILY,
                membership_id=member,
                chosen_on=work.today,
            )
        )
        ledger.enqueue(
            work,
            [
                NoticeDraft(
                    occasion="abonnement",
                    dedupe_key=f"abonnement/filter={mine.id}/2026-11-21",
                    recipient=Recipient(scene.mette, "mette@koege.example", make.KOEGE, "abonnent"),
                    heading="Mine røde",
                    sentence="2 opgaver",
                    path=f"/filtre/{mine.id}/aabn",
                )
            ],
        )
        notice = session.scalars(select(Notice.id).where(Notice.occasion == "abonnement")).one()
        use = (scene.mette, mine.id)
    address, visitor = f"/handling/{scene.token(actions.STOP, notice)}", browser()
    assert "Mailen er slået fra." in words(visitor.submit(visitor.get(address), address))
    with scene.house.reading(scene.now) as work:
        assert work.session.get_one(FilterUse, use).subscription == NEVER
    assert "Det er allerede gjort." in words(visitor.get(address))


def test_who_left_the_municipality_can_do_nothing_any_more(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    address, visitor = f"/handling/{scene.token(actions.START)}", browser()
    page = visitor.get(address)
    with scene.house.writing(scene.now) as work:
        work.session.execute(
            update(Membership).where(Membership.person_id == scene.mette).values(active=False)
        )
    before = scene.facts()
    assert "ikke længere adgang" in words(visitor.submit(page, address, expect=410))
    assert "ikke længere adgang" in words(visitor.get(address, expect=410))
    assert scene.facts() == before


def test_the_right_is_that_of_today(scene: Scene, browser: Callable[..., Browser]) -> None:
    address, visitor = f"/handling/{scene.token(actions.START)}", browser()
    page = visitor.get(address)
    with scene.house.writing(scene.now) as work:
        work.session.execute(
            update(Membership).where(Membership.person_id == scene.mette).values(level=Level.READER.value)
        )
    assert "ikke længere ret til at ændre" in words(visitor.submit(page, address, expect=410))
    assert scene.status() == Status.NOT_STARTED.value


def test_a_completed_task_is_left_alone(scene: Scene, browser: Callable[..., Browser]) -> None:
    with scene.house.writing(scene.now) as work:
        task = work.session.get_one(MunicipalTask, scene.task)
        task.status, task.completed_on = Status.COMPLETED.value, work.today
    visitor = browser()
    for purpose in (actions.START, actions.POSTPONE):
        assert "status Fuldført" in words(visitor.get(f"/handling/{scene.token(purpose)}"))
    token = scene.token(actions.START)
    assert "status Fuldført" in words(visitor.post(f"/handling/{token}", {"token": token}))
    assert scene.status() == Status.COMPLETED.value


def test_two_weeks_and_not_a_second_more(scene: Scene) -> None:
    token = scene.token(actions.START)
    secret = scene.house.settings.secret_key
    with scene.house.reading(scene.now + actions.VALID) as work:
        assert actions.claim(work, secret, token).actor.person_id == scene.mette
    with (
        scene.house.reading(scene.now + actions.VALID + timedelta(seconds=1)) as work,
        pytest.raises(actions.LinkError, match="for gammelt"),
    ):
        actions.claim(work, secret, token)


def hostile(scene: Scene) -> list[str]:
    good, other = scene.token(actions.START), scene.token(actions.POSTPONE)
    _, _, signed = good.partition(".")
    payload, _, rest = signed.partition(".")
    plain = {"salt": "klik-mail-link-start", "signer_kwargs": {"key_derivation": "hmac"}}

    def made(key: str, content: object, **more: object) -> str:
        return f"start.{URLSafeTimedSerializer(key, **(plain | more)).dumps(content)}"  # type: ignore[arg-type]

    sha = {"signer_kwargs": {"key_derivation": "hmac", "digest_method": hashlib.sha256}}
    own, ids = scene.house.settings.secret_key, [scene.notice, scene.mette]
    with scene.house.reading(scene.now) as work:
        row = work.session.get_one(Notice, scene.notice)
        old = actions.token(own, actions.START, row, scene.now - actions.VALID - DAY)
        ahead = actions.token(own, actions.START, row, scene.now + DAY)
    return [
        "x", ".", "..", "start", "start.", "start..", "-", "0", "1", "None",
        good[:-1], good[:-10], good[1:], good[: len(good) // 2], good + "A", good + ".", f"{good}.{good}",
        f"udskyd.{signed}", f"rolle.{signed}", f"stop.{signed}", f"START.{signed}", f"ukendt.{signed}",
        f"start.{other.partition('.')[2]}", f"start.{payload}", f"start.{payload}.", f"start.W10.{rest}",
        made("en anden nøgle", ids, **sha), made(own, ids), made(own, ids, salt="andet", **sha), old, ahead,
        "start.æøå", "start.%E2%80%AE", "%00", "start.%00", "start.\u2028x", "🐎" * 20,
        "A" * 8_000, f"start.{'A' * 8_000}", "%2e%2e", "start.'%20or%201=1--", "start.<script>",
    ]  # fmt: skip


def test_hostile_tokens_open_nothing_and_break_nothing(scene: Scene, browser: Callable[..., Browser]) -> None:
    before, corpus = scene.facts(), hostile(scene)
    assert len(corpus) >= 40
    visitor, seen = browser(), set()
    client = visitor.app.test_client()
    for _ in range(2):
        for token in corpus:
            for ask in (client.get, client.head, lambda path, t=token: client.post(path, data={"token": t})):
                status = ask(f"/handling/{token}").status_code
                assert 400 <= status < 500, (token[:60], status)
                seen.add(status)
    assert scene.facts() == before
    assert seen >= {404, 410, 429}, "after two hundred wrong ones in a quarter of an hour klik takes a rest"
    assert client.get(f"/handling/{scene.token(actions.START)}").status_code == 200, (
        "who has a right one is let in"
    )
    print(f"{len(corpus)} hostile links, by GET, HEAD and POST: 0 × 500, 0 changes")  # noqa: T201


def test_the_links_of_a_notice_are_those_its_person_can_use(scene: Scene) -> None:
    sender = Sender("k@klik.example", "https://klik.example", scene.house.settings.secret_key)
    with scene.house.writing(scene.now) as work:
        notice = work.session.get_one(Notice, scene.notice)
        task = work.session.get_one(MunicipalTask, scene.task)
        found = actions.links(work, sender, notice, task)
        assert [label for label, _ in found] == ["Sæt i gang", "Udskyd mine påmindelser"]
        assert all(address.startswith("https://klik.example/handling/") for _, address in found)
        assert actions.links(work, Sender("k@klik.example", "https://klik.example"), notice, task) == ()
        task.status = Status.IN_PROGRESS.value
        assert [label for label, _ in actions.links(work, sender, notice, task)] == [
            "Udskyd mine påmindelser"
        ]
        task.status = Status.NOT_STARTED.value
        work.session.execute(
            update(Membership).where(Membership.person_id == scene.mette).values(level=Level.READER.value)
        )
        assert [label for label, _ in actions.links(work, sender, notice, task)] == [
            "Udskyd mine påmindelser"
        ]
        notice.person_id = None
        assert actions.links(work, sender, notice, task) == (), "a shared mailbox has no person"
        work.session.rollback()


def test_peace_stands_in_the_ledger(scene: Scene) -> None:
    with scene.house.writing(scene.now) as work:
        claim = actions.claim(work, scene.house.settings.secret_key, scene.token(actions.POSTPONE))
        task = work.session.get_one(MunicipalTask, scene.task)
        for ahead in (3, 6):
            quiet.keep_quiet(work, claim.actor, task, work.today + ahead * DAY, "via mail-link")
        row = work.session.scalars(select(Notice).where(Notice.occasion == "udskudt")).one()
        assert row.withdrawal_reason == f"udskudt til {long_date(work.today + 6 * DAY)} via mail-link"
        assert quiet.until(work, scene.mette, scene.task) == work.today + 6 * DAY
