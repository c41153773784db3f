"""Carrying out a plan: a fixed number of statements, however many copies there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from klik.domain.status import Status
from klik.models import (
    MunicipalTask,
    MunicipalTaskField,
    TaskChange,
    TaskVersion,
    TaskVersionField,
)
from klik.models.deviation import FIELDS as DEVIATION_FIELDS
from klik.plugins.views import ChangeView
from klik.services import events
from klik.services.correcting import deviations
from klik.services.correcting.deviations import Meeting
from klik.services.correcting.plan import PLACES, CopyPlan, Plan, fields_of
from klik.services.publishing import copies as publishing_copies
from klik.services.tasks.assigning import Assignee, namer
from klik.services.tasks.history import CORRECTION
from klik.services.tasks.steps import local_word
from klik.services.tasks.words import NOTHING, choice_word, day_word
from klik.services.work import Work

_ROW = MunicipalTask.__table__.c
_OWN = (
    "status",
    "completed_on",
    "deadline",
    "yellow_from",
    "deadline_version",
    "for_information",
    "responsible_id",
    "responsible_role",
    "executor_id",
    "executor_role",
)
_SEEN_IN_FORM = frozenset(_OWN) - {"yellow_from"}
SHARED = ("title", "phase", "theme", "priority", "start_date")


def apply(work: Work, plan: Plan, note: str) -> None:
    """Give the copies what the plan says, with deviations, history and events. ``note`` stands in the history."""
    following = plan.following
    if not following:
        return
    ids = [each.copy.id for each in following]
    _write_words(work, plan, ids)
    _write_own(work, following)
    _write_fields(work, plan, ids)
    _write_deviations(work, plan, following)
    changes = list(_history(work, plan, following, note))
    work.session.connection().execute(insert(TaskChange.__table__), changes)  # type: ignore[arg-type]
    own = {"status", "deadline", *PLACES}
    systems = {each.copy.id: each.copy.system_code for each in following}
    events.note_all(
        work,
        events.CHANGED,
        [
            ChangeView(
                task=row["municipal_task_id"],
                municipality=row["municipality_id"],
                system=systems[row["municipal_task_id"]],
                field=row["field"],
                old=row["old"],
                new=row["new"],
                at=work.now,
            )
            for row in changes
            if row["field"] in own
        ],
    )


def _write_words(work: Work, plan: Plan, ids: Sequence[int]) -> None:
    """The words first: the database's memory of the past takes the row as it stood before both statements."""
    words = publishing_copies.words_of(work, plan.task, plan.version)
    work.session.connection().execute(
        update(MunicipalTask.__table__).where(_ROW.id.in_(ids)).values(words)  # type: ignore[arg-type]
    )


def _write_own(work: Work, following: Sequence[CopyPlan]) -> None:
    rows = [
        {f"new_{name}": each.value(name) for name in _OWN}
        # What the municipality's form shows has changed: one that is open must say so when it is sent.
        | {"of_id": each.copy.id, "new_version": each.copy.version + bool(_SEEN_IN_FORM & each.values.keys())}
        for each in following
        if each.values
    ]
    if rows:
        names = (*_OWN, "version")
        work.session.connection().execute(
            update(MunicipalTask.__table__)  # type: ignore[arg-type]
            .where(_ROW.id == bindparam("of_id"))
            .values({name: bindparam(f"new_{name}") for name in names}),
            rows,
        )


