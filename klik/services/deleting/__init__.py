"""KOMBIT announces that tasks will be deleted; municipalities take them home, and nothing goes unproven.

varslet → hentet → kvitteret → arkiveret → slettet, one item a municipal task; triggers hold the order too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import ColumnElement, insert, literal, select, update

from klik.domain import texts
from klik.domain.calendar import long_date, weekday
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Deletion, DeletionItem, MunicipalTask, Task
from klik.services import access, auditing, idempotency
from klik.services.deleting import notices as deletion_notices
from klik.services.deleting.notices import note_notified, remind
from klik.services.deleting.progress import Standing, standing
from klik.services.deleting.selection import (
    MOST_TASKS,
    Preview,
    Selection,
    already_announced,
    chosen,
    preview,
)
from klik.services.errors import NotFoundError, RefusedError
from klik.services.work import Work

__all__ = [
    "LEAST_DAYS",
    "Draft",
    "Preview",
    "Selection",
    "Standing",
    "announce",
    "ask_to_keep",
    "check",
    "decide_hold",
    "note_fetched",
    "note_fetched_all",
    "note_notified",
    "postpone",
    "preview",
    "receipt",
    "regret",
    "remind",
    "standing",
]

# Seed 003: the municipality may save its task before a stated date; klik promises thirty days.
LEAST_DAYS = 30
MOST_DAYS = 3_650
HEADING_LIMIT, BASIS_LIMIT, DECIDED_BY_LIMIT, NOTE_LIMIT, CASE_NUMBER_LIMIT = 200, 500, 200, 500, 60
LEAST_REASON = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An announcement as KOMBIT wrote it. ``legal_basis``, ``decided_by`` and ``decided_on`` are the
    kassationshjemmel: which rule allows it, and who decided so when."""

    heading: str
    last_day: date | None
    legal_basis: str
    decided_by: str
    decided_on: date | None
    selection: Selection = field(default_factory=Selection)


def first_legal_day(today: date) -> date:
    """The earliest last day that may be announced."""
    return today + timedelta(days=LEAST_DAYS)


def check(work: Work, draft: Draft) -> dict[str, str]:
    """What is wrong with an announcement: a Danish sentence a field, empty when it may be made."""
    problems: dict[str, str] = {}
    for name, label, limit in (
        ("heading", "Overskrift", HEADING_LIMIT),
        ("legal_basis", "Hjemmel", BASIS_LIMIT),
        ("decided_by", "Besluttet af", DECIDED_BY_LIMIT),
    ):
        try:
            _clean(getattr(draft, name), label, limit)
        except InputError as error:
            problems[name] = str(error)
    if problem := _wrong_last_day(work, draft.last_day):
        problems["last_day"] = problem
    if draft.decided_on is None:
        problems["decided_on"] = "Besluttet den skal udfyldes: skriv den dag, kassationen blev besluttet."
    elif draft.decided_on > work.today:
        problems["decided_on"] = f"Besluttet den må ikke ligge efter i dag, {long_date(work.today)}."
    if problem := _wrong_selection(work, draft.selection):
        problems["selection"] = problem
    return problems


def _clean(text: str, label: str, limit: int, *, required: bool = True) -> str:
    return texts.clean(text, field=label, limit=limit, required=required)


def _wrong_last_day(work: Work, day: date | None) -> str | None:
    first, latest = first_legal_day(work.today), work.today + timedelta(days=MOST_DAYS)
    if day is None:
        return f"Sidste dag skal udfyldes; den tidligste er {weekday(first)} den {long_date(first)}."
    if day < first:
        return (
            f"Sidste dag skal ligge mindst {LEAST_DAYS} dage fremme: "
            f"tidligst {weekday(first)} den {long_date(first)}."
        )
    return f"Sidste dag må senest være {long_date(latest)}." if day > latest else None


def _wrong_selection(work: Work, selection: Selection) -> str | None:
    if selection.empty:
        return "Opgaver skal vælges: et projekt, et system eller enkelte opgaver."
    if len(selection.task_ids) > MOST_TASKS:
        return f"Opgaver: vælg højst {MOST_TASKS} enkelte opgaver ad gangen, eller et helt projekt."
    if work.session.scalar(select(MunicipalTask.id).where(_free(work, selection)).limit(1)) is None:
        return "Opgaver: der er ingen at slette i det valgte, eller de er alle varslet i forvejen."
    return None


