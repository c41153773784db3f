"""A changed mail address: who may, what dies with the old one, and what a stranger can learn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import LoginSession, Mail, Membership, NewsletterAddress, Notice, Person, SecretToken
from klik.services import access
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices import actions, ledger
from klik.services.notices.bounces import marks
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.people import addresses, new_passwords, sessions
from klik.services.work import Actor
from tests import make

SECRET = "en hemmelighed, der kun bruges her"


@dataclass
class Place:
    house: Installation
    actors: dict[str, Actor] = field(default_factory=dict)

    def change(self, whom: str, email: str, who: str = "karen", *, tick: bool = False) -> None:
        with self.house.writing(make.NOW, self.actors[who]) as work:
            addresses.change(work, self.actors[whom].membership_id, email, address_is_right=tick)

    def ask(self, who: str, email: str, *, tick: bool = False, at: datetime = make.NOW) -> str | None:
        """The secret that was mailed, or None."""
        with self.house.writing(at, self.actors[who]) as work:
            before = work.session.scalar(select(func.max(Notice.id))) or 0
            addresses.ask(work, email, make.PASSWORD, address_is_right=tick)
            path = work.session.scalar(select(Notice.path).where(Notice.id > before))
        return path.rpartition("/")[2] if path else None

    def email(self, who: str) -> str:
        with self.house.database.reading() as session:
            return session.get_one(Person, self.actors[who].person_id).email


@pytest.fixture
def place(house: Installation) -> Iterator[Place]:
    made = Place(house)
    with house.database.writing() as session:
        for name, level, municipality in (
            ("karen", Level.ADMINISTRATOR, make.KOEGE),
            ("mette", Level.PLUS_USER, make.KOEGE),
            ("hanne", Level.ADMINISTRATOR, make.HERNING),
            ("gitte", Level.KOMBIT_ADMINISTRATOR, None),
            ("begge", Level.USER, make.KOEGE),
        ):
            person = make.person(
                session, name.title(), level=level, municipality=municipality, email=f"{name}@koege.example"
            )
            made.actors[name] = make.actor(session, person)
        session.add(
            Membership(
                person_id=made.actors["begge"].person_id,
                municipality_id=make.HERNING,
                level=Level.READER.value,
                since=make.TODAY,
            )
        )
    yield made


def refusal(excinfo: pytest.ExceptionInfo[RefusedError]) -> dict[str, str]:
    return dict(excinfo.value.problems)


def test_an_administrator_changes_it_and_everything_of_the_old_one_dies(place: Place) -> None:
    me = place.actors["mette"]
    with place.house.writing(make.NOW) as work:
        person = work.session.get_one(Person, me.person_id)
        sessions.sign_in(work, person.email, make.PASSWORD, "127.0.0.1", "x")
        new_passwords.forgot(work, person.email)
        work.session.add(NewsletterAddress(address_key=person.email_key, confirmed_at=make.NOW))
        marks.note(work, person.email, "haard", "550 5.1.1 ukendt")
        to = Recipient(me.person_id, person.email, make.KOEGE, "prøve")
        draft = {"occasion": "tildelt", "heading": "x", "sentence": "y", "path": "/"}
        ledger.enqueue(
            work,
            [NoticeDraft(dedupe_key=key, recipient=to, **draft) for key in ("venter", "i mail", "sendt")],
        )
        for key, state in (("i mail", "pending"), ("sendt", "sent")):
            mail = Mail(
                message_id=key,
                channel="core.mail",
                person_id=me.person_id,
                address=person.email,
                subject="x",
                content=b"x",
                state=state,
                next_attempt_at=make.NOW,
                created_at=make.NOW,
                expires_at=make.NOW + timedelta(days=2),
            )
            work.session.add(mail)
            work.session.flush()
            work.session.scalars(
                select(Notice).where(Notice.dedupe_key.startswith(key))
            ).one().mail_id = mail.id
    place.change("mette", "Mette.Holm@koege.example")
    with place.house.reading(make.NOW, place.actors["karen"]) as work:
        session = work.session
        person = session.get_one(Person, me.person_id)
        assert person.email == "mette.holm@koege.example"
        assert session.scalars(select(LoginSession).where(LoginSession.person_id == me.person_id)).all() == []
        assert session.scalars(select(SecretToken).where(SecretToken.used_at.is_(None))).all() == []
        link = session.scalars(select(Notice).where(Notice.occasion == access.SECRET_OCCASION)).one()
        assert link.withdrawn_at is not None and link.path == "/log-ind"
        assert marks.of(work, [person.email]) == {}
        assert session.scalars(select(NewsletterAddress.address_key)).one() == person.email
        there = {each.dedupe_key.partition("/")[0]: each for each in session.scalars(select(Notice))}
        assert (there["venter"].address, there["venter"].mail_id) == (person.email, None)
        assert (there["i mail"].address, there["i mail"].mail_id) == (person.email, None)
        assert there["sendt"].address == "mette@koege.example"
        assert [each.state for each in session.scalars(select(Mail).order_by(Mail.id))] == ["stale", "sent"]
        told = session.scalars(
            select(Notice).where(Notice.occasion == addresses.OCCASION).order_by(Notice.id)
        ).all()
        assert [(each.address, each.person_id, each.municipality_id) for each in told] == [
            ("mette@koege.example", None, None),
            (person.email, person.id, None),
        ]
        assert "mette.holm" not in told[0].sentence + told[0].heading, "the old inbox learns no new address"
        token = actions.token(SECRET, actions.POSTPONE, there["sendt"], make.NOW)
        with pytest.raises(actions.LinkError, match="ikke bruger i klik længere"):
            actions.claim(work, SECRET, token)
    with place.house.writing(make.NOW) as work:
        assert sessions.sign_in(work, "mette@koege.example", make.PASSWORD, "127.0.0.1", "x") is None
        assert sessions.sign_in(work, "mette.holm@koege.example", make.PASSWORD, "127.0.0.1", "x")


def test_who_may_change_whose(place: Place) -> None:
    with pytest.raises(RefusedError) as refused:
        place.change("begge", "ny@koege.example")
    assert "også adgang et andet sted" in refusal(refused)["email"]
    place.change("begge", "ny@koege.example", "gitte")
    with pytest.raises(NotFoundError):
        place.change("mette", "ny2@koege.example", "hanne")
    with pytest.raises(RefusedError) as refused:
        place.change("karen", "ny2@koege.example")
    assert "Min side" in refusal(refused)["email"]
    with pytest.raises(RefusedError) as refused:
        place.change("mette", "mette@andet.example")
    assert list(refusal(refused)) == ["address_is_right"]
    place.change("mette", "mette@andet.example", tick=True)
    for taken in ("HANNE@koege.example", "mette@andet.example", "ikke en adresse"):
        with pytest.raises(RefusedError) as refused:
            place.change("mette", taken, tick=True)
        assert "Herning" not in refusal(refused)["email"]


def test_an_unused_invitation_follows_the_address(place: Place) -> None:
    with place.house.database.writing() as session:
        session.get_one(Person, place.actors["mette"].person_id).password_hash = None
    place.change("mette", "rigtig@koege.example")
    with place.house.database.reading() as session:
        link = session.scalars(select(Notice).where(Notice.occasion == access.SECRET_OCCASION)).one()
        assert link.address == "rigtig@koege.example" and link.path.startswith("/adgangskode/")


def test_ones_own_is_confirmed_from_the_new_inbox(place: Place) -> None:
    first = place.ask("mette", "m@koege.example")
    assert first is not None
    assert place.email("mette") == "mette@koege.example", "nothing happens before the link is used"
    second = place.ask("mette", "holm@koege.example")
    assert second is not None
    with place.house.writing(make.NOW) as work:
        with pytest.raises(NotFoundError):
            addresses.confirm(work, first)
        assert addresses.wanted(work, second)[1] == "holm@koege.example"
    with place.house.writing(make.NOW + addresses.VALID_FOR) as work, pytest.raises(NotFoundError):
        addresses.confirm(work, second)
    with place.house.writing(make.NOW) as work:
        addresses.confirm(work, second)
    assert place.email("mette") == "holm@koege.example"
    with place.house.writing(make.NOW) as work, pytest.raises(NotFoundError):
        addresses.confirm(work, second)
    with place.house.database.reading() as session:
        old = session.scalars(select(Notice).where(Notice.occasion == addresses.OCCASION)).one()
        assert old.address == "mette@koege.example"


def test_asking_tells_nothing_of_others(place: Place) -> None:
    """The canary: an address of another municipality is asked for, and only an empty inbox tells."""
    assert place.ask("mette", "hanne@koege.example") is None
    with place.house.database.reading() as session:
        assert session.scalars(select(Notice)).all() == []
    taken = place.ask("mette", "fri@koege.example")
    assert taken is not None
    place.change("begge", "fri@koege.example", "gitte")
    with place.house.writing(make.NOW) as work, pytest.raises(RefusedError):
        addresses.confirm(work, taken)
    place.ask("mette", "tredje@koege.example")
    with pytest.raises(RefusedError) as refused:
        place.ask("mette", "fjerde@koege.example")
    assert "Prøv igen om en time" in refusal(refused)["email"]
    place.ask("mette", "fjerde@koege.example", at=make.NOW + timedelta(hours=2))
    with (
        pytest.raises(RefusedError) as refused,
        place.house.writing(make.NOW, place.actors["mette"]) as work,
    ):
        addresses.ask(work, "x@koege.example", "forkert", address_is_right=True)
    assert list(refusal(refused)) == ["password"]
