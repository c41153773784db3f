"""Reading the TOML files of a folder; what cannot be read becomes a problem in Danish."""

import re
import tomllib
from pathlib import Path
from typing import Any

from klik.content.keys import Problem

SIZE_LIMIT = 1_000_000

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# What Python's TOML reader says, in the order to look for it.
_CAUSES = {
    "Cannot overwrite": "samme nøgle står der to gange",
    "Duplicate": "samme nøgle står der to gange",
    "Cannot": "samme afsnit står der to gange",
    "Unterminated string": "en tekst mangler sit afsluttende anførselstegn",
    "Illegal character": "der står et tegn, som ikke må stå her (måske mangler et anførselstegn)",
    "invalid character": "der står et tegn, som ikke må stå her (måske mangler et anførselstegn)",
    "Expected '='": "der mangler et lighedstegn efter nøglen",
    "Expected ']": "et afsnit mangler sin afsluttende ]",
    "Invalid statement": "linjen begynder ikke med en nøgle (a-z, tal, understreg, bindestreg)",
    "Unclosed array": "en liste mangler sin afsluttende ]",
    "Expected newline": "der står mere på linjen, end der må (måske mangler et komma eller anførselstegn)",
    "Unescaped": "der står en omvendt skråstreg; skriv to: \\\\",
    "Invalid value": "værdien kan ikke læses; tekster skal stå i anførselstegn",
}


def read_folder(folder: Path) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    """Each TOML file's table by its shown name (`roles/projektleder.toml`), and the problems of the rest.

    Hidden files and files of other kinds are left alone.
    """
    tables: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml" and path.name[0] != ".")
    except OSError:
        return {}, [Problem(f"{folder.name}/", "", "mappen findes ikke eller kan ikke læses.")]
    if not paths:
        problems.append(Problem(f"{folder.name}/", "", "mappen har ingen filer, der ender på .toml."))
    for path in paths:
        shown = f"{folder.name}/{path.name}"
        found = _read(folder, path)
        if isinstance(found, str):
            problems.append(Problem(shown, "", found))
        else:
            tables[shown] = found
    return tables, problems


def read_file(path: Path) -> dict[str, Any] | str:
    """One TOML file's table, or the sentence that says why there is none."""
    return _read(path.parent, path)


def _read(folder: Path, path: Path) -> dict[str, Any] | str:
    """The table, or the sentence that says why there is none."""
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            return "filen er en genvej ud af mappen; læg selve filen i mappen."
        if not path.is_file():
            return "det er ikke en fil."
        size = path.stat().st_size
        if size > SIZE_LIMIT:
            return f"filen fylder {size / 1_000_000:.1f} MB, højst 1 MB.".replace(".", ",", 1)
        content = path.read_bytes()
    except (OSError, RuntimeError):  # RuntimeError: a shortcut that leads back to itself
        return "filen kan ikke læses."
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"linje {line}: filen er ikke gemt som UTF-8; gem den igen med kodningen UTF-8."
    return _parse(text)


def _parse(text: str) -> dict[str, Any] | str:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _said_in_danish(str(error))
    except RecursionError:
        return "lister eller afsnit ligger for dybt inde i hinanden."
    return table or "filen er tom."


def _said_in_danish(message: str) -> str:
    place = _PLACE.search(message)
    where = f"linje {place[1]}, tegn {place[2]}" if place and place[1] else "sidst i filen"
    cause = next(
        (danish for english, danish in _CAUSES.items() if english in message), "kan ikke læses som TOML"
    )
    return f"{where}: {cause}."
