"""Messages as the great mail servers send them back, made around one of klik's mails; beside each what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

HARD, SOFT, DELAYED, AWAY, UNKNOWN = "haard", "blod", "forsinket", "fravaer", "ukendt"
# What servers answer: the status they state, their words, and what it means for klik.
ANSWERS = (
    ("5.1.1", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table", HARD),
    ("5.1.2", "550 5.1.2 <{to}>: Domain not found", HARD),
    ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", HARD),
    ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled.", HARD),
    ("5.2.2", "552 5.2.2 The email account that you tried to reach is over quota", SOFT),
    ("5.7.1", "550 5.7.1 Message rejected due to content restrictions", SOFT),
    ("5.7.26", "550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", SOFT),
    ("4.4.1", "connect to mx.koege.example[192.0.2.7]:25: Connection timed out", SOFT),
    ("4.2.2", "452 4.2.2 Mailbox full", SOFT),
    ("5.1.8", "550 5.1.8 Sender address rejected: Domain not found", SOFT),
)


@dataclass(frozen=True, slots=True)
class About:
    """The mail that comes back."""

    to: str
    return_path: str
    message_id: str
    original: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """A message and what klik is to make of it; ``ours`` is whether it proves which mail it is about."""

    name: str
    raw: bytes
    kind: str
    ours: bool = True


def _head(about: About, sender: str, subject: str, *more: str, to: str | None = None) -> str:
    lines = ["Return-Path: <>", f"From: {sender}", f"To: {to or about.return_path}", f"Subject: {subject}"]
    return "\n".join([*lines, "Date: Sat, 21 Nov 2026 09:00:00 +0100", *more])


def report(
    about: About,
    *,
    sender: str = "Mail Delivery System <MAILER-DAEMON@mx.koege.example>",
    subject: str = "Undelivered Mail Returned to Sender",
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "",
    quoted: str = "message/rfc822",
    to: str | None = None,
    final: str | None = None,
) -> bytes:
    """An RFC 3464 report in three parts."""
    original = about.original.decode("ascii").replace("\r\n", "\n")
    if quoted == "text/rfc822-headers":
        original = original.partition("\n\n")[0]
    block = [f"Final-Recipient: rfc822; {final or about.to}", f"Action: {action}", f"Status: {status}"]
    block += [f"Diagnostic-Code: smtp; {diagnostic}"] if diagnostic else []
    kind = 'Content-Type: multipart/report; report-type=delivery-status; boundary="=_grense"'
    parts = [
        _head(about, sender, subject, "Auto-Submitted: auto-replied", "MIME-Version: 1.0", kind, to=to),
        "",
        "--=_grense\nContent-Type: text/plain; charset=us-ascii\n",
        f"I'm sorry to have to inform you that your message could not be delivered.\n\n<{about.to}>: {diagnostic}\n",
        "--=_grense\nContent-Type: message/delivery-status\n",
        "Reporting-MTA: dns; mx.koege.example\nArrival-Date: Sat, 21 Nov 2026 08:00:00 +0100\n",
        *block,
        f"\n--=_grense\nContent-Type: {quoted}\n",
        original,
        "\n--=_grense--\n",
    ]
    return "\n".join(parts).encode()


def reports(about: About) -> Iterator[Sample]:
    """Postfix, Exchange, Gmail and sendmail: each answer in each one's report."""
    makers = (
        ("postfix", "Mail Delivery System <MAILER-DAEMON@mx.koege.example>", "message/rfc822"),
        ("exchange", "Microsoft Outlook <postmaster@koege.example>", "text/rfc822-headers"),
        ("gmail", "Mail Delivery Subsystem <mailer-daemon@googlemail.example>", "message/rfc822"),
        ("sendmail", "Mail Delivery Subsystem <MAILER-DAEMON@mail.koege.example>", "text/rfc822-headers"),
    )
    for name, sender, quoted in makers:
        for status, words, kind in ANSWERS:
            diagnostic = words.format(to=about.to)
            raw = report(about, sender=sender, status=status, diagnostic=diagnostic, quoted=quoted)
            yield Sample(f"{name} {status}", raw, kind)
    for name, sender, quoted in makers:
        raw = report(
            about,
            sender=sender,
            subject="Delivery Status Notification (Delay)",
            action="delayed",
            status="4.4.1",
            diagnostic="connect timed out",
            quoted=quoted,
        )
        yield Sample(f"{name} delayed", raw, DELAYED)
    for action in ("relayed", "expanded", "delivered"):
        yield Sample(f"postfix {action}", report(about, action=action, status="2.0.0"), AWAY)


