"""The form a KLIK-opgave is written in, and the choice of municipalities it goes to."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import (
    BooleanField,
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)

from klik.domain.calendar import parse_date, short_date
from klik.domain.errors import InputError
from klik.domain.markdown import LIMIT
from klik.models import Project
from klik.services.deadlines import FIXED_DATE
from klik.services.publishing.text import (
    FIELD_LIMIT,
    PARTS,
    PRIORITY_LABELS,
    TITLE_LIMIT,
    WORKING_DAY_LABELS,
    Draft,
    extra_fields,
)
from klik.services.work import Work
from klik.web.forms import CleanText, OnceForm
from klik.web.publishing.recipients import RecipientFields, fill_recipients

HINTS: Mapping[str, str] = {
    "purpose": "Hvorfor skal kommunen løse opgaven? Markdown, som i de øvrige tekster.",
    "description": "Hvad går opgaven ud på?",
    "prerequisites": "Hvad skal være på plads først?",
    "how_to": "Trin for trin, så det kan følges uden hjælp.",
    "result": "Hvornår er opgaven løst?",
    "material": "Links til vejledninger og skabeloner.",
    "contact": "Hvem kan kommunen skrive eller ringe til?",
}


def _choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in pairs]


class DraftForm(OnceForm, RecipientFields):
    """A task's words, dates, roles and recipients; built for one project, whose plug-in fields it gets."""

    project = HiddenField()
    template = HiddenField()
    task_id = HiddenField()
    version = HiddenField()
    draft_key = HiddenField(default=lambda: str(uuid.uuid4()))
    title = StringField(
        "Titel",
        [CleanText(TITLE_LIMIT, required=True, tick=False)],
        description=f"Begynd med et udsagnsord, fx “Udpeg”. Højst {TITLE_LIMIT} tegn.",
    )
    number = StringField(
        "Nummer",
        [CleanText(12, tick=False)],
        description="Fx MI 15. Tomt felt: klik tager temaets næste ledige nummer.",
    )
    phase = SelectField("Fase")
    theme = SelectField("Tema")
    priority = SelectField("Prioritet", choices=_choices(PRIORITY_LABELS.items()), default="normal")
    infrastructure = BooleanField("Opgaven hører til STS/Infrastruktur")
    purpose = TextAreaField(PARTS["purpose"], [CleanText(LIMIT, lines=True, tick=False)])
    description = TextAreaField(PARTS["description"], [CleanText(LIMIT, lines=True, tick=False)])
    prerequisites = TextAreaField(PARTS["prerequisites"], [CleanText(LIMIT, lines=True, tick=False)])
    how_to = TextAreaField(PARTS["how_to"], [CleanText(LIMIT, lines=True, tick=False)])
    result = TextAreaField(PARTS["result"], [CleanText(LIMIT, lines=True, tick=False)])
    material = TextAreaField(PARTS["material"], [CleanText(LIMIT, lines=True, tick=False)])
    contact = TextAreaField(PARTS["contact"], [CleanText(LIMIT, lines=True, tick=False)])
    needs = StringField(
        "Forudsætter opgaverne",
        [CleanText(500, tick=False)],
        description="Numre på opgaver i samme projekt, der skal løses først, fx MI 15, MI 18.",
    )
    responsible_role = SelectField(
        "Ansvarlig rolle", description="Den, der har rollen i kommunen, bliver ansvarlig for opgaven."
    )
    executor_role = SelectField("Udførende rolle")
    appoints_role = SelectField(
        "Rolle, som opgaven udpeger",
        description="Kun for opgaver som “Udpeg systemansvarlig”: kommunen løser dem ved at besætte rollen.",
    )
    start = StringField(
        "Startdato", [CleanText(40, tick=False)], description="Kan udelades. Skriv fx 21-11-2026."
    )
    deadline_rule = SelectField("Fristen bestemmes af")
    deadline_parameter = StringField(
        "Dato eller antal",
        [CleanText(120, tick=False)],
        description="Hvad der skal stå, følger af reglen ovenfor.",
    )
    working_day = SelectField(
        "Når fristen falder på en fridag",
        choices=_choices(WORKING_DAY_LABELS.items()),
        default="uaendret",
        description="Fridage er lørdage, søndage og danske helligdage.",
    )
    files_from = HiddenField()
    files_too = BooleanField("Tag KOMBITs filer med fra den opgave, der kopieres")


