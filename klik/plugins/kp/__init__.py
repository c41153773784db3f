"""KP – Kommunernes Pensionssystem (KP Basis), supplied by Netcompany: tasks, a support desk and a Teams channel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flask import Blueprint

from klik.plugins import (
    Channel,
    Importer,
    ItSystem,
    Job,
    PageLink,
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
from klik.plugins.kp import (
    case_pages,  # noqa: F401 – its views stand on the blueprint
    checklists,
    demo,
    desk,  # noqa: F401
    drift,
    due,
    knowledge_pages,  # noqa: F401
    teams,
)
from klik.plugins.kp.pages import blueprint
from klik.plugins.kp.tables import METADATA, VERSIONS

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
            pages=(
                PageLink(
                    address="/p/kp/",
                    label="Support til KP",
                    help="Skriv en god sag til MinSupport, og følg op på den",
                ),
                PageLink(
                    address="/p/kp/fejlsoegning",
                    label="Fejlsøg trin for trin",
                    help="Seks trin, før en fejl meldes",
                ),
                PageLink(
                    address="/p/kp/viden", label="Vidensbase", help="Problemer, der er løst, og hvordan"
                ),
                drift.SIDE.page_link,
            ),
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
    """The checklists on KP's tasks, the cases to follow up on the front page, the driftsside in short on KP's page."""
    return (checklists.PANEL, due.PANEL, drift.SIDE.panel("kp/driftsside.html"))


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
    """The support desk, and the driftsside."""
    return (blueprint, drift.SIDE.blueprint)


@hookimpl
def klik_tables() -> Iterable[PluginTables]:
    """The support desk's, and the driftsside's."""
    return (PluginTables(metadata=METADATA, versions=VERSIONS),)


@hookimpl
def klik_demo(context: PluginContext) -> None:
    """An excellent and a poor case and what was learnt; the driftsside as it stands in the middle of a year."""
    demo.fill(context)
    drift.fill(context)
