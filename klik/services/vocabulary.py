"""What the filters' values are called: everything the actor may name, in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import String, and_, cast, literal, or_, select, union_all

from klik.models import Membership, Municipality, Person, Project, Round, System, Wave
from klik.models.stamps import Part
from klik.services import access
from klik.services.criteria import Criteria
from klik.services.filters import NEWEST_ROUND
from klik.services.work import Work

_NAMED = ("projekt", "system", "kommune", "bolge", "region", "runde")
# One value may stand for several things: a wave's name in each system, a round's number in each project.
_MANY = frozenset({"bolge", "runde"})
PEOPLE_KEYS = ("ansvarlig", "udfoerer")
_LARGEST_ID = 2**31 - 1
_SIZE = 30_000


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """For each key the values that exist and their labels, in the order people read them.

    ``people`` holds person ids as text; KOMBIT's vocabulary names only those people that are asked for.
    """

    projekt: Mapping[str, str]
    system: Mapping[str, str]
    kommune: Mapping[str, str]
    bolge: Mapping[str, str]
    runde: Mapping[str, str]
    region: Mapping[str, str]
    people: Mapping[str, str]

    def of(self, key: str) -> Mapping[str, str] | None:
        """The values of a key, or None when the filter itself knows its values."""
        return getattr(self, key) if key in _NAMED else None


def read(work: Work, asked: Iterable[Criteria] = ()) -> Vocabulary:
    """The vocabulary of the actor; ``asked`` are the filters whose people must be named."""
    people = _people_ids(asked)
    key = ("vocabulary", access.sight(work), *people)
    return work.kept.once(key, lambda: _read(work, people), part=Part.FRAME, size=_SIZE)


def _read(work: Work, people: Sequence[int]) -> Vocabulary:
    municipality = work.actor.municipality_id if work.actor else None
    parts = [
        _part("projekt", Project.slug, Project.name, Project.name),
        _part("system", System.code, System.name, System.code),
        _part("bolge", Wave.slug, System.name + literal(": ") + Wave.name, Wave.slug).join(
            System, System.code == Wave.system_code
        ),
        _part(
            "runde",
            cast(Round.number, String(4)),
            Project.name + literal(": ") + Round.name,
            cast(Round.number, String(4)),
        ).join(Project, Project.id == Round.project_id),
        _part("kommune", cast(Municipality.id, String(3)), Municipality.name, Municipality.name_key).where(
            access.municipalities(work)
        ),
        _part("region", Municipality.region, Municipality.region, Municipality.region).distinct(),
    ]
    if municipality is not None or people:
        here = [Membership.person_id.in_(people)] if people else []
        if municipality is not None:
            here.append(Membership.municipality_id == municipality)
        parts.append(
            _part("people", cast(Person.id, String(20)), Person.name, Person.name_key)
            .join(Membership, Membership.person_id == Person.id)
            .where(and_(access.memberships(work), or_(*here)))
        )
    words: dict[str, dict[str, str]] = {}
    rows = work.session.execute(union_all(*parts)).all()
    for kind, value, label, _order in sorted(rows, key=lambda row: (row[0], row[3])):
        known = words.setdefault(kind, {})
        known[value] = f"{known[value]}, {label}" if kind in _MANY and value in known else label
    named = {number: f"Runde {number} ({label})" for number, label in words.get("runde", {}).items()}
    words["runde"] = {NEWEST_ROUND: "Nyeste runde", "1": "Runde 1"} | named
    return Vocabulary(**{kind: MappingProxyType(words.get(kind, {})) for kind in (*_NAMED, "people")})


def _part(kind: str, value, label, order):  # type: ignore[no-untyped-def]
    return select(
        literal(kind).label("kind"), value.label("value"), label.label("label"), order.label("place")
    )


def _people_ids(asked: Iterable[Criteria]) -> list[int]:
    values = {value for criteria in asked for key in PEOPLE_KEYS for value in criteria.values(key)}
    return sorted(
        int(value)
        for value in values
        if value.isascii() and value.isdigit() and len(value) <= 10 and int(value) <= _LARGEST_ID
    )
