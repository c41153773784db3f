"""Before a newsletter goes: how the mail looks, who gets it, a trial; then when, and afterwards the account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from klik.domain.calendar import clock
from klik.domain.errors import InputError
from klik.domain.moments import monday_morning, parse_moment, typed_moment
from klik.domain.rights import Right
from klik.services import idempotency
from klik.services.errors import ConflictError, NotFoundError, RefusedError
from klik.services.newsletters import account, archive, audience, letter, sending, writing
from klik.services.newsletters.audience import Audience
from klik.services.newsletters.links import Links
from klik.services.newsletters.sending import Post
from klik.services.notices.mails import Sender
from klik.services.work import Work
from klik.web.base import access, installation, see_other
from klik.web.newsletters.forms import SendForm
from klik.web.newsletters.views import page_typed
from klik.web.newsletters.writing import show_problems

blueprint = Blueprint("newsletter_sending", __name__, url_prefix="/nyhedsbreve")
SENDING = "nyhedsbrev-send"
REASON = "er administrator i Køge"
# The mail as a page: its own styles, nothing else; no script, no form, nothing fetched.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
LONGEST_SEARCH = 200


def post_of() -> Post:
    """Who the installation's newsletters come from, and the links in them."""
    settings = installation().settings
    return Post(Sender(settings.mail_from, settings.base_url), Links(settings.base_url, settings.secret_key))


@blueprint.get("/<id:letter_id>/forhaandsvis")
@access(Right.PUBLISH)
def preview(work: Work, letter_id: int) -> Any:
    """The mail as text, who gets it by municipality, and what can be done with it."""
    return _page(work, letter_id)


@blueprint.get("/<id:letter_id>/mail")
@access(Right.PUBLISH)
def mail(work: Work, letter_id: int) -> Response:
    """The mail as a mail program shows it."""
    row = archive.letter(work, letter_id)
    post = post_of()
    edition = letter.edition(work, row.id, writing.words_of(row), post.links)
    response = make_response(edition.to(REASON, url_for("newsletters.index", _external=True)).html)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


@blueprint.post("/<id:letter_id>/proeve")
@access(Right.PUBLISH)
def trial(work: Work, letter_id: int) -> Response:
    """Send it to oneself."""
    try:
        address = sending.trial(work, post_of(), letter_id)
    except RefusedError as error:
        flash(str(error), "error")
    else:
        flash(f"En prøve er på vej til {address}.", "success")
    return see_other("newsletter_sending.preview", letter_id=letter_id)


@blueprint.post("/<id:letter_id>/send")
@access(Right.PUBLISH)
def send(work: Work, letter_id: int) -> Any:
    """Send it now, or plan it; pressed twice it goes once."""
    form = SendForm()
    there = url_for("newsletters.show", letter_id=letter_id)
    earlier = idempotency.taken(work, form.idempotency_key.data, SENDING)
    if earlier is not None:
        return redirect(earlier, 303)
    if not form.validate_on_submit():
        return _page(work, letter_id, form), 422
    try:
        told = _send(work, letter_id, form)
    except InputError as error:
        form.at.errors = [f"Tidspunkt: {error}"]
        return _page(work, letter_id, form), 422
    except RefusedError as error:
        show_problems(form, error)
        return _page(work, letter_id, form), 422
    except ConflictError:
        return _page(work, letter_id, changed=True), 409
    idempotency.remember(work, form.idempotency_key.data, SENDING, there)
    flash(told, "success")
    return redirect(there, 303)


def _send(work: Work, letter_id: int, form: SendForm) -> str:
    version = form.version.data or 0
    if form.when.data == "planlagt":
        at = parse_moment(form.at.data or "", work.now)
        sending.plan(work, letter_id, version, at)
        return f"Nyhedsbrevet bliver sendt {clock(at)}."
    if not form.sure.data:
        raise RefusedError({"sure": "Sæt kryds ved “Ja, send nyhedsbrevet nu”, før det sendes."})
    number = sending.send(work, letter_id, version)
    readers = "1 modtager" if number == 1 else f"{number} modtagere"
    return f"Nyhedsbrevet er sendt til {readers}. Mailene går af sted om et øjeblik."


@blueprint.post("/<id:letter_id>/stop")
@access(Right.PUBLISH)
def stop(work: Work, letter_id: int) -> Response:
    """Withdraw a planned letter before it goes."""
    try:
        sending.unplan(work, letter_id)
    except RefusedError as error:
        flash(str(error), "error")
        return see_other("newsletters.show", letter_id=letter_id)
    flash("Planen er trukket tilbage, og nyhedsbrevet er en kladde igen.", "success")
    return see_other("newsletter_sending.preview", letter_id=letter_id)


@blueprint.get("/<id:letter_id>/modtagere")
@access(Right.PUBLISH)
def recipients(work: Work, letter_id: int) -> str:
    """The account: each address and what became of its mail."""
    row = archive.letter(work, letter_id)
    if row.state != writing.SENT:
        raise NotFoundError
    state = request.args.get("tilstand") or None
    if state not in account.STATES:
        state = None
    text = request.args.get("q", "")[:LONGEST_SEARCH].replace("\0", "").strip()
    page = page_typed()
    total, lines = account.lines(work, letter_id, state=state, text=text, page=page)
    return render_template(
        "newsletters/recipients.html",
        letter=row,
        account=account.account(work, letter_id),
        states=account.STATES,
        state=state,
        text=text,
        lines=lines,
        total=total,
        page=page,
        pages=max(1, -(-total // account.PAGE)),
        first=(page - 1) * account.PAGE + 1,
        page_url=lambda number: url_for(
            "newsletter_sending.recipients", letter_id=letter_id, side=number, tilstand=state, q=text or None
        ),
    )


def _page(work: Work, letter_id: int, form: SendForm | None = None, *, changed: bool = False) -> Any:
    row = archive.letter(work, letter_id)
    if row.state != writing.DRAFT:
        return see_other("newsletters.show", letter_id=letter_id)
    chosen = audience.readers(work, Audience.parse(row.audience))
    links = post_of().links
    edition = letter.edition(work, row.id, writing.words_of(row), links)
    text = edition.to(REASON, url_for("newsletters.index", _external=True)).text
    return render_template(
        "newsletters/preview.html",
        letter=row,
        changed=changed,
        count=audience.count(chosen),
        groups=audience.by_municipality(work, chosen),
        text=text,
        form=form
        or SendForm(None, data={"version": row.version, "at": typed_moment(monday_morning(work.now))}),
        ready=not _problems(work, row),
        problems=_problems(work, row),
    )


def _problems(work: Work, row: Any) -> tuple[str, ...]:
    try:
        sending.check_ready(work, row)
    except RefusedError as error:
        return tuple(error.problems.values())
    return ()
