"""Filling, ending, confirming roles: each role's own rule decides who goes on holding it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from klik.content.roles import RoleDescription, RoleScope
from klik.domain import mailaddresses
from klik.domain.calendar import long_date
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Membership, Person, RoleHolding, System
from klik.services import access, free_text
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.notices import roles
from klik.services.roles import fulfilling, succession
from klik.services.work import Actor, Work

NOTE_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Who is to hold a role: a person's id or a functional mailbox, from a day, perhaps to a day."""

    role: str
    system: str | None = None
    person_id: int | None = None
    mailbox: str = ""
    primary: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    kind: str = HOLDER
    note: str = ""


def role_to_fill(work: Work, slug: str, system: str | None) -> tuple[RoleDescription, System | None]:
    """The role and the system it is to be held for; raises NotFoundError when the two do not belong together."""
    role = work.registry.content.role(slug)
    if role.is_retired:
        raise NotFoundError
    if role.scope is RoleScope.MUNICIPALITY:
        if system:
            raise NotFoundError
        return role, None
    found = work.session.get(System, system or "")
    if found is None or not role.is_for(found.code):
        raise NotFoundError
    return role, found


def candidates(work: Work) -> Sequence[Person]:
    """The active people of the actor's municipality, by name."""
    actor = access.require(work, Right.EDIT_ROLES)
    return work.session.scalars(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.municipality_id == actor.municipality_id,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
        .order_by(Person.name_key, Person.id)
    ).all()


def fill(work: Work, filling: Filling) -> RoleHolding:
    """Give somebody a role in the actor's municipality, tell them, and let the role's rule end or demote others.

    Raises RefusedError (keys person, mailbox, valid_from, valid_to, kind, note, role), NotFoundError for a
    role or system that is not there.
    """
    actor = access.require(work, Right.EDIT_ROLES)
    role, system = role_to_fill(work, filling.role, filling.system)
    start = filling.valid_from or work.today
    person, mailbox = _holder(work, actor, filling)
    note = _note(filling.note)
    _refuse_wrong_period(filling, start)
    code = system.code if system else None
    assert actor.municipality_id is not None
    _settle(work, actor.municipality_id, role.slug, code)
    others = succession.alongside(work, actor.municipality_id, role.slug, code, start, filling.valid_to)
    _refuse_twice(filling.kind, person, mailbox, others)
    held = [each for each in others if each.kind == HOLDER]
    primary = False
    if filling.kind == HOLDER:
        primary = succession.make_room(work, role, held, start, filling.valid_to, primary=filling.primary)
        own = [each for each in others if each.kind == SUBSTITUTE and _is_of(each, person, mailbox)]
        succession.end_own_substitution(work, own, start)
    holding = RoleHolding(
        municipality_id=actor.municipality_id,
        role=role.slug,
        system_code=code,
        person_id=person.id if person else None,
        mailbox=mailbox,
        kind=filling.kind,
        is_primary=primary,
        valid_from=start,
        valid_to=filling.valid_to,
        confirmed_at=work.now,
        note=note,
    )
    # Whoever must step back does so in the database first: it refuses two primaries at any moment.
    work.session.flush()
    work.session.add(holding)
    work.session.flush()
    succession.note_change(work, "rolle-besaet", holding)
    roles.tell_handed_over(work, holding, "besat")
    fulfilling.fulfil(work, holding)
    return holding


def end(work: Work, holding_id: int, last_day: date, version: int | None = None) -> None:
    """Let a holding end after ``last_day``; the row stays. One that has not begun may only be moved to end.

    Raises NotFoundError, ConflictError, and RefusedError (key last_day).
    """
    holding = _to_change(work, holding_id, version)
    if last_day < holding.valid_from:
        raise RefusedError(
            {
                "last_day": f"Sidste dag: skal ligge på eller efter {long_date(holding.valid_from)}, "
                "hvor rollen begyndte."
            }
        )
    if holding.valid_to is not None and last_day > holding.valid_to:
        raise RefusedError(
            {
                "last_day": f"Sidste dag: rollen slutter allerede {long_date(holding.valid_to)}. Vælg en tidligere dag."
            }
        )
    holding.valid_to = last_day
    work.session.flush()
    succession.note_change(work, "rolle-afslut", holding)
    roles.tell_ended(work, holding)
    _settle(work, holding.municipality_id, holding.role, holding.system_code)


def take_back(work: Work, holding_id: int, version: int | None = None) -> None:
    """Undo what was written down today or for a day to come; raises NotFoundError, ConflictError, RefusedError."""
    holding = _to_change(work, holding_id, version)
    role, code, system = holding.role, holding.municipality_id, holding.system_code
    succession.take_back(work, holding)
    roles.tell_ended(work, holding, taken_back=True)
    _settle(work, code, role, system)


