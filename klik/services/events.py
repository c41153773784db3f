"""What plug-ins are told after the commit: a row in the transaction of the cause, told later, at least once."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from klik.models import PluginEvent
from klik.plugins.views import ChangeView, PublishedView
from klik.services.work import Work

PUBLISHED = "klik_task_published"
CHANGED = "klik_municipal_task_changed"


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def note(work: Work, event: str, facts: PublishedView | ChangeView) -> None:
    """Write the event down for every plug-in that listens to it."""
    payload = json.dumps(asdict(facts), default=_plain, ensure_ascii=False)
    for plugin in work.registry.hooks.listeners(event):
        work.session.add(
            PluginEvent(
                event=event, plugin=plugin, payload=payload, created_at=work.now, next_attempt_at=work.now
            )
        )
