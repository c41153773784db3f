"""Naming people in comments: who can be named, who is told, once, and who never hears of it."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from sqlalchemy import select

from klik.domain import mentions
from klik.domain.mentions import Mentionable
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Comment, Mail, Notice, Person
from klik.services.errors import RefusedError
from klik.services.notices import account, composing
from klik.services.notices.mails import Sender
from klik.services.tasks import commenting, details, mentioning
from klik.services.work import Actor
from tests import make
from tests.make import NOW

SNAPSHOTS = Path(__file__).parent / "snapshots"
PEOPLE = mentions.mentionables(
    [(1, "Mette Holm", "m@k.dk"), (2, "Mette Holm Å", "å@k.dk"), (3, "Bo", "bo1@k.dk"), (4, "Bo", "bo2@k.dk")]
)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Hej @Mette Holm!", "Hej @[1]!"),
        ("@mette holm å, ring", "@[2], ring"),
        ("(@Mette Holm)", "(@[1])"),
        ("@Mette Holmen", "@Mette Holmen"),
        ("skriv til jens@mette Holm", "skriv til jens@mette Holm"),
        ("@Bo (bo2@k.dk)", "@[4]"),
        ("@Boris", "@Boris"),
        ("@[1] er typet", "@ [1] er typet"),
        ("ingen", "ingen"),
    ],
)
def test_names_are_stored_by_id(typed: str, stored: str) -> None:
    assert mentions.to_stored(typed, PEOPLE) == stored


def test_there_and_back_and_a_name_that_several_have() -> None:
    written = {each.id: each.written for each in PEOPLE}
    text = "@[1] og @[4], se @[2]"
    assert mentions.to_stored(mentions.to_written(text, written), PEOPLE) == text
    assert [each.person_id for each in mentions.pieces(text, written)] == [1, None, 4, None, 2]
    with pytest.raises(mentions.AmbiguousMentionError, match="Flere hedder “Bo”"):
        mentions.to_stored("@Bo", PEOPLE)
    assert mentions.to_stored("@Bo", [Mentionable(3, "Bo", "Bo")]) == "@[3]"


@pytest.fixture
def scene(house: Installation) -> tuple[int, dict[str, Actor]]:
    """A task in Køge; Mette writes, Jens and KOMBIT's Gitte can be named, Hanne of Herning cannot."""
    with house.writing(NOW) as work:
        session = work.session
        task = make.municipal_task(session, make.task(session, number="MI 15")).id
        people = {
            "mette": make.person(session, "Mette Holm", email="mette@koege.example"),
            "jens": make.person(session, "Jens Aa", level=Level.READER, email="jens@koege.example"),
            "gitte": make.person(session, "Gitte Lyngholm", level=Level.KOMBIT_EDITOR, municipality=None),
            "hanne": make.person(session, "Hanne Herning", municipality=make.HERNING),
            "admin": make.person(session, "Anne Admin", level=Level.KOMBIT_ADMINISTRATOR, municipality=None),
        }
        return task, {name: make.actor(session, person) for name, person in people.items()}


def _told(house: Installation) -> list[tuple[str, bool]]:
    with house.reading(NOW) as work:
        rows = work.session.execute(
            select(Person.name, Notice.withdrawn_at)
            .join(Notice, Notice.person_id == Person.id)
            .where(Notice.occasion == "naevnt")
            .order_by(Notice.id)
        )
        return [(name, withdrawn is None) for name, withdrawn in rows]


def test_the_named_are_told_once(house: Installation, scene: tuple[int, dict[str, Actor]]) -> None:
    task, people = scene
    with house.writing(NOW, people["mette"]) as work:
        text = "@Jens Aa og @jens aa, @Gitte Lyngholm, @Hanne Herning og @Mette Holm: se her"
        comment = commenting.add(work, task, text)
    assert _told(house) == [("Gitte Lyngholm", True), ("Jens Aa", True)] or _told(house) == [
        ("Jens Aa", True),
        ("Gitte Lyngholm", True),
    ]
    with house.writing(NOW, people["mette"]) as work:
        row = work.session.get_one(Comment, comment.id)
        commenting.edit(work, task, row.id, row.version, "@Jens Aa og @Anne Admin")
    assert sorted(_told(house)) == [("Anne Admin", True), ("Gitte Lyngholm", False), ("Jens Aa", True)]
    with house.writing(NOW, people["mette"]) as work:
        commenting.delete(work, task, comment.id)
    assert not any(waiting for _name, waiting in _told(house))


def test_a_new_name_is_shown_in_old_comments(
    house: Installation, scene: tuple[int, dict[str, Actor]]
) -> None:
    task, people = scene
    with house.writing(NOW, people["mette"]) as work:
        commenting.add(work, task, "Tak, @Jens Aa!")
    with house.writing(NOW) as work:
        work.session.get_one(Person, people["jens"].person_id).name = "Jens Nygaard"
    with house.reading(NOW, people["mette"]) as work:
        (comment,) = details.load(work, task).comments
        assert comment.text == "Tak, @Jens Nygaard!"
        assert [piece.text for piece in comment.pieces if piece.person_id] == ["@Jens Nygaard"]
        row = work.session.get_one(Comment, comment.id)
        shown = mentioning.written(
            work, work.session.get_one(type(details.load(work, task).task), task), row.text
        )
        assert shown == "Tak, @Jens Nygaard!"


def test_private_comments_name_nobody_outside(
    house: Installation, scene: tuple[int, dict[str, Actor]]
) -> None:
    task, people = scene
    with house.writing(NOW, people["mette"]) as work:
        with pytest.raises(RefusedError, match="Gitte Lyngholm er ikke fra jeres kommune"):
            commenting.add(work, task, "@Gitte Lyngholm", private=True)
        commenting.add(work, task, "Hemmeligt, @Jens Aa", private=True)
    with house.reading(NOW, people["admin"]) as work:
        rows = work.session.scalars(select(Notice)).all()
        assert [row.occasion for row in rows] == ["naevnt"]
        assert "Hemmeligt" not in rows[0].sentence + rows[0].heading
        assert account.of_task(work, details.load(work, task).task) == []
    with house.reading(NOW, people["mette"]) as work:
        assert len(account.of_task(work, details.load(work, task).task)) == 1


def test_kombit_cannot_be_named_on_a_local_task(
    house: Installation, scene: tuple[int, dict[str, Actor]]
) -> None:
    _task, people = scene
    with house.writing(NOW, people["mette"]) as work:
        local = make.municipal_task(work.session, local=True)
        names = [each.name for each in mentioning.people(work, local)]
        assert names == ["Jens Aa", "Mette Holm"]
        commenting.add(work, local.id, "@Gitte Lyngholm")
    assert _told(house) == []


def test_the_mail_reads_like_this(house: Installation, scene: tuple[int, dict[str, Actor]]) -> None:
    task, people = scene
    with house.writing(NOW, people["mette"]) as work:
        commenting.add(work, task, "Kan du ringe til dem, @Jens Aa?")
    with house.writing(NOW) as work:
        composing.compose(work, Sender("klik@klik.example", "https://klik.example"))
        mail = work.session.scalars(select(Mail)).one()
        message = message_from_bytes(mail.content, policy=SMTP)
        subject, address = mail.subject, mail.address
    words = f"Emne: {subject}\n\n{message.get_body(('plain',)).get_content()}".replace("\r\n", "\n")  # type: ignore[union-attr]
    assert words == (SNAPSHOTS / "naevnt-i-en-kommentar.txt").read_text("utf-8")
    assert address == "jens@koege.example"