def _write_fields(work: Work, plan: Plan, ids: Sequence[int]) -> None:
    """KOMBIT's plug-in fields as the version has them; the municipality's own stay."""
    before = [fields_of(plan.earlier[key]) for key in {each.copy.task_version_id for each in plan.following}]
    new = fields_of(plan.version)
    if all(old == new for old in before):
        return
    municipal = {key for key, extra in work.registry.extra_fields.items() if extra.municipal}
    keys = sorted({key for each in (*before, new) for key in each} - municipal)
    table, fields = MunicipalTask.__table__, MunicipalTaskField.__table__
    work.session.execute(
        delete(fields).where(fields.c.municipal_task_id.in_(ids), fields.c.field.in_(keys))  # type: ignore[arg-type]
    )
    work.session.execute(
        insert(fields).from_select(  # type: ignore[arg-type]
            ["municipal_task_id", "municipality_id", "field", "value"],
            select(table.c.id, table.c.municipality_id, TaskVersionField.field, TaskVersionField.value)
            .join(TaskVersionField, TaskVersionField.task_version_id == plan.version.id)
            .where(table.c.id.in_(ids), TaskVersionField.field.in_(keys)),
        )
    )


def _write_deviations(work: Work, plan: Plan, following: Sequence[CopyPlan]) -> None:
    meetings = [
        Meeting(
            municipal_task_id=each.copy.id,
            municipality_id=each.copy.municipality_id,
            task_version_id=plan.version.id,
            field=arising.field,
            central_old=arising.central_old,
            central_new=arising.central_new,
            local=arising.local,
        )
        for each in following
        for arising in each.deviations
    ]
    settled = {
        name: [each.copy.id for each in following if name in each.settles] for name in DEVIATION_FIELDS
    }
    deviations.note(work, meetings, settled)


def _names(work: Work, following: Sequence[CopyPlan]) -> Callable[[Assignee], str]:
    given = [(each, place) for each in following for place in PLACES if f"{place}_id" in each.values]
    return namer(
        work,
        [
            assignee
            for each, place in given
            for assignee in (each.copy.assignee(place), Assignee(each.values[f"{place}_id"]))  # type: ignore[arg-type]
        ],
    )


def _history(work: Work, plan: Plan, following: Sequence[CopyPlan], note: str) -> Iterator[dict[str, Any]]:
    who = _names(work, following)
    shared = {
        key: tuple(_shared_changes(work, plan.earlier[key], plan.version))
        for key in {each.copy.task_version_id for each in following}
    }
    for each in following:
        copy, old = each.copy, plan.earlier[each.copy.task_version_id]
        said = f"Version {plan.version.number}{' (opgaven er genåbnet)' if each.reopened else ''}: {note}"
        changes = [("version", f"Version {old.number}", said), *shared[copy.task_version_id]]
        if each.reopened:
            changes.append(("status", Status(copy.status).label, Status(str(each.value("status"))).label))
        if "deadline" in each.values:
            changes.append(("deadline", day_word(copy.deadline), day_word(each.values["deadline"])))  # type: ignore[arg-type]
        for place in PLACES:
            if f"{place}_id" in each.values:
                now = Assignee(each.values[f"{place}_id"], each.values[f"{place}_role"])  # type: ignore[arg-type]
                changes.append((place, who(copy.assignee(place)), who(now)))
        for field, was, now_word in changes:
            yield {
                "municipality_id": copy.municipality_id,
                "municipal_task_id": copy.id,
                "at": work.now,
                "person_id": work.actor.person_id if work.actor and work.actor.kombit else None,
                "field": field[:60],
                "old": was,
                "new": now_word,
                "via": f"{CORRECTION}/{plan.version.number}",
            }


def _shared_changes(work: Work, old: TaskVersion, new: TaskVersion) -> Iterator[tuple[str, str, str]]:
    """What changes alike on every copy and is no text, in words."""
    for name in SHARED:
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield name, local_word(work, name, was), local_word(work, name, now)
    if old.infrastructure != new.infrastructure:
        yield (
            "infrastructure",
            *("Ja" if each else "Nej" for each in (old.infrastructure, new.infrastructure)),
        )
    was_fields, now_fields = fields_of(old), fields_of(new)
    for key in sorted(was_fields.keys() | now_fields.keys()):
        before, after = was_fields.get(key, ""), now_fields.get(key, "")
        extra = work.registry.extra_fields.get(key)
        if before != after:
            words = ((choice_word(extra, each) if extra else each) or NOTHING for each in (before, after))
            yield key, *words