def _free(work: Work, selection: Selection) -> ColumnElement[bool]:
    return chosen(work, selection) & ~already_announced()


def announce(work: Work, draft: Draft, key: str | None) -> int:
    """Announce the deletion and tell every municipality; returns its id, the first one's when pressed twice.

    Raises RefusedError with what `check` finds.
    """
    actor = access.require(work, Right.ANNOUNCE_DELETION)
    if earlier := idempotency.earlier_result(work.session, key):
        return int(earlier.rpartition("/")[2])
    if problems := check(work, draft):
        raise RefusedError(problems)
    _lock(work, draft.selection)
    assert draft.last_day is not None and draft.decided_on is not None
    deletion = Deletion(
        state="varslet",
        last_day=draft.last_day,
        heading=_clean(draft.heading, "Overskrift", HEADING_LIMIT),
        legal_basis=_clean(draft.legal_basis, "Hjemmel", BASIS_LIMIT),
        decided_by=_clean(draft.decided_by, "Besluttet af", DECIDED_BY_LIMIT),
        decided_on=draft.decided_on,
        announced_by=actor.person_id,
        announced_at=work.now,
    )
    work.session.add(deletion)
    work.session.flush()
    count = _add_items(work, deletion, draft.selection)
    if count == 0:
        raise RefusedError({"selection": "Opgaver: de er alle varslet i forvejen."})
    notices = deletion_notices.announced(work, deletion)
    facts = {"last_day": deletion.last_day, "tasks": count, "notices": notices}
    auditing.record(work, "deletion-announced", f"deletion/{deletion.id}", facts)
    idempotency.remember(work, key, "deletion-announced", deletion_notices.path(deletion.id))
    return deletion.id


def _lock(work: Work, selection: Selection) -> None:
    """Two announcements of the same tasks wait for each other, so that a task stands in one only."""
    ids = select(MunicipalTask.task_id).where(chosen(work, selection))
    work.session.scalars(select(Task.id).where(Task.id.in_(ids)).order_by(Task.id).with_for_update()).all()


def _add_items(work: Work, deletion: Deletion, selection: Selection) -> int:
    rows = (
        select(
            literal(deletion.id),
            MunicipalTask.municipality_id,
            MunicipalTask.id,
            literal("varslet"),
        )
        .where(_free(work, selection))
        .order_by(MunicipalTask.id)
    )
    columns = ["deletion_id", "municipality_id", "municipal_task_id", "state"]
    return work.session.connection().execute(insert(DeletionItem).from_select(columns, rows)).rowcount


def _running(work: Work, deletion_id: int) -> Deletion:
    """The deletion, to be changed by KOMBIT; RefusedError when it is no longer running."""
    access.require(work, Right.ANNOUNCE_DELETION)
    deletion = access.deletion(work, deletion_id)
    if deletion.state != "varslet":
        raise RefusedError({"deletion": "Sletningen er ikke længere varslet, så den kan ikke ændres."})
    return deletion


def postpone(work: Work, deletion_id: int, new_day: date | None, note: str = "") -> None:
    """Give more time; never less. Everyone who was told is told of it."""
    deletion = _running(work, deletion_id)
    latest = work.today + timedelta(days=MOST_DAYS)
    if new_day is None or new_day <= deletion.last_day or new_day < work.today:
        first = max(deletion.last_day + timedelta(days=1), work.today)
        raise RefusedError(
            {
                "new_day": "Ny sidste dag skal ligge efter den varslede: "
                f"tidligst {weekday(first)} den {long_date(first)}."
            }
        )
    if new_day > latest:
        raise RefusedError({"new_day": f"Ny sidste dag må senest være {long_date(latest)}."})
    old = deletion.last_day
    deletion.last_day, deletion.note = new_day, _note(note)
    work.session.flush()
    deletion_notices.postponed(work, deletion)
    facts = {"from": old, "to": new_day}
    auditing.record(work, "deletion-postponed", f"deletion/{deletion.id}", facts)


