"""What publishing would come to, told before anything is stored."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from klik.domain.texts import search_key
from klik.models import Project, Task, TaskVersion
from klik.plugins.views import TaskView
from klik.services import views
from klik.services.deadlines import deadlines_for, explanation
from klik.services.notices import recipients as notice_recipients
from klik.services.publishing.drafts import proposed_number
from klik.services.publishing.holders import holders_of
from klik.services.publishing.text import Draft, tidied
from klik.services.work import Work

# Titles that share this much of their letters are shown side by side before one more is published.
SIMILAR = 0.75


@dataclass(frozen=True, slots=True)
class SimilarTask:
    """A task of the same project whose title is much like the draft's."""

    task_id: int
    number: str
    title: str


@dataclass(frozen=True, slots=True)
class Preview:
    """``by_region`` and ``by_wave`` count municipalities by name; the tuples of names list municipalities.

    ``first`` and ``last`` span the deadlines; ``undated`` have none yet. ``vacant`` lack a holder of the
    responsible role. ``notices`` is how many rows the ledger will get.
    """

    number: str
    municipalities: int
    by_region: tuple[tuple[str, int], ...]
    by_wave: tuple[tuple[str, int], ...]
    deadline_words: str
    first: date | None
    last: date | None
    undated: tuple[str, ...]
    overdue: tuple[str, ...]
    vacant: tuple[str, ...]
    notices: int
    similar: tuple[SimilarTask, ...]


def preview(work: Work, draft: Draft, codes: Sequence[int], task_id: int | None = None) -> Preview:
    """Look ahead at a draft that ``check`` found nothing wrong with; nothing is written."""
    draft = tidied(draft)
    project = work.session.scalars(select(Project).where(Project.slug == draft.project)).one()
    municipalities = views.municipality_views(work, codes, project.system_code)
    names = {municipality.code: municipality.name for municipality in municipalities}
    number = draft.number or proposed_number(work, draft)
    view = _as_view(work, draft, project, number)
    deadlines = deadlines_for(
        work.registry,
        draft.deadline_rule,
        draft.deadline_parameter,
        view,
        municipalities,
        working_day=draft.working_day,
    )
    days = sorted(day for day in deadlines.values() if day)
    waves = Counter(municipality.wave or "Uden bølge" for municipality in municipalities)
    return Preview(
        number=number,
        municipalities=len(municipalities),
        by_region=tuple(sorted(Counter(municipality.region for municipality in municipalities).items())),
        by_wave=tuple(sorted(waves.items())) if set(waves) != {"Uden bølge"} else (),
        deadline_words=explanation(
            work.registry, draft.deadline_rule, draft.deadline_parameter, draft.working_day
        ),
        first=days[0] if days else None,
        last=days[-1] if days else None,
        undated=tuple(names[code] for code, day in deadlines.items() if day is None),
        overdue=tuple(names[code] for code, day in deadlines.items() if day and day < work.today),
        vacant=_vacant(work, draft, project, names),
        notices=_notices(work, names, project),
        similar=_similar(work, draft, project, task_id),
    )


def _as_view(work: Work, draft: Draft, project: Project, number: str) -> TaskView:
    return TaskView(
        number=number,
        title=draft.title,
        project=project.slug,
        system=project.system_code,
        phase=draft.phase,
        theme=draft.theme,
        priority=draft.priority,
        infrastructure=draft.infrastructure,
        start=draft.start,
        published_on=work.today,
        fields=draft.fields,
    )


def _vacant(work: Work, draft: Draft, project: Project, names: dict[int, str]) -> tuple[str, ...]:
    role = draft.responsible_role
    if role is None:
        return ()
    holders = holders_of(work, names, project.system_code, [role])
    return tuple(name for code, name in names.items() if holders.lacks(code, role))


def _notices(work: Work, names: dict[int, str], project: Project) -> int:
    """As many as the ledger will take: nobody is told of their own doing, nor twice of one copy."""
    me = work.actor.person_id if work.actor else None
    told = notice_recipients.of_municipalities(work, names, project.system_code)
    return len(
        {
            (code, recipient.person_id or recipient.address)
            for code, found in told.items()
            for recipient in found
            if recipient.person_id is None or recipient.person_id != me
        }
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
