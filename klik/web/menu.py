"""What every page shows around its own content: the menu, who is signed in, and announced deletions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for

from klik.domain.calendar import long_date, relative
from klik.domain.rights import Right
from klik.services import overview
from klik.services.work import Actor, Work


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the main menu."""

    label: str
    href: str
    active: bool


@dataclass(frozen=True, slots=True)
class CountdownBar:
    """The red bar on top while a deletion is announced."""

    text: str
    href: str


ENTRIES: tuple[tuple[str, str, Right], ...] = (
    ("Forside", "front.show", Right.SIGNED_IN),
    ("Opgaver", "tasks.index", Right.READ_TASKS),
    ("Overblik", "overview.show", Right.READ_TASKS),
    ("Systemer", "systems.index", Right.READ_TASKS),
    ("Udgivelser", "publishing.index", Right.PUBLISH),
    ("Roller", "roles.index", Right.READ_ROLES),
    ("Personer", "people.index", Right.READ_ROLES),
    ("Varsler", "notices.index", Right.READ_LEDGER),
    ("Sletning", "deleting.index", Right.EXPORT),
    ("Nyhedsbreve", "newsletters.index", Right.SIGNED_IN),
    ("Drift", "operations.index", Right.READ_OPERATIONS),
)


# Pages without an entry of their own, and the blueprint whose entry they belong under.
_UNDER = {
    **dict.fromkeys(
        (
            "task",
            "inline",
            "checklist",
            "bulk",
            "list_columns",
            "local_task",
            "filters",
            "announced",
            "asking",
        ),
        "tasks",
    ),
    "channels": "notices",
    "meetings": "overview",
    "follow_up": "overview",
    **dict.fromkeys(
        (
            "publishing_life",
            "publishing_not_relevant",
            "publishing_files",
            "writing",
            "playbook",
            "correcting",
            "questions",
        ),
        "publishing",
    ),
    "inbox": "notices",
    "deviations": "tasks",
    "preferences": "notices",
    "waves": "systems",
    "newsletter_writing": "newsletters",
    "newsletter_sending": "newsletters",
    "newsletter_subscribing": "newsletters",
}


def items(actor: Actor) -> list[MenuItem]:
    """The entries the actor has the right to, in order."""
    here = (request.endpoint or "").partition(".")[0]
    here = _UNDER.get(here, here)
    return [
        MenuItem(label, url_for(endpoint), endpoint.partition(".")[0] == here)
        for label, endpoint, right in ENTRIES
        if actor.has(right) and endpoint in current_app.view_functions
    ]


def set_up(app: Flask) -> None:
    """Hand the surroundings to every template."""

    @app.context_processor
    def surroundings() -> dict[str, Any]:
        work: Work | None = g.get("klik_work")
        actor: Actor | None = g.get("klik_actor")
        return {
            "actor": actor,
            "menu": items(actor) if actor else [],
            "unread_notices": g.get("klik_unread", 0),
            "request_id": g.get("request_id", ""),
            "today": work.today if work else None,
            "countdown": _countdown(work) if work and actor else None,
        }


def _countdown(work: Work) -> CountdownBar | None:
    nearest = overview.countdown(work)
    if nearest is None or "deleting.show" not in current_app.view_functions:
        return None
    left = nearest.days_left(work.today)
    when = "i dag" if left == 0 else relative(nearest.last_day, work.today)
    tasks = "1 opgave slettes" if nearest.tasks == 1 else f"{nearest.tasks} opgaver slettes"
    return CountdownBar(
        text=f"{tasks} efter {long_date(nearest.last_day)} ({when}).",
        href=url_for("deleting.show", deletion_id=nearest.deletion_id),
    )
