"""What happens when a mail comes back: the mail, the address, those who look after it, and what it told."""

from __future__ import annotations

import hashlib
import random
from datetime import timedelta

from sqlalchemy import select

from klik.models import Bounce, Mail
from klik.services.notices.bounces import classifying, instead, marks, matching, reading, telling
from klik.services.work import Work

# A soft bounce means "in some hours perhaps"; the relay has tried for a while already.
AGAIN_HOURS = (4, 12, 24)
REFUSED_WITH = "kommet retur"


def receive(
    work: Work, message: bytes, secret: str, *, digest: str | None = None, delivered_to: str = ""
) -> Bounce | None:
    """Take in one message that came to the return path; None when it has been taken in before.

    ``digest`` is the SHA-256 of the whole message where ``message`` is only its beginning.
    """
    digest = digest or hashlib.sha256(message).hexdigest()
    if work.session.scalar(select(Bounce.id).where(Bounce.digest == digest)) is not None:
        return None
    returned = reading.read(message)
    mail = matching.find(work, returned, secret, delivered_to)
    verdict = returned.verdict(mail.address if mail else None)
    about = returned.recipients[0] if returned.recipients else None
    bounce = Bounce(
        digest=digest,
        received_at=work.now,
        mail_id=mail.id if mail else None,
        address=(mail.address if mail else about or "")[:320] or None,
        # What does not prove which mail it is about has no effect, and is counted as what it is: unknown.
        kind=verdict.kind if mail or verdict.kind == reading.AUTOMATIC else reading.UNKNOWN,
        status=verdict.status,
        reply=verdict.reply,
    )
    work.session.add(bounce)
    work.session.flush()
    if mail is not None:
        _act(work, mail, verdict)
    return bounce


def refused(work: Work, mail: Mail, reply: str) -> None:
    """The relay itself would not take the mail: marks the address when the answer says that it does not exist."""
    if classifying.refused_for_good(reply):
        _address_is_dead(work, mail, reply)


def _act(work: Work, mail: Mail, verdict: reading.Verdict) -> None:
    if verdict.kind == classifying.HARD:
        _come_back(work, mail, verdict.reply)
        _address_is_dead(work, mail, verdict.reply)
    elif verdict.kind == classifying.SOFT:
        if marks.note(work, mail.address, classifying.SOFT, verdict.reply):
            _come_back(work, mail, verdict.reply)
            _tell(work, mail, verdict.reply)
        else:
            _try_again(work, mail, verdict.reply)


def _address_is_dead(work: Work, mail: Mail, reply: str) -> None:
    if marks.note(work, mail.address, classifying.HARD, reply):
        _tell(work, mail, reply)
    else:
        # Those who look after it know already; what this mail told must still reach somebody.
        instead.tell_mail_anew(work, mail)


def _tell(work: Work, mail: Mail, reply: str) -> None:
    telling.tell(work, mail, reply)
    instead.tell_mail_anew(work, mail)


def _come_back(work: Work, mail: Mail, reply: str) -> None:
    mail.state, mail.reply = "bounced", f"{REFUSED_WITH}: {reply}"[:500]
    mail.lease_owner = mail.lease_until = None
    work.session.flush()


def _try_again(work: Work, mail: Mail, reply: str) -> None:
    """The same mail once more after some hours, as long as what it says still holds."""
    if mail.state not in ("sent", "in_doubt"):
        return
    bounced = work.session.scalars(
        select(Bounce.id).where(Bounce.mail_id == mail.id, Bounce.kind == "blod")
    ).all()
    hours = AGAIN_HOURS[min(len(bounced), len(AGAIN_HOURS)) - 1] * random.uniform(1.0, 1.25)
    at = work.now + timedelta(hours=hours)
    if at >= mail.expires_at:
        _come_back(work, mail, reply)
        return
    mail.state, mail.sent_at, mail.next_attempt_at = "pending", None, at
    mail.reply = f"{REFUSED_WITH}, forsøges igen: {reply}"[:500]
    mail.lease_owner = mail.lease_until = None
    mail.attempts = max(mail.attempts, 1)
    work.session.flush()
