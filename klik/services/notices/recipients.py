"""Who is told, by rule: somebody is always found, and why it was that one is written down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import or_, select

from klik.domain.rights import Level
from klik.models import Membership, MembershipSystem, Person, RoleHolding
from klik.services.work import Work

PROGRAMME_LEADER = "kombit-programleder"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to tell; ``municipality_id`` is whose matter it is, ``reason`` why it is them, in Danish."""

    person_id: int | None
    address: str
    municipality_id: int | None
    reason: str


def of_municipalities(
    work: Work, municipalities: Iterable[int], system: str | None
) -> Mapping[int, tuple[Recipient, ...]]:
    """Who hears of a matter of a system, for each municipality; four statements however many there are.

    Plus users linked to the system (seed 003); where there are none, plus users linked to no system; else
    administrators; else the KOMBIT-programleder; else KOMBIT itself.
    """
    wanted = set(municipalities)
    found: dict[int, tuple[Recipient, ...]] = {}
    people = _members(work, wanted)
    links = _links(work, wanted)
    for code in wanted:
        plus = [person for person in people[code] if person.level is Level.PLUS_USER]
        linked = [person for person in plus if system in links.get(person.membership_id, ())]
        general = [person for person in plus if person.membership_id not in links]
        administrators = [person for person in people[code] if person.level is Level.ADMINISTRATOR]
        if system and linked:
            found[code] = _as(linked, code, "plusbruger for systemet")
        elif general:
            found[code] = _as(general, code, "plusbruger")
        elif administrators:
            found[code] = _as(administrators, code, "administrator, fordi ingen plusbruger følger systemet")
    if missing := wanted - found.keys():
        found |= _programme_leaders(work, missing)
    if missing := wanted - found.keys():
        kombit = _kombit(work)
        for code in missing:
            found[code] = tuple(
                Recipient(person.person_id, person.address, code, "KOMBIT, fordi kommunen ingen modtager har")
                for person in kombit
            )
    return found


@dataclass(frozen=True, slots=True)
class _Member:
    person_id: int
    membership_id: int
    address: str
    level: Level


def _as(people: Iterable[_Member], code: int, reason: str) -> tuple[Recipient, ...]:
    return tuple(Recipient(person.person_id, person.address, code, reason) for person in people)


def _members(work: Work, municipalities: set[int]) -> Mapping[int, list[_Member]]:
    rows = work.session.execute(
        select(Membership.municipality_id, Membership.id, Membership.level, Person.id, Person.email)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.municipality_id.in_(municipalities),
            Membership.active.is_(True),
            Person.active.is_(True),
            Membership.level.in_([Level.PLUS_USER.value, Level.ADMINISTRATOR.value]),
        )
        .order_by(Person.id)
    )
    people: dict[int, list[_Member]] = defaultdict(list)
    for code, membership_id, level, person_id, address in rows:
        people[code].append(_Member(person_id, membership_id, address, Level(level)))
    return people


def _links(work: Work, municipalities: set[int]) -> Mapping[int, set[str]]:
    links: dict[int, set[str]] = defaultdict(set)
    for membership_id, system in work.session.execute(
        select(MembershipSystem.membership_id, MembershipSystem.system_code)
        .join(Membership, Membership.id == MembershipSystem.membership_id)
        .where(Membership.municipality_id.in_(municipalities))
    ):
        links[membership_id].add(system)
    return links


def _programme_leaders(work: Work, municipalities: set[int]) -> dict[int, tuple[Recipient, ...]]:
    found: dict[int, tuple[Recipient, ...]] = {}
    for code, person_id, address, mailbox in work.session.execute(
        select(RoleHolding.municipality_id, RoleHolding.person_id, Person.email, RoleHolding.mailbox)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .where(
            RoleHolding.municipality_id.in_(municipalities),
            RoleHolding.role == PROGRAMME_LEADER,
            RoleHolding.valid_from <= work.today,
            or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= work.today),
        )
        .order_by(RoleHolding.is_primary.desc(), RoleHolding.id)
    ):
        reason = "programleder, fordi kommunen hverken har plusbruger eller administrator"
        found.setdefault(code, (Recipient(person_id, address or mailbox, code, reason),))
    return found


def _kombit(work: Work) -> list[_Member]:
    rows = work.session.execute(
        select(Person.id, Membership.id, Person.email, Membership.level)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.level == Level.KOMBIT_ADMINISTRATOR.value,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
    )
    return [_Member(person_id, member, address, Level(level)) for person_id, member, address, level in rows]
