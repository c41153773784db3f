"""What the municipality took home, and where it put it: varslet → hentet → kvitteret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, case, or_, select, update

from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Deletion, DeletionItem
from klik.services import access, auditing, free_text
from klik.services.auditing import Act
from klik.services.errors import NotFoundError, RefusedError
from klik.services.work import Actor, Work

CASE_NUMBER_LIMIT = 60


MOST_AT_ONCE = 1_000


def note_fetched(work: Work, municipal_task_id: int, sha256: str) -> bool:
    """The municipality took one task home as this PDF; whether that changed anything (see `note_fetched_all`)."""
    return note_fetched_all(work, {municipal_task_id: sha256}) == 1


def note_fetched_all(work: Work, taken: Mapping[int, str]) -> int:
    """The municipality took these tasks home, by id with the SHA-256 of their PDF; returns how many that is news of.

    varslet → hentet. Counts only for somebody of the tasks' own municipality with the right to fetch; else nothing
    happens. What klik archived because nobody came is marked as fetched too, and keeps its state.
    """
    actor = work.actor
    if actor is None or actor.municipality_id is None or not actor.has(Right.FETCH_DELETION):
        return 0
    counts: dict[int, int] = {}
    ids = sorted(taken)
    for start in range(0, len(ids), MOST_AT_ONCE):
        part = {task_id: taken[task_id] for task_id in ids[start : start + MOST_AT_ONCE]}
        for deletion_id in _fetched(work, actor, part):
            counts[deletion_id] = counts.get(deletion_id, 0) + 1
    if counts:
        auditing.record_all(
            work,
            [
                Act("deletion-fetched", f"deletion/{deletion_id}", {"tasks": count}, actor.municipality_id)
                for deletion_id, count in sorted(counts.items())
            ],
        )
    return sum(counts.values())


def _fetched(work: Work, actor: Actor, taken: Mapping[int, str]) -> Sequence[int]:
    """The deletion of every item that is fetched now and was not."""
    running = select(Deletion.id).where(Deletion.state == "varslet")
    waiting = and_(DeletionItem.state == "varslet", DeletionItem.deletion_id.in_(running))
    forgotten = DeletionItem.state.in_(("arkiveret", "slettet"))
    return work.session.scalars(
        update(DeletionItem)
        .where(
            DeletionItem.municipal_task_id.in_(list(taken)),
            DeletionItem.municipality_id == actor.municipality_id,
            DeletionItem.fetched_at.is_(None),
            or_(waiting, forgotten),
        )
        .values(
            state=case((DeletionItem.state == "varslet", "hentet"), else_=DeletionItem.state),
            fetched_at=work.now,
            fetched_by=actor.person_id,
            fetched_sha256=case(dict(taken), value=DeletionItem.municipal_task_id),
        )
        .returning(DeletionItem.deletion_id),
        execution_options={"synchronize_session": "fetch"},
    ).all()


def receipt(work: Work, deletion_id: int, case_number: str, item_ids: Sequence[int] | None = None) -> int:
    """The municipality says where it put what it fetched: hentet → kvitteret; returns how many tasks it changed.

    ``item_ids`` are the tasks meant; None is all that is fetched and has no receipt, or else all that has one. A case
    number that was wrong is corrected the same way. Raises RefusedError without a case number or anything fetched.
    """
    actor = access.require(work, Right.FETCH_DELETION)
    deletion = access.deletion(work, deletion_id)
    problems: dict[str, str] = {}
    try:
        case_number = free_text.clean(case_number, field="Sagsnummer", limit=CASE_NUMBER_LIMIT, required=True)
    except InputError as error:
        problems["case_number"] = str(error)
    if deletion.state == "fortrudt":
        problems["items"] = "Sletningen er fortrudt, så der er intet at kvittere for."
    if problems:
        raise RefusedError(problems)
    items = _meant(work, deletion, item_ids)
    if not items:
        raise RefusedError({"items": "Ingen af de valgte opgaver er hentet endnu. Hent dem først."})
    news = [item for item in items if item.case_number != case_number]
    for item in news:
        if item.state == "hentet":
            item.state = "kvitteret"
        item.receipted_at, item.receipted_by, item.case_number = work.now, actor.person_id, case_number
    work.session.flush()
    if news:
        facts = {"tasks": len(news)}
        auditing.record(work, "deletion-receipted", f"deletion/{deletion.id}", facts, actor.municipality_id)
    return len(news)


def _meant(work: Work, deletion: Deletion, item_ids: Sequence[int] | None) -> Sequence[DeletionItem]:
    """The fetched items that a receipt is about; raises NotFoundError for one that is not the actor's to see."""
    mine = [DeletionItem.deletion_id == deletion.id, access.deletion_items(work)]
    if item_ids is not None:
        mine.append(DeletionItem.id.in_(item_ids))
    found = work.session.scalars(
        select(DeletionItem).where(*mine).order_by(DeletionItem.id).with_for_update()
    ).all()
    if item_ids is not None and len(found) != len(set(item_ids)):
        raise NotFoundError
    fetched = [item for item in found if item.fetched_at or item.state in ("hentet", "kvitteret")]
    if item_ids is not None:
        return fetched
    return [item for item in fetched if item.receipted_at is None] or fetched
