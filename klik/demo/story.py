"""What has happened in the demo when it opens: published, worked on, commented, some of it late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import bindparam, insert, select, update

from klik.demo import history, people, tasks
from klik.demo.people import KOEGE, Staff
from klik.demo.tasks import Shared
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.domain.texts import sort_key
from klik.models import (
    Comment,
    Membership,
    Municipality,
    MunicipalSystem,
    MunicipalTask,
    Person,
    Project,
    SavedFilter,
    TaskChange,
    Wave,
)
from klik.plugins.contributions import TaskTemplate
from klik.services import publishing
from klik.services.publishing import Draft
from klik.services.work import Actor, Work

PROJECTS = (
    ("kp", "KP Basis", "kp", "Kommunernes Pensionssystem afløser KMD Social Pension."),
    ("ksd", "KSD", "ksd", "Kommunernes Sygedagpengesystem er i drift i alle kommuner."),
    ("ky", "KY", "ky", "Kommunernes Ydelsessystem tages i brug i bølger: pilot, B1, B2 og B3."),
    (
        "monopolbrud",
        "Monopolbrudsprogrammet",
        None,
        "Opgaver på tværs af systemer og i den fælleskommunale infrastruktur.",
    ),
)
# Days from today to the day each of KY's waves takes the system into use.
GO_LIVE = {"pilot": -30, "b1": 25, "b2": 80, "b3": 150}
PILOTS = (KOEGE, 657)  # Køge, and Herning, the first in pilot operation with KY


@dataclass(frozen=True, slots=True)
class Span:
    """When a phase's tasks were published, and between which days their deadlines lie (days from today)."""

    published: int
    first: int
    last: int


SPANS: Mapping[str, Mapping[str, Span]] = {
    "kp": {
        "opstart": Span(-210, -160, -120),
        "forberedelse": Span(-95, -24, 52),
        "ibrugtagning": Span(-20, 12, 60),
        "forankring": Span(-6, 95, 180),
    },
    "ksd": {
        "opstart": Span(-420, -380, -340),
        "forberedelse": Span(-330, -270, -200),
        "ibrugtagning": Span(-150, -60, -4),
        "forankring": Span(-30, -3, 70),
    },
    "ky": {
        "opstart": Span(-140, -100, -60),
        "forberedelse": Span(-60, -10, 40),
        "ibrugtagning": Span(-12, 20, 75),
        "forankring": Span(-4, 120, 200),
    },
    "monopolbrud": {
        "opstart": Span(-380, -330, -300),
        "forberedelse": Span(-12, 18, 35),
        "ibrugtagning": Span(-200, 60, 90),
        "forankring": Span(-8, 9, 30),
    },
}
# Which of the shared tasks each project has besides its own, so that every phase has some.
SHARED_OF: Mapping[str, frozenset[int]] = {
    "kp": frozenset({0, 1, 2, 3, 5, 8, 9, 11, 12, 13}),
    "ksd": frozenset({4, 10, 11, 13, 14}),
    "ky": frozenset({1, 4, 6, 10, 11, 13}),
}
REASONS = ("Vi bruger en fælles løsning med nabokommunen", "Kommunen har ikke dette økonomisystem")


def fill(work: Work) -> None:
    """Everything, in the caller's one transaction, so that an interrupted start leaves nothing half."""
    staff = people.fill(work)
    people.fill_roles(work, staff)
    _projects(work)
    editor = _editor(work)
    for draft, published in sorted(_drafts(work), key=lambda pair: pair[1]):
        when = replace(work, now=work.now + timedelta(days=published), actor=editor)
        publishing.publish(when, draft, list(staff))
    history.deliver_past(work)
    _progress(work, staff)
    _talk(work, staff)
    _filters(work, staff)


