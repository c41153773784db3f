"""From criteria to conditions: which municipal tasks the actor may see and has asked for.

Decisions: closed tasks (fuldført, ikke relevant) are hidden until ``fuldfoerte=ja``, or until ``status`` names
them; withdrawn tasks are hidden until ``fuldfoerte=ja``. ``ansvarlig=ingen`` means that no person is named; a
role may still stand there.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from klik.models import MunicipalTask, MunicipalTaskField
from klik.models.stamps import Part
from klik.plugins.conditions import is_harmless
from klik.plugins.contributions import Filter, FilterColumns, FilterQuestion, FilterValueError
from klik.plugins.guard import fault_of
from klik.plugins.manager import Registry, plugin_of
from klik.services import access, past, vocabulary
from klik.services.criteria import COMPLETED, SINCE, Criteria, parse, unknown
from klik.services.filters import CHANGED, ME, is_open
from klik.services.vocabulary import PEOPLE_KEYS, Vocabulary
from klik.services.work import Work

_SIZE = 20_000
_Roles = frozenset[tuple[str, str | None]]
_Answer = tuple[ColumnElement[bool] | None, str]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked, as conditions by key; ``criteria`` holds only what means something.

    ``remarks`` are Danish sentences about everything that was left out. ``visible`` is what the actor may see
    at all and is always part of ``where``. Selections with the same ``key`` find the same tasks as long as the
    stamps are the same; what comes of one without a key is not kept.
    """

    criteria: Criteria
    visible: ColumnElement[bool]
    conditions: Mapping[str, ColumnElement[bool]]
    remarks: tuple[str, ...]
    words: Vocabulary
    key: Hashable | None = None

    def where(self, *without: str) -> ColumnElement[bool]:
        """Everything that must hold, but for the filters of the keys in ``without``."""
        return and_(
            self.visible, *(condition for key, condition in self.conditions.items() if key not in without)
        )

    def only(self, *keys: str) -> ColumnElement[bool]:
        """What must hold of the filters of these keys alone, in what the actor may see."""
        return and_(self.visible, *(self.conditions[key] for key in keys if key in self.conditions))


def read(registry: Registry, query: str) -> Criteria:
    """The criteria of a query string, with the filters of core and plug-ins; raises QueryTooLongError."""
    return parse(query, registry.filters)


def select_tasks(work: Work, criteria: Criteria, words: Vocabulary | None = None) -> Selection:
    """The conditions for the criteria; without ``words`` the vocabulary is read (one statement)."""
    words = words or vocabulary.read(work, [criteria])
    plugin_asked = any(_is_plugin(key) for key, _values in criteria.filters)
    person = work.actor.person_id if work.actor else None
    roles = _roles_asked(work, criteria)
    key = (
        None
        if plugin_asked
        else ("selection", criteria, criteria.remarks, access.sight(work), person, roles, work.today)
    )
    found = work.kept.once(key, lambda: _select(work, criteria, words, roles), part=Part.FRAME, size=_SIZE)
    return found if found.words is words else replace(found, words=words)


def _select(work: Work, criteria: Criteria, words: Vocabulary, roles: _Roles) -> Selection:
    question = _question(work, roles)
    conditions: dict[str, ColumnElement[bool]] = {}
    kept: list[tuple[str, tuple[str, ...]]] = []
    remarks = list(criteria.remarks)
    for key, values in criteria.filters:
        if key in PEOPLE_KEYS and not access.sees_people(work):
            remarks.append(
                f"Filteret “{work.registry.filters[key].label}” kan du ikke bruge; det er ikke brugt."
            )
            continue
        values = _existing(work.registry, words, key, values, remarks)
        condition, values = _condition(work, question, key, values, remarks)
        if condition is not None and values:
            conditions[key] = condition
            kept.append((key, values))
    criteria = replace(criteria, filters=tuple(kept))
    if conditions.pop(COMPLETED, None) is None:
        conditions[COMPLETED] = MunicipalTask.withdrawn_at.is_(None)
        conditions.setdefault("status", is_open())
    if days := criteria.values(SINCE):
        conditions[SINCE] = or_(*(_did_not_match(work, criteria, words, typed) for typed in days))
    return Selection(
        criteria,
        access.visible(work),
        conditions,
        tuple(dict.fromkeys(remarks)),
        words,
        kept_under(work, criteria, roles),
    )


def kept_under(work: Work, criteria: Criteria, roles: _Roles | None = None) -> Hashable | None:
    """What decides which tasks the criteria find, beside the stamped tables; None where that is not enough.

    A plug-in reads what it likes, and what somebody has seen changes with every look.
    """
    if any(_is_plugin(key) or key == CHANGED for key, _values in criteria.filters):
        return None
    person = work.actor.person_id if work.actor and _asks_for_me(criteria) else None
    roles = _roles_asked(work, criteria) if roles is None else roles
    return access.sight(work), person, roles, criteria.filters, work.today


def _asks_for_me(criteria: Criteria) -> bool:
    return any(ME in criteria.values(key) for key in PEOPLE_KEYS)


def _roles_asked(work: Work, criteria: Criteria) -> _Roles:
    """What the actor holds, where the criteria ask for it: holdings come and go without a stamp."""
    return access.roles_held(work) if _asks_for_me(criteria) else frozenset()


