"""The forms of the task page and of local tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from flask import request
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    Field,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)

from klik.content.loading import Content
from klik.domain import free_text, texts
from klik.domain.calendar import parse_date, short_date
from klik.domain.errors import InputError
from klik.domain.status import REASON_LIMIT, Status
from klik.models import MunicipalTask, Person, Project
from klik.plugins.contributions import ExtraField
from klik.services.errors import RefusedError
from klik.services.filters import PRIORITIES
from klik.services.tasks import assigning, commenting, steps
from klik.services.tasks import checklist as checklists
from klik.services.tasks.assigning import NOBODY, Assignee
from klik.services.tasks.steps import Changes
from klik.services.tasks.words import LOCAL_TEXT_LIMIT
from klik.services.work import Work
from klik.web.forms import DRAWN, CleanText, Form, OnceForm, VersionedForm, offer_tick, showable

EXTRA = "felt-"


class DayField(StringField):
    """A date typed in Danish; ``day`` is the date or None, the typed text is kept when it is wrong."""

    day: date | None = None

    def pre_validate(self, _form: Any) -> None:
        """Read the text; empty is no date."""
        self.day = None
        if not (self.data or "").strip():
            return
        try:
            self.day = parse_date(texts.clean(self.data or "", field="Datoen", limit=40))
        except InputError as error:
            self.data = showable(self.data or "")
            raise ValidationError(f"{self.label.text}: {error}") from error


def _once(form: Form) -> bool:
    """Whether every field came once; of a repeated one nobody could tell which value was meant."""
    repeated = [field for field in form if len(request.form.getlist(field.name)) > 1]
    for field in repeated:
        field.errors = [*field.errors, f"{field.label.text}: feltet er sendt flere gange. Vælg én værdi."]
    return not repeated


def show_problems(form: Form, error: RefusedError) -> None:
    """Put a service's refusals on the fields they name, or on the form."""
    for name, sentence in error.problems.items():
        field = next((form[key] for key in (name, EXTRA + name) if key in form), None)
        if field is None:
            form.form_errors.append(sentence)
        else:
            field.errors = [*field.errors, sentence]
            offer_tick(field)


@dataclass(frozen=True, slots=True)
class People:
    """Whom a task can be given to, as the lists show them."""

    with_role: tuple[Person, ...]
    others: tuple[Person, ...]
    roles: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, work: Work, task: MunicipalTask) -> People:
        """Those of the task's municipality."""
        with_role, others = assigning.candidates(work, task)
        roles = tuple((role.slug, role.name) for role in assigning.roles_for(work, task.system_code))
        return cls(with_role, others, roles)

    def choices(self, now: Assignee, now_word: str) -> dict[str, dict[str, str]]:
        """Groups for a select; whoever has the task now is among them even when no longer on the list."""
        groups = {"Ikke fordelt": {"": "Ingen"}}
        if self.with_role:
            groups["Har en rolle på systemet"] = {f"person/{each.id}": each.name for each in self.with_role}
        if self.others:
            title = "Andre i kommunen" if self.with_role else "Personer i kommunen"
            groups[title] = {f"person/{each.id}": each.name for each in self.others}
        groups["Roller"] = {f"rolle/{slug}": name for slug, name in self.roles}
        if not any(now.key in group for group in groups.values()):
            groups["Nuværende"] = {now.key: now_word}
        return groups


class TaskForm(VersionedForm):
    """A versioned form whose fields each come once."""

    def validate(self, extra_validators: Any = None) -> bool:
        """Every field once, and each of its own kind; without a version it counts as drawn before any."""
        valid = super().validate(extra_validators)
        if self.version.errors:
            # The field is hidden: nobody could follow a link to it.
            self.form_errors.extend(self.version.errors)
            self.version.errors = []
            self.version.data = 0
        return _once(self) and valid


