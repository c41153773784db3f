"""Order and groups against plain Python: three keys, nothing last both ways, Danish letters, totals."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from klik.domain.deadlines import Colour
from klik.domain.status import Status
from klik.domain.texts import sort_key
from klik.installation import Installation
from klik.models import Project
from klik.services import filtering, grouping, listing
from klik.services.criteria import GROUPINGS, SORTS, Criteria, Sort
from klik.services.filters import PRIORITIES
from klik.services.listing import TaskRow
from klik.services.work import Actor, Work
from tests import make

ROUNDS = 60
NAMES = ("Åse Å", "Aage B", "Ærø", "Zenia", "Øst", "øst", "Anna", "anna", "Ole 10", "Ole 9")


def fill(house: Installation) -> tuple[Actor, Actor]:
    """Forty tasks with as many equals and gaps as there can be; a programleder of Køge, and KOMBIT."""
    chance = random.Random(6)
    with house.writing(make.NOW) as work:
        session, content = work.session, work.registry.content
        people = [make.person(session, name) for name in NAMES]
        for number, name in enumerate(("Ærlig drift", "Århus", "aage", "Zoo", "Øresund")):
            session.add(Project(slug=f"projekt-{number}", name=name, description=""))
        session.flush()
        projects = session.query(Project).all()
        for number in range(40):
            status = chance.choice(list(Status))
            task = make.municipal_task(
                session,
                title=chance.choice(NAMES),
                municipality=make.KOEGE if number % 2 else make.HERNING,
                local=False,
                status=status,
                deadline=chance.choice(
                    [None, *(make.TODAY + timedelta(days=each) for each in (-3, 0, 5, 90))]
                ),
            )
            if number % 2:
                task.responsible_id = chance.choice([None, *(person.id for person in people)])
                task.executor_id = chance.choice([None, people[0].id])
            task.responsible_role = chance.choice([None, *(role.slug for role in content.roles[:3])])
            task.project_id = chance.choice(projects).id
            task.phase = chance.choice([*(phase.slug for phase in content.phases), "forsvundet"])
            task.theme = chance.choice([theme.slug for theme in content.themes[:3]])
            task.priority = chance.choice(list(PRIORITIES))
            task.system_code = chance.choice([None, "kp", "ky", "ksd"])
            task.infrastructure = chance.random() < 0.5
            task.start_date = chance.choice([None, make.TODAY, make.TODAY - timedelta(days=9)])
            task.changed_at = make.NOW - timedelta(days=chance.randint(0, 3))
        kombit = make.person(session, "Kaj", level=make.Level.KOMBIT_EDITOR)
        return make.actor(session, people[0]), make.actor(session, kombit)


def _key(work: Work, word: str) -> Callable[[TaskRow], Any]:
    """What a row is sorted by, None for nothing."""
    content = work.registry.content

    def place(slugs: list[str], slug: str) -> int:
        return slugs.index(slug) if slug in slugs else len(slugs)

    keys: dict[str, Callable[[TaskRow], Any]] = {
        "deadline": lambda row: row.deadline,
        "nummer": lambda row: sort_key(row.number) if row.number else None,
        "titel": lambda row: sort_key(row.title),
        "status": lambda row: list(Status).index(row.status),
        "ansvarlig": lambda row: sort_key(row.responsible) if row.responsible else None,
        "udfoerer": lambda row: sort_key(row.executor) if row.executor else None,
        "fase": lambda row: place([each.slug for each in content.phases], row.phase),
        "tema": lambda row: place([each.slug for each in content.themes], row.theme),
        "prioritet": lambda row: list(PRIORITIES).index(row.priority),
        "projekt": lambda row: (sort_key(row.project), row.project_slug),
        "kommune": lambda row: sort_key(row.municipality),
        "startdato": lambda row: row.start,
        "slutdato": lambda row: row.completed_on,
        "aendret": lambda row: row.changed_at,
        "system": lambda row: (sort_key(row.system), row.system_code) if row.system else None,
        "infrastruktur": lambda row: not row.infrastructure,
    }
    return keys[word]


def _compare(key: Callable[[TaskRow], Any], descending: bool, one: TaskRow, other: TaskRow) -> int:
    mine, theirs = key(one), key(other)
    if mine is None or theirs is None:
        return (mine is None) - (theirs is None)
    order = (mine > theirs) - (mine < theirs)
    return -order if descending else order


def _sorted(work: Work, rows: list[TaskRow], sorts: tuple[Sort, ...]) -> list[int]:
    whole = (*sorts, Sort("deadline"))
    rows = sorted(rows, key=lambda row: (sort_key(row.number or ""), row.id))
    for sort in reversed(whole):
        rows.sort(
            key=functools.cmp_to_key(functools.partial(_compare, _key(work, sort.word), sort.descending))
        )
    return [row.id for row in rows]


def _rows(work: Work, criteria: Criteria) -> list[TaskRow]:
    return list(listing.every_row(work, filtering.select_tasks(work, criteria)))


def test_sql_agrees_with_plain_python_for_every_triple_of_keys(house: Installation) -> None:
    actors, chance = fill(house), random.Random(7)
    for actor in actors:
        with house.reading(make.NOW, actor) as work:
            everything = Criteria(filters=(("fuldfoerte", ("ja",)),))
            unsorted = _rows(work, everything)
            assert len(unsorted) >= 20
            triples = [(Sort(word, down),) for word in SORTS for down in (False, True)]
            for _round in range(ROUNDS):
                words = chance.sample(list(SORTS), chance.randint(2, 3))
                triples.append(tuple(Sort(word, chance.random() < 0.5) for word in words))
            for sorts in triples:
                found = [row.id for row in _rows(work, everything.sorted_by(*sorts))]
                assert found == _sorted(work, unsorted, sorts), sorts


def test_groups_hold_together_and_their_totals_are_the_rows_counted(house: Installation) -> None:
    actors = fill(house)
    for actor in actors:
        with house.reading(make.NOW, actor) as work:
            for word in GROUPINGS:
                criteria = Criteria(filters=(("fuldfoerte", ("ja",)),), sorts=(Sort("titel", True),))
                selection = filtering.select_tasks(work, criteria.with_grouping(word))
                rows = list(listing.every_row(work, selection))
                groups = grouping.groups(work, selection)
                if word not in grouping.offered(work):
                    assert word == "kommune" and groups == ()
                    continue
                assert len(groups) > 1
                keys = [grouping.key_of(word, row) for row in rows]
                assert list(dict.fromkeys(keys)) == [group.key for group in groups], word
                assert [key for group in groups for key in [group.key] * group.total] == keys, word
                counted = Counter(keys)
                for group in groups:
                    inside = [row for row, key in zip(rows, keys, strict=True) if key == group.key]
                    assert group.label and rows[group.first - 1] == inside[0]
                    assert (group.total, group.red, group.yellow, group.completed) == (
                        counted[group.key],
                        sum(row.colour is Colour.RED for row in inside),
                        sum(row.colour is Colour.YELLOW for row in inside),
                        sum(row.status is Status.COMPLETED for row in inside),
                    )
                place = listing.neighbours(work, selection.criteria, rows[5].id)
                assert place is not None and (place.previous, place.next) == (rows[4].id, rows[6].id)
                size = 7
                paged = filtering.select_tasks(work, selection.criteria.with_page_size(size).on_page(2))
                assert list(listing.page(work, paged, len(rows)).rows) == rows[size : 2 * size]


def test_who_may_not_see_people_gets_no_order_and_no_groups_by_them(house: Installation) -> None:
    fill(house)
    with house.writing(make.NOW) as work:
        supplier = make.person(work.session, "Sofus", level=make.Level.SUPPLIER, systems=("kp", "ky"))
        actor = make.actor(work.session, supplier)
    with house.reading(make.NOW, actor) as work:
        plain = [row.id for row in _rows(work, Criteria(sorts=(Sort("titel"),)))]
        asked = Criteria(sorts=(Sort("ansvarlig"), Sort("titel")), grouped_by="ansvarlig")
        assert len(plain) > 3 and [row.id for row in _rows(work, asked)] == plain
        assert grouping.groups(work, filtering.select_tasks(work, asked)) == ()
