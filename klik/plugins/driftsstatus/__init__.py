"""Driftsstatus: how the joint municipal infrastructure has run, month by month against its goals, and its incidents."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint

from klik.plugins import (
    Importer,
    ItSystem,
    PageLink,
    Panel,
    PluginContext,
    PluginTables,
    Right,
    Topic,
    hookimpl,
)
from klik.plugins.driftsstatus import demo, pages
from klik.plugins.driftsstatus.importing import importer
from klik.plugins.driftsstatus.incidents import TOPIC
from klik.plugins.driftsstatus.panels import LATEST, MISSING
from klik.plugins.driftsstatus.status import SYSTEMS
from klik.plugins.driftsstatus.tables import METADATA, VERSIONS

KLIK_API = (1, 1)
EVERYBODY = ("kommune", "kombit", "leverandoer")


def _links(code: str) -> tuple[PageLink, ...]:
    return (
        PageLink(
            address=f"{pages.HOME}?system={code}",
            label="Driftsstatus måned for måned",
            help="Tilgængelighed mod SLA-mål, hændelser og bemærkninger",
            right=Right.SIGNED_IN,
            places=EVERYBODY,
        ),
        PageLink(
            address=f"{pages.WRITING}?system={code}",
            label="Skriv månedens status",
            help="Tal, servicevinduer, bemærkninger og hændelser",
            right=Right.PUBLISH,
            places=("kombit",),
        ),
    )


@hookimpl
def klik_systems() -> Iterable[ItSystem]:
    """The two halves of the infrastructure; the seed names a supplier of the first only."""
    return (
        ItSystem(
            code="serviceplatformen",
            name=SYSTEMS["serviceplatformen"],
            supplier="Systematic",
            description="Giver kommunernes systemer adgang til data i andre systemer. I 2020 var driften på vej "
            "fra Systematic til IBM.",
            pages=_links("serviceplatformen"),
        ),
        ItSystem(
            code="stoettesystemer",
            name=SYSTEMS["stoettesystemer"],
            supplier="Ikke oplyst",
            description="Fælles adgangsstyring, organisation, klassifikation, indekser og beskeder for "
            "kommunernes systemer.",
            pages=_links("stoettesystemer"),
        ),
    )


@hookimpl
def klik_panels() -> Iterable[Panel]:
    """The latest month on the systems' pages, and what is missing on KOMBIT's front page."""
    return (LATEST, MISSING)


@hookimpl
def klik_topics() -> Iterable[Topic]:
    """Incidents, when they begin and when they are mended."""
    return (
        Topic(
            key=TOPIC,
            label="Hændelser på den fælleskommunale infrastruktur",
            help="Når Serviceplatformen eller Støttesystemerne er ramt, og når det er afhjulpet.",
            at_once=True,
        ),
    )


@hookimpl
def klik_importers() -> Iterable[Importer]:
    """The status table of each system."""
    return tuple(importer(code, name) for code, name in SYSTEMS.items())


@hookimpl
def klik_blueprints() -> Iterable[Blueprint]:
    """The status, a month on paper, and where KOMBIT writes."""
    return (pages.blueprint,)


@hookimpl
def klik_tables() -> Iterable[PluginTables]:
    """Areas, figures, months and incidents."""
    return (PluginTables(metadata=METADATA, versions=VERSIONS),)


@hookimpl
def klik_demo(context: PluginContext) -> None:
    """Twelve months that end last month."""
    demo.fill(context)
