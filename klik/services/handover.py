"""At the move to phase 4 the systemansvarlig becomes plusbruger for the system: proposed, one click (seed 003)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select

from klik.domain.rights import Level, Right
from klik.domain.status import OPEN_STATUSES
from klik.models import (
    AuditEntry,
    Membership,
    MembershipSystem,
    Municipality,
    MunicipalTask,
    Person,
    Project,
    System,
)
from klik.services import access, auditing
from klik.services.errors import NotFoundError
from klik.services.holders import primary_of
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

ROLE = "systemansvarlig"
PROPOSED_UNTIL = 3
ACCEPTED, DECLINED = "plusbruger-ja", "plusbruger-nej"
OCCASION = "plusbruger"
_BELOW = frozenset({Level.USER, Level.READER})


@dataclass(frozen=True, slots=True)
class Proposal:
    """That a municipality's systemansvarlig becomes plusbruger, now that a project's phases 1–3 are closed."""

    project_id: int
    project: str
    round: int
    system: str
    system_name: str
    person_id: int
    person: str
    membership_id: int
    raised: bool

    @property
    def subject(self) -> str:
        """What the answer is written down as."""
        return f"projekt/{self.project_id}/runde/{self.round}/person/{self.person_id}"


def proposals(work: Work, system: str | None = None) -> tuple[Proposal, ...]:
    """What waits for the administrator's answer in the own municipality; nothing for everybody else."""
    actor = work.actor
    if actor is None or actor.municipality_id is None or not actor.has(Right.MANAGE_PEOPLE):
        return ()
    finished = _finished(work, actor.municipality_id, system)
    found = [each for row in finished if (each := _proposal(work, actor.municipality_id, *row)) is not None]
    answered = set(
        work.session.scalars(
            select(AuditEntry.subject).where(
                AuditEntry.action.in_([ACCEPTED, DECLINED]),
                AuditEntry.municipality_id == actor.municipality_id,
                AuditEntry.subject.in_([each.subject for each in found]),
            )
        )
        if found
        else ()
    )
    return tuple(each for each in found if each.subject not in answered)


def accept(work: Work, project_id: int) -> Proposal:
    """Make the person plusbruger for the system; raises NotFoundError when nothing is proposed (any longer)."""
    proposal = _waiting(work, project_id)
    member = access.membership(work, proposal.membership_id)
    if proposal.raised:
        member.level = Level.PLUS_USER.value
    member.systems.append(MembershipSystem(system_code=proposal.system))
    work.session.flush()
    _record(work, ACCEPTED, proposal, {"adgang": member.level})
    _tell(work, proposal)
    return proposal


def decline(work: Work, project_id: int) -> Proposal:
    """Say no for this person and round; it is not proposed again. Raises NotFoundError."""
    proposal = _waiting(work, project_id)
    _record(work, DECLINED, proposal, {})
    return proposal


def _finished(work: Work, municipality: int, system: str | None) -> Sequence[tuple[Project, System]]:
    """Projects whose phases 1–3 hold tasks in the current round, all of them closed; one statement."""
    early = [phase.slug for phase in work.registry.content.phases if phase.number <= PROPOSED_UNTIL]
    is_open = MunicipalTask.status.in_(sorted(status.value for status in OPEN_STATUSES))
    counted = (
        select(MunicipalTask.project_id)
        .join(Project, and_(Project.id == MunicipalTask.project_id, Project.round == MunicipalTask.round))
        .where(
            MunicipalTask.municipality_id == municipality,
            MunicipalTask.phase.in_(early),
            MunicipalTask.task_id.is_not(None),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
        )
        .group_by(MunicipalTask.project_id)
        .having(func.sum(case((is_open, 1), else_=0)) == 0)
    )
    statement = (
        select(Project, System)
        .join(System, System.code == Project.system_code)
        .where(Project.id.in_(counted), Project.active.is_(True), or_(system is None, System.code == system))
        .order_by(Project.name)
    )
    return [(project, its) for project, its in work.session.execute(statement)]


def _proposal(work: Work, municipality: int, project: Project, system: System) -> Proposal | None:
    person_id = primary_of(work, [municipality], system.code, [ROLE]).person(municipality, ROLE)
    if person_id is None:
        return None
    member, name = work.session.execute(
        select(Membership, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.person_id == person_id, Membership.municipality_id == municipality)
    ).one()
    level = Level(member.level)
    codes = {link.system_code for link in member.systems}
    # A plusbruger without systems follows them all: a link would take the others away.
    follows = level is Level.PLUS_USER and (not codes or system.code in codes)
    if level is Level.ADMINISTRATOR or follows:
        return None
    return Proposal(
        project.id,
        project.name,
        project.round,
        system.code,
        system.name,
        person_id,
        name,
        member.id,
        level in _BELOW,
    )


def _waiting(work: Work, project_id: int) -> Proposal:
    access.require(work, Right.MANAGE_PEOPLE)
    if work.actor is not None and work.actor.municipality_id is not None:
        # Two answers at once: the second waits here and then finds nothing.
        work.session.execute(
            select(Municipality.id).where(Municipality.id == work.actor.municipality_id).with_for_update()
        )
    for proposal in proposals(work):
        if proposal.project_id == project_id:
            return proposal
    raise NotFoundError


def _record(work: Work, action: str, proposal: Proposal, facts: dict[str, object]) -> None:
    assert work.actor is not None
    auditing.record(
        work,
        action,
        proposal.subject,
        {"membership": proposal.membership_id, "system": proposal.system} | facts,
        work.actor.municipality_id,
    )


def _tell(work: Work, proposal: Proposal) -> None:
    assert work.actor is not None
    person = work.session.get_one(Person, proposal.person_id)
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=OCCASION,
                dedupe_key=f"{OCCASION}/projekt={proposal.project_id}/runde={proposal.round}",
                recipient=Recipient(
                    person.id, person.email, work.actor.municipality_id, "systemansvarlig for systemet"
                ),
                heading=f"Du er plusbruger for {proposal.system_name}",
                sentence=f"Idriftsættelsen af {proposal.system_name} er færdig, og du er nu plusbruger for systemet "
                "i klik: du får varsler om det og kan ændre alle kommunens opgaver.",
                path=f"/systemer/{proposal.system}",
            )
        ],
    )
