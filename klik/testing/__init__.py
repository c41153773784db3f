"""A pytest plug-in for the authors of plug-ins; pytest finds it by itself where klik is installed.

Write a fixture ``klik_plugin`` in conftest.py that returns ``("my", my_module)``, then ask for ``klik_browser``,
``klik_context``, ``klik_house``, ``klik_registry`` or ``klik_site``. Nothing of klik is imported before a test asks
for it, so other projects' tests in the same environment stay quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import ModuleType

    from klik.installation import Installation
    from klik.plugins import PluginContext
    from klik.plugins.manager import Registry
    from klik.testing.browsing import PluginBrowser
    from klik.testing.site import PluginSite

__all__ = [
    "assert_plugin_contract",
    "loaded",
    "municipal_task_view",
    "municipality_view",
    "task_view",
]
_WHERE = {
    "assert_plugin_contract": "contract",
    "loaded": "site",
    "municipal_task_view": "values",
    "municipality_view": "values",
    "task_view": "values",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"klik.testing.{_WHERE[name]}"), name)
    raise AttributeError(name)


@pytest.fixture
def klik_plugin() -> tuple[str, ModuleType]:
    """Override it in your conftest.py: the entry point's name and the module."""
    raise pytest.UsageError("write a fixture klik_plugin that returns the plug-in's name and its module")


@pytest.fixture
def klik_site(klik_plugin: tuple[str, ModuleType], tmp_path: Path) -> Iterator[PluginSite]:
    """klik on SQLite with this plug-in alone, the 98 municipalities, and one person of each kind."""
    from klik.testing.site import PluginSite

    site = PluginSite(*klik_plugin, tmp_path)
    try:
        yield site
    finally:
        site.close()


@pytest.fixture
def klik_house(klik_site: PluginSite) -> Installation:
    """The installation itself."""
    return klik_site.house


@pytest.fixture
def klik_registry(klik_site: PluginSite) -> Registry:
    """What core and plug-in declare."""
    return klik_site.house.registry


@pytest.fixture
def klik_browser(klik_site: PluginSite) -> Callable[[str], PluginBrowser]:
    """``klik_browser("bruger")``: somebody signed in; the kinds are those of ``klik.testing.site.PEOPLE``."""
    return klik_site.browser


@pytest.fixture
def klik_context(klik_site: PluginSite) -> Callable[..., AbstractContextManager[PluginContext]]:
    """``with klik_context("bruger") as context:`` – what the plug-in is handed; what it writes is stored at the end.

    ``klik_context("klik")`` is klik itself, as jobs and klik_demo get it.
    """
    return klik_site.context