def exim(about: About) -> Iterator[Sample]:
    """Exim states 5.0.0 whatever it was; its words tell."""
    for words, kind in (
        ("550 5.1.1 User unknown", HARD),
        ("Unrouteable address", HARD),
        ("550 No such user here", HARD),
        ("550 Mailbox quota exceeded", SOFT),
        ("550 Blocked by our spam filter", SOFT),
        ("550 Administrative prohibition", SOFT),
    ):
        yield Sample(f"exim {words}", report(about, status="5.0.0", diagnostic=words), kind)
    text = (
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\nrecipients. "
        f"This is a permanent error. The following address(es) failed:\n\n  {about.to}\n"
        "    host mx.koege.example [192.0.2.7]\n    SMTP error from remote mail server after RCPT TO:\n"
        "    550 5.1.1 no such user\n\n------ This is a copy of the message's headers. ------\n\n"
        f"Message-ID: {about.message_id}\nTo: {about.to}\n"
    )
    head = _head(
        about,
        "Mail Delivery System <Mailer-Daemon@mx.koege.example>",
        "Mail delivery failed: returning message to sender",
        f"X-Failed-Recipients: {about.to}",
        "Auto-Submitted: auto-replied",
    )
    yield Sample("exim old", f"{head}\n\n{text}".encode(), HARD)
    waiting = text.replace("permanent error", "temporary matter; the message has not yet been delivered")
    slow = head.replace(
        "Mail delivery failed: returning message to sender", "Warning: message delayed 24 hours"
    )
    yield Sample("exim warning", f"{slow}\n\n{waiting}".encode(), DELAYED)


def qmail(about: About) -> Iterator[Sample]:
    """Text alone."""
    for words, kind in (
        ("Sorry, no mailbox here by that name. (#5.1.1)", HARD),
        ("192.0.2.7 does not like recipient.\nRemote host said: 550 5.1.1 unknown user", HARD),
        ("The users mailfolder is over the allowed quota (size). (#5.2.2)", SOFT),
        ("Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)", SOFT),
        ("Sorry, no mailbox here by that name.", HARD),
        ("This user is on holiday from the server and it says no.", SOFT),
    ):
        text = (
            f"Hi. This is the qmail-send program at mx.koege.example.\nI'm afraid I wasn't able to deliver "
            "your message to the following addresses.\nThis is a permanent error; I've given up.\n\n"
            f"<{about.to}>:\n{words}\n\n--- Below this line is a copy of the message.\n\n"
            f"Return-Path: <{about.return_path}>\nTo: {about.to}\nMessage-ID: {about.message_id}\n"
        )
        head = _head(about, "MAILER-DAEMON@mx.koege.example", "failure notice")
        yield Sample(f"qmail {words[:30]}", f"{head}\n\n{text}".encode(), kind)


def away(about: About) -> Iterator[Sample]:
    """Automatic answers of people."""
    for subject, more in (
        ("Automatisk svar: klik: 2 røde opgaver", ("Auto-Submitted: auto-replied",)),
        ("Fraværsbesked", ("X-Autoreply: yes",)),
        ("Out of Office: klik", ("X-Auto-Response-Suppress: All",)),
        ("Jeg er på ferie", ("Auto-Submitted: auto-replied (vacation)", "Precedence: bulk")),
    ):
        head = _head(about, f"Jens Holm <{about.to}>", subject, *more)
        text = f"{head}\n\nJeg er tilbage mandag. Er det 550 5.1.1 vigtigt, så ring.\n"
        yield Sample(f"away {subject}", text.encode(), AWAY)
    head = _head(about, f"Jens Holm <{about.to}>", "SV: klik: 2 røde opgaver").replace("<>", f"<{about.to}>")
    yield Sample("a person", f"{head}\n\nHvad betyder 550 5.1.1 user unknown?\n".encode(), UNKNOWN)


