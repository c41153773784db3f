"""Which of klik's mails a message that came back is about."""

from __future__ import annotations

from sqlalchemy import select

from klik.models import Mail
from klik.services.notices.bounces import verp
from klik.services.notices.bounces.reading import Returned
from klik.services.work import Work


def find(work: Work, returned: Returned, secret: str, delivered_to: str = "") -> Mail | None:
    """The mail, locked; None when the message does not prove which.

    The address it came to decides, by its signature. Only where there is none such: our Message-ID in what is
    quoted, together with the recipient that mail had. An address that is forged proves nothing, whatever else the
    message says. ``delivered_to`` is what the mail server says it came to.
    """
    try:
        mail_id = verp.mail_id((delivered_to, *returned.sent_to), secret)
    except verp.ForgedError:
        return None
    if mail_id is not None:
        return work.session.scalar(select(Mail).where(Mail.id == mail_id).with_for_update())
    for mail in work.session.scalars(
        select(Mail).where(Mail.message_id.in_(returned.quoted_ids[:20])).with_for_update()
    ):
        if mail.address.strip().casefold() in returned.recipients:
            return mail
    return None
