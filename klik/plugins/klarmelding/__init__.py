"""Klarmelding of the joint infrastructure under SKI 02.19 (seed 003): what is demanded, said, confirmed and missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flask import Blueprint

from klik.plugins import (
    Importer,
    ItSystem,
    Measure,
    PageLink,
    Panel,
    PluginContext,
    PluginTables,
    TaskTemplate,
    hookimpl,
    read_task_types,
)
from klik.plugins.klarmelding import demo, panel
from klik.plugins.klarmelding.importing import SHEET
from klik.plugins.klarmelding.measure import MEASURE, SYSTEM
from klik.plugins.klarmelding.sheet_pages import blueprint
from klik.plugins.klarmelding.tables import METADATA, VERSIONS

KLIK_API = (1, 1)


@hookimpl
def klik_systems() -> Iterable[ItSystem]:
    """The joint infrastructure."""
    return (
        ItSystem(
            code=SYSTEM,
            name="Den fælleskommunale infrastruktur",
            supplier="KOMBIT",
            description="Serviceplatformen, Støttesystemerne og de snitflader, kommunernes systemer skal bruge.",
            pages=(
                PageLink(
                    address="/p/klarmelding/",
                    label="Klarmelding af snitflader",
                    help="Hvad er der krav på, hvad er klar, og hvad mangler?",
                    places=("kommune", "kombit", "leverandoer"),
                ),
                PageLink(
                    address="/p/klarmelding/moede",
                    label="Forbered leverandørmøde",
                    help="Det, der mangler, og spørgsmålene til leverandøren.",
                    places=("kommune",),
                ),
                PageLink(
                    address="/p/klarmelding/snitflader",
                    label="Snitflader og kriterier",
                    help="De 21 snitflader i klarmeldingsregnearket.",
                    places=("kommune", "kombit", "leverandoer"),
                ),
            ),
        ),
    )


@hookimpl
def klik_task_types() -> Iterable[TaskTemplate]:
    """Finding out what one has, and going through the criteria with the supplier."""
    return read_task_types(Path(__file__).with_name("tasks.toml"), "klarmelding", SYSTEM)


@hookimpl
def klik_panels() -> Iterable[Panel]:
    """What is missing, on the front page of those whom it concerns."""
    return (panel.PANEL,)


@hookimpl
def klik_importers() -> Iterable[Importer]:
    """The klarmeldingsregneark."""
    return (SHEET,)


@hookimpl
def klik_measures() -> Iterable[Measure]:
    """Snitflader bekræftet."""
    return (MEASURE,)


@hookimpl
def klik_blueprints() -> Iterable[Blueprint]:
    """The list, the sheets, the criteria, the meeting."""
    return (blueprint,)


@hookimpl
def klik_tables() -> Iterable[PluginTables]:
    """Agreements, sheets and criteria."""
    return (PluginTables(metadata=METADATA, versions=VERSIONS),)


@hookimpl
def klik_demo(context: PluginContext) -> None:
    """Systems bought in Køge, sheets in several municipalities, one of them published."""
    demo.fill(context)
