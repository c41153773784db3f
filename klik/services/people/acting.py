"""People as those who act: for what klik does with somebody's eyes while they are not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from klik.domain.rights import Level
from klik.models import Membership, MembershipSystem, Municipality, Person
from klik.services.work import Actor, Work


def actors(work: Work, memberships: Iterable[int]) -> Mapping[int, Actor]:
    """An actor for each membership that is active, of an active person; two statements."""
    wanted = sorted(set(memberships))
    systems: dict[int, set[str]] = defaultdict(set)
    for membership_id, code in work.session.execute(
        select(MembershipSystem.membership_id, MembershipSystem.system_code).where(
            MembershipSystem.membership_id.in_(wanted)
        )
    ):
        systems[membership_id].add(code)
    rows = work.session.execute(
        select(Membership, Person, Municipality.name)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(Municipality, Municipality.id == Membership.municipality_id)
        .where(Membership.id.in_(wanted), Membership.active.is_(True), Person.active.is_(True))
    )
    return {
        member.id: Actor(
            person_id=person.id,
            membership_id=member.id,
            name=person.name,
            email=person.email,
            level=Level(member.level),
            municipality_id=member.municipality_id,
            place=place or member.organisation or "KOMBIT",
            systems=frozenset(systems[member.id]),
        )
        for member, person, place in rows
    }


def administrator_of(municipality: Municipality, name: str) -> Actor:
    """Nobody in particular, with what the municipality's administrator may see: ``name`` says for whom klik acts."""
    return Actor(
        person_id=0,
        membership_id=0,
        name=name,
        email="",
        level=Level.ADMINISTRATOR,
        municipality_id=municipality.id,
        place=municipality.name,
        systems=frozenset(),
    )
