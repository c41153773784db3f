"""Who holds a role in the other municipalities: the primary holder's name, and only where the role's file says so."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from klik.content.roles import RoleDescription
from klik.domain.rights import Right
from klik.models import Municipality
from klik.services import access, holders
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A municipality, and the name of its primary holder; ``system`` is the code of the one it is held for."""

    municipality: str
    system: str | None
    name: str


def elsewhere(work: Work, role: RoleDescription) -> tuple[Elsewhere, ...]:
    """The primary holders in other municipalities than the actor's own, by municipality; two statements.

    Nothing for a role whose file does not share it. No addresses: a functional mailbox is one, so it is left out.
    Raises ForbiddenError for those who may not see a gallery.
    """
    actor = access.require(work, Right.READ_ROLES)
    if not role.shared or actor.municipality_id is None:
        return ()
    places = work.session.execute(
        select(Municipality.id, Municipality.name)
        .where(Municipality.active.is_(True), Municipality.id != actor.municipality_id)
        .order_by(Municipality.name_key)
    ).all()
    held = holders.of_roles(work, [code for code, _name in places], [role.slug])
    return tuple(
        Elsewhere(name, each.system, each.name)
        for code, name in places
        for each in held.get((code, role.slug), ())
        if each.primary and each.person_id is not None
    )
