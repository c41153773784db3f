"""From rows to the frozen values that plug-ins see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import and_, func, literal, select, union_all

from klik.domain.status import Status
from klik.models import (
    Municipality,
    MunicipalSystem,
    MunicipalTask,
    MunicipalTaskField,
    Project,
    Task,
    TaskVersion,
    Wave,
)
from klik.plugins.views import MunicipalityView, MunicipalTaskView, TaskView
from klik.services.work import Work


def municipality_views(work: Work, codes: Iterable[int], system: str | None) -> tuple[MunicipalityView, ...]:
    """The municipalities in relation to a system, by code; one statement."""
    rows = work.session.execute(
        select(Municipality, MunicipalSystem.go_live, Wave.slug, Wave.go_live)
        .outerjoin(
            MunicipalSystem,
            and_(
                MunicipalSystem.municipality_id == Municipality.id,
                MunicipalSystem.system_code == (system or ""),
            ),
        )
        .outerjoin(Wave, Wave.id == MunicipalSystem.wave_id)
        .where(Municipality.id.in_(list(codes)))
        .order_by(Municipality.id)
    )
    return tuple(
        MunicipalityView(code=row.id, name=row.name, region=row.region, wave=wave, go_live=own or of_wave)
        for row, own, wave, of_wave in rows
    )


def task_view(task: Task, version: TaskVersion, project: Project, published_on: date) -> TaskView:
    """A task in one of its versions."""
    return TaskView(
        number=task.task_number,
        title=version.title,
        project=project.slug,
        system=project.system_code,
        phase=version.phase,
        theme=version.theme,
        priority=version.priority,
        infrastructure=version.infrastructure,
        start=version.start_date,
        published_on=published_on,
        fields={field.field: field.value for field in version.fields},
    )


def municipal_task_views(work: Work, tasks: Iterable[MunicipalTask]) -> tuple[MunicipalTaskView, ...]:
    """Municipal tasks as plug-ins see them; three statements however many there are."""
    tasks = tuple(tasks)
    fields: dict[int, dict[str, str]] = {}
    for task_id, field, value in work.session.execute(
        select(
            MunicipalTaskField.municipal_task_id, MunicipalTaskField.field, MunicipalTaskField.value
        ).where(MunicipalTaskField.municipal_task_id.in_([task.id for task in tasks]))
    ):
        fields.setdefault(task_id, {})[field] = value
    projects, names = _words(work)
    content = work.registry.content
    go_live = _go_lives(work, {task.municipality_id for task in tasks})
    return tuple(
        MunicipalTaskView(
            id=task.id,
            municipality=task.municipality_id,
            municipality_name=names[task.municipality_id],
            number=task.task_number,
            title=task.title,
            project=projects[task.project_id],
            system=task.system_code,
            phase=task.phase,
            theme=task.theme,
            status=task.status,
            start=task.start_date,
            deadline=task.deadline,
            yellow_from=task.yellow_from,
            deadline_version=task.deadline_version,
            local=task.task_id is None,
            fields=fields.get(task.id, {}),
            go_live=go_live.get((task.municipality_id, task.system_code)),
            phase_name=content.phase(task.phase).name,
            theme_name=content.theme(task.theme).name,
            status_name=Status(task.status).label,
        )
        for task in tasks
    )


def _words(work: Work) -> tuple[Mapping[int, str], Mapping[int, str]]:
    """The slugs of the projects and the names of the municipalities; one statement."""
    projects: dict[int, str] = {}
    names: dict[int, str] = {}
    for of_project, key, word in work.session.execute(
        union_all(
            select(literal(1), Project.id, Project.slug),
            select(literal(0), Municipality.id, Municipality.name),
        )
    ):
        (projects if of_project else names)[key] = word
    return projects, names


def _go_lives(work: Work, municipalities: Iterable[int]) -> Mapping[tuple[int, str | None], date | None]:
    rows = work.session.execute(
        select(
            MunicipalSystem.municipality_id,
            MunicipalSystem.system_code,
            func.coalesce(MunicipalSystem.go_live, Wave.go_live).label("day"),
        )
        .outerjoin(Wave, Wave.id == MunicipalSystem.wave_id)
        .where(MunicipalSystem.municipality_id.in_(list(municipalities)))
    )
    return {(row.municipality_id, row.system_code): row.day for row in rows}
