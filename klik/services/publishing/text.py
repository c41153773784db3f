"""What KOMBIT writes before a KLIK-opgave is published, and everything that can be wrong with it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from sqlalchemy import select

from klik.content.keys import nearest
from klik.domain import texts
from klik.domain.calendar import EARLIEST, LATEST, long_date, parse_date, short_date
from klik.domain.errors import InputError
from klik.domain.markdown import LIMIT, check_markdown
from klik.domain.tasknumbers import TaskNumber, TaskNumberError
from klik.models import Project, Task
from klik.models.task import PRIORITIES, WORKING_DAYS
from klik.plugins.contributions import DeadlineRule, ExtraField, TaskTemplate
from klik.services import free_text
from klik.services.deadlines import rule_problem
from klik.services.publishing.field_words import field_problem
from klik.services.work import Work

TITLE_LIMIT = 200
FIELD_LIMIT = 500
PARAMETER_LIMIT = 120
MOST_NEEDS = 50

# The parts of a task's text in the order people read them (KOMBIT's STS handbook, seed 003), with their labels.
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "purpose": "Formål",
        "description": "Beskrivelse",
        "prerequisites": "Forudsætninger",
        "how_to": "Sådan løses opgaven",
        "result": "Resultat",
        "material": "Hjælpemateriale",
        "contact": "Kontakt",
    }
)
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "responsible_role": "Ansvarlig rolle",
        "executor_role": "Udførende rolle",
        "appoints_role": "Rolle, som opgaven udpeger",
    }
)
PRIORITY_LABELS: Mapping[str, str] = MappingProxyType({"hoej": "Høj", "normal": "Normal", "lav": "Lav"})
WORKING_DAY_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "uaendret": "Som reglen siger",
        "foer": "Flyt til arbejdsdagen før",
        "efter": "Flyt til arbejdsdagen efter",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A KLIK-opgave as it is written; slugs for project, phase, theme and roles, Markdown for the texts.

    ``number`` None asks for the next free one of the theme. ``needs`` are numbers in the same project that must
    be done first. ``fields`` holds the plug-in fields KOMBIT fills in, by key. ``working_day`` says whether a
    deadline on a day off is moved ("foer", "efter"); ``appoints_role`` which role a task "Udpeg …" fills.
    """

    project: str
    title: str
    phase: str
    theme: str
    number: str | None = None
    purpose: str = ""
    description: str = ""
    prerequisites: str = ""
    how_to: str = ""
    result: str = ""
    material: str = ""
    contact: str = ""
    responsible_role: str | None = None
    executor_role: str | None = None
    priority: str = "normal"
    infrastructure: bool = False
    start: date | None = None
    deadline_rule: str = "core.months-after-publication"
    deadline_parameter: str = "1"
    working_day: str = "uaendret"
    appoints_role: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None
    needs: tuple[str, ...] = ()

    @classmethod
    def from_template(cls, template: TaskTemplate, project: str, number: str | None = None) -> Draft:
        """The template's words as a draft for the project with this slug."""
        return cls(
            project=project,
            title=template.title,
            phase=template.phase,
            theme=template.theme,
            number=number,
            responsible_role=template.responsible_role,
            executor_role=template.executor_role,
            appoints_role=template.appoints_role,
            priority=template.priority,
            infrastructure=template.infrastructure,
            deadline_rule=template.deadline_rule,
            deadline_parameter=template.deadline_parameter,
            fields=dict(template.fields),
            template=template.key,
            **{part: getattr(template, part) for part in PARTS} | {"how_to": _how_to(template)},
        )


def _how_to(template: TaskTemplate) -> str:
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(template.steps, start=1))
    return "\n\n".join(part for part in (template.how_to, steps) if part)


