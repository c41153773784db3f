"""Task types written as a TOML file beside the plug-in, so that their words can be read and mended on their own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from klik.plugins.contributions import TaskTemplate

# The file's words (Danish, as in phases/ and roles/) and what they fill.
KEYS: Mapping[str, str] = {
    "titel": "title",
    "fase": "phase",
    "tema": "theme",
    "nummer": "number",
    "formaal": "purpose",
    "beskrivelse": "description",
    "forudsaetninger": "prerequisites",
    "fremgangsmaade": "how_to",
    "resultat": "result",
    "materiale": "material",
    "kontakt": "contact",
    "ansvarlig_rolle": "responsible_role",
    "udfoerende_rolle": "executor_role",
    "udpeger": "appoints_role",
    "prioritet": "priority",
    "infrastruktur": "infrastructure",
    "fristregel": "deadline_rule",
    "fristparameter": "deadline_parameter",
    "felter": "fields",
    "trin": "steps",
}


class TaskTypesError(Exception):
    """A file of task types that cannot be used; the Danish text names the file, the task and the key."""


def read_task_types(file: Path, plugin: str, system: str | None) -> tuple[TaskTemplate, ...]:
    """The ``[[opgave]]`` tables of a TOML file as templates of one system, in the file's order.

    ``noegle`` becomes the key ("kp.mi-15"); raises TaskTypesError for a wrong file.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8")).get("opgave", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TaskTypesError(f"{file.name}: {error}") from error
    return tuple(_template(table, file.name, plugin, system) for table in tables)


def _template(table: Mapping[str, Any], name: str, plugin: str, system: str | None) -> TaskTemplate:
    values = dict(table)
    key = values.pop("noegle", None)
    if not isinstance(key, str):
        raise TaskTypesError(f"{name}: en opgave mangler noegle")
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise TaskTypesError(f"{name}, {key}: {unknown[0]} kendes ikke; brug {', '.join(KEYS)}")
    try:
        texts: dict[str, Any] = {
            KEYS[word]: value.strip() if isinstance(value, str) else value for word, value in values.items()
        }
        texts["steps"] = tuple(texts.get("steps", ()))
        return TaskTemplate(key=f"{plugin}.{key}", system=system, **texts)
    except TypeError as error:
        raise TaskTypesError(f"{name}, {key}: titel, fase, tema og formaal skal være der") from error
