"""Announcing a deletion, giving more time and calling it off: KOMBIT's acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import ColumnElement, insert, literal, select

from klik.domain.calendar import long_date, weekday
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Deletion, DeletionItem, MunicipalTask, Task
from klik.services import access, auditing, free_text, idempotency
from klik.services.deleting import notices as deletion_notices
from klik.services.deleting.selection import (
    MOST_TASKS,
    Selection,
    already_announced,
    chosen,
    criteria_of,
    wrong_filter,
)
from klik.services.errors import RefusedError
from klik.services.work import Work

# Seed 003: the municipality may save its task before a stated date; klik promises thirty days.
LEAST_DAYS = 30
MOST_DAYS = 3_650
QUERY_LIMIT = 4_000
HEADING_LIMIT, BASIS_LIMIT, DECIDED_BY_LIMIT, NOTE_LIMIT = 200, 500, 200, 500


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
    # What is announced goes to every municipality at once.
    return free_text.clean(text, field=label, limit=limit, required=required, tick=False)


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
        return "Opgaver skal vælges: et projekt, et system, et filter eller enkelte opgaver."
    if selection.query and (problem := wrong_filter(work, selection.query)):
        return problem
    if len(selection.query or "") > QUERY_LIMIT:
        return f"Opgaver: filteret må højst fylde {QUERY_LIMIT} tegn. Vælg færre værdier i det."
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
        query=criteria_of(work, draft.selection.query).query() if draft.selection.query else None,
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


def running(work: Work, deletion_id: int) -> Deletion:
    """The deletion, to be changed by KOMBIT; RefusedError when it is no longer running."""
    access.require(work, Right.ANNOUNCE_DELETION)
    deletion = access.deletion(work, deletion_id)
    if deletion.state != "varslet":
        raise RefusedError({"deletion": "Sletningen er ikke længere varslet, så den kan ikke ændres."})
    return deletion


def postpone(work: Work, deletion_id: int, new_day: date | None, note: str = "") -> None:
    """Give more time; never less. Everyone who was told is told of it."""
    deletion = running(work, deletion_id)
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
    deletion = running(work, deletion_id)
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
