"""A pytest plug-in for the authors of plug-ins; pytest finds it by itself where klik is installed.

Write a fixture ``klik_plugin`` in conftest.py that returns ``("my", my_module)``, then ask for ``klik_house``.
Nothing of klik is imported before a test asks for it, so other projects' tests in the same environment stay quick.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from klik.installation import Installation
    from klik.plugins.manager import Registry

SECRET = "only-for-the-tests-of-plug-ins-0123456789"


def loaded(name: str, module: ModuleType) -> Any:
    """A module as klik would have found it under this entry-point name."""
    from klik.plugins import manager

    info = manager.PluginInfo(name, "?", "?", manager.hooks_of(module), "i drift")
    return manager.Loaded(name, module, info)


def assert_plugin_contract(name: str, module: ModuleType, folder: Path) -> Registry:
    """What must hold of every plug-in; an AssertionError names each thing that does not. Returns the registry.

    ``name`` is the entry point's, ``folder`` an empty one for an installation of the plug-in alone. Checked: it is
    written for this klik; implements at least one hook and no unknown one; declares nothing faulty, and the same each
    time; each page says which right it takes; its migrations make exactly its tables; and klik starts with it.
    """
    from klik.plugins import manager

    problems = []
    wanted = getattr(module, "KLIK_API", None)
    if not manager.fits(wanted):
        problems.append(f"KLIK_API is {wanted}, klik has {manager.API}")
    if not manager.hooks_of(module):
        problems.append("it implements no hook; is @hookimpl there?")
    unknown = sorted(
        word for word in vars(module) if word.startswith("klik_") and word not in manager.hooks_of(module)
    )
    problems += [f"klik has no hook {word}" for word in unknown if callable(getattr(module, word))]
    assert not problems, "\n".join(problems)
    house = _installation(name, module, folder)
    try:
        problems += _declaration_problems(name, house.registry)
        assert not problems, "\n".join(problems)
        problems += _table_problems(house)
        problems += _page_problems(name, module, house)
    finally:
        house.close()
    assert not problems, "\n".join(problems)
    return house.registry


def _declaration_problems(name: str, registry: Registry) -> list[str]:
    from klik.plugins.declarations import DECLARATIONS, key_of

    problems = [f"{info.name}: {info.state}" for info in registry.plugins if info.state != "i drift"]
    for plugin in registry.hooks.loaded:
        for hook in DECLARATIONS:
            if hook != "klik_tables":
                once, twice = (
                    [key_of(item) for item in registry.hooks.declared(plugin, hook)] for _ in range(2)
                )
                if once != twice:
                    problems.append(f"{name}: {hook} declares something else the second time")
    return problems


def _table_problems(house: Installation) -> list[str]:
    from klik.services import schema

    schema.upgrade(house.database, house.registry)
    schema.upgrade(house.database, house.registry)
    return schema.differences(house.database, house.registry)


def _page_problems(name: str, module: ModuleType, house: Installation) -> list[str]:
    from klik.app import create_app

    app = create_app(house.settings, [loaded(name, module)])
    faults = app.extensions["klik"].registry.guard.faults()
    app.extensions["klik"].close()
    return [
        f"its pages are not taken into use; each must say which right it takes (klik.plugins.page_access): {fault}"
        for key, fault in faults.items()
        if key == f"{name}.klik_blueprints"
    ]


def _installation(name: str, module: ModuleType, folder: Path) -> Installation:
    from klik import settings
    from klik.installation import Installation

    chosen = settings.load({"KLIK_DATA": str(folder), "KLIK_SECRET_KEY": SECRET})
    return Installation(chosen, plugins=[loaded(name, module)])


@pytest.fixture
def klik_plugin() -> tuple[str, ModuleType]:
    """Override it in your conftest.py: the entry point's name and the module."""
    raise pytest.UsageError("write a fixture klik_plugin that returns the plug-in's name and its module")


@pytest.fixture
def klik_house(klik_plugin: tuple[str, ModuleType], tmp_path: Path) -> Iterator[Installation]:
    """An installation on SQLite, with its tables and the 98 municipalities, and with this plug-in alone."""
    from klik.services import schema

    name, module = klik_plugin
    house = _installation(name, module, tmp_path)
    try:
        schema.upgrade(house.database, house.registry)
        yield house
    finally:
        house.close()


@pytest.fixture
def klik_registry(klik_house: Installation) -> Registry:
    """What core and plug-in declare."""
    return klik_house.registry
