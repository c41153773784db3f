"""KY – Kommunernes Ydelsessystem, supplied by Netcompany and EG: waves, and deadlines before each go-live."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from klik.plugins import (
    ChangeView,
    Choice,
    DeadlineRule,
    ItSystem,
    Measure,
    NotificationRule,
    Panel,
    PluginContext,
    PluginTables,
    PublishedView,
    TaskTemplate,
    hookimpl,
    read_task_types,
)
from klik.plugins.ky import preparation, readiness, reminder
from klik.plugins.ky.go_live import BEFORE_GO_LIVE

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
            waves=(
                Choice(value="pilot", label="Pilot"),
                Choice(value="b1", label="B1"),
                Choice(value="b2", label="B2"),
                Choice(value="b3", label="B3"),
            ),
        ),
    )


@hookimpl
def klik_task_types() -> Iterable[TaskTemplate]:
    """Tasks with deadlines counted back from the municipality's own go-live."""
    return read_task_types(Path(__file__).with_name("tasks.toml"), "ky", SYSTEM)


@hookimpl
def klik_deadline_rules() -> Iterable[DeadlineRule]:
    """Days before the municipality's own go-live."""
    return (BEFORE_GO_LIVE,)


@hookimpl
def klik_notification_rules() -> Iterable[NotificationRule]:
    """A month to go."""
    return (reminder.BEFORE_GO_LIVE,)


@hookimpl
def klik_panels() -> Iterable[Panel]:
    """How many tasks are closed, on the system's page."""
    return (readiness.PANEL,)


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
