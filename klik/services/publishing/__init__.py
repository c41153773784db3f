"""Writing, publishing, planning and withdrawing KLIK-opgaver; the life of a task is in klik.domain.life."""

from __future__ import annotations

from klik.services.deadlines import explanation
from klik.services.publishing.audience import RecipientChoice, recipients
from klik.services.publishing.drafts import (
    DRAFT,
    change_draft,
    choice_of,
    current_version,
    draft_of,
    proposed_number,
    save_draft,
)
from klik.services.publishing.publication import ACTION, Published, publish
from klik.services.publishing.steps import Press
from klik.services.publishing.stored import publish_stored
from klik.services.publishing.text import Draft, check

__all__ = [
    "ACTION",
    "DRAFT",
    "Draft",
    "Press",
    "Published",
    "RecipientChoice",
    "change_draft",
    "check",
    "choice_of",
    "current_version",
    "draft_of",
    "explanation",
    "proposed_number",
    "publish",
    "publish_stored",
    "recipients",
    "save_draft",
]
