"""What every page shows around its own content: the menu, who is signed in, and announced deletions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for

from klik.domain.rights import Right
from klik.services.work import Actor, Work


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the main menu."""

    label: str
    href: str
    active: bool


ENTRIES: tuple[tuple[str, str, Right], ...] = (
    ("Forside", "front.show", Right.SIGNED_IN),
    ("Opgaver", "tasks.index", Right.READ_TASKS),
    ("Udgivelser", "publishing.index", Right.PUBLISH),
    ("Roller", "roles.index", Right.READ_ROLES),
    ("Varsler", "notices.index", Right.READ_LEDGER),
    ("Sletning", "deleting.index", Right.EXPORT),
    ("Drift", "operations.index", Right.READ_OPERATIONS),
)


def items(actor: Actor) -> list[MenuItem]:
    """The entries the actor has the right to, in order."""
    return [
        MenuItem(
            label, url_for(endpoint), (request.endpoint or "").startswith(endpoint.partition(".")[0] + ".")
        )
        for label, endpoint, right in ENTRIES
        if actor.has(right) and endpoint in current_app.view_functions
    ]


def set_up(app: Flask) -> None:
    """Hand the surroundings to every template."""

    @app.context_processor
    def surroundings() -> dict[str, Any]:
        work: Work | None = g.get("klik_work")
        actor = work.actor if work else None
        return {
            "actor": actor,
            "menu": items(actor) if actor else [],
            "request_id": g.get("request_id", ""),
            "today": work.today if work else None,
        }
