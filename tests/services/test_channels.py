"""Channels beside the mail: what goes there, once, whatever the receiver does, and no mail waits for it."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import ChannelRoute, Mail, Notice
from klik.plugins.kp import teams
from klik.services.errors import RefusedError
from klik.services.notices import account, channels
from klik.services.publishing import telling
from klik.settings import Settings
from tests import make
from tests.sink import Sink, running_sink

SECRET = "en hemmelighed til prøver"
HOUR = timedelta(hours=1)
CERTIFICATES = Path(__file__).parent / "certificates"


class Receiver:
    """A hostile receiver of HTTP: each request gets the next of ``answers``, the last one for ever.

    "hang": reads it all and never answers. "drip": a byte each half second. "gone": closes before the body is read.
    """

    def __init__(self, *answers: str, certificate: Path | None = None) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if self._tls and certificate:
            self._tls.load_cert_chain(certificate)
        self.answers = list(answers)
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self._closing = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._server.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self._answer(self._tls.wrap_socket(connection, server_side=True) if self._tls else connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer == "gone":
                return
            lines.readline()
            headers = {}
            while (line := lines.readline().decode().strip()) and ":" in line:
                name, _, value = line.partition(":")
                headers[name] = value.strip()
            body = lines.read(int(headers.get("Content-Length", "0")))
            if answer == "hang":
                self._closing.wait()
            elif answer == "drip":
                while not self._closing.wait(0.2):
                    connection.sendall(b"H")
            else:
                if answer.startswith("200"):
                    self.taken.append((headers, body))
                connection.sendall(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as server:
        yield server


@pytest.fixture
def house(house_settings: Settings, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    monkeypatch.setattr(teams, "PATIENCE", 0.6)
    installation = Installation(replace(house_settings, smtp=sink.address))
    yield installation
    installation.close()


def follow(house: Installation, url: str, *occasions: str) -> int:
    house.registry.plugin_settings["KLIK_KP_TEAMS_URL"] = url  # type: ignore[index]
    house.registry.plugin_settings["KLIK_KP_TEAMS_SECRET"] = SECRET  # type: ignore[index]
    with house.database.writing() as session:
        make.system(session, "kp")
        gitte = make.actor(session, make.person(session, "Gitte Lund", level=Level.KOMBIT_ADMINISTRATOR))
    with house.writing(make.NOW, gitte) as work:
        return channels.add(work, "kp.teams", "kp", occasions or ("udgivet",)).id


def published(house: Installation, now: datetime = make.NOW) -> None:
    """A task of KP's with a notice to Mette and one to the channel."""
    with house.writing(now) as work:
        make.person(work.session, "Mette Holm", email="mette@koege.example")
        version = make.task(work.session, number="MI 15")
        copy = make.municipal_task(work.session, version, deadline=None)
        made = [telling.Copy(copy.id, make.KOEGE, None)]
        telling.tell(work, version.task, version, version.task.project, made)
        telling.tell_channels(work, version.task, version, version.task.project, 98)


def states(house: Installation, channel: str) -> list[str]:
    with house.database.reading() as session:
        return list(session.scalars(select(Mail.state).where(Mail.channel == channel)))


def test_one_row_a_task_and_occasion_and_no_names(house: Installation) -> None:
    receiver = Receiver("200 OK")
    follow(house, f"http://127.0.0.1:{receiver.port}/kanal")
    published(house)
    with house.writing(make.NOW) as work:
        (row,) = work.session.scalars(select(Notice).where(Notice.channel == "kp.teams"))
        assert (row.person_id, row.municipality_id, row.address) == (None, None, "kanal:kp.teams")
        assert row.dedupe_key == f"udgivet/task={row.task_id}/1/kanal=kp.teams"
        shown = next(each for each in account.rows(work, account.Question()) if each.id == row.id)
        assert shown.recipient == shown.address == "Teams-kanal for KP"
    jobs.deliver(house, make.NOW)
    ((headers, body),) = receiver.taken
    receiver.close()
    signed = hmac.new(SECRET.encode(), f"{headers['X-Klik-Timestamp']}.".encode() + body, hashlib.sha256)
    assert headers["X-Klik-Signature"] == f"sha256={signed.hexdigest()}"
    card = json.loads(body)
    assert card["title"].startswith("Ny opgave: MI 15")
    assert "98 kommuner" in card["text"]
    assert not {"Mette", "Køge", "@"} & set(card["text"].replace("\n", " ").split(" "))
    assert "mette" not in body.decode() and "Gitte" not in body.decode()


