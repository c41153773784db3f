"""Who looked people of a gallery up or took them home: noted once a day for the same, kept for a year."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from klik.db import rows_changed
from klik.domain.rights import Right
from klik.models import GalleryLookup, Membership, Person
from klik.services import access
from klik.services.work import Work

KEPT = timedelta(days=365)
PAGE = 100
# What can be opened or taken home, as the page of look-ups names it.
KINDS = MappingProxyType(
    {
        "galleri": "Rollegalleriet",
        "rolle": "En rolles indehavere",
        "personer": "Listen over personer",
        "person": "En persons side",
        "matrix": "Matrixen over roller",
        "fil": "Fil med personer",
        "kontakter": "Kontakter",
        "kort": "Kort over rollerne",
        "mailliste": "Mailliste",
        "vcard": "Visitkort (vCard)",
        "udvidelse": "En udvidelses side",
    }
)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What was opened: ``kind`` of KINDS, ``subject`` in words without names, whose gallery, how many people.

    ``about_person_id`` where it was one person; ``municipality_id`` None is KOMBIT and the suppliers, or all of them.
    """

    kind: str
    subject: str
    people: int
    municipality_id: int | None = None
    about_person_id: int | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """A look-up as the administrator reads it."""

    at: datetime
    who: str
    what: str
    subject: str
    about: str | None
    people: int


def is_noted(work: Work, lookup: Lookup) -> bool:
    """Whether the actor has done the same before today."""
    key = _key(work, lookup)
    return bool(work.session.scalar(select(exists().where(GalleryLookup.dedupe_key == key))))


def note(work: Work, lookup: Lookup) -> None:
    """Write down that the actor looked somebody up; the same on the same day is noted once."""
    assert work.actor is not None
    assert lookup.kind in KINDS, lookup.kind
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    work.session.execute(
        insert(GalleryLookup).on_conflict_do_nothing(index_elements=["dedupe_key"]),
        [
            {
                "dedupe_key": _key(work, lookup),
                "at": work.now,
                "membership_id": work.actor.membership_id,
                "municipality_id": lookup.municipality_id,
                "kind": lookup.kind,
                "subject": lookup.subject[:200],
                "about_person_id": lookup.about_person_id,
                "people": lookup.people,
            }
        ],
    )


def listed(work: Work, page: int = 1) -> Sequence[Noted]:
    """The look-ups in the gallery the actor answers for, the newest first, a hundred a page."""
    access.require(work, Right.MANAGE_PEOPLE)
    about = aliased(Person)
    rows = work.session.execute(
        select(GalleryLookup, Person.name, about.name)
        .join(Membership, Membership.id == GalleryLookup.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(about, about.id == GalleryLookup.about_person_id)
        .where(access.gallery_lookups(work))
        .order_by(GalleryLookup.at.desc(), GalleryLookup.id.desc())
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    )
    return [
        Noted(row.at, who, KINDS.get(row.kind, row.kind), row.subject, whom, row.people)
        for row, who, whom in rows
    ]


def sweep(work: Work) -> int:
    """Forget look-ups older than a year; returns how many."""
    return rows_changed(work.session, delete(GalleryLookup).where(GalleryLookup.at < work.now - KEPT))


def _key(work: Work, lookup: Lookup) -> str:
    assert work.actor is not None
    parts = (work.actor.membership_id, lookup.municipality_id, lookup.kind, lookup.subject)
    digest = hashlib.sha256("\n".join(map(str, (*parts, lookup.about_person_id))).encode()).hexdigest()
    return f"{work.today}/{digest}"
