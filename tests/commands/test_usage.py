"""What a terminal says about the commands themselves: in Danish, and with the promised code."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from klik.cli import MODULES, Commands, klik
from klik.commands import danish

ENGLISH = ("Usage", "Options", "Commands", "Error", "Show ", "COMMAND", "INTEGER", "TEXT", "Missing", "such")


def _every_command(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    for name in group.list_commands(click.Context(group)):
        below = group.get_command(click.Context(group), name)
        assert below is not None
        found += _every_command(below, (*path, name)) if isinstance(below, click.Group) else [(*path, name)]
    return found


def test_help_is_danish_everywhere() -> None:
    assert isinstance(klik, Commands)
    commands = _every_command(klik)
    assert {path[0] for path in commands if path} == set(MODULES)
    for path in commands:
        shown = CliRunner().invoke(klik, [*path, "--help"])
        assert shown.exit_code == 0
        assert shown.output.startswith("Brug: ")
        assert not [word for word in ENGLISH if word in shown.output], (path, shown.output)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("findes-ikke", "Fejl: Kommandoen findes-ikke findes ikke."),
        ("ksdd", "Fejl: Kommandoen ksdd findes ikke."),
        ("export", "Fejl: Der mangler et valg: '--municipality'."),
        ("export --municipality x", "“x” er ikke et helt tal."),
        ("export --municipality 7 --format csv -o x", "7 ligger ikke inden for 101<=x<=999."),
        ("run-job findes-ikke", "Jobbet “findes-ikke” findes ikke. klik har control, "),
        ("import a findes-ikke", "Fil findes-ikke findes ikke."),
        ("publish", "Skriv navnet på filen, der skal udgives."),
        ("user add", "Der mangler et argument:"),
        ("check --data", "Valget --data skal have en værdi."),
        ("check --nej", "Valget --nej findes ikke."),
        ("check nu", "Der er et argument for meget: nu"),
    ],
)
def test_wrong_use_is_two_and_danish_and_needs_no_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, sentence: str
) -> None:
    monkeypatch.setenv("KLIK_DATA", str(tmp_path / "ingen"))
    monkeypatch.delenv("KLIK_SECRET_KEY", raising=False)
    shown = CliRunner().invoke(klik, arguments.split())
    assert shown.exit_code == 2
    assert sentence in shown.output
    assert not [word for word in ENGLISH if word in shown.output], shown.output


def test_every_text_that_is_translated_is_one_of_clicks() -> None:
    """A new click that words something differently is noticed here."""
    asked = set()
    for part in ("core", "decorators", "exceptions", "formatting", "parser", "termui", "types"):
        spec = importlib.util.find_spec(f"click.{part}")
        assert spec is not None and spec.origin is not None
        for node in ast.walk(ast.parse(Path(spec.origin).read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "ngettext"):
                asked |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    assert set(danish.WORDS) - asked == {"required"}
