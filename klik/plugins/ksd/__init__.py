"""KSD – Kommunernes Sygedagpengesystem, supplied by KMD: blocking tasks, the report R23 and the blocking board."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from flask import Blueprint

from klik.plugins import (
    Choice,
    ExtraField,
    Filter,
    Importer,
    ItSystem,
    Job,
    PageLink,
    Panel,
    PluginContext,
    PluginTables,
    TaskTemplate,
    Topic,
    field_filter,
    hookimpl,
    read_task_types,
)
from klik.plugins.ksd import board, demo, drift
from klik.plugins.ksd.commands import report_command, types_command
from klik.plugins.ksd.panels import PANELS
from klik.plugins.ksd.reading_in import R23
from klik.plugins.ksd.tables import METADATA, VERSIONS

KLIK_API = (1, 1)
SYSTEM = "ksd"
PAGES = (
    PageLink(
        address="/p/ksd/",
        label="Blokeringstavle",
        help="Hvad er uløst, hvad standser penge, og hvor længe er der til udbetalingskørslen?",
    ),
    PageLink(
        address="/p/ksd/opgavetyper",
        label="Opgavetyper",
        help="Hvilke opgaver blokerer, og hvordan løses de hyppigste?",
        places=("kommune", "kombit", "leverandoer"),
    ),
    drift.SIDE.page_link,
)
BLOCKS = ExtraField(
    key="ksd.blokerer",
    system=SYSTEM,
    label="Blokerer i KSD",
    help="Hvad der går i stå i KSD, hvis kommunen ikke har styr på det, opgaven handler om.",
    choices=(
        Choice(value="udbetaling", label="Udbetaling"),
        Choice(value="afgoerelse", label="Afgørelse og dermed udbetaling"),
        Choice(value="brev", label="Underretningsbrev"),
    ),
)


@hookimpl
def klik_systems() -> Iterable[ItSystem]:
    """KSD."""
    return (
        ItSystem(
            code=SYSTEM,
            name="Kommunernes Sygedagpengesystem",
            supplier="KMD",
            description="Kommunernes fagsystem til sygedagpenge. Hvor automatikken standser, danner det en opgave.",
            pages=PAGES,
        ),
    )


@hookimpl
def klik_task_types() -> Iterable[TaskTemplate]:
    """Tasks up to and after the day KSD is taken into use."""
    return read_task_types(Path(__file__).with_name("tasks.toml"), "ksd", SYSTEM)


@hookimpl
def klik_extra_fields() -> Iterable[ExtraField]:
    """What KSD stops while the matter that the task is about lies still."""
    return (BLOCKS,)


@hookimpl
def klik_filters() -> Iterable[Filter]:
    """``ksd.blokerer=udbetaling``."""
    return (field_filter(BLOCKS),)


@hookimpl
def klik_panels() -> Iterable[Panel]:
    """The board in short, on the system's page and the front page; the driftsside in short."""
    return (*PANELS, drift.SIDE.panel("ksd/driftsside.html"))


@hookimpl
def klik_importers() -> Iterable[Importer]:
    """R23 "Uafsluttede opgaver", and the lists of the driftsside."""
    return (R23, *drift.SIDE.importers)


@hookimpl
def klik_commands() -> Iterable[click.Command]:
    """``klik ksd opgavetyper`` and ``klik ksd vis-r23``."""
    return (types_command, report_command)


@hookimpl
def klik_blueprints() -> Iterable[Blueprint]:
    """The blocking board and the driftsside."""
    return (board.blueprint, drift.SIDE.blueprint)


@hookimpl
def klik_tables() -> Iterable[PluginTables]:
    """What the reports said, day by day, and the driftsside's."""
    return (PluginTables(metadata=METADATA, versions=VERSIONS),)


@hookimpl
def klik_demo(context: PluginContext) -> None:
    """Eight weeks of reports, and the driftsside."""
    demo.fill(context)
    drift.fill(context)


@hookimpl
def klik_topics() -> Iterable[Topic]:
    """What is new on the driftsside."""
    return drift.SIDE.topics


@hookimpl
def klik_jobs() -> Iterable[Job]:
    """Workarounds end with their release."""
    return (drift.SIDE.job,)
