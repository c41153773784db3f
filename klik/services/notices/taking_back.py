"""Taking back all that waits for somebody, when they leave a municipality."""

from __future__ import annotations

from sqlalchemy import exists, select, update

from klik.db import rows_changed
from klik.models import Mail, Notice
from klik.services.work import Work

_NOT_SENT = "pending"


def of_person(work: Work, person_id: int, municipality_id: int, why: str) -> int:
    """Withdraw the person's notices about the municipality that no mail has carried off yet; how many.

    A mail that is ready but not sent is taken apart: what it says of other places goes into a new one.
    """
    session = work.session
    about_here = exists().where(Notice.mail_id == Mail.id, Notice.municipality_id == municipality_id)
    ready = session.scalars(
        select(Mail.id)
        .where(Mail.person_id == person_id, Mail.state == _NOT_SENT, Mail.resent == 0, about_here)
        .with_for_update()
    ).all()
    if ready:
        session.execute(update(Mail).where(Mail.id.in_(ready)).values(state="stale", reply=why))
        session.execute(update(Notice).where(Notice.mail_id.in_(ready)).values(mail_id=None))
    return rows_changed(
        session,
        update(Notice)
        .where(
            Notice.person_id == person_id,
            Notice.municipality_id == municipality_id,
            Notice.mail_id.is_(None),
            Notice.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=work.now, withdrawal_reason=why[:300])
        .execution_options(synchronize_session=False),
    )
