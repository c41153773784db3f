"""Fixtures every test may ask for. ``house`` is an installation on SQLite and on PostgreSQL, both always."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from klik import settings as settings_module
from klik.app import create_app
from klik.db import Database
from klik.installation import Installation
from klik.services import schema
from klik.settings import Settings
from tests import remembered
from tests.client import Browser
from tests.postgres import PostgresServer, fresh_postgres_database, postgres_server, postgres_url

__all__ = ["fresh_postgres_database", "postgres_server", "postgres_url"]

SECRET = "a-secret-key-for-tests-only-0123456789"
LOOPBACK = ("127.0.0.1", "::1", "localhost")

remembered.remember()


def pytest_configure(config: pytest.Config) -> None:
    """What the processes of the tests compile of Python is kept for the next one, beside no source, until the end.

    An environment that forbids Python to keep it makes each of hundreds of starts three seconds of compiling.
    """
    if hasattr(config, "workerinput"):
        return  # a worker is started with the environment of the run
    folder = tempfile.mkdtemp(prefix="klik-compiled-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["PYTHONPYCACHEPREFIX"] = folder
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def make_settings(folder: Path, database_url: str = "", **more: str) -> Settings:
    """Settings for a test, with everything else at its default."""
    given = {"KLIK_DATA": str(folder), "KLIK_SECRET_KEY": SECRET, "KLIK_MAIL_FROM": "klik@klik.example"}
    return settings_module.load(given | ({"KLIK_DATABASE_URL": database_url} if database_url else {}) | more)


def _upgraded(settings: Settings) -> None:
    house = Installation(settings)
    try:
        schema.upgrade(house.database, house.registry)
    finally:
        house.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no people, to be copied."""
    folder = tmp_path_factory.mktemp("sqlite-template")
    _upgraded(make_settings(folder))
    return folder / "klik.sqlite"


@pytest.fixture(scope="session")
def postgres_template(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, worker: str
) -> str:
    """The name of a PostgreSQL database with every table and no people, to be copied."""
    name = f"template_{worker}"
    _upgraded(
        make_settings(tmp_path_factory.mktemp("postgres-template"), postgres_server.create_database(name))
    )
    return name


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """The name of this xdist worker."""
    return str(getattr(request.config, "workerinput", {"workerid": "main"})["workerid"])


@pytest.fixture
def sqlite_settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    """Settings of an empty installation on SQLite."""
    shutil.copy(sqlite_template, tmp_path / "klik.sqlite")
    return make_settings(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def house_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty installation, once on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_settings")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    template: str = request.getfixturevalue("postgres_template")
    name = f"klik_{request.getfixturevalue('worker')}_{abs(hash(request.node.nodeid)):x}"
    url = server.create_database(name, template=template)
    try:
        yield make_settings(tmp_path, url)
    finally:
        server.drop_database(name)


def careless(database: Database) -> None:
    """No power cut is tested in this process, so SQLite need not wait for the disk; PostgreSQL does not either."""
    if database.sqlite:

        @event.listens_for(database.engine, "connect")
        def hurry(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("pragma synchronous=off")


@pytest.fixture
def house(house_settings: Settings) -> Iterator[Installation]:
    """An empty installation with its tables, on each database."""
    installation = Installation(house_settings)
    careless(installation.database)
    yield installation
    installation.close()


@pytest.fixture
def browser(house: Installation) -> Iterator[Callable[..., Browser]]:
    """Call it for a browser on the web application of ``house``; every page it fetches is checked."""
    app = create_app(house.settings)
    careless(app.extensions["klik"].database)
    yield lambda **options: Browser(app, **options)
    app.extensions["klik"].close()


@pytest.fixture(autouse=True)
def _stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection to another machine fails the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:  # type: ignore[index]
            raise AssertionError(f"a test wanted to connect to {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
