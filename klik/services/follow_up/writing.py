"""Writing to those who should act: the primary holder of a role in each chosen municipality, seen before it is sent."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import select

from klik.content.loading import Content
from klik.content.roles import RoleScope
from klik.domain.errors import InputError
from klik.domain.rights import Level, Right
from klik.models import Membership, Municipality, Person
from klik.services import access, auditing, free_text, holders
from klik.services.auditing import Act
from klik.services.criteria import Criteria
from klik.services.errors import RefusedError
from klik.services.follow_up.silence import WRITTEN
from klik.services.notices import ledger, stand_ins
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.notices.stand_ins import Wanted
from klik.services.work import Work

SUBJECT_LIMIT, TEXT_LIMIT = 120, 2_000
PROJECT_LEADER = "projektleder"
ACROSS = "kombit-programleder"
# What of the choices makes sense in a municipality's own list, where the mail leads.
_LED_TO = ("projekt", "system", "tema", "fase", "runde")
CHANGED = "Modtagerne har ændret sig, siden du så dem. Se dem igennem nedenfor, og send igen."


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written to a municipality and to whom; ``vacant``: nobody holds the role, so others get it.

    ``recipients`` is empty where there is nobody at all.
    """

    code: int
    place: str
    recipients: tuple[Recipient, ...]
    names: tuple[str, ...]
    vacant: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """How many got the message, in how many municipalities."""

    people: int
    municipalities: int


def default_role(content: Content, criteria: Criteria, system: str | None) -> str:
    """Whom KOMBIT turns to: by phase the system's first contact (seed 003), across systems the programleder."""
    if system is None:
        return ACROSS
    phases = criteria.values("fase")
    for role in content.roles:
        if phases and role.is_for(system) and set(phases) <= set(role.spoc_phases):
            return role.slug
    return PROJECT_LEADER


def letters(work: Work, codes: Sequence[int], role: str, system: str | None) -> Sequence[Letter]:
    """Who would get it in each municipality, by name; four statements however many there are."""
    access.require(work, Right.PUBLISH)
    places = work.session.execute(
        select(Municipality.id, Municipality.name)
        .where(Municipality.id.in_(set(codes)), Municipality.active.is_(True), access.municipalities(work))
        .order_by(Municipality.name_key)
    ).all()
    wanted = [code for code, _name in places]
    held = _holders(work, wanted, role, system)
    name = work.registry.content.role(role).name
    missing = [code for code in wanted if code not in held]
    people = {**_administrators(work, missing, name), **held}
    by_place = {
        code: [Wanted(to, role if code in held else None, system) for to, _name in named]
        for code, named in people.items()
    }
    told = stand_ins.reached(work, by_place)
    names = {to.who: name for named in people.values() for to, name in named}
    names |= _names(work, {to.person_id for group in told.values() for to in group if to.who not in names})
    return [
        Letter(
            code,
            place,
            told.get(code, ()),
            tuple(names.get(to.who, to.address) for to in told.get(code, ())),
            vacant=code not in held,
        )
        for code, place in places
    ]


_Named = tuple[Recipient, str]


def _names(work: Work, people: set[int | None]) -> dict[int | str, str]:
    """The names of those who stand in; no statement when nobody does."""
    if not people - {None}:
        return {}
    return dict(
        work.session.execute(select(Person.id, Person.name).where(Person.id.in_(people - {None}))).all()
    )


def _holders(work: Work, codes: Sequence[int], role: str, system: str | None) -> Mapping[int, list[_Named]]:
    """The primary holders, where none is primary the others; with them whoever is substitute in these days."""
    description = work.registry.content.role(role)
    across = description.scope is RoleScope.MUNICIPALITY
    held = holders.of_roles(work, codes, [role])
    ranked: dict[int, dict[int, dict[object, _Named]]] = defaultdict(lambda: defaultdict(dict))
    for (code, _role), everybody in held.items():
        for each in everybody if across or system is None else _of_system(everybody, system):
            rank = 0 if each.primary else 2 if each.substitute else 1
            standing = ("primær ", "", "stedfortræder som ")[rank]
            for_whom = f" for {each.stands_for}" if each.stands_for else ""
            reason = f"{standing}{description.name.lower()}{for_whom}"
            recipient = Recipient(each.person_id, each.address, code, reason)
            ranked[code][rank].setdefault(each.who, (recipient, each.name))
    found = {}
    for code, ranks in ranked.items():
        first = ranks[min(ranks)]
        found[code] = [*first.values(), *(each for who, each in ranks[2].items() if who not in first)]
    return found


