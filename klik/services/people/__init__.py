"""People and what they may do where: let in, changed, disabled and let in again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from klik.domain import mailaddresses
from klik.domain.errors import InputError
from klik.domain.rights import Level, Right
from klik.domain.texts import sort_key
from klik.models import (
    Membership,
    MembershipSystem,
    Municipality,
    Person,
    System,
)
from klik.services import access, auditing, free_text
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.people import directory, new_passwords, sessions
from klik.services.work import Work

NAME_LIMIT, PHONE_LIMIT, ORGANISATION_LIMIT = 200, 40, 100
TOP = (Level.ADMINISTRATOR, Level.KOMBIT_ADMINISTRATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """Somebody to be let in. The two ticks answer for a foreign mail domain and an address klik knows already."""

    name: str
    email: str
    level: Level
    phone: str = ""
    municipality_id: int | None = None
    organisation: str = ""
    systems: tuple[str, ...] = ()
    address_is_right: bool = False
    existing_is_right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChange:
    """What an administrator wrote about somebody."""

    name: str
    phone: str
    level: Level
    systems: tuple[str, ...]


def levels_to_give(work: Work, municipality_id: int | None) -> tuple[Level, ...]:
    """The levels the actor may give in a municipality, or (None) at KOMBIT and suppliers."""
    actor = work.actor
    if actor is not None and (
        not actor.has(Right.MANAGE_PEOPLE) or not directory.reaches(work, municipality_id)
    ):
        return ()
    municipal = municipality_id is not None
    return tuple(level for level in Level if (level.scope == "municipality") is municipal)


def invite(work: Work, new: NewPerson) -> Membership:
    """Let somebody in and mail them a link to choose a password, or word of the new place; raises RefusedError."""
    access.require(work, Right.MANAGE_PEOPLE)
    member = add(work, new)
    new_passwords.welcome(work, member.person, member)
    return member


def add(work: Work, new: NewPerson) -> Membership:
    """Store a person (or find the one with this address) and a membership; tells nobody.

    Raises RefusedError: keys name, email, phone, level, systems, organisation, municipality, and the ticks
    address_is_right and existing_is_right when they are needed and not set.
    """
    _refuse_level(work, new.level, new.municipality_id)
    if new.municipality_id is not None and work.session.get(Municipality, new.municipality_id) is None:
        raise RefusedError({"municipality": "Kommune: der er ingen kommune med den kode."})
    name, phone = _name(new.name), _phone(new.phone)
    email = _email(new.email)
    _refuse_foreign_domain(work, new, email)
    organisation = _organisation(new)
    _refuse_systems(work, new.level, new.systems)
    person = work.session.scalar(select(Person).where(Person.email_key == email.casefold()))
    if person is None:
        person = Person(
            name=name,
            name_key=sort_key(name),
            email=email,
            email_key=email.casefold(),
            phone=phone,
            created_at=work.now,
        )
        work.session.add(person)
        work.session.flush()
    else:
        _refuse_known(work, person, new)
        person.active = True
    member = Membership(
        person_id=person.id,
        person=person,
        municipality_id=new.municipality_id,
        level=new.level.value,
        organisation=organisation,
        since=work.today,
        systems=[MembershipSystem(system_code=code) for code in sorted(set(new.systems))],
    )
    work.session.add(member)
    work.session.flush()
    _note(work, "person-opret", member, {"niveau": new.level.value, "systemer": sorted(set(new.systems))})
    return member


def change(work: Work, membership_id: int, changed: PersonChange, version: int | None = None) -> Membership:
    """Change name, phone, level and systems; a new level or systems end the person's sessions at once.

    Raises NotFoundError, ConflictError, and RefusedError (keys name, phone, level, systems).
    """
    member = access.membership(work, membership_id)
    person = member.person
    _refuse_old_version(member, version)
    _refuse_level(work, changed.level, member.municipality_id)
    name, phone = _name(changed.name), _phone(changed.phone)
    if (name, phone) != (person.name, person.phone) and _also_elsewhere(work, member):
        raise RefusedError(
            {
                "name": "Navn og telefon: personen har også adgang et andet sted. "
                "Kun personen selv eller KOMBIT kan rette dem."
            }
        )
    _refuse_systems(work, changed.level, changed.systems)
    before = {link.system_code for link in member.systems}
    rights_change = changed.level.value != member.level or set(changed.systems) != before
    if changed.level.value != member.level:
        _refuse_last_of_its_kind(work, member, "level")
    person.name, person.name_key, person.phone = name, sort_key(name), phone
    member.level = changed.level.value
    # The cascade deletes the links that left and keeps the others as they are.
    member.systems = [link for link in member.systems if link.system_code in changed.systems] + [
        MembershipSystem(system_code=code) for code in sorted(set(changed.systems) - before)
    ]
    # The form shows person and membership as one, so its version must move with either.
    flag_modified(member, "level")
    if rights_change:
        sessions.sign_out_everywhere(work, person)
    work.session.flush()
    _note(work, "person-ret", member, {"niveau": changed.level.value, "systemer": sorted(changed.systems)})
    return member


def disable(work: Work, membership_id: int, version: int | None = None) -> Membership:
    """End a membership: sessions die at once, links in mails too; tasks and roles stay to be handed over.

    Raises NotFoundError, ConflictError, and RefusedError (key person).
    """
    member = access.membership(work, membership_id)
    _refuse_old_version(member, version)
    if work.actor is not None and member.person_id == work.actor.person_id:
        raise RefusedError(
            {"person": "Du kan ikke lukke din egen adgang. Bed en anden administrator om det."}
        )
    _refuse_last_of_its_kind(work, member, "person")
    close(work, member)
    return member


def close(work: Work, member: Membership) -> None:
    """End the membership itself; the person too when it was the last one."""
    person = member.person
    member.active, member.ended_on = False, work.today
    work.session.flush()
    if not any(other.active for other in person.memberships):
        person.active = False
        new_passwords.revoke(work, person)
    sessions.sign_out_everywhere(work, person)
    work.session.flush()
    _note(work, "person-luk", member, {})


def enable(work: Work, membership_id: int, version: int | None = None) -> Membership:
    """Open an ended membership again, with the level it had; raises NotFoundError and ConflictError."""
    member = access.membership(work, membership_id)
    _refuse_old_version(member, version)
    if member.person.anonymised_at is not None:
        raise NotFoundError
    _refuse_level(work, Level(member.level), member.municipality_id)
    member.active, member.ended_on = True, None
    member.person.active = True
    work.session.flush()
    _note(work, "person-genaabn", member, {})
    return member


def change_own(work: Work, name: str, phone: str) -> None:
    """Change one's own name and phone; raises RefusedError (keys name, phone)."""
    actor = access.require(work, Right.SIGNED_IN)
    person = work.session.get_one(Person, actor.person_id)
    person.name, person.phone = _name(name), _phone(phone)
    person.name_key = sort_key(person.name)
    work.session.flush()
    auditing.record(work, "egen-profil-ret", f"person/{person.id}", {}, actor.municipality_id)


