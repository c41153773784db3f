"""vCards of people and functional mailboxes, so that a phone or Outlook knows who calls.

Version 3.0 (RFC 2426): Outlook reads 2.1 and 3.0 but refuses 4.0, while iPhones, Android phones and Gmail read both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from klik.domain import municipality_names
from klik.services.contacts.book import Contact
from klik.services.contacts.mailing import Recipient, role_in_words

LONGEST_LINE = 75  # octets, the line break not counted


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on a card; ``key`` is the same each time, so that reading it in again changes the same card.

    ``person`` false: a functional mailbox, whose address is its name.
    """

    key: str
    name: str
    organisation: str
    roles: tuple[str, ...]
    address: str
    phone: str
    person: bool = True


def of_recipients(recipients: Iterable[Recipient]) -> Iterator[Card]:
    """A card for each person and municipality, with all the roles of the selection there."""
    for recipient in recipients:
        by_place: dict[int, list[Contact]] = {}
        for contact in recipient.contacts:
            by_place.setdefault(contact.municipality_id, []).append(contact)
        yield from map(_card, by_place.values())


def _card(contacts: list[Contact]) -> Card:
    contact = contacts[0]
    return Card(
        key=key(contact.municipality_id, contact.person_id, contact.address),
        name=contact.name,
        organisation=organisation(contact.municipality),
        roles=tuple(dict.fromkeys(role_in_words(each) for each in contacts)),
        address=contact.address,
        phone=contact.phone or "",
        person=not contact.is_mailbox,
    )


def key(municipality_id: int | None, person_id: int | None, address: str) -> str:
    """What tells a card from every other of klik's."""
    who = f"person-{person_id}" if person_id else f"postkasse-{address.casefold()}"
    return f"klik-{municipality_id or 'central'}-{who}"


def organisation(municipality: str) -> str:
    """The municipality as an organisation."""
    return municipality_names.formal(municipality)


def written(cards: Iterable[Card], now: datetime) -> bytes:
    """The cards as one file in UTF-8."""
    return "".join(f"{folded(line)}\r\n" for card in cards for line in _lines(card, now)).encode()


def _lines(card: Card, now: datetime) -> tuple[str, ...]:
    return (
        "BEGIN:VCARD",
        "VERSION:3.0",
        "PRODID:-//klik//Rollegalleri//DA",
        f"UID:{escaped(card.key)}",
        f"REV:{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        f"FN:{escaped(card.name)}",
        f"N:{_structured(card)}",
        *((f"ORG:{escaped(card.organisation)}",) if card.organisation else ()),
        *((f"ROLE:{escaped(', '.join(card.roles))}",) if card.roles else ()),
        f"EMAIL;TYPE=INTERNET,PREF:{escaped(card.address)}",
        *((f"TEL;TYPE=WORK,VOICE:{escaped(card.phone)}",) if card.phone else ()),
        "END:VCARD",
    )


def _structured(card: Card) -> str:
    """Family name; given names;;; – a mailbox has its address alone."""
    given, _, family = card.name.rpartition(" ")
    if not card.person or not given:
        given, family = "", card.name
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
