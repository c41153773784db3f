"""The role gallery's pages: the municipality's roles, one role, filling and ending; KOMBIT's matrix of vacancies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from klik.domain.calendar import parse_date, short_date
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import RoleHolding
from klik.services import access, idempotency
from klik.services.departures.shown import leaving
from klik.services.errors import NotFoundError, RefusedError
from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.notices.bounces import marks
from klik.services.roles import editions, history, rounds, sharing
from klik.services.roles import gallery as role_gallery
from klik.services.roles import holdings as role_holdings
from klik.services.roles.gallery import Gallery, Holding, Slot
from klik.services.roles.holdings import Filling
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.forms import Form
from klik.web.lookups import look_up
from klik.web.roles import appointing, matrix
from klik.web.roles.forms import DayForm, EndForm, FillForm

blueprint = Blueprint("roles", __name__)
ADMINISTRATOR = "klik-administrator"


def place(work: Work) -> int | None:
    """The municipality the page is about: the actor's own, or the one KOMBIT chose with ``kommune``."""
    assert work.actor is not None
    if work.actor.municipality_id is not None:
        return work.actor.municipality_id
    typed = request.args.get("kommune", "")
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 4):
        raise NotFoundError
    return int(typed)


def add_problems(form: Form, refused: RefusedError) -> None:
    """Show what a service refused at the field it is about, or above the form."""
    for name, sentence in refused.problems.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]
        else:
            form.form_errors.append(sentence)


def typed_day(form: Form, name: str) -> date | None:
    """The day typed into a field, None when it is empty; a wrong one becomes the field's error."""
    text = (form[name].data or "").strip()
    if not text:
        return None
    try:
        return parse_date(text)
    except InputError as error:
        raise RefusedError({name: f"{form[name].label.text}: {error}"}) from error


@blueprint.get("/roller")
@allow(Right.READ_ROLES)
def index(work: Work) -> Any:
    """A municipality's gallery; for KOMBIT without a chosen one the matrix of vacancies."""
    municipality_id = place(work)
    if municipality_id is None:
        return matrix.page(work)
    typed = request.args.get("dag", "").strip()
    day, problem = _chosen_day(typed)
    form = DayForm(formdata=None, dag=typed if problem else short_date(day or work.today))
    form.dag.errors = [problem] if problem else []
    looks_back = day is not None and day != work.today
    gallery = role_gallery.of(work, municipality_id, day)
    look_up("galleri", _people_in(gallery.slots), municipality_id=municipality_id)
    page = render_template(
        "roles/index.html",
        gallery=gallery,
        leaving={} if looks_back else leaving(work, municipality_id),
        form=form,
        day=day if looks_back else None,
        may_edit=_may_edit(work) and not looks_back,
        changed=frozenset() if looks_back else editions.changed(work),
        share=None if looks_back else rounds.share(work, municipality_id),
        now=work.now,
        phase=work.registry.content.phase,
    )
    return page, 422 if problem else 200


def _chosen_day(typed: str) -> tuple[date | None, str]:
    """The day of ``dag`` and an empty sentence; without a readable one None, and what is wrong."""
    if not typed:
        return None, ""
    try:
        return parse_date(typed), ""
    except InputError as error:
        return None, f"Vis som den: {error}"


@blueprint.get("/roller/<slug>")
@allow(Right.READ_ROLES)
def show(work: Work, slug: str) -> Any:
    """What a role is, who holds it and who did."""
    role = editions.remembered(work, slug)
    municipality_id = place(work)
    gallery = role_gallery.of(work, municipality_id) if municipality_id is not None else None
    slots = [slot for slot in gallery.slots if slot.role.slug == slug] if gallery else []
    stretches = history.of(work, gallery.municipality_id, slug) if gallery else ()
    if role.is_retired and not slots and not stretches:
        raise NotFoundError
    look_up("rolle", _people_in(slots), subject=slug, municipality_id=municipality_id)
    return render_template(
        "roles/show.html",
        role=role,
        gallery=gallery,
        leaving=leaving(work, municipality_id),
        slots=slots,
        administrators=_administrators(gallery),
        stretches=stretches,
        editions=editions.of(work, role, _number(request.args.get("udgave", ""))),
        of_system=role.slug in work.registry.roles,
        others=sharing.elsewhere(work, role),
        may_edit=_may_edit(work) and not role.is_retired,
        now=work.now,
        phase=work.registry.content.phase,
    )


