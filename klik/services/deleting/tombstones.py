"""What is left of an erased task, and what is cleared: every text that hangs on it, wherever it was written.

What each table is treated as stands here by name; a test walks all tables and fails for one that is not mentioned.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, false, or_, select, update

from klik.db import rows_changed
from klik.domain.status import Status
from klik.domain.texts import sort_key
from klik.models import (
    Base,
    BulkChange,
    BulkChangeItem,
    ChecklistItem,
    Comment,
    DeletionItem,
    Deviation,
    EarlierState,
    ExportProof,
    Mail,
    MunicipalTask,
    MunicipalTaskField,
    MunicipalTaskFile,
    Notice,
    PluginEvent,
    Question,
    ReadMark,
    StoredFile,
    TaskChange,
)
from klik.models.guards import ERASED_TITLE
from klik.services import access, events
from klik.services.deleting.archiving import WaitingError, discard
from klik.services.work import Work

# Removed, row by row.
REMOVED = (
    BulkChangeItem,
    ChecklistItem,
    Comment,
    Deviation,
    EarlierState,
    MunicipalTaskField,
    MunicipalTaskFile,
    Question,
    ReadMark,
    TaskChange,
)
# Cleared, the row stays.
CLEARED = {"municipal_tasks", "notices", "mails", "deletion_items", "bulk_changes"}
# Kept, with the reason why.
KEPT: Mapping[str, str] = {
    "export_proofs": "number, project and hashes only: what /verificer answers with",
    "calendar_feed_events": "a day and a number: subscribers' calendars are told that the day is cancelled",
}
GONE = "Teksten er slettet sammen med opgaven."
OF_THE_TASK: Mapping[str, object] = {
    "title": ERASED_TITLE,
    "title_key": sort_key(ERASED_TITLE),
    "search_key": "",
    "local_text": "",
    "status": Status.NOT_STARTED.value,
    "not_relevant_reason": None,
    "start_date": None,
    "deadline": None,
    "yellow_from": None,
    "deadline_is_own": False,
    "completed_on": None,
    "responsible_id": None,
    "responsible_role": None,
    "executor_id": None,
    "executor_role": None,
}
# How long a list mailed to its subscriber stays when it does not name the task by its title of today.
LISTS_KEPT = timedelta(days=1)


def clear(work: Work, item: DeletionItem) -> None:
    """Leave a tombstone of the item's task; raises WaitingError while a mail about it is being sent."""
    task = work.session.get_one(MunicipalTask, item.municipal_task_id)
    _clear_notices(work, task)
    _discard_files(work, task, item)
    _clear_bulk_changes(work, task)
    for table in REMOVED:
        work.session.execute(
            delete(table).where(table.municipal_task_id == task.id),
            execution_options={"synchronize_session": False},
        )
    told = f'{{"task": {task.id}, "municipality": {task.municipality_id}, '
    work.session.execute(
        delete(PluginEvent).where(
            PluginEvent.event == events.CHANGED, PluginEvent.payload.startswith(told, autoescape=True)
        )
    )
    item.hold_reason = None
    work.session.execute(
        update(MunicipalTask)
        .where(MunicipalTask.id == task.id)
        .values(**OF_THE_TASK, erased_at=work.now, changed_at=work.now, version=MunicipalTask.version + 1),
        execution_options={"synchronize_session": False},
    )
    work.session.expire(task)


