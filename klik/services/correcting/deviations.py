"""Where KOMBIT's correction met a municipality's own value: what stands open, and what settles it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import insert, select, update

from klik.models import Deviation, MunicipalTask, TaskChange
from klik.services.holders import primary_of
from klik.services.tasks import assigning
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.words import FIELDS, NOTHING, day_word
from klik.services.work import Work

FOLLOW, KEEP = "foelg", "behold"


@dataclass(frozen=True, slots=True)
class DeviationView:
    """An open deviation in words: "KOMBIT flyttede fristen 1. december 2026 → 15. december 2026"."""

    id: int
    version: int
    field: str
    label: str
    central_old: str
    central_new: str
    local: str
    at: datetime

    @property
    def sentence(self) -> str:
        """Both values in one line, as the PDF has it."""
        return (
            f"KOMBIT ændrede {self.label.lower()} {self.central_old} → {self.central_new}. "
            f"Jeres eget valg, {self.local}, er bevaret."
        )


def open_on(work: Work, task: MunicipalTask) -> tuple[DeviationView, ...]:
    """The open deviations of a task the actor may see."""
    if task.task_id is None:
        return ()
    rows = work.session.scalars(
        select(Deviation)
        .where(
            Deviation.municipal_task_id == task.id,
            Deviation.municipality_id == task.municipality_id,
            Deviation.settled_at.is_(None),
        )
        .order_by(Deviation.field)
    )
    return tuple(_view(work, task, row) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Where KOMBIT's new value met a municipality's own, as it is stored: dates in ISO, slugs of roles."""

    municipal_task_id: int
    municipality_id: int
    field: str
    task_version_id: int
    central_old: str | None
    central_new: str | None
    local: str | None


def note(work: Work, meetings: Sequence[Meeting], settled: Mapping[str, Sequence[int]]) -> None:
    """Write the deviations; ``settled`` are the copies by field whose earlier one KOMBIT's newest value overtakes."""
    for field, copies in settled.items():
        if copies:
            work.session.execute(
                update(Deviation)
                .where(
                    Deviation.municipal_task_id.in_(copies),
                    Deviation.field == field,
                    Deviation.settled_at.is_(None),
                )
                .values(settled_at=work.now, version=Deviation.version + 1)
                .execution_options(synchronize_session=False)
            )
    if meetings:
        rows = [asdict(each) | {"at": work.now, "version": 1} for each in meetings]
        work.session.connection().execute(insert(Deviation.__table__), rows)  # type: ignore[arg-type]


def _view(work: Work, task: MunicipalTask, row: Deviation) -> DeviationView:
    return DeviationView(
        id=row.id,
        version=row.version,
        field=row.field,
        label=FIELDS[row.field],
        central_old=central_word(work, row.field, row.central_old),
        central_new=central_word(work, row.field, row.central_new),
        local=local_word(work, task, row.field),
        at=row.at,
    )


def central_word(work: Work, field: str, stored: str | None) -> str:
    """KOMBIT's value as people read it: a day, or the name of a role."""
    if field == "deadline":
        return day_word(date.fromisoformat(stored) if stored else None)
    return work.registry.content.role(stored).name if stored else NOTHING


def local_word(work: Work, task: MunicipalTask, field: str) -> str:
    """The municipality's value as it stands now."""
    if field == "deadline":
        return day_word(task.deadline)
    return assigning.word(work, _assignee(task, field))


def _assignee(task: MunicipalTask, field: str) -> Assignee:
    person = getattr(task, f"{field}_id")
    return Assignee(person, None if person else getattr(task, f"{field}_role"))


def settle_changed(work: Work, changed: Mapping[int, tuple[MunicipalTask, frozenset[str]]]) -> None:
    """A municipality that changes a deviating field has answered. ``changed`` holds tasks and fields, by id.

    One statement where nothing deviates.
    """
    if not changed:
        return
    rows = work.session.scalars(
        select(Deviation).where(Deviation.municipal_task_id.in_(changed), Deviation.settled_at.is_(None))
    ).all()
    for row in rows:
        task, fields = changed[row.municipal_task_id]
        if row.field in fields:
            settle(work, row, FOLLOW if _follows(work, task, row) else KEEP)


def _follows(work: Work, task: MunicipalTask, row: Deviation) -> bool:
    if row.field == "deadline":
        return not task.deadline_is_own
    return _assignee(task, row.field) in (
        Assignee(role=row.central_new),
        wanted(work, task, row.central_new),
    )


def wanted(work: Work, task: MunicipalTask, role: str | None) -> Assignee:
    """Whom KOMBIT's role gives the task in its municipality."""
    if role is None:
        return Assignee()
    holder = primary_of(work, [task.municipality_id], task.system_code, [role]).person(
        task.municipality_id, role
    )
    return Assignee(person_id=holder, role=None if holder else role)


def settle(work: Work, row: Deviation, answer: str) -> None:
    """Store the answer."""
    row.answer = answer
    row.settled_at = work.now
    row.settled_by = work.actor.person_id if work.actor else None


def write_down(work: Work, task: MunicipalTask, row: Deviation) -> None:
    """A line of the history that says what was kept, and instead of what."""
    word = f"{FIELDS[row.field]} {local_word(work, task, row.field)}"
    work.session.add(
        TaskChange(
            municipality_id=task.municipality_id,
            municipal_task_id=task.id,
            at=work.now,
            person_id=work.actor.person_id if work.actor else None,
            field="deviation",
            old="Ikke besvaret",
            new=f"{word} (KOMBIT: {central_word(work, row.field, row.central_new)})",
        )
    )


def fields_of(steps: Iterable[str]) -> frozenset[str]:
    """Those of the changed fields that can deviate."""
    return frozenset(steps) & {"deadline", "responsible", "executor"}
