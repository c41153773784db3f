"""What stands beside the list: the filters to tick, those in use, and the saved ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from klik.models import SavedFilter
from klik.plugins.contributions import Filter
from klik.services import access, filtering, saved_filters
from klik.services.criteria import Criteria
from klik.services.filtering import Selection
from klik.services.filters import ME
from klik.services.vocabulary import PEOPLE_KEYS
from klik.services.work import Work

MOST_COUNTED = 20
# The order of the seed's screenshot; "Vis fuldførte" and the periods have fields of their own.
GROUPS = (
    "projekt",
    "system",
    "kommune",
    "bolge",
    "fase",
    "tema",
    "deadline",
    "prioritet",
    "status",
    "ansvarlig",
    "udfoerer",
    "infrastruktur",
    "aendret",
)
PERIODS = ("startdato", "slutdato")
TEXTS = ("nummer",)
# Within one municipality the project says as much, and the wave is one's own.
_ACROSS = frozenset({"system", "kommune", "bolge"})
_OPEN_AT_FIRST = frozenset({"deadline", "status"})
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class SavedButton:
    """A saved or suggested filter as a button: its name, what it asks, and how many tasks that is just now."""

    name: str
    href: str
    count: int
    active: bool


@dataclass(frozen=True, slots=True)
class Option:
    """A value to tick; ``count`` is how many tasks it would show, None where that is not counted."""

    value: str
    label: str
    count: int | None
    checked: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The values of one filter under its name; ``open`` when it stands unfolded at first."""

    key: str
    label: str
    options: list[Option]
    open: bool


def sees_several(work: Work) -> bool:
    """Whether the actor sees more than one municipality's tasks."""
    return work.actor is None or work.actor.municipality_id is None


def saved_choices(work: Work, saved: Sequence[SavedFilter]) -> list[tuple[str, Criteria]]:
    """Name and criteria of the buttons under "Gemte filtre": the person's own, then what klik suggests."""
    named = [(row.name, row.query) for row in saved[:MOST_COUNTED]]
    return [
        (name, filtering.read(work.registry, query))
        for name, query in (*named, *saved_filters.suggestions(saved))
    ]


def saved_buttons(
    choices: Sequence[tuple[str, Criteria]], counts: Mapping[int, int], current: Criteria
) -> list[SavedButton]:
    """The buttons, with the current one marked."""
    asked = current.filters_only()
    return [
        SavedButton(
            name,
            list_address(criteria.standing(current.as_of)),
            counts[place],
            criteria.filters_only() == asked,
        )
        for place, (name, criteria) in enumerate(choices)
    ]


def list_address(criteria: Criteria) -> str:
    """The list's address with these criteria; never the bare one, where a default filter may step in."""
    return f"/opgaver?{criteria.link_query()}"


def active_filters(work: Work, selection: Selection) -> list[dict[str, str]]:
    """Every value in use, in the order of the panel, with the address without it."""
    registry, criteria = work.registry, selection.criteria
    place = {key: number for number, key in enumerate(registry.filters)}
    return [
        {
            "label": f"{registry.filters[key].label}: {filtering.label(registry, selection.words, key, value)}",
            "remove_href": list_address(criteria.without(key, value)),
        }
        for key, value in sorted(criteria.pairs(), key=lambda pair: place[pair[0]])
    ]


def groups(work: Work, selection: Selection, counts: Counts | None) -> list[Group]:
    """The groups to tick; without ``counts`` every choice stands there, with them only those that show tasks."""
    found = []
    for key in (*GROUPS, *_of_plugins(work, with_choices=True)):
        if key in PEOPLE_KEYS and not access.sees_people(work):
            continue
        if key in _ACROSS and not selection.criteria.values(key) and not sees_several(work):
            continue
        wanted = work.registry.filters[key]
        options = _options(work, selection, wanted, (counts or {}).get(key))
        if len(options) > 1 or any(option.checked for option in options):
            found.append(Group(key, wanted.label, options, key in _OPEN_AT_FIRST))
    return found


def text_fields(work: Work, selection: Selection) -> list[dict[str, str]]:
    """Filters to write in: task number, and those of plug-ins that list no choices."""
    return [
        {
            "key": key,
            "label": work.registry.filters[key].label,
            "value": next(iter(selection.criteria.values(key)), ""),
        }
        for key in (*TEXTS, *_of_plugins(work, with_choices=False))
    ]


def periods(work: Work, selection: Selection) -> list[dict[str, str]]:
    """The two fields of each period, filled with the first period in use."""
    fields = []
    for key in PERIODS:
        first, dots, last = next(iter(selection.criteria.values(key)), "").partition("..")
        fields.append(
            {
                "key": key,
                "label": work.registry.filters[key].label,
                "first": first,
                "last": last if dots else first,
            }
        )
    return fields


def hidden(work: Work, selection: Selection, shown: Sequence[Group]) -> list[tuple[str, str]]:
    """What the form must carry on because no field of it shows it."""
    criteria = selection.criteria
    ticked = {group.key for group in shown}
    written = {*TEXTS, *_of_plugins(work, with_choices=False), "q"}
    kept = []
    for key, values in criteria.filters:
        if key in ticked or key == "fuldfoerte":
            continue
        one_is_shown = key in written or key in PERIODS
        kept += [(key, value) for value in values[1 if one_is_shown else 0 :]]
    return [*kept, *arrangement(criteria)]


def arrangement(criteria: Criteria) -> list[tuple[str, str]]:
    """Order, groups and page size as a form carries them on."""
    arranged = replace(criteria, filters=(), page=1)
    return parse_qsl(arranged.query())


def _of_plugins(work: Work, *, with_choices: bool) -> tuple[str, ...]:
    return tuple(
        key
        for key, each in work.registry.filters.items()
        if "." in key and bool(each.choices) is with_choices
    )


def _options(
    work: Work, selection: Selection, wanted: Filter, counts: Mapping[str, int] | None
) -> list[Option]:
    chosen = selection.criteria.values(wanted.key)
    values = _values(work, selection, wanted)
    if wanted.key == "aendret":
        values = [value for value in values if value == "ja"]
    options = []
    for value in dict.fromkeys((*values, *chosen)):
        number = None if counts is None else counts.get(_counted_as(work, wanted.key, value), 0)
        if number == 0 and value not in chosen:
            continue
        label = filtering.label(work.registry, selection.words, wanted.key, value)
        options.append(Option(value, label, number, value in chosen))
    return options


def _values(work: Work, selection: Selection, wanted: Filter) -> list[str]:
    known = selection.words.of(wanted.key)
    if known is not None:
        return list(known)
    values = [choice.value for choice in wanted.choices]
    if wanted.key in PEOPLE_KEYS:
        me = str(work.actor.person_id) if work.actor else ""
        values[2:2] = [person for person in selection.words.people if person != me]
    return values


def _counted_as(work: Work, key: str, value: str) -> str:
    if key in PEOPLE_KEYS and value == ME and work.actor:
        return str(work.actor.person_id)
    return value
