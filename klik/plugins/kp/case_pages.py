"""A case: drafted with advice beside it, pasted into MinSupport, followed up, answered and closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, abort, flash, render_template, request

from klik.plugins import Document, PluginContext, Right, clock, long_date, page_access
from klik.plugins.kp import alike, cases, paper, ring, title_advice
from klik.plugins.kp.cases import Case
from klik.plugins.kp.checklists import CHECKLISTS
from klik.plugins.kp.choices import DRAFT, STATES
from klik.plugins.kp.forms import (
    AnswerForm,
    CaseForm,
    ChangeCaseForm,
    FiledForm,
    FollowUpForm,
    NewCaseForm,
    a_week_on,
    shown_differences,
    within,
)
from klik.plugins.kp.pages import HOME, blueprint, by_whom, only_municipalities, see_other

ADDRESS = "/p/kp/sager"
CHANGED = "En kollega har ændret sagen, siden du åbnede den. Det, du skrev, står nedenfor og er ikke gemt."
NOT_READY = "Sagen er ikke klar til MinSupport endnu. Se under Til MinSupport, hvad der mangler."


@blueprint.get("/sager")
@page_access(Right.COMMENT)
def begin(context: PluginContext) -> Any:
    """First whether it is known already, then the form of a new case; carries along what the ring found."""
    only_municipalities(context)
    findings = ring.found(request.args.getlist("fund"))
    asked = request.args.get("q", "").strip()[:200]
    form = NewCaseForm(
        formdata=None,
        data={
            "titel": asked,
            "proevet": ring.notes(findings),
            "sagstype": ring.kind_of(findings) or "fejl",
        },
    )
    return _draft_page(context, form, None, findings=findings)


@blueprint.post("/sager")
@page_access(Right.COMMENT)
def create(context: PluginContext) -> Any:
    """Store a new draft, or only look at what was typed (``act`` raad)."""
    only_municipalities(context)
    form = NewCaseForm()
    if answer := _not_stored(context, form, None):
        return answer
    case_id = cases.create(context, {**form.values(), **_kept(form)})
    flash("Kladden er gemt. Se tjeklisten igennem, og hent teksten til MinSupport.", "success")
    return see_other(f"{ADDRESS}/{case_id}")


@blueprint.get("/sager/<id:case_id>")
@page_access(Right.READ_TASKS)
def show_case(context: PluginContext, case_id: int) -> Any:
    """The case: a form while it is a draft, then the facts and what comes next."""
    case = _own(context, case_id)
    if case.state == DRAFT and cases.may_write(context):
        return _draft_page(context, _filled(case), case)
    return _case_page(context, case)


@blueprint.post("/sager/<id:case_id>")
@page_access(Right.COMMENT)
def act(context: PluginContext, case_id: int) -> Any:
    """Everything one does with a case, by the button that was pressed."""
    case = _own(context, case_id)
    known = request.form.get("act", "gem")
    return _ACTS[known](context, case) if known in _ACTS else abort(400)


@blueprint.get("/sager/<id:case_id>.txt")
@page_access(Right.READ_TASKS)
def text(context: PluginContext, case_id: int) -> Any:
    """The case as text, laid out to be pasted into MinSupport."""
    case = _complete(context, case_id)
    if not isinstance(case, Case):
        return case
    answer = Response(paper.as_text(case), mimetype="text/plain")
    answer.headers["Content-Disposition"] = f'attachment; filename="minsupport-sag-{case.id}.txt"'
    return answer


@blueprint.get("/sager/<id:case_id>.pdf")
@page_access(Right.READ_TASKS)
def printed(context: PluginContext, case_id: int) -> Any:
    """The case on paper."""
    case = _complete(context, case_id)
    if not isinstance(case, Case):
        return case
    return Document(
        title=case.title,
        html=paper.as_html(case),
        file_name=f"minsupport-sag-{case.id}.pdf",
        subtitle=f"Sag til MinSupport: {STATES[case.state][0].lower()}{STATES[case.state][1:]}",
    )


# What is done with a case


def _save(context: PluginContext, case: Case) -> Any:
    form = ChangeCaseForm()
    if answer := _not_stored(context, form, case):
        return answer
    unchanged = case.state == DRAFT and form.version.data == case.version
    if not unchanged or not cases.change(context, case, {**form.values(), **_kept(form)}):
        # Read again: where two pressed at once, the row is newer than what this request began with.
        newest = _own(context, case.id)
        form.version.data = newest.version
        return _draft_page(context, form, newest, warning=CHANGED), 409
    flash("Kladden er gemt.", "success")
    return see_other(f"{ADDRESS}/{case.id}")


def _tick(context: PluginContext, case: Case) -> Any:
    checklist = request.form.get("tjekliste", "")
    if checklist not in {each.key for each in CHECKLISTS}:
        abort(400)
    shown, wanted = set(request.form.getlist("vist")), set(request.form.getlist("punkt"))
    cases.tick(context, case, checklist, shown, wanted)
    flash("Flueben er gemt.", "success")
    return see_other(f"{ADDRESS}/{case.id}#tjek-{checklist}")


def _file(context: PluginContext, case: Case) -> Any:
    if case.state == DRAFT and cases.lacks(case):
        return _case_page(context, case, warning=NOT_READY), 422
    form = FiledForm()
    valid = form.validate()
    valid = within(form.oprettet, context.today, past=True) and valid
    valid = within(form.opfoelgning, context.today, past=False) and valid
    values = {
        "reference": form.nummer.data,
        "filed_on": form.oprettet.day,
        "follow_up_on": form.opfoelgning.day,
    }
    return _step(
        context, case, "opret", form, values if valid else None, "Sagen står nu som oprettet i MinSupport."
    )


def _follow_up(context: PluginContext, case: Case) -> Any:
    form = FollowUpForm()
    valid = form.validate()
    valid = within(form.opfoelgning, context.today, past=False) and valid
    values = {"follow_up_on": form.opfoelgning.day}
    return _step(
        context, case, "opfoelgning", form, values if valid else None, "Datoen for opfølgning er gemt."
    )


def _answer(context: PluginContext, case: Case) -> Any:
    form = AnswerForm()
    valid = form.validate()
    valid = within(form.svardato, context.today, past=True) and valid
    values = {"answer": form.svar.data, "answered_on": form.svardato.day, "follow_up_on": None}
    told = "Svaret er gemt. Skriv det i vidensbasen, så flere får gavn af det."
    return _step(context, case, "svar", form, values if valid else None, told)


def _close(context: PluginContext, case: Case) -> Any:
    form = FollowUpForm()
    return _step(
        context, case, "luk", form, {"follow_up_on": None} if form.validate() else None, "Sagen er lukket."
    )


def _back(context: PluginContext, case: Case) -> Any:
    form = FollowUpForm()
    valid = form.validate()
    valid = within(form.opfoelgning, context.today, past=False) and valid
    values = {"follow_up_on": form.opfoelgning.day}
    return _step(
        context, case, "tilbage", form, values if valid else None, "Sagen følges op i MinSupport igen."
    )


def _step(
    context: PluginContext,
    case: Case,
    step: str,
    form: Any,
    values: Mapping[str, Any] | None,
    told: str,
) -> Any:
    """Move the case on; 422 for what was wrong in the form, 409 when somebody else moved it first."""
    before, after = cases.STEPS.get(step, ((cases.FILED,), cases.FILED))
    if case.state not in before or (form.version.data is not None and form.version.data != case.version):
        return _case_page(context, case, warning=CHANGED), 409
    if values is None:
        return _case_page(context, case, forms={step: form}), 422
    if not cases.change(context, case, {**values, "state": after}):
        return _case_page(context, case, warning=CHANGED), 409
    flash(told, "success")
    return see_other(f"{ADDRESS}/{case.id}")


def _discard(context: PluginContext, case: Case) -> Any:
    form = FollowUpForm()
    if not form.validate() or form.version.data != case.version or not cases.discard(context, case):
        return _case_page(context, case, warning=CHANGED), 409
    flash("Kladden er slettet.", "success")
    return see_other(HOME)


_ACTS: Mapping[str, Callable[[PluginContext, Case], Any]] = {
    "gem": _save,
    "raad": _save,
    "erstat": _save,
    "tjek": _tick,
    "opret": _file,
    "opfoelgning": _follow_up,
    "svar": _answer,
    "luk": _close,
    "tilbage": _back,
    "slet": _discard,
}


# Drawing


def _own(context: PluginContext, case_id: int) -> Case:
    only_municipalities(context)
    return cases.one(context, case_id) or abort(404)


def _complete(context: PluginContext, case_id: int) -> Any:
    """A case as it may leave klik, or the way back to its page while something is to be mended."""
    case = _own(context, case_id)
    if case.state == DRAFT and cases.lacks(case):
        flash("Sagen kan hentes, når det, der mangler, er på plads.", "warning")
        return see_other(f"{ADDRESS}/{case.id}")
    return case


def _not_stored(context: PluginContext, form: CaseForm, case: Case | None) -> Any:
    """The answer where nothing is to be stored: only advice was asked for, or something is wrong; else None."""
    pressed = request.form.get("act", "gem")
    if pressed == "erstat":
        form.replace_cpr()
    if pressed == "raad":
        form.let_cpr_pass()
        return _draft_page(context, form, case)
    if not form.validate():
        return _draft_page(context, form, case), 422
    return None


def _kept(form: CaseForm) -> Mapping[str, bool]:
    """The writer's word counts for the title it was given for."""
    return {
        "title_kept": bool(form.behold.data) and (form.beholdt.data or form.titel.data) == form.titel.data
    }


