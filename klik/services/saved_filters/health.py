"""Whether a saved filter still names what exists, and mending one that does not."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from sqlalchemy import and_, func, or_, select

from klik.models import Membership, Person, RoleHolding, SavedFilter
from klik.services import access, filtering
from klik.services.errors import RefusedError
from klik.services.filters import ROLE
from klik.services.saved_filters import ListedFilter
from klik.services.saved_filters.saving import QUERY_LENGTH, note, to_change
from klik.services.vocabulary import PEOPLE_KEYS, Vocabulary
from klik.services.work import Work

_NAMED = {
    "projekt": "projektet",
    "system": "it-systemet",
    "bolge": "bølgen",
    "runde": "runden",
    "region": "regionen",
    "kommune": "kommunen",
    "fase": "fasen",
    "tema": "temaet",
}
_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Fault:
    """A value of a filter that names nothing any more; ``sentence`` says so in Danish.

    ``is_person``: it is somebody who left, and another person can take the place.
    """

    key: str
    value: str
    sentence: str
    is_person: bool = False


@dataclass(frozen=True, slots=True)
class Mend:
    """A fault with what can stand in its place, as (value, label); ``suggested`` is "" for nothing."""

    fault: Fault
    choices: tuple[tuple[str, str], ...]
    suggested: str


def faults(work: Work, filters: Iterable[ListedFilter], words: Vocabulary) -> Mapping[int, tuple[Fault, ...]]:
    """What each filter names that is gone; at most one statement, and none when no filter names people.

    Of somebody else's filter only what the reader could know anyway is said: nothing of municipalities or of
    people they cannot see.
    """
    asked = {each.id: (each, parse_qsl(each.query)) for each in filters}
    people = _people(work, (pair for _each, pairs in asked.values() for pair in pairs))
    found: dict[int, tuple[Fault, ...]] = {}
    for number, (each, pairs) in asked.items():
        seen = [_fault(work, words, people, each.own, key, value) for key, value in pairs]
        if wrong := tuple(dict.fromkeys(fault for fault in seen if fault)):
            found[number] = wrong
    return found


def mends(
    work: Work, wrong: Mapping[int, Sequence[Fault]], words: Vocabulary
) -> Mapping[int, tuple[Mend, ...]]:
    """What can be done about the faults of each filter; two statements when somebody left, else none."""
    gone = {fault.value for each in wrong.values() for fault in each if fault.is_person}
    successors = _successors(work, gone) if gone else {}
    colleagues = _colleagues(work) if gone else ()
    return {
        number: tuple(_mend(work, words, fault, colleagues, successors) for fault in each)
        for number, each in wrong.items()
    }


def mend(work: Work, filter_id: int, version: int, changes: Sequence[tuple[str, str, str]]) -> SavedFilter:
    """Put other values in the place of dead ones: (key, value, new value or "" to remove it).

    Raises RefusedError when a new value means nothing or no filter would be left, and ConflictError.
    """
    row = to_change(work, filter_id, version)
    wanted = {(key, value): new for key, value, new in changes}
    pairs = [(key, wanted.get((key, value), value)) for key, value in parse_qsl(row.query)]
    query = urlencode([pair for pair in dict.fromkeys(pairs) if pair[1]], quote_via=quote, safe=":")
    criteria = filtering.read(work.registry, query)
    kept = filtering.select_tasks(work, criteria).criteria
    for (key, _value), new in wanted.items():
        if new and new not in kept.values(key):
            raise RefusedError({"ny": "Vælg en af de værdier, der står i listen, eller fjern værdien."})
    if not kept.filters:
        raise RefusedError(
            {"ny": "Så er der intet tilbage i filteret. Vælg en anden værdi, eller slet hele filteret."}
        )
    row.query = kept.as_saved().query()[:QUERY_LENGTH]
    work.session.flush()
    note(work, "mend-filter", row)
    return row


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    active: bool
    anonymised: bool


def _people(work: Work, pairs: Iterable[tuple[str, str]]) -> Mapping[str, _Known]:
    """The people named, as far as the actor may know of them: whether they are still there."""
    values = {value for key, value in pairs if key in PEOPLE_KEYS}
    ids = {int(value) for value in values if value.isascii() and value.isdigit() and len(value) <= 10}
    ids = {number for number in ids if number <= _LARGEST_ID}
    if not ids or not access.sees_people(work):
        return {}
    rows = work.session.execute(
        select(Person.id, Person.name, Person.anonymised_at, Person.active, Membership.active)
        .join(Membership, Membership.person_id == Person.id)
        .where(Person.id.in_(ids), access.memberships(work))
    )
    found: dict[str, _Known] = {}
    for number, name, anonymised_at, person_active, member_active in rows:
        before = found.get(str(number))
        active = bool(person_active and member_active) or bool(before and before.active)
        found[str(number)] = _Known(name, active, anonymised_at is not None)
    return found


def _fault(
    work: Work, words: Vocabulary, people: Mapping[str, _Known], own: bool, key: str, value: str
) -> Fault | None:
    registry = work.registry
    if "." in key and key not in registry.filters:
        return Fault(
            key, value, f"Filteret bruger “{key}”, som hører til en udvidelse, der ikke er her mere."
        )
    if key in PEOPLE_KEYS:
        return _person_fault(work, people, own, key, value)
    if key not in _NAMED or (key == "kommune" and not own):
        return None
    known = words.of(key)
    if known is None:
        choices = registry.filters[key].choices
        exists, shown = any(choice.value == value for choice in choices), value
    else:
        shown = known.get(value, value)
        exists = value in known and (key != "system" or value in registry.systems)
    if exists:
        return None
    gone = "findes ikke her" if key == "kommune" else "er udgået eller har fået et andet navn"
    return Fault(key, value, f"Filteret peger på {_NAMED[key]} “{shown}”, som {gone}.")


def _person_fault(work: Work, people: Mapping[str, _Known], own: bool, key: str, value: str) -> Fault | None:
    if value.startswith(ROLE):
        role = work.registry.content.role(value.removeprefix(ROLE))
        if not role.is_retired:
            return None
        return Fault(key, value, f"Filteret peger på rollen “{role.name}”, som er udgået.")
    if not value.isdigit() or not access.sees_people(work):
        return None
    known = people.get(value)
    if known is None:
        sentence = "Filteret peger på en person, som du ikke kan se."
        return Fault(key, value, sentence, is_person=True) if own else None
    if known.active:
        return None
    if known.anonymised:
        return Fault(key, value, "Filteret peger på en person, som er slettet.", is_person=True)
    return Fault(key, value, f"Filteret peger på {known.name}, som er fratrådt.", is_person=True)


def _colleagues(work: Work) -> tuple[tuple[str, str], ...]:
    """The active people of the actor's municipality; KOMBIT has too many to choose among."""
    municipality = work.actor.municipality_id if work.actor else None
    if municipality is None:
        return ()
    rows = work.session.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.municipality_id == municipality,
            access.memberships(work),
            Membership.active,
            Person.active,
        )
        .order_by(Person.name_key, Person.id)
    )
    return tuple((str(number), name) for number, name in rows)


