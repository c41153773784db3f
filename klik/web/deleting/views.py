"""Announced deletions: KOMBIT's account of every municipality, and each municipality's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from sqlalchemy import select

from klik.domain.calendar import long_date, short_date
from klik.domain.rights import Right
from klik.models import Deletion, MunicipalTask, Project, System
from klik.services import access, deleting, filtering, idempotency, list_document
from klik.services.deleting import last_days, reaching, waiting
from klik.services.deleting import progress as deletion_progress
from klik.services.deleting import selection as deletion_selection
from klik.services.deleting.progress import ItemLine, Step
from klik.services.errors import ConflictError, RefusedError
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.base import see_other
from klik.web.deleting.forms import (
    AnnounceForm,
    PostponeForm,
    ReceiptForm,
    RegretForm,
    row_ids,
    say,
)
from klik.web.forms import OnceForm

blueprint = Blueprint("deleting", __name__)
PROGRESS = deletion_progress.PROGRESS_WORDS
SHOWN = {
    "": "Alle",
    "tavs": "Tavse",
    "aabnet": "Har åbnet",
    "hentet": "Har hentet",
    "uden-varsel": "Varslet er ikke nået frem",
}


@blueprint.get("/sletning")
@allow(Right.EXPORT)
def index(work: Work) -> Any:
    """The announcements that concern the reader."""
    found = deletion_progress.announcements(work)
    standings = deletion_progress.standings(work, [deletion.id for deletion in found])
    return render_template(
        "deleting/index.html",
        deletions=[(deletion, standings[deletion.id]) for deletion in found],
        due=deletion_progress.due(work),
        may_announce=_may(work, Right.ANNOUNCE_DELETION),
    )


def _may(work: Work, right: Right) -> bool:
    return work.actor is not None and work.actor.has(right)


@blueprint.get("/sletning/varsl")
@allow(Right.ANNOUNCE_DELETION)
def draft(work: Work) -> Any:
    """The form; ``projekt``, ``system`` and ``opgave`` in the address choose beforehand."""
    form = AnnounceForm(formdata=None)
    for kind in ("projekt", "system"):
        if name := request.args.get(kind):
            form.scope.data = f"{kind}={name}"
    if found := request.args.get("filter"):
        form.query.data, form.scope.data = found, "filter"
    form.task_ids.data = row_ids(request.args.getlist("opgave"))
    form.decided_on.data = short_date(work.today)
    return _form(work, form)


def _form(work: Work, form: AnnounceForm, status: int = 200) -> Any:
    _offer(work, form)
    if form.scope.data or form.task_ids.data:
        form.offer_tasks(deletion_selection.choices(work, _whole(form)))
        if (query := form.selection.query) and (wrong := deletion_selection.wrong_filter(work, query)):
            form.scope.errors = (
                [*form.scope.errors, wrong] if wrong not in form.scope.errors else form.scope.errors
            )
    if not form.task_ids.choices:
        # Nothing to tick is shown, so nothing can be wrong with the ticks; the choice itself is asked for.
        form.task_ids.errors = []
    return (
        render_template(
            "deleting/announce.html",
            form=form,
            first_day=deleting.first_legal_day(work.today),
            found=_in_words(work, form.query.data) if form.query.data else None,
            tasks_open=bool(form.task_ids.data or form.task_ids.errors)
            or request.form.get("trin") == "opgaver",
        ),
        status,
    )


def _whole(form: AnnounceForm) -> deleting.Selection:
    """What may be ticked: the whole project or system, or without one the ticked tasks."""
    chosen = form.selection
    if chosen.project or chosen.system or chosen.query:
        return deleting.Selection(project=chosen.project, system=chosen.system, query=chosen.query)
    return chosen


def _offer(work: Work, form: AnnounceForm) -> None:
    published = MunicipalTask.task_id.is_not(None) & MunicipalTask.erased_at.is_(None)
    projects = select(Project.slug, Project.name).where(
        select(MunicipalTask.id).where(MunicipalTask.project_id == Project.id, published).exists()
    )
    systems = select(System.code, System.name).where(
        select(MunicipalTask.id).where(MunicipalTask.system_code == System.code, published).exists()
    )
    form.offer(
        [(slug, name) for slug, name in work.session.execute(projects.order_by(Project.name))],
        [(code, name) for code, name in work.session.execute(systems.order_by(System.name))],
        _in_words(work, form.query.data) if form.query.data else None,
    )


def _in_words(work: Work, query: str) -> str:
    """A filter as people read it: "Projekt: KSD; Fase: Fase 1"."""
    if deletion_selection.wrong_filter(work, query):
        return "Filteret fra opgavelisten"
    found = filtering.select_tasks(work, deletion_selection.criteria_of(work, query))
    return "; ".join(list_document.criteria_in_words(work, found))


@blueprint.post("/sletning/varsl")
@allow(Right.ANNOUNCE_DELETION)
def announce(work: Work) -> Any:
    """By the button pressed (``trin``): choose tasks, look at the effect, go back, or announce."""
    form = AnnounceForm()
    step = request.form.get("trin", "vis")
    if earlier := idempotency.earlier_result(work.session, form.idempotency_key.data):
        return redirect(earlier, 303)
    if step in ("opgaver", "ret"):
        return _form(work, form)
    _offer(work, form)
    form.validate()
    say(form, deleting.check(work, form.draft), {"selection": "scope"})
    if form.errors:
        return _form(work, form, 422)
    preview = deleting.preview(work, form.selection)
    if step != "varsl":
        return _preview(form, preview)
    if form.expected.data != str(preview.tasks):
        return _preview(form, preview, changed=True)
    deletion_id = deleting.announce(work, form.draft, form.idempotency_key.data)
    flash(f"Sletningen er varslet: {len(preview.municipalities)} kommuner får besked.", "success")
    return see_other("deleting.show", deletion_id=deletion_id)


def _preview(form: AnnounceForm, preview: deleting.Preview, *, changed: bool = False) -> Any:
    page = render_template(
        "deleting/preview.html",
        form=form,
        draft=form.draft,
        preview=preview,
        changed=changed,
        scope=dict((choice.value, choice.label) for choice in form.scope.choices).get(form.scope.data)
        if form.scope.data
        else None,
    )
    return page, 422 if changed else 200


@blueprint.get("/sletning/<id:deletion_id>")
@allow(Right.EXPORT)
def show(work: Work, deletion_id: int) -> Any:
    """KOMBIT's account, or the municipality's own tasks."""
    deletion = access.deletion(work, deletion_id)
    if work.actor is not None and work.actor.kombit:
        return _account(work, deletion)
    return _own(work, deletion, ReceiptForm(formdata=None))


def _account(work: Work, deletion: Deletion) -> Any:
    standing = deleting.standing(work, deletion)
    chosen = request.args.get("vis", "")
    chosen = chosen if chosen in SHOWN else ""
    rows = [
        row
        for row in standing.municipalities
        if not chosen or row.progress == chosen or (chosen == "uden-varsel" and not row.told)
    ]
    counts = {key: standing.count(key) for key in PROGRESS} | {
        "": len(standing.municipalities),
        "uden-varsel": len(standing.untold),
    }
    contacts = reaching.contacts(work, deletion.id)
    asked = deletion_progress.items(work, deletion, asked=True)
    return render_template(
        "deleting/account.html",
        deletion=deletion,
        standing=standing,
        rows=rows,
        shown=[(key, label, counts[key]) for key, label in SHOWN.items()],
        chosen=chosen,
        progress=PROGRESS,
        contacts=contacts,
        waiting=_waiting(asked),
        answered=[line for line in asked if line.item.hold_granted is not None],
        by_day=deletion_progress.fetched_by_day(work, deletion),
        query=_in_words(work, deletion.query) if deletion.query else None,
        may_announce=_may(work, Right.ANNOUNCE_DELETION),
        over=deletion.last_day < work.today,
        stuck=waiting.stuck(work, deletion),
    )


def _waiting(asked: Sequence[ItemLine]) -> list[tuple[str, list[ItemLine]]]:
    """The requests KOMBIT has not answered, by municipality."""
    groups: dict[str, list[ItemLine]] = {}
    for line in asked:
        if line.item.hold_granted is None:
            groups.setdefault(line.municipality, []).append(line)
    return list(groups.items())


def _own(work: Work, deletion: Deletion, form: ReceiptForm, status: int = 200) -> Any:
    items = deletion_progress.items(work, deletion)
    page = render_template(
        "deleting/own.html",
        deletion=deletion,
        items=items,
        standing=deleting.standing(work, deletion),
        form=form,
        ticked=set(row_ids(request.form.getlist("item_ids"))) if form.errors else set(),
        contents=deletion_progress.contents(work, deletion),
        fetched=_fetched(items),
        kept_until=min(
            (line.item.archive_kept_until for line in items if line.item.archive_kept_until), default=None
        ),
        gone=any(line.item.archive_removed_at for line in items),
        order_key=OnceForm(None).idempotency_key.data,
        may_fetch=_may(work, Right.FETCH_DELETION),
        over=deletion.last_day < work.today,
        missed=min(
            (
                last_days.of_item(deletion, line.item)
                for line in items
                if last_days.missed(deletion, line.item, work.today)
            ),
            default=None,
        ),
        askable={line.item.id for line in items if last_days.may_ask(deletion, line.item, work.today)},
    )
    return page, status


def _fetched(items: Sequence[ItemLine]) -> Step | None:
    """The last fetch of all when every task is fetched; None while one is missing."""
    steps = [
        step for line in items for step in line.steps if step.word == deletion_progress.STATE_WORDS["hentet"]
    ]
    missing = [line for line in items if line.item.state == "varslet" and line.item.hold_granted is not True]
    return (
        max(steps, key=lambda step: step.at or datetime.min.replace(tzinfo=UTC))
        if steps and not missing
        else None
    )


@blueprint.post("/sletning/<id:deletion_id>/kvittering")
@allow(Right.FETCH_DELETION)
def receipt(work: Work, deletion_id: int) -> Any:
    """The municipality says where it put the ticked tasks."""
    deletion = access.deletion(work, deletion_id)
    form = ReceiptForm()
    ticked = row_ids(request.form.getlist("item_ids"))
    form.validate()
    if form.errors:
        return _own(work, deletion, form, 422)
    try:
        count = deleting.receipt(work, deletion_id, form.case_number.data or "", ticked or None)
    except RefusedError as error:
        say(form, error.problems)
        return _own(work, deletion, form, 422)
    flash(f"Der er kvitteret for {'1 opgave' if count == 1 else f'{count} opgaver'}.", "success")
    return see_other("deleting.show", deletion_id=deletion_id)


@blueprint.get("/sletning/<id:deletion_id>/udsaet")
@allow(Right.ANNOUNCE_DELETION)
def postponing(work: Work, deletion_id: int) -> Any:
    """The form for more time."""
    deletion = access.deletion(work, deletion_id)
    return _postpone(deletion, PostponeForm(formdata=None, data={"version": deletion.version}))


def _postpone(deletion: Deletion, form: PostponeForm, status: int = 200) -> Any:
    return render_template("deleting/postpone.html", deletion=deletion, form=form), status


@blueprint.post("/sletning/<id:deletion_id>/udsaet")
@allow(Right.ANNOUNCE_DELETION)
def postpone(work: Work, deletion_id: int) -> Any:
    """Give more time."""
    deletion = access.deletion(work, deletion_id)
    form = PostponeForm()
    if not form.validate():
        return _postpone(deletion, form, 422)
    if form.version.data != deletion.version:
        raise ConflictError(deletion.version, ())
    try:
        deleting.postpone(work, deletion_id, form.new_day.day, form.note.data or "")
    except RefusedError as error:
        say(form, error.problems)
        return _postpone(deletion, form, 422)
    flash(f"Sletningen er udsat til efter {long_date(deletion.last_day)}. Kommunerne får besked.", "success")
    return see_other("deleting.show", deletion_id=deletion_id)


@blueprint.get("/sletning/<id:deletion_id>/fortryd")
@allow(Right.ANNOUNCE_DELETION)
def regretting(work: Work, deletion_id: int) -> Any:
    """The form for calling it off."""
    return _regret(access.deletion(work, deletion_id), RegretForm(formdata=None))


def _regret(deletion: Deletion, form: RegretForm, status: int = 200) -> Any:
    return render_template("deleting/regret.html", deletion=deletion, form=form), status


@blueprint.post("/sletning/<id:deletion_id>/fortryd")
@allow(Right.ANNOUNCE_DELETION)
def regret(work: Work, deletion_id: int) -> Any:
    """Call it off."""
    deletion = access.deletion(work, deletion_id)
    form = RegretForm()
    if not form.validate():
        return _regret(deletion, form, 422)
    try:
        deleting.regret(work, deletion_id, form.note.data or "")
    except RefusedError as error:
        say(form, error.problems)
        return _regret(deletion, form, 422)
    flash("Sletningen er fortrudt. Opgaverne bliver, og kommunerne får besked.", "success")
    return see_other("deleting.show", deletion_id=deletion_id)
