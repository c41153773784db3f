"""Announced deletion, what the municipality took home, and the proof that stays when the content is gone."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Instant, OfMunicipality, Versioned, instant, key, line, word
from klik.models.municipal_task import of_municipal_task

ITEM_STATES = ("varslet", "hentet", "kvitteret", "arkiveret", "slettet")


class Deletion(Versioned, Base):
    """KOMBIT's announcement: these tasks go after the last day, on this authority (kassationshjemmel).

    The last day is open until 23:59:59 Danish time and is never moved earlier (a trigger says so).
    """

    __tablename__ = "deletions"
    __table_args__ = (CheckConstraint("state in ('varslet', 'fortrudt', 'afsluttet')", name="state"),)

    id: Mapped[key]
    state: Mapped[word]
    last_day: Mapped[date] = mapped_column(Date)
    heading: Mapped[line]
    legal_basis: Mapped[str] = mapped_column(String(500))
    decided_by: Mapped[line]
    decided_on: Mapped[date] = mapped_column(Date)
    announced_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    announced_at: Mapped[instant]
    regretted_at: Mapped[datetime | None] = mapped_column(Instant)
    note: Mapped[str | None] = mapped_column(String(500))
    query: Mapped[str | None] = mapped_column(String(4000))


class DeletionItem(OfMunicipality, Base):
    """One municipal task in a deletion: varslet → hentet → kvitteret → arkiveret → slettet.

    ``problem`` says in Danish why a task that is due waits; the next run tries it again.
    """

    __tablename__ = "deletion_items"
    __table_args__ = (
        of_municipal_task(),
        UniqueConstraint("deletion_id", "municipal_task_id"),
        CheckConstraint(f"state in {ITEM_STATES}", name="state"),
        CheckConstraint(
            "state not in ('arkiveret', 'slettet') or archive_sha256 is not null", name="archived"
        ),
        Index(None, "municipal_task_id"),
        Index(None, "municipality_id", "state"),
    )

    id: Mapped[key]
    deletion_id: Mapped[int] = mapped_column(ForeignKey("deletions.id"))
    municipal_task_id: Mapped[int] = mapped_column(Identifier)
    state: Mapped[word]
    notified_at: Mapped[datetime | None] = mapped_column(Instant)
    fetched_at: Mapped[datetime | None] = mapped_column(Instant)
    fetched_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    fetched_sha256: Mapped[str | None] = mapped_column(String(64))
    receipted_at: Mapped[datetime | None] = mapped_column(Instant)
    receipted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    case_number: Mapped[str | None] = mapped_column(String(60))
    hold_reason: Mapped[str | None] = mapped_column(String(500))
    hold_until: Mapped[date | None] = mapped_column(Date)
    hold_granted: Mapped[bool | None] = mapped_column()
    archive_sha256: Mapped[str | None] = mapped_column(String(64))
    archive_size: Mapped[int | None] = mapped_column(Identifier)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)
    archive_kept_until: Mapped[date | None] = mapped_column(Date)
    archive_removed_at: Mapped[datetime | None] = mapped_column(Instant)
    problem: Mapped[str | None] = mapped_column(String(500))


class Export(Base):
    """A package somebody asked for: a job with progress, and afterwards a receipt.

    What is in it is said by ``deletion_id`` (the municipality's tasks of a deletion), by ``task_ids`` (ticked ones,
    with commas between) or else by ``query``.
    """

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("state in ('venter', 'i-gang', 'faerdig', 'fejlet', 'annulleret')", name="state"),
        Index(None, "person_id", "created_at"),
        Index(None, "state"),
    )

    id: Mapped[key]
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[word]
    query: Mapped[str] = mapped_column(String(4000))
    deletion_id: Mapped[int | None] = mapped_column(ForeignKey("deletions.id"))
    task_ids: Mapped[str | None] = mapped_column(Text)
    state: Mapped[word]
    done: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    total: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    file_name: Mapped[str | None] = mapped_column(String(300))
    sha256: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int | None] = mapped_column(Identifier)
    error: Mapped[str | None] = mapped_column(String(500))
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    fence: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created_at: Mapped[instant]
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    fetched_at: Mapped[datetime | None] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


class ExportProof(Base):
    """What is known of an exported file for ever: code, hash and names of things, none of its content.

    ``content_key`` is the hash of what was drawn: the same content of the same day is the same file and code.
    """

    __tablename__ = "export_proofs"
    __table_args__ = (
        UniqueConstraint("content_key", "sha256"),
        Index(None, "code"),
        Index(None, "sha256"),
        Index(None, "municipal_task_id"),
        CheckConstraint("kind in ('opgave', 'pakke')", name="kind"),
    )

    id: Mapped[key]
    kind: Mapped[word] = mapped_column(default="opgave", server_default="opgave")
    code: Mapped[str] = mapped_column(String(20))
    content_key: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int | None] = mapped_column(Identifier)
    pages: Mapped[int | None] = mapped_column(Integer)
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    municipal_task_id: Mapped[int | None] = mapped_column(Identifier)
    task_number: Mapped[str | None] = mapped_column(String(12))
    project: Mapped[str | None] = mapped_column(String(60))
    tasks: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    exported_by: Mapped[str | None] = mapped_column(String(200))
    exported_at: Mapped[instant]


class DiscardedFile(Base):
    """A file nobody points at any more, to be removed from disk once the transaction that let it go is stored."""

    __tablename__ = "discarded_files"
    __table_args__ = (
        UniqueConstraint("store", "sha256"),
        CheckConstraint("store in ('files', 'arkiv')", name="store"),
    )

    id: Mapped[key]
    store: Mapped[word]
    sha256: Mapped[str] = mapped_column(String(64))
    since: Mapped[instant]
