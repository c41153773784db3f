"""The demo's people: the promised accounts, and invented colleagues in all 98 municipalities."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import insert, select

from klik.domain.rights import Level
from klik.domain.texts import slug, sort_key
from klik.models import Membership, MembershipSystem, Municipality, Person, RoleHolding
from klik.services.people import passwords
from klik.services.work import Work

PASSWORD = "klik-demo"
SYSTEMS = ("kp", "ksd", "ky")

NAMES = tomllib.loads(Path(__file__).with_name("names.toml").read_text("utf-8"))

KOMBIT = (
    ("administrator@kombit.example", "Gitte Lyngholm", Level.KOMBIT_ADMINISTRATOR, "KOMBIT", ()),
    ("redaktoer@kombit.example", "Steffen Bramming", Level.KOMBIT_EDITOR, "KOMBIT", ()),
    ("leverandoer@netcompany.example", "Nadia Fog", Level.SUPPLIER, "Netcompany", ("kp", "ky")),
)
# What the mailbox's name says is who the person is; the level is what they may do.
PLACES: tuple[tuple[str, Level], ...] = (
    ("administrator", Level.ADMINISTRATOR),
    ("programleder", Level.PLUS_USER),
    ("plusbruger", Level.PLUS_USER),
    ("bruger", Level.USER),
    ("laeser", Level.READER),
)
FOLLOWS: Mapping[str, tuple[str, ...]] = {"programleder": SYSTEMS, "plusbruger": ("kp", "ky")}
NAMED = {
    ("koege", "administrator"): "Karen Kjær",
    ("koege", "programleder"): "Mette Holm",
    ("koege", "plusbruger"): "Jens Østergaard",
    ("koege", "bruger"): "Ali Ahmadi",
    ("koege", "laeser"): "Bente Skov",
}


@dataclass(frozen=True, slots=True)
class Staff:
    """The people of one municipality, by what their mailbox is called."""

    municipality: int
    ids: Mapping[str, int]


def fill(work: Work) -> Mapping[int, Staff]:
    """Make every person and membership; a few statements for all of them."""
    password = passwords.hash_password(PASSWORD)
    random = Random(98)
    towns = work.session.execute(select(Municipality.id, Municipality.name).order_by(Municipality.id)).all()
    people = [_person(work, name, email, password) for email, name, *_ in KOMBIT]
    for _code, town in towns:
        place = slug(town)
        for box, _level in PLACES:
            name = (
                NAMED.get((place, box)) or f"{random.choice(NAMES['first'])} {random.choice(NAMES['last'])}"
            )
            people.append(_person(work, name, f"{box}@{place}.example", password))
    work.session.execute(insert(Person), people)
    ids = dict(work.session.execute(select(Person.email, Person.id)).all())
    _memberships(work, towns, ids)
    return {
        code: Staff(code, {box: ids[f"{box}@{slug(town)}.example"] for box, _level in PLACES})
        for code, town in towns
    }


def _person(work: Work, name: str, email: str, password: str) -> dict[str, object]:
    return {
        "name": name,
        "name_key": sort_key(name),
        "email": email,
        "email_key": email.casefold(),
        "password_hash": password,
        "active": True,
        "epoch": 1,
        "version": 1,
        "created_at": work.now,
    }


def _memberships(work: Work, towns: Iterable[tuple[int, str]], ids: Mapping[str, int]) -> None:
    since = work.today - timedelta(days=400)
    rows = [
        _membership(ids[email], None, level, organisation, since)
        for email, _name, level, organisation, _systems in KOMBIT
    ]
    for code, town in towns:
        rows += [
            _membership(ids[f"{box}@{slug(town)}.example"], code, level, None, since) for box, level in PLACES
        ]
    work.session.execute(insert(Membership), rows)
    members = dict(work.session.execute(select(Membership.person_id, Membership.id)).all())
    links = [
        {"membership_id": members[ids[email]], "system_code": system}
        for email, _name, _level, _organisation, systems in KOMBIT
        for system in systems
    ]
    links += [
        {"membership_id": members[ids[f"{box}@{slug(town)}.example"]], "system_code": system}
        for _code, town in towns
        for box, systems in FOLLOWS.items()
        for system in systems
    ]
    work.session.execute(insert(MembershipSystem), links)


def _membership(
    person_id: int, municipality: int | None, level: Level, organisation: str | None, since: date
) -> dict[str, object]:
    return {
        "person_id": person_id,
        "municipality_id": municipality,
        "level": level.value,
        "organisation": organisation,
        "active": True,
        "since": since,
        "version": 1,
    }


# Role, system, who holds it, and in how many of a hundred municipalities it is filled.
HOLDINGS: tuple[tuple[str, str | None, str, int], ...] = (
    ("klik-administrator", None, "administrator", 100),
    ("kombit-programleder", None, "programleder", 96),
    ("infrastrukturejer", None, "administrator", 70),
    ("infrastrukturansvarlig", None, "plusbruger", 80),
    ("organisationsadministrator", None, "plusbruger", 35),
    ("brugeradministrator", None, "bruger", 85),
    ("underskriftsberettiget", None, "administrator", 90),
    *(("projektejer", system, "administrator", 85) for system in SYSTEMS),
    *(("projektleder", system, "plusbruger", 90) for system in SYSTEMS),
    *(("superbruger", system, "bruger", 88) for system in SYSTEMS),
    *(("systemansvarlig", system, "plusbruger", 65) for system in SYSTEMS),
    ("supportberettiget-bruger", "kp", "bruger", 75),
    ("oekonomimedarbejder", "kp", "bruger", 55),
    ("ydelseschef", "ksd", "administrator", 70),
    ("ydelseschef", "ky", "administrator", 70),
    ("gevinstejer", "kp", "administrator", 45),
)
# Roles that came to klik's gallery later: drawn on their own, so that the rest of the story stays as it is.
LATER: tuple[tuple[str, str | None, str, int], ...] = (
    *(("systemejer", system, "administrator", 85) for system in SYSTEMS),
    *(("traener", system, "laeser", 75) for system in SYSTEMS),
    *(("gevinstejer", system, "administrator", 70) for system in ("ksd", "ky")),
    *(("oekonomimedarbejder", system, "bruger", 75) for system in ("ksd", "ky")),
    *(("supportberettiget-bruger", system, "bruger", 80) for system in ("ksd", "ky")),
    ("systemadministrator", "kp", "plusbruger", 70),
    ("kp-faglig-leder", "kp", "bruger", 80),
)
LATER_IN_KOEGE = {("systemejer", "kp"), ("systemejer", "ksd"), ("systemejer", "ky"), ("traener", "kp")}
# Køge is the municipality people look at first: a few vacancies that one understands.
VACANT_IN_KOEGE = {("organisationsadministrator", None), ("systemansvarlig", "ky"), ("gevinstejer", "kp")}
KOEGE = 259


def fill_roles(work: Work, staff: Mapping[int, Staff]) -> None:
    """Fill the role galleries, with holes, and with confirmations of different age."""
    first = {(role, system) for role, system, _box, _percent in HOLDINGS} - VACANT_IN_KOEGE
    rows = _drawn(work, staff, HOLDINGS, first, Random(14))
    work.session.execute(insert(RoleHolding), rows + _drawn(work, staff, LATER, LATER_IN_KOEGE, Random(15)))


def _drawn(
    work: Work,
    staff: Mapping[int, Staff],
    holdings: tuple[tuple[str, str | None, str, int], ...],
    in_koege: set[tuple[str, str | None]],
    random: Random,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for code, people in staff.items():
        for role, system, box, percent in holdings:
            filled = (role, system) in in_koege if code == KOEGE else random.randrange(100) < percent
            if not filled:
                continue
            rows.append(
                {
                    "municipality_id": code,
                    "role": role,
                    "system_code": system,
                    "person_id": people.ids[box],
                    "kind": "indehaver",
                    "is_primary": True,
                    "valid_from": work.today - timedelta(days=random.randrange(60, 900)),
                    "confirmed_at": work.now - timedelta(days=random.choice((12, 40, 110, 200, 390))),
                    "version": 1,
                }
            )
    return rows
