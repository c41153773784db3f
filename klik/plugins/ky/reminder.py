"""That the day is coming: open tasks of the preparation, a month before the municipality takes KY into use."""

from __future__ import annotations

from datetime import date, timedelta

from klik.plugins import MunicipalTaskView, NotificationRule, long_date

DAYS_BEFORE = 30
CLOSED = frozenset({"fuldfoert", "ikke-relevant"})


def _due(task: MunicipalTaskView) -> date | None:
    if task.system != "ky" or task.phase != "forberedelse" or task.status in CLOSED or task.go_live is None:
        return None
    return task.go_live - timedelta(days=DAYS_BEFORE)


def _heading(task: MunicipalTaskView, _day: date) -> str:
    return f"{DAYS_BEFORE} dage til idriftsættelse: {task.title}"[:200]


def _sentence(task: MunicipalTaskView, _day: date) -> str:
    day = long_date(task.go_live) if task.go_live else "snart"
    return f"{task.municipality_name} tager KY i brug {day}, og opgaven hører til forberedelsen. Den er ikke løst."


BEFORE_GO_LIVE = NotificationRule(
    key="ky.30-dage-foer",
    label="30 dage til idriftsættelse",
    due=_due,
    heading=_heading,
    sentence=_sentence,
    late_days=DAYS_BEFORE,
    systems=("ky",),
)
