"""What a new KLIK-opgave can begin from: the plug-ins' templates and the tasks KOMBIT wrote before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from klik.domain.rights import Right
from klik.domain.texts import search_key
from klik.models import Project, Task, TaskVersion
from klik.plugins.contributions import TaskTemplate
from klik.services import access
from klik.services.work import Work

MOST_TASKS = 50


@dataclass(frozen=True, slots=True)
class EarlierTask:
    """A task to copy."""

    id: int
    number: str
    title: str
    project: str
    state: str


def templates(work: Work, text: str) -> Mapping[str, Sequence[TaskTemplate]]:
    """The templates whose words, number or system hold every word that is looked for, by system ("": across).

    The systems that have a project to publish in come first.
    """
    words = search_key(text).split()
    found = []
    for template in work.registry.task_types.values():
        system = work.registry.systems.get(template.system or "")
        said = (template.number or "", template.title, system.name if system else "", template.purpose)
        if all(word in search_key(" ".join(said)) for word in words):
            found.append(template)
    at_work = set(work.session.scalars(select(Project.system_code).where(Project.active.is_(True))))
    systems = sorted(
        {template.system or "" for template in found}, key=lambda code: (code not in at_work, code)
    )
    return {code: [template for template in found if (template.system or "") == code] for code in systems}


def earlier(work: Work, text: str) -> tuple[list[EarlierTask], bool]:
    """The newest tasks that hold every word that is looked for, and whether there are more than are given."""
    access.require(work, Right.PUBLISH)
    statement = (
        select(Task.id, Task.task_number, TaskVersion.title, Project.name, Task.state)
        .join(TaskVersion, (TaskVersion.task_id == Task.id) & (TaskVersion.number == Task.current_number))
        .join(Project, Project.id == Task.project_id)
        .where(Project.active.is_(True))
        .order_by(Task.id.desc())
        .limit(MOST_TASKS + 1)
    )
    for word in search_key(text).split():
        statement = statement.where(TaskVersion.search_key.contains(word, autoescape=True))
    rows = [EarlierTask(*row) for row in work.session.execute(statement)]
    return rows[:MOST_TASKS], len(rows) > MOST_TASKS
