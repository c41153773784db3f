"""What stands beside the list: the filters to tick, those in use, and the saved ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from klik.plugins.contributions import Filter
from klik.services import access, filtering, saved_filters
from klik.services.criteria import SINCE, Criteria
from klik.services.filtering import Selection
from klik.services.filters import ME, NEWEST_ROUND
from klik.services.list_settings import Wanted
from klik.services.news import News
from klik.services.saved_filters import ListedFilter, health
from klik.services.vocabulary import PEOPLE_KEYS, Vocabulary
from klik.services.work import Work

MOST_COUNTED = 20
# The order of the seed's screenshot; "Vis fuldførte" and the periods have fields of their own.
GROUPS = (
    "projekt",
    "system",
    "kommune",
    "bolge",
    "runde",
    "region",
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
_ACROSS = frozenset({"system", "kommune", "bolge", "region"})
_OPEN_AT_FIRST = frozenset({"deadline", "status"})
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class SavedChoice:
    """A saved or suggested filter and what it asks; ``saved`` is None for a suggestion."""

    name: str
    query: str
    criteria: Criteria
    saved: ListedFilter | None


@dataclass(frozen=True, slots=True)
class SavedButton:
    """A saved or suggested filter as a button: its name, what it asks, and how many tasks that is just now.

    ``group`` is the heading it stands under, "" for one's own and pinned ones; ``id`` None for a suggestion.
    ``news`` is what has come onto it since yesterday, listed at ``since_href``.
    """

    name: str
    href: str
    count: int
    active: bool
    id: int | None = None
    pinned: bool = False
    group: str = ""
    news: News | None = None
    since_href: str = ""


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


def saved_choices(work: Work, saved: Sequence[ListedFilter]) -> list[SavedChoice]:
    """The buttons under "Gemte filtre": those the person can use, then what klik suggests."""
    named = [(row.name, row.query, row) for row in saved[:MOST_COUNTED]]
    suggested = [(name, query, None) for name, query in saved_filters.suggestions(saved)]
    return [
        SavedChoice(name, query, filtering.read(work.registry, query), row)
        for name, query, row in (*named, *suggested)
    ]


def saved_buttons(
    choices: Sequence[SavedChoice],
    counts: Mapping[int, int],
    news: Mapping[int, News],
    usual: Wanted,
    *current: Criteria,
) -> list[SavedButton]:
    """The buttons, with the current one marked: as it was asked for, or as far as it means something.

    ``usual`` is what the person wants where a filter says nothing.
    """
    asked, as_of = [each.as_saved() for each in current], current[0].as_of
    return [
        SavedButton(
            name=each.name,
            # As it was saved: what names nothing any more is told on the page it leads to.
            href=list_address(each.criteria.standing(as_of)) if as_of else f"/opgaver?{each.query}",
            count=counts[place],
            active=usual.applied(each.criteria).as_saved() in asked,
            id=each.saved.id if each.saved else None,
            pinned=bool(each.saved and each.saved.pinned),
            group=_group_of(each.saved),
            news=news.get(place),
            since_href=since_address(each.criteria),
        )
        for place, each in enumerate(choices)
    ]


def health_remarks(
    work: Work, choices: Sequence[SavedChoice], asked: Criteria, words: Vocabulary
) -> list[tuple[str, int | None]]:
    """What is wrong with the saved filter in use: the sentence, and the filter's id when one can mend it."""
    wanted = asked.filters_only()
    used = [each.saved for each in choices if each.saved and each.criteria.filters_only() == wanted]
    wrong = health.faults(work, used, words)
    return [(fault.sentence, row.id if row.own else None) for row in used for fault in wrong.get(row.id, ())]


def _group_of(saved: ListedFilter | None) -> str:
    if saved is None:
        return "Forslag"
    return "" if saved.own or saved.pinned else f"Delt af {saved.shared_by}"


def list_address(criteria: Criteria) -> str:
    """The list's address with these criteria; never the bare one, where a default filter may step in."""
    return f"/opgaver?{criteria.link_query()}"


def since_address(criteria: Criteria) -> str:
    """The address of what has come onto the filter since yesterday."""
    return list_address(criteria.with_values(SINCE, ["igaar"]).standing(""))


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
    """Order, groups and page size as a form carries them on; the day it stood has a field of its own."""
    arranged = replace(criteria, filters=(), page=1, as_of="")
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
        return [value for value in known if value != NEWEST_ROUND]
    values = [choice.value for choice in wanted.choices]
    if wanted.key in PEOPLE_KEYS:
        me = str(work.actor.person_id) if work.actor else ""
        values[2:2] = [person for person in selection.words.people if person != me]
    return values


def _counted_as(work: Work, key: str, value: str) -> str:
    if key in PEOPLE_KEYS and value == ME and work.actor:
        return str(work.actor.person_id)
    return value
