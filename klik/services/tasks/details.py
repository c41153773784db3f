"""A municipality's task with all that hangs on it, as far as the actor may see it; page and PDF read the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, select

from klik.content.roles import RoleScope
from klik.domain import deadlines, mentions
from klik.domain.deadlines import Colour
from klik.domain.mentions import Piece
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.models import (
    Comment,
    Municipality,
    MunicipalTask,
    MunicipalTaskField,
    MunicipalTaskFile,
    Person,
    StoredFile,
    System,
    Task,
    TaskFile,
    TaskLink,
)
from klik.services import access, holders
from klik.services.deadlines import out_of_order, yellow_note
from klik.services.deleting import last_days
from klik.services.deleting import progress as deletion_progress
from klik.services.deleting.progress import ItemLine
from klik.services.filters import PRIORITIES
from klik.services.tasks import assigning, checklist, mentioning
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.checklist import Checklist
from klik.services.tasks.words import TEXTS, choice_word
from klik.services.work import Work

FOR_INFORMATION = "Til orientering: fristen var passeret, da kommunen fik opgaven"
WITHDRAWN = "Ingen farve: KOMBIT har trukket opgaven tilbage"


@dataclass(frozen=True, slots=True)
class Assigned:
    """Who has the task: ``name`` of a person or of whoever holds ``role`` today, empty when it is vacant.

    ``slug`` is the role's, ``system`` the one it is to be held for; ``fillable``: the two belong together.
    ``said``: the role's name in the middle of a sentence.
    """

    name: str
    role: str | None = None
    slug: str | None = None
    system: str | None = None
    fillable: bool = False
    said: str = ""

    @property
    def vacant(self) -> bool:
        """Whether a role has the task and nobody holds the role."""
        return self.role is not None and not self.name

    @property
    def words(self) -> str:
        """In one line, as the PDF has it."""
        if self.role is None:
            return self.name
        return f"{self.role}: {self.name}" if self.name else f"{self.role} (ubesat)"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A task that must be done before this one, or that waits for it; without id when there is no copy here."""

    number: str
    title: str
    id: int | None
    status: str | None


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment with its author's name; ``mine`` when the actor wrote it and may change it.

    ``pieces`` is ``text`` cut where it names somebody.
    """

    id: int
    version: int
    at: datetime
    author: str
    place: str
    text: str
    private: bool
    mine: bool
    edited_at: datetime | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class FileView:
    """A file on the task; ``kombit`` when KOMBIT put it there for everybody."""

    id: int
    name: str
    size: int
    sha256: str
    media_type: str
    added_at: datetime
    added_by: str
    added_by_id: int | None
    kombit: bool


@dataclass(frozen=True, slots=True)
class DeletionView:
    """An announced deletion of this task; ``last_day`` is the task's own, ``may_ask`` whether more time is offered."""

    deletion_id: int
    last_day: date
    heading: str
    legal_basis: str
    line: ItemLine
    may_ask: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDetails:
    """Everything the task page shows except history, notices and panels."""

    task: MunicipalTask
    status: Status
    colour: Colour | None
    explanation: str
    out_of_order: str
    municipality: str
    project: str
    system: str
    priority: str
    responsible: Assigned
    executor: Assigned
    suggested_responsible: str | None
    suggested_executor: str | None
    texts: tuple[tuple[str, str], ...]
    keyed_fields: tuple[tuple[str, str, str], ...]
    field_values: dict[str, str]
    needs: tuple[Neighbour, ...]
    needed_by: tuple[Neighbour, ...]
    comments: tuple[CommentView, ...]
    files: tuple[FileView, ...]
    checklist: Checklist
    deletion: DeletionView | None
    withdrawn_at: datetime | None
    withdrawal_reason: str
    own: bool
    sees_people: bool

    @property
    def extra_fields(self) -> tuple[tuple[str, str], ...]:
        """Label and words of each plug-in field."""
        return tuple((label, words) for _key, label, words in self.keyed_fields)

    @property
    def local(self) -> bool:
        """Whether the municipality made the task itself."""
        return self.task.task_id is None


def load(work: Work, task_id: int) -> TaskDetails:
    """The task as the actor may see it; raises NotFoundError."""
    return of(work, access.municipal_task(work, task_id))


