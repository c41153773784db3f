"""The hooks. Declarations are called once, at start; the two events after a commit, at least once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from klik.content.roles import RoleDescription
from klik.plugins.context import PluginContext
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
from klik.plugins.markers import hookspec
from klik.plugins.views import ChangeView, PublishedView

if TYPE_CHECKING:
    import click
    from flask import Blueprint


@hookspec
def klik_systems() -> Iterable[ItSystem]:
    """The it-systems that the plug-in speaks for."""
    return ()


@hookspec
def klik_roles() -> Iterable[RoleDescription]:
    """Roles of the gallery that only the plug-in's own systems have."""
    return ()


@hookspec
def klik_task_types() -> Iterable[TaskTemplate]:
    """Templates that KOMBIT starts a new task from."""
    return ()


@hookspec
def klik_extra_fields() -> Iterable[ExtraField]:
    """Fields added to the tasks of its systems."""
    return ()


@hookspec
def klik_deadline_rules() -> Iterable[DeadlineRule]:
    """Ways to compute a deadline, and the sentence that explains each."""
    return ()


@hookspec
def klik_filters() -> Iterable[Filter]:
    """Keys added to the filter language."""
    return ()


@hookspec
def klik_panels() -> Iterable[Panel]:
    """Panels on the task page or the system's page."""
    return ()


@hookspec
def klik_notification_rules() -> Iterable[NotificationRule]:
    """Occasions to tell people about a task."""
    return ()


@hookspec
def klik_channels() -> Iterable[Channel]:
    """Ways to send what people are told."""
    return ()


@hookspec
def klik_importers() -> Iterable[Importer]:
    """Files that can be read in, each with a truthful dry run."""
    return ()


@hookspec
def klik_topics() -> Iterable[Topic]:
    """What people can subscribe to."""
    return ()


@hookspec
def klik_jobs() -> Iterable[Job]:
    """Work of its own that klik's worker does each day or hour."""
    return ()


@hookspec
def klik_measures() -> Iterable[Measure]:
    """How far each municipality is with a system: columns of the heat map."""
    return ()


@hookspec
def klik_commands() -> Iterable[click.Command]:
    """Commands under ``klik <plug-in> …``."""
    return ()


@hookspec
def klik_blueprints() -> Iterable[Blueprint]:
    """Pages under ``/p/<plug-in>/``; every view carries ``klik.plugins.page_access``."""
    return ()


@hookspec
def klik_tables() -> Iterable[PluginTables]:
    """The plug-in's own tables and their migrations."""
    return ()


@hookspec
def klik_task_published(published: PublishedView, context: PluginContext) -> None:
    """A task was published and stored; may come more than once for the same task."""


@hookspec
def klik_municipal_task_changed(change: ChangeView, context: PluginContext) -> None:
    """A municipality's task was changed and stored; may come more than once for the same change."""


@hookspec
def klik_demo(context: PluginContext) -> None:
    """The demo is being filled: put what shows the plug-in at its best into its own tables; once, as klik itself."""
