"""Which roles are vacant, needed now or without a primary: the rule against a plain reading of random galleries."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from klik.content.roles import Holders, RoleDescription, RoleScope
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Membership, Municipality, Person
from klik.services.errors import ForbiddenError
from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.roles import gallery, matrix, vacancies
from klik.services.roles.vacancies import Standing
from tests import make

ROUNDS = min(int(os.environ.get("KLIK_TEST_ROUNDS", "4")), 49)
SYSTEMS = ("kp", "ky", "ksd")
PHASES = ("opstart", "forberedelse", "ibrugtagning", "forankring")
DAY = timedelta(days=1)


@dataclass
class Told:
    """What was made, as a person would note it down."""

    systems: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    tasks: list[dict[str, object]] = field(default_factory=list)
    held: list[dict[str, object]] = field(default_factory=list)


def oracle(told: Told, role: RoleDescription, code: int, system: str | None) -> Standing:
    """How it stands with a role, read straight from the notes."""
    fits = [
        each
        for each in told.held
        if (each["code"], each["role"]) == (code, role.slug) and each["system"] in (None, system)
    ]
    there = [
        each
        for each in fits
        if each["kind"] == HOLDER
        and each["at_work"]
        and each["first"] <= make.TODAY  # type: ignore[operator]
        and (each["last"] is None or each["last"] >= make.TODAY)  # type: ignore[operator]
    ]
    if there:
        wants_primary = role.holders is Holders.ONE_PRIMARY
        if wants_primary and len(there) > 1 and not any(each["primary"] for each in there):
            return Standing.WITHOUT_PRIMARY
        return Standing.FILLED
    for task in told.tasks:
        if task["code"] != code or not task["open"] or task["local"] or task["withdrawn"]:
            continue
        if system is not None and task["system"] != system:
            continue
        if task["phase"] in role.phases or (task["role"] == role.slug and not task["person"]):
            return Standing.MISSING
    return Standing.VACANT


def slots(
    told: Told, roles: tuple[RoleDescription, ...], code: int
) -> list[tuple[RoleDescription, str | None]]:
    """What a municipality has to fill."""
    theirs = told.systems[code] | {
        task["system"]  # type: ignore[misc]
        for task in told.tasks
        if task["code"] == code and not task["local"] and not task["withdrawn"]
    }
    found: list[tuple[RoleDescription, str | None]] = []
    for role in roles:
        if role.scope is RoleScope.MUNICIPALITY:
            found.append((role, None))
        else:
            found += [(role, system) for system in sorted(theirs) if role.is_for(system)]
    return found


def fill(house: Installation, seed: int, places: Sequence[int]) -> Told:
    """Two municipalities with something of everything."""
    dice, told = random.Random(seed), Told()
    roles = house.registry.content.roles
    with house.database.writing() as session:
        people = {
            code: [
                make.person(session, f"Person {code} {seed} {number}", municipality=code)
                for number in range(4)
            ]
            for code in places
        }
        for code in places:
            gone = people[code][3]
            if dice.random() < 0.5:
                gone.active = False
            else:
                session.get_one(Membership, _membership(session, gone)).active = False
            for system in SYSTEMS:
                make.system(session, system)
                if dice.random() < 0.4:
                    make.has_system(session, code=system, municipality=code)
                    told.systems[code].add(system)
            for _ in range(dice.randrange(6)):
                told.tasks.append(_task(session, dice, code, people[code][0], roles))
            for role in roles:
                for system in (None, *SYSTEMS):
                    if (system is None or role.is_for(system)) and dice.random() < 0.5:
                        told.held += _holdings(session, dice, code, role, system, people[code])
    return told


def _membership(session, person: Person) -> int:  # type: ignore[no-untyped-def]
    return session.query(Membership.id).filter_by(person_id=person.id).scalar()


def _task(session, dice, code, person, roles) -> dict[str, object]:  # type: ignore[no-untyped-def]
    local, system, phase = dice.random() < 0.2, dice.choice(SYSTEMS), dice.choice(PHASES)
    home = make.project(session, system, system_code=system)
    version = None if local else make.task(session, phase=phase, in_project=home)
    status = dice.choice(list(Status))
    row = make.municipal_task(
        session, version, municipality=code, status=status, local=local, in_project=home
    )
    role = dice.choice([None, dice.choice(roles).slug])
    part = dice.choice(("responsible", "executor"))
    setattr(row, f"{part}_role", role)
    given = dice.random() < 0.3
    if given:
        setattr(row, f"{part}_id", person.id)
    withdrawn = not local and dice.random() < 0.15
    if withdrawn:
        row.withdrawn_at = make.NOW
    return {
        "code": code,
        "system": system,
        "phase": row.phase,
        "local": local,
        "role": role,
        "person": given,
        "withdrawn": withdrawn,
        "open": status in (Status.NOT_STARTED, Status.IN_PROGRESS),
    }


def _holdings(session, dice, code, role, system, people) -> list[dict[str, object]]:  # type: ignore[no-untyped-def]
    made = []
    for place, person in enumerate(dice.sample(people, dice.randrange(1, 4))):
        first = make.TODAY + dice.choice((-30, -1, 0, 1)) * DAY
        last: date | None = dice.choice((None, make.TODAY, first + 3 * DAY, max(first, make.TODAY - DAY)))
        kind = dice.choice((HOLDER, HOLDER, HOLDER, SUBSTITUTE))
        if kind == SUBSTITUTE:
            last = last or first + 9 * DAY
        primary = kind == HOLDER and place == 0 and dice.random() < 0.4
        mailbox = dice.random() < 0.2
        row = make.holding(
            session,
            role.slug,
            holder=None if mailbox else person,
            mailbox=f"post{place}@koege.example" if mailbox else None,
            municipality=code,
            system_code=system,
            primary=primary,
        )
        row.valid_from, row.valid_to, row.kind = first, last if last is None or last >= first else first, kind
        session.flush()
        made.append(
            {
                "code": code,
                "role": role.slug,
                "system": system,
                "kind": kind,
                "first": first,
                "last": row.valid_to,
                "primary": primary,
                "at_work": mailbox or person is not people[3],
            }
        )
    return made


def test_the_rule_is_what_a_plain_reading_says(house: Installation) -> None:
    with house.database.writing() as session:
        kombit = make.actor(session, make.person(session, "Gitte", level=Level.KOMBIT_EDITOR))
        codes = list(session.scalars(select(Municipality.id).order_by(Municipality.id)))
        homes = {
            code: make.actor(
                session, make.person(session, f"Anne {code}", level=Level.ADMINISTRATOR, municipality=code)
            )
            for code in codes[: 2 * ROUNDS]
        }
    seen: dict[Standing, int] = dict.fromkeys(Standing, 0)
    for seed in range(ROUNDS):
        # A task is never removed, so each round has its own two municipalities.
        places = codes[2 * seed : 2 * seed + 2]
        told = fill(house, seed, places)
        roles = house.registry.content.roles
        expected = {
            code: {
                (role.slug, system): oracle(told, role, code, system)
                for role, system in slots(told, roles, code)
            }
            for code in places
        }
        with house.reading(make.NOW, kombit) as work:
            drawn = matrix.read(work, ())
            whole = matrix.all_together(work)
        for row in drawn.rows:
            wanted = expected.get(row.municipality_id)
            if wanted is not None:
                assert counted(row.roles) == grouped(wanted), (seed, row.municipality)
        assert whole.urgent == drawn.total.urgent == sum(row.total.urgent for row in drawn.rows)
        for code in places:
            with house.reading(make.NOW, homes[code]) as work:
                lacking = {(each.role.slug, each.system): each.standing for each in vacancies.of(work, code)}
                shown = {
                    (slot.role.slug, slot.system): slot.standing for slot in gallery.of(work, code).slots
                }
            assert lacking == {
                place: standing
                for place, standing in expected[code].items()
                if standing is not Standing.FILLED
            }, seed
            # The gallery shows besides who holds something the municipality has no system for.
            assert {place: shown[place] for place in expected[code]} == expected[code], seed
            for standing in expected[code].values():
                seen[standing] += 1
    assert all(seen.values()), seen
    print(f"vacancies: {sum(seen.values())} places in {ROUNDS} galleries, {dict(seen)}; 0 differ")  # noqa: T201


def counted(roles: dict[str, matrix.Count]) -> dict[str, tuple[int, int, int, int]]:
    """The matrix's counts as plain numbers."""
    return {
        slug: (each.slots, each.vacant, each.urgent, each.without_primary) for slug, each in roles.items()
    }


