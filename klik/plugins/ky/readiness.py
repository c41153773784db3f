"""How ready each municipality is for KY, kept from what klik tells after each publication and change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from klik.plugins import (
    ChangeView,
    Job,
    Panel,
    PluginContext,
    PluginStore,
    PublishedView,
    SystemView,
    long_date,
)

METADATA = MetaData()
SYSTEM = "ky"
VERSIONS = Path(__file__).parent / "migrations"
CLOSED = frozenset({"Fuldført", "Ikke relevant", "fuldfoert", "ikke-relevant"})

published_tasks = Table(
    "ky_published",
    METADATA,
    Column("municipality", Integer, primary_key=True, autoincrement=False),
    Column("project", String(60), primary_key=True),
    Column("number", String(12), primary_key=True),
)

# The last status told of each task; told twice or late, it comes out the same.
readiness = Table(
    "ky_readiness",
    METADATA,
    Column("task", Integer, primary_key=True, autoincrement=False),
    Column("municipality", Integer, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Readiness:
    """One municipality's count: tasks published to it and tasks it has closed."""

    municipality: int
    published: int
    closed: int


def note_published(published: PublishedView, store: PluginStore) -> None:
    """Remember which municipalities got the task; telling it again changes nothing."""
    same_task = and_(
        published_tasks.c.project == published.task.project, published_tasks.c.number == published.task.number
    )
    known = set(store.execute(select(published_tasks.c.municipality).where(same_task)).scalars())
    rows = [
        {"municipality": code, "project": published.task.project, "number": published.task.number}
        for code in published.municipalities
        if code not in known
    ]
    if rows:
        store.execute(insert(published_tasks), rows)


def note_change(change: ChangeView, store: PluginStore) -> None:
    """Remember the task's status; an older change that comes late is left alone."""
    here = readiness.c.task == change.task
    values = {"closed": change.new in CLOSED, "at": change.at}
    known = store.execute(select(readiness.c.at).where(here)).first()
    if known is None:
        store.execute(insert(readiness).values(task=change.task, municipality=change.municipality, **values))
    else:
        store.execute(update(readiness).where(here, readiness.c.at <= change.at).values(**values))


def read_anew(context: PluginContext) -> None:
    """Count everything again from klik itself: what was never told (a demo, a package read in) is put right."""
    assert context.klik is not None and context.store is not None
    context.store.execute(delete(published_tasks))
    context.store.execute(delete(readiness))
    for place in context.klik.municipalities(SYSTEM):
        tasks = [task for task in context.klik.tasks(SYSTEM, place.code) if not task.local]
        if not tasks:
            continue
        # One number stands once for a project, whatever the round it was published in.
        numbers = sorted({(task.project, task.number or "") for task in tasks})
        context.store.execute(
            insert(published_tasks),
            [
                {"municipality": place.code, "project": project, "number": number}
                for project, number in numbers
            ],
        )
        context.store.execute(
            insert(readiness),
            [
                {
                    "task": task.id,
                    "municipality": place.code,
                    "closed": task.status in CLOSED,
                    "at": context.now,
                }
                for task in tasks
            ],
        )


JOB = Job(key="ky.parathed-igen", label="Tæl KY's parathed igen", every="dag", run=read_anew)


def counts(store: PluginStore, municipality: int | None = None) -> tuple[Readiness, ...]:
    """Each municipality's count, or one municipality's; by code."""
    published = select(published_tasks.c.municipality, func.count().label("count")).group_by(
        published_tasks.c.municipality
    )
    closed = (
        select(readiness.c.municipality, func.count().label("count"))
        .where(readiness.c.closed.is_(True))
        .group_by(readiness.c.municipality)
    )
    if municipality is not None:
        published = published.where(published_tasks.c.municipality == municipality)
        closed = closed.where(readiness.c.municipality == municipality)
    done = {row.municipality: row.count for row in _rows(store, closed)}
    return tuple(
        Readiness(row.municipality, row.count, done.get(row.municipality, 0))
        for row in sorted(_rows(store, published), key=lambda row: row.municipality)
    )


def _rows(store: PluginStore, statement: Any) -> list[Any]:
    return [_Counted(municipality, count) for municipality, count in store.execute(statement)]


@dataclass(frozen=True, slots=True)
class _Counted:
    municipality: int
    count: int


def sentences(view: SystemView, context: PluginContext) -> tuple[str, ...]:
    """How far the municipality is; for KOMBIT all together. Suppliers are told nothing of anyone."""
    own = view.municipality
    if context.store is None or (own is None and not context.kombit):
        return ("Parathed vises for kommuner og KOMBIT.",)
    found = counts(context.store, own.code if own else None)
    published, closed = sum(each.published for each in found), sum(each.closed for each in found)
    if not published:
        told = ["Der er ikke udgivet opgaver for KY endnu."]
    else:
        tasks = f"{published} {'opgave' if published == 1 else 'opgaver'}"
        told = [f"{closed} af {tasks} for KY er afsluttet."]
    if own is None and found:
        told.append(f"{len(found)} {'kommune' if len(found) == 1 else 'kommuner'} har fået opgaver.")
    if own is not None and own.go_live is not None:
        told.append(f"{own.name} tager KY i brug {long_date(own.go_live)}.")
    return tuple(told)


def _panel(view: Any, context: PluginContext) -> Mapping[str, Any]:
    assert isinstance(view, SystemView)
    return {"sentences": sentences(view, context)}


PANEL = Panel(
    key="ky.parathed",
    title="Parathed",
    place="system",
    template="ky/readiness.html",
    applies=lambda view: isinstance(view, SystemView) and view.code == "ky",
    data=_panel,
)