def _projects(work: Work) -> None:
    for slug, name, system, description in PROJECTS:
        work.session.add(Project(slug=slug, name=name, system_code=system, description=description))
    waves = [
        work.session.scalars(select(Wave).where(Wave.system_code == "ky", Wave.slug == slug)).one()
        for slug in GO_LIVE
    ]
    for wave in waves:
        wave.go_live = work.today + timedelta(days=GO_LIVE[wave.slug])
    work.session.flush()
    codes = list(work.session.scalars(select(Municipality.id).order_by(Municipality.id)))
    rows = []
    for number, code in enumerate(codes):
        wave = waves[0] if code in PILOTS else waves[1 + number % 3]
        rows += [
            {"municipality_id": code, "system_code": "kp", "wave_id": None, "version": 1},
            {"municipality_id": code, "system_code": "ksd", "wave_id": None, "version": 1},
            {"municipality_id": code, "system_code": "ky", "wave_id": wave.id, "version": 1},
        ]
    work.session.execute(insert(MunicipalSystem), rows)


def _editor(work: Work) -> Actor:
    person, member = work.session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.level == Level.KOMBIT_EDITOR.value)
    ).one()
    return Actor(
        person.id, member.id, person.name, person.email, Level.KOMBIT_EDITOR, None, "KOMBIT", frozenset()
    )


def _drafts(work: Work) -> Iterator[tuple[Draft, int]]:
    templates = list(work.registry.task_types.values())
    for project, _name, system, _description in PROJECTS:
        own = [template for template in templates if system and template.system == system]
        titles = {template.title for template in own}
        shared = tasks.SHARED if system else tasks.PROGRAMME
        wanted = SHARED_OF.get(project)
        plain = [
            task for task in shared if task.title not in titles and (wanted is None or task.order in wanted)
        ]
        drafts = [_from_template(project, template) for template in own]
        drafts += [_from_shared(project, task) for task in plain]
        yield from _dated(work, project, drafts)


def _dated(work: Work, project: str, drafts: Iterable[Draft]) -> Iterator[tuple[Draft, int]]:
    by_phase: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_phase.setdefault(draft.phase, []).append(draft)
    for phase, group in by_phase.items():
        span = SPANS[project][phase]
        steps = max(1, len(group) - 1)
        for place, draft in enumerate(group):
            # A prime step mixes the numbers, so that the most urgent are not simply the first.
            days = span.first + (span.last - span.first) * (place * 7 % (steps + 1)) // steps
            yield _with_deadline(work, draft, days, span), span.published


def _with_deadline(work: Work, draft: Draft, days: int, span: Span) -> Draft:
    if draft.title == "Udpeg organisationsadministrator":
        # Seed 003: one month from publication.
        return replace(draft, deadline_rule="core.months-after-publication", deadline_parameter="1")
    if draft.deadline_rule.startswith("ky."):
        return draft
    deadline = work.today + timedelta(days=days)
    return replace(
        draft,
        start=work.today + timedelta(days=span.published),
        deadline_rule="core.date",
        deadline_parameter=deadline.isoformat(),
    )


def _from_template(project: str, template: TaskTemplate) -> Draft:
    return Draft(
        project=project,
        title=template.title,
        phase=template.phase,
        theme=template.theme,
        number=template.number,
        purpose=template.purpose,
        description=template.description,
        prerequisites=template.prerequisites,
        how_to=template.how_to,
        result=template.result,
        material=template.material,
        contact=template.contact,
        responsible_role=template.responsible_role,
        executor_role=template.executor_role,
        priority=template.priority,
        infrastructure=template.infrastructure,
        deadline_rule=template.deadline_rule,
        deadline_parameter=template.deadline_parameter,
        fields=dict(template.fields),
        template=template.key,
    )


def _from_shared(project: str, task: Shared) -> Draft:
    return Draft(
        project=project,
        title=task.title,
        phase=task.phase,
        theme=task.theme,
        purpose=task.purpose,
        description=task.description,
        result=task.result,
        responsible_role=task.responsible,
        executor_role=task.executor,
        infrastructure=project == "monopolbrud",
    )


