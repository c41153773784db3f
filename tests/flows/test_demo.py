"""``klik demo`` as somebody tries it for the first time: one process, and every other command beside it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from klik.cli import klik
from klik.demo.people import PASSWORD
from tests.flows.site import STARTING, Visitor, free_port, run, start
from tests.sink import wait_until

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("demo")]
TOWNS = ("koege", "herning", "aarhus", "laesoe")
BOXES = ("administrator", "programleder", "plusbruger", "bruger", "laeser")
ACCOUNTS = (
    "administrator@kombit.example",
    "redaktoer@kombit.example",
    "leverandoer@netcompany.example",
    *(f"{box}@{town}.example" for town in TOWNS for box in BOXES),
)
COLUMNS = (
    "Nummer;Titel;Projekt;System;Kommune;Kommunekode;Fase;Tema;Prioritet;Startdato;Deadline;Farve;"
    "Status;Ansvarlig;Udfører;STS/Infrastruktur;Fuldført;Lokal;Opgave-id"
)
STOPPING = 30.0  # seconds from Ctrl-C to the end; it takes two on a machine without other work


class Demo:
    """A running ``klik demo`` on a folder; commands reach it by ``--data`` alone."""

    def __init__(self, data: Path, *more: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = data.with_name("demo.log")
        with self._log.open("w") as log:
            self.process = start(
                _plain(), "demo", "--port", str(self.port), "--data", str(data), *more, output=log
            )
        try:
            wait_until(lambda: self.process.poll() is not None or self.is_ready(), STARTING)
            assert self.process.poll() is None, self.said()
        except BaseException:
            self.process.kill()
            self.process.wait(10)
            raise

    def is_ready(self) -> bool:
        """Whether the promised line stands there."""
        return f"klik: klar på {self.url}\n" in self.said()

    def said(self) -> str:
        """Everything it printed."""
        return self._log.read_text("utf-8")

    def visitor(self, email: str) -> Visitor:
        """Somebody signed in."""
        window = Visitor(self.url)
        window.sign_in(email, PASSWORD)
        return window

    def klik(self, *arguments: str, expect: int = 0) -> str:
        """A command on the demo's folder."""
        return run(_plain(), *arguments, "--data", str(self.data), expect=expect)

    def stop(self) -> None:
        """Ctrl-C; it must end well and soon."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(STOPPING) == 0, self.said()
        assert "Traceback" not in self.said(), self.said()


def _plain() -> dict[str, str]:
    """Nothing of klik set: the demo needs nothing."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KLIK_")}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo") / "data")
    yield demo
    if demo.process.poll() is None:
        demo.stop()


def test_it_says_who_can_sign_in_and_ends_with_the_address(demo: Demo) -> None:
    lines = demo.said().splitlines()
    assert lines[-1] == f"klik: klar på {demo.url}"
    printed = demo.said()
    assert PASSWORD in printed
    assert all(account in printed for account in ACCOUNTS[:3])
    assert all(f"{town}.example" in printed for town in TOWNS)


def test_every_promised_account_signs_in(demo: Demo) -> None:
    for account in ACCOUNTS:
        window = demo.visitor(account)
        assert window.get("/").h1 is not None
    mette = demo.visitor("programleder@koege.example")
    page = mette.get("/opgaver")
    assert "Åbnet med dit filter “Rød/gul ej påbegyndt”" in page.text
    names = [link.find(string=True, recursive=False) for link in page.select(".klik-saved-link")]
    assert names.count("Rød/gul ej påbegyndt") == 1, names
    assert page.select("tr[id^=opgave-]")


PAGES = {
    "programleder@koege.example": (
        *("/", "/opgaver", "/filtre", "/roller", "/personer", "/sletning", "/varsler", "/was", "/hjaelp"),
        *("/min-side", "/systemer", "/p/ksd/", "/p/ksd/opgavetyper", "/log-ud", "/demo/post"),
    ),
    "administrator@kombit.example": ("/", "/opgaver", "/udgivelser", "/sletning", "/drift", "/varsler"),
}


def test_the_promised_pages_answer(demo: Demo) -> None:
    for account, paths in PAGES.items():
        window = demo.visitor(account)
        for path in paths:
            window.get(path)
            assert window.response.request.path == path
    nobody = Visitor(demo.url)
    for path in ("/sundhed", "/sundhed/klar", "/metrics"):
        nobody.download(path)
    nobody.get("/log-ind")


