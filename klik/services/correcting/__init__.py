"""Correcting a published KLIK-opgave: a new version, and what it does to every municipality's copy, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sqlalchemy import select

from klik.domain import life
from klik.domain.errors import InputError
from klik.domain.life import Act
from klik.models import (
    AuditEntry,
    Project,
    Task,
    TaskVersion,
    TaskVersionField,
)
from klik.services import auditing, free_text, idempotency
from klik.services.correcting import applying, plan, telling
from klik.services.correcting.copies import standing
from klik.services.correcting.plan import Fate, Plan
from klik.services.errors import ConflictError, RefusedError
from klik.services.publishing import steps
from klik.services.publishing.drafts import actor_id, draft_of, fill, require_publisher, set_links
from klik.services.publishing.text import Draft, check, tidied
from klik.services.work import Work

ACTION = "correct"
NOTE = "Note til kommunerne"
NOTE_LIMIT = 450
_RESULT = re.compile(r"/udgivelser/([0-9]+)/versioner#version-([0-9]+)")
# A problem of one of these is nobody's mistake while the correction leaves them as they were published.
_LEFT_ALONE: dict[str, tuple[str, ...]] = {
    "project": ("project",),
    "phase": ("phase",),
    "theme": ("theme",),
    "template": ("template",),
    "responsible_role": ("responsible_role",),
    "executor_role": ("executor_role",),
    "appoints_role": ("appoints_role",),
    "deadline_rule": ("deadline_rule",),
    "deadline_parameter": ("deadline_rule", "deadline_parameter"),
    "start": ("start", "deadline_rule", "deadline_parameter"),
    "number": ("number",),
}


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction came to; ``notices`` counts ledger rows, ``repeated`` tells a second press."""

    task_id: int
    number: int
    following: int
    marked: int
    unchanged: int
    deviations: int
    notices: int
    repeated: bool = field(default=False, compare=False)


def correct(
    work: Work,
    task_id: int,
    draft: Draft,
    note: str,
    key: str | None = None,
    *,
    version: int,
    reopen: Collection[int] | None = (),
    quiet: bool = False,
) -> Corrected:
    """Publish the draft as the task's next version, in the caller's transaction and in a fixed number of statements.

    ``version`` is the number of the version the draft was written from; raises ConflictError when another has
    come since, RefusedError with every problem. ``key`` makes a second press return the first result.
    ``reopen`` are ids of completed copies to open again (None: all of them). With ``quiet`` only those are told
    whose deadline or assignment moves, or whose copy is opened again.
    """
    require_publisher(work)
    task = steps.held(work, task_id)
    if earlier := _earlier(work, task_id, key):
        return earlier
    if task.current_number != version:
        raise ConflictError(task.current_number or 0, ())
    found = planned(work, task, draft, note, reopen=reopen, lock=True)
    said = _note(note)
    new = found.version
    new.change_note = said
    work.session.add(new)
    work.session.flush()
    set_links(work, task, tidied(draft))
    task.current_number = new.number
    task.appoints_role = draft.appoints_role or None
    steps.take(work, task, Act.CORRECT, said)
    applying.apply(work, found, said)
    told = telling.tell(work, found, said, quiet=quiet)
    result = Corrected(
        task.id,
        new.number,
        found.count(Fate.FOLLOWS),
        found.count(Fate.MARKED),
        found.count(Fate.UNCHANGED),
        sum(len(each.deviations) for each in found.copies),
        told,
    )
    auditing.record(work, ACTION, f"task/{task.id}", _facts(result))
    idempotency.remember(work, key, ACTION, f"/udgivelser/{task.id}/versioner#version-{new.number}")
    work.session.flush()
    return result


def planned(
    work: Work,
    task: Task,
    draft: Draft,
    note: str,
    *,
    reopen: Collection[int] | None = (),
    lock: bool = False,
) -> Plan:
    """What the correction would do, with a version that is not stored; raises RefusedError with every problem."""
    require_publisher(work)
    problems = problems_of(work, task, draft, note)
    if problems:
        raise RefusedError(problems)
    project = work.session.get_one(Project, task.project_id)
    copies = standing(work, task, lock=lock)
    earlier = plan.versions_of(work, task, {copy.task_version_id for copy in copies})
    wanted = [copy.id for copy in copies] if reopen is None else reopen
    return plan.make(work, task, project, version_of(work, task, draft), earlier, copies, wanted)


def problems_of(work: Work, task: Task, draft: Draft, note: str) -> dict[str, str]:
    """Everything wrong with a correction: the draft's field (or ``note``) → a Danish sentence."""
    if life.leads_to(Act.CORRECT, life.State(task.state)) is None:
        return {"": f"Opgaven {task.task_number} er ikke udgivet, og kan derfor ikke rettes."}
    current = draft_of(work, task.id)
    if draft.project != current.project:
        return {"project": "Projekt: en udgivet opgave kan ikke flyttes til et andet projekt."}
    problems = {
        name: sentence
        for name, sentence in check(work, draft, task.id).items()
        if not _left_alone(name, draft, current)
    }
    if (draft.number or task.task_number) != task.task_number:
        problems["number"] = "Nummer: en udgivet opgave beholder sit nummer."
    try:
        _note(note)
    except InputError as error:
        problems["note"] = str(error)
    if not problems and _stripped(tidied(_stable(draft, task))) == _stripped(tidied(current)):
        problems[""] = "Intet er ændret i forhold til den version, der gælder nu."
    return problems


def _left_alone(name: str, draft: Draft, current: Draft) -> bool:
    if name == "number":
        return not draft.number or draft.number == current.number
    names = _LEFT_ALONE.get(name)
    return names is not None and all(getattr(draft, each) == getattr(current, each) for each in names)


def _stable(draft: Draft, task: Task) -> Draft:
    return replace(draft, number=task.task_number)


def _stripped(draft: Draft) -> Draft:
    """The draft without what is no part of a version."""
    return replace(
        draft, template=None, needs=tuple(sorted(draft.needs)), fields=dict(sorted(draft.fields.items()))
    )


def _note(note: str) -> str:
    return free_text.clean(note, field=NOTE, limit=NOTE_LIMIT, required=True)


def version_of(work: Work, task: Task, draft: Draft) -> TaskVersion:
    """The draft as the task's next version, not stored."""
    clean = tidied(_stable(draft, task))
    version = TaskVersion(
        task_id=task.id,
        number=(task.current_number or 0) + 1,
        created_by=actor_id(work),
        created_at=work.now,
        fields=[TaskVersionField(field=key, value=value) for key, value in clean.fields.items()],
    )
    fill(version, clean, task.task_number)
    return version


def _facts(result: Corrected) -> dict[str, int]:
    names = ("number", "following", "marked", "unchanged", "deviations", "notices")
    return {name: getattr(result, name) for name in names}


def _earlier(work: Work, task_id: int, key: str | None) -> Corrected | None:
    """What the key's first press did, as the audit trail has it."""
    result = idempotency.taken(work, key, ACTION)
    if result is None:
        return None
    found = _RESULT.fullmatch(result)
    if not found or int(found[1]) != task_id:
        raise idempotency.used_otherwise()
    rows = work.session.scalars(
        select(AuditEntry.facts).where(AuditEntry.action == ACTION, AuditEntry.subject == f"task/{task_id}")
    )
    facts = next(each for each in map(json.loads, rows) if each["number"] == int(found[2]))
    return Corrected(task_id, **facts, repeated=True)


__all__ = [
    "NOTE",
    "NOTE_LIMIT",
    "Corrected",
    "Fate",
    "Plan",
    "correct",
    "planned",
    "problems_of",
    "version_of",
]
