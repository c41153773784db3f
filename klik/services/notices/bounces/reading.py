"""Reading a message that came back: RFC 3464 reports, automatic answers (RFC 3834), and bounces without a report.

What is read is anybody's: broken, huge, in any character set, or made to deceive. Nothing here raises, and nothing
here decides whose mail it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from klik.domain import cpr
from klik.services.notices.bounces import classifying

DELAYED, AUTOMATIC, UNKNOWN = "forsinket", "fravaer", "ukendt"
MOST_PARTS = 200
LONGEST_TEXT = 200_000
LONGEST_REPLY = 300
_OUTER = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Cc")
_ADDRESS = re.compile(r"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+")
_MESSAGE_ID = re.compile(r"^>?\s*Message-ID:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
_QUOTED_TO = re.compile(r"^>?\s*To:\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_STATUS_LINE = re.compile(
    r"^(Action|Status|Final-Recipient|Original-Recipient|Diagnostic-Code):", re.I | re.M
)
_DAEMON = re.compile(r"mailer-daemon|postmaster|mail delivery|mail administrator", re.IGNORECASE)
_AWAY = re.compile(
    r"automatisk svar|autosvar|fraværsbesked|fraværende|ikke på kontoret|out of (the )?office"
    r"|auto(matic)?[ -]?(reply|response)|autoreply|on vacation|abwesen",
    re.IGNORECASE,
)
_WAITING = re.compile(
    r"warning message only|delivery (is )?delayed|delayed mail|will (continue|keep) trying|still being tried"
    r"|not yet been delivered|has been delayed|delivery status notification \(delay\)|do not need to resend",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"undeliver|returned mail|delivery (status notification )?\(?fail|failure notice|could not be delivered"
    r"|couldn't be delivered|wasn't able to deliver|unable to deliver|not delivered|delivery has failed|permanent"
    r"|kunne ikke leveres",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a message says about one recipient: one of the kinds of a bounce, the code, and the server's words."""

    kind: str
    status: str | None
    reply: str
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that came back. ``sent_to``: where it arrived; ``quoted_ids`` and ``recipients``: of what it quotes."""

    verdicts: tuple[Verdict, ...]
    sent_to: tuple[str, ...] = ()
    quoted_ids: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()

    def verdict(self, address: str | None) -> Verdict:
        """What it says about this address; else the first that was given up; else the first."""
        about = [verdict for verdict in self.verdicts if address and address.casefold() in verdict.recipients]
        given_up = [
            verdict for verdict in self.verdicts if verdict.kind in (classifying.HARD, classifying.SOFT)
        ]
        return (about or given_up or list(self.verdicts))[0]


def read(raw: bytes) -> Returned:
    """What the bytes say; a message that cannot be read at all is of unknown kind."""
    try:
        return _read(message_from_bytes(raw))
    except (
        Exception
    ) as fault:  # the standard library's parser has its own faults, and the bytes are anybody's
        return Returned((Verdict(UNKNOWN, None, f"kan ikke læses ({type(fault).__name__})"),))


def _read(message: Message) -> Returned:
    parts = list(_parts(message))
    text = "\n".join(_text(part) for part in parts if part.get_content_maintype() == "text")[:LONGEST_TEXT]
    originals = _originals(parts)
    quoted_to = [address for original in originals for address in _addresses(_header(original, "To"))]
    quoted_to += [address for line in _QUOTED_TO.findall(text) for address in _addresses(line)]
    failed = _addresses(_header(message, "X-Failed-Recipients"))
    verdicts = _reported(parts) or (_without_report(message, text),)
    ids = [_header(original, "Message-ID").strip() for original in originals] + _MESSAGE_ID.findall(text)
    return Returned(
        verdicts,
        sent_to=tuple(value for name in _OUTER for value in map(_plain, message.get_all(name, []))),
        quoted_ids=tuple(dict.fromkeys(each for each in ids if each)),
        recipients=tuple(
            dict.fromkeys([*quoted_to, *failed, *(who for each in verdicts for who in each.recipients)])
        ),
    )


def _parts(message: Message) -> Iterator[Message]:
    """The parts of the message itself; not those of a mail that it carries along."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        yield part
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            waiting[:0] = [each for each in part.get_payload() if isinstance(each, Message)]


