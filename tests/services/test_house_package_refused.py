"""What is damaged, forged, too new or too large is refused in a Danish sentence, and nothing of it is written."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from klik.installation import Installation
from klik.models import AuditEntry, MunicipalTask, Person, Project, Task, TaskVersion
from klik.services import house_package, packing
from klik.services.errors import RefusedError
from tests import make
from tests.conftest import make_settings
from tests.make import NOW
from tests.services.house_world import fill, rewritten, tables_only


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A package that can be read in."""
    folder = tmp_path_factory.mktemp("hus")
    shutil.copy(sqlite_template, folder / "klik.sqlite")
    house = Installation(make_settings(folder))
    try:
        return tables_only(fill(house), folder / "hus.zip")
    finally:
        house.close()


@pytest.fixture
def empty(tmp_path: Path, sqlite_template: Path) -> Iterator[Installation]:
    """A klik without content."""
    folder = tmp_path / "tomt"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "klik.sqlite")
    house = Installation(make_settings(folder))
    yield house
    house.close()


def _counts(house: Installation) -> list[int]:
    with house.reading(NOW) as work:
        models = (Person, Project, Task, TaskVersion, MunicipalTask, AuditEntry)
        return [work.session.scalar(select(func.count()).select_from(model)) or 0 for model in models]


def _refused(house: Installation, package: Path) -> str:
    """The sentence it is refused with; nothing may be written."""
    before = _counts(house)
    try:
        with house_package.opened(package) as opened, house.writing(NOW) as work:
            report = house_package.read_in(work, house.files, opened, keep=True)
            assert report.wrong and not report.kept, "it was read in"
            said = " ".join(report.wrong)
    except RefusedError as refused:
        said = " ".join(refused.problems.values())
    assert _counts(house) == before and not house.files.folder.exists()
    return said


def _zip(source: Path, target: Path, change: Callable[[str, bytes], bytes | None], **more: bytes) -> Path:
    """The package with members changed and the manifest as it was; None leaves one out, ``more`` adds some."""
    with zipfile.ZipFile(source) as package, zipfile.ZipFile(target, "w") as out:
        for name in package.namelist():
            content = change(name, package.read(name))
            if content is not None:
                out.writestr(name, content)
        for name, content in more.items():
            out.writestr(name, content)
    return target


def _same(_name: str, content: bytes) -> bytes:
    return content


def _link(source: Path, target: Path) -> Path:
    shutil.copy(source, target)
    info = zipfile.ZipInfo("filer/genvej")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(target, "a") as package:
        package.writestr(info, "/etc/passwd")
    return target


def _twice(source: Path, target: Path) -> Path:
    shutil.copy(source, target)
    with zipfile.ZipFile(target, "a") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr("data/personer.json", "{}")
    return target


def _bomb(source: Path, target: Path) -> Path:
    shutil.copy(source, target)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("data/nul.json", b"\0" * 100_000_000)
    return target


def _cut(source: Path, target: Path) -> Path:
    target.write_bytes(source.read_bytes()[:-3000])
    return target


def _flipped(source: Path, target: Path) -> Path:
    content = bytearray(source.read_bytes())
    content[content.index(b"Rettet titel")] ^= 1
    target.write_bytes(bytes(content))
    return target


def _no_zip(_source: Path, target: Path) -> Path:
    target.write_bytes(b"hej")
    return target


def _tasks(_source: Path, target: Path) -> Path:
    packing.write(target, (), [packing.Member("opgave/opgave.json", b"{}")])
    return target


PACKAGES: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "no ZIP": (_no_zip, "ingen ZIP-fil"),
    "cut short": (_cut, "beskadiget"),
    "a bit flipped": (_flipped, "beskadiget"),
    "a member changed": (
        lambda s, t: _zip(s, t, lambda n, c: c + b" " if n == "data/personer.json" else c),
        "ikke, som manifestet siger",
    ),
    "a member left out": (
        lambda s, t: _zip(s, t, lambda n, c: None if n == "data/opgaver.json" else c),
        "»data/opgaver.json« mangler",
    ),
    "a member more": (lambda s, t: _zip(s, t, _same, **{"data/mere.json": b"{}"}), "står ikke i manifestet"),
    "a member twice": (_twice, "to gange"),
    "a slip": (lambda s, t: _zip(s, t, _same, **{"../../ud.txt": b"x"}), "peger ud af pakken"),
    "an absolute path": (lambda s, t: _zip(s, t, _same, **{"/etc/ud.txt": b"x"}), "peger ud af pakken"),
    "a drive": (lambda s, t: _zip(s, t, _same, **{"C:/ud.txt": b"x"}), "peger ud af pakken"),
    "a link": (_link, "genvej"),
    "a bomb": (_bomb, "fylder langt mere pakket ud"),
    "no manifest": (
        lambda s, t: _zip(s, t, lambda n, c: None if n == packing.MANIFEST else c),
        "ikke en pakke",
    ),
    "a newer version": (
        lambda s, t: rewritten(
            s, t, lambda n, c: c.replace(b"klik-hus/1", b"klik-hus/2") if n == "hus.json" else c
        ),
        "version 2; dette klik kender til og med version 1",
    ),
    "only tasks": (_tasks, "ikke en kommunes hele indhold"),
    "no JSON": (
        lambda s, t: rewritten(s, t, lambda n, c: b"[" * 100_000 if n == "data/opgaver.json" else c),
        "kan ikke læses som JSON",
    ),
    "another municipality": (
        lambda s, t: rewritten(s, t, lambda n, c: c.replace(b'"municipality": 259', b'"municipality": 999')),
        "Kommunen med koden 999 findes ikke",
    ),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_that_is_not_whole(name: str, good: Path, empty: Installation, tmp_path: Path) -> None:
    make_it, said = PACKAGES[name]
    found = _refused(empty, make_it(good, tmp_path / "daarlig.zip"))
    assert said in found and found.startswith("Pakken er ikke læst ind. ")


