"""What counts as unread in somebody's inbox, and what lies there at all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from klik.models import Notice
from klik.services import access
from klik.services.notices.ledger import BOUNCES

BAD_ADDRESS = "mailadressen kan ikke bruges"
# No mail goes to an address that does not work; what it would have said is still the person's to read.
UNMAILED = (BOUNCES, BAD_ADDRESS)


def is_own(person: Any) -> ColumnElement[bool]:
    """Whether a notice lies in the person's inbox; ``person`` is an id or a column with one."""
    return and_(
        Notice.person_id == person,
        Notice.occasion != access.SECRET_OCCASION,
        or_(Notice.withdrawn_at.is_(None), Notice.withdrawal_reason.in_(UNMAILED)),
    )


def is_unread(today: Any) -> ColumnElement[bool]:
    """Whether it is neither read nor put off to a later Danish day; ``today`` is that day or a parameter."""
    return and_(Notice.read_at.is_(None), or_(Notice.snoozed_until.is_(None), Notice.snoozed_until <= today))
