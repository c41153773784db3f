"""Whom KOMBIT turns to, and who is in a mailing list: against an oracle, in random worlds."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import vobject
from sqlalchemy import event

from klik.content.phases import Phase
from klik.domain.rights import Level
from klik.domain.texts import sort_key
from klik.installation import Installation
from klik.models import Membership, Municipality
from klik.services.contacts import first, mailing, people, vcards, wanted
from klik.services.contacts.book import phase_of
from klik.services.contacts.mailing import MAILBOX, RETURNED, VACANT, Recipient
from klik.services.contacts.wanted import Wanted
from klik.services.errors import ForbiddenError, NotFoundError
from klik.services.work import Work
from tests import make
from tests.make import NOW, TODAY
from tests.services import contacts_world

ROUNDS = int(os.environ.get("KLIK_TEST_ROUNDS", "2"))
WISHES = 12
REASONS = {VACANT: contacts_world.VACANT, RETURNED: contacts_world.RETURNED, MAILBOX: contacts_world.MAILBOX}


@contextmanager
def working(
    house: Installation, level: Level = Level.KOMBIT_EDITOR, place: int | None = None
) -> Iterator[Work]:
    """Somebody's work in a transaction that may write."""
    with house.database.writing() as session:
        who = make.person(
            session,
            "Gitte",
            level=level,
            municipality=place,
            systems=("kp",) if level is Level.SUPPLIER else (),
        )
        yield Work(session, make.actor(session, who), NOW, house.registry)


@contextmanager
def counted(house: Installation) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(house.database.engine, "before_cursor_execute", note)


def told(found: mailing.MailingList) -> tuple[set[str], set[tuple[int, str, str]]]:
    """The list in the oracle's words."""
    within = {each.contact.address for each in found.recipients}
    slugs = {"Projektleder": "projektleder", "Systemansvarlig": "systemansvarlig"}
    slugs |= {"Superbruger": "superbruger", "KOMBIT-programleder": contacts_world.ACROSS}
    without = {
        (
            each.code,
            slugs[each.role.partition(" for ")[0].removesuffix(" (stedfortræder)")],
            REASONS[each.reason],
        )
        for each in found.left_out
        if each.code in contacts_world.PLACES
    }
    return within, without


def only(wish: Wanted) -> Wanted:
    """The same of the roles the oracle knows."""
    return wish if wish.roles else Wanted(**{**_fields(wish), "roles": contacts_world.ROLES})


def _fields(wish: Wanted) -> dict[str, object]:
    return {name: getattr(wish, name) for name in wish.__dataclass_fields__}


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_mailing_list_holds_exactly_whom_it_should(house: Installation, seed: int) -> None:
    with house.database.writing() as session:
        world = contacts_world.draw(session, seed)
    chance = random.Random(seed)
    with working(house) as work:
        for _ in range(WISHES):
            wish = only(contacts_world.wish(chance))
            found = mailing.build(work, wish)
            assert told(found) == world.reached(wish), wish.query()
            names = [sort_key(each.contact.name) for each in found.recipients]
            assert names == sorted(names)
            assert len({each.contact.address.casefold() for each in found.recipients}) == len(names)
    with working(house, Level.READER, make.HERNING) as work:
        for _ in range(WISHES):
            wish = only(contacts_world.wish(chance))
            assert told(mailing.build(work, wish)) == world.reached(wish, [make.HERNING]), wish.query()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_the_contact_is_the_role_of_the_phase(house: Installation, seed: int) -> None:
    with house.database.writing() as session:
        world = contacts_world.draw(session, seed)
    with working(house) as work:
        rows = first.of_systems(work, Wanted())
        assert {(row.place.code, row.code): row.standing.phase for row in rows} == world.phases
        for row in rows:
            slot = row.present.slot
            assert slot is not None
            assert slot.role.slug == contacts_world.FIRST[row.standing.phase]
            held = world.holders(row.place.code, slot.role.slug, row.code, substitute=False)
            assert [each.address for each in slot.holders] == [each.address for each in held]
        vacant = first.of_systems(work, Wanted(vacant=True))
        assert {(row.place.code, row.code) for row in vacant} == {
            (row.place.code, row.code) for row in rows if row.present.slot and row.present.slot.vacant
        }


