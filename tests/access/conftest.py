"""The world is built once a session and copied for whoever needs it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from klik.app import create_app
from klik.installation import Installation
from klik.web import base
from tests import make
from tests.access import world as worlds
from tests.access.running import Run, stored_at
from tests.access.world import World
from tests.conftest import careless, make_settings


@pytest.fixture(scope="session")
def world_template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[Path, World]:
    """A folder with the world's database and files, and what is in it."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copy(sqlite_template, folder / "klik.sqlite")
    house = Installation(make_settings(folder))
    try:
        built = worlds.build(house)
        with house.database.engine.connect() as connection:
            connection.exec_driver_sql("rollback")
            connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    finally:
        house.close()
    return folder, built


@pytest.fixture
def world(world_template: tuple[Path, World]) -> World:
    """Who and what is in the world."""
    return world_template[1]


@pytest.fixture
def app(
    world_template: tuple[Path, World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The full application on a copy of the world, on the day the world was made."""
    folder = tmp_path / "data"
    shutil.copytree(world_template[0], folder)
    monkeypatch.setattr(base, "moment", lambda: make.NOW)
    built = create_app(make_settings(folder))
    house: Installation = built.extensions["klik"]
    careless(house.database)
    yield built
    house.close()


@pytest.fixture
def run(app: Flask, world: World) -> Iterator[Run]:
    """Asks and judges; the database is put back after every change."""
    with stored_at(app.extensions["klik"].settings.data / "klik.sqlite") as stored:
        yield Run(app, world, stored)
