"""The panels plug-ins add to a task: asked one by one, and a failing one costs only itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from klik.models import MunicipalTask
from klik.plugins.context import PluginContext, PluginStore
from klik.plugins.contributions import Panel
from klik.plugins.manager import plugin_of
from klik.plugins.views import MunicipalTaskView, SystemView
from klik.services import views
from klik.services.work import Work

LARGEST = 200_000
TASK = "task"


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """A panel as it is shown; ``html`` is None when the plug-in gave no usable answer, ``plugin`` its name."""

    title: str
    plugin: str
    html: str | None


def task_panels(work: Work, task: MunicipalTask) -> tuple[ShownPanel, ...]:
    """The panels for a task, in order of declaration."""
    wanted = [panel for panel in work.registry.panels.values() if panel.place == TASK]
    if not wanted:
        return ()
    view = views.municipal_task_views(work, [task])[0]
    return asked(work, wanted, view)


def asked(work: Work, wanted: list[Panel], view: MunicipalTaskView | SystemView) -> tuple[ShownPanel, ...]:
    """The panels that apply to what is viewed, each made by its plug-in under guard."""
    shown = (_one(work, panel, view) for panel in wanted)
    return tuple(panel for panel in shown if panel is not None)


def _one(work: Work, panel: Panel, view: MunicipalTaskView | SystemView) -> ShownPanel | None:
    """None when the panel does not apply; without html when it failed."""
    plugin = plugin_of(panel.key)
    folder = _templates(work, plugin)
    # Looking only: beside a writing transaction, a second one that may write would wait for it for ever.
    bind = work.session.get_bind().execution_options(klik_writes=False)
    context = work.plugin_context(plugin, tables=False)

    def question() -> str:
        if not panel.applies(view):
            return ""
        # A session of its own: a plug-in that hangs must not sit on the connection the page goes on with.
        with Session(bind) as session:
            return _drawn(panel, view, replace(context, store=PluginStore(session, f"{plugin}_")), folder)

    html = work.registry.guard.ask(
        panel.key, question, None, lambda answer: isinstance(answer, str) and len(answer) <= LARGEST
    )
    if html == "":
        return None
    return ShownPanel(panel.title, plugin.upper(), html)


def _drawn(
    panel: Panel, view: MunicipalTaskView | SystemView, context: PluginContext, folder: Path | None
) -> str:
    data = panel.data(view, context)
    if not isinstance(data, Mapping):
        raise TypeError(f"{panel.key} gave {type(data).__name__}, not a mapping")
    if folder is None:
        raise FileNotFoundError(f"{panel.key} has no templates folder")
    return _environment(folder).get_template(panel.template).render(dict(data))


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
