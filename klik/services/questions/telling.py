"""The notices around a question: to KOMBIT's editors that it came, to the asker what came of it."""

from __future__ import annotations

from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.models import Membership, Municipality, MunicipalTask, Notice, Person, Question, Task
from klik.services.notices import channels, ledger, stand_ins
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.notices.stand_ins import Wanted
from klik.services.work import Work

ASKED, ANSWERED = "spoergsmaal", "besvaret"
TAKEN_BACK = "spørgsmålet er taget tilbage"


def tell_kombit(work: Work, task: MunicipalTask, question: Question) -> int:
    """One notice for each editor of KOMBIT; without an editor the administrators are told.

    It belongs to no municipality: who asked is for KOMBIT only.
    """
    name = f"{task.task_number} {task.title}"
    place = work.session.get_one(Municipality, question.municipality_id).name
    editors = [
        Wanted(Recipient(person_id, address, None, "redaktør hos KOMBIT"))
        for person_id, address in _editors(work)
    ]
    drafts = [
        NoticeDraft(
            occasion=ASKED,
            dedupe_key=_about(ASKED, question.id),
            recipient=recipient,
            heading=f"Spørgsmål fra {place}: {name}",
            sentence=f"{place} har stillet et spørgsmål om opgaven “{name}”. Svaret kommer til at stå hos alle "
            "kommuner, der har opgaven.",
            path=f"/spoergsmaal/{question.id}",
            task_id=task.task_id,
        )
        for recipient in stand_ins.reached(work, {question.id: editors})[question.id]
    ]
    return ledger.enqueue(work, drafts)


def _editors(work: Work) -> list[tuple[int, str]]:
    for level in (Level.KOMBIT_EDITOR, Level.KOMBIT_ADMINISTRATOR):
        rows = work.session.execute(
            select(Person.id, Person.email)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.level == level.value, Membership.active.is_(True), Person.active.is_(True))
            .order_by(Person.id)
        ).all()
        if rows:
            return [(person_id, address) for person_id, address in rows]
    return []


def tell_asker(work: Work, question: Question) -> int:
    """One notice that it is answered, or why not; nobody who has left the municipality hears of it.

    What waits for KOMBIT's editors is withdrawn.
    """
    take_back(work, question.id, "spørgsmålet er besvaret eller lukket")
    task = work.session.get_one(MunicipalTask, question.municipal_task_id)
    address = work.session.scalar(
        select(Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Person.id == question.asked_by,
            Person.active.is_(True),
            Membership.municipality_id == question.municipality_id,
            Membership.active.is_(True),
        )
    )
    if address is None:
        return 0
    name = f"{task.task_number} {task.title}"
    closed = question.closed_at is not None
    draft = NoticeDraft(
        occasion=ANSWERED,
        dedupe_key=_about(ANSWERED, question.id),
        recipient=Recipient(question.asked_by, address, question.municipality_id, "har stillet spørgsmålet"),
        heading=f"{'KOMBIT har lukket dit spørgsmål' if closed else 'KOMBIT har svaret'}: {name}",
        sentence=(
            f"Dit spørgsmål om opgaven “{name}” er lukket uden svar. Begrundelse: {question.close_reason}"
            if closed
            else f"Dit spørgsmål om opgaven “{name}” er besvaret. Svaret står på opgaven."
        ),
        path=f"/opgaver/{task.id}#spoergsmaal-{question.id}",
        municipal_task_id=task.id,
        task_id=task.task_id,
    )
    return ledger.enqueue(work, [draft])


def tell_channels(work: Work, question: Question) -> None:
    """That there is an answer, and on which task; who asked is nobody else's business."""
    copy = work.session.get_one(MunicipalTask, question.municipal_task_id)
    name = f"{copy.task_number} {copy.title}"
    channels.tell(
        work,
        work.session.get_one(Task, question.task_id),
        ANSWERED,
        f"question={question.id}",
        f"KOMBIT har svaret: {name}",
        f"Et spørgsmål om opgaven “{name}” er besvaret. Svaret står på opgaven hos alle kommuner.",
    )


def take_back(work: Work, question_id: int, reason: str = TAKEN_BACK) -> None:
    """Withdraw what is not mailed yet to KOMBIT."""
    work.session.execute(
        update(Notice)
        .where(
            Notice.occasion == ASKED,
            Notice.dedupe_key.startswith(f"{_about(ASKED, question_id)}/", autoescape=True),
            Notice.mail_id.is_(None),
            Notice.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=work.now, withdrawal_reason=reason)
    )


def _about(occasion: str, question_id: int) -> str:
    return f"{occasion}/question={question_id}"
