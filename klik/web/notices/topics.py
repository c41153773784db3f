"""The page where everybody chooses what plug-ins may tell them about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from wtforms import SelectChoice

from klik.domain.rights import Right
from klik.services import topics
from klik.services.errors import RefusedError
from klik.services.topics import Offer
from klik.services.work import Work
from klik.web.base import access
from klik.web.forms import Form
from klik.web.people.forms import Ticks

blueprint = Blueprint("topics", __name__, url_prefix="/varsler/emner")


class TopicsForm(Form):
    """A tick for each topic."""

    topics = Ticks("Emner")


@blueprint.get("")
@access(Right.SIGNED_IN)
def index(work: Work) -> str:
    """What there is to subscribe to; the topic ``emne`` stands first."""
    offers = topics.offers(work, _asked())
    form = TopicsForm(formdata=None, data={"topics": [each.topic.key for each in offers if each.chosen]})
    return _page(form, offers)


@blueprint.post("")
@access(Right.SIGNED_IN)
def store(work: Work) -> Any:
    """Store the choice."""
    offers = topics.offers(work, _asked())
    form = TopicsForm()
    form.topics.choices = _choices(offers)
    chosen = form.topics.data or []
    if form.validate():
        try:
            count = topics.choose(work, chosen)
        except RefusedError as refused:
            form.form_errors.extend(refused.problems.values())
        else:
            many = f"Du får nu besked om {count} {'emne' if count == 1 else 'emner'}."
            flash(many if count else "Du får ikke længere besked om nogen emner.", "success")
            return redirect(url_for("topics.index", emne=_asked()), 303)
    return _page(form, offers), 422


def _asked() -> str | None:
    return request.values.get("emne", "")[:60] or None


def _choices(offers: Sequence[Offer]) -> list[SelectChoice]:
    return [SelectChoice(each.topic.key, each.topic.label) for each in offers]


def _page(form: TopicsForm, offers: Sequence[Offer]) -> str:
    asked = _asked()
    form.topics.choices = _choices(offers)
    wanted = next((each for each in offers if each.topic.key == asked), None)
    return render_template("notices/topics.html", form=form, offers=offers, wanted=wanted)
