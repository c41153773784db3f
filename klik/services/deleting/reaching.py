"""Whether a municipality has got the notice of a deletion (reliability D4), and why not, where it has not.

Somebody reachable has got it when a mail that names the last day was accepted and has not come back, by a person
of the municipality or one of its mailboxes; when one of its people has opened the notice, signed in; or when the
municipality has taken something of it home. A mail that came back, was refused or is in doubt tells nobody, nor
does one to an address whose mails began to come back within a week, nor one to KOMBIT in the municipality's place.
Channels beside the mail carry KOMBIT's own news and no municipality's matters, so they are never counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal, or_, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import String

from klik.models import BouncedAddress, Deletion, DeletionItem, Mail, Notice, Person
from klik.services.deleting.recipients import of_municipality
from klik.services.notices.bounces.classifying import HARD
from klik.services.work import Work

# Notices that name the tasks' last day and lead to them.
TELLING = (
    "sletning-varslet",
    "sletning-udsat",
    "sletning-rykker",
    "sletning-opfordring",
    "sletning-ophoerer",
    "sletning-passeret",
)
# A mail to an address that is found dead so soon after never arrived either: servers give up after five days.
DOUBT = timedelta(days=7)
# States from which nothing goes back to waiting.
BEGUN = ("arkiveret", "slettet")
NEVER_SENT = "Varslet er ikke sendt endnu"
NOBODY = "Kommunen har ingen modtager: varslet gik til KOMBIT"
_WORDS = {
    "pending": "Mailen til {who} venter på at blive sendt",
    "claimed": "Mailen til {who} er ved at blive sendt",
    "in_doubt": "Det er uvist, om mailen til {who} nåede frem",
    "failed": "Mailserveren afviste mailen til {who}",
    "bounced": "Mailen til {who} kom retur",
    "stale": "Mailen til {who} blev for gammel til at blive sendt",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One notice to one recipient: when it was got (None: it was not), and in words what came of it."""

    who: str
    occasion: str
    made_at: datetime
    got_at: datetime | None
    words: str
    own: bool
    returned: bool


@dataclass(slots=True)
class Contact:
    """How the notices of a deletion have fared in one municipality, the newest first."""

    attempts: list[Attempt] = field(default_factory=list)
    fetched_at: datetime | None = None

    @property
    def told_at(self) -> datetime | None:
        """When the municipality first had got the notice."""
        got = [each.got_at for each in self.attempts if each.got_at is not None and each.own]
        return min([*got, *([self.fetched_at] if self.fetched_at else [])], default=None)

    @property
    def last_at(self) -> datetime | None:
        """When something last reached the municipality or came from it."""
        got = [each.got_at for each in self.attempts if each.got_at is not None and each.own]
        return max([*got, *([self.fetched_at] if self.fetched_at else [])], default=None)

    @property
    def returned(self) -> bool:
        """Whether a mail to somebody of the municipality came back."""
        return any(each.own and each.returned for each in self.attempts)

    @property
    def why(self) -> str:
        """Why it waits, in Danish: what came of the newest to each recipient; empty when it was told."""
        if self.told_at is not None:
            return ""
        own = [each for each in self.attempts if each.own]
        if own:
            return "; ".join(dict.fromkeys({each.who: each.words for each in reversed(own)}.values()))
        return NOBODY if self.attempts else NEVER_SENT


def contacts(work: Work, deletion_id: int) -> Mapping[int, Contact]:
    """How every municipality in a deletion was told; two statements however many there are."""
    found: dict[int, Contact] = {}
    fetched = (
        select(DeletionItem.municipality_id, func.min(DeletionItem.fetched_at))
        .where(DeletionItem.deletion_id == deletion_id)
        .group_by(DeletionItem.municipality_id)
    )
    for code, moment in work.session.execute(fetched):
        found[code] = Contact(fetched_at=moment)
    for row in work.session.execute(_notices(deletion_id)):
        if row.municipality_id in found:
            found[row.municipality_id].attempts.append(_attempt(row))
    return found


