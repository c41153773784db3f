"""The same looks on PostgreSQL: what is read there is the same, and no more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from klik.app import create_app
from klik.installation import Installation
from klik.web import base
from tests import make
from tests.access import table as tables
from tests.access import world as worlds
from tests.access.running import Run, sample
from tests.access.world import World
from tests.conftest import make_settings
from tests.postgres import PostgresServer

pytestmark = pytest.mark.hard


@pytest.fixture
def there(
    postgres_server: PostgresServer,
    postgres_template: str,
    worker: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Flask, World]]:
    """The application on a world of its own in PostgreSQL."""
    monkeypatch.setattr(base, "moment", lambda: make.NOW)
    url = postgres_server.create_database(f"world_{worker}", template=postgres_template)
    house = Installation(make_settings(tmp_path, url))
    world = worlds.build(house)
    house.close()
    app = create_app(make_settings(tmp_path, url))
    yield app, world
    app.extensions["klik"].close()
    postgres_server.drop_database(f"world_{worker}")


def test_what_is_read_is_the_same(there: tuple[Flask, World], capsys: pytest.CaptureFixture[str]) -> None:
    app, world = there
    run = Run(app, world, None)
    looks = [probe for probe in run.probes(tables.read()) if probe.method == "GET" and probe.kind != "method"]
    assert len(looks) > 5_000
    for probe in sample(looks, 3_000):
        run.ask(probe)
    with capsys.disabled():
        sys.stdout.write(f"\nS1 on PostgreSQL: {run.found.requests} requests, {len(run.found.leaks)} leaks\n")
    assert not run.found.all, "\n".join(run.found.all[:200])
