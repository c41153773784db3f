"""One step in the life of a KLIK-opgave: the task is held, the step is allowed, and its history gets a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from klik.domain.life import APPROVED, Act, State, leads_to
from klik.models import Person, Task, TaskStep
from klik.services import access, auditing, idempotency
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.work import Work

NOTE_LIMIT = 500
# What the one who sent a text for approval leaves to somebody else.
APPROVALS = frozenset({Act.PUBLISH, Act.PLAN, Act.ANNOUNCE})


@dataclass(frozen=True, slots=True)
class Press:
    """How a button was pressed: the version the page showed (None: any), and the form's key (None: not a form).

    ``appoint`` are the roles ticked for a task "Udpeg …" where they are vacant (None: as the task has them).
    """

    version: int | None = None
    key: str | None = None
    appoint: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step as people read it; ``note`` is a reason or a moment."""

    at: datetime
    who: str
    what: str
    note: str
    version_number: int | None


def held(work: Work, task_id: int) -> Task:
    """The task as it stands now, held until the end; raises NotFoundError."""
    task = work.session.scalar(
        select(Task).where(Task.id == task_id).with_for_update().execution_options(populate_existing=True)
    )
    if task is None:
        raise NotFoundError
    return task


def begin(work: Work, task_id: int, act: Act, press: Press) -> Task | None:
    """The task, held for an act; None when this very press was taken before.

    Raises ConflictError when somebody was first, RefusedError where the act cannot begin.
    """
    task = held(work, task_id)
    if idempotency.taken(work, press.key, act.value) is not None:
        return None
    if press.version is not None and press.version != task.version:
        raise ConflictError(task.version, (_difference(work, task, act),), last_person(work, task))
    check(work, task, act)
    keep_roles(work, task, press.appoint)
    return task


def keep_roles(work: Work, task: Task, roles: Collection[str] | None) -> None:
    """Store which vacant roles a task "Udpeg …" goes out for with this one; None changes nothing."""
    if roles is not None:
        known = {role.slug for role in work.registry.content.roles}
        task.vacant_roles = ",".join(sorted(known & set(roles))) or None


def kept_roles(task: Task) -> tuple[str, ...]:
    """The vacant roles that a task "Udpeg …" goes out for with this one."""
    return tuple(task.vacant_roles.split(",")) if task.vacant_roles else ()


def check(work: Work, task: Task, act: Act) -> None:
    """Whether the actor may do this to the task now; raises RefusedError with the reason in Danish."""
    state = State(task.state)
    if leads_to(act, state) is None:
        raise RefusedError({"": f"Opgaven {task.task_number} {_STANDS[state]}"})
    if act in APPROVALS and not may_approve(work, task):
        raise RefusedError(
            {"": "Du har selv sendt opgaven til godkendelse. En anden redaktør skal godkende den."}
        )


_STANDS: Mapping[State, str] = {
    State.DRAFT: "er en kladde. Åbn siden igen for at se, hvad der kan gøres.",
    State.FOR_APPROVAL: "er sendt til godkendelse. Send den tilbage, før teksten rettes.",
    State.ANNOUNCED: "er annonceret som kommende. Åbn siden igen for at se, hvad der kan gøres.",
    State.PLANNED: "er planlagt. Stop planen først.",
    State.PUBLISHED: "er allerede udgivet.",
    State.WITHDRAWN: "er trukket tilbage og kan ikke ændres.",
}


def may_approve(work: Work, task: Task) -> bool:
    """Whether the actor is another than who sent the task for approval; true where nobody did."""
    if task.state != State.FOR_APPROVAL.value or work.actor is None:
        return True
    return last_of(work, task, Act.SUBMIT) != work.actor.person_id


def may_reword(work: Work, task: Task) -> bool:
    """Whether the actor may change the words; not who sent them for approval, once another has approved them."""
    if State(task.state) not in APPROVED or work.actor is None:
        return True
    # A stopped plan makes a draft of a task again, and ends its approval, unless the municipalities know of it.
    ends = {Act.RETURN, Act.UNPLAN} if task.announced_at is None else {Act.RETURN}
    last = work.session.execute(
        select(TaskStep.act, TaskStep.person_id)
        .where(TaskStep.task_id == task.id, TaskStep.act.in_([each.value for each in {Act.SUBMIT, *ends}]))
        .order_by(TaskStep.id.desc())
        .limit(1)
    ).first()
    return last is None or last.act != Act.SUBMIT.value or last.person_id != work.actor.person_id


