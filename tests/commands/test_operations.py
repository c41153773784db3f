"""klik as it is run for real: processes of their own, on SQLite and on a PostgreSQL that goes away and comes back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from klik.settings import Settings
from tests.conftest import SECRET
from tests.postgres import running_server
from tests.sink import running_sink, wait_until

# A proxy that the environment names must not stand between the test and this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Process:
    """One running ``klik …``; its error stream is kept in a file."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *words: str) -> None:
        self.log = folder / f"{words[0]}.log"
        with self.log.open("w") as stream:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "klik", *words],
                env=_clean() | environment,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=stream,
            )

    def lines(self) -> list[dict[str, str]]:
        """What it has logged; fails when a line is not JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(40)


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KLIK_")}


def _finished(folder: Path, environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "klik", *words],
        env=_clean() | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _fetch(url: str, **headers: str) -> tuple[int, str, str]:
    """Status, text, reference number; 0 when nobody listens."""
    asked = urllib.request.Request(url, headers=headers)
    try:
        with OPENER.open(asked, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers.get("X-Request-Id", "")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers.get("X-Request-Id", "")
    except urllib.error.URLError:
        return 0, "", ""


@contextmanager
def _served(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[Process, str]]:
    port = _free_port()
    process = Process(folder, environment, "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1")
    site = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _fetch(f"{site}/sundhed/klar")[0] == 200, 60)
        yield process, site
    finally:
        process.child.kill()
        process.child.wait()


def test_pages_and_worker_run_and_stop_when_told(sqlite_settings: Settings) -> None:
    folder = sqlite_settings.data
    environment = {"KLIK_DATA": str(folder), "KLIK_SECRET_KEY": SECRET}
    with running_sink() as sink, _served(folder, environment) as (pages, site):
        worker = Process(folder, environment | {"KLIK_SMTP_URL": sink.url}, "worker")
        try:
            assert _fetch(f"{site}/sundhed")[:2] == (200, "ok\n")
            assert "Log ind" in _fetch(f"{site}/")[1]
            assert _fetch(site, Host="ond.example")[:2] == (400, "klik svarer kun på http://127.0.0.1:5000\n")
            for process in ("worker", "dispatcher"):
                beat = f'klik_heartbeat_age_seconds{{process="{process}"}}'
                wait_until(lambda beat=beat: beat in _fetch(f"{site}/metrics")[1], 60, every=0.5)  # type: ignore[misc]
        finally:
            ended = worker.stop()
        assert ended == 0
        assert pages.stop() == 0
    assert {line["logger"] for line in pages.lines()} >= {"gunicorn.error"}
    assert worker.lines() == [], "a clean stop has nothing to say"


def test_a_database_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with running_server() as server:
        file = tmp_path / "klik.conf.txt"
        data = tmp_path / "data"
        file.write_text(
            f"KLIK_DATA={data}\n"
            f"KLIK_DATABASE_URL=postgresql://postgres@/postgres?host={server.folder}&port=5432\n"
        )
        environment = {"KLIK_CONFIG": str(file)}
        empty = _finished(tmp_path, environment | {"KLIK_SECRET_KEY": SECRET}, "check")
        assert (empty.returncode, empty.stderr) == (1, "Databasen mangler tabeller. Kør klik db upgrade.\n")
        assert _finished(tmp_path, environment, "db", "upgrade").returncode == 0
        assert (data / "secret-key").stat().st_mode & 0o777 == 0o600
        with _served(tmp_path, environment) as (pages, site):
            assert _fetch(f"{site}/log-ind")[0] == 200
            server.stop()
            wait_until(lambda: _fetch(f"{site}/sundhed/klar")[0] == 503, 5)
            assert _fetch(f"{site}/sundhed")[0] == 200
            status, text, reference = _fetch(f"{site}/opgaver", Cookie="klik=et-gammelt-tegn")
            page = BeautifulSoup(text, "html.parser")
            assert (status, page.h1.get_text()) == (503, "klik holder en kort pause")  # type: ignore[union-attr]
            assert reference in page.select_one(".klik-reference").get_text()  # type: ignore[union-attr]
            told = [line for line in pages.lines() if line.get("request") == reference]
            assert [line["event"] for line in told] == ["the database did not answer"]
            away = _finished(tmp_path, environment, "check")
            assert away.returncode == 1
            assert away.stderr.startswith("Databasen svarer ikke, som den skal: ")
            assert len(away.stderr.splitlines()) == 1
            server.start()
            wait_until(lambda: _fetch(f"{site}/sundhed/klar")[0] == 200, 5)
            assert "Log ind" in _fetch(f"{site}/opgaver", Cookie="klik=et-gammelt-tegn")[1]
            assert pages.stop() == 0


@pytest.mark.parametrize("words", [("serve",), ("worker",)])
def test_wrong_settings_end_with_78_and_name_each(tmp_path: Path, words: tuple[str, ...]) -> None:
    wrong = {"KLIK_YELLOW_DAYS": "x", "KLIK_LOG_LEVEL": "loud", "KLIK_DATA": str(tmp_path)}
    done = _finished(tmp_path, wrong, *words)
    assert done.returncode == 78
    names = [line.partition(":")[0] for line in done.stderr.splitlines()]
    assert names == ["KLIK_SECRET_KEY", "KLIK_YELLOW_DAYS", "KLIK_LOG_LEVEL"]


@pytest.mark.parametrize("words", [("serve",), ("worker",)])
def test_wrong_content_ends_with_78(tmp_path: Path, words: tuple[str, ...]) -> None:
    phases = tmp_path / "faser"
    phases.mkdir()
    (phases / "1-opstart.toml").write_text("snarken = 3\n")
    wrong = {"KLIK_PHASES_DIR": str(phases), "KLIK_DATA": str(tmp_path), "KLIK_SECRET_KEY": SECRET}
    done = _finished(tmp_path, wrong, *words)
    assert done.returncode == 78
    assert "snarken" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("db", "upgrade"), ("demo", "--data", "/proc/klik")])
def test_a_folder_nobody_can_write_is_one_danish_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = _finished(tmp_path, {"KLIK_DATA": "/proc/klik"}, *words)
    assert (done.returncode, done.stderr) == (78, "KLIK_DATA: der kan ikke skrives i mappen /proc/klik\n")
