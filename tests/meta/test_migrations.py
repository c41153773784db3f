"""Migrations are numbered without a gap, one after the other, and HEAD names the newest."""

from __future__ import annotations

import re
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from klik.plugins.manager import Registry

ROOT = Path(__file__).parents[2]


def problems(folder: Path, head: Path | None, prefix: str = "") -> list[str]:
    """What is wrong with one line of migrations; ``prefix`` is a plug-in's name, before its revisions."""
    files = sorted(each.name for each in folder.glob("*.py") if each.name != "__init__.py")
    found = [
        f"{name}: not named like 0002_what_it_does.py"
        for name in files
        if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", name)
    ]
    numbers = [int(name[:4]) for name in files if name[:4].isdigit()]
    if numbers != list(range(1, len(files) + 1)):
        found.append(f"numbered {numbers}, not 1 to {len(files)}")
    before = None
    for name in files:
        source = (folder / name).read_text("utf-8")
        revision, down = (_assigned(source, word) for word in ("revision", "down_revision"))
        if revision != f"{prefix}{name[:4]}":
            found.append(f"{name}: its revision is {revision}")
        if down != before:
            found.append(f"{name}: comes after {down}, not after {before}")
        if "def upgrade() -> None:" not in source:
            found.append(f"{name}: has no upgrade")
        before = revision
    if head is not None and head.read_text("ascii").strip() != before:
        found.append(f"HEAD says {head.read_text('ascii').strip()}, the newest is {before}")
    return found


def _assigned(source: str, name: str) -> str | None:
    match = re.search(rf"^{name}\b[^=]*= (?:\"([^\"]+)\"|None)$", source, re.MULTILINE)
    assert match, f"no {name}"
    return match[1]


def heads(folder: Path) -> list[str]:
    """The ends of the line as Alembic sees them."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "newline")
    return list(ScriptDirectory.from_config(config).get_heads())


def test_the_cores_migrations() -> None:
    folder = ROOT / "migrations" / "versions"
    assert (folder / "0001_the_tables_of_klik.py").is_file()
    assert problems(folder, ROOT / "migrations" / "HEAD") == []
    assert heads(folder) == [(ROOT / "migrations" / "HEAD").read_text("ascii").strip()]


def test_the_plugins_migrations(house) -> None:
    registry: Registry = house.registry
    assert set(registry.tables) >= {"ksd", "ky"}
    for plugin, tables in registry.tables.items():
        assert problems(tables.versions, None, plugin) == [], plugin
        assert len(heads(tables.versions)) == 1


def test_faults_are_seen(tmp_path: Path) -> None:
    def write(name: str, revision: str, down: str | None) -> None:
        before = f'"{down}"' if down else "None"
        (tmp_path / name).write_text(
            f'revision = "{revision}"\ndown_revision = {before}\n\n\ndef upgrade() -> None:\n    pass\n'
        )

    head = tmp_path / "HEAD"
    head.write_text("0002\n")
    write("0001_one.py", "0001", None)
    write("0002_two.py", "0002", "0001")
    assert problems(tmp_path, head) == [] and heads(tmp_path) == ["0002"]
    write("0003_three.py", "0003", "0001")
    assert problems(tmp_path, head) == [
        "0003_three.py: comes after 0001, not after 0002",
        "HEAD says 0002, the newest is 0003",
    ]
    assert sorted(heads(tmp_path)) == ["0002", "0003"]
    (tmp_path / "0003_three.py").unlink()
    write("0004_four.py", "0004", "0002")
    assert "numbered [1, 2, 4], not 1 to 3" in problems(tmp_path, None)
    (tmp_path / "0004_four.py").unlink()
    write("0003_Three.py", "3", "0002")
    assert problems(tmp_path, None)[:2] == [
        "0003_Three.py: not named like 0002_what_it_does.py",
        "0003_Three.py: its revision is 3",
    ]
