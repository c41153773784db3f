"""KY – Kommunernes Ydelsessystem, supplied by Netcompany and EG: waves, and deadlines before each go-live."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from klik.plugins import (
    ChangeView,
    DeadlineRule,
    ExtraField,
    Filter,
    ItSystem,
    Job,
    Measure,
    NotificationRule,
    Panel,
    PluginContext,
    PluginTables,
    PublishedView,
    RoleDescription,
    TaskTemplate,
    hookimpl,
    read_roles,
    read_task_types,
)
from klik.plugins.ky import countdown, playbook, preparation, readiness, reminder
from klik.plugins.ky.areas import AREA, AREA_FILTER
from klik.plugins.ky.go_live import BEFORE_GO_LIVE
from klik.plugins.ky.legal_effect import BEFORE_EFFECT, EFFECT
from klik.plugins.ky.waves import WAVES

if TYPE_CHECKING:
    from flask import Blueprint

KLIK_API = (1, 1)
SYSTEM = "ky"


@hookimpl
def klik_systems() -> Iterable[ItSystem]:
    """KY, taken into use in waves (seed 003: pilot, B1, B2, B3)."""
    return (
        ItSystem(
            code=SYSTEM,
            name="Kommunernes Ydelsessystem",
            supplier="Netcompany/EG",
            description="Kommunernes fagsystem til kontanthjælp og andre ydelser. Det tages i brug i bølger.",
            waves=WAVES,
            pages=(playbook.LINK,),
        ),
    )


@hookimpl
def klik_roles() -> Iterable[RoleDescription]:
    """Who looks after the systems KY books and collects in."""
    return read_roles(Path(__file__).with_name("roles.toml"))


@hookimpl
def klik_task_types() -> Iterable[TaskTemplate]:
    """Tasks with deadlines counted back from the municipality's own go-live."""
    return read_task_types(Path(__file__).with_name("tasks.toml"), "ky", SYSTEM)


@hookimpl
def klik_deadline_rules() -> Iterable[DeadlineRule]:
    """Days before the municipality's own go-live, and working days before a decision takes effect."""
    return (BEFORE_GO_LIVE, BEFORE_EFFECT)


@hookimpl
def klik_extra_fields() -> Iterable[ExtraField]:
    """The part of the preparation, and the day of legal effect."""
    return (AREA, EFFECT)


@hookimpl
def klik_filters() -> Iterable[Filter]:
    """Tasks of one part of the preparation, ØiR for one."""
    return (AREA_FILTER,)


@hookimpl
def klik_blueprints() -> Iterable[Blueprint]:
    """The playbook."""
    return (playbook.blueprint,)


@hookimpl
def klik_notification_rules() -> Iterable[NotificationRule]:
    """A month to go."""
    return (reminder.BEFORE_GO_LIVE,)


@hookimpl
def klik_panels() -> Iterable[Panel]:
    """How many tasks are closed, on the system's page; and how long there is to go, on the front page."""
    return (readiness.PANEL, countdown.PANEL)


@hookimpl
def klik_jobs() -> Iterable[Job]:
    """Readiness is counted again each day."""
    return (readiness.JOB,)


@hookimpl
def klik_demo(context: PluginContext) -> None:
    """Readiness as the demo's tasks stand."""
    readiness.read_anew(context)


@hookimpl
def klik_measures() -> Iterable[Measure]:
    """How ready each municipality is for its wave."""
    return (preparation.MEASURE,)


@hookimpl
def klik_tables() -> Iterable[PluginTables]:
    """What readiness is counted from."""
    return (PluginTables(metadata=readiness.METADATA, versions=readiness.VERSIONS),)


@hookimpl
def klik_task_published(published: PublishedView, context: PluginContext) -> None:
    """Count KY's task for its municipalities."""
    if published.task.system == SYSTEM and context.store is not None:
        readiness.note_published(published, context.store)


@hookimpl
def klik_municipal_task_changed(change: ChangeView, context: PluginContext) -> None:
    """Count KY's task as closed or open again."""
    if change.system == SYSTEM and change.field == "status" and context.store is not None:
        readiness.note_change(change, context.store)
