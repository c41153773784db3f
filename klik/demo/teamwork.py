"""One task in Køge that several work on: a checklist, somebody named in a comment, a text KOMBIT has corrected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from klik.demo.people import Staff
from klik.domain.rights import Level
from klik.domain.status import OPEN_STATUSES
from klik.domain.texts import search_key
from klik.models import MunicipalTask, Task, TaskVersion, TaskVersionField
from klik.services.tasks import checklist, commenting, read_marks
from klik.services.work import Actor, Work

LINES = (
    "Find alle, der skal bruge systemet",
    "Aftal datoer med lederne",
    "Bestil lokale med skærm",
    "Skriv ud til deltagerne",
    "Få login på plads til alle",
    "Prøv øvelserne igennem selv",
    "Saml op på dem, der ikke kom",
)
DONE = 3
ADDED = "KOMBIT holder åbent spørgehjørne hver torsdag kl. 13 for alle, der skal løse opgaven."


def fill(work: Work, staff: Staff, member: Callable[[Work, Staff, str, Level], Actor]) -> None:
    """What the programme leader of Køge finds on the task that is most urgent this morning."""
    task = work.session.scalars(
        select(MunicipalTask)
        .where(
            MunicipalTask.municipality_id == staff.municipality,
            MunicipalTask.task_id.is_not(None),
            MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
            MunicipalTask.deadline >= work.today,
        )
        .order_by(MunicipalTask.deadline, MunicipalTask.id)
        .limit(1)
    ).one()
    leader = replace(
        work, now=work.now - timedelta(days=3), actor=member(work, staff, "programleder", Level.PLUS_USER)
    )
    colleague = replace(work, actor=member(work, staff, "plusbruger", Level.PLUS_USER))
    for text in LINES[:-1]:
        checklist.add(replace(colleague, now=work.now - timedelta(days=6)), task.id, text)
    # Everything was read three days ago, so that what others did since then is marked.
    theirs = select(MunicipalTask).where(MunicipalTask.municipality_id == staff.municipality)
    read_marks.mark_all(leader, work.session.scalars(theirs).all())
    _correct(replace(work, now=work.now - timedelta(days=1, hours=2)), task)
    later = replace(colleague, now=work.now - timedelta(hours=19))
    checklist.add(later, task.id, LINES[-1])
    for line in checklist.of(later, task).lines[:DONE]:
        checklist.tick(later, task.id, line.id, line.version, True)
    assert leader.actor is not None
    name = leader.actor.name
    commenting.add(later, task.id, f"@{name}, har du hørt fra it om login? Ellers når vi ikke linje fem.")


def _correct(work: Work, task: MunicipalTask) -> None:
    """KOMBIT has corrected a paragraph and added one; every municipality has the new text."""
    published = work.session.get_one(Task, task.task_id)
    old = work.session.get_one(TaskVersion, task.task_version_id)
    values = {
        column.name: getattr(old, column.name)
        for column in TaskVersion.__table__.columns
        if column.name not in ("id", "number", "description", "created_at", "change_note", "search_key")
    }
    text = f"{old.description}\n\n{ADDED}"
    new = TaskVersion(
        **values,
        number=old.number + 1,
        description=text,
        search_key=search_key(f"{published.task_number} {old.title} {text}"),
        change_note="Spørgehjørnet er kommet til",
        created_at=work.now,
    )
    new.fields = [TaskVersionField(field=each.field, value=each.value) for each in old.fields]
    work.session.add(new)
    work.session.flush()
    published.current_number = new.number
    work.session.execute(
        update(MunicipalTask)
        .where(MunicipalTask.task_id == published.id)
        .values(task_version_id=new.id, changed_at=work.now)
        .execution_options(synchronize_session=False)
    )
    work.session.expire(task)