class EditForm(TaskForm):
    """Status, responsible and executor, and what else a municipality decides of a task."""

    status = SelectField("Status", choices={status.value: status.label for status in Status})
    not_relevant_reason = TextAreaField(
        "Begrundelse",
        validators=[CleanText(REASON_LIMIT, lines=True)],
        description="Skal udfyldes, når status er “Ikke relevant”.",
    )
    responsible = SelectField("Ansvarlig")
    executor = SelectField("Udfører")
    deadline = DayField("Egen deadline")

    base: Mapping[str, str] = MappingProxyType({})

    def hidden(self) -> dict[str, Any]:
        """The version, and what each field held when the form was drawn: only what was touched is changed."""
        return {"version": self.version.data} | {DRAWN + name: value for name, value in self.base.items()}

    def changes(self) -> Changes:
        """What the person touched."""
        given: dict[str, Any] = {}
        fields = {}
        for field in self:
            if not self._touched(field):
                continue
            if field.name.startswith(EXTRA):
                fields[field.name.removeprefix(EXTRA)] = field.data or ""
            else:
                given[field.name] = _value(field)
        if "not_relevant_reason" in given:
            given["not_relevant_reason"] = given["not_relevant_reason"] or None
        return Changes(**given, fields=fields)

    def keep_only_touched(self, fresh: EditForm) -> None:
        """After a conflict: what the person touched stays as typed, the rest becomes what is stored now."""
        for field in self:
            if field.name in fresh.base and not self._touched(field):
                field.data = fresh[field.name].data
        self.version.data = fresh.version.data
        self.base = fresh.base

    def _touched(self, field: Field) -> bool:
        return field.name in self.base and self.base[field.name] != _plain(field.data)


def _plain(text: Any) -> str:
    """As a browser sends it and klik stores it."""
    return str(text or "").replace("\r\n", "\n").strip()


def _value(field: Field) -> Any:
    if field.name == "status":
        return Status(field.data)
    if field.name in ("responsible", "executor"):
        return Assignee.parse(field.data or "") or NOBODY
    return field.day if isinstance(field, DayField) else field.data


class LocalEditForm(EditForm):
    """The same for a local task, whose words the municipality owns too."""

    title = StringField("Titel", validators=[CleanText(steps.TITLE_LIMIT, required=True)])
    local_text = TextAreaField("Beskrivelse", validators=[CleanText(LOCAL_TEXT_LIMIT, lines=True)])
    phase = SelectField("Fase")
    theme = SelectField("Tema")
    priority = SelectField("Prioritet", choices=dict(PRIORITIES))
    start_date = DayField("Startdato")
    deadline = DayField("Deadline")


def _day(day: date | None) -> str:
    return short_date(day) if day else ""


def edit_form(work: Work, task: MunicipalTask, values: Mapping[str, str], *, sent: bool = False) -> EditForm:
    """The form for a task as it stands, or with what was sent; plug-in fields of its system included."""
    local = task.task_id is None
    extras = [extra for extra in work.registry.fields_of(task.system_code) if extra.municipal]
    kind = type("BoundForm", (LocalEditForm if local else EditForm,), {})
    for extra in extras:
        setattr(kind, EXTRA + extra.key, _extra_field(extra, values.get(extra.key, "")))
    stored = {
        "version": task.version,
        "status": task.status,
        "not_relevant_reason": task.not_relevant_reason or "",
        "responsible": steps.assignee(task, "responsible").key,
        "executor": steps.assignee(task, "executor").key,
        "deadline": _day(task.deadline if local or task.deadline_is_own else None),
        "title": task.title,
        "local_text": task.local_text,
        "phase": task.phase,
        "theme": task.theme,
        "priority": task.priority,
        "start_date": _day(task.start_date),
    } | {EXTRA + extra.key: values.get(extra.key, "") for extra in extras}
    form: EditForm = kind(request.form if sent else None, data=stored)
    now_held = {name: _plain(value) for name, value in stored.items() if name in form and name != "version"}
    # What was drawn comes back with the form; without it everything sent counts as meant.
    form.base = (
        {name: _plain(request.form.get(DRAWN + name, value)) for name, value in now_held.items()}
        if sent
        else now_held
    )
    people = People.of(work, task)
    for name in ("responsible", "executor"):
        now = steps.assignee(task, name)
        form[name].choices = people.choices(now, assigning.word(work, now))
    if local:
        _content_choices(form, work.registry.content, phase=task.phase, theme=task.theme)
    return form


