"""Whose an address is, and who looks after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.models import BouncedAddress, Membership, Municipality, Person, RoleHolding
from klik.services import holders
from klik.services.notices import stand_ins
from klik.services.notices.bounces import marks
from klik.services.notices.recipients import Recipient, hard_addresses, kombit
from klik.services.work import Work

ADMINISTRATOR = "administrator i kommunen"
FOR_KOMBIT = "KOMBIT-administrator"
NO_ADMINISTRATOR = "KOMBIT, fordi kommunen ingen administrator har, som mails når frem til"


@dataclass(frozen=True, slots=True)
class Use:
    """One place where an address is used; ``path`` is where it is put right, ``name`` whose it is."""

    municipality_id: int | None
    name: str
    path: str


def uses(work: Work, address: str) -> list[Use]:
    """Every active membership of the person with this address, and every role that a mailbox holds today."""
    key = marks.key_of(address)
    return _uses(work, [key])[key]


def _uses(work: Work, keys: Sequence[str]) -> Mapping[str, list[Use]]:
    found: dict[str, list[Use]] = {key: [] for key in keys}
    for key, member, code, name in work.session.execute(
        select(Person.email_key, Membership.id, Membership.municipality_id, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .where(Person.email_key.in_(keys), Person.active.is_(True), Membership.active.is_(True))
        .order_by(Membership.id)
    ):
        found[key].append(Use(code, name, f"/personer/{member}"))
    for code, role, mailbox in work.session.execute(
        select(RoleHolding.municipality_id, RoleHolding.role, RoleHolding.mailbox)
        .where(
            RoleHolding.person_id.is_(None),
            func.lower(RoleHolding.mailbox).in_(keys),
            holders.today(work),
        )
        .order_by(RoleHolding.id)
    ):
        found[marks.key_of(mailbox)].append(Use(code, mailbox, f"/roller/{role}?kommune={code}"))
    return found


def keepers(work: Work, municipality_id: int | None, but: str) -> list[Recipient]:
    """Who puts an address right: the municipality's administrators that mails reach, else KOMBIT's.

    ``but`` is the address itself: nobody is asked over an address that does not work.
    """
    gone = hard_addresses(work) | {marks.key_of(but)}
    if municipality_id is not None:
        own = [
            Recipient(each.person_id, each.address, municipality_id, ADMINISTRATOR)
            for each in stand_ins.administrators_of(work, [municipality_id]).get(municipality_id, ())
            if marks.key_of(each.address) not in gone
        ]
        if own:
            return own
    reason = FOR_KOMBIT if municipality_id is None else NO_ADMINISTRATOR
    return [
        Recipient(each.person_id, each.address, municipality_id, reason)
        for each in kombit(work)
        if marks.key_of(each.address) not in gone
    ]


@dataclass(frozen=True, slots=True)
class Returned:
    """An address that mails come back from, and where it is used; ``uses`` is empty when nobody has it any more."""

    mark: BouncedAddress
    uses: tuple[Use, ...]


def returned(work: Work, most: int = 100) -> list[Returned]:
    """The addresses that mails come back from, the dead ones first, the newest first; three statements."""
    rows = work.session.scalars(
        select(BouncedAddress)
        .order_by(BouncedAddress.state.desc(), BouncedAddress.last_at.desc(), BouncedAddress.address_key)
        .limit(most)
    ).all()
    found = _uses(work, [row.address_key for row in rows])
    return [Returned(row, tuple(found[row.address_key])) for row in rows]


def unreachable(work: Work) -> list[Municipality]:
    """The active municipalities where nobody who answers for it can be reached by mail; three statements."""
    levels = (Level.PLUS_USER.value, Level.ADMINISTRATOR.value)
    rows = work.session.execute(
        select(Membership.municipality_id, Person.email_key)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.municipality_id.is_not(None),
            Membership.level.in_(levels),
            Membership.active.is_(True),
            Person.active.is_(True),
        )
    ).all()
    gone = hard_addresses(work)
    reached = {code for code, key in rows if key not in gone}
    return [
        place
        for place in work.session.scalars(
            select(Municipality).where(Municipality.active.is_(True)).order_by(Municipality.name_key)
        )
        if place.id not in reached
    ]
