"""The core's own filters, in the same form as a plug-in's; each gives one condition for all its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from klik.content.loading import Content
from klik.domain.calendar import long_date, parse_date_range
from klik.domain.deadlines import Colour
from klik.domain.errors import InputError
from klik.domain.status import OPEN_STATUSES, Status
from klik.domain.tasknumbers import TaskNumber, TaskNumberError
from klik.domain.texts import search_key, sort_key
from klik.models import Municipality, MunicipalSystem, MunicipalTask, Project, TaskVersion, Wave
from klik.plugins.contributions import Choice, Filter, FilterQuestion, FilterValueError
from klik.services import own_tasks, past
from klik.services.criteria import SINCE
from klik.services.tasks import read_marks

PRIORITIES = {"hoej": "Høj", "normal": "Normal", "lav": "Lav"}
YES_NO = {"ja": "Ja", "nej": "Nej"}
COLOURS = frozenset(colour.value for colour in Colour)
ME, NOBODY, ROLE = "mig", "ingen", "rolle:"
CHANGED = "aendret"
NEWEST_ROUND = "nyeste"
MOST_WORDS = 12
_OPEN = sorted(OPEN_STATUSES)
_SPACE = sort_key("a b")[2:-2]
Where = Callable[[Sequence[str], FilterQuestion], ColumnElement[bool]]


_IS_OPEN = MunicipalTask.status.in_(_OPEN)


def is_open() -> ColumnElement[bool]:
    """Whether a task is neither completed nor not relevant."""
    return _IS_OPEN


# A page names the colours a dozen times; the conditions are the same all day and never changed.
@lru_cache(maxsize=8)
def has_colour(colour: Colour, today: date) -> ColumnElement[bool]:
    """Whether a task has the colour on this Danish day; the same rule as klik.domain.deadlines.colour.

    A withdrawn task has none.
    """
    asked = and_(is_open(), MunicipalTask.withdrawn_at.is_(None))
    if colour is Colour.RED:
        return and_(asked, MunicipalTask.deadline < today)
    left = and_(asked, MunicipalTask.deadline >= today)
    if colour is Colour.YELLOW:
        return and_(left, MunicipalTask.yellow_from <= today)
    return and_(left, or_(MunicipalTask.yellow_from.is_(None), MunicipalTask.yellow_from > today))


def core_filters(content: Content) -> tuple[Filter, ...]:
    """Every filter of the language that klik itself knows, in the order of the panel (seed 003)."""
    roles = [Choice(value=f"{ROLE}{role.slug}", label=role.name) for role in content.roles]
    people = [Choice(value=ME, label="Mig"), Choice(value=NOBODY, label="Ingen")]
    statuses = {status.value: status.label for status in Status}
    return (
        _named("projekt", "Projekt", _project),
        _named("system", "System", lambda values, _q: MunicipalTask.system_code.in_(values)),
        _named("kommune", "Kommune", _municipality),
        _named("bolge", "Bølge", _wave),
        _named("runde", "Runde", _round),
        Filter(key="region", label="Region", where=_region, describe=str),
        _listed("fase", "Fase", MunicipalTask.phase, {each.slug: each.name for each in content.phases}),
        _listed("tema", "Tema", MunicipalTask.theme, {each.slug: each.name for each in content.themes}),
        Filter(
            key="deadline",
            label="Deadline",
            where=_deadline,
            describe=_deadline_words,
            choices=(
                *(Choice(value=each.value, label=each.label) for each in Colour),
                Choice(value=NOBODY, label="Ingen deadline"),
            ),
        ),
        _listed("prioritet", "Prioritet", MunicipalTask.priority, PRIORITIES),
        _listed("status", "Status", MunicipalTask.status, statuses),
        _period("startdato", "Startdato", MunicipalTask.start_date),
        _period("slutdato", "Slutdato", MunicipalTask.completed_on),
        _person(
            "ansvarlig",
            "Ansvarlig",
            MunicipalTask.responsible_id,
            MunicipalTask.responsible_role,
            [*people, *roles],
        ),
        _person(
            "udfoerer", "Udfører", MunicipalTask.executor_id, MunicipalTask.executor_role, [*people, *roles]
        ),
        _yes_no("infrastruktur", "STS/Infrastruktur", lambda _question: MunicipalTask.infrastructure),
        _yes_no(
            "fuldfoerte",
            "Vis fuldførte",
            lambda _question: or_(~is_open(), MunicipalTask.withdrawn_at.is_not(None)),
        ),
        Filter(key="nummer", label="Nummer", where=_number, describe=str, kind="tekst"),
        Filter(key="q", label="Søgning", where=_search, describe=lambda value: f"“{value}”", kind="tekst"),
        _yes_no(CHANGED, "Ændret, siden jeg så den", _changed),
        Filter(key=SINCE, label="Ny siden", where=_since, describe=_since_words, kind="dato"),
    )


def read_values(values: Iterable[str], known: Iterable[str], label: str) -> list[str]:
    """The values, when all of them are known; raises FilterValueError."""
    allowed = set(known)
    for value in values:
        if value not in allowed:
            raise FilterValueError(f"{label}: “{value}” findes ikke")
    return list(values)


def _listed(key: str, label: str, column: Any, words: dict[str, str]) -> Filter:
    return Filter(
        key=key,
        label=label,
        where=lambda values, _question: column.in_(read_values(values, words, label)),
        describe=lambda value: words.get(value, value),
        choices=tuple(Choice(value=value, label=word) for value, word in words.items()),
    )


def _named(key: str, label: str, where: Where) -> Filter:
    """A filter whose values stand in the database; the vocabulary says which there are."""
    return Filter(key=key, label=label, where=where, describe=str)


def _project(values: Sequence[str], _question: FilterQuestion) -> ColumnElement[bool]:
    return MunicipalTask.project_id.in_(select(Project.id).where(Project.slug.in_(values)))


def _municipality(values: Sequence[str], _question: FilterQuestion) -> ColumnElement[bool]:
    codes = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) <= 3]
    return MunicipalTask.municipality_id.in_(codes)


def _wave(values: Sequence[str], _question: FilterQuestion) -> ColumnElement[bool]:
    return (
        select(MunicipalSystem.id)
        .join(Wave, Wave.id == MunicipalSystem.wave_id)
        .where(
            MunicipalSystem.municipality_id == MunicipalTask.municipality_id,
            MunicipalSystem.system_code == MunicipalTask.system_code,
            Wave.slug.in_(values),
        )
        .correlate(MunicipalTask)
        .exists()
    )


def _region(values: Sequence[str], _question: FilterQuestion) -> ColumnElement[bool]:
    return MunicipalTask.municipality_id.in_(select(Municipality.id).where(Municipality.region.in_(values)))


def _round(values: Sequence[str], _question: FilterQuestion) -> ColumnElement[bool]:
    """A number, or the one that new tasks of the project are published in."""

    def one(value: str) -> ColumnElement[bool]:
        if value == NEWEST_ROUND:
            newest = select(Project.round).where(Project.id == MunicipalTask.project_id)
            return MunicipalTask.round == newest.correlate(MunicipalTask).scalar_subquery()
        return MunicipalTask.round == int(value)

    known = [value for value in values if value == NEWEST_ROUND or (value.isascii() and value.isdigit())]
    return or_(false(), *(one(value) for value in known if len(value) <= 6))


def _deadline(values: Sequence[str], question: FilterQuestion) -> ColumnElement[bool]:
    def one(value: str) -> ColumnElement[bool]:
        if value in COLOURS:
            return has_colour(Colour(value), question.today)
        if value == NOBODY:
            return MunicipalTask.deadline.is_(None)
        if not any(character.isdigit() for character in value) and "idag" not in value:
            raise FilterValueError(f"Deadline: “{value}” findes ikke")
        return _between("Deadline", MunicipalTask.deadline, value, question.today)

    return or_(*(one(value) for value in values))


def _deadline_words(value: str) -> str:
    if value == NOBODY:
        return "Ingen deadline"
    return Colour(value).label if value in COLOURS else period_words(value)


def _period(key: str, label: str, column: Any) -> Filter:
    return Filter(
        key=key,
        label=label,
        where=lambda values, question: or_(
            *(_between(label, column, value, question.today) for value in values)
        ),
        describe=period_words,
        kind="dato",
    )


def _between(label: str, column: Any, value: str, today: date) -> ColumnElement[bool]:
    try:
        first, last = parse_date_range(value, today)
    except InputError as error:
        raise FilterValueError(f"{label}: {error}") from None
    return and_(*([column >= first] if first else []), *([column <= last] if last else []))


def period_words(value: str) -> str:
    """A date or a period of the language in Danish words: "fra i dag til 14 dage efter i dag"."""
    first, dots, last = value.partition("..")
    if not dots:
        return _day_words(first)
    if not first.strip():
        return f"til {_day_words(last)}"
    return f"fra {_day_words(first)}" + (f" til {_day_words(last)}" if last.strip() else "")


def _day_words(typed: str) -> str:
    text = typed.strip().casefold()
    if text.startswith("idag"):
        distance = text.removeprefix("idag").strip()
        if not distance:
            return "i dag"
        count = distance.lstrip("+- ")
        unit = "dag" if count == "1" else "dage"
        return f"{count} {unit} {'før' if distance.startswith('-') else 'efter'} i dag"
    try:
        day, _same = parse_date_range(text, date(2000, 1, 1))
    except InputError:
        return typed
    return long_date(day) if day else typed


def _person(key: str, label: str, person: Any, role: Any, choices: Sequence[Choice]) -> Filter:
    words = {choice.value: choice.label for choice in choices}

    def one(value: str, question: FilterQuestion) -> ColumnElement[bool]:
        if value == ME:
            if question.person_id is None:
                raise FilterValueError(f"{label}: “mig” kan kun bruges af en person")
            return or_(person == question.person_id, own_tasks.of_roles(person, role, question.roles))
        if value == NOBODY:
            return person.is_(None)
        if value.startswith(ROLE):
            read_values([value], words, label)
            return role == value.removeprefix(ROLE)
        if value.isascii() and value.isdigit() and len(value) <= 10 and int(value) < 2**31:
            return person == int(value)
        raise FilterValueError(f"{label}: “{value}” findes ikke")

    return Filter(
        key=key,
        label=label,
        where=lambda values, question: or_(*(one(value, question) for value in values)),
        describe=lambda value: words.get(value, value),
        choices=tuple(choices),
        kind="person",
    )


def _yes_no(key: str, label: str, true_when: Callable[[FilterQuestion], ColumnElement[bool]]) -> Filter:
    def where(values: Sequence[str], question: FilterQuestion) -> ColumnElement[bool]:
        condition = true_when(question)
        wanted = set(read_values(values, YES_NO, label))
        return or_(*([condition] if "ja" in wanted else []), *([~condition] if "nej" in wanted else []))

    return Filter(
        key=key,
        label=label,
        where=where,
        describe=lambda value: YES_NO.get(value, value),
        choices=tuple(Choice(value=value, label=word) for value, word in YES_NO.items()),
    )


def _changed(question: FilterQuestion) -> ColumnElement[bool]:
    return false() if question.person_id is None else read_marks.is_new_to(question.person_id)


def _since(values: Sequence[str], question: FilterQuestion) -> ColumnElement[bool]:
    """Only whether the days can be read; what a day asks depends on the other filters (see filtering)."""
    for value in values:
        try:
            past.past_day(value, question.today)
        except InputError as error:
            raise FilterValueError(f"Ny siden: {error}") from None
    return true()


def _since_words(value: str) -> str:
    return "i går" if value.strip().casefold() in past.YESTERDAY else period_words(value)


def _number(values: Sequence[str], _question: FilterQuestion) -> ColumnElement[bool]:
    """MI 15, mi15 or MI-15 is that number; MI alone is every number that begins with it."""

    def one(value: str) -> ColumnElement[bool]:
        try:
            return MunicipalTask.number_key == sort_key(str(TaskNumber.parse(value)))
        except TaskNumberError:
            key = sort_key(value)
        if not key:
            raise FilterValueError(f"Nummer: “{value}” er ikke et opgavenummer")
        if value.strip().isalpha():
            return MunicipalTask.number_key.startswith(key + _SPACE)
        return MunicipalTask.number_key == key

    return or_(*(one(value) for value in values))


def _search(values: Sequence[str], _question: FilterQuestion) -> ColumnElement[bool]:
    """All words of a value must stand somewhere in the task; wildcards are letters like any other."""

    def has(word: str) -> ColumnElement[bool]:
        in_published_text = (
            select(TaskVersion.id)
            .where(
                TaskVersion.id == MunicipalTask.task_version_id,
                TaskVersion.search_key.contains(word, autoescape=True),
            )
            .correlate(MunicipalTask)
            .exists()
        )
        return or_(MunicipalTask.search_key.contains(word, autoescape=True), in_published_text)

    def one(value: str) -> ColumnElement[bool]:
        words = search_key(value).split()
        if not words:
            raise FilterValueError(f"Søgning: “{value}” indeholder ikke noget, der kan søges efter")
        if len(words) > MOST_WORDS:
            raise FilterValueError(f"Søgning: højst {MOST_WORDS} ord; der er {len(words)}")
        return and_(*(has(word) for word in dict.fromkeys(words)))

    return or_(*(one(value) for value in values))
