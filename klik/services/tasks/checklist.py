"""The checklist inside a task: lines that the municipality writes and ticks.

Decision: as with private comments the words stay at home. KOMBIT sees how far a municipality is ("3 af 7") and
none of the lines; suppliers see neither. Each change carries the line's version, and two who tick the same box
the same way agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from klik.domain.markdown_text import markdown_text
from klik.domain.rights import Level
from klik.models import ChecklistItem, MunicipalTask
from klik.services import access, auditing, free_text
from klik.services.errors import ConflictError, Difference, RefusedError
from klik.services.tasks import touching
from klik.services.work import Work

MOST = 100
LIMIT = 300
FIELD = "Linje"
_STEP = re.compile(r"^[0-9]{1,3}[.)] +(.+)$", re.MULTILINE)
TICKED, NOT_TICKED = "[x] ", "[ ] "


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the page shows it."""

    id: int
    version: int
    text: str
    done: bool
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Checklist:
    """How many lines are done of how many; the lines themselves only at home.

    ``steps`` is how many steps of KOMBIT's text could become the first lines.
    """

    done: int
    total: int
    lines: tuple[Line, ...] = ()
    steps: int = 0

    @property
    def words(self) -> str:
        """ "3 af 7", or nothing without lines."""
        return f"{self.done} af {self.total}" if self.total else ""


def of(work: Work, task: MunicipalTask) -> Checklist:
    """A task's checklist as far as the actor may see it."""
    if work.actor is not None and work.actor.level is Level.SUPPLIER:
        return Checklist(0, 0)
    rows = _rows(work, task)
    done = sum(row.done_at is not None for row in rows)
    if work.actor is not None and work.actor.municipality_id != task.municipality_id:
        return Checklist(done, len(rows))
    return Checklist(
        done,
        len(rows),
        tuple(Line(row.id, row.version, row.text, row.done_at is not None, row.done_at) for row in rows),
        0 if rows else len(steps_of(task)),
    )


def progress(work: Work, task_ids: Iterable[int]) -> Mapping[int, str]:
    """ "3 af 7" by task, for those that have lines; one statement. The ids are those of tasks already shown."""
    if work.actor is not None and work.actor.level is Level.SUPPLIER:
        return {}
    rows = work.session.execute(
        select(
            ChecklistItem.municipal_task_id, func.count(ChecklistItem.done_at), func.count(ChecklistItem.id)
        )
        .where(ChecklistItem.municipal_task_id.in_(list(task_ids)))
        .group_by(ChecklistItem.municipal_task_id)
    )
    return {task_id: Checklist(done, total).words for task_id, done, total in rows}


def add(work: Work, task_id: int, text: str, *, not_cpr: bool = False) -> ChecklistItem:
    """Put a line at the end; raises RefusedError ("text"), ForbiddenError, NotFoundError."""
    task = _locked(work, access.task_to_change(work, task_id))
    wanted = free_text.checked(text, field=FIELD, limit=LIMIT, not_cpr=not_cpr)
    rows = _rows(work, task)
    if len(rows) >= MOST:
        raise RefusedError({"text": f"Tjeklisten har {len(rows)} linjer og må højst have {MOST}."})
    item = ChecklistItem(
        municipality_id=task.municipality_id,
        municipal_task_id=task.id,
        position=rows[-1].position + 1 if rows else 1,
        text=wanted,
    )
    _changed_now(work, item)
    work.session.add(item)
    work.session.flush()
    _note(work, item, "tilføj-linje", None, wanted, not_cpr)
    return item


def check_lines(lines: Iterable[str]) -> None:
    """Raise RefusedError ("checklist") when the lines of a new task cannot all be put down."""
    found = tuple(lines)
    if len(found) > MOST:
        raise RefusedError(
            {"checklist": f"Tjekliste: der er {len(found)} linjer, og der må højst være {MOST}."}
        )
    for number, line in enumerate(found, start=1):
        free_text.checked(
            line,
            field=f"Tjekliste, linje {number}",
            limit=LIMIT,
            key="checklist",
            not_cpr=free_text.is_confirmed(line),
        )


def add_steps(work: Work, task_id: int) -> int:
    """Put the numbered steps of "Sådan løses opgaven" down as lines, and say how many; none when it has lines."""
    task = _locked(work, access.task_to_change(work, task_id))
    steps = () if _rows(work, task) else steps_of(task)
    for step in steps:
        add(work, task_id, step)
    return len(steps)


