"""What was learnt of a case: problem and solution, for the colleagues, or for all when KOMBIT says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from klik.plugins import PluginContext, Right
from klik.plugins.kp.cases import stored
from klik.plugins.kp.tables import knowledge

MOST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of kp_knowledge."""

    id: int
    municipality: int | None
    case_id: int | None
    component: str
    problem: str
    solution: str
    offered: bool
    published_at: datetime | None
    person: int | None
    version: int
    changed_at: datetime

    @property
    def is_published(self) -> bool:
        """Whether everybody reads it."""
        return self.published_at is not None


def all_of(context: PluginContext) -> tuple[Entry, ...]:
    """What the actor may read, the latest first."""
    statement = (
        select(knowledge)
        .where(_readable(context))
        .order_by(knowledge.c.changed_at.desc(), knowledge.c.id.desc())
        .limit(MOST)
    )
    return tuple(_entry(row) for row in stored(context).execute(statement))


def one(context: PluginContext, entry_id: int) -> Entry | None:
    """An entry the actor may read, else None."""
    statement = select(knowledge).where(knowledge.c.id == entry_id, _readable(context))
    row = stored(context).execute(statement).first()
    return _entry(row) if row else None


def may_add(context: PluginContext) -> bool:
    """Who writes: who comments in a municipality, and KOMBIT's editors."""
    if context.municipality is None:
        return context.kombit and context.has(Right.PUBLISH)
    return context.has(Right.COMMENT)


def may_change(context: PluginContext, entry: Entry) -> bool:
    """The municipality its own until it is published; KOMBIT what is published."""
    if context.municipality is None:
        return may_add(context) and entry.is_published
    return may_add(context) and entry.municipality == context.municipality and not entry.is_published


def may_publish(context: PluginContext, entry: Entry) -> bool:
    """KOMBIT, what a municipality has offered."""
    return context.kombit and context.has(Right.PUBLISH) and entry.offered and not entry.is_published


def create(context: PluginContext, values: Mapping[str, Any], case_id: int | None) -> int:
    """A new entry; KOMBIT's own is for all at once."""
    row = {
        **values,
        "municipality": context.municipality,
        "case_id": case_id,
        "offered": False,
        "published_at": context.now if context.municipality is None else None,
        "person": context.person_id,
        "version": 1,
        "changed_at": context.now,
    }
    return int(stored(context).execute(insert(knowledge).values(row).returning(knowledge.c.id)).scalar_one())


def change(context: PluginContext, entry: Entry, values: Mapping[str, Any]) -> bool:
    """Store new values; False when somebody changed the entry meanwhile."""
    statement = (
        update(knowledge)
        .where(knowledge.c.id == entry.id, knowledge.c.version == entry.version, _readable(context))
        .values({**values, "version": entry.version + 1, "changed_at": context.now})
    )
    return bool(stored(context).execute(statement).rowcount)


def discard(context: PluginContext, entry: Entry) -> bool:
    """Take an entry away; False when somebody changed it meanwhile."""
    statement = delete(knowledge).where(
        knowledge.c.id == entry.id, knowledge.c.version == entry.version, _readable(context)
    )
    return bool(stored(context).execute(statement).rowcount)


def _readable(context: PluginContext) -> ColumnElement[bool]:
    published = knowledge.c.published_at.is_not(None)
    if context.municipality is not None:
        return or_(published, knowledge.c.municipality == context.municipality)
    # KOMBIT sees what the municipalities have let it see, and nothing else of theirs.
    return or_(published, knowledge.c.offered.is_(True))


def _entry(row: Any) -> Entry:
    found = Entry(**row._mapping)
    return replace(
        found,
        changed_at=_aware(found.changed_at),
        published_at=_aware(found.published_at) if found.published_at else None,
    )


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