def draft_form(
    work: Work, project: Project, draft: Draft | None = None, data: Mapping[str, Any] | None = None
) -> DraftForm:
    """The form for one project; filled from the request, else from a draft."""
    extras = extra_fields(work, project)
    names = {extra.key: f"extra_{place}" for place, extra in enumerate(extras)}
    fields: dict[str, Any] = {}
    for extra in extras:
        if extra.choices:
            choices = _choices([("", "Vælg ikke"), *((each.value, each.label) for each in extra.choices)])
            fields[names[extra.key]] = SelectField(extra.label, choices=choices, description=extra.help)
        else:
            fields[names[extra.key]] = StringField(
                extra.label, [CleanText(FIELD_LIMIT, tick=False)], description=extra.help
            )
    bound = type("ProjectDraftForm", (DraftForm,), fields)
    form: DraftForm = bound(data=(_data(draft, names) if draft else {"project": project.slug}) | (data or {}))
    form.extra_names = names  # type: ignore[attr-defined]
    _fill_choices(work, project, form)
    return form


def _data(draft: Draft, names: Mapping[str, str]) -> dict[str, Any]:
    data = {name: getattr(draft, name) for name in DRAFTED}
    data |= {names[key]: value for key, value in draft.fields.items() if key in names}
    data["needs"] = ", ".join(draft.needs)
    data["start"] = short_date(draft.start) if draft.start else ""
    if draft.deadline_rule == FIXED_DATE:
        data["deadline_parameter"] = _danish(draft.deadline_parameter)
    return {name: "" if value is None else value for name, value in data.items()}


def _danish(day: str) -> str:
    """A stored day as it is typed: "2026-11-23" → "23-11-2026"; what is no day stays."""
    try:
        return short_date(parse_date(day))
    except InputError:
        return day


DRAFTED = (
    "project",
    "title",
    "number",
    "phase",
    "theme",
    "priority",
    "infrastructure",
    *PARTS,
    "responsible_role",
    "executor_role",
    "appoints_role",
    "deadline_rule",
    "deadline_parameter",
    "working_day",
    "template",
)


def _fill_choices(work: Work, project: Project, form: DraftForm) -> None:
    content = work.registry.content
    form.phase.choices = _choices((phase.slug, phase.name) for phase in content.phases)
    form.theme.choices = _choices((theme.slug, f"{theme.name} ({theme.prefix})") for theme in content.themes)
    roles = _choices([("", "Ingen"), *((role.slug, role.name) for role in content.roles)])
    form.responsible_role.choices = roles
    form.executor_role.choices = roles
    form.appoints_role.choices = roles
    form.deadline_rule.choices = _choices(
        (rule.key, rule.label) for rule in work.registry.deadline_rules.values()
    )
    fill_recipients(work, project, form)


def read_draft(form: DraftForm) -> Draft | None:
    """The draft that was typed, or None where a date cannot be read (the form then says so)."""
    typed = (form.start.data or "").strip()
    try:
        start = parse_date(typed) if typed else None
    except InputError as error:
        form.start.errors = [f"Startdato: {error}"]
        return None
    names: Mapping[str, str] = form.extra_names  # type: ignore[attr-defined]
    values = {name: form[name].data for name in DRAFTED}
    for name in ("number", "responsible_role", "executor_role", "appoints_role", "template"):
        values[name] = values[name] or None
    return Draft(
        start=start,
        needs=tuple(part.strip() for part in (form.needs.data or "").split(",") if part.strip()),
        fields={key: form[name].data for key, name in names.items() if form[name].data},
        **values,
    )


def show_problems(form: DraftForm, problems: Mapping[str, str]) -> None:
    """Put each problem at its field, else at the top of the form."""
    names: Mapping[str, str] = form.extra_names  # type: ignore[attr-defined]
    for name, sentence in problems.items():
        place = names.get(name.removeprefix("fields."), name)
        if place in form and form[place].type != "HiddenField":
            form[place].errors = [*form[place].errors, sentence]
        else:
            form.form_errors.append(sentence)


def number_typed(text: str | None) -> int | None:
    """A whole number that came with a form, or None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
