"""Acts of the last thirty days, and whether those they concerned were told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, String, and_, cast, func, literal, or_, select
from sqlalchemy.orm import aliased

from klik.domain import mentions
from klik.domain.life import Act
from klik.domain.rights import Level
from klik.models import (
    Comment,
    Deletion,
    DeletionItem,
    Mail,
    Membership,
    Municipality,
    MunicipalTask,
    Notice,
    Person,
    Project,
    Question,
    Task,
    TaskChange,
    TaskStep,
)
from klik.services.access import MENTION
from klik.services.control.findings import Findings, Untold
from klik.services.control.people import CLOSED, People
from klik.services.deleting import notices as deletion_notices
from klik.services.notices import ledger, task_recipients
from klik.services.notices.assigned import OCCASION as ASSIGNED
from klik.services.notices.assigned import tell_assigned
from klik.services.notices.ledger import NoticeDraft
from klik.services.publishing import telling as publishing
from klik.services.publishing import withdrawing
from klik.services.publishing.copies import Copy
from klik.services.publishing.drafts import current_version
from klik.services.questions import telling as questions
from klik.services.tasks import mentioning
from klik.services.tasks.assigning import NOBODY
from klik.services.work import Actor, Work

Heal = Callable[[Work], int]
LOOKED_BACK = timedelta(days=30)
CORRECTED, MOVED = "rettet", "frist-flyttet"
OCCASIONS = (
    publishing.OCCASION,
    CORRECTED,
    MOVED,
    withdrawing.OCCASION,
    ASSIGNED,
    MENTION,
    questions.ANSWERED,
    deletion_notices.ANNOUNCED,
)
# Changes of a correction tell of themselves; so does what klik does on its own.
_BY_HAND = or_(TaskChange.via == "klik", TaskChange.via.like("samlet/%"))


def look(work: Work, found: Findings) -> None:
    """Look at every kind of act; a fixed number of statements, and one more a kind for what nobody was told of."""
    people = People(work)
    _tally(work, found)
    for absent in (
        _published(work, found, people),
        _corrected(work),
        _withdrawn(work, people),
        _assigned(work),
        _mentioned(work),
        _answered(work),
        _deletions(work, people),
    ):
        for each in absent:
            found.tallies[each.occasion].missing += 1
            found.untold.append(each)


def _tally(work: Work, found: Findings) -> None:
    """What the ledger holds of these occasions, by state."""
    rows = work.session.execute(
        select(Notice.occasion, Notice.withdrawn_at.is_not(None), Mail.state, func.count())
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(Notice.occasion.in_(OCCASIONS), Notice.created_at >= _since(work))
        .group_by(Notice.occasion, Notice.withdrawn_at.is_not(None), Mail.state)
    )
    for occasion, is_withdrawn, state, count in rows:
        found.tallies[occasion].add("withdrawn" if is_withdrawn else state or "pending", count)


def _since(work: Work) -> datetime:
    return work.now - LOOKED_BACK


def _others(people: People, code: int, system: str | None, doer: int | None) -> bool:
    return any(
        each.person_id is None or each.person_id != doer for each in people.of_municipality(code, system)
    )


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
            TaskStep.at >= _since(work),
            MunicipalTask.created_at == TaskStep.at,
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
            ~told,
        )
    ).all()
    for copy_id, code, system, doer, task_id in rows:
        if _others(people, code, system, doer):
            yield Untold(publishing.OCCASION, f"mt={copy_id}", _publication(task_id, copy_id, code))
        elif not people.of_municipality(code, system):
            found.nobody += 1


def _publication(task_id: int, copy_id: int, code: int) -> Heal:
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
            TaskChange.at >= _since(work),
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
) -> Heal:
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
            step.at >= _since(work),
            MunicipalTask.withdrawn_at == step.at,
            MunicipalTask.erased_at.is_(None),
            ~told,
        )
    ).all()
    for copy, doer in rows:
        own = (copy.responsible_id, copy.responsible_role, copy.executor_id, copy.executor_role)
        if any(own) or _others(people, copy.municipality_id, copy.system_code, doer):
            yield Untold(withdrawing.OCCASION, f"mt={copy.id}", _withdrawal(copy.task_id, copy.id))


def _withdrawal(task_id: int | None, copy_id: int) -> Heal:
    def heal(work: Work) -> int:
        task = work.session.get_one(Task, task_id)
        copy = work.session.get_one(MunicipalTask, copy_id)
        told = [(copy, person) for person in task_recipients.of_tasks(work, [copy])[copy_id]]
        return ledger.enqueue(work, withdrawing.drafts(work, task, task.withdrawal_reason or "", told))

    return heal


def _assigned(work: Work) -> Iterable[Untold]:
    """People whom somebody else made responsible or executor of an open task, and who never heard of it."""
    later = aliased(TaskChange)
    for field, column in (
        ("responsible", MunicipalTask.responsible_id),
        ("executor", MunicipalTask.executor_id),
    ):
        overtaken = (
            select(later.id)
            .where(
                later.municipal_task_id == TaskChange.municipal_task_id,
                later.field == field,
                later.id > TaskChange.id,
            )
            .exists()
        )
        told = (
            select(Notice.id)
            .where(
                Notice.municipal_task_id == TaskChange.municipal_task_id,
                Notice.person_id == column,
                Notice.occasion == ASSIGNED,
                Notice.created_at >= TaskChange.at,
            )
            .correlate(TaskChange, MunicipalTask)
            .exists()
        )
        rows = work.session.execute(
            select(MunicipalTask.id, column)
            .join(TaskChange, TaskChange.municipal_task_id == MunicipalTask.id)
            .join(Person, and_(Person.id == column, Person.active.is_(True)))
            .where(
                TaskChange.at >= _since(work),
                TaskChange.field == field,
                TaskChange.person_id.is_not(None),
                TaskChange.person_id != column,
                _BY_HAND,
                MunicipalTask.status.not_in(CLOSED),
                MunicipalTask.withdrawn_at.is_(None),
                MunicipalTask.erased_at.is_(None),
                ~overtaken,
                ~told,
            )
        ).all()
        for task_id, person_id in rows:
            yield Untold(ASSIGNED, f"mt={task_id}/p{person_id}", _assignment(task_id, field))


def _assignment(task_id: int, field: str) -> Heal:
    return lambda work: tell_assigned(work, [(work.session.get_one(MunicipalTask, task_id), {field: NOBODY})])


def _mentioned(work: Work) -> Iterable[Untold]:
    """People named in a comment that they may read, and who never heard of it."""
    rows = work.session.execute(
        select(Comment.id, Comment.municipality_id, Comment.author_id, Comment.text, Comment.private)
        .join(MunicipalTask, MunicipalTask.id == Comment.municipal_task_id)
        .where(
            func.coalesce(Comment.edited_at, Comment.at) >= _since(work),
            Comment.text.contains("@"),
            MunicipalTask.erased_at.is_(None),
        )
    ).all()
    named = {
        (comment_id, person)
        for comment_id, _, author, text, _ in rows
        for person in mentions.mentioned(text)
        if person != author
    }
    if not named:
        return
    active = dict(_homes(work, {person for _, person in named}))
    told = set(
        work.session.scalars(
            select(Notice.dedupe_key).where(Notice.occasion == MENTION, Notice.created_at >= _since(work))
        )
    )
    for comment_id, code, _author, _, private in rows:
        for person in sorted(person for comment, person in named if comment == comment_id):
            reads = person in active and (not private or code in active[person])
            if reads and f"{MENTION}/comment={comment_id}/p{person}" not in told:
                yield Untold(MENTION, f"comment={comment_id}/p{person}", _mention(comment_id))


def _homes(work: Work, wanted: Iterable[int]) -> Mapping[int, set[int | None]]:
    homes: dict[int, set[int | None]] = defaultdict(set)
    for person_id, code in work.session.execute(
        select(Person.id, Membership.municipality_id)
        .join(Membership, and_(Membership.person_id == Person.id, Membership.active.is_(True)))
        .where(Person.id.in_(sorted(wanted)), Person.active.is_(True))
    ):
        homes[person_id].add(code)
    return homes


def _mention(comment_id: int) -> Heal:
    def heal(work: Work) -> int:
        comment = work.session.get_one(Comment, comment_id)
        task = work.session.get_one(MunicipalTask, comment.municipal_task_id)
        author = _as_author(work, comment)
        return mentioning.tell(replace(work, actor=author), task, comment) if author else 0

    return heal


def _as_author(work: Work, comment: Comment) -> Actor | None:
    """The comment's author, as the words about it name them."""
    row = work.session.execute(
        select(Person, Membership, Municipality.name)
        .join(Membership, Membership.person_id == Person.id)
        .outerjoin(Municipality, Municipality.id == Membership.municipality_id)
        .where(Person.id == comment.author_id)
        .order_by((Membership.municipality_id == comment.municipality_id).desc(), Membership.id)
        .limit(1)
    ).first()
    if row is None:
        return None
    person, member, place = row
    return Actor(
        person_id=person.id,
        membership_id=member.id,
        name=person.name,
        email=person.email,
        level=Level(member.level),
        municipality_id=member.municipality_id,
        place=place or member.organisation or "KOMBIT",
        systems=frozenset(),
    )


