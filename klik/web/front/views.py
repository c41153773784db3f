"""The front page: for each who opens it, what to do now."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, render_template

from klik.domain.rights import Level, Right
from klik.services import overview
from klik.services.work import Work
from klik.web.base import access

blueprint = Blueprint("front", __name__)


@blueprint.get("/")
@access(Right.SIGNED_IN)
def show(work: Work) -> Any:
    """KOMBIT's, a supplier's or a municipality's front page."""
    actor = work.actor
    assert actor is not None
    facts = {
        "counts": overview.counts(work),
        "unread": overview.unread_notices(work),
        "projects": _by_project(work),
    }
    if actor.kombit:
        return render_template(
            "front/kombit.html",
            **facts,
            behind=overview.most_behind(work),
            recent=overview.recently_published(work),
            may_publish=actor.has(Right.PUBLISH),
        )
    if actor.level is Level.SUPPLIER:
        return render_template("front/supplier.html", **facts, systems=sorted(actor.systems))
    return render_template(
        "front/municipality.html",
        **facts,
        urgent=overview.most_urgent(work),
        administers=actor.has(Right.EDIT_ROLES),
    )


def _by_project(work: Work) -> list[dict[str, Any]]:
    phases = work.registry.content.phases
    projects = []
    for (slug, name), parts in groupby(
        overview.progress(work), key=lambda part: (part.project, part.project_name)
    ):
        by_phase = {part.phase: part for part in parts}
        projects.append(
            {
                "slug": slug,
                "name": name,
                "phases": [(phase, by_phase.get(phase.slug)) for phase in phases],
            }
        )
    return projects
