"""Newsletters, who got them, and which addresses asked for them or said no."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Instant, Versioned, instant, key, prose, word


class Newsletter(Versioned, Base):
    """A newsletter and whom it is for (Audience as JSON); its recipients are frozen when it is sent.

    ``send_at`` is the planned time and ``problem`` why it could not be kept; ``mailed_at`` is when the last
    recipient got a mail in the outbox. ``public`` ones may be read by anybody, the others by who is signed in.
    """

    __tablename__ = "newsletters"
    __table_args__ = (
        CheckConstraint("state in ('kladde', 'planlagt', 'sendt')", name="state"),
        Index(
            "ix_newsletters_unmailed",
            "sent_at",
            sqlite_where=text("state = 'sendt' and mailed_at is null"),
            postgresql_where=text("state = 'sendt' and mailed_at is null"),
        ),
    )

    id: Mapped[key]
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[prose]
    audience: Mapped[str] = mapped_column(String(4000))
    state: Mapped[word]
    send_at: Mapped[datetime | None] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[instant]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    mailed_at: Mapped[datetime | None] = mapped_column(Instant)
    problem: Mapped[str | None] = mapped_column(String(500))
    public: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class NewsletterRecipient(Base):
    """One address of a newsletter as it stood when it was sent; ``reason`` says in Danish why it is among them.

    ``skipped``: it was chosen but gets no mail, because it said no ("frameldt"), mails come back from it
    ("retur"), or the person was gone before the mail was made ("inaktiv").
    """

    __tablename__ = "newsletter_recipients"
    __table_args__ = (
        UniqueConstraint("newsletter_id", "address"),
        CheckConstraint("skipped in ('frameldt', 'retur', 'inaktiv')", name="skipped"),
        Index(None, "mail_id"),
        Index(None, "address"),
        Index(
            "ix_newsletter_recipients_unmailed",
            "newsletter_id",
            "id",
            sqlite_where=text("mail_id is null and skipped is null"),
            postgresql_where=text("mail_id is null and skipped is null"),
        ),
    )

    id: Mapped[key]
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    address: Mapped[str] = mapped_column(String(320))
    reason: Mapped[str | None] = mapped_column(String(300))
    skipped: Mapped[str | None] = mapped_column(String(10))
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mails.id"))
    unsubscribed_at: Mapped[datetime | None] = mapped_column(Instant)


class NewsletterAddress(Base):
    """An address that asked for newsletters or said no to them; one without a row has done neither.

    ``address_key`` is the address in small letters. Who said no stays out until ``confirmed_at`` is written anew;
    ``asked_count`` counts confirmation mails since ``asked_at``'s day, so that nobody's inbox can be filled.
    """

    __tablename__ = "newsletter_addresses"
    __table_args__ = (UniqueConstraint("address_key"),)

    id: Mapped[key]
    address_key: Mapped[str] = mapped_column(String(320))
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    asked_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    unsubscribed_at: Mapped[datetime | None] = mapped_column(Instant)
