"""Which municipalities find a task not relevant, and why: KOMBIT's account of honest statistics."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from sqlalchemy import func, select

from klik.domain.rights import Right
from klik.domain.status import Status
from klik.domain.texts import file_name
from klik.models import Municipality, MunicipalTask
from klik.services import access, tables
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Reason:
    """One municipality's reason."""

    municipal_task_id: int
    municipality_id: int
    municipality: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotRelevant:
    """How many of the copies are reported not relevant, and each reason in Danish order of municipalities."""

    total: int
    reasons: tuple[Reason, ...]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.reasons)

    @property
    def percent(self) -> int:
        """The share in whole per cent, rounded to the nearest."""
        return (200 * self.count + self.total) // (2 * self.total) if self.total else 0


def of(work: Work, task_id: int) -> NotRelevant:
    """The account of one of KOMBIT's tasks; two statements. For those who publish, and nobody else."""
    access.require(work, Right.PUBLISH)
    copies = (MunicipalTask.task_id == task_id, access.visible(work))
    total = work.session.scalar(select(func.count(MunicipalTask.id)).where(*copies)) or 0
    rows = work.session.execute(
        select(MunicipalTask.id, Municipality.id, Municipality.name, MunicipalTask.not_relevant_reason)
        .join(Municipality, Municipality.id == MunicipalTask.municipality_id)
        .where(*copies, MunicipalTask.status == Status.NOT_RELEVANT.value)
        .order_by(Municipality.name_key)
    )
    return NotRelevant(total, tuple(Reason(*row[:3], row[3] or "") for row in rows))


def as_csv(work: Work, task_id: int) -> tuple[str, bytes]:
    """Name and content of the account as CSV, right in a Danish Excel and safe to open."""
    task = access.published_task(work, task_id)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["Kommunekode", "Kommune", "Begrundelse"])
    for each in of(work, task_id).reasons:
        writer.writerow([f"{each.municipality_id:03d}", each.municipality, tables.harmless(each.reason)])
    name = file_name(f"Ikke relevant {task.task_number} {work.today.isoformat()}", "csv")
    return name, out.getvalue().encode("utf-8-sig")
