"""A municipality's roles and who holds them, on one page: what is shown on screen and drawn on one A4."""

from __future__ import annotations

from collections.abc import Iterable

from klik.domain import proof_codes
from klik.domain.calendar import relative
from klik.services.documents import CardHolder, CardRole, CardSystem, RoleCardDocument
from klik.services.errors import NotFoundError
from klik.services.roles import gallery as role_gallery
from klik.services.roles.gallery import Gallery, Holding, Slot
from klik.services.work import Work

STANDING_IN = "stedfortræder"


def collect(work: Work, municipality_id: int) -> RoleCardDocument:
    """The card of a municipality as it is today; raises NotFoundError for one not the actor's to see."""
    actor = work.actor
    if actor is None:
        raise NotFoundError
    gallery = role_gallery.of(work, municipality_id)
    return RoleCardDocument(
        municipality=gallery.municipality,
        across=tuple(_role(work, slot) for slot in gallery.across),
        systems=tuple(
            CardSystem(system.code, system.name, tuple(_role(work, slot) for slot in system.slots))
            for system in gallery.systems
        ),
        vacant=gallery.vacant,
        urgent=gallery.urgent,
        people=people(gallery),
        exported_at=work.now,
        exported_by=f"{actor.name}, {actor.place}",
        identifier=proof_codes.anew(),
    )


def people(gallery: Gallery) -> int:
    """How many people and mailboxes stand on the card, each once."""
    shown = (each for slot in gallery.slots for each in (*slot.holders, *slot.substitutes))
    return len({each.person_id or each.address.casefold() for each in shown})


def _role(work: Work, slot: Slot) -> CardRole:
    return CardRole(
        slug=slot.role.slug,
        name=slot.role.name,
        vacant=slot.vacant,
        needed=slot.vacant and slot.required_now,
        holders=tuple(_holders(work, slot)),
    )


def _holders(work: Work, slot: Slot) -> Iterable[CardHolder]:
    several = len(slot.holders) > 1
    for each in slot.holders:
        yield _holder(work, each, "primær" if several and each.primary else "")
    for each in slot.substitutes:
        yield _holder(work, each, STANDING_IN)


def _holder(work: Work, each: Holding, standing: str) -> CardHolder:
    day = each.confirmed_on()
    return CardHolder(
        name=each.name,
        standing=standing,
        address="" if each.is_mailbox else each.address,
        phone=each.phone or "",
        freshness=f"bekræftet {relative(day, work.today)}" if day else "aldrig bekræftet",
        confirmed=f"{day:%d-%m-%y}" if day else "aldrig",
        stale=each.is_stale(work.now),
        unreachable=not each.reachable,
        membership_id=each.membership_id,
    )
