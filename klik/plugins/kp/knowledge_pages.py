"""The knowledge base: what was learnt, searched and written; offered to KOMBIT, who may publish it for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, flash, render_template, request

from klik.plugins import PluginContext, Right, long_date, page_access
from klik.plugins.kp import alike, cases, knowledge
from klik.plugins.kp.forms import ChangeKnowledgeForm, FollowUpForm, KnowledgeForm, NewKnowledgeForm
from klik.plugins.kp.knowledge import Entry
from klik.plugins.kp.pages import blueprint, by_whom, not_for_suppliers, see_other

ADDRESS = "/p/kp/viden"
CHANGED = "En anden har ændret løsningen, siden du åbnede den. Det, du skrev, er ikke gemt."


@blueprint.get("/viden")
@page_access(Right.READ_TASKS)
def index(context: PluginContext) -> Any:
    """All the actor may read, or what a search finds; with the form of a new one."""
    not_for_suppliers(context)
    form = NewKnowledgeForm(formdata=None, data=_of_case(context))
    return _list(context, form)


@blueprint.post("/viden")
@page_access(Right.COMMENT)
def add(context: PluginContext) -> Any:
    """Store a new entry: the municipality's own, or KOMBIT's for all."""
    not_for_suppliers(context)
    if not knowledge.may_add(context):
        abort(403)
    form = NewKnowledgeForm()
    if not form.validate():
        return _list(context, form), 422
    case = _case(context, form.fra.data or "")
    entry_id = knowledge.create(context, form.values(), case.id if case else None)
    flash("Løsningen står nu i vidensbasen.", "success")
    return see_other(f"{ADDRESS}/{entry_id}")


@blueprint.get("/viden/<id:entry_id>")
@page_access(Right.READ_TASKS)
def read(context: PluginContext, entry_id: int) -> Any:
    """One entry."""
    not_for_suppliers(context)
    return _page(context, _readable(context, entry_id))


@blueprint.post("/viden/<id:entry_id>")
@page_access(Right.COMMENT)
def act_on(context: PluginContext, entry_id: int) -> Any:
    """Everything one does with an entry, by the button that was pressed."""
    not_for_suppliers(context)
    entry = _readable(context, entry_id)
    known = request.form.get("act", "gem")
    if known not in _ACTS:
        abort(400)
    allowed, do = _ACTS[known]
    if not allowed(context, entry):
        abort(403)
    return do(context, entry)


def _save(context: PluginContext, entry: Entry) -> Any:
    form = ChangeKnowledgeForm()
    if not form.validate():
        return _page(context, entry, form), 422
    if form.version.data != entry.version or not knowledge.change(context, entry, form.values()):
        form.version.data = entry.version
        return _page(context, entry, form, warning=CHANGED), 409
    flash("Løsningen er gemt.", "success")
    return see_other(f"{ADDRESS}/{entry.id}")


def _offer(context: PluginContext, entry: Entry) -> Any:
    told = (
        "KOMBIT kan nu se løsningen og dele den med alle."
        if not entry.offered
        else "Tilbuddet er trukket tilbage."
    )
    return _set(context, entry, {"offered": not entry.offered}, told)


def _publish(context: PluginContext, entry: Entry) -> Any:
    return _set(context, entry, {"published_at": context.now}, "Løsningen er delt med alle kommuner.")


def _withdraw(context: PluginContext, entry: Entry) -> Any:
    form = FollowUpForm()
    if not form.validate() or form.version.data != entry.version:
        return _page(context, entry, warning=CHANGED), 409
    if entry.municipality is None:
        knowledge.discard(context, entry)
        flash("Løsningen er slettet.", "success")
        return see_other(ADDRESS)
    return _set(context, entry, {"published_at": None}, "Løsningen er ikke længere delt med alle.")


def _discard(context: PluginContext, entry: Entry) -> Any:
    form = FollowUpForm()
    if not form.validate() or form.version.data != entry.version or not knowledge.discard(context, entry):
        return _page(context, entry, warning=CHANGED), 409
    flash("Løsningen er slettet.", "success")
    return see_other(ADDRESS)


def _set(context: PluginContext, entry: Entry, values: Mapping[str, Any], told: str) -> Any:
    form = FollowUpForm()
    if (
        not form.validate()
        or form.version.data != entry.version
        or not knowledge.change(context, entry, values)
    ):
        return _page(context, entry, warning=CHANGED), 409
    flash(told, "success")
    return see_other(f"{ADDRESS}/{entry.id}")


def _is_own(context: PluginContext, entry: Entry) -> bool:
    return context.municipality is not None and knowledge.may_change(context, entry)


def _is_kombits(context: PluginContext, entry: Entry) -> bool:
    return context.kombit and knowledge.may_change(context, entry)


_Rule = Callable[[PluginContext, Entry], bool]
_ACTS: Mapping[str, tuple[_Rule, Callable[[PluginContext, Entry], Any]]] = {
    "gem": (knowledge.may_change, _save),
    "tilbyd": (_is_own, _offer),
    "slet": (_is_own, _discard),
    "udgiv": (knowledge.may_publish, _publish),
    "traek": (_is_kombits, _withdraw),
}


def _readable(context: PluginContext, entry_id: int) -> Entry:
    return knowledge.one(context, entry_id) or abort(404)


def _case(context: PluginContext, typed: str) -> cases.Case | None:
    """The municipality's own case of that number, if there is one."""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        return None
    return cases.one(context, int(typed))


def _of_case(context: PluginContext) -> Mapping[str, Any]:
    case = _case(context, request.args.get("fra", ""))
    if case is None:
        return {}
    return {"problem": case.title, "loesning": case.answer, "komponent": case.component, "fra": str(case.id)}


def _list(context: PluginContext, form: KnowledgeForm) -> str:
    asked = request.args.get("q", "").strip()[:200]
    return render_template(
        "kp/knowledge.html",
        q=asked,
        entries=knowledge.all_of(context),
        hits=alike.search(context, asked).knowledge if asked else None,
        form=form,
        may_add=knowledge.may_add(context),
        kombit=context.kombit,
        writing=bool(form.errors or form.problem.data),
    )


def _page(
    context: PluginContext, entry: Entry, form: ChangeKnowledgeForm | None = None, *, warning: str = ""
) -> str:
    drawn = form or ChangeKnowledgeForm(
        formdata=None,
        data={
            "version": entry.version,
            "problem": entry.problem,
            "loesning": entry.solution,
            "komponent": entry.component,
        },
    )
    own = entry.municipality is not None and entry.municipality == context.municipality
    return render_template(
        "kp/entry.html",
        entry=entry,
        address=f"{ADDRESS}/{entry.id}",
        form=drawn,
        changing=bool(form and (form.errors or warning)),
        warning=warning,
        own=own,
        writer=by_whom(context, entry.person) if own else "",
        case=_case(context, str(entry.case_id)) if own and entry.case_id else None,
        published=long_date(entry.published_at.date()) if entry.published_at else "",
        may_change=knowledge.may_change(context, entry),
        may_publish=knowledge.may_publish(context, entry),
        kombit=context.kombit,
    )
