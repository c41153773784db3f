"""A newsletter's words: what may be in them, and the mail and the page they become."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

from klik.domain import texts
from klik.domain.calendar import long_date
from klik.domain.errors import InputError
from klik.domain.markdown import LIMIT, check_markdown, render_markdown
from klik.domain.markdown_text import markdown_text
from klik.services import free_text
from klik.services.newsletters.links import VALID_FOR, Links
from klik.services.notices import mails
from klik.services.notices.mails import Rendered
from klik.services.work import Work

SUBJECT_LIMIT = 150
SUBJECT, BODY = "Emne", "Tekst"
TRIAL_PREFIX = "[Prøve] "
_IMAGE = re.compile(r"!\[[^\]\n]*\]\s?[(\[]")


@dataclass(frozen=True, slots=True)
class Words:
    """What KOMBIT writes: one line and Markdown."""

    subject: str
    body: str


def problems(words: Words) -> dict[str, str]:
    """Everything wrong with them at once: the field → a Danish sentence; a draft may still lack its text."""
    found: dict[str, str] = {}
    for name, label, limit, required, lines in (
        ("subject", SUBJECT, SUBJECT_LIMIT, True, False),
        ("body", BODY, LIMIT, False, True),
    ):
        text = getattr(words, name)
        try:
            cleaned = free_text.clean(
                text, field=label, limit=limit, required=required, lines=lines, tick=False
            )
            if lines:
                check_markdown(cleaned, label)
        except InputError as error:
            found[name] = str(error)
            continue
        if lines and _IMAGE.search(cleaned):
            found[name] = (
                f"{label}: billeder kan ikke være i et nyhedsbrev. Skriv et link til billedet i stedet."
            )
    return found


def cleaned(words: Words) -> Words:
    """As it is stored; only after ``problems`` found nothing."""
    return Words(
        texts.clean(words.subject, field=SUBJECT, limit=SUBJECT_LIMIT, required=True),
        texts.clean(words.body, field=BODY, limit=LIMIT, lines=True),
    )


@dataclass(frozen=True, slots=True)
class Edition:
    """A newsletter rendered once for everybody; ``to`` puts in what is one reader's own."""

    subject: str
    text: str
    html: str
    leave: str
    reason: str

    def to(self, reason: str, leave: str) -> Rendered:
        """The mail for one reader: why they get it, and where they are taken off the list."""
        return Rendered(
            self.subject,
            self.text.replace(self.leave, leave).replace(self.reason, reason),
            self.html.replace(self.leave, escape(leave)).replace(self.reason, escape(reason)),
        )


def edition(work: Work, letter_id: int, words: Words, links: Links, *, trial: bool = False) -> Edition:
    """Render the mail; styles are moved into the elements once, which is what takes time."""
    # Nothing that anybody wrote can hold these, so that putting in a reader's own words changes only its place.
    leave, reason = f"klik-{secrets.token_hex(16)}", f"klik-{secrets.token_hex(16)}"
    rendered = mails.render(
        "nyhedsbrev",
        subject=words.subject,
        prefix=TRIAL_PREFIX if trial else "",
        day=long_date(work.today),
        body=render_markdown(words.body),
        text=markdown_text(words.body),
        letter=links.letter(letter_id),
        leave=leave,
        reason=reason,
    )
    return Edition(rendered.subject, rendered.text, rendered.html, leave, reason)


def confirmation(link: str) -> Rendered:
    """The mail that asks somebody whether they asked for newsletters."""
    stands_for = f"klik-{secrets.token_hex(16)}"
    rendered = mails.render("nyhedsbrev-tilmelding", link=stands_for, days=VALID_FOR.days)
    return Rendered(
        rendered.subject,
        rendered.text.replace(stands_for, link),
        rendered.html.replace(stands_for, escape(link)),
    )


def headers(leave: str) -> Mapping[str, str]:
    """What lets a mail program take the reader off the list with one press (RFC 2369, RFC 8058)."""
    return MappingProxyType(
        {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    )
