"""Questions as they are read: on a municipality's task, in its PDF, and in KOMBIT's list."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from klik.domain.deadlines import danish_today
from klik.domain.texts import search_key
from klik.models import Municipality, MunicipalTask, Person, Project, Question, System, Task, TaskVersion
from klik.services import access
from klik.services.work import Work

# Two questions that share half of the longer words of the shorter one are shown side by side.
ALIKE = 0.5
_LONG_WORD = re.compile(r"\w{4,}")
SOME_MUNICIPALITY = "En kommune"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """A question as the actor may see it. ``asker`` is "Køge", "En kommune", or who it was, at home and for KOMBIT."""

    id: int
    version: int
    task_id: int
    asker: str
    own: bool
    mine: bool
    named: bool
    text: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    edited_at: datetime | None
    closed_at: datetime | None
    close_reason: str | None

    @property
    def open(self) -> bool:
        """Whether it waits for KOMBIT."""
        return self.answered_at is None and self.closed_at is None


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A line of KOMBIT's list: the question, what it is about, and how many days ago it was asked."""

    question: QuestionView
    number: str
    title: str
    project: str
    system: str
    municipal_task_id: int
    days: int


def of_task(work: Work, task: MunicipalTask) -> tuple[QuestionView, ...]:
    """What has been asked about a task, as far as the actor may see it: answered first, then what waits."""
    if task.task_id is None:
        return ()
    rows = work.session.execute(
        _rows(work)
        .where(Question.task_id == task.task_id)
        .order_by(Question.answered_at.is_(None), Question.answered_at, Question.asked_at, Question.id)
    )
    return tuple(_view(work, *row) for row in rows)


def similar(questions: Sequence[QuestionView], text: str) -> tuple[QuestionView, ...]:
    """Those of a task's questions that ask much the same, closed ones left out."""
    asked = search_key(text)
    words = set(_LONG_WORD.findall(asked))

    def alike(other: str) -> bool:
        theirs = set(_LONG_WORD.findall(other))
        shared = len(words & theirs) / max(1, min(len(words), len(theirs)))
        return shared >= ALIKE or difflib.SequenceMatcher(None, asked, other).ratio() >= 0.7

    return tuple(each for each in questions if each.closed_at is None and alike(search_key(each.text)))


def to_answer(work: Work, question_id: int) -> AskedQuestion:
    """One question for KOMBIT; raises NotFoundError, ForbiddenError."""
    question = access.question_to_answer(work, question_id)
    row = work.session.execute(_asked(work).where(Question.id == question.id)).one()
    return _asked_question(work, row)


def asked(
    work: Work, *, answered: bool, system: str | None, offset: int, limit: int
) -> tuple[AskedQuestion, ...]:
    """KOMBIT's list: those that wait, oldest first, or those that are done with, newest first."""
    order = (Question.asked_at.desc(), Question.id.desc()) if answered else (Question.asked_at, Question.id)
    statement = _filtered(_asked(work), answered, system).order_by(*order).offset(offset).limit(limit)
    return tuple(_asked_question(work, row) for row in work.session.execute(statement))


def count(work: Work, *, answered: bool = False, system: str | None = None) -> int:
    """How many such questions there are."""
    statement = select(func.count(Question.id)).join(Task, Task.id == Question.task_id)
    statement = statement.join(Project, Project.id == Task.project_id).where(access.visible_questions(work))
    return work.session.scalar(_filtered(statement, answered, system)) or 0


def systems(work: Work) -> list[tuple[str, str]]:
    """Code and name of the systems that questions have been asked about."""
    rows = work.session.execute(
        select(System.code, System.name)
        .where(
            System.code.in_(
                select(Project.system_code)
                .join(Task, Task.project_id == Project.id)
                .join(Question, Question.task_id == Task.id)
            )
        )
        .order_by(System.name)
    )
    return [(code, name) for code, name in rows]


def _filtered(statement: Select[Any], answered: bool, system: str | None) -> Select[Any]:
    waits = Question.answered_at.is_(None) & Question.closed_at.is_(None)
    statement = statement.where(~waits if answered else waits)
    return statement.where(Project.system_code == system) if system else statement


def _rows(work: Work) -> Select[Any]:
    return (
        select(Question, Municipality.name, Person.name)
        .join(Municipality, Municipality.id == Question.municipality_id)
        .join(Person, Person.id == Question.asked_by)
        .where(access.visible_questions(work))
    )


def _asked(work: Work) -> Select[Any]:
    return (
        _rows(work)
        .join(Task, Task.id == Question.task_id)
        .join(TaskVersion, (TaskVersion.task_id == Task.id) & (TaskVersion.number == Task.current_number))
        .join(Project, Project.id == Task.project_id)
        .outerjoin(System, System.code == Project.system_code)
        .add_columns(Task.task_number, TaskVersion.title, Project.name, System.name)
    )


def _asked_question(work: Work, row: Any) -> AskedQuestion:
    question, place, person, number, title, project, system = row
    return AskedQuestion(
        _view(work, question, place, person),
        number,
        title,
        project,
        system or "",
        question.municipal_task_id,
        (work.today - danish_today(question.asked_at)).days,
    )


def _view(work: Work, question: Question, place: str, person: str) -> QuestionView:
    actor = work.actor
    own = actor is None or actor.municipality_id == question.municipality_id
    if own or (actor is not None and actor.kombit):
        asker = f"{person}, {place}"
    else:
        asker = place if question.named else SOME_MUNICIPALITY
    return QuestionView(
        id=question.id,
        version=question.version,
        task_id=question.task_id,
        asker=asker,
        own=own,
        mine=actor is not None and actor.person_id == question.asked_by and own,
        named=question.named,
        text=question.text,
        asked_at=question.asked_at,
        answer=question.answer,
        answered_at=question.answered_at,
        edited_at=question.edited_at,
        closed_at=question.closed_at,
        close_reason=question.close_reason,
    )
