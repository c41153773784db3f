"""Publishing a task as it is stored: by a press on its page, or when its planned time has come."""

from __future__ import annotations

from sqlalchemy import select

from klik.domain.life import Act, State
from klik.models import Project, Task
from klik.services import idempotency
from klik.services.publishing import publication, steps
from klik.services.publishing.appointing import appoint
from klik.services.publishing.drafts import current_version, require_publisher, task_of
from klik.services.publishing.publication import ACTION, Published
from klik.services.publishing.steps import Press
from klik.services.work import Work


def publish_stored(work: Work, task_id: int, press: Press) -> Published:
    """Publish a stored task as it stands, to whom it was stored for; raises as ``publish``.

    In the same transaction goes a task "Udpeg …" for each role ticked for it, to those who lack the role now.
    """
    require_publisher(work)
    task = held_with_project(work, task_id)
    if (result := idempotency.taken(work, press.key, ACTION)) is not None:
        return publication.earlier(work, task_of(result))
    if task.state == State.PUBLISHED.value:
        return publication.earlier(work, task_id)
    steps.begin(work, task_id, Act.PUBLISH, Press(press.version, appoint=press.appoint))
    codes = publication.checked(work, task)
    published = publication.put_out(work, task, current_version(work, task), task.project, codes, press.key)
    appoint(work, published, codes, steps.kept_roles(task))
    return published


def held_with_project(work: Work, task_id: int) -> Task:
    """The task, held after its project as ``publish`` holds them, so that neither waits for the other."""
    work.session.scalar(
        select(Project.id)
        .join(Task, Task.project_id == Project.id)
        .where(Task.id == task_id)
        .with_for_update(of=Project)
    )
    return steps.held(work, task_id)
