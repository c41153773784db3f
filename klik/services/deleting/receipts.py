"""What the municipality took home, and where it put it: varslet → hentet → kvitteret."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, update

from klik.domain import texts
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Deletion, DeletionItem
from klik.services import access, auditing
from klik.services.errors import NotFoundError, RefusedError
from klik.services.work import Work

CASE_NUMBER_LIMIT = 60


def note_fetched(work: Work, municipal_task_id: int, sha256: str) -> bool:
    """The municipality took a task home: varslet → hentet; whether that changed anything.

    Counts only for somebody of the task's own municipality with the right to fetch; else nothing happens.
    """
    actor = work.actor
    if actor is None or not actor.has(Right.FETCH_DELETION):
        return False
    running = select(Deletion.id).where(Deletion.state == "varslet")
    fetched = work.session.scalars(
        update(DeletionItem)
        .where(
            DeletionItem.municipal_task_id == municipal_task_id,
            DeletionItem.municipality_id == actor.municipality_id,
            DeletionItem.state == "varslet",
            DeletionItem.deletion_id.in_(running),
        )
        .values(state="hentet", fetched_at=work.now, fetched_by=actor.person_id, fetched_sha256=sha256)
        .returning(DeletionItem.id),
        execution_options={"synchronize_session": "fetch"},
    ).all()
    for item_id in fetched:
        auditing.record(work, "deletion-fetched", f"deletion-item/{item_id}", None, actor.municipality_id)
    return bool(fetched)


def receipt(work: Work, deletion_id: int, case_number: str, item_ids: Sequence[int] | None = None) -> int:
    """The municipality says where it put what it fetched: hentet → kvitteret; returns how many tasks.

    All that is fetched, or only ``item_ids``. Raises RefusedError without a case number or anything fetched.
    """
    actor = access.require(work, Right.FETCH_DELETION)
    deletion = access.deletion(work, deletion_id)
    problems: dict[str, str] = {}
    try:
        case_number = texts.clean(case_number, field="Sagsnummer", limit=CASE_NUMBER_LIMIT, required=True)
    except InputError as error:
        problems["case_number"] = str(error)
    if deletion.state != "varslet":
        problems["items"] = "Sletningen er ikke længere varslet, så der er intet at kvittere for."
    if problems:
        raise RefusedError(problems)
    mine = [DeletionItem.deletion_id == deletion.id, access.deletion_items(work)]
    if item_ids is not None:
        mine.append(DeletionItem.id.in_(item_ids))
        if len(work.session.scalars(select(DeletionItem.id).where(*mine)).all()) != len(set(item_ids)):
            raise NotFoundError
    receipted = work.session.scalars(
        update(DeletionItem)
        .where(*mine, DeletionItem.state == "hentet")
        .values(
            state="kvitteret",
            receipted_at=work.now,
            receipted_by=actor.person_id,
            case_number=case_number,
        )
        .returning(DeletionItem.id),
        execution_options={"synchronize_session": "fetch"},
    ).all()
    if not receipted and not _is_receipted(work, mine, case_number):
        raise RefusedError({"items": "Ingen af de valgte opgaver er hentet endnu. Eksportér dem først."})
    if receipted:
        facts = {"tasks": len(receipted)}
        auditing.record(work, "deletion-receipted", f"deletion/{deletion.id}", facts, actor.municipality_id)
    return len(receipted)


def _is_receipted(work: Work, mine: Sequence[ColumnElement[bool]], case_number: str) -> bool:
    already = select(DeletionItem.id).where(
        *mine, DeletionItem.state == "kvitteret", DeletionItem.case_number == case_number
    )
    return work.session.scalar(already.limit(1)) is not None
