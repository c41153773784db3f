"""Alembic's entry: runs on the connection it is handed, for the core or for one plug-in's tables."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

settings = context.config.attributes
connection = settings["connection"]
metadata = settings["metadata"]
prefix = settings.get("prefix")
plugin_prefixes = settings.get("plugin_prefixes", ())

# Any number, as long as nothing else in the database takes an advisory lock by it.
MIGRATION_LOCK = 4_259_002


def belongs(name: str | None, kind: str, _parents: dict[str, str | None]) -> bool:
    """A plug-in's tables are compared with the plug-in's metadata only, the rest with the core's."""
    if kind != "table" or name is None:
        return True
    if name.startswith("alembic_version"):
        return False
    if prefix:
        return name.startswith(prefix)
    return not name.startswith(plugin_prefixes)


if connection.dialect.name == "postgresql":
    connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})

context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=settings["version_table"],
    include_name=belongs,
    compare_type=True,
    compare_server_default=True,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
