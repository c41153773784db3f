"""N9: no mail says a word of another municipality, a CPR number, or more of people than names; no header gets in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, MunicipalTask, Person
from klik.services.notices import ledger, mails, scanning
from klik.services.notices.composing import compose
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.mails import Rendered, Sender
from klik.services.notices.occasions import OCCASIONS
from klik.services.notices.recipients import Recipient
from tests import make

SENDER = Sender("klik@klik.example", "https://klik.example", "hemmelighed")
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
CPR = "010190-1234"
CPR_SHAPED = re.compile(r"(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d[- ]?\d{4}(?!\d)")
PLACES = {make.KOEGE: "Køge", make.HERNING: "Herning"}
# Words that only one municipality's own rows hold, and facts about people that no mail needs.
PRIVATE = ("+4511223344", "hemmelig kommentar", "hemmelig note")
HEADERS = {
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
    "X-KLIK-Gensendt",
}
INJECTIONS = (
    "Hej\r\nBcc: alle@koege.example",
    "Hej\nBcc: alle@koege.example",
    "Hej\rBcc: alle@koege.example",
    "Hej\r\n\r\n<html>ny krop</html>",
    "Hej\x00\x0bBcc: a@b.dk",
    "Hej\u2028Bcc: a@b.dk",
    "Hej\u2029Bcc: a@b.dk",
    "Hej\x85Bcc: a@b.dk",
    "=?utf-8?q?Hej=0D=0ABcc:_a@b.dk?=",
    "=?utf-8?b?SGVqDQpCY2M6IGFAYi5kaw==?=",
    "Hej\r\n Bcc: a@b.dk",
    "Hej\r\n\tBcc: a@b.dk",
    "\u202eHej" + "æ" * 400,
    "Hej" * 500,
)


def canary(code: int) -> str:
    """A word that only this municipality's rows hold."""
    return f"Kanarie{code}"


def settle(house: Installation) -> dict[int, Person]:
    """A task in Køge and one in Herning, each with private words, and somebody in each who is told."""
    with house.database.writing() as session:
        people = {}
        version = make.task(session, f"Udarbejd roller {CPR}", number="MI 15")
        ky = make.task(
            session, f"Afprøv {CPR}", number="TE 02", in_project=make.project(session, "ky", system_code="ky")
        )
        for code in PLACES:
            person = make.person(
                session,
                f"Mette {canary(code)}",
                municipality=code,
                email=f"m@{code}.example",
                level=Level.ADMINISTRATOR,
            )
            person.phone = "+4511223344"
            task = make.municipal_task(session, version, municipality=code, responsible=person)
            task.title = f"Opgave {canary(code)} {CPR}"
            task.created_at = NOW - timedelta(days=200)
            make.has_system(session, code, "ky", go_live=NOW.date() + timedelta(days=30))
            other = make.municipal_task(session, ky, municipality=code, responsible=person)
            other.title = f"Prøve {canary(code)} {CPR}"
            make.notice_settings(session, person, days_before=(14, 7, 3, 2, 1))
            make.comment(session, task, person, "hemmelig kommentar", private=True)
            people[code] = person
        session.flush()
        session.expunge_all()
        return people


def told(people: dict[int, Person], occasion: str) -> list[NoticeDraft]:
    """What the occasion tells each municipality: its own words, and a CPR number in every place where words are."""
    return [
        NoticeDraft(
            occasion=occasion,
            dedupe_key=f"{occasion}/{code}/{number}",
            recipient=Recipient(to, f"m@{code}.example", code, f"ansvarlig {CPR}"),
            heading=f"{canary(code)} {CPR}",
            sentence=f"Om {canary(code)} og {CPR}.\nen linje med {CPR}",
            path="/opgaver",
            about_day=NOW.date(),
        )
        for number, (code, to) in enumerate(
            [(code, person.id) for code, person in people.items()] + [(code, None) for code in people]
        )
    ]


def sent(house: Installation) -> list[tuple[str, str]]:
    """Every mail: to whom, and all it says in its headers, its text and its page."""
    with house.database.reading() as session:
        return [(mail.address, everything(mail.content)) for mail in session.scalars(select(Mail))]


def everything(content: bytes) -> str:
    message: Any = message_from_bytes(content, policy=SMTP)
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    # Two headers hold random numbers, which look like anything now and then.
    headers = [
        f"{name}: {value}" for name, value in message.items() if name not in ("Message-ID", "Content-Type")
    ]
    return "\n".join([*headers, *parts])


def leaks(found: Iterable[tuple[str, str]]) -> list[str]:
    """What the mails say that they must not."""
    wrong = []
    for address, words in found:
        own = next(code for code in PLACES if str(code) in address)
        wrong += [f"{address}: {canary(code)}" for code in PLACES if code != own and canary(code) in words]
        wrong += [f"{address}: {PLACES[code]}" for code in PLACES if code != own and PLACES[code] in words]
        wrong += [f"{address}: {number}" for number in CPR_SHAPED.findall(words)]
        wrong += [f"{address}: {private}" for private in PRIVATE if private in words]
        if canary(own) not in words:
            wrong.append(f"{address}: not its own words")
    return wrong


