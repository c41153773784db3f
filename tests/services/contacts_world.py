"""Random municipalities, systems, tasks and role holders, and who is reached by what, told plainly."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from klik.domain.status import Status
from klik.models import Membership, Person, RoleHolding
from klik.services.contacts.wanted import Wanted
from tests import make
from tests.make import TODAY

PLACES = (make.KOEGE, make.HERNING, make.AARHUS, make.LAESOE)
SYSTEMS = ("kp", "ky")
WAVES = ("b1", "b2")
PHASES = ("opstart", "forberedelse", "ibrugtagning", "forankring")
ACROSS = "kombit-programleder"
ROLES = ("projektleder", "systemansvarlig", "superbruger", ACROSS)
FIRST = {phase: "projektleder" for phase in PHASES[:3]} | {"forankring": "systemansvarlig"}
NAMES = ("Åse Øvig", "Bo, Æbelø", "Mette Holm", "Ærmin Aagaard", "Ole Zahle", 'Jens "J" Ek')
STATUSES = (Status.COMPLETED, Status.COMPLETED, Status.IN_PROGRESS, Status.NOT_RELEVANT)
VACANT, RETURNED, MAILBOX = "ubesat", "retur", "postkasse"


@dataclass(frozen=True)
class Held:
    """One holding as it was made; ``counts``: today lies in it, and the person is there."""

    place: int
    role: str
    system: str | None
    address: str
    mailbox: bool
    primary: bool
    substitute: bool
    counts: bool


@dataclass
class Drawn:
    """The world: each municipality's system with its phase and wave, the holdings, and the dead addresses."""

    phases: dict[tuple[int, str], str] = field(default_factory=dict)
    waves: dict[tuple[int, str], str | None] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)

    def slots(
        self, wanted: Wanted, places: Collection[int] = PLACES
    ) -> Iterator[tuple[int, str, str | None]]:
        """Place, role and system of everything that is asked for."""
        asked = [role for role in wanted.roles if role != "kontakt"] or ([] if wanted.roles else list(ROLES))
        for place in places:
            if wanted.municipalities and f"{place}" not in wanted.municipalities:
                continue
            systems = [code for code in SYSTEMS if self._stands(wanted, place, code)]
            for role in asked:
                if role == ACROSS:
                    if systems or not (wanted.systems or wanted.waves or wanted.phases):
                        yield place, role, None
                else:
                    yield from ((place, role, code) for code in systems)
            if "kontakt" in wanted.roles:
                yield from ((place, FIRST[self.phases[place, code]], code) for code in systems)

    def _stands(self, wanted: Wanted, place: int, code: str) -> bool:
        if (place, code) not in self.phases:
            return False
        return (
            (not wanted.systems or code in wanted.systems)
            and (not wanted.waves or self.waves.get((place, code)) in wanted.waves)
            and (not wanted.phases or self.phases[place, code] in wanted.phases)
        )

    def holders(self, place: int, role: str, system: str | None, *, substitute: bool) -> list[Held]:
        """Who holds it, the first to be written to first."""
        found = [
            each
            for each in self.held
            if (each.place, each.role, each.substitute, each.counts) == (place, role, substitute, True)
            and each.system in (None, system)
        ]
        return [
            *(each for each in found if each.primary and each.system),
            *(each for each in found if each.primary and not each.system),
            *(each for each in found if not each.primary and each.system),
            *(each for each in found if not each.primary and not each.system),
        ]

    def reached(
        self, wanted: Wanted, places: Collection[int] = PLACES
    ) -> tuple[set[str], set[tuple[int, str, str]]]:
        """The addresses in the list; and place, role and reason of what is left out."""
        within: set[str] = set()
        without: set[tuple[int, str, str]] = set()
        for place, role, system in self.slots(wanted, places):
            holders = self.holders(place, role, system, substitute=False)
            if not holders:
                without.add((place, role, VACANT))
            chosen = holders if wanted.everyone else holders[:1]
            if wanted.substitutes:
                chosen = [*chosen, *self.holders(place, role, system, substitute=True)]
            for each in chosen:
                if each.address in self.dead:
                    without.add((place, role, RETURNED))
                elif each.mailbox and not wanted.mailboxes:
                    without.add((place, role, MAILBOX))
                else:
                    within.add(each.address)
        return within, without