def _content_choices(form: Form, content: Content, *, phase: str = "", theme: str = "") -> None:
    form["phase"].choices = _with_retired({each.slug: each.name for each in content.phases}, phase)
    form["theme"].choices = _with_retired({each.slug: each.name for each in content.themes}, theme)


def _with_retired(choices: dict[str, str], now: str) -> dict[str, str]:
    return choices if not now or now in choices else {now: f"{now} (udgået)"} | choices


def _extra_field(extra: ExtraField, now: str) -> Any:
    if not extra.choices:
        return StringField(extra.label, validators=[CleanText(steps.FIELD_LIMIT)], description=extra.help)
    choices = {"": "Ikke angivet"} | {choice.value: choice.label for choice in extra.choices}
    return SelectField(extra.label, choices=_with_retired(choices, now), description=extra.help)


class CommentForm(OnceForm):
    """A new comment."""

    text = TextAreaField("Kommentar", validators=[CleanText(commenting.LIMIT, required=True, lines=True)])
    mention = SelectField("Nævn en person", validate_choice=False)
    private = BooleanField("Kun for vores kommune")

    def words(self) -> str:
        """The comment with the person chosen from the list at its end, when the text does not name them."""
        text, name = self.text.data or "", self.mention.data or ""
        chosen = f"@{name}"
        return f"{text} {chosen}" if name and chosen.casefold() not in text.casefold() else text


class CommentEditForm(TaskForm):
    """One's own comment, again."""

    text = TextAreaField("Kommentar", validators=[CleanText(commenting.LIMIT, required=True, lines=True)])


class AttachForm(OnceForm):
    """A file for the task."""

    file = FileField("Vælg en fil")


class NewLocalForm(OnceForm):
    """A new local task."""

    title = StringField(
        "Titel",
        validators=[CleanText(steps.TITLE_LIMIT, required=True)],
        description="Begynd med det, der skal gøres, fx “Udpeg superbrugere”.",
    )
    project_id = SelectField("Projekt", coerce=int)
    local_text = TextAreaField(
        "Beskrivelse",
        validators=[CleanText(LOCAL_TEXT_LIMIT, lines=True)],
        description="Du kan bruge Markdown: **fed**, lister med - og links.",
    )
    phase = SelectField("Fase")
    theme = SelectField("Tema")
    priority = SelectField("Prioritet", choices=dict(PRIORITIES), default="normal")
    start_date = DayField("Startdato")
    deadline = DayField("Deadline")
    responsible = SelectField("Ansvarlig")
    checklist = TextAreaField(
        "Tjekliste",
        validators=[CleanText(checklists.MOST * checklists.LIMIT, lines=True)],
        description="Én linje for hvert punkt, I vil krydse af. Kan udelades.",
    )

    def lines(self) -> tuple[str, ...]:
        """The checklist's lines, empty ones left out."""
        typed = self.checklist.data or ""
        found = [line.strip() for line in typed.splitlines() if line.strip()]
        return (
            tuple(free_text.confirmed(line) for line in found)
            if free_text.is_confirmed(typed)
            else tuple(found)
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """Every field once, and each of its own kind."""
        valid = super().validate(extra_validators)
        return _once(self) and valid

    def offer(self, work: Work, projects: Iterable[Project], people: People) -> None:
        """Fill the lists."""
        self.project_id.choices = [SelectChoice(project.id, project.name) for project in projects]
        _content_choices(self, work.registry.content)
        self.responsible.choices = people.choices(NOBODY, "Ingen")