def make_primary(work: Work, holding_id: int, version: int | None = None) -> None:
    """Let this holder be the primary one, and nobody else; raises NotFoundError, ConflictError, RefusedError."""
    holding = _to_change(work, holding_id, version)
    if holding.kind != HOLDER:
        raise RefusedError({"primary": "Primær: en stedfortræder kan ikke være primær."})
    if holding.valid_from > work.today:
        raise RefusedError(
            {"primary": f"Primær: kan først vælges {long_date(holding.valid_from)}, hvor rollen begynder."}
        )
    if holding.is_primary:
        return
    others = succession.alongside(
        work, holding.municipality_id, holding.role, holding.system_code, work.today, None
    )
    for other in others:
        if other.is_primary and other is not holding:
            other.is_primary = False
    work.session.flush()
    holding.is_primary = True
    work.session.flush()
    succession.note_change(work, "rolle-primaer", holding)
    roles.tell_handed_over(work, holding, f"primaer/v={holding.version}", primary=True)


def confirm(work: Work, holding_id: int, version: int | None = None) -> None:
    """Note that the holding is still right today; raises NotFoundError and ConflictError."""
    holding = _to_change(work, holding_id, version)
    holding.confirmed_at = work.now
    work.session.flush()
    succession.note_change(work, "rolle-bekraeft", holding)


def write_note(work: Work, holding_id: int, text: str, version: int | None = None) -> None:
    """Change the note on a holding; raises NotFoundError, ConflictError, and RefusedError (key note)."""
    holding = _to_change(work, holding_id, version)
    holding.note = _note(text)
    work.session.flush()
    succession.note_change(work, "rolle-note", holding)


def _refuse_ended(work: Work, holding: RoleHolding) -> None:
    if holding.valid_to is not None and holding.valid_to < work.today:
        raise RefusedError(
            {"last_day": f"Rollen er afsluttet {long_date(holding.valid_to)} og kan ikke ændres mere."}
        )


def _to_change(work: Work, holding_id: int, version: int | None) -> RoleHolding:
    holding = access.holding_to_change(work, holding_id)
    if version is not None and version != holding.version:
        theirs = f"til og med {long_date(holding.valid_to)}" if holding.valid_to else "uden slutdato"
        raise ConflictError(holding.version, (Difference("Periode", "", theirs),))
    _refuse_ended(work, holding)
    return holding


def _holder(work: Work, actor: Actor, filling: Filling) -> tuple[Person | None, str | None]:
    if bool(filling.person_id) == bool(filling.mailbox.strip()):
        raise RefusedError({"person": "Person: vælg enten en person eller skriv en fællespostkasse."})
    if not filling.person_id:
        try:
            return None, mailaddresses.normalise(filling.mailbox)
        except InputError as error:
            raise RefusedError({"mailbox": f"Fællespostkasse: {error}"}) from error
    person = access.member(work, filling.person_id, actor.municipality_id or 0)
    if person is None:
        raise RefusedError({"person": "Person: skal være en aktiv medarbejder i kommunen. Vælg fra listen."})
    return person, None


def _note(typed: str) -> str | None:
    try:
        note = free_text.clean(typed, field="Note", limit=NOTE_LIMIT)
    except InputError as error:
        raise RefusedError({"note": str(error)}) from error
    return note or None


def _refuse_wrong_period(filling: Filling, start: date) -> None:
    if filling.kind not in (HOLDER, SUBSTITUTE):
        raise RefusedError({"kind": "Besættes som: vælg indehaver eller stedfortræder."})
    if filling.valid_to is not None and filling.valid_to < start:
        raise RefusedError(
            {"valid_to": f"Til og med: skal ligge på eller efter {long_date(start)}, hvor perioden begynder."}
        )
    if filling.kind == SUBSTITUTE and filling.valid_to is None:
        raise RefusedError({"valid_to": "Til og med: en stedfortræder skal have en slutdato."})
    if filling.kind == SUBSTITUTE and filling.primary:
        raise RefusedError({"primary": "Primær: en stedfortræder kan ikke være primær."})


def _refuse_twice(
    kind: str, person: Person | None, mailbox: str | None, others: Sequence[RoleHolding]
) -> None:
    name, where = (person.name, "person") if person else (mailbox, "mailbox")
    for other in others:
        if not _is_of(other, person, mailbox):
            continue
        if other.kind == kind:
            raise RefusedError(
                {where: f"{name} har allerede rollen fra {long_date(other.valid_from)}. Vælg en anden."}
            )
        if kind == SUBSTITUTE:
            raise RefusedError(
                {where: f"{name} har selv rollen i perioden. Vælg en anden som stedfortræder."}
            )


def _is_of(holding: RoleHolding, person: Person | None, mailbox: str | None) -> bool:
    return holding.person_id == person.id if person else holding.mailbox == mailbox


def _settle(work: Work, municipality: int, role: str, system: str | None) -> None:
    """Where the role wants a primary, whoever has held it longest of the rest becomes it."""
    heir = succession.settle(work, municipality, work.registry.content.role(role), system)
    if heir is not None:
        succession.tell_heir(work, heir)
