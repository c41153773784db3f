"""``klik publish``: what it says, what it stores, and the code it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from klik.cli import klik
from klik.installation import Installation
from klik.models import MunicipalTask, Task
from klik.settings import Settings
from tests import make
from tests.conftest import SECRET

EXAMPLE = Path(__file__).parents[2] / "docs/examples/publish.toml"
FILE = """titel = "Udpeg systemansvarlig"
projekt = "kp"
fase = "forberedelse"
tema = "it-miljoe-og-infrastruktur"
deadline = 2099-12-21
"""


class Terminal:
    """Runs the command on one installation's data."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        self.folder = house.settings.data

    def write(self, text: str) -> str:
        """A file to publish."""
        file = self.folder / "opgave.toml"
        file.write_text(text, encoding="utf-8")
        return str(file)

    def run(self, *arguments: str, expect: int = 0) -> Result:
        """The result; the exit code must be the expected one."""
        found = CliRunner().invoke(klik, ["publish", *arguments, "--data", str(self.folder)])
        assert found.exit_code == expect, (found.output, found.exception)
        return found

    def count(self, what: object) -> int:
        """How many rows there are."""
        with self.house.database.reading() as session:
            return session.scalar(select(func.count(what))) or 0  # type: ignore[arg-type]


@pytest.fixture
def terminal(house: Installation, house_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal on an installation with the project KP."""
    monkeypatch.setenv("KLIK_SECRET_KEY", SECRET)
    monkeypatch.setenv("KLIK_DATABASE_URL", house_settings.database_url)
    with house.database.writing() as session:
        make.project(session)
        make.person(session)
    return Terminal(house)


def test_the_example_works_and_is_published_once(terminal: Terminal) -> None:
    ahead = terminal.run(str(EXAMPLE), "--dry-run")
    assert "Prøve, intet er gemt: SA 01 Gennemgå rettigheder" in ahead.output
    assert terminal.count(Task.id) == 0
    assert "Udgivet: SA 01 til 98 kommuner; 1 varsel." in terminal.run(str(EXAMPLE)).output
    again = terminal.run(str(EXAMPLE), expect=1)
    assert "Allerede udgivet: SA 01 til 98 kommuner" in again.output
    assert "Intet er ændret" in again.output
    assert terminal.count(MunicipalTask.id) == 98


def test_to_whom_and_as_json(terminal: Terminal) -> None:
    file = terminal.write(FILE)
    said = json.loads(terminal.run(file, "--to", "101,147", "--json").output)
    assert said == {
        "task_id": 1,
        "number": "MI 01",
        "municipalities": 2,
        "notices": 0,
        "path": "/udgivelser/1",
        "repeated": False,
    }
    looked = json.loads(terminal.run(file, "--to", "region:Sjælland", "--dry-run", "--json").output)
    assert (looked["municipalities"], looked["first"]) == (17, "2099-12-21")
    assert looked["similar"] == [{"task_id": 1, "number": "MI 01", "title": "Udpeg systemansvarlig"}]


@pytest.mark.parametrize(
    ("line", "rule", "parameter"),
    [
        ("deadline = 2099-12-21", "core.date", "2099-12-21"),
        ('deadline = "21-12-2099"', "core.date", "2099-12-21"),
        ("deadline = { dage = 30 }", "core.days-after-publication", "30"),
        ("deadline = { maaneder = 1 }", "core.months-after-publication", "1"),
        (
            'deadline = { regel = "core.days-after-publication", vaerdi = "7" }',
            "core.days-after-publication",
            "7",
        ),
    ],
)
def test_the_ways_to_write_a_deadline(terminal: Terminal, line: str, rule: str, parameter: str) -> None:
    terminal.run(terminal.write(FILE.replace("deadline = 2099-12-21", line)), "--to", "101")
    with terminal.house.reading(make.NOW) as work:
        version = work.session.get_one(Task, 1).versions[0]
        assert (version.deadline_rule, version.deadline_parameter) == (rule, parameter)


def test_every_problem_is_told_at_once(terminal: Terminal) -> None:
    wrong = """titel = 3
projekt = "kq"
fase = "forberdelse"
numer = "MI 1"
beskrivelse = "Ring til 010190-1234"
deadline = { dag = 3 }
modtagere = "region:Fyn"
"""
    said = terminal.run(terminal.write(wrong), expect=1).output
    for sentence in (
        "opgave.toml: numer: nøglen kendes ikke. Mente du “nummer”?",
        "opgave.toml: titel: skal være en tekst i anførselstegn.",
        "opgave.toml: tema: nøglen mangler.",
        "opgave.toml: projekt: Projekt: “kq” kendes ikke. Der kan stå: kp.",
        "opgave.toml: fase: Fase: “forberdelse” kendes ikke. Mente du “forberedelse”?",
        "opgave.toml: beskrivelse: Beskrivelse ser ud til at indeholde et CPR-nummer",
        "opgave.toml: deadline: “dag” kendes ikke. Mente du “dage”?",
        "opgave.toml: modtagere: Modtagere: regionen “Fyn” kendes ikke.",
    ):
        assert sentence in said, said
    assert len(said.strip().splitlines()) == 8
    assert terminal.count(Task.id) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("titel = ", "opgave.toml: sidst i filen: værdien kan ikke læses"),
        ("", "filen er tom"),
        (FILE + "deadline = 3\n", "samme nøgle står der to gange"),
        (FILE + "infrastruktur = 1\n", "infrastruktur: skal være true (ja) eller false (nej)"),
        (FILE + "start = 3\n", "start: skal være en dato"),
        (FILE + 'modtagere = "Køge"\n', "modtagere: Modtagere: “Køge” kan ikke læses"),
        (FILE + "modtagere = []\n", "modtagere: skal være en tekst"),
        (FILE + "felter = 3\n", "felter: skal være et afsnit"),
        (FILE + '[felter]\nx = "a"\n', "felter: Feltet “x” findes ikke"),
        (
            FILE.replace("2099-12-21", "2020-12-21"),
            "deadline: Fristen 21. december 2020 er allerede overskredet",
        ),
        (FILE.replace("2099-12-21", "{ dage = 3, maaneder = 1 }"), "deadline: skriv enten dage"),
        (FILE.replace("2099-12-21", "2099-12-21T10:00:00"), "deadline: skal være en dato"),
    ],
)
def test_a_file_that_is_wrong(terminal: Terminal, text: str, sentence: str) -> None:
    if terminal.house.database.sqlite:
        assert sentence in terminal.run(terminal.write(text), expect=1).output
        assert terminal.count(Task.id) == 0


def test_wrong_use(terminal: Terminal) -> None:
    file = terminal.write(FILE)
    assert "filen findes ikke" in terminal.run("findes-ikke.toml", expect=2).output
    assert "kan ikke læses" in terminal.run(file, "--to", "Køge", expect=2).output
    assert "ingen kommune med koden 999" in terminal.run(file, "--to", "999", expect=1).output


def test_a_task_is_written_out_as_the_file_it_is_read_from(terminal: Terminal) -> None:
    terminal.run(
        terminal.write(FILE + 'arbejdsdag = "foer"\nudpeger = "systemansvarlig"\nsaadan = "1. A\\n2. B"\n')
    )
    shown = terminal.run("--export", "1").output
    assert 'nummer = "MI 01"' in shown and "deadline = 2099-12-21" in shown
    assert 'arbejdsdag = "foer"' in shown and 'udpeger = "systemansvarlig"' in shown
    target = terminal.folder / "ud.toml"
    assert "Skrevet: MI 01" in terminal.run(str(target), "--export", "1").output
    assert target.read_text("utf-8") == shown
    assert "findes allerede" in terminal.run(str(target), "--export", "1", expect=1).output
    assert "ingen opgave med id 99" in terminal.run("--export", "99", expect=1).output
    assert "Skriv navnet på filen" in terminal.run(expect=2).output
    target.write_text(shown.replace("MI 01", "MI 02"), "utf-8")
    terminal.run(str(target))
    assert terminal.run("--export", "2").output == shown.replace("MI 01", "MI 02")
