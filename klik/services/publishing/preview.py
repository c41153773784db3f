"""What publishing would come to, told before anything is stored."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from klik.domain.texts import search_key
from klik.models import MunicipalTask, Project, Task, TaskVersion, TaskVersionField, Wave
from klik.plugins.views import MunicipalityView
from klik.services import views
from klik.services.deadlines import explanation
from klik.services.publishing import copies
from klik.services.publishing.appointing import MissingRole, missing_roles
from klik.services.publishing.copies import Dates
from klik.services.publishing.drafts import fill, proposed_number
from klik.services.publishing.field_words import FieldWarning, field_warnings
from klik.services.publishing.mails_ahead import AT_PUBLICATION, MailsAhead, mails_ahead
from klik.services.publishing.text import Draft, extra_fields, tidied
from klik.services.tasks import details
from klik.services.tasks.details import TaskDetails
from klik.services.work import Work

# Titles that share this much of their letters are shown side by side before one more is published.
SIMILAR = 0.75


@dataclass(frozen=True, slots=True)
class SimilarTask:
    """A task of the same project whose title is much like the draft's."""

    task_id: int
    number: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``by_region`` and ``by_wave`` count municipalities by name; ``names`` and the other tuples list them.

    ``first`` and ``last`` span the deadlines; ``undated`` have none yet. ``vacant`` lack a holder of the
    responsible role, ``missing`` says it of both roles. ``notices`` is how many rows the ledger will get at
    once, ``mails`` what follows. ``shown`` is the task as ``example`` will see it. ``field_warnings`` are what plug-ins
    say of deadlines that go against a value of their fields.
    """

    number: str
    municipalities: int
    names: tuple[str, ...]
    by_region: tuple[tuple[str, int], ...]
    by_wave: tuple[tuple[str, int], ...]
    deadline_words: str
    first: date | None
    last: date | None
    undated: tuple[str, ...]
    overdue: tuple[str, ...]
    vacant: tuple[str, ...]
    missing: tuple[MissingRole, ...]
    notices: int
    mails: MailsAhead
    similar: tuple[SimilarTask, ...]
    example: str
    shown: TaskDetails
    field_warnings: tuple[FieldWarning, ...]


def preview(work: Work, draft: Draft, codes: Sequence[int], task_id: int | None = None) -> Preview:
    """Look ahead at a draft that ``check`` found nothing wrong with; nothing is written."""
    draft = tidied(draft)
    project = work.session.scalars(select(Project).where(Project.slug == draft.project)).one()
    municipalities = views.municipality_views(work, codes, project.system_code)
    names = {municipality.code: municipality.name for municipality in municipalities}
    task, version = _unsaved(work, draft, project, task_id)
    dates = copies.dates_for(work, task, version, project, municipalities, work.today)
    deadlines = {each.code: each.deadline for each in dates}
    days = sorted(day for day in deadlines.values() if day)
    missing = missing_roles(work, draft, project, names)
    mails = mails_ahead(work, task, version, project, dates, names)
    example = next((each for each in dates if each.deadline), dates[0])
    return Preview(
        number=task.task_number,
        municipalities=len(municipalities),
        names=tuple(names.values()),
        by_region=tuple(sorted(Counter(municipality.region for municipality in municipalities).items())),
        by_wave=_by_wave(work, project, municipalities),
        deadline_words=explanation(
            work.registry, draft.deadline_rule, draft.deadline_parameter, draft.working_day
        ),
        first=days[0] if days else None,
        last=days[-1] if days else None,
        undated=tuple(names[code] for code, day in deadlines.items() if day is None),
        overdue=tuple(names[code] for code, day in deadlines.items() if day and day < work.today),
        vacant=tuple(
            name for each in missing if each.role == draft.responsible_role for name in each.lacking.values()
        ),
        missing=missing,
        notices=dict(mails.occasions).get(AT_PUBLICATION, 0),
        mails=mails,
        similar=_similar(work, draft, project, task_id),
        example=names[example.code],
        shown=_shown(work, task, version, project, example),
        field_warnings=field_warnings(work, extra_fields(work, project), draft.fields, deadlines, names),
    )


def _by_wave(
    work: Work, project: Project, municipalities: Sequence[MunicipalityView]
) -> tuple[tuple[str, int], ...]:
    """The waves by their names, the first to go live first; empty where nobody is in one."""
    counts = Counter(municipality.wave for municipality in municipalities)
    if set(counts) <= {None}:
        return ()
    rows = work.session.execute(
        select(Wave.slug, Wave.name)
        .where(Wave.system_code == project.system_code)
        .order_by(Wave.go_live.is_(None), Wave.go_live, Wave.name)
    )
    named = [(name, counts[word]) for word, name in rows if word in counts]
    return (*named, *([("Uden bølge", counts[None])] if None in counts else []))


def _unsaved(work: Work, draft: Draft, project: Project, task_id: int | None) -> tuple[Task, TaskVersion]:
    """The task as it would be stored; a stored draft's id leads to its files. Nothing is added to the session."""
    number = draft.number or (_number_of(work, task_id) if task_id else "") or proposed_number(work, draft)
    task = Task(id=task_id or -1, task_number=number, round=project.round, published_at=work.now)
    version = TaskVersion(task_id=task.id, number=1)
    fill(version, draft, number)
    version.fields = [TaskVersionField(field=key, value=value) for key, value in draft.fields.items()]
    return task, version


def _number_of(work: Work, task_id: int) -> str:
    return work.session.scalar(select(Task.task_number).where(Task.id == task_id)) or ""


def _shown(work: Work, task: Task, version: TaskVersion, project: Project, dates: Dates) -> TaskDetails:
    row = copies.rows_of(work, task, version, project, [dates])[0]
    return details.of(
        work, MunicipalTask(**row, task_version=version, project=project, deadline_is_own=False)
    )


def _similar(work: Work, draft: Draft, project: Project, task_id: int | None) -> tuple[SimilarTask, ...]:
    rows = work.session.execute(
        select(Task.id, Task.task_number, TaskVersion.title)
        .join(TaskVersion, (TaskVersion.task_id == Task.id) & (TaskVersion.number == Task.current_number))
        .where(Task.project_id == project.id, Task.id != (task_id or 0))
        .order_by(Task.id)
    )
    matcher = difflib.SequenceMatcher(b=search_key(draft.title))
    found = []
    for row in rows:
        matcher.set_seq1(search_key(row.title))
        if matcher.real_quick_ratio() >= SIMILAR and matcher.ratio() >= SIMILAR:
            found.append(SimilarTask(row.id, row.task_number, row.title))
    return tuple(found)