def grouped(standings: dict[tuple[str, str | None], Standing]) -> dict[str, tuple[int, int, int, int]]:
    """The oracle's answers as the same numbers."""
    found: dict[str, list[Standing]] = {}
    for (slug, _system), standing in standings.items():
        found.setdefault(slug, []).append(standing)
    return {
        slug: (
            len(each),
            sum(one in (Standing.VACANT, Standing.MISSING) for one in each),
            each.count(Standing.MISSING),
            each.count(Standing.WITHOUT_PRIMARY),
        )
        for slug, each in found.items()
    }


def test_a_municipality_asks_of_itself_alone(house: Installation) -> None:
    with house.database.writing() as session:
        make.has_system(session, code="kp", municipality=make.HERNING)
        make.holding(session, mailbox="post@herning.example", municipality=make.HERNING)
        anne = make.actor(session, make.person(session, "Anne", level=Level.ADMINISTRATOR))
    with house.reading(make.NOW, anne) as work:
        assert make.HERNING not in vacancies.needs(work, make.HERNING)
        assert make.HERNING not in vacancies.needs(work)
        assert vacancies.held_by(work) == {}
        with pytest.raises(ForbiddenError):
            matrix.read(work, ())
        with pytest.raises(ForbiddenError):
            matrix.all_together(work)