def steps_of(task: MunicipalTask) -> tuple[str, ...]:
    """The numbered steps of "Sådan løses opgaven" in plain words, each no longer than a line may be."""
    text = task.task_version.how_to if task.task_version else ""
    found = (markdown_text(step[1]).replace("\n", " ") for step in _STEP.finditer(text))
    return tuple(step if len(step) <= LIMIT else f"{step[: LIMIT - 1]}…" for step in found if step)[:MOST]


def tick(work: Work, task_id: int, item_id: int, version: int, done: bool) -> ChecklistItem:
    """Tick a line or take the tick away; raises ConflictError when the line was rewritten meanwhile."""
    item = _item(work, task_id, item_id)
    if (item.done_at is not None) == done:
        return item
    if item.version != version:
        raise ConflictError(item.version, (Difference(FIELD, "Gjort" if done else "Ikke gjort", item.text),))
    item.done_at = work.now if done else None
    item.done_by = work.actor.person_id if work.actor and done else None
    _changed_now(work, item)
    work.session.flush()
    before, after = (NOT_TICKED, TICKED) if done else (TICKED, NOT_TICKED)
    _note(work, item, "kryds-linje", before + item.text, after + item.text)
    return item


def rename(
    work: Work, task_id: int, item_id: int, version: int, text: str, *, not_cpr: bool = False
) -> ChecklistItem:
    """Write a line anew; raises RefusedError ("text") and ConflictError with both texts."""
    item = _item(work, task_id, item_id)
    wanted = free_text.checked(text, field=FIELD, limit=LIMIT, not_cpr=not_cpr)
    if item.version != version:
        raise ConflictError(item.version, (Difference(FIELD, wanted, item.text),))
    if item.text != wanted:
        before, item.text = item.text, wanted
        _changed_now(work, item)
        work.session.flush()
        _note(work, item, "ret-linje", before, wanted, not_cpr)
    return item


def move(work: Work, task_id: int, item_id: int, version: int, steps: int) -> ChecklistItem:
    """Move a line one up (-1) or down (1); at the end it stays. Order is not news to anybody."""
    item = _item(work, task_id, item_id)
    if item.version != version:
        raise ConflictError(item.version, ())
    rows = _rows(work, work.session.get_one(MunicipalTask, item.municipal_task_id))
    place = rows.index(item)
    other = place + (1 if steps > 0 else -1)
    if 0 <= other < len(rows):
        rows[place], rows[other] = rows[other], rows[place]
        for position, row in enumerate(rows, start=1):
            row.position = position
        work.session.flush()
        _audit(work, item, "flyt-linje")
    return item


def remove(work: Work, task_id: int, item_id: int, version: int) -> None:
    """Take a line away; raises ConflictError when it was changed meanwhile."""
    item = _item(work, task_id, item_id)
    if item.version != version:
        raise ConflictError(item.version, (Difference(FIELD, "Fjernet", item.text),))
    work.session.delete(item)
    work.session.flush()
    _note(work, item, "fjern-linje", item.text, None)


def _item(work: Work, task_id: int, item_id: int) -> ChecklistItem:
    item = access.checklist_item(work, task_id, item_id)
    # Lines of one task are changed one after the other, so that neither order nor count is torn.
    _locked(work, work.session.get_one(MunicipalTask, item.municipal_task_id))
    work.session.refresh(item)
    return item


def _locked(work: Work, task: MunicipalTask) -> MunicipalTask:
    work.session.refresh(task, with_for_update=True)
    return task


def _rows(work: Work, task: MunicipalTask) -> list[ChecklistItem]:
    return list(
        work.session.scalars(
            select(ChecklistItem)
            .where(
                ChecklistItem.municipal_task_id == task.id,
                ChecklistItem.municipality_id == task.municipality_id,
            )
            .order_by(ChecklistItem.position, ChecklistItem.id)
        )
    )


def _changed_now(work: Work, item: ChecklistItem) -> None:
    item.changed_at = work.now
    item.changed_by = work.actor.person_id if work.actor else None


def _note(
    work: Work, item: ChecklistItem, action: str, old: str | None, new: str | None, not_cpr: bool = False
) -> None:
    touching.write_down(work, item, "checklist", old, new)
    _audit(work, item, action, not_cpr)


def _audit(work: Work, item: ChecklistItem, action: str, not_cpr: bool = False) -> None:
    auditing.record(
        work,
        action,
        f"kommuneopgave/{item.municipal_task_id}",
        {"linje": item.id} | ({"cpr_afvist": True} if not_cpr else {}),
        item.municipality_id,
    )
