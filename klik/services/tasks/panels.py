"""The panels plug-ins add to a task, a system's page and the front page: a failing one costs only itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from klik.plugins.answers import is_names, is_panel
from klik.plugins.context import PluginContext
from klik.plugins.contributions import Panel
from klik.plugins.manager import plugin_of
from klik.plugins.views import FrontView, MunicipalTaskView, SystemView, own_copy
from klik.services import for_plugins, views
from klik.services.work import Work

TASK, SYSTEM, FRONT = "task", "system", "front"
View = MunicipalTaskView | SystemView | FrontView
_FAILED: Any = object()


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """A panel as it is shown; ``html`` is None when the plug-in gave no usable answer, ``plugin`` its name."""

    title: str
    plugin: str
    html: str | None


def task_panels(work: Work, view: MunicipalTaskView) -> tuple[ShownPanel, ...]:
    """The panels for a task, in order of declaration."""
    return asked(work, [panel for panel in work.registry.panels.values() if panel.place == TASK], view)


def system_panels(work: Work, view: SystemView) -> tuple[ShownPanel, ...]:
    """The panels for a system's page, in order of declaration."""
    return asked(work, [panel for panel in work.registry.panels.values() if panel.place == SYSTEM], view)


def front_panels(work: Work) -> tuple[ShownPanel, ...]:
    """The panels for the actor's front page, in order of declaration; no statement where there are none."""
    wanted = [panel for panel in work.registry.panels.values() if panel.place == FRONT]
    return asked(work, wanted, _front_view(work)) if wanted else ()


def _front_view(work: Work) -> FrontView:
    actor = work.actor
    own = actor.municipality_id if actor else None
    municipality = views.municipality_views(work, [own], None)[0] if own is not None else None
    return FrontView(municipality=municipality, kombit=actor is None or actor.kombit)


def asked(work: Work, wanted: list[Panel], view: View) -> tuple[ShownPanel, ...]:
    """The panels that apply to what is viewed, each made by its plug-in under guard."""
    shown = (_one(work, panel, view) for panel in wanted)
    return tuple(panel for panel in shown if panel is not None)


def _one(work: Work, panel: Panel, view: View) -> ShownPanel | None:
    """None when the panel does not apply or has nothing to say now; without html when it failed."""
    plugin = plugin_of(panel.key)
    folder = _templates(work, plugin)
    context = for_plugins.context(work, plugin)
    view = own_copy(view)
    # Drawn under guard too: a template can run wild as well as the function that fills it.
    html = work.registry.guard.ask(
        f"{panel.key}/panel",
        lambda: _drawn(panel, view, context, folder) if panel.applies(view) else None,
        _FAILED,
        is_panel,
        store=context.store,
    )
    if html is None:
        return None
    return ShownPanel(panel.title, plugin.upper(), None if html is _FAILED else html)


def _drawn(panel: Panel, view: View, context: PluginContext, folder: Path | None) -> str | None:
    data = panel.data(view, context)
    if not is_names(data):
        raise TypeError(f"{panel.key} gave {type(data).__name__}, not values by name")
    if folder is None:
        raise FileNotFoundError(f"{panel.key} has no templates folder")
    html = _environment(folder).get_template(panel.template).render(dict(data))
    return html if html.strip() else None


def _templates(work: Work, plugin: str) -> Path | None:
    """The plug-in's own templates folder, beside its module; nothing outside it can be named."""
    module: Any = next((each.module for each in work.registry.hooks.loaded if each.name == plugin), None)
    file = getattr(module, "__file__", None)
    return Path(file).parent / "templates" if file else None


@lru_cache(maxsize=32)
def _environment(folder: Path) -> Environment:
    # Everything is escaped, whatever a template's file is called.
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
