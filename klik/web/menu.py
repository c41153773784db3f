"""What every page shows around its own content: the menu, who is signed in, and announced deletions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, current_app, g, request, url_for

from klik.domain.calendar import relative
from klik.domain.rights import Right
from klik.services.deleting import countdown
from klik.services.work import Actor, Work


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the main menu."""

    label: str
    href: str
    active: bool


@dataclass(frozen=True, slots=True)
class CountdownBar:
    """The red bar on top while a deletion is announced; ``link`` is what its link says."""

    text: str
    href: str
    link: str


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
    "departures": "people",
    "looked_up": "people",
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
    "deletion_holds": "deleting",
    "deletion_follow_up": "deleting",
    "preferences": "notices",
    "waves": "systems",
    "role_matrix": "roles",
    "answering_roles": "roles",
    "role_answers": "roles",
    "addresses": "people",
    "explaining": "people",
    "gallery_sheet": "roles",
    "contacts": "roles",
    "mailing_list": "roles",
    "role_card": "roles",
    "newsletter_writing": "newsletters",
    "newsletter_sending": "newsletters",
    "newsletter_subscribing": "newsletters",
}


# The pages on which the bar stands.
_WITH_COUNTDOWN = frozenset(
    ("front", "tasks", "task", "overview", "deleting", "deletion_holds", "exports", "inbox")
)


def items(actor: Actor) -> list[MenuItem]:
    """The entries the actor has the right to, in order."""
    here = (request.endpoint or "").partition(".")[0]
    here = "systems" if here.startswith("p-") else _UNDER.get(here, here)
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
            "elsewhere": g.get("klik_elsewhere", False),
            "request_id": g.get("request_id", ""),
            "today": work.today if work else None,
            "countdown": _countdown(work) if work and actor else None,
        }


def _countdown(work: Work) -> CountdownBar | None:
    """The bar on the pages a deletion may concern; the list and a task say themselves when it does not."""
    if request.blueprint not in _WITH_COUNTDOWN:
        return None
    nearest = countdown.countdown(work)
    if nearest is None:
        return None
    tasks = "1 opgave" if nearest.tasks == 1 else f"{nearest.tasks} opgaver"
    text, link = _words(nearest, work.today)
    return CountdownBar(
        text=f"{text} · {tasks}", href=url_for("deleting.show", deletion_id=nearest.deletion_id), link=link
    )


def _words(nearest: countdown.Countdown, today: date) -> tuple[str, str]:
    """ "Sletning 15-12 om 19 dage" and what the link says; on the last day, and after it, what is true then."""
    last = f"{nearest.last_day.day}-{nearest.last_day.month}"
    if not nearest.over(today):
        left = nearest.days_left(today)
        when = "i dag til kl. 23.59" if left == 0 else f"{last} {relative(nearest.last_day, today)}"
        return f"Sletning {when}", "Hent alt"
    if nearest.kept_until is not None:
        until = f"{nearest.kept_until.day}-{nearest.kept_until.month}-{nearest.kept_until.year}"
        return f"I nåede det ikke – pakken ligger her til {until}", "Hent alt"
    return f"I nåede det ikke – sidste dag var {last}", "Hent alt nu"
