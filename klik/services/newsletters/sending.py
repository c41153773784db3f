"""Sending a newsletter: its readers are frozen in one transaction, and their mails made from the frozen rows.

The two are apart so that ten thousand readers hold nobody up, and so that a crash in between is made good: a frozen
row has its mail in the same transaction as the mail is written, so the next round goes on exactly where it stopped.
From the outbox on a mail is like any other.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from klik.domain.calendar import clock
from klik.domain.rights import Right
from klik.models import Mail, Newsletter, NewsletterAddress, NewsletterRecipient, Notice, Person
from klik.services import access, auditing
from klik.services.errors import ConflictError, RefusedError
from klik.services.newsletters import audience as chosen
from klik.services.newsletters import letter
from klik.services.newsletters.audience import Audience
from klik.services.newsletters.letter import Edition
from klik.services.newsletters.links import Links
from klik.services.newsletters.writing import DRAFT, PLANNED, SENT, held, to_change, words_of
from klik.services.notices import ledger, mails
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.mails import AddressUnusableError, Rendered, Sender
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

log = logging.getLogger("klik.newsletters")
BATCH = 200
VALIDITY = timedelta(hours=72)
GONE = "inaktiv"
NOT_SENT = "plan-fejlede"
OCCASION = "nyhedsbrev"
UNFORESEEN = "Der skete en uventet fejl. Prøv at sende det i hånden."
TRIAL_REASON = "har bedt om en prøve"


@dataclass(frozen=True, slots=True)
class Post:
    """Who mails come from, and the links in them."""

    sender: Sender
    links: Links


def send(work: Work, letter_id: int, version: int) -> int:
    """Freeze the readers now; gives how many get a mail. Raises RefusedError and ConflictError."""
    row = _ready(work, letter_id, version)
    return _freeze(work, row, access.require(work, Right.PUBLISH).person_id)


def plan(work: Work, letter_id: int, version: int, at: datetime) -> None:
    """Let it be sent at a moment to come; who gets it is decided then. Raises RefusedError and ConflictError."""
    row = _ready(work, letter_id, version)
    if at <= work.now:
        raise RefusedError({"at": "Tidspunktet er allerede passeret. Vælg et senere."})
    row.state, row.send_at, row.problem = PLANNED, at, None
    row.sent_by = access.require(work, Right.PUBLISH).person_id
    work.session.flush()
    auditing.record(work, "nyhedsbrev-planlaeg", f"nyhedsbrev/{row.id}", {"at": at.isoformat()})


def unplan(work: Work, letter_id: int) -> None:
    """Make a planned one a draft again; raises RefusedError when it has gone."""
    row = held(work, letter_id)
    if row.state == SENT:
        raise RefusedError({"": "Nyhedsbrevet er allerede sendt."})
    if row.state == PLANNED:
        row.state, row.send_at, row.problem, row.sent_by = DRAFT, None, None, None
        work.session.flush()
        auditing.record(work, "nyhedsbrev-stop", f"nyhedsbrev/{row.id}")


def trial(work: Work, post: Post, letter_id: int) -> str:
    """Mail it to oneself as it stands; gives the address. Raises RefusedError when the address is no use."""
    actor = access.require(work, Right.PUBLISH)
    row = held(work, letter_id)
    edition = letter.edition(work, row.id, words_of(row), post.links, trial=True)
    try:
        mail = _mail(work, post, edition, actor.person_id, actor.email, TRIAL_REASON)
    except AddressUnusableError as error:
        raise RefusedError({"": f"Din adresse “{actor.email}” kan ikke bruges til mail."}) from error
    work.session.execute(insert(Mail), [mail])
    auditing.record(work, "nyhedsbrev-proeve", f"nyhedsbrev/{row.id}")
    return actor.email


def make_public(work: Work, letter_id: int, *, public: bool) -> None:
    """Open a sent newsletter to anybody, or to those who are signed in alone."""
    row = held(work, letter_id)
    if row.state != SENT:
        raise RefusedError({"": "Kun et sendt nyhedsbrev kan gøres offentligt."})
    if row.public != public:
        row.public = public
        work.session.flush()
        auditing.record(work, "nyhedsbrev-offentlig", f"nyhedsbrev/{row.id}", {"public": public})


def _ready(work: Work, letter_id: int, version: int) -> Newsletter:
    row = to_change(work, letter_id)
    if row.version != version:
        raise ConflictError(row.version, ())
    check_ready(work, row)
    return row


def check_ready(work: Work, row: Newsletter) -> None:
    """Raise RefusedError for a letter that cannot go as it stands."""
    found = letter.problems(words_of(row))
    if not row.body.strip():
        found["body"] = "Tekst: skriv teksten, før nyhedsbrevet sendes."
    if found:
        raise RefusedError(found)
    chosen.check(work, Audience.parse(row.audience))


def _freeze(work: Work, row: Newsletter, sent_by: int | None) -> int:
    readers = chosen.readers(work, Audience.parse(row.audience))
    getting = sum(reader.skipped is None for reader in readers)
    if not getting:
        raise RefusedError({"levels": "Modtagere: valget har ingen modtagere. Vælg nogle flere."})
    work.session.connection().execute(
        insert(NewsletterRecipient.__table__),
        [
            {
                "newsletter_id": row.id,
                "person_id": reader.person_id,
                "municipality_id": reader.municipality_id,
                "address": reader.address.casefold(),
                "reason": reader.reason[:300],
                "skipped": reader.skipped,
            }
            for reader in readers
        ],
    )
    row.state, row.sent_at, row.sent_by, row.problem = SENT, work.now, sent_by, None
    work.session.flush()
    auditing.record(
        work,
        "nyhedsbrev-send",
        f"nyhedsbrev/{row.id}",
        {"recipients": getting, "skipped": len(readers) - getting},
    )
    return getting


def due(work: Work) -> Sequence[int]:
    """The planned letters whose time has come, the earliest first."""
    return work.session.scalars(
        select(Newsletter.id)
        .where(Newsletter.state == PLANNED, Newsletter.send_at <= work.now, Newsletter.problem.is_(None))
        .order_by(Newsletter.send_at, Newsletter.id)
    ).all()


def send_due(work: Work, letter_id: int) -> int | None:
    """Freeze a letter whose time has come; None when it was sent, withdrawn or moved meanwhile."""
    row = work.session.get(Newsletter, letter_id, with_for_update=True, populate_existing=True)
    if row is None or row.id not in due(work):
        return None
    check_ready(work, row)
    return _freeze(work, row, row.sent_by)


def note_problem(work: Work, letter_id: int, problem: str) -> None:
    """Write down why a planned letter did not go, and tell who planned it."""
    row = work.session.get(Newsletter, letter_id, with_for_update=True, populate_existing=True)
    if row is None or row.id not in due(work):
        return
    assert row.send_at is not None
    row.problem = problem[:500]
    person = work.session.get_one(Person, row.sent_by or row.created_by)
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=NOT_SENT,
                dedupe_key=f"{NOT_SENT}/nyhedsbrev={row.id}/{int(row.send_at.timestamp())}",
                recipient=Recipient(person.id, person.email, None, "planlagde nyhedsbrevet"),
                heading=f"Ikke sendt: {row.subject}",
                sentence=f"Nyhedsbrevet skulle være sendt {clock(row.send_at)}, men blev det ikke. {problem}",
                path=f"/nyhedsbreve/{row.id}",
            )
        ],
    )


def make_mails(work: Work, post: Post) -> int | None:
    """Give up to 200 frozen readers their mail; how many rows were dealt with, None when nobody waits.

    The rows are locked, and each gets its mail in the transaction the mail is written in: two processes, or one
    that was killed and begins anew, never make a second.
    """
    row = work.session.scalar(
        select(Newsletter)
        .where(Newsletter.state == SENT, Newsletter.mailed_at.is_(None))
        .order_by(Newsletter.sent_at, Newsletter.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    waiting = work.session.execute(
        select(
            NewsletterRecipient.id,
            NewsletterRecipient.person_id,
            NewsletterRecipient.municipality_id,
            NewsletterRecipient.address,
            NewsletterRecipient.reason,
            Person.active,
        )
        .outerjoin(Person, Person.id == NewsletterRecipient.person_id)
        .where(
            NewsletterRecipient.newsletter_id == row.id,
            NewsletterRecipient.mail_id.is_(None),
            NewsletterRecipient.skipped.is_(None),
        )
        .order_by(NewsletterRecipient.id)
        .limit(BATCH)
    ).all()
    if not waiting:
        # Not a change anybody made: the version stays.
        work.session.execute(
            update(Newsletter.__table__).where(Newsletter.__table__.c.id == row.id).values(mailed_at=work.now)
        )
        return 0
    edition = letter.edition(work, row.id, words_of(row), post.links)
    left = _unsubscribed(work, [each.address for each in waiting])
    written: list[dict[str, object]] = []
    carried: list[Row[Any]] = []
    skipped: list[dict[str, object]] = []
    for each in waiting:
        if each.person_id is not None and not each.active:
            skipped.append({"row": each.id, "why": GONE})
        elif each.address.casefold() in left:
            skipped.append({"row": each.id, "why": chosen.UNSUBSCRIBED})
        else:
            try:
                written.append(_mail(work, post, edition, each.person_id, each.address, each.reason or ""))
                carried.append(each)
            except AddressUnusableError:
                skipped.append({"row": each.id, "why": chosen.BOUNCED})
    _store(work, row, written, carried, skipped)
    return len(waiting)


def _unsubscribed(work: Work, addresses: Collection[str]) -> set[str]:
    keys = [address.casefold() for address in addresses]
    return set(
        work.session.scalars(
            select(NewsletterAddress.address_key).where(
                NewsletterAddress.address_key.in_(keys), NewsletterAddress.unsubscribed_at.is_not(None)
            )
        )
    )


def _mail(
    work: Work, post: Post, edition: Edition, person_id: int | None, address: str, reason: str
) -> dict[str, object]:
    leave = post.links.leave(address)
    return outgoing(work, post, edition.to(reason, leave), person_id, address, letter.headers(leave))


def outgoing(
    work: Work,
    post: Post,
    rendered: Rendered,
    person_id: int | None,
    address: str,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, object]:
    """A row of the outbox that goes at once; raises AddressUnusableError."""
    message_id = f"<{uuid.uuid4().hex}@{post.sender.address.rpartition('@')[2]}>"
    return {
        "message_id": message_id,
        "channel": ledger.MAIL,
        "person_id": person_id,
        "address": address,
        "subject": rendered.subject,
        "content": mails.build(post.sender, address, rendered, message_id, work.now, headers=headers),
        "state": "pending",
        "next_attempt_at": work.now,
        "created_at": work.now,
        "expires_at": work.now + VALIDITY,
    }


def _store(
    work: Work,
    letter_row: Newsletter,
    written: list[dict[str, object]],
    carried: Sequence[Row[Any]],
    skipped: list[dict[str, object]],
) -> None:
    table = NewsletterRecipient.__table__
    connection = work.session.connection()
    if written:
        ids = work.session.scalars(
            insert(Mail).returning(Mail.id, sort_by_parameter_order=True), written
        ).all()
        connection.execute(
            update(table).where(table.c.id == bindparam("row")).values(mail_id=bindparam("mail")),
            [{"row": to.id, "mail": mail} for to, mail in zip(carried, ids, strict=True)],
        )
        _into_inboxes(work, letter_row, zip(carried, ids, strict=True))
    if skipped:
        connection.execute(
            update(table).where(table.c.id == bindparam("row")).values(skipped=bindparam("why")), skipped
        )


def _into_inboxes(work: Work, row: Newsletter, carried: Iterable[tuple[Row[Any], int]]) -> None:
    """A line in the inbox of each reader who is a person of klik, told by the mail that is made already."""
    lines = [
        {
            "dedupe_key": f"{OCCASION}/{row.id}/p{to.person_id}",
            "occasion": OCCASION,
            "channel": ledger.MAIL,
            "municipality_id": to.municipality_id,
            "person_id": to.person_id,
            "address": to.address,
            "reason": to.reason or "modtager nyhedsbreve",
            "heading": row.subject,
            "sentence": "KOMBIT har sendt et nyhedsbrev.",
            "path": f"/nyhedsbreve/{row.id}",
            "created_at": work.now,
            "due_at": work.now,
            "mail_id": mail,
        }
        for to, mail in carried
        if to.person_id is not None
    ]
    if not lines:
        return
    statement = (sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert)(
        Notice.__table__
    )
    # A mail that is made once more is another one for the same line.
    again = statement.on_conflict_do_update(
        index_elements=["dedupe_key"], set_={"mail_id": statement.excluded.mail_id}
    )
    work.session.connection().execute(again, lines)


@dataclass(slots=True)
class Round:
    """What a round came to: letters sent at their planned time, those that could not be, and mails made."""

    sent: int = 0
    refused: int = 0
    mails: int = 0


Writing = Callable[[datetime], AbstractContextManager[Work]]


def send_all(writing: Writing, now: datetime, post: Post) -> Round:
    """Send what is planned and due, each by itself, and make the mails of everything sent, a batch a transaction."""
    done = Round()
    with writing(now) as work:
        waiting = due(work)
    for letter_id in waiting:
        try:
            with writing(now) as work:
                done.sent += send_due(work, letter_id) is not None
        except RefusedError as error:
            done.refused += 1
            with writing(now) as work:
                note_problem(work, letter_id, " ".join(error.problems.values()))
        except Exception:
            log.exception("newsletter %s could not be sent", letter_id)
            done.refused += 1
            with writing(now) as work:
                note_problem(work, letter_id, UNFORESEEN)
    while True:
        with writing(now) as work:
            made = make_mails(work, post)
        if made is None:
            return done
        done.mails += made
