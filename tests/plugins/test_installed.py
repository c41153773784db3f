"""A third party's distribution: built, installed beside klik, found, used, and taken out again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from klik.app import create_app
from klik.installation import Installation
from klik.models import System, TaskVersionField
from klik.plugins.manager import find
from klik.services import schema, systems, views
from klik.settings import Settings
from tests import make
from tests.client import Browser
from tests.conftest import SECRET

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both distributions, installed by pip into a folder of their own."""
    sources = tmp_path_factory.mktemp("sources")
    folder = tmp_path_factory.mktemp("installed")
    for name in ("example-dist", "faulty-dist"):
        # Building writes beside the sources, so it is done to a copy.
        source = shutil.copytree(HERE / name, sources / name)
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
            + ["--no-index", "--disable-pip-version-check", "--target", str(folder), str(source)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PIP_ROOT_USER_ACTION": "ignore"},
        )
    return folder


def klik(target: Path, data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The ``klik`` command in a Python of its own, with the folder on its path."""
    settings = {"KLIK_DATA": str(data), "KLIK_SECRET_KEY": SECRET, "PYTHONPATH": str(target)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KLIK_")}
    return subprocess.run(
        [sys.executable, "-m", "klik", *arguments],
        env=kept | settings | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def listed(target: Path, data: Path, **environment: str) -> dict[str, dict[str, Any]]:
    shown = klik(target, data, "plugins", "--json", **environment)
    assert shown.returncode == 0, shown.stderr
    return {row["name"]: row for row in json.loads(shown.stdout)}


def test_it_is_found_and_listed_with_all_that_is_to_be_known(target: Path, tmp_path: Path) -> None:
    found = listed(target, tmp_path)
    assert set(found) == {"broken", "kp", "ksd", "ky", "leaves", "sapa", "toonew"}
    sapa = found["sapa"]
    assert (sapa["distribution"], sapa["version"], sapa["state"]) == ("klik-sapa", "2.1", "i drift")
    assert "klik_systems" in sapa["hooks"] and "klik_municipal_task_changed" in sapa["hooks"]
    assert [found[name]["state"] for name in ("kp", "ksd", "ky")] == ["i drift"] * 3


def test_those_that_cannot_be_used_are_named_and_the_others_load(target: Path, tmp_path: Path) -> None:
    found = listed(target, tmp_path)
    assert found["toonew"]["state"].startswith("er skrevet til en anden version af klik")
    assert found["broken"]["state"] == "kunne ikke indlæses: ModuleNotFoundError"
    assert found["leaves"]["state"] == "kunne ikke indlæses: SystemExit"
    assert {found[name]["distribution"] for name in ("toonew", "broken", "leaves")} == {"klik-faulty"}


def test_a_plugin_that_is_switched_off_is_not_even_imported(target: Path, tmp_path: Path) -> None:
    found = listed(target, tmp_path, KLIK_DISABLED_PLUGINS="sapa,leaves broken")
    assert {found[name]["state"] for name in ("sapa", "leaves", "broken")} == {"slået fra"}
    assert found["ksd"]["state"] == "i drift"


def test_its_tables_commands_and_pages_work(target: Path, tmp_path: Path) -> None:
    made = klik(target, tmp_path, "db", "upgrade")
    assert made.returncode == 0, made.stderr
    checked = klik(target, tmp_path, "db", "check")
    assert checked.returncode == 0, checked.stderr
    assert klik(target, tmp_path, "sapa", "hej").stdout == "Hej fra SAPA\n"
    assert klik(target, tmp_path, "sapa", "nej").returncode == 2
    # Taken out again: the tables stay, and klik is well.
    checked = klik(target, tmp_path, "db", "check", PYTHONPATH="")
    assert checked.returncode == 0, checked.stderr
    assert "sapa" not in listed(Path("/nowhere"), tmp_path)


def test_import_reads_a_file_from_the_command_line(target: Path, tmp_path: Path) -> None:
    assert klik(target, tmp_path, "db", "upgrade").returncode == 0
    file = str(HERE / "reports" / "r23-fra-juni-2020.csv")
    tried = klik(target, tmp_path, "import", "ksd.r23", file, "--municipality", "259", "--dry-run")
    assert tried.returncode == 0 and "4 ny" in tried.stdout, tried.stderr
    for expected in ("4 ny", "0 ny"):
        done = klik(target, tmp_path, "import", "ksd.r23", file, "--municipality", "259")
        assert done.returncode == 0 and expected in done.stdout, done.stderr
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("Opgavetype;Antal\nManglende kontrol;mange\n", "utf-8")
    assert klik(target, tmp_path, "import", "ksd.r23", str(wrong), "--municipality", "259").returncode == 1
    assert klik(target, tmp_path, "import", "ksd.r23", file).returncode == 1
    assert klik(target, tmp_path, "import", "ksd.r24", file).returncode == 2
    assert klik(target, tmp_path, "import", "ksd.r23", file, "--municipality", "1").returncode == 2
    shown = klik(target, tmp_path, "import", "ksd.r23", file, "--municipality", "259", "--json")
    assert [row["outcome"] for row in json.loads(shown.stdout)["rows"]] == ["uændret"] * 4


def test_plugin_tables_have_their_own_versions_and_match_their_models(house: Installation) -> None:
    assert schema.differences(house.database, house.registry) == []
    schema.upgrade(house.database, house.registry)
    assert schema.differences(house.database, house.registry) == []
    from sqlalchemy import inspect

    tables = set(inspect(house.database.engine).get_table_names())
    assert {"alembic_version_ksd", "alembic_version_ky", "ksd_open_tasks", "ky_readiness"} <= tables
    assert "alembic_version_kp" not in tables


def test_without_a_plugin_klik_runs_and_its_tasks_are_read(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        project = make.project(work.session, "ksd", system_code="ksd")
        version = make.task(work.session, "Drøft blokerende opgaver i ledelsen", in_project=project)
        work.session.add(
            TaskVersionField(task_version_id=version.id, field="ksd.blokerer", value="udbetaling")
        )
        task_id = make.municipal_task(work.session, version).id
        email = make.person(work.session).email
    settings: Settings = replace(house.settings, disabled_plugins=frozenset({"ksd"}))
    without = Installation(settings)
    app = create_app(settings)
    try:
        assert "ksd" not in without.registry.systems
        schema.upgrade(without.database, without.registry)
        assert schema.differences(without.database, without.registry) == []
        with without.reading(make.NOW) as work:
            assert work.session.scalars(select(System.installed).where(System.code == "ksd")).one() is False
            assert systems.one_system(work, "ksd").installed is False
            assert len(views.municipality_views(work, [make.KOEGE], "ksd")) == 1
        browser = Browser(app).sign_in(email)
        assert "ikke i brug" in browser.get("/systemer/ksd").get_text(" ")
        page = browser.get(f"/opgaver/{task_id}").get_text(" ")
        assert "Drøft blokerende opgaver i ledelsen" in page
        browser.get("/p/ksd/", expect=404)
        assert "Drøft blokerende" in browser.get("/opgaver").get_text(" ")
    finally:
        app.extensions["klik"].close()
        without.close()


def test_finding_is_by_entry_points_and_in_order() -> None:
    loaded, _others = find(frozenset())
    assert [plugin.name for plugin in loaded] == ["kp", "ksd", "ky"]