def broken(about: About) -> Iterator[Sample]:
    """What is cut, coded wrongly, nested, huge or no mail at all."""
    whole = report(about, diagnostic="550 5.1.1 User unknown")
    yield Sample("no last boundary", whole.replace(b"--=_grense--", b""), HARD)
    yield Sample("bare carriage returns and line feeds", whole.replace(b"\n", b"\r\n"), HARD)
    yield Sample(
        "latin-1 in us-ascii", whole.replace(b"I'm sorry", "Beklager, fejl på æøå".encode("latin-1")), HARD
    )
    yield Sample("a character set that is none", whole.replace(b"us-ascii", b"klingon-8"), HARD)
    yield Sample("cut in the original", whole[: whole.index(b"message/rfc822") + 60], HARD)
    yield Sample("huge", whole + b"x" * 3_000_000, HARD)
    yield Sample("null bytes", whole.replace(b"Arrival-Date", b"\0\0Arrival"), HARD)
    yield Sample("not a mail", b"\xff\xfe\x00" * 50, UNKNOWN, ours=False)
    yield Sample("empty", b"", UNKNOWN, ours=False)
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
    yield Sample("nested three thousand deep", deep, UNKNOWN, ours=False)
    upper = about.return_path.upper()
    yield Sample("address in capitals", report(about, to=upper, diagnostic="550 5.1.1 no"), HARD)
    forwarded = report(about, final="jens@elsewhere.example", diagnostic="550 5.1.1 no such user")
    yield Sample("forwarded by the recipient", forwarded, HARD)
    plain = report(about, to="klik@klik.example", diagnostic="550 5.1.1 no such user")
    yield Sample("by the quoted Message-ID", plain, HARD)


def forged(about: About, others_token: str) -> Iterator[Sample]:
    """What must mark nothing: wrong signatures, other mails' numbers, our Message-ID without its recipient."""
    token = about.return_path.partition("+")[2].partition("@")[0]
    number, _, signature = token.partition(".")
    for name, made in (
        ("signature of zeros", f"{number}.{'a' * 12}"),
        ("another mail's signature", f"{number}.{others_token.partition('.')[2]}"),
        ("another number", f"{int(number) + 1000}.{signature}"),
        ("one letter changed", f"{number}.{'b' if signature[0] != 'b' else 'c'}{signature[1:]}"),
    ):
        to = f"klik+{made}@klik.example"
        yield Sample(
            f"forged: {name}", report(about, to=to, diagnostic="550 5.1.1 gone"), UNKNOWN, ours=False
        )
    stranger = report(
        About(about.to, about.return_path, "<guess@klik.example>", _mail("<guess@klik.example>", about.to)),
        to="klik@klik.example",
        diagnostic="550 5.1.1 gone",
    )
    yield Sample("forged: a guessed Message-ID", stranger, UNKNOWN, ours=False)
    other = About("mette@greve.example", "", about.message_id, _mail(about.message_id, "mette@greve.example"))
    raw = report(other, to="klik@klik.example", diagnostic="550 5.1.1 gone")
    yield Sample("forged: our Message-ID, another's address", raw, UNKNOWN, ours=False)


def _mail(message_id: str, to: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Message-ID"], message["To"] = message_id, to
    message.set_content("Hej")
    return message.as_bytes()


MAKERS: tuple[Callable[[About], Iterator[Sample]], ...] = (reports, exim, qmail, away, broken)


def all_of(about: About) -> list[Sample]:
    """Every sample but the forged ones."""
    return [sample for maker in MAKERS for sample in maker(about)]
