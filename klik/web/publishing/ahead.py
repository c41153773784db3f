"""What the preview of a publication shows, whether the task is stored already or only written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from klik.services.publishing import Draft, RecipientChoice, links
from klik.services.publishing.audience import in_words
from klik.services.publishing.preview import preview
from klik.services.tasks import unseen
from klik.services.work import Work


def ahead_names(
    work: Work,
    draft: Draft,
    codes: Sequence[int],
    choice: RecipientChoice,
    task_id: int | None,
    understood: str = "",
) -> Mapping[str, Any]:
    """The names that publishing/ahead.html needs; ``understood`` says how a pasted list was read."""
    return {
        "ahead": preview(work, draft, codes, task_id),
        "chosen_words": in_words(work, choice, draft.project),
        "understood": understood,
        "circles": links.circles(work, task_id, draft.needs),
        "news": unseen.Unseen(never=False, drawn_at=work.now, version_id=None),
    }
