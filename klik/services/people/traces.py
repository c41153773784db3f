"""What somebody did or was put down for in klik's other tables: the rest of what article 15 is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from klik.models import (
    BouncedAddress,
    BulkChange,
    ChannelRoute,
    ChecklistItem,
    Deletion,
    DeletionItem,
    Departure,
    DepartureHeir,
    Deviation,
    GalleryLookup,
    LastMeeting,
    Membership,
    Newsletter,
    Person,
    RequestKey,
    RoleAnswer,
    RoleHolding,
    RoleReading,
    Round,
    SecretToken,
    Task,
    TaskFile,
    TaskStep,
    TaskVersion,
    TopicSubscription,
)
from klik.services.work import Work


class Trace(NamedTuple):
    """A table, the columns that name the person, and the columns that are handed out."""

    model: Any
    names: tuple[str, ...]
    columns: tuple[str, ...]


TRACES: Mapping[str, Trace] = MappingProxyType(
    {
        "laest_om_roller": Trace(RoleReading, ("person_id",), ("role", "version", "read_at")),
        "svar_om_roller": Trace(
            RoleAnswer,
            ("person_id", "settled_by"),
            ("id", "round", "answer", "answered_at", "note", "settled_at", "settled_as"),
        ),
        "fratraedelser": Trace(
            Departure,
            ("person_id", "created_by"),
            ("id", "person_id", "municipality_id", "last_day", "note", "created_at", "completed_at"),
        ),
        "overtager": Trace(DepartureHeir, ("person_id",), ("departure_id", "what")),
        "sidste_moede": Trace(LastMeeting, ("person_id",), ("municipality_id", "held_on")),
        "flere_opgaver_rettet": Trace(BulkChange, ("person_id",), ("id", "at", "field", "words", "count")),
        "tjeklister": Trace(
            ChecklistItem, ("done_by", "changed_by"), ("id", "municipal_task_id", "text", "done_at")
        ),
        "afvigelser": Trace(Deviation, ("settled_by",), ("municipal_task_id", "field", "settled_at")),
        "sletning_hentet": Trace(
            DeletionItem, ("fetched_by", "receipted_by"), ("id", "fetched_at", "receipted_at", "case_number")
        ),
        "sletning_varslet": Trace(Deletion, ("announced_by",), ("id", "heading", "announced_at")),
        "klik_opgaver": Trace(Task, ("created_by", "published_by"), ("id", "created_at", "published_at")),
        "klik_opgavers_trin": Trace(TaskStep, ("person_id",), ("task_id", "at", "act", "note")),
        "klik_opgavers_udgaver": Trace(TaskVersion, ("created_by",), ("task_id", "number", "created_at")),
        "klik_opgavers_filer": Trace(TaskFile, ("added_by",), ("id", "task_id", "name", "added_at")),
        "runder": Trace(Round, ("opened_by",), ("project_id", "number", "name", "opened_at")),
        "nyhedsbreve_skrevet": Trace(
            Newsletter, ("created_by", "changed_by", "sent_by"), ("id", "subject", "created_at", "sent_at")
        ),
        "kanaler": Trace(ChannelRoute, ("created_by",), ("id", "channel", "system_code", "created_at")),
        "emner": Trace(TopicSubscription, ("person_id",), ("topic", "since")),
        "links": Trace(SecretToken, ("person_id",), ("purpose", "created_at", "expires_at", "used_at")),
        "gemte_svar": Trace(RequestKey, ("person_id",), ("action", "result", "at")),
    }
)


def of(work: Work, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Every trace of the person by Danish headings; look-ups others made name nobody but what was opened."""
    found = {heading: _rows(work, trace, person.id) for heading, trace in TRACES.items()}
    return found | {
        "foreslaaet_til_roller": _matching(
            work,
            RoleAnswer,
            RoleAnswer.proposed_email == person.email,
            ("id", "round", "proposed_name", "proposed_email", "answered_at"),
        ),
        "funktionspostkasser": _matching(
            work,
            RoleHolding,
            RoleHolding.mailbox == person.email,
            ("id", "municipality_id", "role", "valid_from", "valid_to"),
        ),
        "adresser_der_kommer_retur": _matching(
            work,
            BouncedAddress,
            BouncedAddress.address_key == person.email.casefold(),
            ("state", "count", "first_at", "last_at"),
        ),
        "opslag_af_andre": _matching(
            work,
            GalleryLookup,
            GalleryLookup.membership_id.in_(
                select(Membership.id).where(Membership.person_id == person.id).scalar_subquery()
            ),
            ("at", "kind", "subject", "municipality_id", "people"),
        ),
        "opslag_om_personen": _matching(
            work,
            GalleryLookup,
            GalleryLookup.about_person_id == person.id,
            ("at", "kind", "membership_id", "municipality_id"),
        ),
    }


def _rows(work: Work, trace: Trace, person_id: int) -> list[dict[str, Any]]:
    mine = or_(*(getattr(trace.model, name) == person_id for name in trace.names))
    return _matching(work, trace.model, mine, trace.columns)


def _matching(work: Work, model: Any, condition: Any, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    found = work.session.execute(
        select(*(getattr(model, name) for name in columns))
        .where(condition)
        .order_by(*model.__table__.primary_key)
    )
    return [{name: plain(value) for name, value in zip(columns, row, strict=True)} for row in found]


def plain(value: Any) -> Any:
    """A value as JSON carries it."""
    return value.isoformat() if isinstance(value, date | datetime) else value
