"""The front page: for each who opens it, what to do now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from flask import Blueprint, render_template, url_for

from klik.domain.calendar import long_date, relative
from klik.domain.rights import Level, Right
from klik.services import filtering, handover, holders, news, overview, vocabulary
from klik.services.control import reporting
from klik.services.criteria import Criteria
from klik.services.follow_up import silence
from klik.services.news import News
from klik.services.notices.recipients import PROGRAMME_LEADER
from klik.services.overview import UrgentTask
from klik.services.publishing import announced
from klik.services.questions import reading
from klik.services.roles import asking, matrix, vacancies
from klik.services.roles.vacancies import Standing, Vacancy
from klik.services.tasks import panels
from klik.services.work import Work
from klik.web.base import access

blueprint = Blueprint("front", __name__)
URGENT = (
    {"key": "task", "label": "Opgave"},
    {"key": "deadline", "label": "Deadline"},
    {"key": "status", "label": "Status"},
    {"key": "responsible", "label": "Ansvarlig"},
)


@blueprint.get("/")
@access(Right.SIGNED_IN)
def show(work: Work) -> Any:
    """KOMBIT's, a supplier's or a municipality's front page."""
    actor = work.actor
    assert actor is not None
    facts: dict[str, Any] = {
        "counts": overview.counts(work),
        "unread": overview.unread_notices(work),
        "projects": _by_project(work),
        "panels": panels.front_panels(work),
    }
    if actor.kombit:
        return render_template(
            "front/kombit.html",
            **facts,
            behind=overview.most_behind(work),
            waiting=reading.count(work),
            recent=overview.recently_published(work),
            may_publish=actor.has(Right.PUBLISH),
            control=reporting.line(work) if actor.kombit else None,
            vacancies=matrix.all_together(work),
        )
    if actor.level is Level.SUPPLIER:
        return render_template("front/supplier.html", **facts, systems=sorted(actor.systems))
    return render_template(
        "front/municipality.html",
        **facts,
        news=_news(work, facts["counts"]),
        urgent=[_row(task, work.today) for task in overview.most_urgent(work)],
        columns=URGENT,
        coming=announced.coming(work),
        may_export=actor.has(Right.EXPORT),
        administers=actor.has(Right.EDIT_ROLES),
        proposals=handover.proposals(work),
        untouched=silence.own(work, facts["counts"]),
        vacancies=_vacancies(work),
        still_you=asking.waiting(work),
    )


def _news(work: Work, counts: overview.Counts) -> Mapping[str, News | None]:
    """What has turned red and yellow since yesterday, by colour."""
    colours = {0: "roed", 1: "gul"}
    asked = {key: Criteria().with_values("deadline", [colour]) for key, colour in colours.items()}
    words = vocabulary.read(work, asked.values())
    selections = {key: filtering.select_tasks(work, each, words) for key, each in asked.items()}
    fresh = news.since_yesterday(work, selections, {0: counts.red, 1: counts.yellow})
    return {colour: fresh.get(key) for key, colour in colours.items()}


def _vacancies(work: Work) -> Sequence[Vacancy]:
    """What the administrator and the KOMBIT-programleder should see filled; nothing for others."""
    actor = work.actor
    assert actor is not None and actor.municipality_id is not None
    if not actor.has(Right.EDIT_ROLES):
        led = holders.of_task(work, actor.municipality_id, PROGRAMME_LEADER, None)
        if actor.person_id not in {each.person_id for each in led}:
            return ()
    return [
        each for each in vacancies.of(work, actor.municipality_id) if each.standing is not Standing.VACANT
    ]


def _row(task: UrgentTask, today: date) -> dict[str, Any]:
    return {
        "id": task.id,
        "href": url_for("task.show", task_id=task.id),
        "number": task.number or "",
        "title": task.title,
        "deadline_iso": task.deadline.isoformat(),
        "deadline_text": f"{long_date(task.deadline)}, {relative(task.deadline, today)}",
        "colour": task.colour,
        "status": task.status.value,
        "responsible": task.responsible,
    }


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
