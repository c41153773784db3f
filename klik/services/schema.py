"""Bringing the database's tables up to date, the core's and each plug-in's, and saying whether they are."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, select
from sqlalchemy.orm import Session

from klik import paths
from klik.db import Database
from klik.models import Base, System, Wave, guards, stamps
from klik.plugins.manager import Registry
from klik.services import municipalities
from klik.services.roles import editions


def _config(connection: Connection, metadata: MetaData, versions: Path, plugin: str | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(paths.shipped("migrations")).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(
        connection=connection,
        metadata=metadata,
        prefix=f"{plugin}_" if plugin else None,
        version_table=f"alembic_version_{plugin}" if plugin else "alembic_version",
    )
    return config


def core_versions() -> Path:
    """The folder of the core's migrations."""
    return paths.shipped("migrations") / "versions"


def upgrade(database: Database, registry: Registry | None) -> None:
    """Run every migration that is missing, in one transaction each for core and plug-ins; safe to repeat.

    Without a registry only the core's tables are made. With one, the systems it knows get their rows too.
    """
    with database.writing() as session:
        connection = session.connection()
        command.upgrade(_config(connection, Base.metadata, core_versions(), None), "head")
        guards.install(connection)
        stamps.install(connection)
    if registry is None:
        return
    for plugin, tables in registry.tables.items():
        with database.writing() as session:
            command.upgrade(_config(session.connection(), tables.metadata, tables.versions, plugin), "head")
    with database.writing() as session:
        _note_systems(session, registry)
        editions.note(session, registry.content)
        municipalities.note(session)


def _note_systems(session: Session, registry: Registry) -> None:
    known = {system.code: system for system in session.scalars(select(System))}
    for code, declared in registry.systems.items():
        system = known.get(code)
        if system is None:
            session.add(System(code=code, name=declared.name, supplier=declared.supplier, installed=True))
        else:
            system.name, system.supplier, system.installed = declared.name, declared.supplier, True
    for code, system in known.items():
        system.installed = code in registry.systems
    session.flush()
    _note_waves(session, registry)


def _note_waves(session: Session, registry: Registry) -> None:
    known = {(code, slug) for code, slug in session.execute(select(Wave.system_code, Wave.slug))}
    for code, declared in registry.systems.items():
        for position, wave in enumerate(declared.waves, start=1):
            if (code, wave.value) not in known:
                session.add(Wave(system_code=code, slug=wave.value, name=wave.label, position=position))


def differences(database: Database, registry: Registry) -> list[str]:
    """What separates the tables from the models, core's and plug-ins'; empty when all is well."""
    found: list[str] = []
    with database.writing() as session:
        connection = session.connection()
        prefixes = _plugin_prefixes(connection, registry)
        for plugin, metadata, versions in [
            (None, Base.metadata, core_versions()),
            *((plugin, tables.metadata, tables.versions) for plugin, tables in registry.tables.items()),
        ]:
            found += _differences(connection, metadata, versions, plugin, prefixes)
        found += [f"klik: vagten {name} mangler i databasen" for name in guards.missing(connection)]
        found += [f"klik: udløseren {name} mangler i databasen" for name in stamps.missing(connection)]
    return found


def _plugin_prefixes(connection: Connection, registry: Registry) -> tuple[str, ...]:
    """The prefixes of tables that are not the core's, also those a plug-in left behind when it was taken out."""
    marker = "alembic_version_"
    left = {
        name.removeprefix(marker) for name in inspect(connection).get_table_names() if name.startswith(marker)
    }
    return tuple(f"{plugin}_" for plugin in sorted(left | {info.name for info in registry.plugins}))


def _differences(
    connection: Connection, metadata: MetaData, versions: Path, plugin: str | None, prefixes: tuple[str, ...]
) -> list[str]:
    config = _config(connection, metadata, versions, plugin)
    table = config.attributes["version_table"]
    head = ScriptDirectory.from_config(config).get_current_head()

    def belongs(name: str | None, kind: str, _parents: object) -> bool:
        if kind != "table" or name is None:
            return True
        if name.startswith("alembic_version"):
            return False
        return name.startswith(f"{plugin}_") if plugin else not name.startswith(prefixes or "\0")

    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": table,
            "include_name": belongs,
            "compare_type": True,
            "compare_server_default": True,
        },
    )
    current = context.get_current_revision()
    if current != head:
        return [f"{plugin or 'klik'}: databasen er på {current or 'ingenting'}, migrationerne på {head}"]
    return [f"{plugin or 'klik'}: {difference!r}" for difference in compare_metadata(context, metadata)]


def is_current(session: Session) -> bool:
    """Whether the core's tables are at the newest migration; one statement."""
    connection = session.connection()
    if not inspect(connection).has_table("alembic_version"):
        return False
    head = (paths.shipped("migrations") / "HEAD").read_text("ascii").strip()
    return MigrationContext.configure(connection).get_current_revision() == head
