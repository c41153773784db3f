"""The overview: per project and phase how far one is, the burn-up, and what the pace promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from klik.domain.calendar import short_date
from klik.domain.forecast import pace as pace_in_words
from klik.domain.forecast import sentence
from klik.domain.rights import Right
from klik.services import burn_up, meetings, overview, pace
from klik.services.burn_up import BurnUp
from klik.services.overview import PhaseProgress
from klik.services.pace import OpenTask, Pace
from klik.services.work import Work
from klik.web.base import access

blueprint = Blueprint("overview", __name__)
MOST_DECIDING = 8


@dataclass(frozen=True, slots=True)
class ShownProject:
    """A project as the page shows it; ``unlisted`` is how many deciding tasks there are beyond those listed."""

    pace: Pace
    sentence: str
    basis: str
    chart: BurnUp
    phases: Sequence[tuple[Any, PhaseProgress, str]]
    deciding: Sequence[OpenTask]
    unlisted: int


@blueprint.get("/overblik")
@access(Right.READ_TASKS)
def show(work: Work) -> Any:
    """Every project the actor sees tasks of."""
    return page(work)


def page(work: Work, typed: str | None = None, problem: str | None = None) -> str:
    """The overview; ``typed`` and ``problem`` are of the form for the last meeting when it was refused."""
    actor = work.actor
    alone = actor is not None and actor.municipality_id is not None
    may_meet = alone and actor is not None and actor.has(Right.EXPORT)
    held_on = meetings.last_meeting(work) if may_meet else None
    phases: dict[str, list[PhaseProgress]] = {}
    for part in overview.progress(work):
        phases.setdefault(part.project, []).append(part)
    return render_template(
        "overview/show.html",
        projects=[_shown(work, each, phases.get(each.slug, []), alone) for each in pace.by_project(work)],
        alone=alone,
        may_meet=may_meet,
        last_meeting=typed if typed is not None else short_date(held_on) if held_on else "",
        meeting_problem=problem,
    )


def _shown(work: Work, each: Pace, parts: Sequence[PhaseProgress], alone: bool) -> ShownProject:
    found = each.forecast
    basis = ""
    if found and found.remaining:
        basis = f"Tempoet er {pace_in_words(found)}; {found.remaining} er tilbage."
    return ShownProject(
        pace=each,
        sentence=sentence(found, "jeres" if alone else "kommunernes"),
        basis=basis,
        chart=burn_up.draw(each),
        phases=[(work.registry.content.phase(part.phase), part, _word(part)) for part in parts],
        deciding=each.deciding[:MOST_DECIDING],
        unlisted=len(each.deciding) - MOST_DECIDING,
    )


def _word(part: PhaseProgress) -> str:
    """How a phase stands, in a word or two."""
    if part.completed == part.total:
        return "Færdig"
    late = [
        *([f"{part.red} {'rød' if part.red == 1 else 'røde'}"] if part.red else []),
        *([f"{part.yellow} {'gul' if part.yellow == 1 else 'gule'}"] if part.yellow else []),
    ]
    begun = "I gang" if part.completed else "Ikke begyndt"
    return ", ".join((begun, *late))
