"""What announcing a deletion would mean, municipality by municipality, before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, exists, func, select

from klik.domain.status import OPEN_STATUSES
from klik.models import Deletion, DeletionItem, ExportProof, Municipality, MunicipalTask
from klik.services.deleting import recipients as deletion_recipients
from klik.services.deleting.recipients import Told
from klik.services.deleting.selection import Selection, already_announced, chosen
from klik.services.work import Work

OPEN = tuple(sorted(status.value for status in OPEN_STATUSES))


@dataclass(frozen=True, slots=True)
class MunicipalPreview:
    """What an announcement would mean to one municipality.

    ``open`` tasks are not completed, ``exported`` ones were saved as PDF before; ``told`` is who gets the notice.
    """

    code: int
    name: str
    tasks: int
    open: int
    exported: int
    told: Told


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A task that stands in another running announcement, in so many municipalities."""

    task_number: str | None
    title: str
    deletion_id: int
    heading: str
    municipalities: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What an announcement would mean, before it is made."""

    municipalities: tuple[MunicipalPreview, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def tasks(self) -> int:
        """Municipal tasks in all."""
        return sum(municipality.tasks for municipality in self.municipalities)

    @property
    def open(self) -> int:
        """Of them those that are not completed."""
        return sum(municipality.open for municipality in self.municipalities)

    @property
    def exported(self) -> int:
        """Municipalities that have saved something of it already."""
        return sum(bool(municipality.exported) for municipality in self.municipalities)

    @property
    def people(self) -> int:
        """Who gets the notice in their mail, in all municipalities."""
        return sum(len(municipality.told.reached) for municipality in self.municipalities)

    @property
    def unreachable(self) -> tuple[MunicipalPreview, ...]:
        """Municipalities in which no mail would reach anybody."""
        return tuple(each for each in self.municipalities if not each.told.reached)


def preview(work: Work, selection: Selection) -> Preview:
    """Counts and recipients a municipality, and the tasks left out; the statements do not grow with the tasks."""
    return Preview(_municipalities(work, selection), _left_out(work, selection))


def _municipalities(work: Work, selection: Selection) -> tuple[MunicipalPreview, ...]:
    saved = exists(
        select(ExportProof.id).where(
            ExportProof.municipal_task_id == MunicipalTask.id,
            ExportProof.exported_by.is_distinct_from("KOMBIT"),
        )
    )
    rows = work.session.execute(
        select(
            Municipality.id,
            Municipality.name,
            MunicipalTask.system_code,
            func.count(),
            func.sum(case((MunicipalTask.status.in_(OPEN), 1), else_=0)),
            func.sum(case((saved, 1), else_=0)),
        )
        .join(MunicipalTask, MunicipalTask.municipality_id == Municipality.id)
        .where(chosen(work, selection), ~already_announced())
        .group_by(Municipality.id, Municipality.name, Municipality.name_key, MunicipalTask.system_code)
        .order_by(Municipality.name_key)
    ).all()
    names: dict[int, str] = {}
    sums: dict[int, list[int]] = {}
    systems: dict[str | None, set[int]] = {}
    for code, name, system, *counts in rows:
        names[code] = name
        systems.setdefault(system, set()).add(code)
        sums[code] = [old + new for old, new in zip(sums.get(code, [0, 0, 0]), counts, strict=True)]
    told: Mapping[int, Told] = deletion_recipients.told(work, systems)
    return tuple(
        MunicipalPreview(code, name, *sums[code], told.get(code, Told()))  # type: ignore[call-arg]
        for code, name in names.items()
    )


def _left_out(work: Work, selection: Selection) -> tuple[LeftOut, ...]:
    rows = work.session.execute(
        select(
            MunicipalTask.task_number,
            func.min(MunicipalTask.title),
            Deletion.id,
            Deletion.heading,
            func.count(),
        )
        .join(DeletionItem, DeletionItem.municipal_task_id == MunicipalTask.id)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(chosen(work, selection), Deletion.state == "varslet")
        .group_by(MunicipalTask.task_id, MunicipalTask.task_number, Deletion.id, Deletion.heading)
        .order_by(func.min(MunicipalTask.number_key), Deletion.id)
    )
    return tuple(LeftOut(*row) for row in rows)
