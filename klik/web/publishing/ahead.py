"""What the preview of a publication shows, whether the task is stored already or only written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    ticked: Collection[str] = (),
) -> Mapping[str, Any]:
    """The names that publishing/ahead.html needs; ``understood`` says how a pasted list was read.

    ``ticked`` are the vacant roles that a task "Udpeg …" is wanted for.
    """
    ahead = preview(work, draft, codes, task_id)
    offered = {each.role for each in ahead.missing if each.offered}
    return {
        "ahead": ahead,
        "ticked": ticked,
        # Not vacant today, perhaps when the time comes.
        "ticked_besides": sorted(set(ticked) - offered),
        "chosen_words": in_words(work, choice, draft.project),
        "understood": understood,
        "circles": links.circles(work, task_id, draft.needs),
        "news": unseen.Unseen(never=False, drawn_at=work.now, version_id=None),
    }
