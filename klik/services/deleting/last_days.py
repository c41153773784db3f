"""A task's own last day in a deletion: the announced one, or the day KOMBIT keeps the task until."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, case

from klik.models import Deletion, DeletionItem
from klik.services.deleting.progress import HOLD_NOTICE_DAYS
from klik.services.deleting.reaching import BEGUN


def own() -> ColumnElement[date]:
    """The same as `of_item`, to ask the database."""
    later = and_(DeletionItem.hold_granted.is_(True), DeletionItem.hold_until > Deletion.last_day)
    return case((later, DeletionItem.hold_until), else_=Deletion.last_day)


def of_item(deletion: Deletion, item: DeletionItem) -> date:
    """The day until whose end the municipality can take the task home without asking for more time."""
    if item.hold_granted and item.hold_until is not None:
        return max(deletion.last_day, item.hold_until)
    return deletion.last_day


def may_ask(deletion: Deletion, item: DeletionItem, today: date) -> bool:
    """Whether a page offers to ask for more time: a task that is kept comes up again two weeks before its day."""
    if deletion.state != "varslet" or item.state in BEGUN:
        return False
    day = of_item(deletion, item)
    soon = day <= today + timedelta(days=HOLD_NOTICE_DAYS)
    return day >= today and (item.hold_granted is not True or soon)


def missed(deletion: Deletion, item: DeletionItem, today: date) -> bool:
    """Whether nobody took the task home before its own last day was over, and no answer of KOMBIT is awaited."""
    if item.fetched_at is not None or item.state in ("hentet", "kvitteret"):
        return False
    if item.state in BEGUN:
        return True
    asked = item.hold_reason is not None and item.hold_granted is None
    forever = item.hold_granted is True and item.hold_until is None
    return not asked and not forever and of_item(deletion, item) < today