def _did_not_match(work: Work, criteria: Criteria, words: Vocabulary, typed: str) -> ColumnElement[bool]:
    """Whether a task did not pass the other filters when that day ended."""
    day = past.past_day(typed, work.today)
    then = select_tasks(past.standing_at(work, day), criteria.with_values(SINCE, ()), words)
    return past.did_not_match(work, day, then.where())


def label(registry: Registry, words: Vocabulary, key: str, value: str) -> str:
    """What a value is called under "Anvendte filtre"; the value itself when nobody knows."""
    known = words.of(key)
    if known is not None:
        return known.get(value, value)
    if key in PEOPLE_KEYS and value in words.people:
        return words.people[value]
    wanted = registry.filters[key]
    # What a plug-in has declared need not be asked for: asking it takes a thread of its own.
    declared = next((choice.label for choice in wanted.choices if choice.value == value), None)
    if declared is not None:
        return declared
    if not _is_plugin(key):
        return wanted.describe(value)
    return registry.guard.ask(f"{key}/describe", lambda: wanted.describe(value), value, _is_text)


def _question(work: Work, roles: _Roles) -> FilterQuestion:
    return FilterQuestion(
        today=work.today,
        person_id=work.actor.person_id if work.actor else None,
        columns=FilterColumns(task=MunicipalTask.__table__.c, field=_field),
        roles=roles,
    )


def _field(key: str) -> ColumnElement[str | None]:
    return (
        select(MunicipalTaskField.value)
        .where(MunicipalTaskField.municipal_task_id == MunicipalTask.id, MunicipalTaskField.field == key)
        .correlate(MunicipalTask)
        .scalar_subquery()
    )


def _is_plugin(key: str) -> bool:
    return "." in key


def _is_text(answer: object) -> bool:
    return isinstance(answer, str) and len(answer) <= 500


def _existing(
    registry: Registry, words: Vocabulary, key: str, values: tuple[str, ...], remarks: list[str]
) -> tuple[str, ...]:
    """The values that name something the actor may know of."""
    known = words.of(key)
    if known is None and key in PEOPLE_KEYS:
        known = words.people
        values_to_check = tuple(value for value in values if value.isdigit())
    else:
        values_to_check = values if known is not None else ()
    missing = {value for value in values_to_check if value not in (known or {})}
    for value in values:
        if value in missing:
            remarks.append(unknown(f"{registry.filters[key].label}:", value, known or ()))
    return tuple(value for value in values if value not in missing)


def _condition(
    work: Work, question: FilterQuestion, key: str, values: tuple[str, ...], remarks: list[str]
) -> tuple[ColumnElement[bool] | None, tuple[str, ...]]:
    """The condition for the values that mean something, and those values."""
    if not values:
        return None, ()
    wanted = work.registry.filters[key]
    condition, fault = _ask(work, wanted, values, question)
    if condition is not None:
        return condition, values
    if not fault:
        remarks.append(
            f"Udvidelsen {key.partition('.')[0].upper()} svarede ikke, så filteret “{wanted.label}” er ikke brugt."
        )
        return None, ()
    good: list[str] = []
    for value in values:
        condition, fault = _ask(work, wanted, (value,), question)
        if condition is not None:
            good.append(value)
        else:
            choices = [choice.value for choice in wanted.choices]
            words = unknown(f"{wanted.label}:", value, choices)
            remarks.append(
                words if fault.endswith("findes ikke") else f"{fault.rstrip('.')}. Værdien er ikke brugt."
            )
    if not good:
        return None, ()
    return _ask(work, wanted, good, question)[0], tuple(good)


def _ask(work: Work, wanted: Filter, values: Sequence[str], question: FilterQuestion) -> _Answer:
    """The filter's condition, or None and its sentence; an empty sentence when a plug-in failed."""

    def answer() -> _Answer:
        try:
            condition = wanted.where(values, question)
        except FilterValueError as error:
            return None, str(error) or f"{wanted.label}: værdien kan ikke bruges"
        if condition is None:
            raise TypeError(f"{wanted.key} gave no condition")
        return condition, ""

    if not _is_plugin(wanted.key):
        return answer()
    handed: list[Any] = []

    def field(key: str) -> ColumnElement[str | None]:
        handed.append(_field(key))
        return handed[-1]

    question = replace(question, columns=replace(question.columns, field=field))
    condition, sentence = work.registry.guard.ask(
        f"{wanted.key}/filter",
        answer,
        (None, ""),
        lambda found: _is_usable(found, plugin_of(wanted.key), handed),
    )
    return (
        (condition, sentence) if condition is None or _can_be_asked(work, wanted, condition) else (None, "")
    )


def _is_usable(answer: _Answer, plugin: str, handed: Sequence[Any]) -> bool:
    condition, sentence = answer
    if condition is None:
        return _is_text(sentence)
    return is_harmless(condition, plugin, MunicipalTask.__table__, handed)  # type: ignore[arg-type]


def _can_be_asked(work: Work, wanted: Filter, condition: ColumnElement[bool]) -> bool:
    """Whether the database can answer it for what the actor may see; one that it refuses would take the page along."""
    guard, key = work.registry.guard, f"{wanted.key}/udtryk"
    if guard.rests(key):
        return False
    try:
        with work.session.begin_nested():
            work.session.execute(
                select(func.count()).select_from(MunicipalTask).where(access.visible(work), condition)
            )
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        guard.failed(key, fault_of(error), error)
        return False
    guard.answered(key)
    return True
