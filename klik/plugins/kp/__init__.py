"""KP – Kommunernes Pensionssystem (KP Basis), supplied by Netcompany: tasks, checklists and a Teams channel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from klik.plugins import (
    Channel,
    ItSystem,
    Panel,
    RoleDescription,
    TaskTemplate,
    hookimpl,
    read_roles,
    read_task_types,
)
from klik.plugins.kp import checklists, teams

KLIK_API = (1, 0)
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
    """The support course's checklists, on KP's tasks."""
    return (checklists.PANEL,)


@hookimpl
def klik_channels() -> Iterable[Channel]:
    """Teams, where the installation has given an address."""
    return (teams.CHANNEL,)
