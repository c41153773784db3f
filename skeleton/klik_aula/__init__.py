"""Aula in klik: what the plug-in adds, one hook each."""

from pathlib import Path

from klik.plugins import (
    Choice,
    ExtraField,
    ItSystem,
    PageLink,
    PluginTables,
    field_filter,
    hookimpl,
    read_task_types,
)
from klik_aula import deadlines, files, pages, units

KLIK_API = (1, 1)
HERE = Path(__file__).parent

LEVEL = ExtraField(
    key="aula.niveau",
    system="aula",
    label="Løses af",
    choices=(Choice(value="kommune", label="Kommunen"), Choice(value="enhed", label="Enheden")),
)


@hookimpl
def klik_systems():
    units_page = PageLink(
        address="/p/aula/", label="Enheder", help="Hvem der er klar til at tage Aula i brug."
    )
    return (ItSystem(code="aula", name="Aula", supplier="Leverandøren", pages=(units_page,)),)


@hookimpl
def klik_extra_fields():
    return (LEVEL,)


@hookimpl
def klik_filters():
    return (field_filter(LEVEL),)


@hookimpl
def klik_deadline_rules():
    return (deadlines.BEFORE_USE,)


@hookimpl
def klik_task_types():
    return read_task_types(HERE / "tasks.toml", "aula", "aula")


@hookimpl
def klik_tables():
    return (PluginTables(metadata=units.METADATA, versions=HERE / "migrations"),)


@hookimpl
def klik_blueprints():
    return (pages.blueprint,)


@hookimpl
def klik_panels():
    return (pages.PANEL,)


@hookimpl
def klik_importers():
    return (files.UNITS,)