def tidied(draft: Draft) -> Draft:
    """The draft as it is stored; raises InputError where ``check`` would have found something."""
    number = str(TaskNumber.parse(draft.number)) if draft.number and draft.number.strip() else None
    return replace(
        draft,
        title=texts.clean(draft.title, field="Titel", limit=TITLE_LIMIT, required=True),
        number=number,
        deadline_parameter=_stored_parameter(draft),
        responsible_role=draft.responsible_role or None,
        executor_role=draft.executor_role or None,
        appoints_role=draft.appoints_role or None,
        fields={
            key: texts.clean(value, field=key, limit=FIELD_LIMIT)
            for key, value in draft.fields.items()
            if value.strip()
        },
        needs=tuple(dict.fromkeys(str(TaskNumber.parse(need)) for need in draft.needs)),
        **{
            part: texts.clean(getattr(draft, part), field=label, limit=LIMIT, lines=True)
            for part, label in PARTS.items()
        },
    )


def _stored_parameter(draft: Draft) -> str:
    parameter = draft.deadline_parameter.strip()
    return parse_date(parameter).isoformat() if draft.deadline_rule == "core.date" else parameter


def check(work: Work, draft: Draft, task_id: int | None = None) -> dict[str, str]:
    """Every problem at once: the draft's field → a Danish sentence; plug-in fields stand as ``fields.<key>``.

    ``task_id`` is the draft's own task when it is stored already, so its number is not taken by itself.
    """
    project = work.session.scalar(select(Project).where(Project.slug == draft.project))
    numbers = _numbers(work, project)
    problems: dict[str, str] = {}
    for name, sentence in (
        *_place_problems(work, draft, project),
        *_number_problems(work, draft, numbers, task_id),
        *text_problems(draft),
        *_deadline_problems(work, draft),
        *_field_problems(work, draft, project),
    ):
        problems.setdefault(name, sentence)
    return problems


Problems = Iterator[tuple[str, str]]


def _numbers(work: Work, project: Project | None) -> dict[str, int]:
    if project is None:
        return {}
    rows = work.session.execute(select(Task.task_number, Task.id).where(Task.project_id == project.id))
    return dict(rows.all())


def _place_problems(work: Work, draft: Draft, project: Project | None) -> Problems:
    content = work.registry.content
    if project is None:
        known = work.session.scalars(select(Project.slug).where(Project.active.is_(True)))
        yield "project", _unknown("Projekt", draft.project, known.all())
    elif not project.active:
        yield "project", f"Projekt: “{project.name}” er afsluttet; vælg et andet."
    if content.phase(draft.phase).is_retired:
        yield "phase", _unknown("Fase", draft.phase, [phase.slug for phase in content.phases])
    if content.theme(draft.theme).is_retired:
        yield "theme", _unknown("Tema", draft.theme, [theme.slug for theme in content.themes])
    roles = [role.slug for role in content.roles]
    for name, label in ROLES.items():
        role = getattr(draft, name)
        if role and content.role(role).is_retired:
            yield name, _unknown(label, role, roles)
    if draft.working_day not in WORKING_DAYS:
        yield "working_day", _unknown("Arbejdsdag", draft.working_day, WORKING_DAYS)
    if draft.priority not in PRIORITIES:
        yield "priority", _unknown("Prioritet", draft.priority, PRIORITIES)
    if draft.template and draft.template not in work.registry.task_types:
        yield "template", f"Skabelonen “{draft.template[:60]}” findes ikke længere."


def _unknown(label: str, typed: str, known: list[str] | tuple[str, ...]) -> str:
    if not typed:
        return f"{label} skal vælges."
    return f"{label}: “{typed[:60]}” kendes ikke. {nearest(typed, known)}"


