"""docs/content.md and the loader know the same keys."""

import re
import shutil
from pathlib import Path

import pytest

from klik.content.loading import load
from klik.content.phases import PHASE_KEYS, THEME_KEYS
from klik.content.roles import ROLE_KEYS, Holders, RoleScope

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "content.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a heading of the third level."""
    found = re.search(rf"^### {title}\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


@pytest.mark.parametrize(
    ("title", "keys"),
    [("Nøgler i en fase", PHASE_KEYS), ("Nøgler i et tema", THEME_KEYS), ("Nøgler i en rolle", ROLE_KEYS)],
)
def test_every_key_is_explained_and_none_besides(title, keys):
    rows = re.findall(r"^\| `(\w+)` \| (ja|nej) \| .{10,} \|$", section(title), re.MULTILINE)
    assert rows == [(key.name, "ja" if key.required else "nej") for key in keys]


def test_every_choice_is_explained():
    for value in (*RoleScope, *Holders):
        assert f'`"{value}"`' in section("Nøgler i en rolle")


def test_the_example_loads(tmp_path):
    shutil.copytree(ROOT / "roles", tmp_path / "roles")
    example = re.search(r"```toml\n(.*?)```", section("Et eksempel"), re.DOTALL)
    (tmp_path / "roles" / "datakoordinator.toml").write_text(example[1], encoding="utf-8")
    role = load(ROOT / "phases", tmp_path / "roles").role("datakoordinator")
    assert role.name == "Datakoordinator"
    assert not role.is_retired