def _administrators(gallery: Gallery | None) -> list[Holding]:
    """Whom to ask in the municipality when something in the gallery is wrong."""
    slots = gallery.slots if gallery else ()
    return [each for slot in slots if slot.role.slug == ADMINISTRATOR for each in slot.holders if each.active]


@blueprint.post("/roller/<slug>/set")
@allow(Right.READ_ROLES)
def mark_read(work: Work, slug: str) -> Any:
    """ "Jeg har læst den": the description as it is now is no longer new to this person."""
    role = work.registry.content.role(slug)
    if role.is_retired:
        raise NotFoundError
    editions.mark_read(work, role)
    flash(f"Beskrivelsen af {role.name} er noteret som læst.", "success")
    return redirect(url_for("roles.show", slug=slug), 303)


def _people_in(slots: Sequence[Slot]) -> int:
    """How many holders are shown, each slot's own."""
    return sum(len(slot.holders) + len(slot.substitutes) + len(slot.coming) for slot in slots)


def _may_edit(work: Work) -> bool:
    return work.actor is not None and work.actor.has(Right.EDIT_ROLES)


@blueprint.get("/roller/<slug>/besaet")
@allow(Right.EDIT_ROLES)
def fill(work: Work, slug: str) -> Any:
    """The form for giving somebody a role."""
    as_substitute = request.args.get("som") == SUBSTITUTE
    form = FillForm(
        formdata=None,
        valid_from=short_date(work.today),
        kind=SUBSTITUTE if as_substitute else HOLDER,
    )
    return _fill_page(work, slug, form)


@blueprint.post("/roller/<slug>/besaet")
@allow(Right.EDIT_ROLES)
def store(work: Work, slug: str) -> Any:
    """Give somebody a role."""
    form = FillForm()
    earlier = idempotency.earlier_result(work.session, form.idempotency_key.data)
    if earlier:
        return redirect(earlier, 303)
    form.offer(role_holdings.candidates(work))
    if not form.validate():
        return _fill_page(work, slug, form), 422
    try:
        holding = role_holdings.fill(
            work,
            Filling(
                role=slug,
                system=request.args.get("system") or None,
                person_id=int(form.person.data) if form.person.data else None,
                mailbox=form.mailbox.data or "",
                primary=form.primary.data,
                valid_from=typed_day(form, "valid_from"),
                valid_to=typed_day(form, "valid_to"),
                kind=form.kind.data,
                note=form.note.data or "",
            ),
        )
    except RefusedError as refused:
        add_problems(form, refused)
        return _fill_page(work, slug, form), 422
    result = appointing.way_back(work) or _gallery_address(holding)
    idempotency.remember(work, form.idempotency_key.data, "rolle-besaet", result)
    name = holding.person.name if holding.person else holding.mailbox
    what = work.registry.content.role(slug).name
    as_what = f"stedfortræder for {what}" if holding.kind == SUBSTITUTE else what
    flash(f"{name} er registreret som {as_what}.", "success")
    return redirect(result, 303)


def _fill_page(work: Work, slug: str, form: FillForm) -> str:
    role, system = role_holdings.role_to_fill(work, slug, request.args.get("system") or None)
    assert work.actor is not None and work.actor.municipality_id is not None
    form.offer(role_holdings.candidates(work))
    gallery = role_gallery.of(work, work.actor.municipality_id)
    code = system.code if system else None
    slot = next((each for each in gallery.slots if (each.role.slug, each.system) == (slug, code)), None)
    return render_template(
        "roles/fill.html",
        form=form,
        role=role,
        system=system,
        slot=slot,
        task=appointing.task_of_address(work),
    )