def _filled(case: Case) -> ChangeCaseForm:
    return ChangeCaseForm(
        formdata=None,
        data={
            "version": case.version,
            "sagstype": case.kind,
            "supporttype": case.support_kind,
            "titel": case.title,
            "behold": case.title_kept,
            "komponent": case.component,
            "kritikalitet": case.criticality,
            "borger": case.about_citizen,
            "sagsnoegle": case.case_key,
            "opgavenoegle": case.task_key,
            "dispdato": case.payment_on.strftime("%d-%m-%Y") if case.payment_on else "",
            "handling": case.steps,
            "proevet": case.tried,
            "teknisk": case.technical,
            "forventet": case.expected,
            "andre": case.elsewhere,
        },
    )


def _draft_page(
    context: PluginContext, form: CaseForm, case: Case | None, *, findings: Any = (), warning: str = ""
) -> str:
    title = form.titel.data or ""
    form.beholdt.data = title
    # Nothing that looks like a CPR number is searched for.
    hits = alike.search(context, f"{title} {form.teknisk.data or ''}", besides=case.id if case else None)
    return render_template(
        "kp/draft.html",
        form=form,
        case=case,
        address=f"{ADDRESS}/{case.id}" if case else ADDRESS,
        advice=title_advice.advice_on(title),
        good=title_advice.GOOD,
        bad=title_advice.BAD,
        hits=hits,
        q=title if not case and request.method == "GET" else "",
        findings=findings,
        warning=warning,
        differing=shown_differences(form, _filled(case)) if case and warning else (),
        cpr=form.has_cpr(),
        lacks=cases.lacks(case) if case else (),
        **(_beside(context, case) if case else {}),
    )


