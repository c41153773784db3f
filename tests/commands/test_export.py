"""``klik export`` gives a municipality's tasks in every format, and nothing of its neighbours."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from klik.cli import klik
from klik.installation import Installation
from klik.services.tasks import attachments
from klik.settings import Settings
from tests import make
from tests.make import NOW


@pytest.fixture
def filled(house: Installation) -> Installation:
    """Køge has two tasks, one with a file; Herning has one."""
    with house.writing(NOW) as work:
        me = make.actor(work.session, make.person(work.session))
        with_file = make.municipal_task(work.session, title="Med bilag").id
        make.municipal_task(work.session, local=True, title="Vores egen")
        make.municipal_task(work.session, title="Herningsk", municipality=make.HERNING)
    with house.writing(NOW, me) as work:
        attachments.add(work, house.files, with_file, "Bilag.txt", b"hej")
    return house


def _run(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("KLIK_DATA", str(settings.data))
    monkeypatch.setenv("KLIK_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("KLIK_SECRET_KEY", settings.secret_key)
    return CliRunner().invoke(klik, ["export", *arguments])


@pytest.mark.parametrize(
    ("kind", "start"),
    [("csv", b"\xef\xbb\xbfNummer"), ("xlsx", b"PK"), ("ics", b"BEGIN:VCALENDAR"), ("pdf", b"%PDF-")],
)
def test_a_list(
    filled: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, start: bytes
) -> None:
    target = tmp_path / f"ud.{kind}"
    result = _run(filled.settings, monkeypatch, "--municipality", "259", "--format", kind, "-o", str(target))
    assert result.exit_code == 0, result.output
    assert "2 opgaver fra Køge" in result.output
    assert target.read_bytes().startswith(start)
    assert b"Herningsk" not in target.read_bytes()


def test_a_package_has_a_pdf_for_each_task_and_the_files(
    filled: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / "ud.zip"
    result = _run(filled.settings, monkeypatch, "--municipality", "259", "--format", "zip", "-o", str(target))
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(target) as package:
        names = sorted(name.rpartition("/")[2] for name in package.namelist())
        assert [name for name in names if name.endswith(".txt")] == ["Bilag.txt", "manifest-sha256.txt"]
        pdfs = [name for name in package.namelist() if name.endswith(".pdf")]
        assert len(pdfs) == 2
        assert all(package.read(name).startswith(b"%PDF-") for name in pdfs)


def test_the_filter_and_what_it_does_not_know(
    filled: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    where = ("--municipality", "259", "--format", "csv", "-o", str(tmp_path / "ud.csv"))
    result = _run(filled.settings, monkeypatch, *where, "--filter", "q=bilag&farve=blå")
    assert "1 opgave fra Køge" in result.output and "“farve” findes ikke" in result.output
    result = _run(filled.settings, monkeypatch, "--municipality", "999", "--format", "csv", "-o", "x.csv")
    assert result.exit_code == 2 and "ingen kommune med koden 999" in result.output
