"""The list of tasks: on the page, and as the files that hold the same rows."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from klik.domain.calendar import long_date, relative
from klik.domain.rights import Right
from klik.domain.status import Status
from klik.services import calendar_file, counting, filtering, listing, saved_filters, tables, vocabulary
from klik.services.criteria import PAGE_SIZES, Criteria, QueryTooLongError
from klik.services.filtering import Selection
from klik.services.listing import Counts
from klik.services.work import Work
from klik.web.base import access, installation
from klik.web.kept import kept
from klik.web.tasks import panel
from klik.web.tasks.rows import columns, rows

blueprint = Blueprint("tasks", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/opgaver")
@access(Right.READ_TASKS)
@kept
def index(work: Work) -> Any:
    """A page of the list; an address without any filter opens with the person's default filter."""
    saved = saved_filters.own(work)
    opened_by = None if request.query_string else next((row for row in saved if row.is_default), None)
    asked = filtering.read(work.registry, opened_by.query) if opened_by else _asked(work)
    choices = panel.saved_choices(work, saved)
    words = vocabulary.read(work, [asked, *(criteria for _name, criteria in choices)])
    selection = filtering.select_tasks(work, asked, words)
    others = {
        place: filtering.select_tasks(work, criteria, words)
        for place, (_name, criteria) in enumerate(choices)
    }
    counts = listing.count(work, selection, others)
    page = listing.page(work, selection, counts.total)
    criteria = selection.criteria.on_page(page.number)
    groups = panel.groups(work, selection, _choice_counts(work, selection))
    return render_template(
        "tasks/index.html",
        criteria=criteria,
        counts=counts,
        page=page,
        first=(page.number - 1) * criteria.page_size + 1,
        columns=columns(work, criteria),
        rows=rows(work, criteria, page.rows),
        active=panel.active_filters(work, selection),
        groups=groups,
        periods=panel.periods(work, selection),
        texts=panel.text_fields(work, selection),
        hidden=panel.hidden(work, selection, groups),
        saved=panel.saved_buttons(choices, counts.others, criteria),
        empty=_empty(work, selection, counts) if not counts.total else None,
        notices=[("warning", remark) for remark in selection.remarks],
        opened_by=opened_by.name if opened_by else None,
        sorts=panel.sorts(work),
        statuses=list(Status),
        sizes=PAGE_SIZES,
        may_export=work.actor is not None and work.actor.has(Right.EXPORT),
        may_create=work.actor is not None and work.actor.has(Right.CREATE_LOCAL_TASK),
        address=panel.list_address,
        page_address=lambda number: panel.list_address(criteria.on_page(number)),
        page_size_address=lambda size: panel.list_address(criteria.with_page_size(size)),
        no_filters=panel.list_address(Criteria()),
        scope=listing.scope(criteria),
    )


@blueprint.get("/opgaver.csv")
@access(Right.EXPORT)
def as_csv(work: Work) -> Response:
    """The filtered rows as CSV for a Danish Excel."""
    selection = _whole_list(work)
    return _download(tables.as_csv(work, selection), "text/csv; charset=utf-8", tables.named(work, "csv"))


@blueprint.get("/opgaver.xlsx")
@access(Right.EXPORT)
def as_xlsx(work: Work) -> Response:
    """The filtered rows as an Excel workbook."""
    selection = _whole_list(work)
    return _download(tables.as_xlsx(work, selection), XLSX, tables.named(work, "xlsx"))


@blueprint.get("/opgaver.ics")
@access(Right.EXPORT)
def as_ics(work: Work) -> Response:
    """The deadlines of the filtered rows as a calendar file."""
    selection = _whole_list(work)
    host = urlsplit(installation().settings.base_url).hostname or "klik"
    content = calendar_file.as_ics(
        work, selection, host, lambda task_id: f"{request.url_root.rstrip('/')}/opgaver/{task_id}"
    )
    return _download(content, "text/calendar; charset=utf-8", tables.named(work, "ics", "Frister"))


def _asked(work: Work) -> Criteria:
    try:
        return filtering.read(work.registry, request.query_string.decode("utf-8", "replace"))
    except QueryTooLongError:
        abort(414)


def _whole_list(work: Work) -> Selection:
    selection = filtering.select_tasks(work, _asked(work))
    tables.require_reasonable(listing.count(work, selection).total)
    return selection


def _download(content: bytes, media_type: str, name: str) -> Response:
    return send_file(io.BytesIO(content), media_type, as_attachment=True, download_name=name, max_age=0)


def _choice_counts(work: Work, selection: Selection) -> panel.Counts | None:
    """How many tasks each choice shows; across many municipalities that would cost more than it tells."""
    if panel.sees_several(work) and len(selection.criteria.values("kommune")) != 1:
        return None
    return counting.choices(work, selection)


def _empty(work: Work, selection: Selection, counts: Counts) -> dict[str, Any]:
    """What to say where there are no rows: what that means, and what comes next."""
    criteria, pulse = selection.criteria, counts.pulse
    next_yellow = listing.next_yellow(work, selection)
    everything = ("Vis alle åbne opgaver", f"{url_for('tasks.index')}?{Criteria().link_query()}")
    coming = None
    if next_yellow:
        coming = f"{relative(next_yellow, work.today)} ({long_date(next_yellow)})"
    urgent = {"roed", "gul"} & set(criteria.values("deadline"))
    if urgent and not pulse.red and not pulse.yellow:
        text = f"Den næste bliver gul {coming}." if coming else "Ingen åbne opgaver har en frist endnu."
        heading = (
            f"Ingen røde eller gule – næste bliver gul {relative(next_yellow, work.today)}"
            if next_yellow
            else "Ingen røde eller gule"
        )
        return {"heading": heading, "text": text, "link": everything}
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