def _answered(work: Work) -> Iterable[Untold]:
    """Questions that were answered or closed, and whose asker never heard of it."""
    told = (
        select(Notice.id)
        .where(
            Notice.occasion == questions.ANSWERED,
            Notice.municipal_task_id == Question.municipal_task_id,
            Notice.person_id == Question.asked_by,
            Notice.created_at >= func.coalesce(Question.answered_at, Question.closed_at),
        )
        .correlate(Question)
        .exists()
    )
    rows = work.session.scalars(
        select(Question.id)
        .join(Person, and_(Person.id == Question.asked_by, Person.active.is_(True)))
        .join(
            Membership,
            and_(
                Membership.person_id == Person.id,
                Membership.municipality_id == Question.municipality_id,
                Membership.active.is_(True),
            ),
        )
        .where(
            or_(
                and_(Question.answered_at >= _since(work), Question.answered_by != Question.asked_by),
                and_(Question.closed_at >= _since(work), Question.close_reason.is_not(None)),
            ),
            ~told,
        )
    ).all()
    for question_id in rows:
        yield Untold(questions.ANSWERED, f"question={question_id}", _answer(question_id))


def _answer(question_id: int) -> Heal:
    return lambda work: questions.tell_asker(work, work.session.get_one(Question, question_id))