@blueprint.get("/roller/indehavere/<id:holding_id>/afslut")
@allow(Right.EDIT_ROLES)
def ending(work: Work, holding_id: int) -> Any:
    """The form for ending a holding."""
    holding = access.holding_to_change(work, holding_id)
    form = EndForm(
        formdata=None, version=holding.version, last_day=short_date(max(work.today, holding.valid_from))
    )
    return _end_page(work, holding, form)


@blueprint.post("/roller/indehavere/<id:holding_id>/afslut")
@allow(Right.EDIT_ROLES)
def end(work: Work, holding_id: int) -> Any:
    """End a holding."""
    holding = access.holding_to_change(work, holding_id)
    form = EndForm()
    if not form.validate():
        return _end_page(work, holding, form), 422
    try:
        day = typed_day(form, "last_day")
        if day is None:
            raise RefusedError({"last_day": "Sidste dag i rollen: skal udfyldes. Skriv den som 21-11-2026."})
        role_holdings.end(work, holding_id, day, form.version.data)
    except RefusedError as refused:
        add_problems(form, refused)
        return _end_page(work, holding, form), 422
    flash(f"Rollen slutter {short_date(day)}.", "success")
    return redirect(_gallery_address(holding), 303)


def _end_page(work: Work, holding: RoleHolding, form: EndForm) -> str:
    role = work.registry.content.role(holding.role)
    name = holding.person.name if holding.person else holding.mailbox
    return render_template("roles/end.html", form=form, role=role, holding=holding, holder=name)


@blueprint.post("/roller/indehavere/<id:holding_id>/fortryd")
@allow(Right.EDIT_ROLES)
def take_back(work: Work, holding_id: int) -> Any:
    """Undo what was written down today or for a day to come."""
    holding = access.holding_to_change(work, holding_id)
    address = _gallery_address(holding)
    try:
        role_holdings.take_back(work, holding_id, _version())
    except RefusedError as refused:
        flash(" ".join(refused.problems.values()), "error")
    else:
        flash("Registreringen er fortrudt.", "success")
    return redirect(address, 303)


@blueprint.post("/roller/indehavere/<id:holding_id>/primaer")
@allow(Right.EDIT_ROLES)
def make_primary(work: Work, holding_id: int) -> Any:
    """Let this holder be the primary one."""
    holding = access.holding_to_change(work, holding_id)
    role_holdings.make_primary(work, holding_id, _version())
    flash("Den primære er skiftet.", "success")
    return redirect(_gallery_address(holding), 303)


@blueprint.post("/roller/indehavere/<id:holding_id>/bekraeft")
@allow(Right.EDIT_ROLES)
def confirm(work: Work, holding_id: int) -> Any:
    """Say that the holding is still right."""
    holding = access.holding_to_change(work, holding_id)
    role_holdings.confirm(work, holding_id, _version())
    flash("Tak. Rollen er bekræftet i dag.", "success")
    return redirect(_gallery_address(holding), 303)


@blueprint.post("/roller/indehavere/<id:holding_id>/proev-igen")
@allow(Right.EDIT_ROLES)
def try_again(work: Work, holding_id: int) -> Any:
    """Mail a mailbox again, from which mails have come back."""
    holding = access.holding_to_change(work, holding_id)
    address = holding.mailbox or ""
    if marks.clear(work, address, f"role-holding/{holding.id}", holding.municipality_id):
        flash(f"Klik sender igen mails til {address}.", "success")
    return redirect(_gallery_address(holding), 303)


def _version() -> int | None:
    return _number(request.form.get("version", ""))


def _number(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def _gallery_address(holding: RoleHolding) -> str:
    return f"{url_for('roles.index')}#{holding.role}-{holding.system_code or 'alle'}"
