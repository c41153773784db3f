"""Roles of a plug-in's own, written as a TOML file beside it with the same keys as the files in roles/."""

from __future__ import annotations

import tomllib
from pathlib import Path

from klik.content.keys import read_table
from klik.content.roles import ROLE_KEYS, RoleDescription, role_from


class RolesError(Exception):
    """A file of roles that cannot be used; the Danish text names the file, the role and the key."""


def read_roles(file: Path) -> tuple[RoleDescription, ...]:
    """The ``[[rolle]]`` tables of a TOML file, in its order; docs/content.md names the keys. Raises RolesError."""
    try:
        tables = tomllib.loads(file.read_text("utf-8")).get("rolle", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RolesError(f"{file.name}: {error}") from error
    found = []
    for place, table in enumerate(tables, start=1):
        values, problems = read_table(table, ROLE_KEYS)
        if problems:
            key, sentence = problems[0]
            raise RolesError(f"{file.name}, rolle nr. {place}: {key}: {sentence}")
        found.append(role_from(values))
    return tuple(found)
