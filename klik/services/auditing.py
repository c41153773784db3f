"""The audit trail: every act one row, chained by hash, written in the act's own transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from klik.domain import cpr
from klik.models import AuditEntry
from klik.services.work import Work

START = "0" * 64
# Any number, as long as nothing else in the database takes an advisory lock by it.
CHAIN_LOCK = 4_259_001


@dataclass(frozen=True, slots=True)
class Act:
    """What is written down of an act. ``facts`` holds ids and counts, never names or texts."""

    action: str
    subject: str
    facts: Mapping[str, Any] | None = None
    municipality_id: int | None = None


def record(
    work: Work,
    action: str,
    subject: str,
    facts: Mapping[str, Any] | None = None,
    municipality_id: int | None = None,
) -> AuditEntry:
    """Write down an act. ``facts`` holds ids and counts, never names or texts: the chain cannot be erased."""
    return record_all(work, [Act(action, subject, facts, municipality_id)])[0]


def record_all(work: Work, acts: Sequence[Act]) -> list[AuditEntry]:
    """Write down many acts in their order, an entry each; the statements do not grow with their number."""
    session = work.session
    if session.get_bind().dialect.name == "postgresql":
        # Two writers would otherwise chain to the same entry and one of them fail.
        session.execute(text("select pg_advisory_xact_lock(:number)"), {"number": CHAIN_LOCK})
    last = session.execute(
        select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)
    ).first()
    number, previous = (last.id, last.hash) if last else (0, START)
    # Nobody in particular acts as 0: the command line in the place of a municipality's administrator.
    person_id = (work.actor.person_id or None) if work.actor else None
    entries = []
    for act in acts:
        number += 1
        body = cpr.mask(json.dumps(act.facts or {}, sort_keys=True, ensure_ascii=False, default=str))
        entry = AuditEntry(
            id=number,
            at=work.now,
            person_id=person_id,
            municipality_id=act.municipality_id,
            action=act.action,
            subject=act.subject,
            facts=body,
            previous=previous,
            hash=_hash(
                number, work.now, person_id, act.municipality_id, act.action, act.subject, body, previous
            ),
        )
        previous = entry.hash
        entries.append(entry)
    session.add_all(entries)
    session.flush()
    return entries


def _hash(number: int, at: datetime, *parts: Any) -> str:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps([number, moment, *parts], ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold: the entry's number and what is wrong with it, in Danish."""

    number: int
    fault: str


def breaks(session: Session) -> Iterator[Break]:
    """Every place where the audit trail was changed, cut or forked; none in a healthy installation."""
    previous, number = START, 0
    for entry in session.scalars(
        select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)
    ):
        if entry.id != number + 1:
            yield Break(entry.id, f"følger efter nr. {number}; noget imellem mangler")
        if entry.previous != previous:
            yield Break(entry.id, "hænger ikke sammen med den forrige")
        expected = _hash(
            entry.id,
            entry.at,
            entry.person_id,
            entry.municipality_id,
            entry.action,
            entry.subject,
            entry.facts,
            entry.previous,
        )
        if entry.hash != expected:
            yield Break(entry.id, "er ændret, efter at den blev skrevet")
        previous, number = entry.hash, entry.id