def _number_problems(work: Work, draft: Draft, taken: Mapping[str, int], task_id: int | None) -> Problems:
    theme = work.registry.content.theme(draft.theme)
    if draft.number and draft.number.strip():
        try:
            number = TaskNumber.parse(draft.number)
        except TaskNumberError as error:
            yield "number", f"Nummer: {error}"
        else:
            owner = taken.get(str(number))
            if not theme.is_retired and number.prefix != theme.prefix:
                yield "number", f"Nummer: i temaet {theme.name} begynder numrene med {theme.prefix}."
            elif owner is not None and owner != task_id:
                yield "number", f"Nummer: {number} er allerede brugt i projektet. Vælg et andet nummer."
    if len(draft.needs) > MOST_NEEDS:
        yield "needs", f"Forudsætter: skriv højst {MOST_NEEDS} opgavenumre."
    for need in draft.needs[:MOST_NEEDS]:
        try:
            found = taken.get(str(TaskNumber.parse(need)))
        except TaskNumberError as error:
            yield "needs", f"Forudsætter: {error}"
            continue
        if found is None:
            yield "needs", f"Forudsætter: projektet har ingen opgave med nummeret {need[:20]}."
        elif found == task_id:
            yield "needs", "Forudsætter: en opgave kan ikke forudsætte sig selv."


def text_problems(draft: Draft) -> Problems:
    """What is wrong with the title and the parts alone, in the order they stand."""
    try:
        texts.clean(draft.title, field="Titel", limit=TITLE_LIMIT, required=True)
    except InputError as error:
        yield "title", str(error)
    yield from _cpr_problems("title", "Titel", draft.title)
    for part, label in PARTS.items():
        text = getattr(draft, part)
        try:
            check_markdown(texts.clean(text, field=label, limit=LIMIT, lines=True), label)
        except InputError as error:
            yield part, str(error)
        else:
            yield from _cpr_problems(part, label, text)


def _cpr_problems(name: str, label: str, text: str) -> Problems:
    try:
        free_text.refuse_cpr(text, field=label, tick=False)
    except InputError as error:
        yield name, str(error)


def _deadline_problems(work: Work, draft: Draft) -> Problems:
    rule = work.registry.deadline_rules.get(draft.deadline_rule)
    parameter = draft.deadline_parameter.strip()
    if draft.start is not None and not EARLIEST <= draft.start <= LATEST:
        yield "start", f"Startdato skal ligge fra {short_date(EARLIEST)} til {short_date(LATEST)}."
    if rule is None:
        yield (
            "deadline_rule",
            _unknown("Fristregel", draft.deadline_rule, list(work.registry.deadline_rules)),
        )
    elif len(parameter) > PARAMETER_LIMIT:
        yield "deadline_parameter", f"{rule.parameter_label} må højst fylde {PARAMETER_LIMIT} tegn."
    elif problem := rule_problem(work.registry, rule, parameter):
        yield "deadline_parameter", problem
    elif rule.key == "core.date":
        yield from _date_problems(work, rule, draft, parse_date(parameter))


def _date_problems(work: Work, rule: DeadlineRule, draft: Draft, day: date) -> Problems:
    if day < work.today:
        yield "deadline_parameter", f"Fristen {long_date(day)} er allerede overskredet. Vælg en senere dato."
    elif draft.start is not None and draft.start > day:
        yield "start", f"Startdato {long_date(draft.start)} ligger efter fristen {long_date(day)}."


def _field_problems(work: Work, draft: Draft, project: Project | None) -> Problems:
    declared = {extra.key: extra for extra in extra_fields(work, project)}
    for key, value in draft.fields.items():
        name = f"fields.{key}"
        extra = declared.get(key)
        if extra is None:
            yield name, f"Feltet “{key[:60]}” findes ikke på projektets opgaver."
            continue
        try:
            value = texts.clean(value, field=extra.label, limit=FIELD_LIMIT)
        except InputError as error:
            yield name, str(error)
            continue
        choices = {choice.value: choice.label for choice in extra.choices}
        if value and choices and value not in choices:
            yield name, f"{extra.label}: “{value[:60]}” kan ikke vælges. {nearest(value, choices)}"
        if value and (problem := field_problem(work, extra, value)):
            yield name, problem
        yield from _cpr_problems(name, extra.label, value)


def extra_fields(work: Work, project: Project | None) -> tuple[ExtraField, ...]:
    """The plug-in fields that KOMBIT fills in on this project's tasks."""
    if project is None or project.system_code is None:
        return ()
    return tuple(extra for extra in work.registry.fields_of(project.system_code) if not extra.municipal)