def _successors(work: Work, gone: Iterable[str]) -> Mapping[str, str]:
    """For each who left, the one who holds most of their roles today."""
    old, new = RoleHolding.__table__.alias("old"), RoleHolding.__table__.alias("new")
    municipality = work.actor.municipality_id if work.actor else None
    rows = work.session.execute(
        select(old.c.person_id, new.c.person_id)
        .join(
            new,
            and_(
                new.c.municipality_id == old.c.municipality_id,
                new.c.role == old.c.role,
                func.coalesce(new.c.system_code, "") == func.coalesce(old.c.system_code, ""),
                new.c.person_id != old.c.person_id,
            ),
        )
        .where(
            old.c.municipality_id == municipality,
            old.c.person_id.in_([int(value) for value in gone if value.isdigit() and len(value) <= 10]),
            new.c.valid_from <= work.today,
            or_(new.c.valid_to.is_(None), new.c.valid_to >= work.today),
        )
        .order_by(new.c.person_id)
    )
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for before, after in rows:
        held[str(before)][str(after)] += 1
    return {person: count.most_common(1)[0][0] for person, count in held.items()}


def _mend(
    work: Work,
    words: Vocabulary,
    fault: Fault,
    colleagues: tuple[tuple[str, str], ...],
    successors: Mapping[str, str],
) -> Mend:
    if fault.is_person:
        suggested = successors.get(fault.value, "")
        return Mend(fault, colleagues, suggested if suggested in dict(colleagues) else "")
    choices = _values(work, words, fault)
    return Mend(fault, tuple(choices.items()), _nearest(fault.value, choices))


def _values(work: Work, words: Vocabulary, fault: Fault) -> Mapping[str, str]:
    wanted = work.registry.filters.get(fault.key)
    if wanted is None:
        return {}
    if fault.key in PEOPLE_KEYS:
        return {each.value: each.label for each in wanted.choices if each.value.startswith(ROLE)}
    known = words.of(fault.key)
    if known is None:
        return {each.value: each.label for each in wanted.choices}
    return {
        value: label
        for value, label in known.items()
        if fault.key != "system" or value in work.registry.systems
    }


def _nearest(value: str, choices: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(value, list(choices), n=1)
    return close[0] if close else ""