def _of_system(everybody: Iterable[holders.Holder], system: str) -> list[holders.Holder]:
    return [each for each in everybody if each.system == system]


def _administrators(work: Work, codes: Iterable[int], role: str) -> Mapping[int, list[_Named]]:
    rows = work.session.execute(
        select(Membership.municipality_id, Person.id, Person.name, Person.email)
        .join(Person, Person.id == Membership.person_id)
        .where(
            access.memberships(work),
            Membership.municipality_id.in_(list(codes)),
            Membership.level == Level.ADMINISTRATOR.value,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
        .order_by(Person.name_key, Person.id)
    )
    found: dict[int, list[_Named]] = defaultdict(list)
    for code, person_id, name, email in rows:
        reason = f"administrator, fordi ingen har rollen {role}"
        found[code].append((Recipient(person_id, email, code, reason), name))
    return found


def fingerprint(found: Iterable[Letter]) -> str:
    """The same for the same recipients: what was looked at is what is sent."""
    who = sorted(ledger.full_key(str(letter.code), each) for letter in found for each in letter.recipients)
    return hashlib.sha256("\n".join(who).encode()).hexdigest()[:32]


def checked(subject: str, text: str) -> tuple[str, str]:
    """Both as they are sent; raises RefusedError ("subject", "text")."""
    problems: dict[str, str] = {}
    clean = {}
    for key, typed, label, limit in (
        ("subject", subject, "Emne", SUBJECT_LIMIT),
        ("text", text, "Tekst", TEXT_LIMIT),
    ):
        try:
            clean[key] = free_text.clean(
                typed, field=label, limit=limit, required=True, lines=key == "text", tick=False
            )
        except InputError as error:
            problems[key] = str(error)
    if problems:
        raise RefusedError(problems)
    return clean["subject"], clean["text"]


def send(
    work: Work, found: Sequence[Letter], criteria: Criteria, *, role: str, subject: str, text: str, key: str
) -> Sent:
    """A notice to every recipient, a mail later; the audit tells of each municipality. Raises RefusedError.

    ``key`` is the form's own, so the same press never writes twice.
    """
    access.require(work, Right.PUBLISH)
    subject, text = checked(subject, text)
    reached = [letter for letter in found if letter.recipients]
    if not reached:
        raise RefusedError(
            {"recipients": "Ingen af kommunerne har en modtager. Vælg en anden rolle eller flere kommuner."}
        )
    path = list_of(criteria)
    people = ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=WRITTEN,
                dedupe_key=f"{WRITTEN}/{key}/kommune={letter.code}",
                recipient=recipient,
                heading=subject,
                sentence=text,
                path=path,
            )
            for letter in reached
            for recipient in letter.recipients
        ],
    )
    auditing.record_all(
        work,
        [
            Act(
                "skriv",
                f"kommune/{letter.code}",
                {"rolle": role, "modtagere": len(letter.recipients)},
                letter.code,
            )
            for letter in reached
        ],
    )
    return Sent(people, len(reached))


def list_of(criteria: Criteria) -> str:
    """The list that the message leads to in the municipality: red and yellow ones of what was chosen."""
    pairs = [(key, value) for key in _LED_TO for value in criteria.values(key)]
    path = f"/opgaver?{urlencode([*pairs, ('deadline', 'roed'), ('deadline', 'gul')])}"
    return path if len(path) <= 300 else "/opgaver?deadline=roed&deadline=gul"
