"""What waits for a mail to an address that mails come back from: not mailed, told to another, sent after all."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, Notice, Person
from klik.services import access
from klik.services.notices import scanning
from klik.services.notices.bounces import marks
from klik.services.notices.composing import compose
from klik.services.notices.ledger import BOUNCES, NoticeDraft, enqueue
from klik.services.notices.mails import Sender
from klik.services.notices.recipients import Recipient
from tests import make

DAY = timedelta(days=1)
SENDER = Sender("klik@klik.example", "https://klik.example", "s" * 40)
JENS, ANNA = "jens@koege.example", "anna@koege.example"
PERSONAL = (access.MENTION, access.OWN_OCCASION, access.SECRET_OCCASION, "besvaret", "eksport-klar")


@pytest.fixture
def jens(house: Installation) -> int:
    """Jens, whose mails arrived so far; Anna looks after his municipality."""
    with house.database.writing() as session:
        person = make.person(session, "Jens Holm", email=JENS)
        make.person(session, "Anna", email=ANNA, level=Level.ADMINISTRATOR)
        return person.id


def dead(house: Installation, address: str = JENS) -> None:
    with house.database.writing() as session:
        make.bounced(session, address)


def told(house: Installation, jens: int, *occasions: str) -> None:
    with house.writing(make.NOW) as work:
        to = Recipient(jens, JENS, make.KOEGE, "ansvarlig")
        enqueue(
            work,
            [
                NoticeDraft(
                    occasion=each,
                    dedupe_key=each,
                    recipient=to,
                    heading=each,
                    sentence="Om opgaven.",
                    path="/",
                )
                for each in occasions
            ],
        )


def compose_all(house: Installation, at: datetime = make.NOW) -> list[str]:
    """Where mails go."""
    made = True
    while made:
        with house.writing(at) as work:
            done = compose(work, SENDER)
            made = bool(done.mails or done.withdrawn)
    with house.database.reading() as session:
        return list(session.scalars(select(Mail.address).order_by(Mail.id)))


def rows(house: Installation) -> list[tuple[str, int | None, str | None, bool]]:
    with house.database.reading() as session:
        return [
            (each.occasion, each.person_id, each.withdrawal_reason, each.mail_id is not None)
            for each in session.scalars(select(Notice).order_by(Notice.id))
        ]


def test_a_reminder_that_waited_when_the_address_died_is_told_to_another(
    house: Installation, jens: int
) -> None:
    with house.database.writing() as session:
        make.municipal_task(session, deadline=make.TODAY - DAY, responsible=session.get_one(Person, jens))
    with house.writing(make.NOW) as work:
        scanning.scan_deadlines(work)
    dead(house)
    assert compose_all(house) == [ANNA]
    (of_jens, of_anna) = rows(house)
    assert of_jens[1:] == (jens, BOUNCES, False)
    assert of_anna[3]
    with house.database.reading() as session:
        other = session.scalar(select(Notice).where(Notice.person_id != jens))
        assert other is not None
        assert other.reason.endswith("i stedet for Jens Holm, hvis mails kommer retur")


def test_what_is_for_one_person_alone_stays_in_the_inbox(house: Installation, jens: int) -> None:
    told(house, jens, *PERSONAL)
    dead(house)
    assert compose_all(house) == []
    assert sorted(rows(house)) == sorted((each, jens, BOUNCES, False) for each in PERSONAL)


def test_what_is_shared_is_told_once_and_nobody_is_named_who_is_dead_too(
    house: Installation, jens: int
) -> None:
    with house.database.writing() as session:
        make.person(
            session, "Gitte", email="g@kombit.example", level=Level.KOMBIT_ADMINISTRATOR, municipality=None
        )
    told(house, jens, "udgivet", "frist-flyttet")
    dead(house)
    dead(house, ANNA)
    assert compose_all(house) == ["g@kombit.example"]
    assert compose_all(house, make.NOW + DAY) == ["g@kombit.example"]


@pytest.mark.parametrize(("days", "sent"), [(2, True), (4, False)])
def test_tried_again_what_is_no_older_than_three_days_is_mailed_after_all(
    house: Installation, jens: int, days: int, sent: bool
) -> None:
    told(house, jens, access.MENTION, access.SECRET_OCCASION)
    dead(house)
    compose_all(house)
    later = make.NOW + days * DAY
    with house.writing(later) as work:
        assert marks.clear(work, " Jens@koege.example", "membership/1", make.KOEGE)
    assert compose_all(house, later) == ([JENS] if sent else [])
    assert rows(house) == [
        (access.MENTION, jens, None if sent else BOUNCES, sent),
        # The link may have been used or run out: it is asked for anew.
        (access.SECRET_OCCASION, jens, BOUNCES, False),
    ]


def test_a_round_asks_once_for_the_addresses(house: Installation, jens: int) -> None:
    with house.database.writing() as session:
        person = session.get_one(Person, jens)
        for _ in range(2):
            make.municipal_task(session, deadline=make.TODAY - DAY, responsible=person)
    with house.writing(make.NOW) as work:
        scanning.scan_deadlines(work)
    told(house, jens, "udgivet")
    dead(house)
    asked: list[str] = []
    with house.writing(make.NOW) as work:
        event.listen(
            work.session.get_bind(), "before_cursor_execute", lambda _c, _k, text, *_: asked.append(text)
        )
        compose(work, SENDER)
    assert sum("FROM bounced_addresses" in each for each in asked) == 1