def _originals(parts: Sequence[Message]) -> list[Message]:
    found: list[Message] = []
    for part in parts:
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global"):
            carried = part.get_payload()
            if isinstance(carried, list):
                found += [each for each in carried if isinstance(each, Message)]
        elif kind in ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers"):
            found.append(message_from_string(_text(part)))
    return found


def _reported(parts: Sequence[Message]) -> tuple[Verdict, ...]:
    verdicts = []
    for part in parts:
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            verdicts += [_of_block(block) for block in _blocks(part) if _header(block, "Action")]
    return tuple(verdicts)


def _blocks(part: Message) -> list[Message]:
    carried = part.get_payload()
    if isinstance(carried, list):
        blocks = [each for each in carried if isinstance(each, Message)]
        if any(_header(block, "Action") for block in blocks):
            return blocks
        carried = "\n\n".join(block.as_string() for block in blocks)
    text = _text(part) or str(carried)
    if not _STATUS_LINE.search(text):
        # In another coding than the standard allows for this part.
        coded = message_from_string(f"Content-Transfer-Encoding: base64\n\n{text.strip()}")
        text = _text(coded)
    return [message_from_string(block) for block in re.split(r"\r?\n\s*\r?\n", text)]


def _of_block(block: Message) -> Verdict:
    action = _header(block, "Action").strip().casefold()
    diagnostic = _header(block, "Diagnostic-Code")
    status = classifying.status_of(_header(block, "Status"), diagnostic)
    names = ("Final-Recipient", "Original-Recipient")
    who = tuple(address for name in names for address in _addresses(_header(block, name)))
    reply = _reply(diagnostic.partition(";")[2] or diagnostic or status or action)
    if action.startswith("failed"):
        return Verdict(classifying.classify(status, diagnostic), status, reply, who)
    kind = DELAYED if action.startswith("delayed") else AUTOMATIC
    return Verdict(kind, status, reply, who)


def _without_report(message: Message, text: str) -> Verdict:
    subject, sender = _header(message, "Subject"), _header(message, "From")
    body = text.partition("\nMessage-ID:")[0][:20_000]
    daemon = bool(_DAEMON.search(sender)) or _header(message, "Return-Path").strip() == "<>"
    replied = _header(message, "Auto-Submitted").strip().casefold().startswith("auto-replied")
    away = any(message.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))
    if _AWAY.search(subject) or away or (replied and not _DAEMON.search(sender)):
        return Verdict(AUTOMATIC, None, _reply(subject))
    # A person may write to the address too, and quote any code: only a mail server's own words count.
    if not daemon:
        return Verdict(UNKNOWN, None, _reply(subject))
    if _WAITING.search(subject) or _WAITING.search(body):
        return Verdict(DELAYED, classifying.status_of("", body), _reply(subject))
    status = classifying.status_of("", body)
    if status is None and not (_GIVEN_UP.search(subject) or _GIVEN_UP.search(body)):
        return Verdict(UNKNOWN, None, _reply(subject))
    line = next((each for each in body.splitlines() if status and status in each), "")
    kind = classifying.classify(status, body)
    return Verdict(kind, status, _reply(line or _telling(body) or subject))


def _telling(body: str) -> str:
    return next((line for line in body.splitlines() if re.search(r"\b[45]\d\d\b", line)), "")


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    given = part.get_param("charset", "utf-8")
    try:
        return payload.decode(str(given), "replace")
    except (LookupError, ValueError):
        return payload.decode("utf-8", "replace")


def _header(part: Message, name: str) -> str:
    value = part.get(name)
    return "" if value is None else _plain(value)


def _plain(value: object) -> str:
    try:
        return str(make_header(decode_header(str(value))))
    except Exception:  # an encoded word in a character set that does not exist
        return str(value)


def _addresses(value: str) -> list[str]:
    found = [address for _name, address in getaddresses([value.partition(";")[2] or value])]
    found += _ADDRESS.findall(value)
    return [each.strip("<>.").casefold() for each in dict.fromkeys(found) if "@" in each]


def _reply(words: str) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in words)
    return cpr.mask(" ".join(printable.split()))[:LONGEST_REPLY]
