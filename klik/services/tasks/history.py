"""What happened to a task, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.models import MunicipalTask, Person, RoleHolding, TaskChange
from klik.services import access
from klik.services.tasks.checklist import NOT_TICKED, TICKED
from klik.services.tasks.read_marks import AT_HOME_FIELDS, SUPPLIER_FIELDS
from klik.services.tasks.words import NOTHING, field_word
from klik.services.work import Work

_LONG = 120
# What a change says it came by when it is part of a change of many tasks: "samlet/12".
BULK = "samlet"
# What it says when it is part of a correction of KOMBIT's: "rettelse/2".
CORRECTION = "rettelse"
# What it says when it came by a link in a mail: "mail-link/12", the notice that the mail carried.
MAIL_LINK = "mail-link"
# What it says when filling the role it appoints completed it: "rolle/12", the holding.
FILLED_ROLE = "rolle"
# What it says when somebody left and it was handed over: "fratraeder/7", the departure.
HANDED_OVER = "fratraeder"
# Told by the task itself, with its reason.
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened; ``detail`` holds the values, when they are short enough to be read.

    ``bulk_change`` is the actor's own change of many tasks that it is part of.
    """

    at: datetime
    who: str
    what: str
    detail: str = ""
    bulk_change: int | None = None

    @property
    def sentence(self) -> str:
        """In one line, as the PDF has it."""
        return f"{self.what}: {self.detail}" if self.detail else self.what


def history(work: Work, task: MunicipalTask, *, own: bool) -> tuple[HistoryEntry, ...]:
    """Newest first: changes, creation, publication, withdrawal; as far as the actor may see it."""
    statement = (
        select(TaskChange, Person.name)
        .outerjoin(Person, Person.id == TaskChange.person_id)
        .where(
            TaskChange.municipal_task_id == task.id,
            TaskChange.municipality_id == task.municipality_id,
            TaskChange.field != WITHDRAWN,
        )
        .order_by(TaskChange.at.desc(), TaskChange.id.desc())
    )
    sees_people = access.sees_people(work)
    if work.actor is not None and work.actor.level is Level.SUPPLIER:
        statement = statement.where(TaskChange.field.in_(SUPPLIER_FIELDS))
    elif not own:
        statement = statement.where(TaskChange.field.not_in(AT_HOME_FIELDS))
    entries = [
        _entry(work, row, (name or "klik") if sees_people else "Kommunen")
        for row, name in work.session.execute(statement)
    ]
    entries += _life(task)
    return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))


def _entry(work: Work, row: TaskChange, who: str) -> HistoryEntry:
    entry = _worded(work, row, who)
    by_mail = row.via.startswith(f"{MAIL_LINK}/")
    return replace(entry, what=f"{entry.what} via mail-link") if by_mail else entry


def _worded(work: Work, row: TaskChange, who: str) -> HistoryEntry:
    word = field_word(work.registry, row.field)
    if row.field == "created":
        return HistoryEntry(row.at, who, "Den lokale opgave er oprettet")
    if row.via.startswith(f"{CORRECTION}/"):
        who = "KOMBIT"
    if row.field == "version":
        return HistoryEntry(row.at, who, "Rettet af KOMBIT", row.new or "")
    if row.field == "deviation":
        return HistoryEntry(row.at, who, "Eget valg beholdt", row.new or "")
    if row.field == "file":
        what = "Fil vedhæftet" if row.new else "Fil fjernet"
        return HistoryEntry(row.at, who, what, row.new or row.old or "")
    if row.field == "kombit_file":
        what = "KOMBIT har vedhæftet en fil" if row.new else "KOMBIT har fjernet en fil"
        return HistoryEntry(row.at, "KOMBIT", what, row.new or row.old or "")
    if row.field == "checklist":
        return HistoryEntry(row.at, who, *_checklist_words(row.old, row.new))
    if row.via.startswith(f"{FILLED_ROLE}/") and row.field == "status":
        return HistoryEntry(row.at, who, row.new or "", f"rollen blev besat{_by_whom(work, row)}")
    old, new = row.old or NOTHING, row.new or NOTHING
    if row.via.startswith(f"{HANDED_OVER}/"):
        return HistoryEntry(row.at, who, f"{word} overdraget", f"fra {old} til {new}, fordi {old} fratræder")
    if len(old) > _LONG or len(new) > _LONG or "\n" in old + new:
        return HistoryEntry(row.at, who, f"{word} er ændret")
    return HistoryEntry(row.at, who, f"{word} ændret", f"{old} → {new}", _own_bulk_change(work, row))


def _by_whom(work: Work, row: TaskChange) -> str:
    """ " med Mette Holm"; nothing for who may not see people, and where the holding is of another house."""
    number = row.via.partition("/")[2]
    if not access.sees_people(work) or not number.isdigit():
        return ""
    name = work.session.scalar(
        select(func.coalesce(Person.name, RoleHolding.mailbox))
        .select_from(RoleHolding)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .where(RoleHolding.id == int(number), RoleHolding.municipality_id == row.municipality_id)
    )
    return f" med {name}" if name else ""


def _own_bulk_change(work: Work, row: TaskChange) -> int | None:
    kind, _, number = row.via.partition("/")
    own = work.actor is not None and work.actor.person_id == row.person_id
    return int(number) if own and kind == BULK and number.isdigit() else None


def last_change(work: Work, task: MunicipalTask, field: str) -> HistoryEntry | None:
    """The newest change of one field, as far as the actor may know who made it."""
    found = work.session.execute(
        select(TaskChange, Person.name)
        .outerjoin(Person, Person.id == TaskChange.person_id)
        .where(
            TaskChange.municipal_task_id == task.id,
            TaskChange.municipality_id == task.municipality_id,
            TaskChange.field == field,
        )
        .order_by(TaskChange.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    row, name = found
    return _entry(work, row, (name or "klik") if access.sees_people(work) else "Kommunen")


def _checklist_words(old: str | None, new: str | None) -> tuple[str, str]:
    if new is None:
        return "Linje fjernet fra tjeklisten", old or ""
    if old is None:
        return "Linje føjet til tjeklisten", new
    if new.startswith(TICKED) and old.startswith(NOT_TICKED):
        return "Afkrydset på tjeklisten", new.removeprefix(TICKED)
    if old.startswith(TICKED) and new.startswith(NOT_TICKED):
        return "Kryds fjernet på tjeklisten", new.removeprefix(NOT_TICKED)
    return "Linje på tjeklisten ændret", f"{old} → {new}" if len(old) + len(new) <= 2 * _LONG else ""


def _life(task: MunicipalTask) -> list[HistoryEntry]:
    published = task.task
    if published is None:
        return []
    entries = []
    if published.published_at is not None:
        entries.append(HistoryEntry(published.published_at, "KOMBIT", "Opgaven er udgivet"))
        if task.created_at - published.published_at > timedelta(hours=1):
            entries.append(HistoryEntry(task.created_at, "KOMBIT", "Kommunen har fået opgaven"))
    else:
        entries.append(HistoryEntry(task.created_at, "KOMBIT", "Kommunen har fået opgaven"))
    if task.withdrawn_at is not None:
        reason = published.withdrawal_reason or ""
        entries.append(HistoryEntry(task.withdrawn_at, "KOMBIT", "Opgaven er trukket tilbage", reason))
    return entries
