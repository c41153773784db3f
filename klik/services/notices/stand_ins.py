"""Who is told instead of somebody whose mails come back: whoever shares the role, else administrators, else the rest.

The one whose mails come back is told too, in the inbox only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from sqlalchemy import select

from klik.domain.rights import Level
from klik.models import Membership, Person
from klik.services import holders
from klik.services.holders import Holdings
from klik.services.notices import recipients
from klik.services.notices.recipients import Recipient, hard_addresses, instead_of
from klik.services.work import Work

Matter = TypeVar("Matter")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody who is to be told, by the role they have in the matter, if any; ``system`` is the matter's."""

    recipient: Recipient
    role: str | None = None
    system: str | None = None


def reached(
    work: Work, wanted: Mapping[Matter, Sequence[Wanted]], hard: frozenset[str] | None = None
) -> dict[Matter, tuple[Recipient, ...]]:
    """Who is told of each matter, everybody once with every reason; one statement when all mails arrive.

    Nobody stands in for the one who acts: nobody is told of their own doing. ``hard`` spares the statement.
    """
    hard = hard_addresses(work) if hard is None else hard
    me = work.actor.person_id if work.actor else None
    lost = [each for group in wanted.values() for each in group if each.recipient.address.casefold() in hard]
    mine = [each for each in lost if me is not None and each.recipient.person_id == me]
    find = _finder(work, [each for each in lost if each not in mine], hard)
    found = {}
    for matter, group in wanted.items():
        told: dict[int | str, Recipient] = {}
        gone = [each for each in group if each.recipient.address.casefold() in hard]
        for each in group:
            tell(told, replace(each.recipient, bounces=True) if each in gone else each.recipient)
        for stand_in in (one for each in gone if each not in mine for one in find(each)):
            tell(told, stand_in)
        found[matter] = tuple(told.values())
    return found


def tell(told: dict[int | str, Recipient], recipient: Recipient) -> None:
    """Add somebody; whoever is there already gets one more reason, and is told for their own sake if either is."""
    earlier = told.get(recipient.who)
    if earlier is None:
        told[recipient.who] = recipient
    elif recipient.reason not in earlier.reason:
        both = earlier.instead_of and recipient.instead_of
        told[recipient.who] = replace(
            earlier, reason=f"{earlier.reason} og {recipient.reason}", instead_of=both
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may stand in; ``word`` says what they are in the municipality."""

    person_id: int | None
    address: str
    word: str

    @property
    def who(self) -> int | str:
        """The same for the same person or mailbox."""
        return self.person_id or self.address.casefold()


def _finder(
    work: Work, lost: Sequence[Wanted], hard: frozenset[str]
) -> Callable[[Wanted], tuple[Recipient, ...]]:
    """Finds who stands in for one of these; a handful of statements however many they are, none for none."""
    if not lost:
        return lambda _each: ()
    codes = {each.recipient.municipality_id for each in lost if each.recipient.municipality_id is not None}
    holdings = holders.of_roles(work, codes, {each.role for each in lost if each.role})
    names = _names(work, lost)
    administrators = administrators_of(work, codes)
    central = [Candidate(one.person_id, one.address, "KOMBIT") for one in recipients.kombit(work)]

    @cache
    def escalated(system: str | None) -> Mapping[int, tuple[Recipient, ...]]:
        return recipients.of_municipalities(work, codes, system, hard)

    def find(each: Wanted) -> tuple[Recipient, ...]:
        lost_one, code = each.recipient, each.recipient.municipality_id
        name = names.get(lost_one.person_id or 0, lost_one.address)
        steps = [central] if code is None else [*_of_role(work, holdings, each), administrators[code]]
        if code is not None:
            steps.append(
                [
                    Candidate(one.person_id, one.address, one.reason.partition(",")[0])
                    for one in escalated(each.system)[code]
                    if not one.instead_of
                ]
            )
            steps.append(central)
        for step in steps:
            arriving = [one for one in step if one.address.casefold() not in hard and one.who != lost_one.who]
            if arriving:
                return tuple(
                    Recipient(
                        one.person_id, one.address, code, f"{one.word} {instead_of([name])}", instead_of=name
                    )
                    for one in arriving
                )
        return ()

    return find


def _of_role(work: Work, holdings: Holdings, each: Wanted) -> Iterable[list[Candidate]]:
    """The substitutes for the role, then its other holders, the primary one first."""
    if each.role is None or each.recipient.municipality_id is None:
        return
    found = holders.fitting(holdings.get((each.recipient.municipality_id, each.role), ()), each.system)
    name = holders.role_name(work, each.role)
    for substitute in (True, False):
        yield [
            Candidate(
                one.person_id,
                one.address,
                "stedfortræder" if substitute else f"{name}{holders.standing(one)}",
            )
            for one in found
            if one.substitute is substitute
        ]


def _names(work: Work, lost: Iterable[Wanted]) -> Mapping[int, str]:
    people = {each.recipient.person_id for each in lost} - {None}
    return dict(work.session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())


def administrators_of(work: Work, municipalities: Iterable[int]) -> Mapping[int, list[Candidate]]:
    """The active administrators of each municipality; one statement."""
    rows = work.session.execute(
        select(Membership.municipality_id, Person.id, Person.email)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.municipality_id.in_(sorted(municipalities)),
            Membership.level == Level.ADMINISTRATOR.value,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
        .order_by(Person.id)
    )
    found: dict[int, list[Candidate]] = defaultdict(list)
    for code, person_id, address in rows:
        found[code or 0].append(Candidate(person_id, address, "administrator"))
    return found


def administrators_told(work: Work, municipalities: Iterable[int]) -> dict[int, tuple[Recipient, ...]]:
    """All administrators of each municipality that has any, and who stands in where their mails come back."""
    wanted = {
        code: [
            Wanted(Recipient(each.person_id, each.address, code, "administrator i kommunen"))
            for each in administrators
        ]
        for code, administrators in administrators_of(work, municipalities).items()
    }
    return reached(work, wanted)
