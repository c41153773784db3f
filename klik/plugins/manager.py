"""Finding plug-ins, checking them, and collecting what they declare into one immutable registry."""

from __future__ import annotations

import importlib.metadata
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import pluggy

from klik.content.loading import Content
from klik.content.roles import RoleDescription
from klik.plugins import hookspecs
from klik.plugins.contributions import (
    Channel,
    DeadlineRule,
    ExtraField,
    Filter,
    Importer,
    ItSystem,
    Job,
    Measure,
    NotificationRule,
    Panel,
    PluginTables,
    TaskTemplate,
    Topic,
)
from klik.plugins.declarations import DECLARATIONS, MOST_DECLARED, DeclarationError, checked, key_of
from klik.plugins.guard import Guard, fault_of, where
from klik.plugins.markers import PROJECT

GROUP = "klik.plugins"
API = (1, 1)
CORE = "core"
# What the databases and their migrations name their own tables.
DATABASE_NAMES = ("alembic_", "pg_", "sqlite_")
PATIENCE_AT_START = 20.0
log = logging.getLogger("klik.plugins")

DEMO = "klik_demo"


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plug-in as ``klik plugins`` and the operations page show it; ``state`` is a Danish word or sentence."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything declared by core and plug-ins, and the content; made once at start and never changed.

    ``content`` knows the plug-ins' roles too; ``roles`` is those alone.
    """

    content: Content
    yellow_days: int
    systems: Mapping[str, ItSystem]
    roles: Mapping[str, RoleDescription]
    task_types: Mapping[str, TaskTemplate]
    extra_fields: Mapping[str, ExtraField]
    deadline_rules: Mapping[str, DeadlineRule]
    filters: Mapping[str, Filter]
    panels: Mapping[str, Panel]
    notification_rules: Mapping[str, NotificationRule]
    channels: Mapping[str, Channel]
    importers: Mapping[str, Importer]
    topics: Mapping[str, Topic]
    jobs: Mapping[str, Job]
    measures: Mapping[str, Measure]
    tables: Mapping[str, PluginTables]
    plugins: tuple[PluginInfo, ...]
    hooks: PluginHooks = field(repr=False)
    guard: Guard = field(default_factory=Guard, repr=False)
    plugin_settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def fields_of(self, system: str | None) -> tuple[ExtraField, ...]:
        """The extra fields on tasks of this system, in order of declaration."""
        return tuple(extra for extra in self.extra_fields.values() if extra.system == system)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plug-in that was found and fits this version of klik."""

    name: str
    module: Any
    info: PluginInfo


class PluginHooks:
    """The pluggy manager of one application; calls run-time hooks one plug-in at a time."""

    def __init__(self, loaded: Iterable[Loaded]) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self.loaded = tuple(sorted(loaded, key=lambda plugin: plugin.name))
        for plugin in self.loaded:
            self._manager.register(plugin.module, name=plugin.name)
        self._manager.check_pending()

    def declared(self, plugin: Loaded, hook: str) -> Any:
        """What one plug-in returns from a declaration, or nothing when it does not implement it."""
        return self._call(plugin, hook)

    def listeners(self, event: str) -> tuple[str, ...]:
        """The plug-ins that want to hear of an event."""
        return tuple(plugin.name for plugin in self.loaded if hasattr(plugin.module, event))

    def tell(self, name: str, event: str, **facts: Any) -> None:
        """Tell one plug-in of an event; its exception reaches the caller, who keeps the event for later."""
        for plugin in self.loaded:
            if plugin.name == name:
                self._call(plugin, event, **facts)

    def _call(self, plugin: Loaded, hook: str, **facts: Any) -> Any:
        others = [other.module for other in self.loaded if other is not plugin]
        answers = self._manager.subset_hook_caller(hook, others)(**facts)
        return answers[0] if answers else ()


def find(disabled: frozenset[str]) -> tuple[list[Loaded], list[PluginInfo]]:
    """Import every installed plug-in; those that are switched off, broken or too new come back as infos only."""
    loaded: list[Loaded] = []
    others: list[PluginInfo] = []
    points = sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name)
    repeated = {name for name, count in Counter(point.name for point in points).items() if count > 1}
    for point in points:
        distribution = point.dist.name if point.dist else "?"
        version = point.dist.version if point.dist else "?"

        def info(
            state: str,
            hooks: tuple[str, ...] = (),
            name: str = point.name,
            where: tuple[str, str] = (distribution, version),
        ) -> PluginInfo:
            return PluginInfo(name, where[0], where[1], hooks, state)

        if point.name in disabled:
            others.append(info("slået fra"))
            continue
        if point.name in repeated:
            others.append(info("findes i flere pakker og er derfor ikke indlæst"))
            continue
        try:
            module = in_time(point.name, point.load)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            log.error("plug-in %s could not be imported: %s%s", point.name, fault_of(error), where(error))
            others.append(info(f"kunne ikke indlæses: {fault_of(error)}"))
            continue
        wanted = getattr(module, "KLIK_API", None)
        if not fits(wanted):
            others.append(info(f"er skrevet til en anden version af klik ({wanted}), klik har {API}"))
            continue
        loaded.append(Loaded(point.name, module, info("i drift", hooks_of(module))))
    return loaded, others