def _progress(work: Work, staff: Mapping[int, Staff]) -> None:
    random = Random(1970)
    pace = {code: random.uniform(0.72, 1.12) for code in staff}
    pace[KOEGE] = 0.93
    rows = work.session.execute(
        select(
            MunicipalTask.id,
            MunicipalTask.municipality_id,
            MunicipalTask.deadline,
            MunicipalTask.created_at,
        ).order_by(MunicipalTask.id)
    ).all()
    updates, changes = [], []
    for task_id, code, deadline, created in rows:
        status = _status(random, pace[code], deadline, created, work.today)
        if status is Status.NOT_STARTED:
            continue
        when = _worked_on(random, created, work.now)
        updates.append(
            {
                "task": task_id,
                "status": status.value,
                "completed_on": danish_today(when) if status is Status.COMPLETED else None,
                "not_relevant_reason": random.choice(REASONS) if status is Status.NOT_RELEVANT else None,
                "changed_at": when,
            }
        )
        changes.append(
            {
                "municipality_id": code,
                "municipal_task_id": task_id,
                "at": when,
                "person_id": staff[code].ids[random.choice(("programleder", "plusbruger", "bruger"))],
                "field": "Status",
                "old": Status.NOT_STARTED.label,
                "new": status.label,
                "via": "klik",
            }
        )
    work.session.connection().execute(
        update(MunicipalTask.__table__)
        .where(MunicipalTask.__table__.c.id == bindparam("task"))
        .values(
            status=bindparam("status"),
            completed_on=bindparam("completed_on"),
            not_relevant_reason=bindparam("not_relevant_reason"),
            changed_at=bindparam("changed_at"),
        ),
        updates,
    )
    work.session.execute(insert(TaskChange), changes)


def _status(random: Random, pace: float, deadline: date | None, created: datetime, today: date) -> Status:
    if random.random() < 0.015:
        return Status.NOT_RELEVANT
    if deadline is None:
        return Status.NOT_STARTED
    published = danish_today(created)
    length = max(1, (deadline - published).days)
    elapsed = (today - published).days / length
    overdue = (today - deadline).days
    chance = 0.76 + min(0.23, overdue / 200) if overdue > 0 else 0.6 * elapsed**1.3
    if random.random() < chance * pace:
        return Status.COMPLETED
    return Status.IN_PROGRESS if random.random() < 0.2 + 0.3 * min(1.0, elapsed) else Status.NOT_STARTED


def _worked_on(random: Random, created: datetime, now: datetime) -> datetime:
    seconds = (now - created).total_seconds()
    return created + timedelta(seconds=seconds * random.uniform(0.25, 0.98))


SAYINGS = (
    ("programleder", "Aftalt på projektmødet: vi venter på svar fra økonomi, og Jens rykker onsdag.", False),
    ("plusbruger", "Bilaget er udfyldt og sendt til gennemlæsning.", False),
    ("bruger", "Vores leverandør af bogføringssystem har meldt tilbage, at de kan i uge 49.", False),
    ("programleder", "Tag det op på chefmødet, hvis det ikke er løst på fredag.", True),
)


def _talk(work: Work, staff: Mapping[int, Staff]) -> None:
    for code in (KOEGE, 657, 751, 825):
        urgent = work.session.scalars(
            select(MunicipalTask.id)
            .where(MunicipalTask.municipality_id == code, MunicipalTask.status != Status.COMPLETED.value)
            .order_by(MunicipalTask.deadline, MunicipalTask.id)
            .limit(6)
        ).all()
        for place, task_id in enumerate(urgent):
            box, text, private = SAYINGS[place % len(SAYINGS)]
            work.session.add(
                Comment(
                    municipality_id=code,
                    municipal_task_id=task_id,
                    author_id=staff[code].ids[box],
                    at=work.now - timedelta(days=6 - place, hours=3),
                    text=text,
                    private=private,
                )
            )


RED_YELLOW = "deadline=roed&deadline=gul&status=ikke-paabegyndt"


def _filters(work: Work, staff: Mapping[int, Staff]) -> None:
    for code in (KOEGE, 657, 751, 825):
        for name, query, default in (
            ("Rød/gul ej påbegyndt", RED_YELLOW, True),
            ("Mine opgaver", "ansvarlig=mig", False),
            ("Infrastruktur de næste 30 dage", "infrastruktur=ja&deadline=idag..idag%2B30", False),
        ):
            work.session.add(
                SavedFilter(
                    person_id=staff[code].ids["programleder"],
                    municipality_id=code,
                    name=name,
                    name_key=sort_key(name),
                    query=query,
                    is_default=default,
                    pinned=default,
                    shared="selv",
                    subscription="ingen",
                    created_at=work.now,
                )
            )