def test_the_phase_follows_the_open_tasks(house: Installation) -> None:
    phases = house.registry.content.phases

    def phase(counted: dict[str, int] | None, go_live: object = None) -> str:
        return phase_of(phases, counted, go_live, TODAY)  # type: ignore[arg-type]

    assert phase(None) == "opstart"
    assert phase(None, TODAY) == "forankring"
    assert phase({"opstart": 0, "forberedelse": 2, "forankring": 3}) == "forberedelse"
    assert phase({"opstart": 0, "ibrugtagning": 0}) == "forankring"
    assert phase({"udgaaet": 4}) == "forankring"
    assert isinstance(phases[0], Phase)


def test_an_earlier_round_keeps_nobody_back(house: Installation) -> None:
    with house.database.writing() as session:
        project = make.project(session)
        make.municipal_task(session, make.task(session, phase="opstart"))
        project.round = 2
    with working(house) as work:
        rows = [row for row in first.of_systems(work, Wanted()) if row.code == "kp"]
        assert rows == []


def test_the_statements_are_as_many_for_many_municipalities_as_for_one(
    house: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers: dict[int, list[int]] = {}
    for rows in (1, 40):
        with house.database.writing() as session:
            codes = session.query(Municipality.id).order_by(Municipality.id).limit(rows).all()
            for (code,) in codes:
                if rows == 40 and code == codes[0][0]:
                    continue
                who = make.person(session, f"Person {code}", municipality=code)
                make.has_system(session, code, "kp")
                make.holding(session, holder=who, municipality=code)
        with working(house) as work:
            numbers[rows] = []
            for ask in (
                lambda work=work: first.of_systems(work, Wanted(systems=("kp",))),
                lambda work=work: mailing.build(work, Wanted()),
                lambda work=work: wanted.read(work, "rolle=systemansvarlig&system=kp"),
            ):
                with counted(house) as sent:
                    ask()
                numbers[rows].append(len(sent))
    assert numbers[1] == numbers[40]
    assert max(numbers[40]) <= 8
    with capsys.disabled():
        sys.stdout.write(
            f"\ncontacts, mailing list, choices: {numbers[40]} statements for 1 and 40 municipalities\n"
        )


def test_suppliers_get_nothing_and_others_only_their_own(house: Installation) -> None:
    with house.database.writing() as session:
        away = make.person(session, "KANARIE", municipality=make.HERNING, email="kanarie@herning.example")
        make.has_system(session, make.HERNING)
        make.holding(session, holder=away, municipality=make.HERNING)
        member = make.actor(session, away).membership_id
    with working(house, Level.SUPPLIER) as work:
        for ask in (first.of_systems, mailing.build):
            with pytest.raises(ForbiddenError):
                ask(work, Wanted())
        with pytest.raises(ForbiddenError):
            people.card(work, member)
    with working(house, Level.ADMINISTRATOR, make.KOEGE) as work:
        with pytest.raises(NotFoundError):
            first.of_municipality(work, make.HERNING)
        with pytest.raises(NotFoundError):
            people.card(work, member)
        for wish in (Wanted(), Wanted(municipalities=("657",)), Wanted(everyone=True, substitutes=True)):
            assert "KANARIE" not in repr(mailing.build(work, wish))
            assert "KANARIE" not in repr(first.of_systems(work, wish))
    with working(house) as work:
        assert people.card(work, member).name == "KANARIE"
        assert people.card(work, member).roles == ("Systemansvarlig for KP",)


def test_somebody_who_left_has_no_card(house: Installation) -> None:
    with house.database.writing() as session:
        who = make.person(session, "Uden Rolle")
        member = make.actor(session, who).membership_id
    with working(house) as work:
        assert people.card(work, member).roles == ()
    with house.database.writing() as session:
        session.get_one(Membership, member).active = False
    with working(house) as work, pytest.raises(NotFoundError):
        people.card(work, member)


def recipients(house: Installation, *names: str) -> list[Recipient]:
    """People with these names as a mailing list has them."""
    with house.database.writing() as session:
        make.has_system(session)
        for number, name in enumerate(names):
            who = make.person(session, name, email=f"person.{number}@koege.example")
            who.phone = "12 34 56 78"
            make.holding(session, "superbruger", holder=who, primary=False)
    with working(house) as work:
        return list(mailing.build(work, Wanted(everyone=True)).recipients)


def test_outlook_gets_one_recipient_for_each_name(house: Installation) -> None:
    names = ("Åse Ø. Jensen", "Holm, Mette", 'Bo "Bob" Ek; vikar', "Ole <IT>", "Anne-Marie O'Hara")
    found = recipients(house, *names)
    (text,) = mailing.parts(found, "navne")
    assert text.split("; person")[0] == text, "a semicolon inside a name is quoted"
    assert '"Holm, Mette" <person.1@koege.example>' in text
    assert "\"Bo 'Bob' Ek; vikar\" <person.2@koege.example>" in text
    assert "Anne-Marie O'Hara <person.4@koege.example>; " in text
    assert mailing.parts(found, "adresser") == ["; ".join(each.contact.address for each in found)]
    assert [part.count("@") for part in mailing.parts(found, "adresser", most=2)] == [2, 2, 1]
    assert "; ".join(mailing.parts(found, "navne", most=2)) == text


def test_a_card_is_read_back_by_another_library(house: Installation) -> None:
    names = ("Åse Øvig-Ærø", "Holm; Mette, m.fl. \\ vikar", "Bo", "Æ" * 120 + " Ø")
    found = recipients(house, *names)
    with house.database.writing() as session:
        make.holding(session, mailbox="ky@koege.example")
    with working(house) as work:
        listed = mailing.build(work, Wanted(everyone=True)).recipients
        written = vcards.written(vcards.of_recipients(listed), work.now)
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    cards = list(vobject.readComponents(written.decode()))
    read = {card.email.value: card for card in cards}
    assert len(cards) == len(listed) == len(found) + 1
    for each in found:
        card = read[each.contact.address]
        assert card.version.value == "3.0"
        assert card.fn.value == each.contact.name
        assert f"{card.n.value.given} {card.n.value.family}".strip() == each.contact.name
        assert card.org.value == ["Køge Kommune"]
        assert card.role.value == "Superbruger for KP"
        assert card.tel.value == "12 34 56 78"
    assert read["ky@koege.example"].fn.value == "ky@koege.example"
    assert len({card.uid.value for card in cards}) == len(cards)


def test_a_plugins_own_role_may_be_the_contact(house: Installation) -> None:
    content = house.registry.content
    leader = content.role("projektleder")
    own = type(leader)(**{**_of(leader), "slug": "dubu-leder", "name": "DUBU-leder", "systems": ("dubu",)})
    both = type(content)(phases=content.phases, themes=content.themes, roles=(*content.roles, own))
    assert first.role_of(both, "dubu", "opstart") is own
    assert first.role_of(both, "kp", "opstart") is leader
    assert first.role_of(both, "kp", "forankring") is content.role("systemansvarlig")


def _of(role: object) -> dict[str, object]:
    return {name: getattr(role, name) for name in role.__dataclass_fields__}  # type: ignore[attr-defined]


def test_what_is_not_understood_is_said(house: Installation) -> None:
    with working(house) as work:
        found, _choices = wanted.read(
            work, "rolle=systemansvarlg&system=kp&kommune=999&hvem=ingen&x=1&system="
        )
        assert found.systems == ("kp",)
        assert len(found.remarks) == 4
        assert "Mente du “systemansvarlig”?" in found.remarks[0]
        again, _choices = wanted.read(work, found.query())
        assert again.pairs() == found.pairs()
