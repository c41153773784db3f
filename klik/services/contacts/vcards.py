"""vCards of people and functional mailboxes, so that a phone or Outlook knows who calls.

Version 3.0 (RFC 2426): Outlook reads 2.1 and 3.0 but refuses 4.0, while iPhones, Android phones and Gmail read both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC

from klik.services.contacts.book import Contact
from klik.services.contacts.mailing import Recipient, role_in_words
from klik.services.work import Work

LONGEST_LINE = 75  # octets, the line break not counted


def of_recipients(work: Work, recipients: Iterable[Recipient]) -> bytes:
    """One card a person and municipality, each with all the roles of the selection there."""
    cards = []
    for recipient in recipients:
        by_place: dict[int, list[Contact]] = {}
        for contact in recipient.contacts:
            by_place.setdefault(contact.municipality_id, []).append(contact)
        cards += [_card(work, contacts) for contacts in by_place.values()]
    return "".join(cards).encode()


def of_contacts(work: Work, contacts: Sequence[Contact]) -> bytes:
    """The one card of somebody's roles in one municipality."""
    return _card(work, contacts).encode()


def _card(work: Work, contacts: Sequence[Contact]) -> str:
    contact = contacts[0]
    roles = dict.fromkeys(role_in_words(each) for each in contacts)
    who = f"person-{contact.person_id}" if contact.person_id else f"postkasse-{contact.address.casefold()}"
    phone = (f"TEL;TYPE=WORK,VOICE:{escaped(contact.phone)}",) if contact.phone else ()
    lines = (
        "BEGIN:VCARD",
        "VERSION:3.0",
        "PRODID:-//klik//Rollegalleri//DA",
        f"UID:{escaped(f'klik-kommune-{contact.municipality_id}-{who}')}",
        f"REV:{work.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        f"FN:{escaped(contact.name)}",
        f"N:{_structured(contact)}",
        f"ORG:{escaped(f'{contact.municipality} Kommune')}",
        f"ROLE:{escaped(', '.join(roles))}",
        f"EMAIL;TYPE=INTERNET,PREF:{escaped(contact.address)}",
        *phone,
        "END:VCARD",
    )
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _structured(contact: Contact) -> str:
    """Family name; given names;;; – a mailbox has its address alone."""
    given, _, family = contact.name.rpartition(" ")
    if contact.is_mailbox or not given:
        given, family = "", contact.name
    return f"{escaped(family)};{escaped(given)};;;"


def escaped(text: str) -> str:
    """A value as it stands in a card: backslash, comma, semicolon and line breaks are written with a backslash."""
    lines = "\n".join(text.splitlines())
    return lines.replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def folded(line: str) -> str:
    """The line in pieces of at most 75 octets, each after the first beginning with a space; no letter is cut."""
    pieces, piece, size = [], "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > LONGEST_LINE:
            pieces.append(piece)
            piece, size = " ", 1
        piece, size = piece + letter, size + width
    return "\r\n".join([*pieces, piece])
