"""The mails of the gallery, word for word: asks, lists, proposals, dismissals, new addresses and links."""

from __future__ import annotations

import email
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email import policy
from pathlib import Path

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, RoleAnswer
from klik.services.notices import ledger, still_you
from klik.services.notices.composing import compose
from klik.services.notices.mails import Sender
from klik.services.people import addresses, invitations
from klik.services.roles import answering, settling
from klik.services.roles.answering import SOMEBODY_NEW, Answer
from klik.services.roles.asking import Asked
from klik.services.work import Actor
from tests import make
from tests.make import KOEGE

SNAPSHOTS = Path(__file__).parent / "snapshots" / "galleri"
SENDER = Sender("klik@klik.example", "https://klik.example", "a secret of some length that signs")
DAY = timedelta(days=1)
# The round begins on the first working day of September.
BEGINS = datetime(2026, 9, 1, 7, 0, tzinfo=make.NOW.tzinfo)
SECRETS = (
    (r"rolle\.[\w.-]+", "rolle.TOKEN"),
    (r"/(mailadresse|adgangskode|ny-adgangskode|velkommen)/[\w.-]+", r"/\1/TOKEN"),
)


class Scene:
    """Køge: Anne administers, Jens has two roles, Signe was invited and has chosen no password."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        with house.database.writing() as session:
            anne = make.person(session, "Anne Lind", level=Level.ADMINISTRATOR, email="anne@koege.example")
            jens = make.person(session, "Jens Holm", level=Level.USER, email="jens@koege.example")
            signe = make.person(session, "Signe Lund", level=Level.USER, email="signe@koege.example")
            signe.password_hash = None
            self.anne, self.jens = make.actor(session, anne), make.actor(session, jens)
            self.signe = make.actor(session, signe).membership_id
            self.holdings = []
            for role in ("systemansvarlig", "superbruger"):
                row = make.holding(session, role, holder=jens)
                row.valid_from, row.confirmed_at = BEGINS.date() - 300 * DAY, BEGINS - 180 * DAY
                self.holdings.append(row.id)

    def ask(self, days: int) -> None:
        with self.house.writing(BEGINS + days * DAY) as work:
            ledger.enqueue(work, still_you.lacking(work))

    def propose(self) -> int:
        answer = Answer(SOMEBODY_NEW, "Bo Krog", "bo@koege.example", "Fra mandag")
        with self.house.writing(BEGINS, self.jens) as work:
            answering.answer(work, Asked(KOEGE, self.jens.person_id), {self.holdings[0]: answer})
            return work.session.scalars(select(RoleAnswer.id)).one()

    def act(self, who: Actor, do: Callable[..., object], *given: object, **more: object) -> None:
        with self.house.writing(BEGINS, who) as work:
            do(work, *given, **more)

    def mails(self, days: int = 0) -> list[str]:
        """What is mailed now, each with its address and subject; what is secret in it is left out."""
        with self.house.writing(BEGINS + days * DAY) as work:
            before = set(work.session.scalars(select(Mail.id)))
            compose(work, SENDER)
            rows = work.session.scalars(select(Mail).order_by(Mail.id)).all()
            return [_read(row) for row in rows if row.id not in before]


def _read(mail: Mail) -> str:
    message = email.message_from_bytes(mail.content, policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    text = f"Til: {message['To']}\nEmne: {message['Subject']}\n\n{body.get_content()}".replace("\r\n", "\n")
    for secret, word in SECRETS:
        text = re.sub(secret, word, text)
    return text


@pytest.fixture
def scene(house: Installation) -> Scene:
    return Scene(house)


def _asked_again(scene: Scene) -> list[str]:
    scene.ask(0)
    scene.mails()
    scene.ask(14)
    return scene.mails(14)


def _list(scene: Scene) -> list[str]:
    _asked_again(scene)
    scene.ask(28)
    return scene.mails(28)


def _proposal(scene: Scene) -> list[str]:
    scene.propose()
    return scene.mails()


def _dismissed(scene: Scene) -> list[str]:
    answer = scene.propose()
    scene.mails()
    scene.act(scene.anne, settling.dismiss, answer, "Bo er på orlov til nytår.")
    return scene.mails()


def _new_address(scene: Scene) -> list[str]:
    member = scene.jens.membership_id
    scene.act(scene.anne, addresses.change, member, "jens.holm@koege.example", address_is_right=True)
    return scene.mails()


def _invited_again(scene: Scene) -> list[str]:
    scene.act(scene.anne, invitations.send_again, scene.signe)
    return scene.mails()


@pytest.mark.parametrize(
    ("name", "mailed", "count"),
    [
        ("spurgt-igen", _asked_again, 1),
        ("ikke-bekraeftet", _list, 1),
        ("forslag", _proposal, 1),
        ("afvist", _dismissed, 1),
        ("ny-mailadresse", _new_address, 2),
        ("inviteret-igen", _invited_again, 1),
    ],
)
def test_the_mails_as_they_read(
    scene: Scene, name: str, mailed: Callable[[Scene], list[str]], count: int
) -> None:
    found = mailed(scene)
    assert "\n=====\n".join(found) == (SNAPSHOTS / f"{name}.txt").read_text("utf-8")
    assert len(found) == count
