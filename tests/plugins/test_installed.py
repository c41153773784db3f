"""A third party's distribution: built, installed beside klik, found, used, and taken out again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import inspect, select

from klik.app import create_app
from klik.cli import klik as command_line
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
    """Both distributions, built as wheels and unpacked into a folder of their own.

    klik's environment has no pip of its own; unpacking is all that installing a pure Python wheel is.
    """
    sources = tmp_path_factory.mktemp("sources")
    folder = tmp_path_factory.mktemp("installed")
    for name in ("example-dist", "faulty-dist"):
        # Building writes beside the sources, so it is done to a copy.
        source = shutil.copytree(HERE / name, sources / name)
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(source / "dist")]
        subprocess.run([*build, str(source)], check=True, capture_output=True, text=True)
        (wheel,) = (source / "dist").glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
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


@pytest.fixture(scope="module")
def found(target: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What ``klik plugins --json`` shows when all of them are installed."""
    return listed(target, tmp_path_factory.mktemp("data"))


def test_it_is_found_and_listed_with_all_that_is_to_be_known(found: dict[str, dict[str, Any]]) -> None:
    assert set(found) == {
        "broken",
        "driftsstatus",
        "klarmelding",
        "kp",
        "ksd",
        "ky",
        "leaves",
        "sapa",
        "toonew",
    }
    sapa = found["sapa"]
    assert (sapa["distribution"], sapa["version"], sapa["state"]) == ("klik-sapa", "2.1", "i drift")
    assert "klik_systems" in sapa["hooks"] and "klik_municipal_task_changed" in sapa["hooks"]
    ours = ("driftsstatus", "klarmelding", "kp", "ksd", "ky")
    assert [found[name]["state"] for name in ours] == ["i drift"] * 5


def test_those_that_cannot_be_used_are_named_and_the_others_load(found: dict[str, dict[str, Any]]) -> None:
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
    # Taken out again: the tables stay, and klik is well.
    checked = klik(target, tmp_path, "db", "check", PYTHONPATH="")
    assert checked.returncode == 0, checked.stderr


def test_import_reads_a_file_from_the_command_line(sqlite_settings: Settings, tmp_path: Path) -> None:
    def run(*arguments: str) -> Result:
        environment = {"KLIK_DATA": str(sqlite_settings.data), "KLIK_SECRET_KEY": SECRET}
        return CliRunner().invoke(command_line, ["import", *arguments], env=environment)

    file = str(HERE / "reports" / "r23-fra-juni-2020.csv")
    koege = ("--municipality", "259")
    tried = run("ksd.r23", file, *koege, "--dry-run")
    assert tried.exit_code == 0 and "4 ny" in tried.output
    for expected in ("4 ny", "0 ny"):
        done = run("ksd.r23", file, *koege)
        assert done.exit_code == 0 and expected in done.output
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("Opgavetype;Antal\nManglende kontrol;mange\n", "utf-8")
    assert run("ksd.r23", str(wrong), *koege).exit_code == 1
    assert run("ksd.r23", file).exit_code == 1
    assert run("ksd.r24", file).exit_code == 2
    assert run("ksd.r23", file, "--municipality", "1").exit_code == 2
    shown = run("ksd.r23", file, *koege, "--json")
    assert [row["outcome"] for row in json.loads(shown.output)["rows"]] == ["uændret"] * 4


def test_plugin_tables_have_their_own_versions_and_match_their_models(house: Installation) -> None:
    assert schema.differences(house.database, house.registry) == []
    schema.upgrade(house.database, house.registry)
    assert schema.differences(house.database, house.registry) == []
    tables = set(inspect(house.database.engine).get_table_names())
    assert {"alembic_version_ksd", "alembic_version_ky", "ksd_open_tasks", "ky_readiness"} <= tables
    versions = {name for name in tables if name.startswith("alembic_version_")}
    assert versions == {f"alembic_version_{plugin}" for plugin in house.registry.tables}


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
        assert "Drøft blokerende" in browser.get("/opgaver?fuldfoerte=nej").get_text(" ")
    finally:
        app.extensions["klik"].close()
        without.close()


def test_finding_is_by_entry_points_and_in_order() -> None:
    loaded, _others = find(frozenset())
    assert [plugin.name for plugin in loaded] == ["driftsstatus", "klarmelding", "kp", "ksd", "ky"]
