"""The page of a person's calendars: make one of a filter, give it a new address, close it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, render_template
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField

from klik.domain.rights import Right
from klik.models import CalendarFeed
from klik.services import calendar_feeds, filtering, idempotency, list_document, saved_filters
from klik.services.criteria import Criteria
from klik.services.errors import RefusedError
from klik.services.work import Work
from klik.web.base import access, installation, see_other
from klik.web.forms import CleanText, OnceForm
from klik.web.tasks import way
from klik.web.tasks.forms import show_problems

blueprint = Blueprint("calendar", __name__, url_prefix="/kalender")


class FeedForm(OnceForm):
    """A calendar of a filter."""

    name = StringField("Navn", validators=[CleanText(calendar_feeds.NAME_LIMIT, required=True, tick=False)])
    query = HiddenField()


@blueprint.get("")
@access(Right.EXPORT)
def index(work: Work) -> str:
    """The person's calendars, and the saved filters that can become one."""
    feeds = calendar_feeds.own(work)
    return render_template(
        "calendar/index.html",
        feeds=feeds,
        counts=calendar_feeds.count_days(work, [feed.id for feed in feeds]),
        words={feed.id: _words(work, way.asked(work, feed.query)) for feed in feeds},
        saved=saved_filters.listed(work),
    )


@blueprint.get("/ny")
@access(Right.EXPORT)
def new(work: Work) -> str:
    """The form for the filter in the address."""
    criteria = way.asked(work)
    named = next(
        (row.name for row in saved_filters.listed(work) if row.query == criteria.query()), "Frister i klik"
    )
    return _form(work, FeedForm(None, name=named, query=criteria.filters_only().query()), criteria)


@blueprint.post("")
@access(Right.EXPORT)
def make(work: Work) -> Any:
    """Make it, and show its address this once."""
    form = FeedForm()
    criteria = way.asked(work, form.query.data or "")
    if idempotency.earlier_result(work.session, form.idempotency_key.data):
        flash("Kalenderen er allerede lavet. Har du ikke adressen, så lav en ny adresse nedenfor.", "info")
        return see_other("calendar.index")
    if not form.validate_on_submit():
        return _form(work, form, criteria), 422
    try:
        feed, secret = calendar_feeds.make(work, form.name.data or "", criteria)
    except RefusedError as error:
        show_problems(form, error)
        return _form(work, form, criteria), 422
    idempotency.remember(work, form.idempotency_key.data, "kalender", "/kalender")
    return _once(work, feed, secret)


@blueprint.post("/<id:feed_id>/forny")
@access(Right.EXPORT)
def renew(work: Work, feed_id: int) -> Response:
    """A new address; the old one is dead."""
    return _once(work, *calendar_feeds.renew(work, feed_id))


@blueprint.post("/<id:feed_id>/luk")
@access(Right.EXPORT)
def revoke(work: Work, feed_id: int) -> Response:
    """Close a calendar."""
    name = calendar_feeds.revoke(work, feed_id)
    flash(f"Kalenderen “{name}” er lukket. Adressen virker ikke længere.", "success")
    return see_other("calendar.index")


def _words(work: Work, criteria: Criteria) -> tuple[str, ...]:
    return list_document.criteria_in_words(work, filtering.select_tasks(work, criteria))


def _form(work: Work, form: FeedForm, criteria: Criteria) -> str:
    return render_template("calendar/new.html", form=form, words=_words(work, criteria))


def _once(work: Work, feed: CalendarFeed, secret: str) -> Response:
    """The page with the address: shown once, kept by nobody, and no referrer leaves it."""
    address = f"{installation().settings.base_url}/kalender/{secret}.ics"
    page = render_template(
        "calendar/address.html",
        feed=feed,
        address=address,
        webcal=f"webcal://{address.partition('://')[2]}",
    )
    answer = make_response(page)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer
