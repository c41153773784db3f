"""The versions of a role's description: noted when klik first meets them, compared, and marked as read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from klik.content.loading import Content
from klik.content.roles import RoleDescription
from klik.domain.passages import Words, wording
from klik.domain.rights import Right
from klik.models import RoleEdition, RoleReading
from klik.services import access
from klik.services.work import Work

# The parts of a description that people read, and their headings.
PARTS = {
    "resume": "Resume",
    "beskrivelse": "Hvad er rollen?",
    "opgaver": "Opgaver i rollen",
    "kontakt": "Hvornår kontaktes rollen?",
}


@dataclass(frozen=True, slots=True)
class Edition:
    """A version of a description: its number, what was changed, and since when klik has known it."""

    version: int
    change: str
    known_from: date


@dataclass(frozen=True, slots=True)
class PartChange:
    """What is new in one part of a description, paragraph by paragraph, word by word."""

    heading: str
    paragraphs: tuple[tuple[Words, ...], ...]


@dataclass(frozen=True, slots=True)
class Editions:
    """A role's versions, newest first; ``read`` is the one the actor last read, ``compared`` the one compared with."""

    current: int
    all: tuple[Edition, ...]
    read: int | None
    compared: int | None
    changes: tuple[PartChange, ...]

    @property
    def is_changed(self) -> bool:
        """Whether the description is another than the one the actor last read."""
        return self.read is not None and self.read < self.current


def note(session: Session, content: Content) -> int:
    """Write down each version that is not known yet, from today by the database's clock; how many were new."""
    known = {
        (role, version) for role, version in session.execute(select(RoleEdition.role, RoleEdition.version))
    }
    new = [role for role in content.roles if (role.slug, role.version) not in known]
    for role in new:
        session.execute(
            insert(RoleEdition).values(
                role=role.slug,
                version=role.version,
                change=role.change,
                content=json.dumps(texts_of(role), ensure_ascii=False),
                known_from=func.current_date(),
            )
        )
    return len(new)


def texts_of(role: RoleDescription) -> dict[str, str]:
    """A description's name and parts as they are kept."""
    return {
        "navn": role.name,
        "resume": role.summary,
        "beskrivelse": role.description,
        "opgaver": "\n".join(f"- {task}" for task in role.tasks),
        "kontakt": role.contact,
    }


def of(work: Work, role: RoleDescription, compare_with: int | None = None) -> Editions:
    """A role's versions, and what is new since the one last read, else since the one before; two statements.

    ``compare_with`` chooses another version; an unknown one is as none chosen.
    """
    rows = work.session.scalars(
        select(RoleEdition).where(RoleEdition.role == role.slug).order_by(RoleEdition.version.desc())
    ).all()
    read = work.session.scalar(
        select(RoleReading.version).where(
            RoleReading.person_id == (work.actor.person_id if work.actor else None),
            RoleReading.role == role.slug,
        )
    )
    earlier = {row.version: row for row in rows if row.version < role.version}
    chosen = next((version for version in (compare_with, read) if version in earlier), None)
    if chosen is None:
        chosen = max(earlier, default=None)
    changes = _changes(json.loads(earlier[chosen].content), texts_of(role)) if chosen is not None else ()
    return Editions(
        role.version,
        tuple(Edition(row.version, row.change, row.known_from) for row in rows),
        read,
        chosen,
        changes,
    )


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[PartChange, ...]:
    found = ((heading, wording(old.get(part, ""), new[part])) for part, heading in PARTS.items())
    return tuple(PartChange(heading, paragraphs) for heading, paragraphs in found if paragraphs)


def mark_read(work: Work, role: RoleDescription) -> None:
    """The actor has read the description as it is now."""
    actor = access.require(work, Right.READ_ROLES)
    upsert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {"version": role.version, "read_at": work.now}
    work.session.execute(
        upsert(RoleReading)
        .values(person_id=actor.person_id, role=role.slug, **row)
        .on_conflict_do_update(index_elements=["person_id", "role"], set_=row)
    )


def changed(work: Work) -> frozenset[str]:
    """The roles whose description is another than the one the actor last read; one statement."""
    if work.actor is None:
        return frozenset()
    read = dict(
        work.session.execute(
            select(RoleReading.role, RoleReading.version).where(RoleReading.person_id == work.actor.person_id)
        ).all()
    )
    return frozenset(
        role.slug for role in work.registry.content.roles if read.get(role.slug, role.version) < role.version
    )


def remembered(work: Work, slug: str) -> RoleDescription:
    """A role that nothing describes any more, under the name and with the words klik last knew."""
    role = work.registry.content.role(slug)
    if not role.is_retired:
        return role
    last = work.session.scalar(
        select(RoleEdition.content)
        .where(RoleEdition.role == slug)
        .order_by(RoleEdition.version.desc())
        .limit(1)
    )
    texts = json.loads(last) if last else {}
    return replace(
        role,
        name=texts.get("navn", role.name),
        summary=texts.get("resume", ""),
        description=texts.get("beskrivelse", ""),
    )
