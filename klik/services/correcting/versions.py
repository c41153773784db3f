"""The versions of a task with what KOMBIT wrote of each: for KOMBIT, and as far as a municipality's copy goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from sqlalchemy import select

from klik.domain.deadlines import danish_today
from klik.models import MunicipalTask, Person, Task, TaskVersion
from klik.services import access
from klik.services.correcting.differences import Difference, differences
from klik.services.correcting.plan import versions_of
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version: when, by whom, why, and what differs from the one before it."""

    number: int
    at: datetime
    who: str
    note: str
    differences: tuple[Difference, ...]

    @property
    def day(self) -> date:
        """The Danish day it was published."""
        return danish_today(self.at)


def history(work: Work, task_id: int) -> tuple[VersionLine, ...]:
    """Every version of a task for those who publish, newest first."""
    task = access.published_task(work, task_id)
    versions = list(versions_of(work, task).values())
    names = dict(
        work.session.execute(
            select(Person.id, Person.name).where(Person.id.in_({each.created_by for each in versions}))
        ).all()
    )
    first = versions[0]
    published = task.published_at or first.created_at
    lines = [VersionLine(first.number, published, names.get(first.created_by, "klik"), "", ())]
    lines += _lines(work, versions, names)
    return tuple(reversed(lines))


def _lines(work: Work, versions: Sequence[TaskVersion], names: dict[int | None, str]) -> list[VersionLine]:
    return [
        VersionLine(
            new.number,
            new.created_at,
            names.get(new.created_by, "klik"),
            new.change_note or "",
            differences(work, old, new),
        )
        for old, new in pairwise(versions)
    ]


@dataclass(frozen=True, slots=True)
class Corrections:
    """KOMBIT's corrections of a municipality's task, newest first; ``later`` are those that came after it was closed.

    ``number`` is the version the task stands in.
    """

    number: int = 1
    lines: tuple[VersionLine, ...] = ()
    later: tuple[VersionLine, ...] = ()


def of_copy(work: Work, task: MunicipalTask) -> Corrections:
    """What KOMBIT corrected on a task the actor may see; nothing is asked while it was never corrected."""
    published: Task | None = task.task
    if published is None or task.task_version is None:
        return Corrections()
    own = task.task_version.number
    if (published.current_number or 1) == 1:
        return Corrections()
    lines = _lines(work, list(versions_of(work, published).values()), {})
    return Corrections(
        own,
        tuple(each for each in reversed(lines) if each.number <= own),
        tuple(each for each in reversed(lines) if each.number > own),
    )
