"""KP: the real tasks, the checklists, and the Teams channel against a local server."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from klik import paths
from klik.content import loading
from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins import Message, MunicipalTaskView, PluginContext, hookimpl, kp, manager, read_roles
from klik.plugins.kp import checklists, teams
from klik.services import views
from klik.services.roles import gallery
from klik.testing import loaded
from tests import make

NUMBERS = [
    "01",
    "02",
    "03",
    "04",
    "05",
    "07",
    "10",
    "12",
    "13",
    "14",
    "15",
    "16",
    "17",
    "18",
    "20",
    "21",
    "23",
    "24",
]
SECRET = "en hemmelighed til prøver"
MESSAGE = Message(
    address="mette@koege.example",
    subject="Deadline i dag: MI 15",
    text="Opgaven skal være løst i dag.",
    content=b"",
    message_id="<1@klik.example>",
)


def test_kp_has_the_eighteen_real_tasks_by_number(house: Installation) -> None:
    types = [each for each in house.registry.task_types.values() if each.system == "kp" and each.number]
    assert [each.number for each in types] == [f"MI {number}" for number in NUMBERS]
    for each in types:
        assert each.purpose and each.description and each.how_to and each.result
        assert each.responsible_role and each.executor_role


def test_kps_own_role_stands_in_the_gallery_and_is_remembered_without_kp(house: Installation) -> None:
    role = house.registry.roles["kp-faglig-leder"]
    assert house.registry.content.role("kp-faglig-leder") is role and role.is_for("kp")
    assert not role.is_for("ksd")
    for each in house.registry.task_types.values():
        for slug in {each.responsible_role, each.executor_role} - {None}:
            wanted = house.registry.content.role(slug)
            assert each.system is None or wanted.scope == "kommune" or wanted.is_for(each.system), each.key
    with house.writing(make.NOW) as work:
        make.has_system(work.session)
        holder = make.person(work.session, level=Level.ADMINISTRATOR)
        make.holding(work.session, "kp-faglig-leder", holder=holder)
        actor = make.actor(work.session, holder)
    without = Installation(replace(house.settings, disabled_plugins=frozenset({"kp"})))
    try:
        assert "kp-faglig-leder" not in without.registry.roles
        for installation, retired in ((house, False), (without, True)):
            with installation.reading(make.NOW, actor) as work:
                shown = {slot.role.slug: slot for slot in gallery.of(work, make.KOEGE).slots if slot.holders}
                slot = shown["kp-faglig-leder"]
                assert (slot.role.name, slot.role.is_retired) == ("Faglig leder for pension", retired)
                assert [each.person_id for each in slot.holders] == [holder.id]
    finally:
        without.close()


def test_a_role_of_a_plugin_must_fit(tmp_path: Path) -> None:
    text = Path(kp.__file__).with_name("roles.toml").read_text("utf-8")
    file = tmp_path / "roles.toml"
    for old, new, words in (
        ('slug = "kp-faglig-leder"', 'slug = "faglig-leder"', "begynder ikke med kp-"),
        ('systemer = ["kp"]', 'systemer = ["xx"]', "systemet xx findes ikke"),
        ('systemer = ["kp"]', "systemer = []", "plug-in'ets egne systemer"),
        ('faser = ["forberedelse",', 'faser = ["findes-ikke",', "fasen findes-ikke findes ikke"),
        ('navn = "Faglig leder for pension"', 'navn = "Superbruger"', "findes allerede"),
        ("version = 1", 'version = "1"', "RolesError"),
        ("primaer", "primar", "RolesError"),
    ):
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")
        module = ModuleType("kp")
        module.klik_systems = hookimpl(lambda: kp.klik_systems())  # type: ignore[attr-defined]
        module.klik_roles = hookimpl(lambda: read_roles(file))  # type: ignore[attr-defined]
        content = loading.load(paths.shipped("phases"), paths.shipped("roles"))
        registry = manager.build(content, yellow_days=14, core={}, plugins=[loaded("kp", module)])
        assert not registry.roles
        (info,) = registry.plugins
        assert words in info.state, info.state


def test_the_dependencies_between_the_tasks_are_written(house: Installation) -> None:
    texts = {
        each.number: each.prerequisites for each in house.registry.task_types.values() if each.system == "kp"
    }
    for task, needs in {"18": "15", "20": "18", "21": "20", "04": "03", "24": "04"}.items():
        assert f"MI {needs}" in texts[f"MI {task}"]


def test_the_checklists_are_on_kps_tasks_only(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        row = make.municipal_task(work.session)
        (view,) = views.municipal_task_views(work, [row])
        other = make.municipal_task(
            work.session, in_project=make.project(work.session, "x", system_code=None)
        )
        (elsewhere,) = views.municipal_task_views(work, [other])
    assert isinstance(view, MunicipalTaskView)
    assert checklists.PANEL.applies(view) and not checklists.PANEL.applies(elsewhere)
    assert [len(each.points) for each in checklists.CHECKLISTS] == [9, 13]


class Teams(HTTPServer):
    """Answers with ``status`` and keeps what it got."""

    status = 200
    got: list[tuple[str, dict[str, str], bytes]]


class _Handler(BaseHTTPRequestHandler):
    server: Teams

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "/somewhere-else")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Teams]:
    """A receiver on this machine."""
    with Teams(("127.0.0.1", 0), _Handler) as listening:
        listening.got = []
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def context(url: str, secret: str = SECRET) -> PluginContext:
    return PluginContext(
        plugin="kp",
        now=make.NOW,
        today=make.TODAY,
        municipality=None,
        person_id=None,
        kombit=True,
        store=None,
        settings={"KLIK_KP_TEAMS_URL": url, "KLIK_KP_TEAMS_SECRET": secret},
    )


def address(server: Teams) -> str:
    return f"http://127.0.0.1:{server.server_port}/kanal?x=1"


def test_the_message_is_posted_signed_and_without_the_address(server: Teams) -> None:
    moments: list[int] = []
    delivery = teams.send(MESSAGE, context(address(server)), lambda: moments.append(len(server.got)))
    assert (delivery.outcome, moments) == ("sent", [0])
    ((path, headers, body),) = server.got
    assert path == "/kanal?x=1"
    moment = headers["X-Klik-Timestamp"]
    assert moment == str(int(make.NOW.timestamp()))
    signature = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Klik-Signature"] == f"sha256={signature}"
    assert json.loads(body)["title"] == MESSAGE.subject
    assert b"mette" not in body and SECRET.encode() not in body


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(202, "sent"), (301, "refused"), (400, "refused"), (404, "refused"), (408, "later"), (429, "later")]
    + [(status, "later") for status in (500, 503)],
)
def test_the_answer_decides_what_comes_of_it(server: Teams, status: int, outcome: str) -> None:
    server.status = status
    delivery = teams.send(MESSAGE, context(address(server)), lambda: None)
    assert (delivery.outcome, delivery.reply) == (outcome, f"HTTP {status}")
    assert len(server.got) == 1


@pytest.mark.parametrize(
    ("url", "secret", "words"),
    [
        ("", SECRET, "KLIK_KP_TEAMS_URL mangler"),
        ("http://teams.example/kanal", SECRET, "https://"),
        ("ftp://127.0.0.1/kanal", SECRET, "https://"),
        ("https://navn:kode@teams.example/", SECRET, "adgangskode"),
        ("https://teams.example:99999999/", SECRET, "kan ikke læses"),
        ("https://teams.example/", "kort", "mindst 16 tegn"),
    ],
)
def test_unsafe_settings_are_refused_without_a_connection(url: str, secret: str, words: str) -> None:
    delivery = teams.send(MESSAGE, context(url, secret), lambda: pytest.fail("nothing may be sent"))
    assert delivery.outcome == "refused" and words in delivery.reply
    assert "kode@" not in delivery.reply


def test_nobody_listening_is_tried_again_later(server: Teams) -> None:
    url = address(server)
    server.shutdown()
    server.server_close()
    delivery = teams.send(MESSAGE, context(url), lambda: pytest.fail("nothing was sent"))
    assert delivery.outcome == "later"