def of(work: Work, task: MunicipalTask) -> TaskDetails:
    """The same for a row the actor may see, or for one that is not stored yet."""
    status = Status(task.status)
    colour = (
        None if task.withdrawn_at else deadlines.colour(status, task.deadline, task.yellow_from, work.today)
    )
    version = task.task_version
    municipality = work.session.get_one(Municipality, task.municipality_id)
    system = work.session.get(System, task.system_code) if task.system_code else None
    values = _field_values(work, task)
    sees_people = access.sees_people(work)
    own = work.actor is None or work.actor.municipality_id == task.municipality_id
    return TaskDetails(
        task=task,
        status=status,
        colour=colour,
        explanation=FOR_INFORMATION
        if task.for_information
        else WITHDRAWN
        if task.withdrawn_at
        else deadlines.explain(
            colour,
            task.deadline,
            task.yellow_from,
            work.today,
            yellow_note(work.registry, version.deadline_rule) if version else "",
        ),
        out_of_order=out_of_order(work.registry, version.deadline_rule) if version and task.deadline else "",
        municipality=municipality.name,
        project=task.project.name,
        system=system.name if system else "",
        priority=PRIORITIES[task.priority],
        responsible=_assigned(work, task, "responsible", sees_people),
        executor=_assigned(work, task, "executor", sees_people),
        suggested_responsible=_role_name(work, version.responsible_role if version else None),
        suggested_executor=_role_name(work, version.executor_role if version else None),
        texts=_texts(task),
        keyed_fields=_extra_fields(work, task, values),
        field_values=values,
        needs=_neighbours(work, task, TaskLink.task_id, TaskLink.needs_task_id),
        needed_by=_neighbours(work, task, TaskLink.needs_task_id, TaskLink.task_id),
        comments=_comments(work, task),
        files=_files(work, task, own),
        checklist=checklist.of(work, task),
        deletion=_deletion(work, task),
        withdrawn_at=task.withdrawn_at,
        withdrawal_reason=(task.task.withdrawal_reason or "") if task.task and task.withdrawn_at else "",
        own=own,
        sees_people=sees_people,
    )


def _role_name(work: Work, slug: str | None) -> str | None:
    return work.registry.content.role(slug).name if slug else None


def _assigned(work: Work, task: MunicipalTask, field: str, sees_people: bool) -> Assigned:
    person_id, role = getattr(task, f"{field}_id"), getattr(task, f"{field}_role")
    if person_id is not None:
        return Assigned(assigning.word(work, Assignee(person_id=person_id)) if sees_people else "")
    if role is None:
        return Assigned("")
    held = holders.of_task(work, task.municipality_id, role, task.system_code)
    name = next((each.name for each in held if not each.substitute), "") if sees_people else ""
    described = work.registry.content.role(role)
    across = described.scope is RoleScope.MUNICIPALITY
    fillable = not described.is_retired and (across or described.is_for(task.system_code or ""))
    return Assigned(
        name,
        described.name,
        role,
        None if across else task.system_code,
        fillable,
        holders.role_name(work, role),
    )


def _texts(task: MunicipalTask) -> tuple[tuple[str, str], ...]:
    """Headed Markdown; a local task has one text."""
    version = task.task_version
    if version is None:
        return (("Beskrivelse", task.local_text),) if task.local_text else ()
    found = ((heading, getattr(version, name)) for name, heading in TEXTS)
    return tuple((heading, text) for heading, text in found if text.strip())


def _field_values(work: Work, task: MunicipalTask) -> dict[str, str]:
    rows = work.session.execute(
        select(MunicipalTaskField.field, MunicipalTaskField.value).where(
            MunicipalTaskField.municipal_task_id == task.id
        )
    )
    return {field: value for field, value in rows}


def _extra_fields(
    work: Work, task: MunicipalTask, values: dict[str, str]
) -> tuple[tuple[str, str, str], ...]:
    """Key, label and words of each plug-in field; values of a plug-in that is gone stay under their key."""
    known = {extra.key: extra for extra in work.registry.fields_of(task.system_code)}
    shown = [(key, extra.label, choice_word(extra, values.get(key, ""))) for key, extra in known.items()]
    return tuple(shown + [(key, key, value) for key, value in sorted(values.items()) if key not in known])


