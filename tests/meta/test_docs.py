"""What the documents say is there is there, and what is there is in the documents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from klik.cli import klik
from klik.installation import Installation
from klik.settings import NAMES, Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
EVERYWHERE = {"--data", "--help"}


def settings_problems(page: str, names: set[str]) -> list[str]:
    """Settings that the page does not explain, and explained ones that klik does not know."""
    rows = set(re.findall(r"^\| `(KLIK_[A-Z_]+)` \|.*\| .+ \|$", page, re.MULTILINE))
    return [f"{name}: not in docs/settings.md" for name in sorted(names - rows)] + [
        f"{name}: klik reads no such setting" for name in sorted(rows - names)
    ]


def plugin_settings() -> set[str]:
    """The settings that plug-ins read, by their names in the code."""
    sources = (ROOT / "klik" / "plugins").rglob("*.py")
    found = re.findall(
        r"\bKLIK_[A-Z]+_[A-Z_]*[A-Z]\b", "\n".join(each.read_text("utf-8") for each in sources)
    )
    return set(found) - NAMES - {"KLIK_API"}


def test_every_setting_is_explained_and_none_besides() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert len(plugin_settings()) >= 2
    assert settings_problems(page, NAMES | plugin_settings()) == []
    assert settings_problems(page, NAMES | plugin_settings() | {"KLIK_NY"}) == [
        "KLIK_NY: not in docs/settings.md"
    ]
    assert settings_problems(page, (NAMES | plugin_settings()) - {"KLIK_DATA"}) == [
        "KLIK_DATA: klik reads no such setting"
    ]


def commands(settings: Settings) -> dict[str, click.Command]:
    """Every command by its full name, plug-ins' included."""
    root = click.Context(klik, info_name="klik", obj={"installation": Installation(settings)})
    try:
        plugins = {info.name for info in root.obj["installation"].registry.plugins}
        return dict(_walk("klik", klik, root, sorted(plugins)))
    finally:
        root.obj["installation"].close()


def _walk(
    name: str, command: click.Command, context: click.Context, more: list[str]
) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if not isinstance(command, click.Group):
        return
    for word in [*command.list_commands(context), *more]:
        below = command.get_command(context, word)
        if below is not None:
            inner = click.Context(below, info_name=word, parent=context)
            yield from _walk(f"{name} {word}", below, inner, [])


def sections(page: str) -> dict[str, str]:
    """The text below each command's heading."""
    parts = re.split(r"^## `(klik[^`]*)`$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def command_problems(page: str, tree: dict[str, click.Command]) -> list[str]:
    """Where docs/commands.md and the commands part ways."""
    written = sections(page)
    found = [f"{name}: no section in docs/commands.md" for name in sorted(tree.keys() - written.keys())]
    found += [f"{name}: there is no such command" for name in sorted(written.keys() - tree.keys())]
    for name in sorted(tree.keys() & written.keys()):
        options = [each for each in tree[name].params if isinstance(each, click.Option) and not each.hidden]
        rows = set(re.findall(r"^\| `(--?[a-z0-9-]+)` \| .+ \|$", written[name], re.MULTILINE))
        known = {option for each in options for option in each.opts}
        needed = {max(each.opts, key=len) for each in options}
        if name != "klik":
            needed -= EVERYWHERE
        found += [f"{name} {option}: not in docs/commands.md" for option in sorted(needed - rows)]
        found += [f"{name} {option}: there is no such option" for option in sorted(rows - known)]
        arguments = [each for each in tree[name].params if isinstance(each, click.Argument)]
        found += [
            f"{name}: does not name its argument {each.metavar or each.name}"
            for each in arguments
            if f"`{each.metavar or each.name}`" not in written[name]
        ]
    return found


def test_every_command_is_documented_and_none_besides(sqlite_settings: Settings) -> None:
    tree = commands(sqlite_settings)
    assert {"klik db upgrade", "klik demo", "klik ksd vis-r23"} <= set(tree) and len(tree) > 20
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert command_problems(page, tree) == []
    assert command_problems(page, tree | {"klik ny": klik}) == ["klik ny: no section in docs/commands.md"]
    assert command_problems(page.replace("| `--port` |", "| `--havn` |"), tree) == [
        "klik demo --port: not in docs/commands.md",
        "klik demo --havn: there is no such option",
    ]
    assert command_problems(page.replace("backup `FIL` into", "backup into"), tree) == [
        "klik db restore: does not name its argument FIL"
    ]


def test_every_command_shown_in_a_document_exists(sqlite_settings: Settings) -> None:
    tree = commands(sqlite_settings)
    shown = [(page.name, line) for page in PAGES for line in shown_commands(page.read_text("utf-8"))]
    assert len(shown) >= 5
    assert [problem for name, line in shown for problem in line_problems(name, line, tree)] == []
    assert line_problems("x", "bin/klik udgiv alt", tree) == [
        "x: klik udgiv is no command (bin/klik udgiv alt)"
    ]
    assert line_problems("x", "klik db upgrade --hurtigt", tree) == [
        "x: klik db upgrade has no option --hurtigt (klik db upgrade --hurtigt)"
    ]


def shown_commands(page: str) -> list[str]:
    """The lines in sh blocks that call klik."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if re.search(r"(^|[ /])klik( |$)", line.split("#")[0]) and calls(line)]


def calls(line: str) -> list[str]:
    """The words from klik on, when the line runs it; empty when klik is only named."""
    words = shlex.split(line, comments=True)
    for place, word in enumerate(words):
        if word in ("klik", "bin/klik") or word.endswith("/bin/klik"):
            before = words[:place]
            ran = not before or all("=" in each or each in ("sudo", "env", "-u", "klik") for each in before)
            if ran and word == "klik" and before[-1:] == ["-u"]:
                continue  # the user, not the program
            if ran:
                return words[place:]
    return []


def line_problems(page: str, line: str, tree: dict[str, click.Command]) -> list[str]:
    """What is wrong with one line that calls klik."""
    words, name = calls(line)[1:], "klik"
    while words and f"{name} {words[0]}" in tree:
        name = f"{name} {words.pop(0)}"
    command = tree[name]
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        return [f"{page}: klik {words[0]} is no command ({line})"]
    known = {option for each in command.params for option in each.opts} | {"--help"}
    used = [word.partition("=")[0] for word in words if word.startswith("--")]
    return [f"{page}: {name} has no option {word} ({line})" for word in used if word not in known]


def broken_links(page: Path, text: str) -> list[str]:
    """Relative links to files that are not there, and anchors of headings that are not."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        there = (
            text if not name else file.read_text("utf-8") if file.suffix == ".md" and file.is_file() else ""
        )
        if not file.exists():
            found.append(f"{page.name}: {target} is not there")
        elif anchor and anchor not in {
            heading_anchor(line) for line in there.splitlines() if line[:1] == "#"
        }:
            found.append(f"{page.name}: {target} has no such heading")
    return found


def heading_anchor(line: str) -> str:
    """A heading's anchor as Git hosts make it."""
    return re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    assert broken_links(page, page.read_text("utf-8")) == []


def test_broken_links_are_seen() -> None:
    assert len(PAGES) > 8 and any("](" in page.read_text("utf-8") for page in PAGES)
    page = ROOT / "docs" / "operations.md"
    assert broken_links(page, "[x](nowhere.md) [y](settings.md) [z](https://klik.example)") == [
        "operations.md: nowhere.md is not there"
    ]
    assert broken_links(page, "# A b\n[x](#a-b) [y](#a-c)") == ["operations.md: #a-c has no such heading"]