def regret(work: Work, deletion_id: int, note: str = "") -> None:
    """Call the deletion off, until something of it is archived; the tasks stay, and everyone is told."""
    deletion = _running(work, deletion_id)
    gone = select(DeletionItem.id).where(
        DeletionItem.deletion_id == deletion.id, DeletionItem.state.in_(("arkiveret", "slettet"))
    )
    if work.session.scalar(gone.limit(1)) is not None:
        raise RefusedError(
            {"deletion": "Sletningen er begyndt, så den kan ikke fortrydes. Udsæt den i stedet."}
        )
    deletion.state, deletion.regretted_at, deletion.note = "fortrudt", work.now, _note(note)
    work.session.flush()
    deletion_notices.regretted(work, deletion)
    auditing.record(work, "deletion-regretted", f"deletion/{deletion.id}")


def _note(note: str) -> str | None:
    try:
        return _clean(note, "Bemærkning", NOTE_LIMIT, required=False) or None
    except InputError as error:
        raise RefusedError({"note": str(error)}) from error


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


def note_fetched_all(work: Work, taken: Mapping[int, str]) -> int:
    """The municipality took these tasks home (the hash of each PDF by the task's id); how many that changed."""
    return sum(note_fetched(work, task_id, sha256) for task_id, sha256 in taken.items())


def receipt(work: Work, deletion_id: int, case_number: str, item_ids: Sequence[int] | None = None) -> int:
    """The municipality says where it put what it fetched: hentet → kvitteret; returns how many tasks.

    All that is fetched, or only ``item_ids``. Raises RefusedError without a case number or anything fetched.
    """
    actor = access.require(work, Right.FETCH_DELETION)
    deletion = access.deletion(work, deletion_id)
    problems: dict[str, str] = {}
    try:
        case_number = _clean(case_number, "Sagsnummer", CASE_NUMBER_LIMIT)
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


def ask_to_keep(work: Work, item: DeletionItem, reason: str, until: date | None) -> None:
    """The municipality asks KOMBIT to keep a task until a day; it is not deleted before KOMBIT answers."""
    actor = access.require(work, Right.FETCH_DELETION)
    if item.municipality_id != actor.municipality_id:
        raise NotFoundError
    deletion = access.deletion(work, item.deletion_id)
    problems = _wrong_until(work, deletion, until)
    try:
        reason = _clean(reason, "Begrundelse", NOTE_LIMIT)
        if len(reason) < LEAST_REASON:
            problems["reason"] = f"Begrundelse skal fylde mindst {LEAST_REASON} tegn."
    except InputError as error:
        problems["reason"] = str(error)
    if deletion.state != "varslet" or item.state in ("arkiveret", "slettet"):
        problems["item"] = "Opgaven kan ikke længere bevares: sletningen er fortrudt eller begyndt."
    elif deletion.last_day < work.today:
        problems["item"] = f"Sidste dag var {long_date(deletion.last_day)}; derefter kan I ikke bede om det."
    if problems:
        raise RefusedError(problems)
    item.hold_reason, item.hold_until, item.hold_granted = reason, until, None
    work.session.flush()
    deletion_notices.asked_to_keep(work, deletion, item)
    facts = {"until": until}
    auditing.record(work, "deletion-hold-asked", f"deletion-item/{item.id}", facts, item.municipality_id)


def decide_hold(work: Work, item: DeletionItem, granted: bool, until: date | None = None) -> None:
    """KOMBIT answers: kept until a day (the one asked for, or another), or deleted as announced."""
    deletion = _running(work, item.deletion_id)
    if item.hold_reason is None or item.state in ("arkiveret", "slettet"):
        raise RefusedError({"item": "Der er ingen anmodning om at beholde opgaven, som kan besvares."})
    until = until or item.hold_until
    if granted and (problems := _wrong_until(work, deletion, until)):
        raise RefusedError(problems)
    item.hold_granted, item.hold_until = granted, until
    work.session.flush()
    deletion_notices.hold_decided(work, deletion, item)
    facts = {"granted": granted, "until": until}
    auditing.record(work, "deletion-hold-decided", f"deletion-item/{item.id}", facts, item.municipality_id)


def _wrong_until(work: Work, deletion: Deletion, until: date | None) -> dict[str, str]:
    latest = work.today + timedelta(days=MOST_DAYS)
    first = max(deletion.last_day + timedelta(days=1), work.today)
    if until is None or until < first:
        return {"until": f"Bevares til skal ligge efter sidste dag: tidligst {long_date(first)}."}
    return {"until": f"Bevares til må senest være {long_date(latest)}."} if until > latest else {}
