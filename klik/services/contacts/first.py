"""KOMBIT's first contact for a system: the projektleder in phases 1–3, the systemansvarlig in phase 4 (seed 003).

Which role it is in which phase stands in the roles' files (``spoc_faser``), also in those of plug-ins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from klik.content.loading import Content
from klik.content.phases import Phase
from klik.content.roles import RoleDescription
from klik.services.contacts import book
from klik.services.contacts.book import Book, Place, Slot, Standing
from klik.services.contacts.wanted import Wanted
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class PhaseContact:
    """Who is turned to in a phase; ``slot`` is None where no role is for it. ``now``: the system is in it."""

    phase: Phase
    slot: Slot | None
    now: bool


@dataclass(frozen=True, slots=True)
class SystemContacts:
    """A municipality's contacts for one system, phase by phase."""

    place: Place
    code: str
    name: str
    standing: Standing
    phases: tuple[PhaseContact, ...]

    @property
    def present(self) -> PhaseContact:
        """The contact now."""
        return next((each for each in self.phases if each.now), self.phases[-1])


def role_of(content: Content, system: str, phase: str) -> RoleDescription | None:
    """The role whose holder is the first contact in a phase; one made for the system goes before one for all."""
    found = [role for role in content.roles if role.is_for(system) and phase in role.spoc_phases]
    return min(found, key=lambda role: not role.systems, default=None)


def roles_of(content: Content) -> Sequence[RoleDescription]:
    """The roles that are a first contact somewhere."""
    return [role for role in content.roles if role.spoc_phases]


def of_municipality(work: Work, municipality_id: int) -> tuple[Place, tuple[SystemContacts, ...]]:
    """Every system of a municipality by name; raises NotFoundError for one not the actor's to see."""
    found = book.read(work, roles_of(work.registry.content), municipality_id)
    place = found.places[0]
    return place, tuple(of_place(work, found, place))


def of_systems(work: Work, wanted: Wanted) -> list[SystemContacts]:
    """Every municipality × system that is wanted, in Danish order of municipalities, then of systems."""
    found = book.read(work, roles_of(work.registry.content))
    rows = [each for place in found.places if fits(wanted, place) for each in of_place(work, found, place)]
    return [each for each in rows if stands(wanted, each.code, each.standing) and _vacancy(wanted, each)]


def of_place(work: Work, found: Book, place: Place) -> list[SystemContacts]:
    """The contacts of one municipality of the book."""
    content = work.registry.content
    rows = []
    for code, name in found.system_names.items():
        if (standing := place.systems.get(code)) is None:
            continue
        phases = []
        for phase in content.phases:
            role = role_of(content, code, phase.slug)
            slot = found.slot(place, role, code) if role else None
            phases.append(PhaseContact(phase, slot, phase.slug == standing.phase))
        rows.append(SystemContacts(place, code, name, standing, tuple(phases)))
    return rows


def fits(wanted: Wanted, place: Place) -> bool:
    """Whether the municipality is among those that are wanted."""
    return (not wanted.municipalities or f"{place.code:03d}" in wanted.municipalities) and (
        not wanted.regions or place.region in wanted.regions
    )


def stands(wanted: Wanted, system: str, standing: Standing) -> bool:
    """Whether a system of a municipality is among those that are wanted."""
    return (
        (not wanted.systems or system in wanted.systems)
        and (not wanted.waves or standing.wave in wanted.waves)
        and (not wanted.phases or standing.phase in wanted.phases)
    )


def _vacancy(wanted: Wanted, each: SystemContacts) -> bool:
    slot = each.present.slot
    return not wanted.vacant or slot is None or slot.vacant
