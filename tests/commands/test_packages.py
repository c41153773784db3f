"""``klik export`` without a filter and ``klik import package``: the whole house from one klik to another."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from klik.cli import klik
from klik.installation import Installation
from klik.models import DeletionItem, MunicipalTask
from klik.settings import Settings
from tests import make
from tests.conftest import make_settings
from tests.make import NOW
from tests.services.house_world import fill, tables_only


def _run(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("KLIK_DATA", str(settings.data))
    monkeypatch.setenv("KLIK_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("KLIK_SECRET_KEY", settings.secret_key)
    return CliRunner().invoke(klik, list(arguments))


@pytest.fixture
def empty(tmp_path: Path, sqlite_template: Path) -> Settings:
    """Settings of another klik, with its tables and no content."""
    folder = tmp_path / "andet"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "klik.sqlite")
    return make_settings(folder)


def test_from_one_klik_to_another(
    sqlite_settings: Settings, empty: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house = Installation(sqlite_settings)
    with house.writing(NOW) as work:
        make.municipal_task(work.session, title="Den ene")
        make.municipal_task(work.session, title="Herningsk", municipality=make.HERNING)
    house.close()
    target = str(tmp_path / "hus.zip")
    result = _run(
        sqlite_settings, monkeypatch, "export", "--municipality", "259", "--format", "zip", "-o", target
    )
    assert result.exit_code == 0 and "alt fra Køge, 1 opgave og" in result.output, result.output
    result = _run(empty, monkeypatch, "import", "package", target, "--dry-run")
    assert result.exit_code == 0 and "Prøve: intet er ændret." in result.output, result.output
    result = _run(empty, monkeypatch, "import", "package", target)
    assert result.exit_code == 0 and "1 ny        0 her i forvejen  Kommunens opgaver" in result.output
    result = _run(empty, monkeypatch, "import", "package", target, "--json")
    facts = json.loads(result.stdout)
    assert (facts["new"], facts["wrong"], facts["place"]) == (0, [], "Køge")
    assert _run(empty, monkeypatch, "check").exit_code == 0
    with zipfile.ZipFile(target) as package:
        assert b"Herningsk" not in b"".join(package.read(name) for name in package.namelist())


def test_an_operators_copy_is_no_receipt(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house = Installation(sqlite_settings)
    filled = fill(house)
    with house.writing(NOW) as work:
        task = work.session.scalars(select(MunicipalTask).where(MunicipalTask.title == "Lokal 0")).one()
        done = work.session.scalars(select(DeletionItem)).one()
        work.session.add(
            DeletionItem(
                municipality_id=task.municipality_id,
                deletion_id=done.deletion_id,
                municipal_task_id=task.id,
                state="varslet",
                notified_at=NOW,
            )
        )
    more = ("--filter", "q=lokal+0", "-o", str(tmp_path / "ud.zip"))
    result = _run(sqlite_settings, monkeypatch, "export", "--municipality", "259", "--format", "zip", *more)
    assert result.exit_code == 0 and "1 opgave fra Køge" in result.output, result.output
    with house.reading(NOW) as work:
        states = set(work.session.scalars(select(DeletionItem.state)))
        assert states == {"slettet", "varslet"} and filled.actor.municipality_id == 259
    house.close()


def test_what_is_refused_ends_with_one_sentence(
    sqlite_settings: Settings, empty: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house = Installation(sqlite_settings)
    package = tables_only(fill(house), tmp_path / "hus.zip")
    house.close()
    broken = tmp_path / "daarlig.zip"
    broken.write_bytes(package.read_bytes()[:-100])
    result = _run(empty, monkeypatch, "import", "package", str(broken))
    assert result.exit_code == 1 and "Pakken er ikke læst ind. Filen er beskadiget" in result.output
    result = _run(empty, monkeypatch, "import", "package", str(package), "--municipality", "259")
    assert result.exit_code == 2 and "en pakke siger selv" in result.output
    result = _run(empty, monkeypatch, "import", "ukendt", str(package))
    assert result.exit_code == 2 and "package, core.drejebog" in result.output
    house = Installation(empty)
    with house.reading(NOW) as work:
        assert work.session.scalar(select(func.count(MunicipalTask.id))) == 0
    house.close()
