"""The generated part of docs/hooks.md is what the code says, and writing it anew keeps what was written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from klik.cli import klik as command_line
from klik.commands.hook_reference import BEGIN, END, VALUES, signatures, updated

PAGE = Path(__file__).parents[2] / "docs" / "hooks.md"
COMMAND = "klik plugins hooks --markdown docs/hooks.md"


def test_the_reference_is_what_the_code_says() -> None:
    page = PAGE.read_text("utf-8")
    assert updated(page) == page, f"docs/hooks.md is behind the code; run: {COMMAND}"


def test_the_command_writes_it_and_what_is_behind_is_seen(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    file = tmp_path / "hooks.md"
    behind = page.replace("    supplier: str\n", "    supplier: str | None\n", 1)
    assert behind != page and updated(behind) == page
    file.write_text(behind, "utf-8")
    done = CliRunner().invoke(command_line, [*COMMAND.removeprefix("klik ").split()[:-1], str(file)])
    assert done.exit_code == 0 and done.output.startswith(f"{len(signatures())} kroge er skrevet i ")
    assert file.read_text("utf-8") == page
    lost = CliRunner().invoke(command_line, ["plugins", "hooks", "--markdown", str(tmp_path / "ingen.md")])
    assert lost.exit_code == 1 and "kan ikke læses og skrives" in lost.output
    shown = CliRunner().invoke(command_line, ["plugins", "hooks"])
    assert shown.exit_code == 0 and all(f"\n{each}\n" in shown.output for each in signatures().values())


@pytest.mark.parametrize("name", ["klik_systems", "klik_topics", "klik_demo"])
def test_a_section_written_by_hand_is_taken_over(name: str) -> None:
    """Without marks, with the signature as it stands or an old one; and without the section."""
    signature = f"```python\n{signatures()[name]}\n```\n\n"
    by_hand = "Ord, der er skrevet i hånden.\n\n```python\n@hookimpl\ndef x(): ...\n```\n"
    others = "# Hooks\n\nFørst.\n\n## klik_x_of_somebody\n\nBliver.\n"
    for before in (
        f"{others}\n## {name}\n\n{signature}{by_hand}",
        f"{others}\n## {name}\n\n{signature.replace(') ->', ', app) ->')}{by_hand}",
        f"{others}\n## {name}\n\n{by_hand}",
    ):
        after = updated(before)
        section = after.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert section.startswith(f"\n{BEGIN.format(name)}\n\n```python\n{signatures()[name]}\n```")
        assert section.rstrip().endswith(f"{END}\n\n{by_hand}".rstrip())
        assert "Bliver." in after and "Først." in after and after.count(f"## {name}\n") == 1
        assert updated(after) == after
    added = updated(others)
    assert added.index(f"## {name}\n") < added.index(f"{VALUES}\n")
    assert updated(added) == added


def test_every_value_a_plugin_is_handed_is_in_it() -> None:
    values = PAGE.read_text("utf-8").partition(f"{VALUES}\n")[2]
    for name in ("PluginContext", "TaskView", "PageLink", "ImportReport", "Mark", "Document"):
        assert f"\nclass {name}:\n" in values
    assert "def municipalities(self, system: str | None = None)" in values
