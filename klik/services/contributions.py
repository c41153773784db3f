"""What the core itself declares, through the same dataclasses as any plug-in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from klik.content.loading import Content
from klik.services import deadlines, filters
from klik.services.notices import reminders, smtp
from klik.settings import SmtpAddress


def core(
    content: Content,
    relay: SmtpAddress | None = None,
    mail_from: str = "",
    leader_days: int = reminders.LEADER_DAYS,
) -> Mapping[str, Iterable[Any]]:
    """The core's deadline rules, filters, reminders and channels, by hook."""
    return {
        "klik_deadline_rules": deadlines.RULES,
        "klik_filters": filters.core_filters(content),
        "klik_notification_rules": reminders.rules(leader_days),
        "klik_channels": (smtp.channel(relay, mail_from),),
    }
