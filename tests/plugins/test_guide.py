"""docs/plugin-guide.md works as it stands: its files are the skeleton's, which is built, tested, installed and used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from klik.app import create_app
from klik.cli import klik as command_line
from klik.commands.new_plugin import skeleton
from klik.domain.rights import Level
from klik.installation import Installation
from klik.services import schema
from klik.settings import Settings
from tests import make
from tests.client import Browser

GUIDE = Path(__file__).parents[2] / "docs" / "plugin-guide.md"
SHOWN = {
    "setup.cfg",
    "klik_aula/__init__.py",
    "klik_aula/tasks.toml",
    "klik_aula/deadlines.py",
    "klik_aula/units.py",
    "klik_aula/pages.py",
    "klik_aula/templates/aula/units.html",
    "klik_aula/files.py",
    "tests/test_aula.py",
}


def guides_files(guide: str) -> dict[str, str]:
    """Each file the guide names at the start of a line, with the code block that follows."""
    found = re.findall(
        r"^`([\w./]+\.\w+)`[^\n]*(?:\n(?!```)[^\n]*)*\n```\w+\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL
    )
    return dict(found)


def differing(guide: str, files: dict[str, str]) -> list[str]:
    """Files the guide shows otherwise than the skeleton has them."""
    shown = guides_files(guide)
    return sorted(name for name, text in shown.items() if files.get(name) != text)


def new(*arguments: str) -> Result:
    return CliRunner().invoke(command_line, ["plugins", "new", *arguments])


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KLIK_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_guide_shows_the_skeleton() -> None:
    guide = GUIDE.read_text("utf-8")
    assert set(guides_files(guide)) == SHOWN
    assert differing(guide, skeleton()) == [], "take the skeleton's files over into docs/plugin-guide.md"
    assert differing(guide.replace('label="Løses af"', 'label="Løst af"'), skeleton()) == [
        "klik_aula/__init__.py"
    ]
    tree = {word for line in guide.splitlines() if "── " in line for word in re.findall(r"[\w/]+\.\w+", line)}
    assert {name.rpartition("/")[2] for name in skeleton()} == {name.rpartition("/")[2] for name in tree} | {
        "units.html",
        "panel.html",
    }


def test_a_new_one_passes_its_own_tests_under_its_own_name(tmp_path: Path) -> None:
    made = new("bibliotek", "--folder", str(tmp_path))
    assert made.exit_code == 0 and "13 filer er lavet" in made.output, made.output
    root = tmp_path / "klik-bibliotek"
    files = [file for file in root.rglob("*") if file.is_file()]
    assert len(files) == len(skeleton()) == 13
    assert [file for file in files if "aula" in f"{file}{file.read_text('utf-8')}".lower()] == []
    arguments = ("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "tests")
    tests = run(root, *arguments, PYTHONPATH=str(root))
    assert tests.returncode == 0 and "5 passed" in tests.stdout, tests.stdout + tests.stderr


def test_nothing_is_written_over_and_wrong_names_are_told(tmp_path: Path) -> None:
    mine = tmp_path / "klik-aula" / "setup.cfg"
    mine.parent.mkdir()
    mine.write_text("mit eget", "utf-8")
    refused = new("aula", "--folder", str(tmp_path))
    assert refused.exit_code == 1 and "findes allerede. Der er ikke skrevet noget." in refused.output
    assert mine.read_text("utf-8") == "mit eget" and len(list(mine.parent.iterdir())) == 1
    for name, words in {
        "Ålborg": "2 til 20 små bogstaver",
        "9tal": "det første skal være et bogstav",
        "a": "2 til 20 små bogstaver",
        "x" * 21: "2 til 20 små bogstaver",
        "../væk": "2 til 20 små bogstaver",
        "ksd": "Der er allerede installeret en udvidelse, der hedder ksd.",
        "task": "klik bruger det selv",
        "core": "klik bruger det selv",
        "plugins": "klik bruger det selv",
    }.items():
        refused = new(name, "--folder", str(tmp_path))
        assert refused.exit_code == 2 and words in refused.output, (name, refused.output)
    assert new("sapa", "--folder", str(mine)).exit_code == 1
    assert [each.name for each in tmp_path.iterdir()] == ["klik-aula"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's plug-in, built as a wheel and unpacked: all that installing a pure Python wheel is."""
    folder = tmp_path_factory.mktemp("guide")
    assert new("aula", "--folder", str(folder)).exit_code == 0
    built = run(
        folder / "klik-aula",
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder / "dist"),
        ".",
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


@pytest.fixture
def aula(
    installed: Path, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """klik as it starts where the wheel is installed, upgraded."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(installed))
    house = Installation(sqlite_settings)
    try:
        schema.upgrade(house.database, house.registry)
        yield house
    finally:
        house.close()
        for name in set(sys.modules) - before:
            if name.startswith("klik_aula"):
                del sys.modules[name]


def test_klik_starts_with_it_and_people_use_it(aula: Installation) -> None:
    (info,) = (each for each in aula.registry.plugins if each.name == "aula")
    assert (info.version, info.distribution, info.state) == ("1.0", "klik-aula", "i drift")
    assert schema.differences(aula.database, aula.registry) == []
    with aula.writing(make.NOW) as work:
        project = make.project(work.session, "aula", system_code="aula")
        make.municipal_task(work.session, make.task(work.session, "Find jeres enheder", in_project=project))
        user, reader, other, kombit = (
            make.person(work.session, level=level, municipality=place).email
            for level, place in (
                (Level.PLUS_USER, make.KOEGE),
                (Level.READER, make.KOEGE),
                (Level.READER, make.HERNING),
                (Level.KOMBIT_EDITOR, None),
            )
        )
    app = create_app(aula.settings)
    try:
        browser = Browser(app).sign_in(user)
        page = browser.get("/p/aula/")
        page = browser.submit(page, "/p/aula/", unit="  Skovskolen ", ready="y")
        assert (
            "Skovskolen er gemt." in page.get_text(" ") and page.select_one("tbody th").text == "Skovskolen"
        )
        wrong = browser.submit(page, "/p/aula/", unit="010190-1234", expect=422)
        assert "CPR-numre hører ikke hjemme i klik" in wrong.get_text(" ")
        panel = browser.get("/systemer/aula")
        assert "1 af 1 enheder er klar." in panel.get_text(" ")
        assert panel.select_one('a[href="/p/aula/"]').text == "Enheder"
        assert panel.select_one('a[href="/admin/import/aula.enheder"]') is not None
        assert "Find jeres enheder" not in browser.get("/opgaver?aula.niveau=enhed").get_text(" ")
        assert "Find jeres enheder" in browser.get("/opgaver?system=aula").get_text(" ")
        seen = Browser(app).sign_in(reader).get("/p/aula/")
        assert "Skovskolen" in seen.get_text(" ") and seen.select_one("form[action='/p/aula/']") is None
        assert "0 af 0 er klar." in Browser(app).sign_in(other).get("/p/aula/").get_text(" ")
        assert "1 af 1 er klar." in Browser(app).sign_in(kombit).get("/p/aula/").get_text(" ")
        assert app.extensions["klik"].registry.guard.faults() == {}
    finally:
        app.extensions["klik"].close()
