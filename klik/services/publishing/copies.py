"""Making the municipalities' copies of a KLIK-opgave: in a fixed number of statements, however many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, insert, select

from klik.domain.status import Status
from klik.domain.texts import search_key, sort_key
from klik.models import MunicipalTask, MunicipalTaskField, Project, Task, TaskVersion, TaskVersionField
from klik.plugins.views import MunicipalityView
from klik.services import views
from klik.services.deadlines import deadlines_for, yellow_from_days
from klik.services.holders import PrimaryHolders, primary_of
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Copy:
    """A municipality's new copy: its id, the municipality's code, and its deadline."""

    id: int
    code: int
    deadline: date | None


@dataclass(frozen=True, slots=True)
class Dates:
    """What a rule gives one municipality; ``yellow_from`` is None exactly where the deadline is.

    ``for_information``: the deadline had passed before the municipality got the task, so it has none.
    """

    code: int
    deadline: date | None
    yellow_from: date | None
    for_information: bool = False


def dates_for(
    work: Work,
    task: Task,
    version: TaskVersion,
    project: Project,
    municipalities: Sequence[MunicipalityView],
    given: date,
) -> list[Dates]:
    """What a version's rule gives each municipality; they got the task on the day ``given``."""
    rule = version.deadline_rule
    view = views.task_view(task, version, project, given)
    days = deadlines_for(
        work.registry,
        rule,
        version.deadline_parameter,
        view,
        municipalities,
        working_day=version.working_day,
    )
    yellow = yellow_from_days(
        work.registry, rule, version.start_date, (day for day in days.values() if day is not None)
    )
    return [Dates(code, day, yellow[day] if day else None) for code, day in days.items()]


@dataclass(frozen=True, slots=True)
class Given:
    """A task, in one of its versions, and what its rule gives each municipality that gets it."""

    task: Task
    version: TaskVersion
    project: Project
    dates: Sequence[Dates]


def make(
    work: Work, task: Task, version: TaskVersion, project: Project, dates: Sequence[Dates]
) -> list[Copy]:
    """One copy for each municipality and its plug-in fields, in four statements however many."""
    return make_all(work, [Given(task, version, project, dates)])


def make_all(work: Work, given: Sequence[Given]) -> list[Copy]:
    """The copies of several tasks of one system, which all go to the same municipalities; as many statements."""
    if not given:
        return []
    table = MunicipalTask.__table__
    # Without RETURNING they are one prepared statement in one round trip (see notices.ledger).
    work.session.connection().execute(insert(table), _rows(work, given))  # type: ignore[arg-type]
    deadlines: Mapping[tuple[int, int], date | None] = {
        (each.task.id, day.code): day.deadline for each in given for day in each.dates
    }
    made = and_(
        table.c.task_id.in_([each.task.id for each in given]),
        table.c.municipality_id.in_([day.code for day in given[0].dates]),
    )
    inserted = work.session.execute(select(table.c.id, table.c.task_id, table.c.municipality_id).where(made))
    copies = [Copy(copy_id, code, deadlines[task_id, code]) for copy_id, task_id, code in inserted]
    work.session.execute(
        insert(MunicipalTaskField.__table__).from_select(  # type: ignore[arg-type]
            ["municipal_task_id", "municipality_id", "field", "value"],
            select(table.c.id, table.c.municipality_id, TaskVersionField.field, TaskVersionField.value)
            .join(TaskVersionField, TaskVersionField.task_version_id == table.c.task_version_id)
            .where(made),
        )
    )
    return copies


def _rows(work: Work, given: Sequence[Given]) -> list[dict[str, object]]:
    roles = {role for each in given for role in (each.version.responsible_role, each.version.executor_role)}
    codes = [day.code for day in given[0].dates]
    holders = primary_of(work, codes, given[0].project.system_code, roles - {None})
    rows: list[dict[str, object]] = []
    for each in given:
        shared = _shared(work, each.task, each.version, each.project)
        rows += [shared | _own(each.version, holders, day) for day in each.dates]
    return rows


def rows_of(
    work: Work, task: Task, version: TaskVersion, project: Project, dates: Sequence[Dates]
) -> list[dict[str, object]]:
    """What each municipality's copy is made with; one statement, and nothing is written."""
    return _rows(work, [Given(task, version, project, dates)])


def _shared(work: Work, task: Task, version: TaskVersion, project: Project) -> dict[str, object]:
    return {
        "task_id": task.id,
        "project_id": project.id,
        "system_code": project.system_code,
        "round": task.round,
        "task_number": task.task_number,
        "number_key": sort_key(task.task_number),
        "status": Status.NOT_STARTED.value,
        "created_at": work.now,
    } | words_of(work, task, version)


def words_of(work: Work, task: Task, version: TaskVersion) -> dict[str, object]:
    """The columns of a copy that follow the version it stands in, the same in every municipality."""
    return {
        "task_version_id": version.id,
        "title": version.title,
        "title_key": sort_key(version.title),
        "search_key": search_key(f"{task.task_number} {version.title}"),
        "phase": version.phase,
        "theme": version.theme,
        "priority": version.priority,
        "infrastructure": version.infrastructure,
        "start_date": version.start_date,
        "changed_at": work.now,
    }


def _own(version: TaskVersion, holders: PrimaryHolders, dates: Dates) -> dict[str, object]:
    own: dict[str, object] = {
        "municipality_id": dates.code,
        "deadline": dates.deadline,
        "yellow_from": dates.yellow_from,
        "for_information": dates.for_information,
    }
    for place, role in (("responsible", version.responsible_role), ("executor", version.executor_role)):
        person = holders.person(dates.code, role) if role else None
        own[f"{place}_id"] = person
        own[f"{place}_role"] = None if person else role
    return own
