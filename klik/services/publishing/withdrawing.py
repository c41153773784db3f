"""Withdrawing a KLIK-opgave: every copy becomes a tombstone with a reason; nothing of the municipality's is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, insert, literal, or_, select, update

from klik.domain.life import Act, State
from klik.domain.status import Status
from klik.models import Comment, Municipality, MunicipalTask, MunicipalTaskFile, Notice, Task, TaskChange
from klik.services.errors import RefusedError
from klik.services.notices import channels, ledger, task_recipients
from klik.services.notices import recipients as notice_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.publishing import announcing, steps, telling
from klik.services.publishing.audience import recipients
from klik.services.publishing.drafts import choice_of, current_version, require_publisher
from klik.services.publishing.reasons import written_reason
from klik.services.publishing.steps import Press
from klik.services.tasks.history import WITHDRAWN
from klik.services.work import Work

OCCASION = "trukket-tilbage"
TAKEN_BACK = "KOMBIT har trukket opgaven tilbage"


@dataclass(frozen=True, slots=True)
class Ahead:
    """What withdrawing would reach: ``begun`` are in progress or completed, ``worked_on`` have own words or files."""

    copies: int
    begun: int
    completed: int
    worked_on: int
    municipalities: tuple[str, ...]


def ahead(work: Work, task: Task) -> Ahead:
    """How many copies there are, and who has begun (by name); nothing is written."""
    require_publisher(work)
    begun = MunicipalTask.status.in_([Status.IN_PROGRESS.value, Status.COMPLETED.value])
    own = or_(
        select(Comment.id).where(Comment.municipal_task_id == MunicipalTask.id).exists(),
        select(MunicipalTaskFile.id).where(MunicipalTaskFile.municipal_task_id == MunicipalTask.id).exists(),
    )
    completed = MunicipalTask.status == Status.COMPLETED.value
    counts = work.session.execute(
        select(
            func.count(),
            *(func.coalesce(func.sum(case((each, 1), else_=0)), 0) for each in (begun, completed, own)),
        ).where(*_standing(task))
    ).one()
    names = work.session.scalars(
        select(Municipality.name)
        .join(MunicipalTask, MunicipalTask.municipality_id == Municipality.id)
        .where(*_standing(task), begun)
        .order_by(Municipality.name_key)
    )
    copies, in_hand, done, own_words = counts
    return Ahead(copies, in_hand, done, own_words, tuple(names))


def _standing(task: Task) -> tuple[ColumnElement[bool], ...]:
    """The copies that are still in force."""
    return (
        MunicipalTask.task_id == task.id,
        MunicipalTask.withdrawn_at.is_(None),
        MunicipalTask.erased_at.is_(None),
    )


def withdraw(work: Work, task_id: int, reason: str, press: Press) -> int | None:
    """Withdraw the task from every municipality, in a fixed number of statements; gives how many copies there were.

    Its waiting reminders and news are withdrawn, and those who work with it are told. Raises RefusedError
    without a reason. None for a press that was taken before.
    """
    task = steps.begin(work, task_id, Act.WITHDRAW, press)
    if task is None:
        return None
    reason = written_reason(reason)
    announced = task.state == State.ANNOUNCED.value
    concerned = _concerned(work, task) if announced else ()
    copies = work.session.scalars(
        select(MunicipalTask).where(*_standing(task)).order_by(MunicipalTask.id)
    ).all()
    people = task_recipients.of_tasks(work, copies) if copies else {}
    _entomb(work, task, reason)
    task.withdrawn_at = work.now
    task.withdrawal_reason = reason
    steps.take(work, task, Act.WITHDRAW, reason)
    _take_back_notices(work, task)
    told = ledger.enqueue(
        work,
        [
            *drafts(work, task, reason, [(copy, person) for copy in copies for person in people[copy.id]]),
            *drafts(work, task, reason, [(None, person) for person in concerned]),
        ],
    )
    name = f"{task.task_number} {current_version(work, task).title}"
    channels.tell(
        work,
        task,
        OCCASION,
        "alle",
        f"Trukket tilbage: {name}",
        f"KOMBIT har trukket opgaven “{name}” tilbage. Begrundelse: {reason}",
    )
    facts = {"municipalities": len(copies), "notices": told}
    steps.end(work, task, Act.WITHDRAW, press, facts)
    return len(copies)


def _concerned(work: Work, task: Task) -> Sequence[Recipient]:
    """Who was told of an announced task, which has no copies yet."""
    choice = choice_of(task)
    try:
        codes = recipients(work, choice, task.project.slug) if choice else ()
    except RefusedError:
        codes = ()  # whom it was meant for is gone; that must not keep it from being withdrawn
    told = notice_recipients.of_municipalities(work, codes, task.project.system_code)
    return [recipient for code in codes for recipient in told[code]]


def _entomb(work: Work, task: Task, reason: str) -> None:
    copy = MunicipalTask.__table__.c
    person_id = work.actor.person_id if work.actor else None
    work.session.execute(
        insert(TaskChange.__table__).from_select(  # type: ignore[arg-type]
            ["municipality_id", "municipal_task_id", "at", "person_id", "field", "old", "new", "via"],
            select(
                copy.municipality_id,
                copy.id,
                literal(work.now, TaskChange.__table__.c.at.type),
                literal(person_id, TaskChange.__table__.c.person_id.type),
                literal(WITHDRAWN),
                literal(None, TaskChange.__table__.c.old.type),
                literal(reason),
                literal("klik"),
            ).where(*_standing(task)),
        )
    )
    work.session.execute(
        update(MunicipalTask)
        .where(*_standing(task))
        .values(withdrawn_at=work.now, changed_at=work.now, version=MunicipalTask.version + 1)
        .execution_options(synchronize_session=False)
    )


def _take_back_notices(work: Work, task: Task) -> None:
    """Reminders and news of the task that no mail carries yet; what people wrote to each other still goes."""
    occasions = [*work.registry.notification_rules, telling.OCCASION, announcing.OCCASION, "tildelt"]
    copies = select(MunicipalTask.id).where(MunicipalTask.task_id == task.id)
    work.session.execute(
        update(Notice)
        .where(
            or_(Notice.task_id == task.id, Notice.municipal_task_id.in_(copies)),
            Notice.occasion.in_(occasions),
            Notice.mail_id.is_(None),
            Notice.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=work.now, withdrawal_reason=TAKEN_BACK)
        .execution_options(synchronize_session=False)
    )


def drafts(
    work: Work, task: Task, reason: str, told: Sequence[tuple[MunicipalTask | None, Recipient]]
) -> list[NoticeDraft]:
    """What each of those concerned is told; without a copy: of a task that was only announced."""
    name = f"{task.task_number} {current_version(work, task).title}" if told else ""
    return [
        NoticeDraft(
            occasion=OCCASION,
            dedupe_key=f"{OCCASION}/task={task.id}/kommune={recipient.municipality_id}",
            recipient=recipient,
            heading=f"Trukket tilbage: {name}",
            sentence=f"KOMBIT har trukket opgaven “{name}” tilbage. Begrundelse: {reason}",
            path=f"/opgaver/{copy.id}" if copy else announcing.PAGE,
            municipal_task_id=copy.id if copy else None,
            task_id=task.id,
        )
        for copy, recipient in told
    ]
