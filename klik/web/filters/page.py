"""The page of saved filters: own, shared and suggested, each in words, with its count and its health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import render_template

from klik.services import filtering, listing, news, saved_filters, vocabulary
from klik.services.criteria import GROUPINGS, Criteria
from klik.services.filtering import Selection
from klik.services.saved_filters import ListedFilter, health, saving, sharing
from klik.services.work import Work
from klik.web.tasks.panel import since_address


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not done and why; ``act`` on the filter ``filter_id``, or (None) saving a new one."""

    problem: str
    filter_id: int | None = None
    act: str = ""
    typed: str = ""
    query: str = ""
    chosen: Mapping[str, Any] = field(default_factory=dict)


def page(work: Work, refusal: Refusal | None = None) -> str:
    """The whole page; after a refusal with what was typed and why it was not stored."""
    # A refused name must not be written by the questions that draw the page.
    with work.session.no_autoflush:
        work.session.expire_all()
        listed = saved_filters.listed(work)
        suggested = saved_filters.suggestions(listed)
        criteria = [filtering.read(work.registry, each.query) for each in listed]
        criteria += [filtering.read(work.registry, query) for _name, query in suggested]
        words = vocabulary.read(work, criteria)
        selections = [filtering.select_tasks(work, each, words) for each in criteria]
        counts = listing.count(
            work, filtering.select_tasks(work, Criteria(), words), dict(enumerate(selections))
        ).others
        fresh = news.since_yesterday(work, dict(enumerate(selections)), counts)
        wrong = health.faults(work, listed, words)
        mends = health.mends(
            work, {each.id: wrong[each.id] for each in listed if each.id in wrong and each.own}, words
        )
        may_share = sharing.may_share(work)
        chosen = sharing.chosen_levels(work) if may_share else {}
        entries = [
            _entry(work, each, selection, counts[place])
            | {
                "faults": wrong.get(each.id, ()),
                "mends": mends.get(each.id, ()),
                "levels": chosen.get(each.id, frozenset()),
                "news": fresh.get(place),
                "since_href": since_address(selection.criteria),
            }
            for place, (each, selection) in enumerate(zip(listed, selections, strict=False))
        ]
    return render_template(
        "filters/index.html",
        own=[entry for entry in entries if entry["own"]],
        shared=_by_sharer(entries),
        suggested=[
            {"name": name, "query": query, "count": counts[len(listed) + place]}
            for place, (name, query) in enumerate(suggested)
        ],
        opening=saved_filters.opening(listed),
        most=saving.MOST,
        may_share=may_share,
        share_words="Del med alle"
        if work.actor and work.actor.kombit
        else f"Del med {saved_filters.place_name(work)}",
        levels=sharing.levels(work) if may_share else (),
        kombit=work.actor is not None and work.actor.kombit,
        refusal=refusal,
        typed=_shown(refusal.typed) if refusal else "",
        query=_shown(refusal.query) if refusal else "",
    )


def _shown(typed: str) -> str:
    """What was typed, as far as a page can carry it: a character no page may hold becomes a mark."""
    return "".join(character if character.isprintable() else "\ufffd" for character in typed)


def _entry(work: Work, row: ListedFilter, selection: Selection, count: int) -> dict[str, Any]:
    registry = work.registry
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "href": f"/opgaver?{row.query}",
        "count": count,
        "own": row.own,
        "shared": row.shared,
        "shared_by": row.shared_by,
        "chosen_by": row.chosen_by,
        "is_default": row.is_default,
        "pinned": row.pinned,
        "subscription": row.subscription,
        "words": [
            f"{registry.filters[key].label}: {filtering.label(registry, selection.words, key, value)}"
            for key, value in selection.criteria.pairs()
        ]
        + _grouped(selection.criteria),
        # Of somebody else's filter nothing is said that the reader may not see anyway.
        "remarks": selection.remarks if row.own else (),
        "is_partial": bool(selection.remarks) and not row.own,
    }


def _grouped(criteria: Criteria) -> list[str]:
    return [f"Grupperet efter {GROUPINGS[criteria.grouping].lower()}"] if criteria.grouping else []


def _by_sharer(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if not entry["own"]:
            found.setdefault(entry["shared_by"], []).append(entry)
    return sorted(found.items(), key=lambda pair: pair[0] == "KOMBIT")
