"""Plug-ins that misbehave, made in memory: modules with hooks, loaded as installed ones are."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from klik.plugins import hookimpl
from klik.plugins.manager import Loaded, PluginInfo


def plugin(name: str, **hooks: Callable[..., Any]) -> Loaded:
    """A plug-in with these hooks ("klik_panels": function)."""
    module = types.ModuleType(name)
    module.KLIK_API = (1, 0)  # type: ignore[attr-defined]
    for hook, function in hooks.items():
        setattr(module, hook, hookimpl(function))
    return Loaded(name, module, PluginInfo(name, "rogues", "1", tuple(hooks), "i drift"))
