"""What must hold of every plug-in, checked on an installation with that plug-in alone."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from klik.plugins import manager
from klik.plugins.declarations import DECLARATIONS, key_of
from klik.plugins.manager import DEMO, Registry
from klik.services import schema
from klik.testing import calls, pages, removal
from klik.testing.site import KLIK, PluginSite


def assert_plugin_contract(name: str, module: ModuleType, folder: Path) -> Registry:
    """What must hold of every plug-in; an AssertionError names each thing that does not. Returns the registry.

    ``name`` is the entry point's, ``folder`` an empty one for an installation of the plug-in alone. Checked: it is
    written for this klik; implements at least one hook and no unknown one; declares nothing faulty, and the same each
    time; its migrations make exactly its tables, and may run twice; everything that is called answers with empty
    tables; each page says its right and never fails, whoever comes and whatever is typed; forms refuse CPR numbers;
    the demo fills it; and klik runs without it, its rows kept.
    """
    problems = _module_problems(module)
    assert not problems, "\n".join(problems)
    try:
        site = PluginSite(name, module, folder)
    except Exception as error:
        raise AssertionError(f"klik does not start with it: {type(error).__name__}: {error}") from error
    try:
        problems += _declaration_problems(name, site.house.registry)
        assert not problems, "\n".join(problems)
        problems += _table_problems(site)
        assert not problems, "\n".join(problems)
        problems += pages.right_problems(site)
        assert not problems, "\n".join(problems)
        problems += calls.problems(site)
        problems += pages.form_problems(module)
        problems += pages.problems(site)
        problems += _demo_problems(site)
        problems += pages.problems(site, pages.WITH_ROWS)
        problems += removal.problems(site)
    finally:
        site.close()
    assert not problems, "\n".join(dict.fromkeys(problems))
    return site.house.registry


def _module_problems(module: ModuleType) -> list[str]:
    problems = []
    wanted = getattr(module, "KLIK_API", None)
    if not manager.fits(wanted):
        problems.append(f"KLIK_API is {wanted}, klik has {manager.API}")
    known = manager.hooks_of(module)
    if not known:
        problems.append("it implements no hook; is @hookimpl there?")
    unknown = sorted(word for word in vars(module) if word.startswith("klik_") and word not in known)
    return problems + [f"klik has no hook {word}" for word in unknown if callable(getattr(module, word))]


def _declaration_problems(name: str, registry: Registry) -> list[str]:
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


def _table_problems(site: PluginSite) -> list[str]:
    schema.upgrade(site.house.database, site.house.registry)
    return schema.differences(site.house.database, site.house.registry)


def _demo_problems(site: PluginSite) -> list[str]:
    try:
        with site.context(KLIK) as context:
            site.house.registry.hooks.tell(site.name, DEMO, context=context)
    except Exception as error:
        return [f"{DEMO} fails on an installation without the other plug-ins: {calls.said(error)}"]
    return []
