"""Every name that is used is there: what two merged changes break between them, and no test happens to call.

Of mypy's findings only these are asked for; the rest is advice (`.venv/bin/mypy klik`).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASKED_FOR = ("attr-defined", "call-arg", "import-not-found", "name-defined")


def missing_names(folder: Path, *packages: str) -> list[str]:
    """mypy's lines about names that are not there, or arguments nobody takes."""
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", *packages],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode in (0, 1), found.stdout + found.stderr
    return [
        line
        for line in found.stdout.splitlines()
        if re.search(rf": error: .*\[({'|'.join(ASKED_FOR)})\]$", line)
    ]


def test_every_name_is_there() -> None:
    assert missing_names(ROOT, "klik", "bench") == []


def test_a_missing_name_is_found(tmp_path: Path) -> None:
    package = tmp_path / "house"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "door.py").write_text("def opened() -> int:\n    return 1\n")
    (package / "guest.py").write_text(
        "from house import door\n\n\ndef visit() -> int:\n    return door.open() + door.opened(2)\n"
    )
    assert [line.rpartition("[")[2] for line in missing_names(tmp_path, "house")] == [
        "attr-defined]",
        "call-arg]",
    ]
