"""How each person wants to be told, and which addresses mails come back from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Instant, Versioned, instant, key, line, word


class NoticeSettings(Versioned, Base):
    """When a person is mailed; whoever has no row is mailed as everybody usually is.

    ``hour`` is o'clock in Denmark. ``at_once`` and ``days_before`` are words with commas between: the occasions
    that do not wait for the day's mail, and how many days before a deadline there is a reminder. None: as usual.
    ``chosen_on`` says since which Danish day some of them are wanted ("14=2026-11-22"); the others always were.
    """

    __tablename__ = "notice_settings"
    __table_args__ = (CheckConstraint("hour between 5 and 20", name="hour"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    hour: Mapped[int] = mapped_column(Integer)
    at_once: Mapped[str | None] = mapped_column(String(2000))
    days_before: Mapped[str | None] = mapped_column(String(100))
    chosen_on: Mapped[str | None] = mapped_column(String(100))


class BouncedAddress(Base):
    """An address that mails have come back from; one without a row is fine.

    ``address_key`` is the address in small letters, a person's or a functional mailbox's, so a corrected address
    is a new one. ``blod``: it may pass, and mails still go there. ``haard``: nothing is mailed there.
    """

    __tablename__ = "bounced_addresses"
    __table_args__ = (CheckConstraint("state in ('blod', 'haard')", name="state"),)

    address_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    count: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[instant]
    last_at: Mapped[instant]
    reply: Mapped[str] = mapped_column(String(500))


class Bounce(Base):
    """A message that came back about one of klik's mails; ``digest`` is its SHA-256, so reading it twice counts once.

    ``kind``: haard, blod, forsinket (still being tried), fravaer (an automatic answer), ukendt. ``mail_id`` is
    empty when the message does not prove which mail it is about.
    """

    __tablename__ = "bounces"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index(None, "mail_id"),
        CheckConstraint("kind in ('haard', 'blod', 'forsinket', 'fravaer', 'ukendt')", name="kind"),
    )

    id: Mapped[key]
    digest: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[instant]
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mails.id"))
    address: Mapped[str | None] = mapped_column(String(320))
    kind: Mapped[word]
    status: Mapped[str | None] = mapped_column(String(20))
    reply: Mapped[line]


class ChannelRoute(Versioned, Base):
    """What is told over a channel beside the mails: the tasks of one system, on the chosen occasions.

    ``occasions`` are words with commas between. KOMBIT's own: what goes there is about no single municipality.
    """

    __tablename__ = "channel_routes"
    __table_args__ = (UniqueConstraint("channel", "system_code"),)

    id: Mapped[key]
    channel: Mapped[word]
    system_code: Mapped[str] = mapped_column(String(60), ForeignKey("systems.code"))
    occasions: Mapped[str] = mapped_column(String(2000))
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[instant]
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
