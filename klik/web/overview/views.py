"""The overview: for a municipality its own projects, pace and comparison; for KOMBIT and suppliers the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from klik.domain.calendar import short_date
from klik.domain.forecast import pace as pace_in_words
from klik.domain.forecast import sentence
from klik.domain.rights import Right
from klik.services import burn_up, meetings, overview, pace
from klik.services.burn_up import BurnUp
from klik.services.follow_up import comparison, silence
from klik.services.follow_up.comparison import Compared
from klik.services.overview import PhaseProgress
from klik.services.pace import OpenTask, Pace
from klik.services.work import Work
from klik.web.base import access
from klik.web.overview import heat_map

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


@dataclass(frozen=True, slots=True)
class ShownComparison:
    """A project's phases by name, each beside the same group of others."""

    group: str
    phases: tuple[tuple[str, Compared], ...]


@blueprint.get("/overblik")
@access(Right.READ_TASKS)
def show(work: Work) -> Any:
    """A municipality's own projects; all municipalities and phases for those who see several."""
    if work.actor is not None and work.actor.municipality_id is None:
        return heat_map.page(work)
    return page(work)


def page(work: Work, typed: str | None = None, problem: str | None = None) -> str:
    """The overview; ``typed`` and ``problem`` are of the form for the last meeting when it was refused."""
    actor = work.actor
    alone = actor is not None and actor.municipality_id is not None
    may_meet = alone and actor is not None and actor.has(Right.EXPORT)
    held_on = meetings.last_meeting(work) if may_meet else None
    return render_template(
        "overview/show.html",
        projects=projects(work),
        narrowed={},
        comparisons=_comparisons(work),
        untouched=silence.own(work),
        alone=alone,
        may_meet=may_meet,
        last_meeting=typed if typed is not None else short_date(held_on) if held_on else "",
        meeting_problem=problem,
    )


def projects(work: Work, municipality: int | None = None) -> list[ShownProject]:
    """Each project with its pace and phases; ``municipality`` where KOMBIT looks at one."""
    phases: dict[str, list[PhaseProgress]] = {}
    for part in overview.progress(work, municipality):
        phases.setdefault(part.project, []).append(part)
    whose = "kommunens" if municipality is not None else "jeres"
    return [
        _shown(work, each, phases.get(each.slug, []), whose) for each in pace.by_project(work, municipality)
    ]


def _comparisons(work: Work) -> Mapping[str, ShownComparison]:
    content = work.registry.content
    return {
        slug: ShownComparison(
            found.group,
            tuple((content.phase(part.phase).name, part) for part in found.phases),
        )
        for slug, found in comparison.by_project(work).items()
    }


def _shown(work: Work, each: Pace, parts: Sequence[PhaseProgress], whose: str) -> ShownProject:
    found = each.forecast
    basis = ""
    if found and found.remaining:
        basis = f"Tempoet er {pace_in_words(found)}; {found.remaining} er tilbage."
    return ShownProject(
        pace=each,
        sentence=sentence(found, whose),
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
