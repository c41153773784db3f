"""The role gallery's pages: the municipality's roles, one role, filling and ending; KOMBIT's matrix of vacancies."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from klik.domain.calendar import parse_date, short_date
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import RoleHolding
from klik.services import access, idempotency
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices.bounces import marks
from klik.services.roles import gallery as role_gallery
from klik.services.roles import holdings as role_holdings
from klik.services.roles import rounds, vacancies
from klik.services.roles.holdings import Filling
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.forms import Form
from klik.web.roles.forms import EndForm, FillForm

blueprint = Blueprint("roles", __name__)


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
        content = work.registry.content
        rows = vacancies.matrix(work)
        shown = [role for role in content.roles if any(role.slug in row.roles for row in rows)]
        return render_template("roles/matrix.html", rows=rows, roles=shown)
    return render_template(
        "roles/index.html",
        gallery=role_gallery.of(work, municipality_id),
        may_edit=_may_edit(work),
        share=rounds.share(work, municipality_id),
        now=work.now,
        phase=work.registry.content.phase,
    )


@blueprint.get("/roller/<slug>")
@allow(Right.READ_ROLES)
def show(work: Work, slug: str) -> Any:
    """What a role is, who holds it and who did."""
    role = work.registry.content.role(slug)
    municipality_id = place(work)
    gallery = role_gallery.of(work, municipality_id) if municipality_id is not None else None
    slots = [slot for slot in gallery.slots if slot.role.slug == slug] if gallery else []
    past = role_gallery.history(work, gallery.municipality_id, slug) if gallery else ()
    if role.is_retired and not slots and not past:
        raise NotFoundError
    return render_template(
        "roles/show.html",
        role=role,
        gallery=gallery,
        slots=slots,
        past=past,
        may_edit=_may_edit(work) and not role.is_retired,
        now=work.now,
        phase=work.registry.content.phase,
    )


def _may_edit(work: Work) -> bool:
    return work.actor is not None and work.actor.has(Right.EDIT_ROLES)


@blueprint.get("/roller/<slug>/besaet")
@allow(Right.EDIT_ROLES)
def fill(work: Work, slug: str) -> Any:
    """The form for giving somebody a role."""
    form = FillForm(formdata=None, valid_from=short_date(work.today))
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
    result = _gallery_address(holding)
    idempotency.remember(work, form.idempotency_key.data, "rolle-besaet", result)
    name = holding.person.name if holding.person else holding.mailbox
    flash(f"{name} er registreret som {work.registry.content.role(slug).name}.", "success")
    return redirect(result, 303)


def _fill_page(work: Work, slug: str, form: FillForm) -> str:
    role, system = role_holdings.role_to_fill(work, slug, request.args.get("system") or None)
    assert work.actor is not None and work.actor.municipality_id is not None
    form.offer(role_holdings.candidates(work))
    gallery = role_gallery.of(work, work.actor.municipality_id)
    code = system.code if system else None
    slot = next((each for each in gallery.slots if (each.role.slug, each.system) == (slug, code)), None)
    return render_template("roles/fill.html", form=form, role=role, system=system, slot=slot)


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
    typed = request.form.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def _gallery_address(holding: RoleHolding) -> str:
    return f"{url_for('roles.index')}#{holding.role}-{holding.system_code or 'alle'}"
