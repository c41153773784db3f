"""A plug-in taken out again: klik runs without it, and keeps every row of its tables."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, inspect, select

from klik.app import create_app
from klik.installation import Installation
from klik.services import schema
from klik.testing.site import PluginSite, compiled_templates, signed_in

WHO = ("plusbruger", "kombit")


def problems(site: PluginSite) -> list[str]:
    """What goes wrong on klik's pages without the plug-in, and tables that lost rows."""
    before = rows(site)
    without = Installation(site.settings, plugins=[])
    try:
        schema.upgrade(without.database, without.registry)
    finally:
        without.close()
    found = []
    app = create_app(site.settings, plugins=[])
    app.jinja_env.bytecode_cache = compiled_templates()
    try:
        for kind in WHO:
            browser = signed_in(app, kind)
            for address in ("/", "/opgaver", *(f"/systemer/{code}" for code in site.house.registry.systems)):
                status = browser.get(address, expect=None).status
                if status != 200:
                    found.append(f"without it {address} answers {status} to {kind}")
            if browser.get(f"/p/{site.name}/", expect=None).status != 404:
                found.append(f"without it /p/{site.name}/ is still there")
    finally:
        app.extensions["klik"].close()
    if rows(site) != before:
        found.append("its tables have other rows when klik has run without it")
    schema.upgrade(site.house.database, site.house.registry)
    if rows(site) != before:
        found.append("its tables have other rows when it is installed again")
    return found


def rows(site: PluginSite) -> Mapping[str, int]:
    """How many rows each of the plug-in's tables has; -1 where the table is gone."""
    there = set(inspect(site.house.database.engine).get_table_names())
    with site.house.database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            if table.name in there
            else -1
            for tables in site.house.registry.tables.values()
            for table in tables.metadata.sorted_tables
        }