def _row(table: str, **values: Any) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        if name != f"data/{table}.json":
            return content
        rows = json.loads(content)["rows"]
        rows[0].update(values)
        return json.dumps({"table": table, "rows": rows}).encode()

    return change


ROWS: dict[str, tuple[Callable[[str, bytes], bytes], str]] = {
    "a level that rules klik": (_row("medlemskaber", level="kombit-administrator"), "ikke til i en kommune"),
    "too long": (_row("opgaver", title="x" * 201), "201 tegn og må højst være på 200"),
    "a field nobody knows": (_row("opgaver", password_hash="x"), "kendes ikke"),
    "another type": (_row("opgaver", round="1"), "intet helt tal"),
    "no date": (_row("opgaver", deadline="i morgen"), "ingen dato"),
    "a moment without a zone": (_row("kommentarer", at="2026-11-21T07:00:00"), "ingen dato"),
    "empty": (_row("kommentarer", text=None), "er tomt"),
    "a character no database holds": (_row("kommentarer", text="a\0b"), "ikke kan gemmes"),
    "a person who is not there": (_row("kommentarer", author="x@y.dk"), "ikke med i pakken"),
    "a task who is not there": (_row("kommentarer", municipal_task="kp/XX 99"), "ikke med i pakken"),
    "a draft": (_row("klik_opgaver", state="kladde"), "ikke udgivet"),
    "a hash that is a path": (_row("filer", sha256="../../../etc/passwd"), "ingen SHA-256"),
    "a media type that runs": (_row("filer", media_type="text/html"), "ikke kan vedhæftes"),
    "a filter for everybody": (_row("gemte_filtre", shared="alle"), "ikke delt i kommunen"),
    "a status nobody knows": (
        _row("opgaver", status="glemt"),
        "Databasen afviste en række i data/opgaver.json",
    ),
    "a responsible from elsewhere": (_row("opgaver", responsible="udefra/Anna Bech"), "Databasen afviste"),
    "an address that is none": (_row("personer", email="mette"), "ingen mailadresse"),
    "not deleted": (_row("slettede_opgaver", state="varslet"), "ikke slettet"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_cannot_be(name: str, good: Path, empty: Installation, tmp_path: Path) -> None:
    change, said = ROWS[name]
    assert said in _refused(empty, rewritten(good, tmp_path / "forkert.zip", change))


def test_a_text_that_kombit_has_otherwise_here(good: Path, empty: Installation, tmp_path: Path) -> None:
    other = rewritten(good, tmp_path / "anden.zip", lambda n, c: c.replace(b"Rettet titel", b"Anden titel"))
    with house_package.opened(other) as opened, empty.writing(NOW) as work:
        assert house_package.read_in(work, empty.files, opened, keep=True).kept
    with house_package.opened(good) as opened, empty.writing(NOW) as work:
        report = house_package.read_in(work, empty.files, opened, keep=True)
        assert not report.kept and "har en anden tekst i dette klik" in " ".join(report.wrong)


def test_a_role_that_has_another_primary_here(good: Path, empty: Installation) -> None:
    with empty.writing(NOW) as work:
        make.holding(work.session, holder=make.person(work.session, "En anden"))
    with house_package.opened(good) as opened, empty.writing(NOW) as work:
        report = house_package.read_in(work, empty.files, opened, keep=True)
        assert report.kept and "systemansvarlig har en anden primær her" in " ".join(report.remarks)


def test_what_was_refused(good: Path, empty: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    with house_package.opened(good) as opened, empty.writing(NOW) as work:
        assert house_package.read_in(work, empty.files, opened, keep=True).kept, "the good one is read in"
    with capsys.disabled():
        sys.stdout.write(
            f"\npackage: {len(PACKAGES)} damaged packages and {len(ROWS)} forged rows refused, 0 written\n"
        )
