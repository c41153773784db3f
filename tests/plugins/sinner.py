"""A plug-in with all nineteen hooks, each of which does as it should until it is told to sin; and a good neighbour."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, render_template
from jinja2 import TemplateNotFound
from sqlalchemy import Column, Integer, MetaData, Table, select, text

from klik.installation import Installation
from klik.plugins import (
    Channel,
    DeadlineRule,
    Delivery,
    ExtraField,
    Filter,
    Importer,
    ImportReport,
    ItSystem,
    Job,
    Mark,
    Measure,
    NotificationRule,
    Panel,
    PluginContext,
    Right,
    TaskTemplate,
    Topic,
    hookspecs,
    page_access,
)
from klik.plugins.manager import Loaded
from tests.plugins.rogues import plugin

SECRET = "kanariefugl-9182"
PEOPLE = Table("people", MetaData(), Column("id", Integer))
HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("klik_"))
released = threading.Event()
told: dict[str, Any] = {"hook": "", "deed": None, "house": None, "due": None}


def raises(*_: Any) -> Any:
    raise ValueError(SECRET)


def hangs(*_: Any) -> Any:
    released.wait(20)


def wrong_type(*_: Any) -> Any:
    return object()


def huge(*_: Any) -> Any:
    return "x" * 10_000_000


def nothing(*_: Any) -> Any:
    return None


def mutates(*given: Any) -> Any:
    for each in given:
        if isinstance(each, PluginContext):
            each.settings["KLIK_X_A"] = "b"  # type: ignore[index]
        each.title = SECRET


def prints(*_: Any) -> Any:
    sys.stdout.write(SECRET)
    sys.stderr.write(SECRET)
    logging.getLogger("x").error("%s", SECRET)
    raise RuntimeError(SECRET)


def leaves(*_: Any) -> Any:
    raise SystemExit(SECRET)


def commits(*given: Any) -> Any:
    for each in given:
        if isinstance(each, PluginContext) and each.store is not None:
            each.store._session.commit()
    house: Installation = told["house"]
    with house.database.writing(queued=False) as session:
        session.execute(text("update people set name = 'Overtaget'"))


def bad_template(*_: Any) -> Any:
    raise TemplateNotFound(SECRET)


def fails_to_import(*_: Any) -> Any:
    import findes_ikke  # type: ignore[import-not-found]

    return findes_ikke


def foreign(*given: Any) -> Any:
    for each in given:
        if isinstance(each, PluginContext) and each.store is not None:
            each.store.execute(select(PEOPLE))
    return text("1=1) or (1=1")


DEEDS: tuple[Callable[..., Any], ...] = (
    raises,
    hangs,
    wrong_type,
    huge,
    nothing,
    mutates,
    prints,
    leaves,
    commits,
    bad_template,
    fails_to_import,
    foreign,
)


def may_sin(hook: str, good: Any, *given: Any) -> Any:
    """What the deed gives where this hook is told to sin, else what is good."""
    return told["deed"](*given) if told["hook"] in (hook, "alle") and told["deed"] else good


def _declared(hook: str, items: tuple[Any, ...]) -> Callable[[], Any]:
    """What a hook without run-time calls declares; the deed is done where it is declared."""
    return lambda: may_sin(hook, items)


def _panel(name: str, place: str) -> Panel:
    def data(_view: Any, context: PluginContext) -> Mapping[str, Any]:
        return (
            {"words": f"{name.upper()} virker"} if name == "y" else may_sin("klik_panels", {}, _view, context)
        )

    return Panel(
        key=f"{name}.panel-{place}",
        title=f"Panel {name}",
        place=place,
        template="words.html",
        applies=lambda _view: True,
        data=data,
    )


def sinner(folder: Path) -> Loaded:
    """The plug-in x."""
    page = Blueprint("x", __name__, template_folder="templates")

    @page.get("/")
    @page_access(Right.READ_TASKS)
    def show(context: PluginContext) -> Any:
        if told["hook"] == "klik_blueprints" and told["deed"] is bad_template:
            return render_template("x/findes-ikke.html")
        return may_sin("klik_blueprints", "<p>X virker</p>", context)

    @click.command("goer")
    def command() -> None:
        may_sin("klik_commands", None)

    def told_of(hook: str) -> Callable[..., None]:
        if hook == "klik_demo":
            return lambda context: may_sin(hook, None, context)
        if hook == "klik_task_published":
            return lambda published, context: may_sin(hook, None, published, context)
        return lambda change, context: may_sin(hook, None, change, context)

    hooks: dict[str, Callable[..., Any]] = {
        "klik_systems": _declared("klik_systems", (ItSystem(code="x", name="X", supplier="X"),)),
        "klik_roles": _declared("klik_roles", ()),
        "klik_task_types": _declared("klik_task_types", (_template(),)),
        "klik_extra_fields": _declared(
            "klik_extra_fields",
            (
                ExtraField(
                    key="x.felt",
                    system="x",
                    label="Felt",
                    check=lambda *given: may_sin("klik_extra_fields/vaerdi", None, *given),
                    warning=lambda *given: may_sin("klik_extra_fields/advarsel", None, *given),
                ),
            ),
        ),
        "klik_topics": _declared("klik_topics", (Topic(key="x.emne", label="Emne"),)),
        "klik_tables": _declared("klik_tables", ()),
        "klik_deadline_rules": lambda: (
            DeadlineRule(
                key="x.regel",
                label="X-regel",
                parameter_label="Tal",
                deadline=lambda *given: may_sin("klik_deadline_rules", date(2027, 3, 1), *given),
                check=lambda *given: may_sin("klik_deadline_rules/parameter", None, *given),
                explain=lambda *given: may_sin("klik_deadline_rules", "Reglen i ord", *given),
                yellow_from=lambda *given: may_sin("klik_deadline_rules", date(2027, 2, 1), *given),
            ),
        ),
        "klik_filters": lambda: (
            Filter(
                key="x.filter",
                label="X-filter",
                where=lambda values, question: may_sin(
                    "klik_filters", question.columns.task.id > 0, values, question
                ),
                describe=str,
            ),
        ),
        "klik_panels": lambda: tuple(_panel("x", place) for place in ("task", "system", "front")),
        "klik_notification_rules": lambda: (
            NotificationRule(
                key="x.paamind",
                label="X-påmindelse",
                due=lambda *given: may_sin("klik_notification_rules", told["due"], *given),
                heading=lambda *given: may_sin("klik_notification_rules/ord", "Overskrift", *given),
                sentence=lambda *given: may_sin("klik_notification_rules/ord", "Sætning", *given),
            ),
        ),
        "klik_channels": lambda: (
            Channel(
                key="x.kanal",
                label="X-kanal",
                send=lambda *given: may_sin("klik_channels", Delivery(outcome="sent", reply="ok"), *given),
                lacks=lambda *given: may_sin("klik_channels/lacks", "", *given),
            ),
        ),
        "klik_importers": lambda: (
            Importer(
                key="x.fil",
                label="X-fil",
                help="Hjælp",
                read=lambda *given: may_sin("klik_importers", ImportReport(rows=()), *given),
                right=Right.PUBLISH,
                municipal=False,
                system="x",
            ),
        ),
        "klik_jobs": lambda: (
            Job(
                key="x.job", label="X-job", every="dag", run=lambda *given: may_sin("klik_jobs", None, *given)
            ),
        ),
        "klik_measures": lambda: (
            Measure(
                key="x.maal",
                label="X-mål",
                system="x",
                values=lambda *given: may_sin(
                    "klik_measures", {259: Mark(text="Parat", state="klar")}, *given
                ),
            ),
        ),
        "klik_commands": lambda: (command,),
        "klik_blueprints": lambda: (page,),
        **{
            hook: told_of(hook)
            for hook in ("klik_task_published", "klik_municipal_task_changed", "klik_demo")
        },
    }
    assert set(hooks) == set(HOOKS)
    return _beside(folder, plugin("x", **hooks))


def neighbour(folder: Path) -> Loaded:
    """The plug-in y, whose panels stand beside x's."""
    return _beside(
        folder,
        plugin("y", klik_panels=lambda: tuple(_panel("y", place) for place in ("task", "system", "front"))),
    )


def _beside(folder: Path, loaded: Loaded) -> Loaded:
    templates = folder / "templates"
    templates.mkdir(exist_ok=True)
    (templates / "words.html").write_text("<p>{{ words|default('X virker') }}</p>", "utf-8")
    loaded.module.__file__ = str(folder / "x.py")
    return loaded


def _template() -> TaskTemplate:
    return TaskTemplate(
        key="x.skabelon",
        system="x",
        title="Skabelon",
        phase="opstart",
        theme="it-miljoe-og-infrastruktur",
        purpose="Formål",
    )


def sins(hook: str, deed: Callable[..., Any] | None, house: Installation) -> Iterator[None]:
    """For as long as it lasts the hook does the deed."""
    told.update(hook=hook, deed=deed, house=house)
    released.clear()
    try:
        yield
    finally:
        told.update(hook="", deed=None)
        released.set()
