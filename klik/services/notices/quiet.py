"""Peace from the mailed reminders of one task, for one person, until a day they chose themselves.

It stands in the ledger as a row of its own that is never sent, so that the account of the task shows why no
mail went out. The reminders themselves are written as ever and wait; on the day the newest of them goes out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, String, and_, cast, exists, literal, not_, or_, select, update
from sqlalchemy.orm import aliased

from klik.domain.calendar import long_date
from klik.models import MunicipalTask, Notice
from klik.services.notices import ledger
from klik.services.notices.occasions import QUIET
from klik.services.work import Actor, Work

MOST_DAYS = 14


def keep_quiet(work: Work, actor: Actor, task: MunicipalTask, until: date, via: str) -> None:
    """Hold the actor's mailed reminders of the task back until the day; what was chosen before is replaced."""
    row = _row(work, actor.person_id, task.id)
    if row is None:
        row = Notice(
            dedupe_key=f"{QUIET}/mt={task.id}/p{actor.person_id}",
            occasion=QUIET,
            channel=ledger.MAIL,
            municipality_id=task.municipality_id,
            municipal_task_id=task.id,
            person_id=actor.person_id,
            address=actor.email,
            reason="har selv bedt om det",
            heading=f"Påmindelser udskudt: {task.title}"[:300],
            sentence="",
            path=f"/opgaver/{task.id}",
            created_at=work.now,
            due_at=work.now,
            withdrawn_at=work.now,
        )
        work.session.add(row)
    row.created_at = row.due_at = row.withdrawn_at = work.now
    row.about_day = row.snoozed_until = until
    row.sentence = f"Mails med påmindelser om opgaven venter til {long_date(until)}."
    row.withdrawal_reason = f"udskudt til {long_date(until)} {via}"
    work.session.flush()
    _snooze(work, actor.person_id, task.id, until)


def until(work: Work, person_id: int, task_id: int) -> date | None:
    """The day until which the person is left in peace, when it is still ahead."""
    row = _row(work, person_id, task_id)
    day = row.snoozed_until if row else None
    return day if day and day > work.today else None


def is_awake(work: Work) -> ColumnElement[bool]:
    """For what waits to be mailed: no reminder that its person has asked to have later."""
    held = aliased(Notice)
    # By its unique key: the columns of a task's many notices are no short way to one row.
    task, person = cast(Notice.municipal_task_id, String), cast(Notice.person_id, String)
    key = literal(f"{QUIET}/mt=").concat(task).concat("/p").concat(person)
    hushed = exists(select(held.id).where(held.dedupe_key == key, held.snoozed_until > work.today))
    return or_(Notice.municipal_task_id.is_(None), Notice.occasion.not_in(_reminders(work)), not_(hushed))


def _row(work: Work, person_id: int, task_id: int) -> Notice | None:
    return work.session.scalar(
        select(Notice).where(Notice.dedupe_key == f"{QUIET}/mt={task_id}/p{person_id}")
    )


def _snooze(work: Work, person_id: int, task_id: int, day: date) -> None:
    """The same reminders step back in the inbox; there they come forward on the day."""
    work.session.execute(
        update(Notice)
        .where(
            and_(
                Notice.person_id == person_id,
                Notice.municipal_task_id == task_id,
                Notice.occasion.in_(_reminders(work)),
                Notice.read_at.is_(None),
            )
        )
        .values(snoozed_until=day)
    )


def _reminders(work: Work) -> Collection[str]:
    return sorted(work.registry.notification_rules)
