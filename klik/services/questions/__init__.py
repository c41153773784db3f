"""Asking KOMBIT about a published task once: the answer stands on every municipality's copy."""

from __future__ import annotations

from sqlalchemy import update

from klik.domain.errors import InputError
from klik.domain.markdown import check_markdown
from klik.models import MunicipalTask, Question
from klik.services import access, auditing, free_text
from klik.services.errors import ConflictError, Difference, ForbiddenError, NotFoundError, RefusedError
from klik.services.questions import telling
from klik.services.tasks import read_marks
from klik.services.work import Work

TEXT_LIMIT, ANSWER_LIMIT, REASON_LIMIT = 2_000, 10_000, 500


def ask(work: Work, task_id: int, text: str, *, named: bool = False, not_cpr: bool = False) -> Question:
    """Ask about a task; ``named`` lets the other municipalities see who asked.

    Raises RefusedError ("text"), ForbiddenError, NotFoundError.
    """
    task = access.municipal_task(work, task_id)
    if task.task_id is None:
        raise NotFoundError  # KOMBIT knows nothing of a local task
    if work.actor is None or not access.may_ask(work, task):
        raise ForbiddenError("ask")
    question = Question(
        municipality_id=task.municipality_id,
        municipal_task_id=task.id,
        task_id=task.task_id,
        asked_by=work.actor.person_id,
        asked_at=work.now,
        text=free_text.checked(text, field="Spørgsmål", limit=TEXT_LIMIT, not_cpr=not_cpr, lines=True),
        named=named,
    )
    work.session.add(question)
    work.session.flush()
    telling.tell_kombit(work, task, question)
    read_marks.mark(work, task)
    _record(work, "spørg", question, not_cpr)
    return question


def take_back(work: Work, task_id: int, question_id: int) -> None:
    """Take back one's own question while it is not answered; raises RefusedError, NotFoundError."""
    question = access.own_question(work, task_id, question_id)
    work.session.refresh(question, with_for_update=True)
    if question.answered_at is not None:
        raise RefusedError({"": "Spørgsmålet er besvaret i mellemtiden og kan ikke tages tilbage."})
    if question.closed_at is None:
        question.closed_at = work.now
        telling.take_back(work, question.id)
        work.session.flush()
        _record(work, "tag-spørgsmål-tilbage", question)


def answer(work: Work, question_id: int, version: int, text: str, *, not_cpr: bool = False) -> Question:
    """Answer a question, or correct the answer it has; the asker hears of it the first time.

    Every copy of the task counts as changed. Raises ConflictError when somebody answered first, RefusedError
    ("text"), ForbiddenError, NotFoundError.
    """
    question = access.question_to_answer(work, question_id)
    work.session.refresh(question, with_for_update=True)
    wanted = free_text.checked(text, field="Svar", limit=ANSWER_LIMIT, not_cpr=not_cpr, lines=True)
    try:
        check_markdown(wanted, "Svar")
    except InputError as error:
        raise RefusedError({"text": str(error)}) from error
    _check_version(question, version, Difference("Svar", wanted, question.answer or "Intet svar"))
    if question.closed_at is not None:
        raise RefusedError({"text": "Spørgsmålet er lukket og kan ikke besvares."})
    if question.answer == wanted:
        return question
    first = question.answer is None
    question.answer = wanted
    if first:
        question.answered_at, question.answered_by = work.now, _actor_id(work)
    else:
        question.edited_at = work.now
    work.session.flush()
    _touch_copies(work, question.task_id)
    if first:
        telling.tell_asker(work, question)
        telling.tell_channels(work, question)
    _record(work, "besvar" if first else "ret-svar", question, not_cpr)
    return question


def close(work: Work, question_id: int, version: int, reason: str) -> Question:
    """Close a question without an answer; the asker is told why. Raises as ``answer``, with "reason"."""
    question = access.question_to_answer(work, question_id)
    work.session.refresh(question, with_for_update=True)
    try:
        wanted = free_text.checked(reason, field="Begrundelse", limit=REASON_LIMIT, not_cpr=False)
    except RefusedError as error:
        raise RefusedError({"reason": error.problems["text"]}) from error
    _check_version(question, version, Difference("Lukket, fordi", wanted, question.answer or "Intet svar"))
    if question.answered_at is not None or question.closed_at is not None:
        raise RefusedError({"reason": "Spørgsmålet er allerede besvaret eller lukket."})
    question.closed_at, question.close_reason = work.now, wanted
    work.session.flush()
    telling.tell_asker(work, question)
    _record(work, "luk-spørgsmål", question)
    return question


def _check_version(question: Question, version: int, difference: Difference) -> None:
    if question.version != version:
        raise ConflictError(question.version, (difference,))


def _touch_copies(work: Work, task_id: int) -> None:
    """Every copy counts as changed; their versions stay, so that no open form turns into a conflict."""
    work.session.execute(
        update(MunicipalTask)
        .where(MunicipalTask.task_id == task_id, MunicipalTask.withdrawn_at.is_(None))
        .values(changed_at=work.now)
        .execution_options(synchronize_session=False)
    )


def _actor_id(work: Work) -> int | None:
    return work.actor.person_id if work.actor else None


def _record(work: Work, action: str, question: Question, not_cpr: bool = False) -> None:
    auditing.record(
        work,
        action,
        f"spoergsmaal/{question.id}",
        {"opgave": question.task_id} | ({"cpr_afvist": True} if not_cpr else {}),
        question.municipality_id,
    )