def _case_page(
    context: PluginContext, case: Case, *, forms: Mapping[str, Any] | None = None, warning: str = ""
) -> str:
    beside = dict(_beside(context, case))
    beside["step_forms"] = {**beside["step_forms"], **(forms or {})}
    return render_template(
        "kp/case.html",
        case=case,
        address=f"{ADDRESS}/{case.id}",
        fields=paper.fields_of(case),
        description=paper.description(case),
        warning=warning,
        lacks=cases.lacks(case),
        wrong=next(iter((forms or {}).values()), None),
        hits=alike.search(context, f"{case.title} {case.technical}", besides=case.id),
        **beside,
    )


def _beside(context: PluginContext, case: Case) -> Mapping[str, Any]:
    """What stands beside a stored case, draft or not."""
    ticked = cases.ticks_of(context, case)
    return {
        "state": STATES[case.state],
        "writer": by_whom(context, case.person),
        "changed": f"{clock(case.changed_at)}, {by_whom(context, case.changed_by)}",
        "filed_on": long_date(case.filed_on) if case.filed_on else "",
        "follow_up_on": long_date(case.follow_up_on) if case.follow_up_on else "",
        "due": case.is_due(context.today),
        "answered_on": long_date(case.answered_on) if case.answered_on else "",
        "checklists": [
            (
                each,
                [
                    (point, found, f"{by_whom(context, found.person)}, {clock(found.at)}" if found else "")
                    for point in each.points
                    for found in [ticked.get((each.key, point.key))]
                ],
            )
            for each in CHECKLISTS
        ],
        "text": paper.as_text(case) if not cases.lacks(case) else "",
        "step_forms": _drawn_forms(context, case),
        "may_write": cases.may_write(context),
    }


def _drawn_forms(context: PluginContext, case: Case) -> dict[str, Any]:
    today, week = context.today.strftime("%d-%m-%Y"), a_week_on(context.today)
    return {
        "opret": FiledForm(
            formdata=None, data={"version": case.version, "oprettet": today, "opfoelgning": week}
        ),
        "opfoelgning": FollowUpForm(formdata=None, data={"version": case.version, "opfoelgning": week}),
        "svar": AnswerForm(formdata=None, data={"version": case.version, "svardato": today}),
        "tilbage": FollowUpForm(formdata=None, data={"version": case.version, "opfoelgning": week}),
    }