def fits(wanted: Any) -> bool:
    """Whether a plug-in's KLIK_API fits: the same first number, and not a later second."""
    return (
        isinstance(wanted, tuple)
        and len(wanted) == 2
        and all(isinstance(part, int) for part in wanted)
        and wanted[0] == API[0]
        and wanted[1] <= API[1]
    )


def hooks_of(module: Any) -> tuple[str, ...]:
    return tuple(
        sorted(name for name in vars(hookspecs) if name.startswith("klik_") and hasattr(module, name))
    )


def build(
    content: Content,
    *,
    yellow_days: int,
    core: Mapping[str, Iterable[Any]],
    disabled: frozenset[str] = frozenset(),
    plugins: Iterable[Loaded] | None = None,
    plugin_settings: Mapping[str, str] | None = None,
    core_tables: Collection[str] = (),
) -> Registry:
    """Collect and check everything that is declared; a plug-in with a faulty declaration is left out, named.

    ``core`` holds the core's own filters, rules and channels by hook. ``plugins`` replaces what is installed
    (tests). No plug-in may be named so that its tables would begin as one of ``core_tables``.
    """
    found, others = find(disabled) if plugins is None else (list(plugins), [])
    hooks = PluginHooks(found)
    collected: dict[str, dict[str, Any]] = {hook: {} for hook in DECLARATIONS}
    for hook, items in core.items():
        collected[hook].update({key_of(item): item for item in items})
    infos = list(others)
    healthy: list[Loaded] = []
    for plugin in hooks.loaded:
        try:
            _check_name(plugin.name, [each.name for each in hooks.loaded], core_tables)
            own = in_time(
                plugin.name,
                partial(
                    checked, plugin.name, plugin.module, content, partial(hooks.declared, plugin), collected
                ),
            )
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            log.error("plug-in %s declares something faulty: %s%s", plugin.name, _fault(error), where(error))
            infos.append(
                PluginInfo(
                    plugin.name,
                    plugin.info.distribution,
                    plugin.info.version,
                    plugin.info.hooks,
                    f"er ikke taget i brug: {_fault(error)}",
                )
            )
            continue
        for hook, items in own.items():
            collected[hook].update(items)
        healthy.append(plugin)
        infos.append(plugin.info)
    if len(healthy) != len(hooks.loaded):
        hooks = PluginHooks(healthy)
    return Registry(
        content=content.with_roles(collected["klik_roles"].values()),
        yellow_days=yellow_days,
        **{hook.removeprefix("klik_"): items for hook, items in collected.items()},
        plugins=tuple(sorted(infos, key=lambda info: info.name)),
        hooks=hooks,
        plugin_settings=dict(plugin_settings or {}),
    )


def _check_name(plugin: str, plugins: Iterable[str], core_tables: Collection[str]) -> None:
    """Raise DeclarationError where the prefix of its tables would open somebody else's to it."""
    # SQLite knows no large letters in names, so neither does this.
    prefix = f"{plugin.casefold()}_"
    if plugin.casefold() == CORE or any(
        table.startswith(prefix) for table in (*core_tables, *DATABASE_NAMES)
    ):
        raise DeclarationError(
            f"navnet {plugin} er optaget, for klik har selv noget, der begynder med {prefix}"
        )
    for other in plugins:
        if prefix.startswith(f"{other.casefold()}_") and other != plugin:
            raise DeclarationError(f"navnet {plugin} kan ikke bruges sammen med udvidelsen {other}")


def _fault(error: BaseException) -> str:
    return str(error)[:300] if isinstance(error, DeclarationError) else fault_of(error)


def pages_and_commands(registry: Registry) -> Iterable[tuple[str, list[Any], list[Any]]]:
    """For each plug-in: its name, its blueprints and its commands; a failing one gives none and is logged."""
    for plugin in registry.hooks.loaded:
        yield (
            plugin.name,
            _guarded_list(registry, plugin, "klik_blueprints"),
            _guarded_list(registry, plugin, "klik_commands"),
        )


def _guarded_list(registry: Registry, plugin: Loaded, hook: str) -> list[Any]:
    try:
        return in_time(
            plugin.name, lambda: list(islice(registry.hooks.declared(plugin, hook), MOST_DECLARED))
        )
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        registry.guard.failed(f"{plugin.name}.{hook}", fault_of(error), error)
        return []


def in_time(plugin: str, question: Callable[[], Any]) -> Any:
    """What a plug-in answers at start; raises what it raises, and TimeoutError rather than let it hold up klik."""
    return Guard(patience=PATIENCE_AT_START).run(plugin, question, copy_context(), PATIENCE_AT_START)


def plugin_of(key: str) -> str:
    """The plug-in that a contribution's key belongs to ("ksd.blokerer" → "ksd")."""
    return key.partition(".")[0]