def _note(work: Work, action: str, member: Membership, facts: dict[str, object]) -> None:
    auditing.record(
        work, action, f"person/{member.person_id}", {"membership": member.id} | facts, member.municipality_id
    )


def _refuse_level(work: Work, level: Level, municipality_id: int | None) -> None:
    if level not in levels_to_give(work, municipality_id):
        raise RefusedError({"level": f"Adgang: du kan ikke give nogen adgangen “{level.label}” her."})


def _refuse_last_of_its_kind(work: Work, member: Membership, field: str) -> None:
    level = Level(member.level)
    if level not in TOP or not member.active:
        return
    same_place = (
        Membership.municipality_id.is_(None)
        if member.municipality_id is None
        else Membership.municipality_id == member.municipality_id
    )
    others = (
        select(Membership.id)
        .join(Person, Person.id == Membership.person_id)
        .where(
            same_place,
            Membership.level == level.value,
            Membership.id != member.id,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
    )
    if work.session.scalar(others.limit(1)) is None:
        raise RefusedError(
            {
                field: f"{member.person.name} er den sidste med adgangen “{level.label}”. Giv den til en anden først."
            }
        )


def _refuse_old_version(member: Membership, version: int | None) -> None:
    if version is not None and version != member.version:
        theirs = Level(member.level).label if member.active else "ingen adgang"
        raise ConflictError(member.version, (Difference("Adgang", "", theirs),))


def _also_elsewhere(work: Work, member: Membership) -> bool:
    if work.actor is None or work.actor.kombit:
        return False
    return any(other.active and other.id != member.id for other in member.person.memberships)


def _refuse_known(work: Work, person: Person, new: NewPerson) -> None:
    here = next((each for each in person.memberships if each.municipality_id == new.municipality_id), None)
    if here is not None and here.active:
        raise RefusedError({"email": "Mailadresse: der er allerede en person med denne adresse her."})
    if here is not None:
        raise RefusedError(
            {
                "email": "Mailadresse: personen findes her uden adgang. Find personen på listen, og åbn adgangen igen."
            }
        )
    if not new.existing_is_right and work.actor is not None:
        raise RefusedError(
            {
                "existing_is_right": "Mailadressen er allerede i brug i klik et andet sted. "
                "Sæt kryds, hvis det er den samme person, der også skal have adgang her."
            }
        )


def _refuse_foreign_domain(work: Work, new: NewPerson, email: str) -> None:
    actor = work.actor
    if actor is None or new.address_is_right:
        return
    own, given = actor.email.rpartition("@")[2], email.rpartition("@")[2]
    # KOMBIT adds people of other places all the time; a stranger among its own is what would be wrong.
    same_house = actor.municipality_id == new.municipality_id and new.level is not Level.SUPPLIER
    if same_house and own.casefold() != given.casefold():
        raise RefusedError(
            {
                "address_is_right": f"Mailadressen slutter på {given}, og din egen på {own}. "
                "Sæt kryds, hvis adressen er rigtig."
            }
        )


def _refuse_systems(work: Work, level: Level, systems: tuple[str, ...]) -> None:
    if level.scope == "kombit" and systems:
        raise RefusedError({"systems": "Systemer: KOMBITs egne følger alle systemer. Fjern valgene."})
    if level is Level.SUPPLIER and not systems:
        raise RefusedError({"systems": "Systemer: vælg mindst ét, som leverandøren har ansvar for."})
    known = set(work.session.scalars(select(System.code).where(System.code.in_(systems))))
    if unknown := sorted(set(systems) - known):
        raise RefusedError({"systems": f"Systemer: klik kender ikke “{unknown[0][:60]}”."})


def _organisation(new: NewPerson) -> str | None:
    if new.level.scope == "kombit":
        return "KOMBIT"
    if new.level is not Level.SUPPLIER:
        return None
    return _clean(new.organisation, "organisation", "Virksomhed", ORGANISATION_LIMIT, required=True)


def _name(typed: str) -> str:
    return _clean(typed, "name", "Navn", NAME_LIMIT, required=True)


def _phone(typed: str) -> str | None:
    phone = _clean(typed, "phone", "Telefon", PHONE_LIMIT)
    if phone and not (sum(sign.isdigit() for sign in phone) >= 5 and set(phone) <= set("0123456789 +()-/")):
        raise RefusedError({"phone": "Telefon: skriv kun tal og mellemrum, fx 56 67 67 67."})
    return phone or None


def _clean(typed: str, key: str, label: str, limit: int, *, required: bool = False) -> str:
    try:
        return free_text.clean(typed, field=label, limit=limit, required=required, tick=False)
    except InputError as error:
        raise RefusedError({key: str(error)}) from error


def _email(typed: str) -> str:
    try:
        return mailaddresses.normalise(typed)
    except InputError as error:
        raise RefusedError({"email": str(error)}) from error
