"""D4: nothing leaves varslet until somebody reachable in the municipality has got the notice; 98 of 98."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import BouncedAddress, DeletionItem, Mail, Municipality, Notice, Person
from klik.services import access, deleting
from klik.services.deleting import nudging, reaching
from klik.services.errors import RefusedError
from klik.services.work import Actor
from tests import make
from tests.make import NOW, TODAY

DAY = timedelta(days=1)
Way = Callable[["Country", int], None]


@dataclass
class Country:
    """98 municipalities with a task each and an administrator, all announced, all mails accepted."""

    house: Installation
    kombit: Actor
    codes: list[int]
    people: dict[int, int]
    deletion_id: int = 0

    def mails(self, code: int, **values: Any) -> None:
        with self.house.database.writing() as session:
            ids = select(Notice.mail_id).where(Notice.municipality_id == code)
            session.execute(update(Mail).where(Mail.id.in_(ids)).values(**values))

    def notices(self, code: int, **values: Any) -> None:
        with self.house.database.writing() as session:
            session.execute(update(Notice).where(Notice.municipality_id == code).values(**values))

    def mark(self, code: int, first_at: Any) -> None:
        with self.house.database.writing() as session:
            address = session.get_one(Person, self.people[code]).email.casefold()
            session.add(
                BouncedAddress(
                    address_key=address,
                    state="haard",
                    count=1,
                    first_at=first_at,
                    last_at=first_at,
                    reply="550",
                )
            )

    def note(self) -> int:
        with self.house.writing(NOW + DAY, None) as work:
            return deleting.note_notified(work)

    def told(self) -> set[int]:
        with self.house.database.reading() as session:
            return set(
                session.scalars(
                    select(DeletionItem.municipality_id).where(DeletionItem.notified_at.is_not(None))
                )
            )

    def why(self, code: int) -> str:
        with self.house.reading(NOW + DAY) as work:
            return reaching.contacts(work, self.deletion_id)[code].why


def _nobody(country: Country, code: int) -> None:
    """The municipality had no recipient, so KOMBIT got it."""
    country.notices(code, person_id=country.kombit.person_id)


def _never_made(country: Country, code: int) -> None:
    with country.house.database.writing() as session:
        session.execute(update(Notice).where(Notice.municipality_id == code).values(mail_id=None))


def _bounces_already(country: Country, code: int) -> None:
    _never_made(country, code)
    country.notices(code, withdrawn_at=NOW, withdrawal_reason="adressen kommer retur")


def _gone(country: Country, code: int) -> None:
    """No notice at all."""
    with country.house.database.writing() as session:
        session.execute(text("delete from notices where municipality_id = :code"), {"code": code})


# Twelve ways not to be reached, and what KOMBIT reads of each.
WAYS: tuple[tuple[Way, str], ...] = (
    (lambda c, k: c.mails(k, state="bounced"), "kom retur"),
    (lambda c, k: c.mails(k, state="failed", sent_at=None), "afviste"),
    (lambda c, k: c.mails(k, state="in_doubt", sent_at=None), "uvist"),
    (lambda c, k: c.mails(k, state="stale", sent_at=None), "for gammel"),
    (lambda c, k: c.mails(k, state="pending", sent_at=None), "venter"),
    (lambda c, k: c.mails(k, state="claimed", sent_at=None), "ved at blive sendt"),
    (_never_made, "venter"),
    (_bounces_already, "adressen kommer retur"),
    (_gone, "ikke sendt endnu"),
    (_nobody, "ingen modtager"),
    (lambda c, k: c.mark(k, NOW + DAY), "kommer retur"),
    (lambda c, k: c.mark(k, NOW + 6 * DAY), "kommer retur"),
)


@pytest.fixture
def country(house: Installation) -> Country:
    with house.database.writing() as session:
        codes = list(session.scalars(select(Municipality.id).order_by(Municipality.id)))
        version = make.task(session, "Opgave", number="MI 01")
        kombit = make.person(session, "Karen", level=Level.KOMBIT_ADMINISTRATOR, municipality=None)
        actor = make.actor(session, kombit)
        people = {}
        for code in codes:
            make.municipal_task(session, version, municipality=code)
            people[code] = make.person(
                session,
                f"Adm {code}",
                email=f"adm{code}@kommune.example",
                level=Level.ADMINISTRATOR,
                municipality=code,
            ).id
        task_id = version.task_id
    found = Country(house, actor, codes, people)
    with house.writing(NOW, actor) as work:
        draft = deleting.Draft(
            heading="KP",
            last_day=TODAY + timedelta(days=30),
            legal_basis="§ 1",
            decided_by="Arkivet",
            decided_on=TODAY,
            selection=deleting.Selection(task_ids=(task_id,)),
        )
        found.deletion_id = deleting.announce(work, draft, None)
    with house.database.writing() as session:
        for notice in session.scalars(select(Notice)).all():
            mail = Mail(
                message_id=f"<{notice.id}@klik.example>",
                channel="core.mail",
                address=notice.address,
                subject="",
                content=b"",
                state="sent",
                next_attempt_at=NOW,
                created_at=NOW,
                expires_at=NOW,
                sent_at=NOW,
            )
            session.add(mail)
            session.flush()
            notice.mail_id = mail.id
    return found


def test_all_98_but_those_twelve_that_were_not_reached(country: Country) -> None:
    assert len(country.codes) == 98
    lost = country.codes[5 : 5 + len(WAYS)]
    for code, (spoil, _words) in zip(lost, WAYS, strict=True):
        spoil(country, code)
    assert country.note() == 86
    assert country.note() == 0
    assert country.told() == set(country.codes) - set(lost)
    for code, (_spoil, words) in zip(lost, WAYS, strict=True):
        assert words in country.why(code), (code, country.why(code))
    assert country.why(country.codes[0]) == ""
    for code in lost:
        with pytest.raises(DatabaseError), country.house.database.writing() as session:
            session.execute(
                text(
                    "update deletion_items set state = 'arkiveret', archive_sha256 = 'x' where municipality_id = :code"
                ),
                {"code": code},
            )
    print(f"D4: 98 municipalities, {len(lost)} unreachable in as many ways, 0 of them archived")  # noqa: T201 - the figure is what the run is for


def test_a_mail_that_comes_back_later_takes_the_notice_back(country: Country) -> None:
    country.note()
    code = country.codes[0]
    country.mails(code, state="bounced")
    assert country.note() == 1
    assert country.told() == set(country.codes) - {code}


def test_an_address_that_dies_long_after_does_not_undo_what_arrived(country: Country) -> None:
    code = country.codes[0]
    country.mark(code, NOW + 8 * DAY)
    assert country.note() == 98


def test_opening_the_notice_or_fetching_something_counts_as_told(country: Country) -> None:
    opened, fetched = country.codes[:2]
    for code in (opened, fetched):
        country.mails(code, state="bounced")
    country.note()
    assert country.told() == set(country.codes[2:])
    country.notices(opened, read_at=NOW + DAY)
    with country.house.database.reading() as session:
        actor = make.actor(session, session.get_one(Person, country.people[fetched]))
        task_id = session.scalars(
            select(DeletionItem.municipal_task_id).where(DeletionItem.municipality_id == fetched)
        ).one()
    with country.house.writing(NOW + DAY, actor) as work:
        assert deleting.note_fetched_all(work, {task_id: "0" * 64}) == 1
    country.note()
    assert country.told() == set(country.codes)


def test_kombit_tells_somebody_else_and_a_newcomer_is_told_by_itself(country: Country) -> None:
    mailbox, newcomer = country.codes[:2]
    for code in (mailbox, newcomer):
        country.mails(code, state="failed", sent_at=None)
    country.note()
    with country.house.writing(NOW + DAY, country.kombit) as work:
        nudging.tell_somebody(work, country.deletion_id, mailbox, None, "digital@kommune.example")
    with pytest.raises(RefusedError), country.house.writing(NOW + DAY, country.kombit) as work:
        nudging.tell_somebody(work, country.deletion_id, mailbox, None, "ikke en adresse")
    with pytest.raises(RefusedError), country.house.writing(NOW + DAY, country.kombit) as work:
        nudging.tell_somebody(work, country.deletion_id, mailbox, country.people[newcomer], "")
    with country.house.database.writing() as session:
        make.person(
            session, "Ny", email="ny@kommune.example", level=Level.ADMINISTRATOR, municipality=newcomer
        )
    with country.house.writing(NOW + DAY, None) as work:
        assert deleting.remind(work) == 1
    with country.house.database.writing() as session:
        for notice in session.scalars(select(Notice).where(Notice.mail_id.is_(None))).all():
            mail = session.scalars(select(Mail).where(Mail.state == "failed")).first()
            assert mail is not None
            mail.state, mail.sent_at, mail.address = "sent", NOW + DAY, notice.address
            notice.mail_id = mail.id
            session.flush()
    country.note()
    assert country.told() == set(country.codes)


def test_a_reminder_of_kombits_own_goes_out_once_a_day_and_is_audited(country: Country) -> None:
    codes = country.codes[:3]
    with country.house.writing(NOW + DAY, country.kombit) as work:
        deletion = access.deletion(work, country.deletion_id)
        letters = nudging.letters(work, deletion, codes)
        assert [letter.told.reached for letter in letters] == [(f"Adm {letter.code}",) for letter in letters]
        sent = deleting.nudge(work, country.deletion_id, codes, "Husk det", "Hent opgaverne.")
        assert (sent.people, sent.municipalities) == (3, 3)
    with pytest.raises(RefusedError), country.house.writing(NOW + DAY, country.kombit) as work:
        deleting.nudge(work, country.deletion_id, codes, "Husk det", "Igen")
    with country.house.writing(NOW + 2 * DAY, country.kombit) as work:
        assert deleting.nudge(work, country.deletion_id, codes, "Husk det", "Igen").people == 3