@pytest.fixture
def kombit(house: Installation) -> Installation:
    """Køge and Herning have KP, Køge also KY; only Herning has somebody."""
    with house.database.writing() as session:
        for code, system in ((make.KOEGE, "kp"), (make.KOEGE, "ky"), (make.HERNING, "kp")):
            make.has_system(session, code=system, municipality=code)
        make.municipal_task(session, make.task(session, phase="forankring"))
        make.holding(session, mailbox="post@herning.example", municipality=make.HERNING)
    return house


def read(house: Installation, *pairs: tuple[str, str]) -> matrix.Matrix:
    with house.database.writing() as session:
        gitte = make.actor(session, make.person(session, f"Gitte {len(pairs)}", level=Level.KOMBIT_EDITOR))
    with house.reading(make.NOW, gitte) as work:
        return matrix.read(work, pairs)


def test_the_matrix_is_narrowed(kombit: Installation) -> None:
    drawn = read(kombit, ("system", "ky"), ("rolle", "systemansvarlig"))
    assert [(row.municipality, row.total.slots) for row in drawn.rows if row.total.slots] == [("Køge", 1)]
    assert [role.slug for role in drawn.roles] == ["systemansvarlig"]
    assert {row.municipality for row in read(kombit, ("kun", "mangler-nu")).rows} == {"Køge"}
    regions = read(kombit, ("region", "Region Sjælland")).rows
    assert regions and {row.region for row in regions} == {"Region Sjælland"}
    drawn = read(kombit, ("farve", "roed"), ("rolle", "konge"), ("kun", "ubesat"))
    assert len(drawn.wanted.remarks) == 2 and "farve" in drawn.wanted.remarks[0]
    assert drawn.wanted.pairs() == [("kun", "ubesat")]


def test_the_file_says_the_same(kombit: Installation) -> None:
    drawn = read(kombit, ("rolle", "systemansvarlig"))
    rows = list(matrix.lines(drawn))
    assert matrix.headings(drawn)[-1] == "Systemansvarlig"
    koege = next(row for row in rows if row[0] == "Køge")
    assert (koege[1], koege[-1]) == ("259", 2)
    assert next(row for row in rows if row[0] == "Herning")[-1] == 0
    assert matrix.as_csv(drawn).decode("utf-8-sig").splitlines()[0].startswith("Kommune;Kommunekode;")
