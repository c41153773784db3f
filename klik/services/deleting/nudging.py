"""KOMBIT reminds municipalities of a deletion in its own words: seen before it is sent, once a day each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from klik.domain.calendar import days, long_date
from klik.domain.rights import Right
from klik.models import Deletion, DeletionItem, Membership, Municipality, MunicipalTask, Notice, Person
from klik.services import access, auditing
from klik.services.auditing import Act
from klik.services.deleting import notices
from klik.services.deleting import recipients as deletion_recipients
from klik.services.deleting.announcing import running
from klik.services.deleting.recipients import Told
from klik.services.errors import RefusedError
from klik.services.follow_up import writing
from klik.services.notices import ledger, recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

SUBJECT_LIMIT, TEXT_LIMIT = writing.SUBJECT_LIMIT, writing.TEXT_LIMIT
CHOSEN = "KOMBIT har valgt dig som modtager"


@dataclass(frozen=True, slots=True)
class Letter:
    """What one municipality would get: how many tasks wait, and who is told; ``today``: it was nudged today."""

    code: int
    name: str
    waiting: int
    told: Told = field(default_factory=Told)
    today: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """How many got the reminder, in how many municipalities."""

    people: int
    municipalities: int


def default_words(work: Work, deletion: Deletion) -> tuple[str, str]:
    """A subject and a text to begin with."""
    left = (deletion.last_day - work.today).days
    when = "i dag" if left == 0 else f"om {days(left)}"
    text = (
        f"Hej\n\nKOMBIT sletter “{deletion.heading}” efter {long_date(deletion.last_day)}, og I har opgaver, "
        "der ikke er hentet endnu. Åbn siden, og vælg “Hent alt”. Skal en opgave blive i klik, så vælg "
        "“Bed om at beholde”.\n\nVenlig hilsen\nKOMBIT"
    )
    return f"Opgaver slettes {when}: hent dem i klik", text


def letters(work: Work, deletion: Deletion, codes: Sequence[int]) -> Sequence[Letter]:
    """Who would get it in each of these municipalities that still has tasks to fetch."""
    access.require(work, Right.ANNOUNCE_DELETION)
    rows = work.session.execute(
        select(Municipality.id, Municipality.name, MunicipalTask.system_code)
        .join(DeletionItem, DeletionItem.municipality_id == Municipality.id)
        .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
        .where(
            DeletionItem.deletion_id == deletion.id,
            DeletionItem.state == "varslet",
            Municipality.id.in_(codes),
        )
        .order_by(Municipality.name_key)
    ).all()
    names = {code: name for code, name, _system in rows}
    systems: dict[str | None, set[int]] = {}
    for code, _name, system in rows:
        systems.setdefault(system, set()).add(code)
    told = deletion_recipients.told(work, systems)
    nudged = set(
        work.session.scalars(
            select(Notice.municipality_id).where(
                Notice.occasion == notices.NUDGE,
                Notice.path == notices.path(deletion.id),
                Notice.dedupe_key.like(f"%/rykker={work.today}/%"),
            )
        )
    )
    waiting: dict[int, int] = {}
    for code, _name, _system in rows:
        waiting[code] = waiting.get(code, 0) + 1
    return [
        Letter(code, name, waiting[code], told.get(code, Told()), code in nudged)
        for code, name in names.items()
    ]


def nudge(work: Work, deletion_id: int, codes: Sequence[int], subject: str, text: str) -> Sent:
    """Send it to everybody of these municipalities who is told of the deletion; never twice on a day.

    Raises RefusedError ("subject", "text", "codes").
    """
    deletion = running(work, deletion_id)
    subject, text = writing.checked(subject, text)
    if deletion.last_day < work.today:
        raise RefusedError({"codes": "Sidste dag er passeret, så der er ikke mere at nå."})
    found = [letter for letter in letters(work, deletion, codes) if not letter.today]
    if not found:
        raise RefusedError({"codes": "Kommuner: alle de valgte har hentet eller har fået en rykker i dag."})
    people = notices.tell(
        work,
        deletion,
        notices.NUDGE,
        f"/rykker={work.today}",
        lambda _count: subject,
        text,
        only=DeletionItem.state == "varslet",
        codes=[letter.code for letter in found],
    )
    if not people:
        raise RefusedError({"codes": "Kommuner: ingen af de valgte har en modtager, som en mail når."})
    auditing.record_all(
        work,
        [
            Act(
                "deletion-nudged",
                f"deletion/{deletion_id}",
                {"recipients": len(each.told.reached)},
                each.code,
            )
            for each in found
        ],
    )
    return Sent(people, sum(bool(each.told.reached) for each in found))


def candidates(work: Work, code: int) -> Sequence[tuple[int, str]]:
    """Who in a municipality may be told in place of those who were not reached: (person id, name and address)."""
    hard = recipients.hard_addresses(work)
    rows = work.session.execute(
        select(Person.id, Person.name, Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            access.memberships(work),
            Membership.municipality_id == code,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
        .order_by(Person.name_key, Person.id)
    )
    return [
        (person_id, f"{name} ({email})") for person_id, name, email in rows if email.casefold() not in hard
    ]


def tell_somebody(work: Work, deletion_id: int, code: int, person_id: int | None, mailbox: str) -> str:
    """Send the announcement to another recipient of a municipality; returns the address.

    A person of the municipality, or a mailbox of its own. Raises RefusedError ("person", "mailbox").
    """
    deletion = running(work, deletion_id)
    people = dict(candidates(work, code))
    count = notices.matters(work, deletion, codes=[code])
    if not count:
        raise RefusedError({"person": "Kommunen har ingen opgaver i sletningen."})
    if person_id is not None:
        if person_id not in people:
            raise RefusedError({"person": "Modtager: vælg en af personerne på listen."})
        address = work.session.get_one(Person, person_id).email
    else:
        address = _mailbox(work, mailbox)
    to = Recipient(person_id, address, code, CHOSEN)
    stamp = f"/valgt={work.today}"
    new = ledger.enqueue(work, [_draft(deletion, to, count[0].tasks, stamp)])
    if not new:
        raise RefusedError({"person": f"Varslet er allerede sendt til {address} i dag."})
    auditing.record(work, "deletion-told-anew", f"deletion/{deletion_id}", {"recipients": 1}, code)
    return address


def _mailbox(work: Work, typed: str) -> str:
    address = typed.strip()
    local, _, domain = address.partition("@")
    if not (local and "." in domain) or any(mark in address for mark in ' ,;<>"\r\n') or len(address) > 320:
        raise RefusedError(
            {"mailbox": "Funktionspostkasse skal være en mailadresse, fx digitalisering@kommune.dk."}
        )
    if address.casefold() in recipients.hard_addresses(work):
        raise RefusedError({"mailbox": f"Funktionspostkasse: mails til {address} kommer retur."})
    return address


def _draft(deletion: Deletion, to: Recipient, count: int, stamp: str) -> NoticeDraft:
    return NoticeDraft(
        occasion=notices.ANNOUNCED,
        dedupe_key=f"sletning={deletion.id}/kommune={to.municipality_id}{stamp}",
        recipient=to,
        heading=f"{notices.are_deleted(count)} efter {long_date(deletion.last_day)}",
        sentence=f"KOMBIT sletter “{deletion.heading}”. Kommunen skal hente opgaverne senest "
        f"{notices.until(deletion)}. Får du varslet i en andens sted, så giv det videre til en administrator.",
        path=notices.path(deletion.id),
        about_day=deletion.last_day,
    )
