"""The marks on addresses that mails come back from; the key is the address, so a corrected one has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from klik.db import rows_changed
from klik.models import BouncedAddress, Mail, Notice
from klik.services import access, auditing
from klik.services.notices import ledger
from klik.services.notices.bounces.classifying import HARD, SOFT
from klik.services.work import Work

# A mail that has not come back for so long has arrived: mail servers give up after five days.
PROVEN = timedelta(days=7)
SOFT_TO_HARD = 3
SOFT_FOR = timedelta(days=3)
SENT_AFTER_ALL = timedelta(days=3)


def key_of(address: str) -> str:
    """The address as marks are kept under."""
    return address.strip().casefold()


def of(work: Work, addresses: Iterable[str]) -> Mapping[str, BouncedAddress]:
    """The marks among these addresses, by key; one statement however many."""
    keys = {key_of(address) for address in addresses}
    if not keys:
        return {}
    rows = work.session.scalars(select(BouncedAddress).where(BouncedAddress.address_key.in_(keys)))
    return {row.address_key: row for row in rows}


def note(work: Work, address: str, state: str, reply: str) -> bool:
    """Count a bounce of this address; whether it is dead from now on and was not before.

    Three soft ones over three days or more, without any success among them, are a hard one.
    """
    row = _row(work, key_of(address), reply)
    was_dead = row.state == HARD
    if not was_dead and row.count and _arrived(work, row.address_key, row.first_at):
        row.count, row.first_at = 0, work.now
    row.count += 1
    row.last_at, row.reply = work.now, reply[:500]
    lasting = row.count >= SOFT_TO_HARD and row.last_at - row.first_at >= SOFT_FOR
    row.state = HARD if was_dead or state == HARD or lasting else SOFT
    work.session.flush()
    return row.state == HARD and not was_dead


def _row(work: Work, key: str, reply: str) -> BouncedAddress:
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    work.session.execute(
        insert(BouncedAddress.__table__)
        .values(address_key=key, state=SOFT, count=0, first_at=work.now, last_at=work.now, reply=reply[:500])
        .on_conflict_do_nothing(index_elements=["address_key"])
    )
    return work.session.scalars(
        select(BouncedAddress).where(BouncedAddress.address_key == key).with_for_update()
    ).one()


def _arrived(work: Work, key: str, since: datetime) -> bool:
    """Whether a mail handed over after ``since`` has not come back for a week."""
    proven = select(Mail.id).where(
        Mail.state == "sent",
        Mail.sent_at > since,
        Mail.sent_at <= work.now - PROVEN,
        func.lower(Mail.address) == key,
    )
    return work.session.scalar(proven.limit(1)) is not None


def forgive(work: Work) -> int:
    """Take the soft marks away where a mail has arrived since; how many."""
    soft = work.session.scalars(
        select(BouncedAddress).where(
            BouncedAddress.state == SOFT, BouncedAddress.last_at <= work.now - PROVEN
        )
    ).all()
    fine = [mark.address_key for mark in soft if _arrived(work, mark.address_key, mark.last_at)]
    if not fine:
        return 0
    return rows_changed(work.session, delete(BouncedAddress).where(BouncedAddress.address_key.in_(fine)))


def clear(work: Work, address: str, about: str, municipality_id: int | None) -> bool:
    """Try the address again: take its mark away and note who did; whether it had one.

    ``about`` is what the act is noted on, "membership/12". Whether the actor may is the caller's to know.
    """
    gone = rows_changed(
        work.session, delete(BouncedAddress).where(BouncedAddress.address_key == key_of(address))
    )
    if gone:
        auditing.record(work, "proev-adresse-igen", about, {}, municipality_id)
        _send_after_all(work, address)
    return bool(gone)


def _send_after_all(work: Work, address: str) -> None:
    """What was told in the inbox only, of the last three days, waits for its mail; a link to a password is old."""
    work.session.execute(
        update(Notice)
        .where(
            func.lower(Notice.address) == key_of(address),
            Notice.created_at >= work.now - SENT_AFTER_ALL,
            Notice.withdrawal_reason == ledger.BOUNCES,
            Notice.mail_id.is_(None),
            Notice.occasion != access.SECRET_OCCASION,
        )
        .values(withdrawn_at=None, withdrawal_reason=None, due_at=work.now)
    )
