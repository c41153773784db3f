"""Plug-ins' panels on the task page and the system's page, each asked and drawn under guard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from klik.plugins.answers import is_names, is_panel
from klik.plugins.contributions import Panel
from klik.plugins.manager import plugin_of
from klik.plugins.views import MunicipalTaskView, SystemView
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """A panel ready for the page; ``content`` is None when the plug-in failed, and the page says so."""

    key: str
    title: str
    content: Markup | None

    @property
    def anchor(self) -> str:
        """An id for the heading."""
        return f"panel-{self.key.replace('.', '-')}"


class PanelDataError(Exception):
    """A panel's data that is no mapping from names."""


_FAILED = object()


def panels(work: Work, place: str, view: MunicipalTaskView | SystemView) -> tuple[ShownPanel, ...]:
    """The panels for this task ("task") or system ("system"), in order of their keys."""
    shown = []
    for key, panel in sorted(work.registry.panels.items()):
        if panel.place != place:
            continue
        content = _content(work, panel, view)
        if content is not None:
            shown.append(ShownPanel(key, panel.title, Markup(content) if isinstance(content, str) else None))
    return tuple(shown)


def _content(work: Work, panel: Panel, view: MunicipalTaskView | SystemView) -> object:
    """The panel as HTML, None where it does not apply, ``_FAILED`` when it could not be had."""
    plugin = plugin_of(panel.key)
    context = work.plugin_context(plugin)
    template = _environment(work, plugin).get_template

    def question() -> object:
        if not panel.applies(view):
            return None
        data = panel.data(view, context)
        if not is_names(data):
            raise PanelDataError(type(data).__name__)
        return template(panel.template).render(**data)

    return work.registry.guard.ask(panel.key, question, _FAILED, is_panel, store=context.store)


def _environment(work: Work, plugin: str) -> Environment:
    module = next((each.module for each in work.registry.hooks.loaded if each.name == plugin), None)
    return _of_folder(Path(getattr(module, "__file__", None) or "klik").parent / "templates")


@cache
def _of_folder(folder: Path) -> Environment:
    # An environment of their own: a panel's template sees its data, not the request or klik's settings.
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
