"""Tasks on their way: one for approval, one announced, one planned for Monday, and one KOMBIT has withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from klik.demo.people import KOEGE
from klik.domain.life import Act
from klik.domain.moments import monday_morning
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.models import Membership, MunicipalTask, Person
from klik.services import publishing
from klik.services.publishing import Draft, Press, RecipientChoice, life
from klik.services.work import Actor, Work

FOR_APPROVAL = Draft(
    project="kp",
    title="Gennemgå adgange efter første driftsår",
    phase="forankring",
    theme="it-miljoe-og-infrastruktur",
    purpose="Medarbejdere skifter job, og adgange bliver hængende. Et årligt eftersyn holder adgangene snævre.",
    description="Sammenhold listen over brugere i KP Basis med jeres jobfunktionsroller, og luk dem, der ikke bruges.",
    result="Alle adgange svarer til et nuværende arbejde.",
    responsible_role="systemansvarlig",
    deadline_rule="core.months-after-publication",
    deadline_parameter="2",
)
ANNOUNCED = Draft(
    project="ky",
    title="Forbered ny snitflade til sygedagpenge",
    phase="forberedelse",
    theme="it-miljoe-og-infrastruktur",
    purpose="Snitfladen afløser den natlige fil, så sagsbehandleren ser udbetalinger samme dag. "
    "Jeres leverandør skal have tid til at rette sit system.",
    description="Aftal med leverandøren af jeres sagssystem, hvornår den nye snitflade kan prøves af.",
    responsible_role="systemansvarlig",
    deadline_rule="core.months-after-publication",
    deadline_parameter="3",
)
PLANNED = Draft(
    project="monopolbrud",
    title="Forny certifikater til Serviceplatformen",
    phase="ibrugtagning",
    theme="it-miljoe-og-infrastruktur",
    purpose="Certifikaterne udløber. Uden nye kan jeres systemer ikke hente data.",
    description="Bestil nye certifikater, og send de offentlige nøgler til jeres leverandører.",
    infrastructure=True,
    deadline_rule="core.days-after-publication",
    deadline_parameter="45",
)
WITHDRAWN = Draft(
    project="kp",
    title="Indberet antal manuelle sager",
    phase="ibrugtagning",
    theme="it-miljoe-og-infrastruktur",
    purpose="KOMBIT ville følge, hvor mange sager der behandles uden om systemet.",
    deadline_rule="core.days-after-publication",
    deadline_parameter="30",
)
REASON = "Tallene kan nu hentes fra KP Basis, så I skal ikke længere tælle i hånden."
WITH_SYSTEM = RecipientChoice.parse("all")


def fill(work: Work, editor: Actor, codes: Sequence[int]) -> None:
    """The four tasks; what was sent for approval was written by KOMBIT's administrator."""
    other = administrator(work)
    _on_its_way(work, other, 2, FOR_APPROVAL, Act.SUBMIT)
    _on_its_way(work, editor, 5, replace(ANNOUNCED, start=work.today + timedelta(days=40)), Act.ANNOUNCE)
    _on_its_way(work, editor, 1, PLANNED, Act.PLAN)
    _withdrawn(work, editor, codes)


def administrator(work: Work) -> Actor:
    """KOMBIT's administrator."""
    person, member = work.session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.level == Level.KOMBIT_ADMINISTRATOR.value)
    ).one()
    return Actor(
        person.id, member.id, person.name, person.email, Level(member.level), None, "KOMBIT", frozenset()
    )


def _on_its_way(work: Work, actor: Actor, days_ago: int, draft: Draft, act: Act) -> None:
    then = replace(work, actor=actor, now=work.now - timedelta(days=days_ago))
    task_id = publishing.save_draft(then, draft, None, WITH_SYSTEM)
    later = replace(then, now=then.now + timedelta(hours=1))
    life.do(later, act, task_id, Press(), at=monday_morning(work.now))


def _withdrawn(work: Work, editor: Actor, codes: Sequence[int]) -> None:
    then = replace(work, actor=editor, now=work.now - timedelta(days=15))
    task_id = publishing.publish(then, WITHDRAWN, codes, choice=WITH_SYSTEM).task_id
    work.session.execute(
        update(MunicipalTask)
        .where(MunicipalTask.task_id == task_id, MunicipalTask.municipality_id.in_([KOEGE, *codes[::5]]))
        .values(status=Status.IN_PROGRESS.value, changed_at=work.now - timedelta(days=9))
    )
    life.do(replace(then, now=work.now - timedelta(days=2)), Act.WITHDRAW, task_id, Press(), note=REASON)
