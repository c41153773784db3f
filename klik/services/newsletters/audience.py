"""Whom a newsletter is for, and the addresses that comes to: one line an address, and why it is there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain

from sqlalchemy import or_, select

from klik.domain.mailaddresses import MailAddressError, normalise
from klik.domain.rights import Level
from klik.models import (
    BouncedAddress,
    Membership,
    MembershipSystem,
    Municipality,
    MunicipalSystem,
    NewsletterAddress,
    Person,
    Wave,
)
from klik.services import holders
from klik.services.errors import RefusedError
from klik.services.work import Work

LIMIT = 4_000
FIELD = "levels"
# Seed 003: newsletters go to those with the right administrator and/or plusbruger.
USUAL_LEVELS = (Level.ADMINISTRATOR.value, Level.PLUS_USER.value)
LEVELS = (*USUAL_LEVELS, Level.USER.value, Level.READER.value)
PRIMARY, EVERY_HOLDER = "primaer", "alle"
UNSUBSCRIBED, BOUNCED = "frameldt", "retur"
SIGNED_UP = "har tilmeldt sig nyhedsbrevet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """People by level, holders of roles, and those who signed up themselves.

    ``holders`` says whether of a role all its holders get it or the primary one. ``systems``, ``regions`` and
    ``waves`` ("ky/b1") narrow levels and roles to the municipalities that fit each kind that is chosen.
    """

    levels: tuple[str, ...] = USUAL_LEVELS
    roles: tuple[str, ...] = ()
    holders: str = EVERY_HOLDER
    systems: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    waves: tuple[str, ...] = ()
    subscribers: bool = True

    def words(self) -> str:
        """As it is stored; raises RefusedError when it is longer than what is kept."""
        written = json.dumps(
            {each.name: getattr(self, each.name) for each in fields(self)}, ensure_ascii=False
        )
        if len(written) > LIMIT:
            raise RefusedError(
                {
                    FIELD: f"Modtagere: der er valgt for meget til at kunne gemmes (højst {LIMIT:,} tegn).".replace(
                        ",", "."
                    )
                }
            )
        return written

    @classmethod
    def parse(cls, words: str) -> Audience:
        """What ``words`` wrote; what cannot be read is for nobody."""
        nobody = cls(levels=(), subscribers=False)
        try:
            read = json.loads(words)
            return cls(
                holders=PRIMARY if read["holders"] == PRIMARY else EVERY_HOLDER,
                subscribers=read["subscribers"] is True,
                **{
                    name: tuple(map(str, read[name]))
                    for name in ("levels", "roles", "systems", "regions", "waves")
                },
            )
        except (ValueError, TypeError, KeyError):
            return nobody


@dataclass(frozen=True, slots=True)
class Reader:
    """An address that was chosen. ``skipped`` says why it gets nothing; ``name`` is a person's or the mailbox."""

    address: str
    person_id: int | None
    municipality_id: int | None
    name: str
    reason: str
    skipped: str | None = None


def check(work: Work, audience: Audience) -> None:
    """Raise RefusedError for a choice of nobody, and for words that klik does not know."""
    audience.words()
    if not (audience.levels or audience.roles or audience.subscribers):
        raise RefusedError({FIELD: "Modtagere: vælg mindst ét niveau, en rolle eller de tilmeldte."})
    if set(audience.levels) - set(LEVELS):
        raise RefusedError({FIELD: "Modtagere: vælg niveauer på listen."})
    for name, label, known in (
        ("roles", "Roller", {role.slug for role in work.registry.content.roles}),
        ("systems", "Systemer", set(work.registry.systems)),
        ("regions", "Regioner", set(work.session.scalars(select(Municipality.region).distinct()))),
        ("waves", "Bølger", set(_wave_ids(work))),
    ):
        if strange := sorted(set(getattr(audience, name)) - known):
            raise RefusedError({name: f"{label}: “{strange[0][:60]}” kendes ikke. Vælg på listen."})


def readers(work: Work, audience: Audience) -> list[Reader]:
    """Everybody chosen, one line an address, by municipality and name; the statements do not grow with them.

    A person stands before the mailbox or the subscriber with the same address.
    """
    codes = _municipalities(work, audience)
    found: dict[str, Reader] = {}
    for reader in chain(
        _members(work, audience, codes), _holders(work, audience, codes), _subscribers(work, audience)
    ):
        if usable(reader.address):
            found.setdefault(reader.address.casefold(), reader)
    unsubscribed, bounced = _left_out(work, found)
    return [
        Reader(
            reader.address,
            reader.person_id,
            reader.municipality_id,
            reader.name,
            reader.reason,
            UNSUBSCRIBED if address in unsubscribed else BOUNCED if address in bounced else None,
        )
        for address, reader in found.items()
    ]


def usable(address: str) -> bool:
    """Whether it can be written to at all."""
    try:
        normalise(address)
    except MailAddressError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Count:
    """A list of readers in figures."""

    getting: int
    municipalities: int
    outside: int
    unsubscribed: int
    bounced: int

    @property
    def sentence(self) -> str:
        """ "212 modtagere i 98 kommuner; 3 har frameldt sig; 2 adresser kommer retur"."""
        line = f"{self.getting} {'modtager' if self.getting == 1 else 'modtagere'}"
        if self.municipalities:
            line += f" i {self.municipalities} {'kommune' if self.municipalities == 1 else 'kommuner'}"
        if self.outside:
            line += (
                f" og {self.outside} uden for kommunerne" if self.municipalities else " uden for kommunerne"
            )
        if self.unsubscribed:
            line += f"; {self.unsubscribed} har frameldt sig"
        if self.bounced:
            line += f"; {self.bounced} {'adresse' if self.bounced == 1 else 'adresser'} kommer retur"
        return line


