"""What KOMBIT published in the demo, when, and to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import insert, select

from klik.demo import tasks, waves
from klik.demo.people import KOEGE
from klik.demo.tasks import Shared
from klik.domain.rights import Level
from klik.models import (
    Membership,
    Municipality,
    MunicipalSystem,
    Person,
    Project,
    Wave,
)
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
# Herning was the first in pilot operation with KY; Køge is on its way in the second wave.
WAVE_OF = {657: "pilot", KOEGE: "b2"}


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


def projects(work: Work) -> None:
    """The four projects, and which municipalities have which system in which wave."""
    for slug, name, system, description in PROJECTS:
        work.session.add(Project(slug=slug, name=name, system_code=system, description=description))
    rows_of_waves = [
        work.session.scalars(select(Wave).where(Wave.system_code == "ky", Wave.slug == slug)).one()
        for slug in GO_LIVE
    ]
    for wave in rows_of_waves:
        wave.go_live = work.today + timedelta(days=GO_LIVE[wave.slug])
    work.session.flush()
    codes = list(work.session.scalars(select(Municipality.id).order_by(Municipality.id)))
    rows = []
    for number, code in enumerate(codes):
        named = WAVE_OF.get(code) or ("b1", "b2", "b3")[number % 3]
        wave = next(each for each in rows_of_waves if each.slug == named)
        rows += [
            {"municipality_id": code, "system_code": "kp", "wave_id": None, "version": 1},
            {"municipality_id": code, "system_code": "ksd", "wave_id": None, "version": 1},
        ]
        if code != waves.LATE:
            rows.append({"municipality_id": code, "system_code": "ky", "wave_id": wave.id, "version": 1})
    work.session.execute(insert(MunicipalSystem), rows)


def editor(work: Work) -> Actor:
    """KOMBIT's redaktør, who published it all."""
    person, member = work.session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.level == Level.KOMBIT_EDITOR.value)
    ).one()
    return Actor(
        person.id, member.id, person.name, person.email, Level.KOMBIT_EDITOR, None, "KOMBIT", frozenset()
    )


def drafts(work: Work) -> Iterator[tuple[Draft, int]]:
    """Every task of the demo, and how many days ago (negative) it was published."""
    templates = list(work.registry.task_types.values())
    for project, _name, system, _description in PROJECTS:
        own = [template for template in templates if system and template.system == system]
        titles = {template.title for template in own}
        shared = tasks.SHARED if system else tasks.PROGRAMME
        wanted = SHARED_OF.get(project)
        plain = [
            task for task in shared if task.title not in titles and (wanted is None or task.order in wanted)
        ]
        wanted_drafts = [Draft.from_template(template, project, template.number) for template in own]
        wanted_drafts += [_from_shared(project, task) for task in plain]
        yield from _dated(work, project, wanted_drafts)


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
        appoints_role=task.appoints,
        infrastructure=project == "monopolbrud",
    )
