"""KP – Kommunernes Pensionssystem (KP Basis), supplied by Netcompany: tasks, checklists and a Teams channel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flask import Blueprint

from klik.plugins import (
    Channel,
    Importer,
    ItSystem,
    Job,
    Panel,
    PluginContext,
    PluginTables,
    RoleDescription,
    TaskTemplate,
    Topic,
    hookimpl,
    read_roles,
    read_task_types,
)
from klik.plugins.kp import checklists, drift, teams

KLIK_API = (1, 1)
SYSTEM = "kp"


@hookimpl
def klik_systems() -> Iterable[ItSystem]:
    """KP."""
    return (
        ItSystem(
            code=SYSTEM,
            name="Kommunernes Pensionssystem",
            supplier="Netcompany",
            description="Kommunernes fagsystem til pension, personlige tillæg og helbredstillæg.",
            website="https://kommunernespensionssystem.dk",
            pages=(drift.SIDE.page_link,),
        ),
    )


@hookimpl
def klik_roles() -> Iterable[RoleDescription]:
    """Who leads the pension field, which no other system has."""
    return read_roles(Path(__file__).with_name("roles.toml"))


@hookimpl
def klik_task_types() -> Iterable[TaskTemplate]:
    """The tasks of KP Basis by their numbers, and those every system has."""
    return read_task_types(Path(__file__).with_name("tasks.toml"), "kp", SYSTEM)


@hookimpl
def klik_panels() -> Iterable[Panel]:
    """The support course's checklists, on KP's tasks, and the driftsside in short on KP's page."""
    return (checklists.PANEL, drift.SIDE.panel("kp/driftsside.html"))


@hookimpl
def klik_channels() -> Iterable[Channel]:
    """Teams, where the installation has given an address."""
    return (teams.CHANNEL,)


@hookimpl
def klik_importers() -> Iterable[Importer]:
    """The lists of the driftsside."""
    return drift.SIDE.importers


@hookimpl
def klik_topics() -> Iterable[Topic]:
    """What is new on the driftsside."""
    return drift.SIDE.topics


@hookimpl
def klik_jobs() -> Iterable[Job]:
    """Workarounds end with their release."""
    return (drift.SIDE.job,)


@hookimpl
def klik_blueprints() -> Iterable[Blueprint]:
    """The driftsside."""
    return (drift.SIDE.blueprint,)


@hookimpl
def klik_tables() -> Iterable[PluginTables]:
    """The driftsside's."""
    return (PluginTables(metadata=drift.SIDE.metadata, versions=drift.VERSIONS),)


@hookimpl
def klik_demo(context: PluginContext) -> None:
    """The driftsside as it stands in the middle of a year."""
    drift.fill(context)