def _neighbours(work: Work, task: MunicipalTask, here: object, there: object) -> tuple[Neighbour, ...]:
    if task.task_id is None:
        return ()
    rows = work.session.execute(
        select(Task, MunicipalTask)
        .join(TaskLink, there == Task.id)  # type: ignore[arg-type]
        .outerjoin(
            MunicipalTask,
            and_(
                MunicipalTask.task_id == Task.id,
                MunicipalTask.municipality_id == task.municipality_id,
                access.visible(work),
            ),
        )
        .where(here == task.task_id, access.known_tasks(work))  # type: ignore[arg-type]
        .order_by(Task.task_number)
    )
    return tuple(
        Neighbour(
            published.task_number,
            copy.title if copy else _title(published),
            copy.id if copy else None,
            copy.status if copy else None,
        )
        for published, copy in rows
    )


def _title(task: Task) -> str:
    return next((each.title for each in task.versions if each.number == task.current_number), "")


def _comments(work: Work, task: MunicipalTask) -> tuple[CommentView, ...]:
    actor = work.actor
    may_write = access.may_comment(work, task)
    rows = work.session.execute(
        select(Comment, Person)
        .join(Person, Person.id == Comment.author_id)
        .where(
            Comment.municipal_task_id == task.id,
            Comment.municipality_id == task.municipality_id,
            access.visible_comments(work),
        )
        .order_by(Comment.at, Comment.id)
    ).all()
    at_home = assigning.members_of(work, task.municipality_id, [person.id for _, person in rows])
    names = mentioning.names(work, [comment.text for comment, _ in rows])
    return tuple(
        CommentView(
            id=comment.id,
            version=comment.version,
            at=comment.at,
            author=person.name,
            place="" if person.id in at_home else "KOMBIT",
            text=mentions.to_written(comment.text, names),
            private=comment.private,
            edited_at=comment.edited_at,
            pieces=mentions.pieces(comment.text, names),
            mine=may_write and actor is not None and actor.person_id == person.id,
        )
        for comment, person in rows
    )


def _files(work: Work, task: MunicipalTask, own: bool) -> tuple[FileView, ...]:
    """KOMBIT's files, then the municipality's own where the actor is of that municipality."""
    found: list[FileView] = []
    if task.task_id is not None:
        for file, stored in work.session.execute(
            select(TaskFile, StoredFile)
            .join(StoredFile, StoredFile.sha256 == TaskFile.sha256)
            .where(TaskFile.task_id == task.task_id)
            .order_by(TaskFile.name, TaskFile.id)
        ):
            found.append(_file_view(file, stored, "KOMBIT", kombit=True))
    if own:
        for own_file, stored, name in work.session.execute(
            select(MunicipalTaskFile, StoredFile, Person.name)
            .join(StoredFile, StoredFile.sha256 == MunicipalTaskFile.sha256)
            .join(Person, Person.id == MunicipalTaskFile.added_by)
            .where(
                MunicipalTaskFile.municipal_task_id == task.id,
                MunicipalTaskFile.municipality_id == task.municipality_id,
            )
            .order_by(MunicipalTaskFile.added_at, MunicipalTaskFile.id)
        ):
            found.append(_file_view(own_file, stored, name, kombit=False))
    return tuple(found)


def _file_view(
    file: TaskFile | MunicipalTaskFile, stored: StoredFile, added_by: str, *, kombit: bool
) -> FileView:
    return FileView(
        id=file.id,
        name=file.name,
        size=stored.size,
        sha256=stored.sha256,
        media_type=stored.media_type,
        added_at=file.added_at,
        added_by=added_by,
        added_by_id=file.added_by,
        kombit=kombit,
    )


def _deletion(work: Work, task: MunicipalTask) -> DeletionView | None:
    if work.actor is not None and work.actor.level is Level.SUPPLIER:
        return None
    found = deletion_progress.of_task(work, task)
    if found is None:
        return None
    deletion, line = found
    return DeletionView(
        deletion_id=deletion.id,
        last_day=last_days.of_item(deletion, line.item),
        heading=deletion.heading,
        legal_basis=deletion.legal_basis,
        line=line,
        may_ask=last_days.may_ask(deletion, line.item, work.today),
    )