def count(chosen: Iterable[Reader]) -> Count:
    """How many get it, where, and how many do not."""
    chosen = list(chosen)
    getting = [reader for reader in chosen if reader.skipped is None]
    return Count(
        getting=len(getting),
        municipalities=len({reader.municipality_id for reader in getting if reader.municipality_id}),
        outside=sum(reader.municipality_id is None for reader in getting),
        unsubscribed=sum(reader.skipped == UNSUBSCRIBED for reader in chosen),
        bounced=sum(reader.skipped == BOUNCED for reader in chosen),
    )


def by_municipality(work: Work, chosen: Iterable[Reader]) -> Sequence[tuple[str, Sequence[Reader]]]:
    """The readers under the names of their municipalities, in the order of the alphabet; the others last."""
    places: dict[int | None, list[Reader]] = defaultdict(list)
    for reader in chosen:
        places[reader.municipality_id].append(reader)
    named = work.session.execute(select(Municipality.id, Municipality.name).order_by(Municipality.name_key))
    groups = [(name, places[code]) for code, name in named if code in places]
    return [*groups, ("Uden for kommunerne", places[None])] if None in places else groups


def _municipalities(work: Work, audience: Audience) -> dict[int, str]:
    """The codes and names of those that fit; in the order of the alphabet."""
    query = select(Municipality.id, Municipality.name).where(Municipality.active.is_(True))
    if audience.regions:
        query = query.where(Municipality.region.in_(audience.regions))
    if audience.systems:
        having = select(MunicipalSystem.municipality_id).where(
            MunicipalSystem.system_code.in_(audience.systems)
        )
        query = query.where(Municipality.id.in_(having))
    if audience.waves:
        known = _wave_ids(work)
        ids = [known[wave] for wave in audience.waves if wave in known]
        waved = select(MunicipalSystem.municipality_id).where(MunicipalSystem.wave_id.in_(ids))
        query = query.where(Municipality.id.in_(waved))
    return dict(work.session.execute(query.order_by(Municipality.name_key)).all())


def _wave_ids(work: Work) -> dict[str, int]:
    rows = work.session.execute(select(Wave.system_code, Wave.slug, Wave.id))
    return {f"{system}/{slug}": wave_id for system, slug, wave_id in rows}


def _members(work: Work, audience: Audience, codes: Mapping[int, str]) -> Iterator[Reader]:
    if not audience.levels:
        return
    others = _followers_of_others(work, audience)
    for member_id, code, level, person_id, address, name in work.session.execute(
        select(
            Membership.id, Membership.municipality_id, Membership.level, Person.id, Person.email, Person.name
        )
        .join(Person, Person.id == Membership.person_id)
        .join(Municipality, Municipality.id == Membership.municipality_id)
        .where(
            Membership.level.in_(audience.levels),
            Membership.municipality_id.in_(codes),
            Membership.active.is_(True),
            Person.active.is_(True),
        )
        .order_by(Municipality.name_key, Person.name_key, Membership.id)
    ):
        if member_id not in others:
            yield Reader(address, person_id, code, name, f"er {Level(level).label.lower()} i {codes[code]}")


def _followers_of_others(work: Work, audience: Audience) -> Collection[int]:
    """Plus users who follow systems, but none of those chosen."""
    if not audience.systems:
        return ()
    links: dict[int, set[str]] = defaultdict(set)
    for member_id, system in work.session.execute(
        select(MembershipSystem.membership_id, MembershipSystem.system_code)
        .join(Membership, Membership.id == MembershipSystem.membership_id)
        .where(Membership.level == Level.PLUS_USER.value)
    ):
        links[member_id].add(system)
    return {member_id for member_id, systems in links.items() if not systems & set(audience.systems)}


def _holders(work: Work, audience: Audience, codes: Mapping[int, str]) -> Iterator[Reader]:
    if not audience.roles:
        return
    held = holders.of_roles(work, codes, audience.roles)
    for code in codes:
        for role in audience.roles:
            reason = f"har rollen {work.registry.content.role(role).name} i {codes[code]}"
            for each in held.get((code, role), ()):
                if audience.holders == PRIMARY and not (each.primary or each.substitute):
                    continue
                if each.system is None or not audience.systems or each.system in audience.systems:
                    yield Reader(each.address, each.person_id, code, each.name, reason)


def _subscribers(work: Work, audience: Audience) -> Iterator[Reader]:
    """Those who signed up; a person of klik among them is known by name."""
    if not audience.subscribers:
        return
    for address, person_id, name in work.session.execute(
        select(NewsletterAddress.address_key, Person.id, Person.name)
        .outerjoin(Person, Person.email_key == NewsletterAddress.address_key)
        .where(
            NewsletterAddress.confirmed_at.is_not(None),
            or_(Person.id.is_(None), Person.active.is_(True)),
        )
        .order_by(NewsletterAddress.address_key)
    ):
        yield Reader(address, person_id, None, name or address, SIGNED_UP)


def _left_out(work: Work, chosen: Collection[str]) -> tuple[set[str], set[str]]:
    if not chosen:
        return set(), set()
    unsubscribed = select(NewsletterAddress.address_key).where(NewsletterAddress.unsubscribed_at.is_not(None))
    bounced = select(BouncedAddress.address_key).where(BouncedAddress.state == "haard")
    return set(work.session.scalars(unsubscribed)), set(work.session.scalars(bounced))