def test_a_channel_without_an_address_says_so_and_its_messages_wait(house: Installation) -> None:
    follow(house, "")
    published(house)
    jobs.deliver(house, make.NOW)
    assert states(house, "kp.teams") == ["pending"]
    with house.reading(make.NOW) as work:
        (route,) = channels.routes(work)
        assert route.lacks == "KLIK_KP_TEAMS_URL mangler"
    assert jobs.check(house, make.NOW).well
    receiver = Receiver("200 OK")
    house.registry.plugin_settings["KLIK_KP_TEAMS_URL"] = f"http://127.0.0.1:{receiver.port}/kanal"  # type: ignore[index]
    jobs.deliver(house, make.NOW + HOUR)
    receiver.close()
    assert states(house, "kp.teams") == ["sent"] and len(receiver.taken) == 1
    with house.reading(make.NOW) as work:
        assert [route.lacks for route in channels.routes(work)] == [""]


@pytest.mark.parametrize(
    "answers",
    [
        ("500 Fejl", "503 Travlt", "200 OK"),
        ("429 Vent\r\nRetry-After: 600", "200 OK"),
        ("gone", "200 OK"),
        ("hang", "200 OK"),
        ("drip", "200 OK"),
    ],
    ids=lambda answers: answers[0].partition("\r")[0],
)
def test_a_hostile_receiver_gets_it_once_and_no_mail_waits(
    house: Installation, sink: Sink, answers: tuple[str, ...]
) -> None:
    receiver = Receiver(*answers)
    follow(house, f"http://127.0.0.1:{receiver.port}/kanal")
    published(house)
    jobs.deliver(house, make.NOW)
    assert [recipient for recipient, _ in sink.received] == ["mette@koege.example"]
    assert receiver.taken == []
    for hours in range(1, 30):
        jobs.deliver(house, make.NOW + hours * HOUR)
    receiver.close()
    assert len(receiver.taken) == 1
    assert states(house, "kp.teams") == ["sent"]
    assert len(sink.received) == 1
    print(f"channel: {answers[0].splitlines()[0]!r} first, delivered once, mail not held up")  # noqa: T201 - the figure is what the run is for


def test_retry_after_is_waited_for_and_does_not_count(house: Installation) -> None:
    receiver = Receiver("429 Vent\r\nRetry-After: 600", "200 OK")
    follow(house, f"http://127.0.0.1:{receiver.port}/kanal")
    published(house)
    jobs.deliver(house, make.NOW)
    jobs.deliver(house, make.NOW + timedelta(seconds=590))
    assert receiver.taken == []
    jobs.deliver(house, make.NOW + timedelta(seconds=620))
    receiver.close()
    assert len(receiver.taken) == 1
    with house.database.reading() as session:
        assert session.scalar(select(Mail.attempts).where(Mail.channel == "kp.teams")) == 1


def test_a_redirect_is_not_followed(house: Installation, sink: Sink) -> None:
    other = Receiver("200 OK")
    receiver = Receiver(f"302 Flyttet\r\nLocation: http://127.0.0.1:{other.port}/")
    follow(house, f"http://127.0.0.1:{receiver.port}/kanal")
    published(house)
    jobs.deliver(house, make.NOW)
    receiver.close()
    other.close()
    assert other.taken == []
    assert states(house, "kp.teams") == ["failed"]
    assert len(sink.received) == 1


@pytest.mark.parametrize(("certificate", "delivered"), [("rigtigt", 1), ("forkert", 0)])
def test_a_certificate_of_another_name_gets_nothing(
    house: Installation, sink: Sink, monkeypatch: pytest.MonkeyPatch, certificate: str, delivered: int
) -> None:
    file = CERTIFICATES / f"{certificate}.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(file))  # it is trusted; only the name in it may be wrong
    receiver = Receiver("200 OK", certificate=file)
    follow(house, f"https://localhost:{receiver.port}/kanal")
    published(house)
    jobs.deliver(house, make.NOW)
    receiver.close()
    assert len(receiver.taken) == delivered
    assert states(house, "kp.teams") == ["sent" if delivered else "pending"]
    assert len(sink.received) == 1


def test_only_what_was_chosen_and_while_it_is_followed(house: Installation) -> None:
    route = follow(house, "https://teams.example/", "rettet")
    published(house)
    with house.database.reading() as session:
        assert session.scalar(select(func.count(Notice.id)).where(Notice.channel == "kp.teams")) == 0
        who = make.actor(
            session, session.get_one(make.Person, session.get_one(ChannelRoute, route).created_by)
        )
    with house.writing(make.NOW, who) as work:
        with pytest.raises(RefusedError, match="følger allerede"):
            channels.add(work, "kp.teams", "kp", ["udgivet"])
        channels.end(work, route, 1)
        again = channels.add(work, "kp.teams", "kp", ["udgivet"])
        assert again.id == route
        with pytest.raises(RefusedError) as refused:
            channels.add(work, "core.mail", "findes-ikke", [])
        assert set(refused.value.problems) == {"channel", "system", "occasions"}
