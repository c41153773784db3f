"""What plug-ins told of their topics, and whether everybody who subscribes was told; whatever the rows say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from sqlalchemy import select

from klik.models import PluginAnnouncement
from klik.services.control.findings import Untold
from klik.services.notices import announcements, ledger
from klik.services.work import Work

PATIENCE = timedelta(minutes=15)


def untold(work: Work) -> Iterable[Untold]:
    """A notice that a subscriber lacks of what was told in the last week, reckoned from the subscriptions."""
    recent = work.session.scalars(
        select(PluginAnnouncement).where(
            PluginAnnouncement.topic.in_(work.registry.topics.keys()),
            PluginAnnouncement.created_at >= work.now - announcements.NEWS,
            PluginAnnouncement.created_at < work.now - PATIENCE,
        )
    ).all()
    for announcement in recent:
        lacking = ledger.not_entered(work, announcements.drafts_of(work, [announcement]))
        for draft in lacking:
            subject = ledger.full_key(draft.dedupe_key, draft.recipient)
            yield Untold(announcement.topic, subject, _tell(announcement.id))


def _tell(announcement_id: int) -> Callable[[Work], int]:
    def heal(work: Work) -> int:
        announcement = work.session.get_one(PluginAnnouncement, announcement_id)
        announcement.told_at = announcement.told_at or work.now
        work.session.flush()
        return ledger.enqueue(work, announcements.drafts_of(work, [announcement]))

    return heal
