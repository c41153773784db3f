"""The demo's waves: T-90 tasks of KY, a municipality that got KY late, and a waiting proposal in Køge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select, update

from klik.demo.people import KOEGE, Staff
from klik.domain.deadlines import danish_today
from klik.domain.status import Status
from klik.models import MunicipalSystem, MunicipalTask, Project, RoleHolding
from klik.services import publishing, waves
from klik.services.handover import ROLE
from klik.services.publishing import Draft
from klik.services.waves import Placing
from klik.services.work import Work

LATE = 825  # Læsø gets KY after the others
LAST_PHASE = "forankring"
# Title, days before go-live, and whether a day off is moved.
BEFORE_GO_LIVE = (
    ("Aftal bemanding i ugen efter idriftsættelse", "14", "foer"),
    ("Meld driftsvinduet ud i kommunen", "45", "foer"),
    ("Bestil adgang til testmiljøet", "90", "uaendret"),
)


def without_late(codes: list[int]) -> list[int]:
    """Those who have KY from the start."""
    return [code for code in codes if code != LATE]


def publish(work: Work, codes: list[int]) -> None:
    """KOMBIT's tasks counted back from each municipality's go-live; ``work`` is the editor's, some days ago."""
    for title, days, side in BEFORE_GO_LIVE:
        publishing.publish(
            work,
            Draft(
                project="ky",
                title=title,
                phase="ibrugtagning",
                theme="projektstyring-og-ledelse",
                purpose="Så kommunen står klar den dag, KY tages i brug.",
                description="Aftal det med leverandøren, og skriv det i kommunens plan.",
                result="Aftalen står i planen.",
                responsible_role="projektleder",
                deadline_rule="core.days-before-go-live",
                deadline_parameter=days,
                working_day=side,
            ),
            codes,
        )


def join_late(work: Work) -> None:
    """Læsø gets KY half a year from now; ``work`` is the editor's."""
    row = work.session.scalars(
        select(MunicipalSystem).where(
            MunicipalSystem.municipality_id == LATE, MunicipalSystem.system_code == "ky"
        )
    ).one_or_none()
    if row is None:
        waves.carry_out(work, "ky", Placing(LATE, None, work.today + timedelta(days=180), None))


def finish_ksd(work: Work, staff: Mapping[int, Staff]) -> None:
    """Køge has closed KSD's phases 1–3, and its systemansvarlig there is a bruger still: a proposal waits."""
    project = select(Project.id).where(Project.slug == "ksd").scalar_subquery()
    last_week = work.now - timedelta(days=6)
    work.session.execute(
        update(MunicipalTask)
        .where(
            MunicipalTask.municipality_id == KOEGE,
            MunicipalTask.project_id == project,
            MunicipalTask.phase != LAST_PHASE,
            MunicipalTask.status.in_([Status.NOT_STARTED.value, Status.IN_PROGRESS.value]),
        )
        .values(status=Status.COMPLETED.value, completed_on=danish_today(last_week), changed_at=last_week)
        .execution_options(synchronize_session=False)
    )
    work.session.execute(
        update(RoleHolding)
        .where(
            RoleHolding.municipality_id == KOEGE,
            RoleHolding.role == ROLE,
            RoleHolding.system_code == "ksd",
        )
        .values(person_id=staff[KOEGE].ids["bruger"])
        .execution_options(synchronize_session=False)
    )
