"""Panels of plug-ins on a task: shown, escaped, and never able to take the page with them."""

from __future__ import annotations

import threading
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins import FrontView, hookimpl
from klik.plugins.contributions import Panel
from klik.plugins.manager import Loaded, PluginInfo
from klik.services import views
from klik.services.tasks import panels
from klik.settings import Settings
from tests import make
from tests.make import NOW

Data = Callable[..., Mapping[str, Any]]
GOOD = "<p>{{ number }} har {{ word }}</p>"


def a_plugin(
    folder: Path,
    data: Data,
    template: str | None = GOOD,
    applies: Callable[[Any], bool] = lambda _task: True,
    *,
    place: str = "task",
) -> Loaded:
    """A plug-in in a folder of its own with one panel."""
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    if template is not None:
        (folder / "templates" / "panel.html").write_text(template, "utf-8")
    panel = Panel(
        key="prove.panel", title="Prøve", place=place, template="panel.html", applies=applies, data=data
    )
    module = types.ModuleType("prove")
    module.__file__ = str(folder / "__init__.py")
    module.klik_panels = hookimpl(lambda: [panel])  # type: ignore[attr-defined]
    return Loaded("prove", module, PluginInfo("prove", "prove", "1", ("klik_panels",), "i drift"))


@pytest.fixture
def shown(house_settings: Settings, tmp_path: Path) -> Iterator[Callable[..., list[panels.ShownPanel]]]:
    """Call it with what a plug-in does; gives the panels of a task."""
    houses = []

    def show(*what: Any, **more: Any) -> list[panels.ShownPanel]:
        house = Installation(house_settings, plugins=[a_plugin(tmp_path / "plugin", *what, **more)])
        houses.append(house)
        with house.writing(NOW) as work:
            task = make.municipal_task(work.session).id
        with house.reading(NOW) as work:
            row = work.session.get_one(make.MunicipalTask, task)
            return list(panels.task_panels(work, views.municipal_task_views(work, [row])[0]))

    yield show
    for house in houses:
        house.close()


def _data(task: Any, _context: Any) -> Mapping[str, Any]:
    return {"number": task.number, "word": "<script>alert(1)</script>"}


def test_a_panel_is_drawn_from_the_plug_ins_own_template_and_escaped(shown: Any) -> None:
    (panel,) = shown(_data)
    assert (panel.title, panel.plugin) == ("Prøve", "PROVE")
    assert panel.html.startswith("<p>MI ") and "&lt;script&gt;" in panel.html


def test_a_panel_that_does_not_apply_is_not_there(shown: Any) -> None:
    assert shown(_data, applies=lambda _task: False) == []


def _raise(*_arguments: Any) -> Any:
    raise RuntimeError("secret")


def _exit(*_arguments: Any) -> Any:
    raise SystemExit(1)


FAULTS: dict[str, tuple[Any, ...]] = {
    "raises": (_raise,),
    "ends the process": (_exit,),
    "gives None": (lambda _task, _context: None,),
    "gives a list": (lambda _task, _context: [1],),
    "gives names that are no texts": (lambda _task, _context: {1: 2},),
    "too much": (lambda _task, _context: {"number": "x" * 300_000, "word": ""},),
    "a name its template lacks": (lambda _task, _context: {"number": "1"},),
    "a broken template": (_data, "{% if %}"),
    "a template outside its folder": (_data, "{% include '../../secret.html' %}"),
    "applies raises": (_data, GOOD, _raise),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_panel_is_named_and_nothing_else(shown: Any, fault: str) -> None:
    (panel,) = shown(*FAULTS[fault])
    assert panel == panels.ShownPanel("Prøve", "PROVE", None)


def test_a_hanging_panel_is_given_up(shown: Any) -> None:
    let_go = threading.Event()
    try:
        (panel,) = shown(lambda _task, _context: let_go.wait(60))
        assert panel.html is None
    finally:
        let_go.set()


def test_a_panel_without_a_word_is_left_out(shown: Any) -> None:
    assert shown(lambda *_: {"said": False}, "{% if said %}<p>x</p>{% endif %}\n  \n") == []


def test_the_front_page_has_its_panels_and_is_told_whose_it_is(
    house_settings: Settings, tmp_path: Path
) -> None:
    """A municipality's, KOMBIT's and a supplier's front page, asked of one plug-in."""
    seen: list[Any] = []

    def data(view: Any, _context: Any) -> Mapping[str, Any]:
        seen.append(view)
        return {"number": view.municipality.name if view.municipality else "ingen", "word": view.kombit}

    loaded = a_plugin(tmp_path / "plugin", data, place="front")
    house = Installation(house_settings, plugins=[loaded])
    try:
        for level, words in (
            (Level.READER, "Køge har False"),
            (Level.KOMBIT_EDITOR, "ingen har True"),
            (Level.SUPPLIER, "ingen har False"),
        ):
            with house.writing(NOW) as work:
                actor = make.actor(work.session, make.person(work.session, level=level))
            with house.reading(NOW, actor) as work:
                (panel,) = panels.front_panels(work)
                assert panel.html == f"<p>{words}</p>"
        assert all(isinstance(view, FrontView) for view in seen) and len(seen) == 3
    finally:
        house.close()