def _deletions(work: Work, people: People) -> Iterable[Untold]:
    """Municipalities with tasks in an announced deletion that nobody was told of."""
    told = (
        select(Notice.id)
        .where(
            Notice.occasion == deletion_notices.ANNOUNCED,
            Notice.municipality_id == DeletionItem.municipality_id,
            Notice.created_at >= Deletion.announced_at,
            Notice.about_day.is_not(None),
            Notice.path.like("/sletning/%"),
        )
        .correlate(DeletionItem, Deletion)
    )
    rows = work.session.execute(
        select(Deletion.id, DeletionItem.municipality_id, MunicipalTask.system_code, Deletion.announced_by)
        .join(DeletionItem, DeletionItem.deletion_id == Deletion.id)
        .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
        .where(
            Deletion.state == "varslet",
            Deletion.announced_at >= _since(work),
            ~told.where(Notice.dedupe_key.like(_of_deletion())).exists(),
        )
        .distinct()
    ).all()
    yield from _by_deletion(rows, people)


def _of_deletion() -> ColumnElement[str]:
    return literal("sletning=") + cast(Deletion.id, String) + literal("/kommune=%")


def _by_deletion(
    rows: Sequence[Row[tuple[int, int, str | None, int | None]]], people: People
) -> Iterable[Untold]:
    reachable = {
        (deletion_id, code) for deletion_id, code, system, doer in rows if _others(people, code, system, doer)
    }
    for deletion_id, code in sorted(reachable):
        yield Untold(deletion_notices.ANNOUNCED, f"sletning={deletion_id}/{code}", _announcement(deletion_id))


def _announcement(deletion_id: int) -> Heal:
    return lambda work: deletion_notices.announced(work, work.session.get_one(Deletion, deletion_id))
