"""The door to municipalities, their people and who holds which role."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, select, true

from klik.domain.rights import Level, Right
from klik.models import GalleryLookup, Membership, Municipality, Person, RoleAnswer, RoleHolding
from klik.services.access.actor import require
from klik.services.errors import NotFoundError
from klik.services.work import Work


def sees_people(work: Work) -> bool:
    """Whether names of a municipality's people may be shown: not to suppliers."""
    return work.actor is None or work.actor.level is not Level.SUPPLIER


def municipalities(work: Work) -> ColumnElement[bool]:
    """Which municipalities the actor may name a filter or a page by."""
    actor = work.actor
    if actor is None or actor.level.scope != "municipality":
        return true()
    return Municipality.id == actor.municipality_id


def municipality(work: Work, code: int) -> Municipality:
    """A municipality as KOMBIT follows it; only for those who publish. Raises NotFoundError."""
    require(work, Right.PUBLISH)
    found = work.session.get(Municipality, code)
    if found is None:
        raise NotFoundError
    return found


def memberships(work: Work) -> ColumnElement[bool]:
    """Whose memberships the actor may see: the own municipality's; KOMBIT all; suppliers none."""
    actor = work.actor
    if actor is None or actor.kombit:
        return true()
    if actor.level is Level.SUPPLIER:
        return false()
    return Membership.municipality_id == actor.municipality_id


def membership(work: Work, membership_id: int) -> Membership:
    """A membership the actor may administer; raises NotFoundError."""
    actor = require(work, Right.MANAGE_PEOPLE)
    found = work.session.scalar(select(Membership).where(Membership.id == membership_id, memberships(work)))
    if found is None:
        raise NotFoundError
    if actor.municipality_id is not None and found.municipality_id != actor.municipality_id:
        raise NotFoundError
    return found


def colleague(work: Work, membership_id: int) -> Membership:
    """Somebody at work whom the actor may know: of the own municipality; KOMBIT everybody. Raises NotFoundError."""
    require(work, Right.READ_ROLES)
    found = work.session.scalar(
        select(Membership).where(
            Membership.id == membership_id, Membership.active.is_(True), memberships(work)
        )
    )
    if found is None:
        raise NotFoundError
    return found


def member(work: Work, person_id: int, municipality_id: int) -> Person | None:
    """An active member of this municipality, or None: only such a person can be given a task or a role."""
    return work.session.scalar(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Person.id == person_id,
            Person.active.is_(True),
            Membership.municipality_id == municipality_id,
            Membership.active.is_(True),
        )
    )


def holdings(work: Work) -> ColumnElement[bool]:
    """Role holdings the actor may see: own municipality's; KOMBIT all; suppliers none."""
    actor = work.actor
    if actor is None or actor.kombit:
        return true()
    if not actor.has(Right.READ_ROLES):
        return false()
    return RoleHolding.municipality_id == actor.municipality_id


def gallery_lookups(work: Work) -> ColumnElement[bool]:
    """The look-ups an administrator answers for: in the own municipality's gallery; for KOMBIT in its own."""
    actor = work.actor
    if actor is None:
        return true()
    if actor.kombit:
        return GalleryLookup.municipality_id.is_(None)
    return GalleryLookup.municipality_id == actor.municipality_id


def holding_to_change(work: Work, holding_id: int) -> RoleHolding:
    """A role holding of the actor's own municipality; raises NotFoundError."""
    actor = require(work, Right.EDIT_ROLES)
    found = work.session.scalar(
        select(RoleHolding).where(
            RoleHolding.id == holding_id, RoleHolding.municipality_id == actor.municipality_id
        )
    )
    if found is None:
        raise NotFoundError
    return found


def role_answer(work: Work, answer_id: int) -> RoleAnswer:
    """What a holder of the actor's own municipality answered, for its administrator; raises NotFoundError."""
    actor = require(work, Right.EDIT_ROLES)
    found = work.session.scalar(
        select(RoleAnswer).where(
            RoleAnswer.id == answer_id, RoleAnswer.municipality_id == actor.municipality_id
        )
    )
    if found is None:
        raise NotFoundError
    return found