def check_words(work: Work, task: Task) -> None:
    """Raises RefusedError where the words are approved and the actor sent them for approval."""
    if not may_reword(work, task):
        planned = task.state == State.PLANNED.value and task.announced_at is None
        way = "Stop planen, ret teksten, og send den til godkendelse igen" if planned else ""
        asking = "bed en anden redaktør om at rette den"
        raise RefusedError(
            {
                "": "Du sendte selv teksten til godkendelse, og en anden redaktør har godkendt den. "
                + (f"{way}, eller {asking}." if way else f"{asking.capitalize()}.")
            }
        )


def last_of(work: Work, task: Task, act: Act) -> int | None:
    """Who last did this to the task."""
    return work.session.scalar(
        select(TaskStep.person_id)
        .where(TaskStep.task_id == task.id, TaskStep.act == act.value)
        .order_by(TaskStep.id.desc())
        .limit(1)
    )


def sent_by_actor(work: Work, task_ids: Collection[int]) -> frozenset[int]:
    """The tasks that the actor was the last to send for approval; one statement, none without tasks."""
    if not task_ids or work.actor is None:
        return frozenset()
    rows = work.session.execute(
        select(TaskStep.task_id, TaskStep.person_id)
        .where(TaskStep.task_id.in_(task_ids), TaskStep.act == Act.SUBMIT.value)
        .order_by(TaskStep.id)
    )
    latest = {task_id: person_id for task_id, person_id in rows}
    return frozenset(task_id for task_id, person_id in latest.items() if person_id == work.actor.person_id)


def take(work: Work, task: Task, act: Act, note: str = "") -> None:
    """Take the step: the task's new state and a row of its history, stored; raises RefusedError."""
    check(work, task, act)
    state = leads_to(act, State(task.state))
    assert state is not None
    task.state = state.value
    flag_modified(task, "state")  # its version rises also where the state stays
    _write_down(work, task, act, note)


def note(work: Work, task: Task, act: Act, words: str) -> None:
    """Write in the history what leaves the state and the words as they are, so that no open form is overtaken.

    Raises RefusedError where the act cannot begin.
    """
    check(work, task, act)
    _write_down(work, task, act, words)


def _write_down(work: Work, task: Task, act: Act, note: str) -> None:
    work.session.add(
        TaskStep(
            task_id=task.id,
            at=work.now,
            person_id=work.actor.person_id if work.actor else None,
            act=act.value,
            state=task.state,
            version_number=task.current_number,
            note=note[:NOTE_LIMIT] or None,
        )
    )
    work.session.flush()


def end(work: Work, task: Task, act: Act, press: Press, facts: Mapping[str, object] | None = None) -> None:
    """Write the act in the audit trail, and what the form's key came to."""
    auditing.record(work, act.value, f"task/{task.id}", facts)
    idempotency.remember(work, press.key, act.value, f"/udgivelser/{task.id}")
    work.session.flush()


def last_person(work: Work, task: Task) -> str | None:
    """The name of who took the last step."""
    return work.session.scalar(
        select(Person.name)
        .join(TaskStep, TaskStep.person_id == Person.id)
        .where(TaskStep.task_id == task.id)
        .order_by(TaskStep.id.desc())
        .limit(1)
    )


def _difference(work: Work, task: Task, act: Act) -> Difference:
    done = work.session.scalar(
        select(TaskStep.act).where(TaskStep.task_id == task.id).order_by(TaskStep.id.desc()).limit(1)
    )
    return Difference("Handling", act.label, Act(done).label if done else State(task.state).label)


def of_task(work: Work, task: Task) -> Sequence[StepLine]:
    """The history of KOMBIT's task, newest first, with its making last; only for those who publish."""
    access.published_task(work, task.id)
    rows = work.session.execute(
        select(TaskStep, Person.name)
        .outerjoin(Person, Person.id == TaskStep.person_id)
        .where(TaskStep.task_id == task.id)
        .order_by(TaskStep.id.desc())
    ).all()
    lines = [
        StepLine(step.at, name or "klik", Act(step.act).label, step.note or "", step.version_number)
        for step, name in rows
    ]
    made_by = work.session.get(Person, task.created_by) if task.created_by else None
    return [*lines, StepLine(task.created_at, made_by.name if made_by else "klik", "Oprettet", "", None)]