def test_every_occasion(house: Installation) -> None:
    people = settle(house)
    with house.writing(NOW) as work:
        for occasion in OCCASIONS:
            assert ledger.enqueue(work, told(people, occasion)) == 4
    count = 0
    while True:
        with house.writing(NOW) as work:
            done = compose(work, SENDER)
        if not done.mails:
            break
        count += done.mails
    found = sent(house)
    assert count == len(found) == 4
    assert leaks(found) == []
    print(f"\nN9 {len(OCCASIONS)} occasions in {len(found)} mails: 0 words of others, 0 CPR numbers")  # noqa: T201 - what the test promises


def test_each_occasion_alone_and_a_mailbox_that_two_municipalities_share(house: Installation) -> None:
    people = settle(house)
    for occasion in OCCASIONS:
        with house.writing(NOW) as work:
            ledger.enqueue(work, told(people, occasion)[:2])
            shared = [
                NoticeDraft(
                    occasion=occasion,
                    dedupe_key=f"{occasion}/{code}/delt",
                    recipient=Recipient(None, f"{code}@faelles.example", code, "ansvarlig"),
                    heading=canary(code),
                    sentence=canary(code),
                    path="/opgaver",
                )
                for code in PLACES
            ]
            ledger.enqueue(work, shared)
        with house.writing(NOW) as work:
            assert compose(work, SENDER).mails == 4
    found = sent(house)
    assert len(found) == 4 * len(OCCASIONS)
    assert leaks(found) == []


def test_every_rule(house: Installation) -> None:
    people = settle(house)
    count = 0
    with house.reading(NOW) as work:
        wanted = set(work.registry.notification_rules)
    seen: set[str] = set()
    for left in range(35, -15, -1):
        with house.writing(NOW) as work:
            for task in work.session.scalars(select(MunicipalTask)):
                task.deadline = NOW.date() + timedelta(days=left)
                task.yellow_from = task.deadline - timedelta(days=14)
                task.deadline_version += 1
        with house.writing(NOW) as work:
            for plan in scanning.plans(work):
                seen |= {draft.occasion for draft in plan.drafts}
                scanning.write(work, [plan])
        with house.writing(NOW) as work:
            count += compose(work, SENDER).mails
    found = sent(house)
    assert count == len(found) > 10
    assert seen == wanted
    assert leaks(found) == []
    assert {address for address, _ in found} == {f"m@{code}.example" for code in people}
    print(f"\nN9 {len(seen)} rules in {len(found)} mails: 0 words of others, 0 CPR numbers")  # noqa: T201 - what the test promises


@pytest.mark.parametrize("where", ["subject", "text", "html"])
def test_a_planted_leak_is_seen(where: str) -> None:
    said = {"subject": "", "text": "", "html": ""} | {where: canary(make.HERNING)}
    content = mails.build(SENDER, f"m@{make.KOEGE}.example", Rendered(**said), "<1@klik.example>", NOW)
    assert leaks([(f"m@{make.KOEGE}.example", everything(content))])[0].endswith(canary(make.HERNING))


def test_no_header_gets_in(house: Installation) -> None:
    """Whatever people write, in a heading, a title or a place, the mail has klik's headers and no others."""
    settle(house)
    tried = [(occasion, typed.replace("\x00", "")) for occasion in OCCASIONS for typed in INJECTIONS]
    with house.writing(NOW) as work:
        ledger.enqueue(
            work,
            [
                NoticeDraft(
                    occasion=occasion,
                    dedupe_key=str(number),
                    recipient=Recipient(None, f"postkasse{number}@koege.example", make.KOEGE, typed[:300]),
                    heading=typed,
                    sentence=typed,
                    path="/opgaver",
                )
                for number, (occasion, typed) in enumerate(tried)
            ],
        )
    while True:
        with house.writing(NOW) as work:
            if not compose(work, SENDER).mails:
                break
    with house.database.reading() as session:
        contents = session.scalars(select(Mail.content)).all()
    assert len(contents) == len(tried) == len(OCCASIONS) * len(INJECTIONS)
    strange = [name for content in contents for name in _headers(content) if name not in HEADERS]
    assert strange == []
    print(f"\nN9 header injection: {len(tried)} tried, {len(strange)} got in")  # noqa: T201 - what the test promises


@pytest.mark.parametrize("typed", INJECTIONS)
def test_no_header_gets_in_by_any_subject(typed: str) -> None:
    content = mails.build(
        SENDER, "m@koege.example", Rendered(typed, "t", "<p>h</p>"), "<1@klik.example>", NOW
    )
    assert set(_headers(content)) <= HEADERS
    assert max(len(row) for row in content.split(b"\r\n")) <= 998


def _headers(content: bytes) -> list[str]:
    head = content.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    assert b"\n" not in head.replace(b"\r\n", b"") and b"\r" not in head.replace(b"\r\n", b"")
    return [row.partition(b":")[0].decode("ascii") for row in head.split(b"\r\n")]
