"""Handing mails over: once, whatever the mail server does, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from klik import jobs
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Mail, MunicipalTask, Notice
from klik.services.notices import claiming, delivery, mails, scanning, settling
from klik.services.notices.delivery import Delivered
from klik.services.notices.ledger import NoticeDraft, enqueue
from klik.services.notices.mails import AddressUnusableError, Rendered, Sender
from klik.services.notices.recipients import Recipient
from klik.settings import Settings
from tests import make
from tests.sink import Sink, running_sink

SENDER = Sender("klik@klik.example", "https://klik.example")
DAY = timedelta(days=1)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as server:
        yield server


@pytest.fixture
def house(house_settings: Settings, sink: Sink) -> Iterator[Installation]:
    installation = Installation(replace(house_settings, smtp=sink.address))
    yield installation
    installation.close()


def read(house: Installation, statement: Any) -> Sequence[Any]:
    with house.database.reading() as session:
        rows = session.scalars(statement).all()
        session.expunge_all()
        return rows


def states(house: Installation) -> list[str]:
    return list(read(house, select(Mail.state).where(Mail.state != "stale").order_by(Mail.address)))


def tasks_for(house: Installation, count: int = 1, *, deadline: int = -1) -> list[int]:
    """Red tasks, each with a responsible of its own."""
    ids = []
    with house.database.writing() as session:
        for number in range(count):
            person = make.person(session, email=f"p{number}@koege.example")
            task = make.municipal_task(session, deadline=make.TODAY + deadline * DAY, responsible=person)
            ids.append(task.id)
    with house.writing(make.NOW) as work:
        scanning.scan_deadlines(work)
    return ids


def send(house: Installation, now: datetime = make.NOW, **more: Any) -> Delivered:
    return delivery.deliver(house.writing, lambda: now, SENDER, jobs.open_channels(house), **more)


def test_a_mail_goes_once_however_often_the_job_runs(house: Installation, sink: Sink) -> None:
    tasks_for(house)
    assert [send(house).sent for _ in range(10)] == [1] + [0] * 9
    assert [count for count in sink.by_id().values()] == [1]
    assert states(house) == ["sent"]


def test_the_headers_are_as_they_should_be(house: Installation, sink: Sink) -> None:
    tasks_for(house)
    send(house)
    (message,) = sink.messages()
    assert message["From"] == "klik <klik@klik.example>"
    assert message["To"] == "p0@koege.example"
    assert message["Date"] == "Sat, 21 Nov 2026 07:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@klik.example>")
    assert message["Precedence"] is None
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_what_is_finished_while_the_mail_waits_is_withdrawn(house: Installation, sink: Sink) -> None:
    (task_id,) = tasks_for(house)
    jobs.digests(house, make.NOW)
    assert states(house) == ["pending"]
    with house.database.writing() as session:
        session.execute(
            update(MunicipalTask)
            .where(MunicipalTask.id == task_id)
            .values(status=Status.COMPLETED.value, completed_on=make.TODAY)
        )
    assert send(house).sent == 0
    assert sink.received == []
    (reason,) = read(house, select(Notice.withdrawal_reason).where(Notice.occasion == "core.roed"))
    assert reason == scanning.NO_LONGER_OPEN


@pytest.mark.parametrize("answer", ["451 4.3.0 senere", "452 4.2.2 fuld"])
def test_not_now_is_tried_again_with_growing_pauses(house: Installation, sink: Sink, answer: str) -> None:
    tasks_for(house)
    sink.behaviour.replies["p0@koege.example"] = answer
    pauses, now = [], make.NOW
    for _ in range(4):
        assert send(house, now).later == 1
        (mail,) = read(house, select(Mail).where(Mail.state == "pending"))
        pauses.append((mail.next_attempt_at - now).total_seconds() / 60)
        now = mail.next_attempt_at
    for pause, least in zip(pauses, (1, 5, 15, 60), strict=True):
        assert least <= pause <= least * 1.25
    sink.behaviour.replies.clear()
    assert send(house, now + timedelta(hours=1)).sent == 1


def test_never_is_failed_and_not_tried_again(house: Installation, sink: Sink) -> None:
    tasks_for(house)
    sink.behaviour.replies["p0@koege.example"] = "550 5.1.1 findes ikke"
    assert send(house).refused == 1
    assert (states(house), send(house, make.NOW + DAY).sent) == (["failed"], 0)
    assert read(house, select(Mail.reply)) == ["550 5.1.1 findes ikke"]


def test_refused_after_the_dot_is_failed(house: Installation, sink: Sink) -> None:
    tasks_for(house)
    sink.behaviour.after_dot = "554 5.7.1 nej"
    assert send(house).refused == 1
    assert states(house) == ["failed"]


@pytest.mark.parametrize("trouble", ["421 lukket", "reset", "closed"])
def test_a_relay_that_is_away_costs_the_mail_no_attempt(
    house: Installation, sink: Sink, trouble: str
) -> None:
    tasks_for(house)
    if trouble == "closed":
        sink.close()
    elif trouble == "reset":
        sink.behaviour.reset = True
    else:
        sink.behaviour.greeting = trouble
    assert send(house).later == 1
    (mail,) = read(house, select(Mail))
    assert (mail.state, mail.attempts) == ("pending", 0)
    assert mail.next_attempt_at - make.NOW == timedelta(minutes=1)


def test_three_days_without_a_relay_and_all_goes_out_once_worded_anew(
    house: Installation, sink: Sink
) -> None:
    tasks_for(house, 3, deadline=1)
    sink.behaviour.greeting = "421 væk"
    for hour in range(0, 72, 6):
        now = make.NOW + timedelta(hours=hour)
        jobs.scan_deadlines(house, now)
        send(house, now)
    sink.behaviour.greeting = "220 tilbage"
    assert send(house, make.NOW + timedelta(hours=72, minutes=2)).sent == 3
    assert len(sink.received) == 3
    for message in sink.messages():
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert "i morgen" not in text
        assert "Fristen var søndag den 22. november 2026, 2 dage siden" in text


def test_one_recipient_that_hangs_does_not_hold_the_others_up(house: Installation, sink: Sink) -> None:
    tasks_for(house, 5)
    sink.behaviour.hang.add("p1@koege.example")
    done = send(house, patience=5)
    assert (done.sent, done.later) == (4, 1)
    assert sorted(recipient for recipient, _ in sink.received) == [
        f"p{number}@koege.example" for number in (0, 2, 3, 4)
    ]


def test_a_relay_that_drips_is_left(house: Installation, sink: Sink) -> None:
    tasks_for(house)
    sink.behaviour.drip = True
    assert send(house, patience=1.2).later == 1
    assert states(house) == ["pending"]


def test_an_answer_lost_after_the_dot_is_in_doubt_and_sent_once_more_marked(
    house: Installation, sink: Sink
) -> None:
    tasks_for(house)
    sink.behaviour.drop_after_dot = True
    assert send(house).doubtful == 1
    assert states(house) == ["in_doubt"]
    sink.behaviour.drop_after_dot = False
    assert send(house, make.NOW + timedelta(minutes=29)).sent == 0
    done = send(house, make.NOW + timedelta(minutes=31))
    assert (done.resent, done.sent) == (1, 1)
    first, second = sink.messages()
    assert first["Message-ID"] == second["Message-ID"]
    assert (first["X-KLIK-Gensendt"], second["X-KLIK-Gensendt"]) == (None, "1")
    for kind in ("plain", "html"):
        assert mails.RESENT_LINE in second.get_body((kind,)).get_content()  # type: ignore[union-attr]
    assert (states(house), read(house, select(Mail.resent))) == (["sent"], [1])


def test_twice_in_doubt_is_given_up_and_shown(house: Installation, sink: Sink) -> None:
    tasks_for(house)
    sink.behaviour.drop_after_dot = True
    for minutes in (0, 31, 62, 93):
        send(house, make.NOW + timedelta(minutes=minutes))
    assert (len(sink.received), states(house)) == (2, ["failed"])
    assert read(house, select(Mail.reply)) == [settling.TWICE_IN_DOUBT]


def test_a_lost_lease_never_sends_its_dot(house: Installation, sink: Sink) -> None:
    tasks_for(house)
    jobs.digests(house, make.NOW)
    with house.writing(make.NOW) as work:
        (first,) = claiming.claim(work, ["core.mail"], "one", claiming.LEASE, SENDER, (make.NOW, 9), 5)
    later = make.NOW + timedelta(minutes=3)
    assert send(house, later).sent == 1
    with pytest.raises(claiming.LeaseLostError), house.writing(later) as work:
        claiming.mark_in_doubt(work, first)
    with house.writing(later) as work:
        settling.settle(work, first, None)
    assert states(house) == ["sent"]


def test_without_a_relay_mails_wait_and_the_job_says_so(house_settings: Settings) -> None:
    installation = Installation(house_settings)
    tasks_for(installation)
    outcome = jobs.deliver(installation, make.NOW)
    installation.close()
    assert outcome.sentence == "0 mails er afleveret. 1 mail venter, fordi KLIK_SMTP_URL ikke er sat."
    assert not outcome.well


def test_the_recount_agrees_finds_what_is_missing_and_heals_it(house: Installation, sink: Sink) -> None:
    tasks_for(house, 4)
    send(house)
    assert jobs.check(house, make.NOW).sentence == "4 skulle, 4 afsendt, 0 mangler."
    with house.database.writing() as session:
        victim = session.scalars(select(Notice).where(Notice.withdrawn_at.is_(None))).first()
        session.delete(victim)
    assert jobs.check(house, make.NOW) == jobs.Outcome(
        "4 skulle, 3 afsendt, 1 mangler. 1 er nu skrevet ind og bliver sendt.", well=False
    )
    assert send(house).sent == 0  # its mail has gone: only the row was lost
    assert jobs.check(house, make.NOW).sentence == "4 skulle, 4 afsendt, 0 mangler."
    assert len(sink.received) == 4


@pytest.mark.parametrize(
    "hostile",
    [
        "Titel\r\nBcc: x@y.example",
        "Titel\nX-Ond: 1",
        "Titel\r\n\r\nEn ny krop",
        "Titel\x00\x0bBcc: x@y.example",
        "Titel\u2028Bcc: x@y.example",
        "=?utf-8?q?Titel=0D=0ABcc:_x@y.example?=",
        "\u202eBcc: x@y.example",
    ],
)
def test_no_title_reaches_into_the_headers(house: Installation, sink: Sink, hostile: str) -> None:
    with house.writing(make.NOW) as work:
        to = Recipient(None, "post@koege.example", make.KOEGE, "postkasse")
        words = hostile.replace("\x00", "")  # PostgreSQL stores none
        draft = NoticeDraft(
            occasion="proeve", dedupe_key="p/1", recipient=to, heading=words, sentence=words, path="/opgaver"
        )
        enqueue(work, [draft])
    rendered = Rendered(hostile, "Krop", "<p>Krop</p>")
    raw = mails.build(SENDER, "post@koege.example", rendered, "<1@klik.example>", make.NOW)
    head = raw.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert names == [
        b"Subject",
        b"From",
        b"To",
        b"Date",
        b"Message-ID",
        b"Auto-Submitted",
        b"MIME-Version",
        b"Content-Type",
        b"Content-Language",
    ]
    send(house)
    (received,) = sink.received
    head = received[1].partition(b"\r\n\r\n")[0]
    assert not [line for line in head.split(b"\r\n") if line.startswith((b"Bcc", b"X-Ond", b"En ny"))]


@pytest.mark.parametrize(
    "address",
    [
        "a@b.dk\r\nBcc: x@y.dk",
        "a@b.dk,c@d.dk",
        "<a@b.dk>",
        '"a b"@x.dk',
        "a@[127.0.0.1]",
        "a b@x.dk",
        "@x.dk",
        "a@",
        "",
        "æ@x.dk",
        "a@b..dk",
        "a@b.dk>\r\nRCPT TO:<x@y.dk",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(AddressUnusableError):
        mails.usable_address(address)


def test_a_danish_domain_is_sent_in_plain_letters() -> None:
    assert mails.usable_address("post@køge.dk") == "post@xn--kge-0na.dk"


def test_leading_dots_and_long_lines_arrive_whole(house: Installation, sink: Sink) -> None:
    sentence = ".en linje\n..to punktummer\n.\n" + "æøå" * 600
    with house.writing(make.NOW) as work:
        to = Recipient(None, "post@koege.example", make.KOEGE, "postkasse")
        draft = NoticeDraft(
            occasion="proeve", dedupe_key="p/1", recipient=to, heading="Prøve", sentence=sentence, path="/x"
        )
        enqueue(work, [draft])
    send(house)
    (message,) = sink.messages()
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert sentence in text.replace("\r\n", "\n")
