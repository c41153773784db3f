"""Undoing a bulk change: what was there before comes back, unless somebody has changed it since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from klik.domain.calendar import clock
from klik.models import BulkChange, BulkChangeItem, MunicipalTask, Person, TaskChange
from klik.services import access, auditing
from klik.services.errors import RefusedError
from klik.services.tasks import assigning, changing, together
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.bulk import chosen
from klik.services.tasks.bulk.chosen import AskedAhead
from klik.services.tasks.bulk.preview import name_of
from klik.services.tasks.bulk.values import Raw, raw, step_back, word
from klik.services.tasks.steps import Step, assignee
from klik.services.tasks.words import field_word
from klik.services.work import Work

VIA = "fortrudt"
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Item:
    """A task of a bulk change: its name, the words before and after, and why an undo left it (None: it did not)."""

    task_id: int
    name: str
    old: str
    new: str
    kept_because: str | None


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did: how many tasks are as before, and the others by name with the reason."""

    restored: int
    left: tuple[tuple[str, str], ...]


def latest(work: Work) -> Sequence[BulkChange]:
    """The actor's own latest bulk changes in this municipality, the newest first; at most 20."""
    actor = access.require_changer(work)
    return work.session.scalars(
        select(BulkChange)
        .where(
            BulkChange.person_id == actor.person_id,
            BulkChange.municipality_id == actor.municipality_id,
        )
        .order_by(BulkChange.at.desc(), BulkChange.id.desc())
        .limit(MOST_SHOWN)
    ).all()


def items(work: Work, change: BulkChange) -> list[Item]:
    """The tasks of one's own bulk change that one may still see, by name."""
    rows = work.session.execute(
        select(BulkChangeItem, MunicipalTask)
        .join(MunicipalTask, MunicipalTask.id == BulkChangeItem.municipal_task_id)
        .where(BulkChangeItem.bulk_change_id == change.id, access.visible(work))
        .order_by(MunicipalTask.number_key, MunicipalTask.title_key, MunicipalTask.id)
    ).all()
    people = AskedAhead(work, [task for _item, task in rows], change.field)
    found = []
    for item, task in rows:
        field, before = next(iter(json.loads(item.before).items()))
        after = json.loads(item.after)[field]
        old, new = word(work, field, before), word(work, field, after)
        found.append(Item(task.id, name_of(task), old, new, item.kept_because))
    del people
    return found


def undo(work: Work, change_id: int) -> Undone:
    """Put back what the actor's bulk change replaced, task by task where nobody has changed the field since.

    Raises NotFoundError for another's, RefusedError for one that is undone already.
    """
    change = access.own_bulk_change(work, change_id)
    work.session.refresh(change, with_for_update=True)
    if change.undone_at is not None:
        raise RefusedError({"rettelse": f"Rettelsen er allerede fortrudt {clock(change.undone_at)}."})
    rows = work.session.scalars(
        select(BulkChangeItem)
        .where(BulkChangeItem.bulk_change_id == change.id)
        .order_by(BulkChangeItem.municipal_task_id)
    ).all()
    tasks = chosen.load(work, [row.municipal_task_id for row in rows], lock=True)
    asked = AskedAhead(work, tasks.values(), change.field)
    later = _changed_later(work, change)
    may_change = access.changeable(work)
    changed, left = [], []
    with work.session.no_autoflush:
        for row in rows:
            task = tasks.get(row.municipal_task_id)
            if task is None:
                row.kept_because = "Opgaven er slettet."
                continue
            before, after = json.loads(row.before), json.loads(row.after)
            why = _barred(task, may_change(task)) or _why_left(work, task, before, after, asked, later)
            if why is not None:
                row.kept_because = why[:300]
                left.append((name_of(task), why))
                continue
            steps: list[Step] = [
                step_back(work, task, field, after[field], columns, asked)
                for field, columns in before.items()
            ]
            changed.append(changing.store(work, task, steps))
        together.write(work, [each.task for each in changed])
    change.undone_at = work.now
    work.session.flush()
    changing.write_down(work, changed, via=f"{VIA}/{change.id}")
    auditing.record(
        work,
        "fortryd-masserettelse",
        f"masserettelse/{change.id}",
        {"sat_tilbage": len(changed), "ikke_sat_tilbage": len(rows) - len(changed)},
        change.municipality_id,
    )
    return Undone(len(changed), tuple(left))


def _barred(task: MunicipalTask, may_change: bool) -> str | None:
    if task.withdrawn_at is not None:
        return "KOMBIT har trukket opgaven tilbage."
    return None if may_change else "Du må ikke længere rette opgaven."


@dataclass(frozen=True, slots=True)
class _Later:
    who: str
    at: datetime


def _changed_later(work: Work, change: BulkChange) -> dict[tuple[int, str], _Later]:
    """Who changed which field of these tasks after the bulk change, the latest of each."""
    rows = work.session.execute(
        select(TaskChange.municipal_task_id, TaskChange.field, TaskChange.at, Person.name)
        .outerjoin(Person, Person.id == TaskChange.person_id)
        .join(BulkChangeItem, BulkChangeItem.municipal_task_id == TaskChange.municipal_task_id)
        .where(BulkChangeItem.bulk_change_id == change.id, TaskChange.id > change.last_change_id)
        .order_by(TaskChange.id)
    )
    return {(task, field): _Later(name or "klik", at) for task, field, at, name in rows}


def _why_left(
    work: Work,
    task: MunicipalTask,
    before: dict[str, Raw],
    after: dict[str, Raw],
    asked: AskedAhead,
    later: dict[tuple[int, str], _Later],
) -> str | None:
    """Why the task stays as it is, naming what stands there now; None where it can go back."""
    for field, columns in after.items():
        now = raw(work, task, field, asked)
        since = later.get((task.id, field[:60]))
        if since is not None:
            shown = word(work, field, now)
            return f"{field_word(work.registry, field)} er siden sat til {shown} af {since.who}."
        if now != columns:
            return f"{field_word(work.registry, field)} er ændret siden og er nu {word(work, field, now)}."
    for field in {"responsible", "executor"} & before.keys():
        person, role = (before[field][f"{field}_{end}"] for end in ("id", "role"))
        wanted = Assignee(person, role if person is None else None)
        try:
            asked.check(work, task, field, wanted, assignee(task, field))
        except RefusedError:
            return f"{assigning.word(work, wanted)} kan ikke længere få opgaven."
    return None