def _clear_notices(work: Work, task: MunicipalTask) -> None:
    """The ledger's rows stay, so that nothing is told anew; their words go, and those of the mails they were in."""
    about = select(Notice.id, Notice.mail_id, Notice.address).where(_about(work, task))
    rows = work.session.execute(about).all()
    if not rows:
        return
    mail_ids = {row.mail_id for row in rows if row.mail_id}
    addresses = {row.address for row in rows}
    under_way = select(Mail.id).where(Mail.id.in_(mail_ids), Mail.state.in_(("claimed", "in_doubt")))
    if work.session.scalar(under_way.with_for_update().limit(1)) is not None:
        raise WaitingError("En mail om opgaven er ved at blive sendt.")
    pending = work.session.scalars(
        select(Mail.id).where(Mail.id.in_(mail_ids), Mail.state == "pending").with_for_update()
    ).all()
    if pending:
        work.session.execute(update(Mail).where(Mail.id.in_(pending)).values(state="stale"))
        work.session.execute(update(Notice).where(Notice.mail_id.in_(pending)).values(mail_id=None))
    # Mails taken apart hold the words still, and no notice leads to them any more.
    holding = or_(Mail.id.in_(mail_ids), and_(Mail.state == "stale", Mail.address.in_(addresses)))
    work.session.execute(update(Mail).where(holding).values(subject=ERASED_TITLE, content=b""))
    ids = [row.id for row in rows]
    work.session.execute(
        update(Notice)
        .where(Notice.id.in_(ids))
        .values(heading=ERASED_TITLE, sentence=GONE, withdrawal_reason=None)
    )
    waits = (Notice.id.in_(ids), Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None))
    work.session.execute(
        update(Notice).where(*waits).values(withdrawn_at=work.now, withdrawal_reason="Opgaven er slettet")
    )


def _about(work: Work, task: MunicipalTask) -> ColumnElement[bool]:
    """Notices with words of the task: its own, those that lead to it, and lists mailed to subscribers."""
    page = f"/opgaver/{task.id}"
    asked = work.session.scalars(select(Question.id).where(Question.municipal_task_id == task.id))
    questions = [Notice.path == f"/spoergsmaal/{question}" for question in asked]
    of_lists = and_(
        Notice.occasion == access.OWN_OCCASION,
        or_(
            Notice.sentence.contains(task.title, autoescape=True),
            and_(
                Notice.municipality_id == task.municipality_id,
                Notice.created_at < work.now - LISTS_KEPT,
                Notice.sentence != GONE,
            ),
        ),
        or_(Notice.municipality_id == task.municipality_id, Notice.municipality_id.is_(None)),
    )
    return or_(
        Notice.municipal_task_id == task.id,
        Notice.path == page,
        Notice.path.startswith(f"{page}#", autoescape=True),
        of_lists,
        *questions,
        false(),
    )


def _discard_files(work: Work, task: MunicipalTask, item: DeletionItem) -> None:
    """Let the bytes go that only this task had, and the PDFs drawn of it; the archive file stays."""
    own = set(
        work.session.scalars(
            select(MunicipalTaskFile.sha256).where(MunicipalTaskFile.municipal_task_id == task.id)
        )
    )
    work.session.execute(
        delete(MunicipalTaskFile).where(MunicipalTaskFile.municipal_task_id == task.id),
        execution_options={"synchronize_session": False},
    )
    forget_files(work, own)
    drawn = set(
        work.session.scalars(select(ExportProof.sha256).where(ExportProof.municipal_task_id == task.id))
    )
    discard(work, "arkiv", drawn - {item.archive_sha256})


def forget_files(work: Work, hashes: set[str]) -> int:
    """Forget stored files that nothing refers to; how many."""
    lone = work.session.scalars(
        select(StoredFile.sha256).where(StoredFile.sha256.in_(hashes), *unreferenced())
    ).all()
    discard(work, "files", lone)
    return rows_changed(
        work.session,
        delete(StoredFile).where(StoredFile.sha256.in_(lone)),
    )


def unreferenced() -> list[ColumnElement[bool]]:
    """That no table refers to a stored file, by whichever foreign key there is."""
    stored = StoredFile.__table__.c.sha256
    return [
        stored.not_in(select(key.parent))
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column is stored
    ]


def _clear_bulk_changes(work: Work, task: MunicipalTask) -> None:
    """What a bulk change set goes with the last of its tasks; while others are there it is their content too."""
    of_task = select(BulkChangeItem.bulk_change_id).where(BulkChangeItem.municipal_task_id == task.id)
    others = select(BulkChangeItem.bulk_change_id).where(BulkChangeItem.municipal_task_id != task.id)
    work.session.execute(
        update(BulkChange)
        .where(BulkChange.id.in_(of_task), BulkChange.id.not_in(others))
        .values(words="Slettet"),
        execution_options={"synchronize_session": False},
    )
