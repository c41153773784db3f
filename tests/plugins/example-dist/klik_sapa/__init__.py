"""A third party's plug-in: SAPA, with one of nearly everything a plug-in can add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, render_template
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from klik.plugins import (
    ChangeView,
    Choice,
    DeadlineRule,
    ExtraField,
    Filter,
    ItSystem,
    MunicipalityView,
    Panel,
    PluginContext,
    PluginTables,
    Right,
    SystemView,
    TaskTemplate,
    TaskView,
    field_filter,
    hookimpl,
    page_access,
)

KLIK_API = (1, 0)

METADATA = MetaData()
changes = Table(
    "sapa_changes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("field", String(60), nullable=False),
)
GROUP = ExtraField(
    key="sapa.gruppe",
    system="sapa",
    label="Arbejdsgruppe",
    choices=(
        Choice(value="kommunikation", label="Kommunikation"),
        Choice(value="kompetencer", label="Kompetencer"),
        Choice(value="processer", label="Processer"),
        Choice(value="opsaetning", label="Opsætning"),
    ),
)


@hookimpl
def klik_systems() -> Iterable[ItSystem]:
    return (ItSystem(code="sapa", name="SAPA", supplier="KMD"),)


@hookimpl
def klik_extra_fields() -> Iterable[ExtraField]:
    return (GROUP,)


@hookimpl
def klik_filters() -> Iterable[Filter]:
    return (field_filter(GROUP),)


@hookimpl
def klik_task_types() -> Iterable[TaskTemplate]:
    return (
        TaskTemplate(
            key="sapa.udpeg-gruppe",
            system="sapa",
            title="Udpeg medlemmer til arbejdsgrupperne",
            phase="opstart",
            theme="projektstyring-og-ledelse",
            purpose="Grupperne forbereder pilotkommunerne.",
            deadline_rule="sapa.fredag",
            deadline_parameter="2",
            fields={"sapa.gruppe": "processer"},
        ),
    )


def _friday(task: TaskView, _municipality: MunicipalityView, parameter: str) -> date:
    day = task.published_on + timedelta(weeks=int(parameter))
    return day + timedelta(days=(4 - day.weekday()) % 7)


def _check(parameter: str) -> str | None:
    if parameter.isascii() and parameter.isdecimal() and 1 <= int(parameter) <= 52:
        return None
    return "Antal uger skal være fra 1 til 52."


@hookimpl
def klik_deadline_rules() -> Iterable[DeadlineRule]:
    return (
        DeadlineRule(
            key="sapa.fredag",
            label="En fredag efter udgivelsen",
            parameter_label="Antal uger",
            deadline=_friday,
            check=_check,
            explain=lambda parameter: f"Fredag, mindst {parameter} uger efter udgivelsen",
        ),
    )


def _count(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    assert context.store is not None
    return {"count": context.store.execute(select(func.count()).select_from(changes)).scalar()}


@hookimpl
def klik_panels() -> Iterable[Panel]:
    return (
        Panel(
            key="sapa.aendringer",
            title="Ændringer",
            place="system",
            template="klik_sapa/changes.html",
            applies=lambda view: isinstance(view, SystemView) and view.code == "sapa",
            data=_count,
        ),
    )


pages = Blueprint("sapa", __name__, template_folder="templates")


@pages.get("/")
@page_access(Right.READ_TASKS)
def show(context: PluginContext) -> str:
    return render_template("klik_sapa/page.html", **_count(None, context))


@hookimpl
def klik_blueprints() -> Iterable[Blueprint]:
    return (pages,)


@click.command("hej")
def hello() -> None:
    """Sig hej."""
    click.echo("Hej fra SAPA")


@hookimpl
def klik_commands() -> Iterable[click.Command]:
    return (hello,)


@hookimpl
def klik_tables() -> Iterable[PluginTables]:
    return (PluginTables(metadata=METADATA, versions=Path(__file__).parent / "migrations"),)


@hookimpl
def klik_municipal_task_changed(change: ChangeView, context: PluginContext) -> None:
    if change.system == "sapa" and context.store is not None:
        context.store.execute(insert(changes).values(field=change.field))
