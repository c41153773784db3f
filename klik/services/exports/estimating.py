"""What a deletion's package will hold, said before it is ordered."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, select

from klik.models import Deletion, DeletionItem, MunicipalTask, MunicipalTaskFile, StoredFile, TaskFile
from klik.services.exports.contents import fetchable
from klik.services.work import Work

# What a task's PDF and its data weigh without the files; most are between 40 and 90 kB.
TASK_SIZE = 70_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many tasks and files, and about how many bytes."""

    tasks: int
    files: int
    size: int

    @property
    def about(self) -> int:
        """The size as one says it: whole megabytes, below that whole hundreds of kilobytes."""
        step = 1_000_000 if self.size >= 1_000_000 else 100_000
        return max(step, round(self.size / step) * step)


def estimate(work: Work, deletion: Deletion) -> Estimate:
    """What the actor's municipality can take home of a deletion; nothing for those without a municipality."""
    mine = fetchable(work, deletion.id)
    here = select(MunicipalTask.id).join(DeletionItem, DeletionItem.municipal_task_id == MunicipalTask.id)
    here = here.where(mine, MunicipalTask.erased_at.is_(None))
    kombits = (
        select(StoredFile.size)
        .join(TaskFile, TaskFile.sha256 == StoredFile.sha256)
        .join(MunicipalTask, MunicipalTask.task_id == TaskFile.task_id)
        .where(MunicipalTask.id.in_(here))
    )
    own = (
        select(StoredFile.size)
        .join(MunicipalTaskFile, MunicipalTaskFile.sha256 == StoredFile.sha256)
        .where(MunicipalTaskFile.municipal_task_id.in_(here))
    )
    (count, size), (count_own, size_own) = _sums(work, kombits), _sums(work, own)
    live = work.session.scalar(select(func.count()).select_from(here.subquery())) or 0
    erased = select(DeletionItem.archive_size.label("size")).join(
        MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id
    )
    gone, archived = _sums(work, erased.where(mine, MunicipalTask.erased_at.is_not(None)))
    return Estimate(live + gone, count + count_own, live * TASK_SIZE + size + size_own + archived)


def _sums(work: Work, sizes: Select[tuple[int]]) -> tuple[int, int]:
    each = sizes.subquery()
    count, size = work.session.execute(
        select(func.count(), func.coalesce(func.sum(each.c.size), 0)).select_from(each)
    ).one()
    return count, int(size)
