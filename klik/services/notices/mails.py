"""From notices to the exact bytes of a mail: ordered, worded in Danish, masked, and with safe headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from types import MappingProxyType
from typing import Any

import css_inline
import jinja2
from markupsafe import Markup

from klik import paths
from klik.domain import cpr

TEMPLATES = paths.PACKAGE / "templates" / "mail"
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
_CLASS = re.compile(r"^\.([a-z-]+)", re.MULTILINE)
_SPECIMEN = re.compile(r'<p class="([a-z-]+)" style="([^"]*)">')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class AddressUnusableError(Exception):
    """No mail can be sent to this address."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails come from, where their links lead, what signs those that act, and where mails come back to."""

    address: str
    base_url: str
    secret: str = field(default="", repr=False)
    return_address: str = ""

    @property
    def returns_to(self) -> str:
        """The address that mails come back to, before each gets its own."""
        return self.return_address or self.address


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


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style(name: str) -> Callable[[str], Markup] | None:
    """What gives an element of this mail its style, by its class; None for a mail without ``style.css``.

    The style of each class is worked out once a process: moving styles into the elements of every mail anew takes
    as long as all the rest of making it.
    """
    file = TEMPLATES / name / "style.css"
    if not file.is_file():
        return None
    css = file.read_text("utf-8")
    specimens = "".join(f'<p class="{word}"></p>' for word in sorted(set(_CLASS.findall(css))))
    inlined = css_inline.inline(f"<style>{css}</style>{specimens}", keep_style_tags=False)
    styles = {word: Markup(f' style="{style}"') for word, style in _SPECIMEN.findall(inlined)}
    return styles.__getitem__


def render(name: str, **context: Any) -> Rendered:
    """A mail from ``templates/mail/<name>/``; styles are moved into the elements, as mail programs want it.

    With a ``style.css`` the page says ``{{ style("class") }}`` in an element; otherwise it has a style element.
    """
    style = _style(name)

    def part(file: str) -> str:
        return _environment().get_template(f"{name}/{file}").render(style=style, **context)

    html = cpr.mask(part("body.html"))
    return Rendered(
        one_line(part("subject.txt")),
        cpr.mask(part("body.txt").strip() + "\n"),
        html if style else css_inline.inline(html, load_remote_stylesheets=False, keep_style_tags=False),
    )


def build(
    sender: Sender,
    address: str,
    rendered: Rendered,
    message_id: str,
    now: datetime,
    *,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """The exact bytes: CRLF, seven bits, short lines; raises AddressUnusableError.

    ``headers`` are further ones, of klik's own making.
    """
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
    return _written_out(headers) + message.as_bytes()


def _written_out(headers: Mapping[str, str]) -> bytes:
    # The standard library folds an address that is longer than a line into encoded words, which no mail program
    # looks into for List-Unsubscribe.
    lines = [f"{name}: {value}" for name, value in headers.items()]
    assert all(len(line) < 998 and not _CONTROL.search(line) for line in lines), "not fit for a header"
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def resent(content: bytes) -> bytes:
    """The same mail with the same Message-ID, marked in its header and its text as sent again."""
    message: Any = message_from_bytes(content, policy=SMTP.clone(refold_source="none"))
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
