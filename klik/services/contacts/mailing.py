"""A mailing list for a selection of roles: who is in it, who is left out and why, and how Outlook takes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from klik.content.roles import RoleDescription, RoleScope
from klik.domain.texts import sort_key
from klik.services import small_tables
from klik.services.contacts import book, first
from klik.services.contacts.book import Book, Contact, Place, Slot
from klik.services.contacts.wanted import CONTACT, PLAIN, Wanted
from klik.services.work import Work

# Exchange Online takes 500 recipients in one mail unless its administrator chose otherwise.
MOST_PER_MAIL = 500
VACANT = "Rollen er ubesat"
RETURNED = "Mails til adressen kommer retur"
MAILBOX = "Fælles postkasse, og de er valgt fra"
NO_ROLE = "Ingen rolle er KOMBITs kontakt i den fase"
# What an address cannot be pasted with: it would end the address, or begin another.
_UNSAFE = re.compile(r"[\s;,<>\"()\[\]\\]")
_BARE_NAME = re.compile(r"[\w .'-]*")


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address, once; ``contacts`` are the roles it is in the list for, the first one foremost."""

    contacts: tuple[Contact, ...]

    @property
    def contact(self) -> Contact:
        """The person or mailbox."""
        return self.contacts[0]

    @property
    def places(self) -> tuple[str, ...]:
        """The municipalities; somebody may work in two."""
        return tuple(dict.fromkeys(each.municipality for each in self.contacts))

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles in words: "Systemansvarlig for KY", "Superbruger for KP (stedfortræder)"."""
        return tuple(dict.fromkeys(role_in_words(each) for each in self.contacts))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody, or a role, that is not in the list, and why."""

    code: int
    municipality: str
    role: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class MailingList:
    """Recipients in Danish order of names, each once, and those left out."""

    recipients: tuple[Recipient, ...]
    left_out: tuple[LeftOut, ...]


def role_in_words(contact: Contact) -> str:
    """ "Systemansvarlig for KY (stedfortræder)"."""
    system = f" for {contact.system.upper()}" if contact.system else ""
    return f"{contact.role.name}{system}{' (stedfortræder)' if contact.substitute else ''}"


def build(work: Work, wanted: Wanted) -> MailingList:
    """The list of what is wanted; without a role everybody who holds one. The same few statements for any number."""
    content = work.registry.content
    asked = [role for role in content.roles if not wanted.roles or role.slug in wanted.roles]
    if CONTACT in wanted.roles:
        asked = list(dict.fromkeys([*asked, *first.roles_of(content)]))
    found = book.read(work, asked)
    taken: dict[str, list[Contact]] = {}
    left_out: list[LeftOut] = []
    for place in found.places:
        if not first.fits(wanted, place):
            continue
        for slot, role, system in _slots(work, wanted, found, place):
            words = f"{role.name} for {system.upper()}" if role and system else role.name if role else system
            if slot is None or slot.vacant:
                left_out.append(LeftOut(place.code, place.name, words or "", "", VACANT if slot else NO_ROLE))
            for each in _holders(wanted, slot):
                reason = _reason(wanted, each)
                if reason:
                    left_out.append(LeftOut(place.code, place.name, role_in_words(each), each.name, reason))
                else:
                    taken.setdefault(each.address.casefold(), []).append(each)
    recipients = [Recipient(tuple(contacts)) for contacts in taken.values()]
    recipients.sort(key=lambda each: (sort_key(each.contact.name), each.contact.address.casefold()))
    return MailingList(tuple(recipients), tuple(dict.fromkeys(left_out)))


_Asked = tuple[Slot | None, RoleDescription | None, str | None]


def _slots(work: Work, wanted: Wanted, found: Book, place: Place) -> Iterator[_Asked]:
    content = work.registry.content
    systems = [
        code
        for code in found.system_names
        if code in place.systems and first.stands(wanted, code, place.systems[code])
    ]
    narrowed = bool(wanted.systems or wanted.waves or wanted.phases)
    for role in content.roles:
        if wanted.roles and role.slug not in wanted.roles:
            continue
        if role.scope is RoleScope.MUNICIPALITY:
            if systems or not narrowed:
                yield found.slot(place, role, None), role, None
        else:
            yield from ((found.slot(place, role, code), role, code) for code in systems if role.is_for(code))
    if CONTACT in wanted.roles:
        for code in systems:
            role = first.role_of(content, code, place.systems[code].phase)
            if role is None:
                yield None, None, found.system_names[code]
            elif role.slug not in wanted.roles:
                yield found.slot(place, role, code), role, code


def _holders(wanted: Wanted, slot: Slot | None) -> Iterable[Contact]:
    if slot is None:
        return ()
    holders = slot.holders if wanted.everyone else slot.holders[:1]
    return (*holders, *(slot.substitutes if wanted.substitutes else ()))


def _reason(wanted: Wanted, contact: Contact) -> str:
    if contact.returned:
        return RETURNED
    return MAILBOX if contact.is_mailbox and not wanted.mailboxes else ""


def written(recipient: Recipient, form: str) -> str:
    """The recipient as Outlook takes it: "Mette Holm <mette@koege.dk>", or the address alone."""
    contact = recipient.contact
    address = _UNSAFE.sub("", contact.address)
    name = " ".join("".join(each for each in contact.name if each.isprintable()).split())
    if form == PLAIN or contact.is_mailbox or not name:
        return address
    # Outlook ends a name at a comma or a semicolon unless the name is quoted.
    quoted = name if _BARE_NAME.fullmatch(name) else '"' + name.replace("\\", "").replace('"', "'") + '"'
    return f"{quoted} <{address}>"


def parts(recipients: Sequence[Recipient], form: str, most: int = MOST_PER_MAIL) -> list[str]:
    """The list as texts to paste into Outlook, semicolons between, at most so many in each."""
    return [
        "; ".join(written(each, form) for each in recipients[start : start + most])
        for start in range(0, len(recipients), most)
    ]


def as_text(found: MailingList, form: str) -> bytes:
    """One recipient a line, for Notepad: UTF-8 with a byte order mark."""
    return "".join(f"{written(each, form)}\r\n" for each in found.recipients).encode("utf-8-sig")


HEADINGS = ("Navn", "Mail", "Telefon", "Kommune", "Roller", "Med på listen", "Hvorfor ikke")


def as_csv(found: MailingList) -> bytes:
    """Everybody in the list, then those left out with the reason, for a Danish Excel."""
    within = (
        (
            each.contact.name,
            each.contact.address,
            each.contact.phone,
            ", ".join(each.places),
            ", ".join(each.roles),
            "Ja",
            None,
        )
        for each in found.recipients
    )
    without = (
        (each.name or None, None, None, each.municipality, each.role, "Nej", each.reason)
        for each in found.left_out
    )
    return small_tables.as_csv(HEADINGS, (*within, *without))
