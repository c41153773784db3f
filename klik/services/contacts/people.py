"""One person as a card for a phone or Outlook."""

from __future__ import annotations

from klik.models import Municipality
from klik.services import access
from klik.services.contacts import book, vcards
from klik.services.contacts.mailing import role_in_words
from klik.services.contacts.vcards import Card
from klik.services.work import Work


def card(work: Work, membership_id: int) -> Card:
    """Somebody at work in a municipality or at KOMBIT, with the roles held today; raises NotFoundError."""
    member = access.colleague(work, membership_id)
    person, place = member.person, member.municipality_id
    return Card(
        key=vcards.key(place, person.id, person.email),
        name=person.name,
        organisation=member.organisation or ""
        if place is None
        else vcards.organisation(work.session.get_one(Municipality, place).name),
        roles=_roles(work, place, person.id) if place is not None else (),
        address=person.email,
        phone=person.phone or "",
    )


def _roles(work: Work, place: int, person_id: int) -> tuple[str, ...]:
    found = book.read(work, work.registry.content.roles, place).contacts()
    held = sorted((each for each in found if each.person_id == person_id), key=lambda each: each.substitute)
    return tuple(dict.fromkeys(role_in_words(each) for each in held))
