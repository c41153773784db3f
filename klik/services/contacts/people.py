"""One person of the gallery as a contact."""

from __future__ import annotations

from collections.abc import Sequence

from klik.domain.rights import Right
from klik.services import access
from klik.services.contacts import book
from klik.services.contacts.book import Contact
from klik.services.errors import NotFoundError
from klik.services.work import Work


def of_member(work: Work, membership_id: int) -> Sequence[Contact]:
    """The roles somebody holds today, as contacts; raises NotFoundError where there is none, or none to be seen."""
    access.require(work, Right.READ_ROLES)
    member = access.colleague(work, membership_id)
    assert member.municipality_id is not None
    found = book.read(work, work.registry.content.roles, member.municipality_id)
    held = [each for each in found.contacts() if each.person_id == member.person_id]
    if not held:
        raise NotFoundError
    return sorted(held, key=lambda each: each.substitute)
