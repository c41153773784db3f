"""Tasks that KOMBIT announced, published, corrected or withdrew, and whether the municipalities were told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from klik.domain.life import Act, State
from klik.models import MunicipalTask, Notice, Project, Task, TaskChange, TaskStep
from klik.services.control.findings import Findings, Untold, since
from klik.services.control.people import People
from klik.services.errors import RefusedError
from klik.services.notices import ledger, task_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.publishing import announcing, audience, withdrawing
from klik.services.publishing import telling as publishing
from klik.services.publishing.copies import Copy
from klik.services.publishing.drafts import choice_of, current_version
from klik.services.work import Work

CORRECTED, MOVED = "rettet", "frist-flyttet"
OCCASIONS = (announcing.OCCASION, publishing.OCCASION, CORRECTED, MOVED, withdrawing.OCCASION)


def untold(work: Work, found: Findings, people: People) -> Iterable[Untold]:
    """What nobody was told of; copies without anybody to tell are counted in ``found``."""
    yield from _announced(work, people)
    yield from _published(work, found, people)
    yield from _corrected(work)
    yield from _withdrawn(work, people)


def _announced(work: Work, people: People) -> Iterable[Untold]:
    """Municipalities that a task which is still to come was announced to, and of which nobody was told."""
    step = (
        select(TaskStep.person_id)
        .where(TaskStep.task_id == Task.id, TaskStep.act == Act.ANNOUNCE.value, TaskStep.at >= since(work))
        .order_by(TaskStep.id.desc())
        .limit(1)
        .correlate(Task)
        .scalar_subquery()
    )
    rows = work.session.execute(
        select(Task, Project, step)
        .join(Project, Project.id == Task.project_id)
        .where(Task.announced_at >= since(work), Task.state.in_([State.ANNOUNCED.value, State.PLANNED.value]))
    ).all()
    if not rows:
        return
    told = {
        (task_id, code)
        for task_id, code in work.session.execute(
            select(Notice.task_id, Notice.municipality_id).where(
                Notice.occasion == announcing.OCCASION, Notice.task_id.in_([task.id for task, *_ in rows])
            )
        )
    }
    for task, project, doer in rows:
        for code in _announced_to(work, task, project):
            if (task.id, code) not in told and people.others(code, project.system_code, doer):
                yield Untold(announcing.OCCASION, f"task={task.id}/{code}", _announcement(task.id, code))


def _announced_to(work: Work, task: Task, project: Project) -> tuple[int, ...]:
    choice = choice_of(task)
    if choice is None:
        return ()
    try:
        return audience.recipients(work, choice, project.slug)
    except RefusedError:
        return ()  # the choice means nobody any more


def _announcement(task_id: int, code: int) -> Callable[[Work], int]:
    return lambda work: announcing.tell(work, work.session.get_one(Task, task_id), (code,))


def _published(work: Work, found: Findings, people: People) -> Iterable[Untold]:
    """Copies that came with a publication and of which nobody in the municipality was told."""
    told = (
        select(Notice.id)
        .where(Notice.municipal_task_id == MunicipalTask.id, Notice.occasion == publishing.OCCASION)
        .correlate(MunicipalTask)
        .exists()
    )
    rows = work.session.execute(
        select(
            MunicipalTask.id,
            MunicipalTask.municipality_id,
            MunicipalTask.system_code,
            TaskStep.person_id,
            Task.id,
        )
        .join(Task, Task.id == MunicipalTask.task_id)
        .join(TaskStep, and_(TaskStep.task_id == Task.id, TaskStep.act == Act.PUBLISH.value))
        .where(
            TaskStep.at >= since(work),
            MunicipalTask.created_at == TaskStep.at,
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
            ~told,
        )
    ).all()
    for copy_id, code, system, doer, task_id in rows:
        if people.others(code, system, doer):
            yield Untold(publishing.OCCASION, f"mt={copy_id}", _publication(task_id, copy_id, code))
        elif not people.of_municipality(code, system):
            found.nobody += 1


def _publication(task_id: int, copy_id: int, code: int) -> Callable[[Work], int]:
    def heal(work: Work) -> int:
        task = work.session.get_one(Task, task_id)
        copy = work.session.get_one(MunicipalTask, copy_id)
        project = work.session.get_one(Project, task.project_id)
        made = [Copy(copy_id, code, copy.deadline)]
        return publishing.tell(work, task, current_version(work, task), project, made)

    return heal


def _corrected(work: Work) -> Iterable[Untold]:
    """Copies that a correction changed; one that only changed words may have been quiet for all."""
    told = (
        select(Notice.id)
        .where(
            Notice.municipal_task_id == TaskChange.municipal_task_id,
            Notice.occasion.in_([CORRECTED, MOVED]),
            Notice.created_at >= TaskChange.at,
        )
        .correlate(TaskChange)
        .exists()
    )
    rows = work.session.execute(
        select(TaskChange.municipal_task_id, TaskChange.via, TaskChange.field, TaskChange.old, TaskChange.new)
        .join(MunicipalTask, MunicipalTask.id == TaskChange.municipal_task_id)
        # A copy that is opened again catches up with an older correction in silence; its change has no such step.
        .join(
            TaskStep,
            and_(
                TaskStep.task_id == MunicipalTask.task_id,
                TaskStep.act == Act.CORRECT.value,
                TaskStep.at == TaskChange.at,
            ),
        )
        .where(
            TaskChange.at >= since(work),
            TaskChange.via.like("rettelse/%"),
            TaskChange.field.in_(["deadline", "responsible", "executor"]),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
            ~told,
        )
        .order_by(TaskChange.id)
    )
    changes: dict[tuple[int, str], dict[str, tuple[str | None, str | None]]] = defaultdict(dict)
    for copy_id, via, field, old, new in rows:
        changes[copy_id, via][field] = old, new
    for (copy_id, via), fields in changes.items():
        number = int(via.partition("/")[2])
        occasion = MOVED if "deadline" in fields else CORRECTED
        yield Untold(
            occasion, f"mt={copy_id}/version={number}", _correction(copy_id, number, occasion, fields)
        )


def _correction(
    copy_id: int, number: int, occasion: str, fields: Mapping[str, tuple[str | None, str | None]]
) -> Callable[[Work], int]:
    def heal(work: Work) -> int:
        copy = work.session.get_one(MunicipalTask, copy_id)
        task = work.session.get_one(Task, copy.task_id)
        note = next((each.change_note for each in task.versions if each.number == number), None)
        name = f"{copy.task_number} {copy.title}"
        sentences = ["KOMBIT har rettet opgaven."]
        if "deadline" in fields:
            old, new = fields["deadline"]
            sentences.append(f"Fristen er flyttet fra {old or 'ingen frist'} til {new or 'ingen frist'}.")
        if note:
            sentences.append(f"KOMBIT skriver: {note}")
        return ledger.enqueue(
            work,
            [
                NoticeDraft(
                    occasion=occasion,
                    dedupe_key=f"{occasion}/mt={copy_id}/version={number}",
                    recipient=person,
                    heading=f"{'Frist flyttet' if occasion == MOVED else 'Rettet'}: {name}",
                    sentence=" ".join(sentences),
                    path=f"/opgaver/{copy_id}",
                    municipal_task_id=copy_id,
                    task_id=copy.task_id,
                    about_day=copy.deadline,
                )
                for person in task_recipients.of_tasks(work, [copy])[copy_id]
            ],
        )

    return heal


def _withdrawn(work: Work, people: People) -> Iterable[Untold]:
    """Copies of a task that KOMBIT withdrew and of which nobody was told."""
    told = (
        select(Notice.id)
        .where(Notice.municipal_task_id == MunicipalTask.id, Notice.occasion == withdrawing.OCCASION)
        .correlate(MunicipalTask)
        .exists()
    )
    step = aliased(TaskStep)
    rows = work.session.execute(
        select(MunicipalTask, step.person_id)
        .join(Task, Task.id == MunicipalTask.task_id)
        .join(step, and_(step.task_id == Task.id, step.act == Act.WITHDRAW.value))
        .where(
            step.at >= since(work),
            MunicipalTask.withdrawn_at == step.at,
            MunicipalTask.erased_at.is_(None),
            ~told,
        )
    ).all()
    for copy, doer in rows:
        own = (copy.responsible_id, copy.responsible_role, copy.executor_id, copy.executor_role)
        if any(own) or people.others(copy.municipality_id, copy.system_code, doer):
            yield Untold(withdrawing.OCCASION, f"mt={copy.id}", _withdrawal(copy.task_id, copy.id))


def _withdrawal(task_id: int | None, copy_id: int) -> Callable[[Work], int]:
    def heal(work: Work) -> int:
        task = work.session.get_one(Task, task_id)
        copy = work.session.get_one(MunicipalTask, copy_id)
        told = [(copy, person) for person in task_recipients.of_tasks(work, [copy])[copy_id]]
        return ledger.enqueue(work, withdrawing.drafts(work, task, task.withdrawal_reason or "", told))

    return heal
