"""docs/plugin-guide.md works as it stands: its files are written out, built, tested and installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "plugin-guide.md"
FILES = (
    "setup.cfg",
    "pyproject.toml",
    "klik_aula/__init__.py",
    "klik_aula/tasks.toml",
    "tests/conftest.py",
    "tests/test_aula.py",
)


def guides_files() -> dict[str, str]:
    """Each file the guide names at the start of a line, with the code block that follows."""
    found = re.findall(
        r"^`([\w./]+)`[^\n]*(?:\n(?!```)[^\n]*)*\n```\w+\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S
    )
    return dict(found)


def test_the_guide_holds_every_file_of_its_tree() -> None:
    assert tuple(guides_files()) == FILES


def test_the_guide_gives_a_tested_and_installed_plugin(tmp_path: Path) -> None:
    root, target = tmp_path / "klik-aula", tmp_path / "installed"
    for name, text in guides_files().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KLIK_", "PYTEST_"))}

    def run(*arguments: str, folder: Path = root, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=kept | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    tests = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", PYTHONPATH=str(root))
    assert tests.returncode == 0 and "3 passed" in tests.stdout, tests.stdout + tests.stderr
    built = run("-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", ".")
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (root / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    listed = run(
        *("-m", "klik", "plugins", "--json"),
        folder=tmp_path,
        PYTHONPATH=str(target),
        KLIK_DATA=str(tmp_path / "data"),
        KLIK_SECRET_KEY="a-secret-key-for-tests-only-0123456789",
    )
    assert listed.returncode == 0, listed.stderr
    (aula,) = (row for row in json.loads(listed.stdout) if row["name"] == "aula")
    assert (aula["version"], aula["distribution"], aula["state"]) == ("1.0", "klik-aula", "i drift")
