"""``klik mail-in``: from a mail server's pipe, a Maildir or an mbox; what cannot be stored is kept by who has it."""

from __future__ import annotations

import mailbox
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from klik.cli import klik
from klik.installation import Installation
from klik.models import Bounce, BouncedAddress, Mail
from klik.services.notices.bounces import verp
from klik.settings import Settings
from tests import make
from tests.services import bounce_samples
from tests.services.bounce_samples import About


def run(settings: Settings, *arguments: str, given: bytes = b"", **more: str) -> tuple[int, str]:
    """The command's exit code and what it said."""
    environment = {
        "KLIK_DATA": str(settings.data),
        "KLIK_DATABASE_URL": settings.database_url,
        "KLIK_SECRET_KEY": settings.secret_key,
        **more,
    }
    done = CliRunner().invoke(klik, ["mail-in", *arguments], input=given, env=environment)
    return done.exit_code, done.output


@pytest.fixture
def about(house_settings: Settings) -> About:
    house = Installation(house_settings)
    original = bounce_samples._mail("<1@klik.example>", "jens@koege.example")
    with house.database.writing() as session:
        mail = Mail(
            message_id="<1@klik.example>",
            channel="core.mail",
            address="jens@koege.example",
            subject="klik",
            content=original,
            state="sent",
            next_attempt_at=make.NOW,
            created_at=make.NOW,
            expires_at=make.NOW,
            sent_at=make.NOW,
        )
        session.add(mail)
        session.flush()
        path = verp.return_path("klik@klik.example", house_settings.secret_key, mail.id)
    house.close()
    assert path
    return About("jens@koege.example", path, "<1@klik.example>", original)


def kinds(settings: Settings) -> list[str]:
    house = Installation(settings)
    with house.database.reading() as session:
        found = list(session.scalars(select(Bounce.kind).order_by(Bounce.id)))
    house.close()
    return found


def test_from_a_pipe_it_is_stored_and_a_repeat_is_known(house_settings: Settings, about: About) -> None:
    raw = bounce_samples.report(about, diagnostic="550 5.1.1 no", to="nobody@klik.example")
    # What the mail server says it came to counts, whatever stands in the message.
    assert run(house_settings, "--recipient", about.return_path, given=raw) == (0, "")
    assert run(house_settings, "--recipient", about.return_path, given=raw) == (0, "")
    assert kinds(house_settings) == ["haard"]


def test_rubbish_nothing_and_too_much_are_stored_too(house_settings: Settings, about: About) -> None:
    huge = bounce_samples.report(about, diagnostic="550 5.1.1 no") + b"x" * 12_000_000
    for given in (b"", b"\xff\x00" * 1000, huge):
        assert run(house_settings, given=given) == (0, "")
    assert kinds(house_settings) == ["ukendt", "ukendt", "haard"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"KLIK_DATABASE_URL": "postgresql://klik@127.0.0.1:9/klik"},
        {"KLIK_SECRET_KEY": "short"},
        {"KLIK_DATABASE_URL": "sqlite:////nowhere/at/all/klik.sqlite"},
    ],
)
def test_what_cannot_be_stored_now_is_kept_by_the_mail_server(
    sqlite_settings: Settings, wrong: dict[str, str]
) -> None:
    code, said = run(sqlite_settings, given=b"Subject: x\n\nx", **wrong)
    assert code == 75
    assert "Traceback" not in said


def test_a_maildir_is_read_and_what_was_read_is_moved(
    house_settings: Settings, about: About, tmp_path: Path
) -> None:
    box = mailbox.Maildir(tmp_path / "retur")
    box.add(bounce_samples.report(about, diagnostic="550 5.1.1 no"))
    box.add(b"Subject: hej\n\nhej\n")
    assert run(house_settings, "--folder", str(tmp_path / "retur")) == (
        0,
        "2 mails er læst; 0 var læst før.\n",
    )
    assert len(list((tmp_path / "retur" / ".klik-laest" / "cur").iterdir())) == 2
    assert list((tmp_path / "retur" / "new").iterdir()) == []
    assert run(house_settings, "--folder", str(tmp_path / "retur"))[1] == "0 mails er læst; 0 var læst før.\n"
    assert sorted(kinds(house_settings)) == ["haard", "ukendt"]


def test_an_mbox_is_left_and_known_again(house_settings: Settings, about: About, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "retur.mbox")
    box.add(bounce_samples.report(about, diagnostic="550 5.1.1 no"))
    box.add(bounce_samples.report(about, action="delayed", status="4.4.1"))
    box.close()
    before = (tmp_path / "retur.mbox").read_bytes()
    for said in ("2 mails er læst; 0 var læst før.\n", "0 mails er læst; 2 var læst før.\n"):
        assert run(house_settings, "--folder", str(tmp_path / "retur.mbox")) == (0, said)
    assert (tmp_path / "retur.mbox").read_bytes() == before
    assert sorted(kinds(house_settings)) == ["forsinket", "haard"]
    house = Installation(house_settings)
    with house.database.reading() as session:
        assert session.scalars(select(BouncedAddress.state)).all() == ["haard"]
    house.close()
