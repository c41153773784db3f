"""The list of tasks: on the page, and as the files that hold the same rows."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from klik.domain.calendar import long_date, relative
from klik.domain.rights import Right
from klik.services import (
    calendar_file,
    counting,
    filtering,
    grouping,
    list_settings,
    listing,
    past,
    saved_filters,
    tables,
    vocabulary,
)
from klik.services import columns as list_columns
from klik.services.criteria import PAGE_SIZES, SINCE, Criteria
from klik.services.deleting import countdown
from klik.services.filtering import Selection
from klik.services.list_settings import Wanted
from klik.services.past import Standing
from klik.services.saved_filters import ListedFilter, Opening
from klik.services.work import Work
from klik.web.base import access, installation
from klik.web.tasks import arranging, panel, pulse, rows, way

blueprint = Blueprint("tasks", __name__)
_URGENT = {"roed": "røde", "gul": "gule"}


@blueprint.get("/opgaver")
@access(Right.READ_TASKS)
def index(work: Work) -> Any:
    """A page of the list; an address without any parameter opens with a default filter."""
    saved = saved_filters.listed(work)
    opened_by = None if request.query_string else saved_filters.opening(saved)
    wanted = list_settings.read(work)
    asked = wanted.applied(filtering.read(work.registry, opened_by.query) if opened_by else way.asked(work))
    with past.asked(work, asked) as standing:
        return _page(standing, wanted, saved, opened_by)


def _page(
    standing: Standing, wanted: Wanted, saved: Sequence[ListedFilter], opened_by: Opening | None
) -> str:
    work, asked = standing.work, standing.criteria
    choices = panel.saved_choices(work, saved)
    words = vocabulary.read(work, [asked, *(choice.criteria for choice in choices)])
    selection = filtering.select_tasks(work, asked, words)
    others = {
        place: filtering.select_tasks(work, choice.criteria, words) for place, choice in enumerate(choices)
    }
    counts = listing.count(work, selection, others)
    fresh = {} if standing.day else pulse.fresh(work, selection, counts, others)
    page = listing.page(work, selection, counts.total)
    criteria = selection.criteria.on_page(page.number)
    grouped = grouping.groups(work, selection) if counts.total else ()
    fields = list_columns.extra_values(work, wanted.columns, [row.id for row in page.rows])
    groups = panel.groups(work, selection, _choice_counts(work, selection))
    announced = countdown.tasks(work)
    return render_template(
        "tasks/index.html",
        criteria=criteria,
        page=page,
        first=(page.number - 1) * criteria.page_size + 1,
        columns=rows.columns(work, criteria, wanted.columns),
        **rows.drawing(work, criteria, wanted.columns, page.rows, fields, grouped),
        contents=arranging.contents(criteria, grouped),
        arranging=arranging.form(work, criteria),
        in_words=arranging.in_words(work, criteria),
        active=panel.active_filters(work, selection),
        groups=groups,
        periods=panel.periods(work, selection),
        texts=panel.text_fields(work, selection),
        hidden=panel.hidden(work, selection, groups),
        saved=panel.saved_buttons(choices, counts.others, fresh, wanted, asked, criteria),
        own_filters=[each for each in saved if each.own],
        health=panel.health_remarks(work, choices, asked, words),
        **pulse.context(selection, counts, fresh),
        empty=_empty(work, selection) if not counts.total else None,
        notices=[("warning", remark) for remark in selection.remarks],
        opened_by=opened_by,
        stood_on=standing.day,
        sizes=PAGE_SIZES,
        may_export=work.actor is not None and work.actor.has(Right.EXPORT),
        may_create=work.actor is not None and work.actor.has(Right.CREATE_LOCAL_TASK),
        page_address=lambda number: panel.list_address(criteria.on_page(number)),
        page_size_address=lambda size: panel.list_address(criteria.with_page_size(size)),
        # The bar is about tasks of this page, or it is not there.
        **({} if any(row.id in announced for row in page.rows) else {"countdown": None}),
        announce=_announce(work, criteria, counts.total) if not standing.day else None,
        no_filters=panel.list_address(Criteria().standing(criteria.as_of)),
    )


def _announce(work: Work, criteria: Criteria, total: int) -> str | None:
    """Where KOMBIT announces the deletion of what the filters find; None without a filter or without rows."""
    if work.actor is None or not work.actor.has(Right.ANNOUNCE_DELETION) or not (criteria.filters and total):
        return None
    return url_for("deleting.draft", filter=criteria.filters_only().query())


@blueprint.get("/opgaver.ics")
@access(Right.EXPORT)
def as_ics(work: Work) -> Response:
    """The deadlines of the filtered rows as a calendar file."""
    host = urlsplit(installation().settings.base_url).hostname or "klik"
    with _whole_list(work) as (then, selection, _what):
        content = calendar_file.as_ics(
            then, selection, host, lambda task_id: f"{request.url_root.rstrip('/')}/opgaver/{task_id}"
        )
        return _download(content, "text/calendar; charset=utf-8", tables.named(then, "ics", "Frister"))


@contextmanager
def _whole_list(work: Work) -> Iterator[tuple[Work, Selection, str]]:
    """The work to read with, what was asked, and what a file of it is called."""
    with past.asked(work, way.asked(work)) as standing:
        selection = filtering.select_tasks(standing.work, standing.criteria)
        tables.require_reasonable(listing.count(standing.work, selection).total)
        yield standing.work, selection, "Opgaver, som de stod" if standing.day else "Opgaver"


def _download(content: bytes, media_type: str, name: str) -> Response:
    return send_file(io.BytesIO(content), media_type, as_attachment=True, download_name=name, max_age=0)


def _choice_counts(work: Work, selection: Selection) -> panel.Counts | None:
    """How many tasks each choice shows; across many municipalities that would cost more than it tells."""
    if panel.sees_several(work) and len(selection.criteria.values("kommune")) != 1:
        return None
    # What is new depends on all filters together, so no choice can be counted apart from the others.
    if selection.criteria.values(SINCE):
        return None
    return counting.choices(work, selection)


def _empty(work: Work, selection: Selection) -> dict[str, Any]:
    """What to say where there are no rows: what that means, and what comes next."""
    criteria = selection.criteria
    everything = ("Vis alle åbne opgaver", f"{url_for('tasks.index')}?{Criteria().link_query()}")
    asked = criteria.values("deadline")
    if asked and set(asked) <= set(_URGENT):
        none = f"Ingen {' eller '.join(word for key, word in _URGENT.items() if key in asked)}"
        day = listing.next_yellow(work, selection)
        if day is None:
            text = "Ingen af de åbne opgaver, som resten af filteret viser, bliver gule senere."
            return {"heading": none, "text": text, "link": everything}
        soon = relative(day, work.today)
        return {
            "heading": f"{none} – næste bliver gul {soon}",
            "text": f"Den næste bliver gul {soon} ({long_date(day)}).",
            "link": everything,
        }
    if criteria.filters:
        return {
            "heading": "Ingen opgaver passer på filteret",
            "text": "Fjern et af de anvendte filtre ovenfor, eller vis alle opgaver.",
            "link": everything,
        }
    return {
        "heading": "Ingen åbne opgaver",
        "text": "Når KOMBIT udgiver en opgave, står den her. Fuldførte opgaver ses med “Vis fuldførte”.",
        "link": ("Vis også fuldførte opgaver", f"{url_for('tasks.index')}?fuldfoerte=ja"),
    }