def _notices(deletion_id: int) -> Select[Any]:
    return (
        select(
            Notice.municipality_id,
            Notice.occasion,
            Notice.address,
            Notice.created_at,
            Notice.read_at,
            Notice.withdrawn_at,
            Notice.withdrawal_reason,
            Person.name,
            Mail.state,
            Mail.sent_at,
            BouncedAddress.first_at,
            case((of_municipality(), 1), else_=0).label("own"),
        )
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .outerjoin(Person, Person.id == Notice.person_id)
        .outerjoin(
            BouncedAddress,
            and_(BouncedAddress.address_key == func.lower(Mail.address), BouncedAddress.state == HARD),
        )
        .where(Notice.path == f"/sletning/{deletion_id}", Notice.occasion.in_(TELLING))
        .order_by(Notice.created_at.desc(), Notice.id.desc())
    )


def _attempt(row: Row[Any]) -> Attempt:
    who = row.name or row.address
    got, words = _came_of(row, who)
    returned = got is None and row.state in ("sent", "bounced")
    return Attempt(who, row.occasion, row.created_at, got, words, bool(row.own), returned)


def _came_of(row: Row[Any], who: str) -> tuple[datetime | None, str]:
    opened = f"{who} har åbnet varslet"
    if row.state == "sent":
        sent = row.sent_at or row.created_at
        if row.first_at is None or row.first_at > sent + DOUBT:
            return (sent, f"Mailen til {who} er modtaget")
        return (row.read_at, opened) if row.read_at else (None, f"Mails til {who} kommer retur")
    if row.read_at is not None:
        return row.read_at, opened
    if row.state is not None:
        return None, _WORDS[row.state].format(who=who)
    if row.withdrawn_at is not None:
        return None, f"Mailen til {who} blev ikke sendt: {row.withdrawal_reason or 'trukket tilbage'}"
    return None, _WORDS["pending"].format(who=who)


def note_notified(work: Work) -> int:
    """Write down which municipalities have got the notice, and take it back where a mail came back; returns items.

    What is archived is not touched. Call it after mails were sent and after some came back.
    """
    running = work.session.scalars(
        select(Deletion.id).where(Deletion.state == "varslet").order_by(Deletion.id)
    ).all()
    return sum(_note_of(work, deletion_id) for deletion_id in running)


def _note_of(work: Work, deletion_id: int) -> int:
    known: dict[int, set[datetime | None]] = {}
    open_items = and_(DeletionItem.deletion_id == deletion_id, DeletionItem.state.not_in(BEGUN))
    for code, moment in work.session.execute(
        select(DeletionItem.municipality_id, DeletionItem.notified_at).where(open_items).distinct()
    ):
        known.setdefault(code, set()).add(moment)
    if not known:
        return 0
    changed = 0
    for code, contact in contacts(work, deletion_id).items():
        told_at = contact.told_at
        news = None in known.get(code, ()) and told_at is not None
        if code in known and (news or contact.returned) and known[code] != {told_at}:
            changed += len(
                work.session.scalars(
                    update(DeletionItem)
                    .where(
                        open_items,
                        DeletionItem.municipality_id == code,
                        DeletionItem.notified_at.is_distinct_from(told_at),
                    )
                    .values(notified_at=told_at)
                    .returning(DeletionItem.id),
                    execution_options={"synchronize_session": False},
                ).all()
            )
    return changed


def got_by(occasion: str, before: datetime) -> ColumnElement[bool]:
    """Whether the item's municipality had got the notice of this occasion about the hold's last day by a moment."""
    return (
        select(Notice.id)
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(
            Notice.occasion == occasion,
            Notice.path == literal("/sletning/") + sql_cast(DeletionItem.deletion_id, String),
            Notice.municipality_id == DeletionItem.municipality_id,
            Notice.about_day == DeletionItem.hold_until,
            of_municipality(),
            or_(
                and_(Mail.state == "sent", Mail.sent_at <= before),
                and_(Notice.read_at.is_not(None), Notice.read_at <= before),
            ),
        )
        .correlate(DeletionItem)
        .exists()
    )


def unreached(work: Work, deletion_id: int) -> Sequence[int]:
    """The municipalities of a deletion that were not told, by code."""
    return work.session.scalars(
        select(DeletionItem.municipality_id)
        .where(DeletionItem.deletion_id == deletion_id, DeletionItem.notified_at.is_(None))
        .distinct()
        .order_by(DeletionItem.municipality_id)
    ).all()
