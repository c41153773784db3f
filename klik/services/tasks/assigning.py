"""Who a task can be given to: a person of its own municipality or one of the gallery's roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import select

from klik.content.roles import RoleDescription, RoleScope
from klik.models import Membership, MunicipalTask, Person, RoleHolding
from klik.services import access, holders
from klik.services.errors import RefusedError
from klik.services.tasks.words import FIELDS, NOTHING
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Assignee:
    """A person or a role; neither means that nobody has it."""

    person_id: int | None = None
    role: str | None = None

    @property
    def key(self) -> str:
        """How it stands in a form and in a plug-in's event: "person/12", "rolle/systemansvarlig" or ""."""
        if self.person_id is not None:
            return f"person/{self.person_id}"
        return f"rolle/{self.role}" if self.role else ""

    @classmethod
    def parse(cls, key: str) -> Assignee | None:
        """The assignee a form names, or None for a text that names none."""
        kind, _, name = key.partition("/")
        if not key:
            return cls()
        if kind == "person" and name.isascii() and name.isdigit() and 0 < int(name[:12]) < 2**31:
            return cls(person_id=int(name[:12]))
        return cls(role=name) if kind == "rolle" and name else None


NOBODY = Assignee()


def roles_for(work: Work, system: str | None) -> tuple[RoleDescription, ...]:
    """The gallery's roles a task of this system can be given to."""
    return tuple(
        role
        for role in work.registry.content.roles
        if role.scope is RoleScope.MUNICIPALITY or (system is not None and role.is_for(system))
    )


def candidates(work: Work, task: MunicipalTask) -> tuple[tuple[Person, ...], tuple[Person, ...]]:
    """The active members of the task's municipality: those with a role for its system, then the others."""
    members = work.session.scalars(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.municipality_id == task.municipality_id,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
        .order_by(Person.name_key, Person.id)
    ).all()
    with_role = set(
        work.session.scalars(
            select(RoleHolding.person_id).where(
                RoleHolding.municipality_id == task.municipality_id,
                RoleHolding.system_code == (task.system_code or ""),
                RoleHolding.person_id.is_not(None),
                holders.today(work),
            )
        )
    )
    return _split(members, with_role)


def _split(
    members: Iterable[Person], with_role: set[int | None]
) -> tuple[tuple[Person, ...], tuple[Person, ...]]:
    members = tuple(members)
    return (
        tuple(person for person in members if person.id in with_role),
        tuple(person for person in members if person.id not in with_role),
    )


def check(work: Work, task: MunicipalTask, field: str, wanted: Assignee, now: Assignee) -> None:
    """Refuse somebody who is not of the task's municipality and a role that cannot hold the task."""
    if wanted in (now, NOBODY):
        return
    if wanted.person_id is not None:
        if access.member(work, wanted.person_id, task.municipality_id) is None:
            raise RefusedError({field: f"{FIELDS[field]}: vælg en person fra jeres egen kommune på listen."})
    elif wanted.role not in {role.slug for role in roles_for(work, task.system_code)}:
        raise RefusedError({field: f"{FIELDS[field]}: vælg en rolle på listen."})


def role_finder(work: Work, wanted: bool = True) -> Callable[[MunicipalTask, int], str | None]:
    """Gives the role that fits a task and that a person of the actor's municipality holds today, or None.

    The one KOMBIT suggests goes first, then a role for the task's system, then one across systems. One
    statement in all; none where it is not ``wanted``.
    """
    place = work.actor.municipality_id if work.actor else None
    slugs = [role.slug for role in work.registry.content.roles]
    order = {slug: number for number, slug in enumerate(slugs)}
    held: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
    if wanted and place is not None:
        for (_place, slug), each in holders.of_roles(work, [place], slugs).items():
            for holder in each:
                if holder.person_id is not None and not holder.substitute:
                    held[holder.person_id].append((slug, holder.system))

    def find(task: MunicipalTask, person_id: int) -> str | None:
        suggested = task.task_version.responsible_role if task.task_version else None
        possible = {role.slug for role in roles_for(work, task.system_code)}
        fitting = [
            (slug != suggested, system is None, order[slug], slug)
            for slug, system in held.get(person_id, ())
            if slug in possible and system in (None, task.system_code)
        ]
        return min(fitting)[3] if fitting else None

    return find


def word(work: Work, assignee: Assignee) -> str:
    """The person's name or the role's, or "Ingen"."""
    if assignee.person_id is not None:
        person = work.session.get(Person, assignee.person_id)
        return person.name if person else NOTHING
    return work.registry.content.role(assignee.role).name if assignee.role else NOTHING


def namer(work: Work, assignees: Iterable[Assignee]) -> Callable[[Assignee], str]:
    """``word`` for many: what it gives names these assignees without asking again. At most one statement."""
    people = {each.person_id for each in assignees} - {None}
    names = (
        dict(work.session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())
        if people
        else {}
    )

    def name(assignee: Assignee) -> str:
        if assignee.person_id is not None:
            return names.get(assignee.person_id, NOTHING)
        return work.registry.content.role(assignee.role).name if assignee.role else NOTHING

    return name


def members_of(work: Work, municipality_id: int, people: Iterable[int]) -> frozenset[int]:
    """Which of these people are or were members of the municipality."""
    return frozenset(
        work.session.scalars(
            select(Membership.person_id).where(
                Membership.municipality_id == municipality_id, Membership.person_id.in_(list(people))
            )
        )
    )