def test_mails_arrive_in_the_catcher(demo: Demo) -> None:
    window = Visitor(demo.url)
    wait_until(lambda: bool(window.get("/demo/post").select("main table tbody tr")), 60)
    link = window.get("/demo/post").select_one("main table tbody a")
    assert link is not None
    assert demo.url in window.get(str(link["href"])).main.text  # type: ignore[union-attr]


def _copies(demo: Demo, number: str) -> list[dict[str, str]]:
    table = demo.visitor("administrator@kombit.example").download(f"/opgaver.csv?projekt=kp&nummer={number}")
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig")), delimiter=";"))


def test_the_example_is_published_beside_the_running_demo(demo: Demo) -> None:
    said = demo.klik("publish", "docs/examples/publish.toml")
    assert said.startswith("Udgivet: ") and "til 98 kommuner" in said
    number = " ".join(said.removeprefix("Udgivet: ").split()[:2])
    rows = _copies(demo, number.replace(" ", "%20"))
    mine = [row for row in rows if row["Titel"].startswith("Gennemgå rettigheder for medarbejdere, der")]
    assert len({row["Kommunekode"] for row in mine}) == len(mine) == 98
    assert "Allerede udgivet" in demo.klik("publish", "docs/examples/publish.toml", expect=1)


def test_what_the_commands_list(demo: Demo) -> None:
    row: dict[str, Any] = json.loads(demo.klik("outbox", "list", "--json"))[0]
    assert {"dedupe_key", "state", "recipient", "occasion", "created", "sent"} <= set(row)
    plugins = json.loads(demo.klik("plugins", "--json"))
    assert [set(plugin) for plugin in plugins] == [{"name", "distribution", "version", "hooks", "state"}] * 5
    assert {plugin["name"]: plugin["state"] for plugin in plugins} == {
        name: "i drift" for name in ("driftsstatus", "klarmelding", "kp", "ksd", "ky")
    }
    assert demo.klik("check").startswith("I orden")
    assert json.loads(demo.klik("check", "--json")) == []


@pytest.mark.parametrize(
    "job", ["scan-deadlines", "deliver", "control", "digests", "run-exports", "delete-due", "sweep"]
)
def test_the_jobs(demo: Demo, job: str) -> None:
    assert demo.klik("run-job", job).endswith(".\n")


@pytest.mark.parametrize(
    ("kind", "start_of_file"),
    [
        ("csv", b"\xef\xbb\xbf"),
        ("xlsx", b"PK"),
        ("ics", b"BEGIN:VCALENDAR"),
        ("pdf", b"%PDF-"),
        ("zip", b"PK"),
    ],
)
def test_export(demo: Demo, tmp_path: Path, kind: str, start_of_file: bytes) -> None:
    file = tmp_path / f"koege.{kind}"
    said = demo.klik(
        "export", "--municipality", "259", "--filter", "deadline=roed", "--format", kind, "-o", str(file)
    )
    assert "opgaver fra Køge" in said
    content = file.read_bytes()
    assert content.startswith(start_of_file)
    if kind == "csv":
        first, *rows = content.decode("utf-8-sig").splitlines()
        assert first.startswith(COLUMNS)
        assert rows and {row["Farve"] for row in csv.DictReader([first, *rows], delimiter=";")} == {"Rød"}
    if kind == "zip":
        with zipfile.ZipFile(file) as package:
            assert package.testzip() is None
            assert any(name.endswith(".pdf") for name in package.namelist())


def test_it_stops_keeps_its_data_and_starts_over(demo: Demo) -> None:
    """Last in this file: it ends the demo that the others use."""
    mette = demo.visitor("programleder@koege.example")
    mette.post("/filtre", {"navn": "Husk mig", "filter": "deadline=gul"})
    demo.stop()
    assert demo.said().splitlines()[-1] == "klik: stopper …"
    again = Demo(demo.data)
    try:
        assert "Husk mig" in again.visitor("programleder@koege.example").get("/filtre").text
    finally:
        again.stop()
    fresh = Demo(demo.data, "--fresh")
    try:
        assert "Husk mig" not in fresh.visitor("programleder@koege.example").get("/filtre").text
    finally:
        fresh.stop()


def test_it_deletes_no_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "vigtigt.txt").write_text("mit")
    refused = CliRunner().invoke(klik, ["demo", "--fresh", "--data", str(tmp_path)])
    assert refused.exit_code == 2 and "er ikke lavet af klik demo" in refused.output
    assert (tmp_path / "vigtigt.txt").read_text() == "mit"
