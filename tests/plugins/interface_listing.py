"""What klik promises plug-ins, as lines that can be compared: names, parts of dataclasses, parameters, hooks.

``python -m tests.plugins.interface_listing`` prints that of the klik at hand, to be stored as
``tests/plugins/interface/<first>.<second>.txt``.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
from collections.abc import Iterator
from enum import Enum
from types import ModuleType
from typing import Any

MODULES = (
    "klik.plugins",
    "klik.plugins.driftsside",
    "klik.plugins.forms",
    "klik.plugins.sheets",
    "klik.testing",
)
OPTIONAL = " (optional)"
MADE_BY_KLIK = frozenset({"Klik", "PluginStore"})
FOR_KLIK = frozenset({"PluginStore.close", "PluginStore.held", "PluginStore.watch"})


def listing() -> list[str]:
    """Every promise, sorted. "(optional)": a caller may leave it out."""
    lines: set[str] = set()
    for name in MODULES:
        module = importlib.import_module(name)
        for word in _public(module):
            lines |= set(_thing(f"{name}.{word}", getattr(module, word)))
    hookspecs = importlib.import_module("klik.plugins.hookspecs")
    for word in vars(hookspecs):
        if word.startswith("klik_"):
            function = getattr(hookspecs, word)
            lines.add(f"hook {word} -> {inspect.signature(function).return_annotation}")
            lines |= {f"hook {word}({parameter})" for parameter in inspect.signature(function).parameters}
    return sorted(lines)


def _public(module: ModuleType) -> list[str]:
    exported = getattr(module, "__all__", None)
    if exported is not None:
        fixtures = [word for word in vars(module) if word.startswith("klik_")]
        return [*exported, *fixtures]
    own = (
        word for word, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    )
    return [word for word in own if not word.startswith("_") and word != "Danish"]


def _thing(name: str, value: Any) -> Iterator[str]:
    yield name
    if inspect.isfunction(value):
        yield from _parameters(name, value)
    elif inspect.isclass(value):
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                optional = (field.default, field.default_factory) != (dataclasses.MISSING,) * 2
                yield f"{name}.{field.name}{OPTIONAL if optional else ''}"
        if issubclass(value, Enum):
            yield from (f"{name}.{member.name} = {member.value}" for member in value)
        for word, method in _methods(value):
            yield f"{name}.{word}"
            yield from _parameters(f"{name}.{word}", method)


def _methods(value: type) -> Iterator[tuple[str, Any]]:
    """What plug-ins call on it; klik makes stores and contexts itself."""
    for word, method in vars(value).items():
        makes = (
            word == "__init__" and not dataclasses.is_dataclass(value) and value.__name__ not in MADE_BY_KLIK
        )
        offered = f"{value.__name__}.{word}" not in FOR_KLIK and (makes or not word.startswith("_"))
        if inspect.isfunction(method) and offered:
            yield word, method


def _parameters(name: str, function: Any) -> Iterator[str]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in ("self", "_form"):
            optional = parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD
            yield f"{name}({parameter.name}){OPTIONAL if optional else ''}"


def broken(promised: list[str], kept: list[str]) -> list[str]:
    """What was promised and is not kept: gone, no longer optional, or demanded of what was known without it."""
    have = set(kept)
    gone = [line for line in promised if line not in have and f"{line}{OPTIONAL}" not in have]
    known = {_owner(line) for line in promised} | set(promised)
    before = {line.removesuffix(OPTIONAL) for line in promised}
    demanded = [
        f"{line} is demanded now"
        for line in kept
        if _is_part(line) and not line.endswith(OPTIONAL) and _owner(line) in known and line not in before
    ]
    return [*gone, *demanded]


def _owner(line: str) -> str:
    """The dataclass or function that a part or a parameter belongs to."""
    line = line.removesuffix(OPTIONAL)
    return line.rpartition("(")[0] if line.endswith(")") else line.rpartition(".")[0]


def _is_part(line: str) -> bool:
    """Whether a caller gives it: a parameter of a function, or a part of something plug-ins make."""
    if line.startswith("hook "):
        return False
    return line.endswith(")") or _owner(line).rpartition(".")[2] in GIVEN


# What plug-ins make themselves; klik makes the other dataclasses, so that a new part is none that anybody must give.
GIVEN = (
    *(
        "Channel",
        "Choice",
        "DeadlineRule",
        "Delivery",
        "Document",
        "ExtraField",
        "Filter",
        "Importer",
        "ImportReport",
    ),
    *(
        "ImportRow",
        "ItSystem",
        "Job",
        "Mark",
        "Measure",
        "NotificationRule",
        "PageLink",
        "Panel",
        "PluginTables",
    ),
    *("RoleDescription", "Sheet", "TaskTemplate", "Topic", "Driftsside"),
)


if __name__ == "__main__":
    sys.stdout.write("\n".join(listing()) + "\n")
