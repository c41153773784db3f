"""Who is told, by rule: somebody is always found, and why it was that one is written down.

A recipient whose mails come back is still told, in the inbox only; somebody else is told instead, by mail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from klik.domain.rights import Level
from klik.models import BouncedAddress, Membership, MembershipSystem, Person
from klik.services import holders
from klik.services.work import Work

# What the address of a channel beside the mail begins with; its key follows.
CHANNEL_ADDRESS = "kanal:"
PROGRAMME_LEADER = "kombit-programleder"
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to tell; ``municipality_id`` is whose matter it is, ``reason`` why it is them, in Danish.

    ``bounces``: mails to the address come back, so the notice is only in the inbox. ``instead_of`` is the name of
    whoever a stand-in is told for; the notice is not about the stand-in.
    """

    person_id: int | None
    address: str
    municipality_id: int | None
    reason: str
    bounces: bool = False
    instead_of: str = ""

    @property
    def who(self) -> int | str:
        """The same for the same person or mailbox."""
        return self.person_id or self.address.casefold()


@dataclass(frozen=True, slots=True)
class _Member:
    person_id: int | None
    membership_id: int | None
    name: str
    address: str
    level: Level | None


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of the ladder: who stands on it, why they are told, and what they are when they stand in."""

    people: Sequence[_Member]
    reason: str
    word: str


@dataclass(slots=True)
class _Told:
    """Who is found for a municipality so far; ``names`` are of those whose mails come back."""

    people: list[Recipient]
    names: list[str]

    @property
    def reached(self) -> bool:
        """Whether a mail reaches anybody."""
        return any(not each.bounces for each in self.people)


def hard_addresses(work: Work) -> frozenset[str]:
    """The addresses nothing is mailed to, in small letters; one statement."""
    return frozenset(
        work.session.scalars(select(BouncedAddress.address_key).where(BouncedAddress.state == "haard"))
    )


def of_municipalities(
    work: Work, municipalities: Iterable[int], system: str | None, hard: frozenset[str] | None = None
) -> Mapping[int, tuple[Recipient, ...]]:
    """Who hears of a matter of a system, for each municipality; five statements however many there are.

    Plus users linked to the system (seed 003); where there are none, plus users linked to no system; else
    administrators; else the KOMBIT-programleder; else KOMBIT itself. Where mails to all of a step come back, the
    next step is told as well. ``hard`` spares the statement where the addresses are known.
    """
    wanted = set(municipalities)
    hard = hard_addresses(work) if hard is None else hard
    people, links = _members(work, wanted), _links(work, wanted)
    told = {code: _Told([], []) for code in sorted(wanted)}
    for code, found in told.items():
        for step in _own_steps(people[code], links, system):
            _climb(found, code, step, hard)
    _climb_all(told, lambda codes: _programme_leaders(work, codes), hard)
    _climb_all(told, lambda codes: _kombit(work, codes), hard)
    return {code: tuple(found.people) for code, found in told.items()}


def instead_of(names: Sequence[str]) -> str:
    """ "i stedet for Jens Holm, hvis mails kommer retur"."""
    once = list(dict.fromkeys(names))
    named = once if len(once) <= MOST_NAMED else [*once[:MOST_NAMED], "flere"]
    listed = f"{', '.join(named[:-1])} og {named[-1]}" if len(named) > 1 else named[0]
    return f"i stedet for {listed}, hvis mails kommer retur"


def _own_steps(people: Sequence[_Member], links: Mapping[int, set[str]], system: str | None) -> list[_Step]:
    plus = [each for each in people if each.level is Level.PLUS_USER]
    linked = [each for each in plus if system and system in links.get(each.membership_id or 0, ())]
    general = [each for each in plus if each.membership_id not in links]
    administrators = [each for each in people if each.level is Level.ADMINISTRATOR]
    return [
        _Step(linked, "plusbruger for systemet", "plusbruger for systemet"),
        _Step(general, "plusbruger", "plusbruger"),
        _Step(administrators, "administrator, fordi ingen plusbruger følger systemet", "administrator"),
    ]


def _climb(found: _Told, code: int, step: _Step, hard: frozenset[str]) -> None:
    """Tell those on the step, unless somebody on an earlier one is reached."""
    if found.reached:
        return
    lost = list(found.names)
    bounced = [each for each in step.people if each.address.casefold() in hard]
    found.names += [each.name for each in bounced]
    for each in step.people:
        if each in bounced:
            found.people.append(Recipient(each.person_id, each.address, code, step.reason, bounces=True))
        elif lost:
            reason = f"{step.word} {instead_of(found.names)}"
            found.people.append(
                Recipient(each.person_id, each.address, code, reason, instead_of=found.names[0])
            )
        else:
            reason = f"{step.reason} og {instead_of(found.names)}" if bounced else step.reason
            found.people.append(Recipient(each.person_id, each.address, code, reason))


_Load = Callable[[set[int]], Mapping[int, _Step]]


def _climb_all(told: Mapping[int, _Told], load: _Load, hard: frozenset[str]) -> None:
    """The next step for those municipalities in which nobody is reached."""
    missing = {code for code, found in told.items() if not found.reached}
    if missing:
        for code, step in load(missing).items():
            _climb(told[code], code, step, hard)


def _members(work: Work, municipalities: set[int]) -> Mapping[int, list[_Member]]:
    rows = work.session.execute(
        select(
            Membership.municipality_id, Membership.id, Membership.level, Person.id, Person.name, Person.email
        )
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.municipality_id.in_(municipalities),
            Membership.active.is_(True),
            Person.active.is_(True),
            Membership.level.in_([Level.PLUS_USER.value, Level.ADMINISTRATOR.value]),
        )
        .order_by(Person.id)
    )
    people: dict[int, list[_Member]] = defaultdict(list)
    for code, membership_id, level, person_id, name, address in rows:
        people[code].append(_Member(person_id, membership_id, name, address, Level(level)))
    return people


def _links(work: Work, municipalities: set[int]) -> Mapping[int, set[str]]:
    links: dict[int, set[str]] = defaultdict(set)
    for membership_id, system in work.session.execute(
        select(MembershipSystem.membership_id, MembershipSystem.system_code)
        .join(Membership, Membership.id == MembershipSystem.membership_id)
        .where(Membership.municipality_id.in_(municipalities))
    ):
        links[membership_id].add(system)
    return links


def _programme_leaders(work: Work, municipalities: set[int]) -> Mapping[int, _Step]:
    """The holders and their substitutes."""
    return {
        code: _Step(
            [
                _Member(each.person_id, None, each.name, each.address, None)
                for each in holders.current(everybody, None)
            ],
            "programleder, fordi kommunen hverken har plusbruger eller administrator",
            "programleder",
        )
        for (code, _role), everybody in holders.of_roles(work, municipalities, [PROGRAMME_LEADER]).items()
    }


def _kombit(work: Work, municipalities: set[int]) -> Mapping[int, _Step]:
    step = _Step(kombit(work), "KOMBIT, fordi kommunen ingen modtager har", "KOMBIT")
    return {code: step for code in municipalities}


def kombit(work: Work) -> list[_Member]:
    """The administrators of KOMBIT."""
    rows = work.session.execute(
        select(Person.id, Membership.id, Person.name, Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.level == Level.KOMBIT_ADMINISTRATOR.value,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
        .order_by(Person.id)
    )
    return [
        _Member(person_id, member, name, address, Level.KOMBIT_ADMINISTRATOR)
        for person_id, member, name, address in rows
    ]
