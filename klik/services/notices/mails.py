"""From notices to the exact bytes of a mail: ordered, worded in Danish, masked, and with safe headers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import Any

import css_inline
import jinja2

from klik import paths
from klik.domain import cpr
from klik.domain.deadlines import Colour

TEMPLATES = paths.PACKAGE / "templates" / "mail"
MOST_LINES = 50
LONGEST_SUBJECT = 150
RESENT_HEADER = "X-KLIK-Gensendt"
RESENT_LINE = (
    "Denne mail er sendt igen, fordi klik ikke kunne se, om den kom frem første gang. "
    "Har du allerede fået den, så se bort fra denne."
)
# What may stand in an address that is put into a header; nothing here can end the header or name another.
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class AddressUnusableError(Exception):
    """No mail can be sent to this address."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails come from, where their links lead, what signs them, and where mails come back to."""

    address: str
    base_url: str
    secret: str = field(default="", repr=False)
    return_address: str = ""

    @property
    def returns_to(self) -> str:
        """The address that mails come back to, before each gets its own."""
        return self.return_address or self.address


@dataclass(frozen=True, slots=True)
class Line:
    """One notice in a mail. ``colour`` is the task's today, None for what is no open task.

    ``rows`` are further lines of its own, a task each; ``stop`` is where a mail that was asked for is ended.
    """

    heading: str
    sentence: str
    reason: str
    url: str
    colour: Colour | None
    rows: tuple[str, ...] = ()
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """The notices about one municipality, the most urgent first; without a name: about none in particular."""

    municipality: str | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail in words."""

    subject: str
    text: str
    html: str


def usable_address(typed: str) -> str:
    """The address as a mail server takes it, its domain in plain letters; raises AddressUnusableError."""
    local, _, domain = typed.strip().rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode('ascii')}" if not domain.isascii() else typed.strip()
    except UnicodeError as error:
        raise AddressUnusableError(typed) from error
    if not _ADDRESS.fullmatch(plain) or ".." in plain:
        raise AddressUnusableError(typed)
    return plain


def one_line(text: str) -> str:
    """Text fit for a header: no control characters, one space between words, no CPR number."""
    return cpr.mask(" ".join(_CONTROL.sub(" ", text).split()))


def subject(sections: Sequence[Section]) -> str:
    """ "klik: 2 røde og 3 gule opgaver i Køge"; a single notice gives its own heading."""
    lines = [line for section in sections for line in section.lines]
    if len(lines) == 1:
        return one_line(lines[0].heading)[:LONGEST_SUBJECT]
    counts = Counter(line.colour for line in lines)
    red, yellow = counts[Colour.RED], counts[Colour.YELLOW]
    others = len(lines) - red - yellow
    colours = [
        f"{count} {one if count == 1 else many}"
        for count, one, many in ((red, "rød", "røde"), (yellow, "gul", "gule"))
        if count
    ]
    parts = []
    if colours:
        parts.append(f"{' og '.join(colours)} {'opgave' if (yellow or red) == 1 else 'opgaver'}")
    if others:
        which = "" if not colours else "andet " if others == 1 else "andre "
        parts.append(f"{others} {which}{'varsel' if others == 1 else 'varsler'}")
    return one_line(f"klik: {' samt '.join(parts)}{_where(sections)}")[:LONGEST_SUBJECT]


def _where(sections: Sequence[Section]) -> str:
    names = [section.municipality for section in sections if section.municipality]
    if not names:
        return ""
    return f" i {names[0]}" if len(names) == 1 else f" i {len(names)} kommuner"


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(name: str, **context: Any) -> Rendered:
    """A mail from ``templates/mail/<name>/``; styles are moved into the elements, as mail programs want it."""

    def part(file: str) -> str:
        return _environment().get_template(f"{name}/{file}").render(**context)

    return Rendered(
        one_line(part("subject.txt")),
        cpr.mask(part("body.txt").strip() + "\n"),
        css_inline.inline(cpr.mask(part("body.html")), load_remote_stylesheets=False, keep_style_tags=False),
    )


def notices_mail(sections: Sequence[Section], base_url: str) -> Rendered:
    """The mail that carries notices; at most fifty are written out, the rest stand behind the link."""
    left = MOST_LINES
    shown = []
    for section in sections:
        if left > 0:
            shown.append(Section(section.municipality, section.lines[:left]))
        left -= len(section.lines)
    return render(
        "varsler",
        subject=subject(sections),
        sections=shown,
        more=max(0, -left),
        ledger=f"{base_url}/varsler/mine",
    )


def build(sender: Sender, address: str, rendered: Rendered, message_id: str, now: datetime) -> bytes:
    """The exact bytes: CRLF, seven bits, short lines; raises AddressUnusableError."""
    message = EmailMessage(policy=SMTP)
    # The standard library decodes encoded words in a value it is given, line breaks and all, into further headers.
    message["Subject"] = one_line(rendered.subject).replace("=?", "= ?")
    message["From"] = Address("klik", addr_spec=usable_address(sender.address))
    message["To"] = Address(addr_spec=usable_address(address))
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = "da"
    return message.as_bytes()


def resent(content: bytes) -> bytes:
    """The same mail with the same Message-ID, marked in its header and its text as sent again."""
    message: Any = message_from_bytes(content, policy=SMTP)
    if message[RESENT_HEADER]:
        return content
    message[RESENT_HEADER] = "1"
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            part.set_content(f"{RESENT_LINE}\n\n{part.get_content()}", cte="quoted-printable")
        elif part.get_content_type() == "text/html":
            html = re.sub(
                r"(<body[^>]*>)", rf"\1<p><strong>{RESENT_LINE}</strong></p>", part.get_content(), count=1
            )
            part.set_content(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def plain_text(content: bytes) -> str:
    """The text of a stored mail, for channels that do not take the whole mail."""
    message: Any = message_from_bytes(content, policy=SMTP)
    part = message.get_body(("plain",))
    return part.get_content().replace("\r\n", "\n") if part else ""