def wish(chance: random.Random) -> Wanted:
    """Something somebody might ask for."""

    def some(values: Collection[str], often: float) -> tuple[str, ...]:
        return tuple(chance.sample(sorted(values), chance.randrange(1, 3))) if chance.random() < often else ()

    return Wanted(
        roles=some((*ROLES, "kontakt"), 0.7),
        systems=some(SYSTEMS, 0.4),
        waves=some(WAVES, 0.3),
        municipalities=some([f"{place}" for place in PLACES], 0.2),
        phases=some(PHASES, 0.3),
        everyone=chance.random() < 0.5,
        substitutes=chance.random() < 0.5,
        mailboxes=chance.random() < 0.6,
    )


def draw(session: Session, seed: int) -> Drawn:
    """Make the rows of a random world, and tell what they come to."""
    chance, world = random.Random(seed), Drawn()
    projects = {code: make.project(session, code, system_code=code) for code in SYSTEMS}
    versions = {
        (code, phase): make.task(session, f"{code} {phase}", in_project=projects[code], phase=phase)
        for code in SYSTEMS
        for phase in PHASES
    }
    waves = {slug: make.wave(session, slug, "ky") for slug in WAVES}
    for place in PLACES:
        for code in SYSTEMS:
            _system(session, chance, world, place, code)
            if (place, code) not in world.waves:
                continue
            wave = world.waves[place, code]
            live = chance.choice((None, TODAY - timedelta(days=9), TODAY, TODAY + timedelta(days=9)))
            make.has_system(session, place, code, wave=waves[wave] if wave else None, go_live=live)
            given = {phase: chance.choice(STATUSES) for phase in PHASES if chance.random() < 0.5}
            for phase, status in given.items():
                make.municipal_task(session, versions[code, phase], municipality=place, status=status)
            if chance.random() < 0.4:
                # A local task keeps nobody back.
                make.municipal_task(session, local=True, municipality=place, in_project=projects[code])
            at_work = [phase for phase in given if given[phase] is Status.IN_PROGRESS]
            begun = given or (live and live <= TODAY)
            world.phases[place, code] = at_work[0] if at_work else PHASES[-1 if begun else 0]
        people = [_person(session, chance, place, number) for number in range(chance.randrange(2, 5))]
        for role in ROLES:
            for system in (None,) if role == ACROSS else (*SYSTEMS, None):
                _holdings(session, chance, world, place, role, system, people)
    for address in sorted({each.address for each in world.held}):
        if chance.random() < 0.15:
            world.dead.add(address)
            make.bounced(session, address)
    return world


def _system(session: Session, chance: random.Random, world: Drawn, place: int, code: str) -> None:
    if chance.random() < 0.8:
        world.waves[place, code] = chance.choice((None, *WAVES)) if code == "ky" else None


def _person(session: Session, chance: random.Random, place: int, number: int) -> tuple[Person, bool]:
    row = make.person(
        session, chance.choice(NAMES), municipality=place, email=f"p{place}-{number}@kommune.example"
    )
    there = chance.random() > 0.15
    if not there:
        session.scalars(select(Membership).where(Membership.person_id == row.id)).one().active = False
    return row, there


def _holdings(
    session: Session,
    chance: random.Random,
    world: Drawn,
    place: int,
    role: str,
    system: str | None,
    people: list[tuple[Person, bool]],
) -> None:
    if system and (place, system) not in world.phases:
        return
    if system is None and role != ACROSS and chance.random() < 0.8:
        return
    primary_left = True
    chosen = chance.sample(people, chance.randrange(len(people)))
    made = []
    for person, there in chosen:
        substitute = chance.random() < 0.3
        over = chance.random() < 0.2
        primary = primary_left and not substitute and not over and chance.random() < 0.6
        primary_left = primary_left and not primary
        made.append((person.id, None, person.email, primary, substitute, over, there))
    if chance.random() < 0.25:
        made.append((None, f"{role}@{place}.example", f"{role}@{place}.example", False, False, False, True))
    for person_id, mailbox, address, primary, substitute, over, there in made:
        session.add(
            RoleHolding(
                municipality_id=place,
                role=role,
                system_code=system,
                person_id=person_id,
                mailbox=mailbox,
                kind="stedfortraeder" if substitute else "indehaver",
                is_primary=primary,
                valid_from=TODAY - timedelta(days=40),
                valid_to=TODAY - timedelta(days=1) if over else None,
            )
        )
        session.flush()
        world.held.append(
            Held(place, role, system, address, mailbox is not None, primary, substitute, there and not over)
        )
