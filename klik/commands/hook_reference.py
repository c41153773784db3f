"""``klik plugins hooks``: every hook as the code has it, for docs/hooks.md and for authors without the source.

In docs/hooks.md each generated part stands between two marks, first in its section; what is written by hand around
them stays as it is.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import klik.plugins
from klik.plugins import hookspecs
from klik.plugins.declarations import DECLARATIONS

BEGIN, END = "<!-- {} as the code has it -->", "<!-- by hand -->"
VALUES = "## Values"
VALUES_LEAD = "What hooks hand over and take, beside what stands with its hook."


@click.command("hooks")
@click.option("--markdown", metavar="FIL", help="Skriv opslaget ind i denne fil i stedet for på skærmen.")
def command(markdown: str | None) -> None:
    """Vis, hvad en udvidelse kan tilføje: hver krog med dens værdier (på engelsk)."""
    if markdown is None:
        click.echo(updated(""), nl=False)
        return
    file = Path(markdown)
    try:
        before = file.read_text("utf-8")
        file.write_text(updated(before), "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"Filen {markdown} kan ikke læses og skrives.") from error
    click.echo(f"{len(signatures())} kroge er skrevet i {markdown}.")


def signatures() -> dict[str, str]:
    """Every hook with its signature as it is written, in the order of hookspecs.py."""
    return {
        node.name: f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns or ast.Constant(None))}"
        for node in ast.parse(inspect.getsource(hookspecs)).body
        if isinstance(node, ast.FunctionDef)
    }


def updated(page: str) -> str:
    """The page with every generated part as the code has it now; missing sections are added at the end."""
    for name in signatures():
        page = _placed(page, f"## {name}", name, _hook(name), rf"```python\ndef {name}\(.*?\n```\n+")
    return _placed(page, VALUES, "values", _values(), "")


def _placed(page: str, heading: str, name: str, part: str, unmarked: str) -> str:
    """The page with the part first in its section, in the place of the earlier one."""
    block = f"{BEGIN.format(name)}\n\n{part}\n{END}\n"
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    if found is None:
        added = f"{heading}\n\n{block}"
        before = page.find(f"\n{VALUES}\n") + 1 or len(page)
        return f"{page[:before]}{added}\n{page[before:]}".lstrip("\n")
    marks = rf"{re.escape(BEGIN.format(name))}\n.*?{re.escape(END)}\n+"
    body = found[1].lstrip("\n")
    rest = re.sub(marks, "", body, count=1, flags=re.S)
    if rest == body and unmarked:
        rest = re.sub(unmarked, "", body, count=1, flags=re.S)
    section = f"{heading}\n\n{block}\n{rest}" if rest.strip() else f"{heading}\n\n{block}\n"
    return page[: found.start()] + section + page[found.end() :]


def _hook(name: str) -> str:
    parts = [f"```python\n{signatures()[name]}\n```\n", f"{_words(getattr(hookspecs, name))}\n"]
    kind = DECLARATIONS.get(name)
    return "\n".join([*parts, _dataclass(kind)] if kind else parts)


def _values() -> str:
    told = set(DECLARATIONS.values())
    kinds = (getattr(klik.plugins, name) for name in klik.plugins.__all__)
    rest = [kind for kind in kinds if isinstance(kind, type) and kind not in told and _is_value(kind)]
    protocol = "\n".join(_methods(klik.plugins.Klik))
    return "\n".join(
        [
            f"{VALUES_LEAD}\n",
            *(_dataclass(kind) for kind in rest),
            f"`Klik`: {_words(klik.plugins.Klik)}\n\n```python\n{protocol}\n```\n",
        ]
    )


def _is_value(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) and kind.__module__.startswith("klik.plugins")


def _dataclass(kind: Any) -> str:
    lines = "\n".join(f"    {_field(each)}" for each in dataclasses.fields(kind))
    return f"`{kind.__name__}`: {_words(kind)}\n\n```python\nclass {kind.__name__}:\n{lines}\n```\n"


def _field(field: dataclasses.Field[Any]) -> str:
    kind = field.type.__name__ if isinstance(field.type, type) else str(field.type)
    if field.default is not dataclasses.MISSING:
        return f"{field.name}: {kind} = {_right(field.default) or _literal(field.default)}"
    if field.default_factory is not dataclasses.MISSING:
        return f"{field.name}: {kind} = {field.default_factory()!r}"
    return f"{field.name}: {kind}"


def _literal(value: Any) -> str:
    return repr(value).replace("'", '"')


def _right(value: Any) -> str:
    return f"Right.{value.name}" if isinstance(value, klik.plugins.Right) else ""


def _methods(protocol: type) -> Iterator[str]:
    for name, method in vars(protocol).items():
        if not name.startswith("_") and inspect.isfunction(method):
            words = _words(method).replace("\n\n", "\n    # ")
            yield f"def {name}{str(inspect.signature(method)).replace(chr(39), '')}\n    # {words}"


def _words(documented: Any) -> str:
    """The docstring in one paragraph a blank line."""
    paragraphs = (inspect.getdoc(documented) or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs).replace("``", "`")
