"""Lists as of a day and what is new since one, against a diary kept in plain Python, on both databases."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import delete, update

from klik.domain.deadlines import end_of_day
from klik.domain.errors import InputError
from klik.installation import Installation
from klik.models import EarlierState, MunicipalTask
from klik.services import filtering, listing, past
from klik.services.work import Actor, Work
from tests import make
from tests.services.filter_oracle import Known, World, expected, make_world, random_filters

DAYS_BACK = 40
STEPS = 150
FILTERS = 60  # for each who looks, each day and each database
Diary = Mapping[int, Sequence[tuple[datetime, Known]]]
PHASES = ("opstart", "forberedelse", "udfoerelse")


def _live(session: Any, world: World, chance: random.Random) -> Diary:
    """Make every task at some moment of the last weeks, and change some of them now and then."""
    # Making a task takes the factory two statements; their memory is none of ours.
    session.execute(delete(EarlierState))
    diary: dict[int, list[tuple[datetime, Known]]] = {}
    for row in world.rows:
        born = make.NOW - timedelta(days=chance.randrange(5, DAYS_BACK), hours=chance.randrange(24))
        diary[row.id] = [(born, row)]
        _store(session, [row.id], created_at=born, changed_at=born)
    clock = make.NOW - timedelta(days=DAYS_BACK)
    midnights = [end_of_day(make.TODAY - timedelta(days=back)) for back in range(1, DAYS_BACK)]
    moments = [clock + timedelta(minutes=chance.randrange(DAYS_BACK * 1440)) for _step in range(STEPS)]
    # Some in the very first instant of a Danish day, some twice at once.
    moments += chance.sample(midnights, 10) + moments[:10]
    for moment in sorted(moments):
        there = [row for row in world.rows if diary[row.id][0][0] < moment]
        if not there:
            continue
        values, as_known = _act(chance, world, moment)
        chosen = chance.sample(there, min(len(there), chance.choice((1, 1, 1, 2, 9))))
        if "responsible_id" in values:
            chosen = [row for row in chosen if row.municipality == make.KOEGE]
        for row in chosen:
            diary[row.id].append((moment, replace(diary[row.id][-1][1], **as_known)))
        if chosen:
            _store(session, [row.id for row in chosen], changed_at=moment, **values)
    return diary


def _act(chance: random.Random, world: World, moment: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a change stores, and what the diary writes of it."""
    deadline = chance.choice([None, make.TODAY + timedelta(days=chance.randrange(-40, 40))])
    yellow = deadline - timedelta(days=chance.randrange(20)) if deadline else None
    person = chance.choice([None, world.me, *world.colleagues])
    status = chance.choice(["ikke-paabegyndt", "i-gang", "fuldfoert", "ikke-relevant"])
    completed = moment.date() if status == "fuldfoert" else None
    phase, priority = chance.choice(PHASES), chance.choice(["hoej", "normal", "lav"])
    gone = chance.choice([None, moment])
    return chance.choice(
        [
            ({"status": status, "completed_on": completed}, {"status": status, "completed": completed}),
            ({"status": status, "completed_on": completed}, {"status": status, "completed": completed}),
            ({"deadline": deadline, "yellow_from": yellow}, {"deadline": deadline, "yellow_from": yellow}),
            ({"responsible_id": person and person.id}, {"responsible": person and person.id}),
            ({"responsible_role": "projektleder"}, {"responsible_role": "projektleder"}),
            ({"phase": phase, "priority": priority}, {"phase": phase, "priority": priority}),
            ({"start_date": deadline}, {"start": deadline}),
            ({"withdrawn_at": gone}, {"withdrawn": gone is not None}),
            ({}, {}),
        ]
    )


def _store(session: Any, ids: Sequence[int], **values: Any) -> None:
    session.execute(update(MunicipalTask).where(MunicipalTask.id.in_(ids)).values(**values))


def _stood(world: World, diary: Diary, day: date) -> World:
    """The world when a Danish day ended."""
    moment = end_of_day(day)
    rows = []
    for entries in diary.values():
        until_then = [row for at, row in entries if at < moment]
        if until_then:
            rows.append(until_then[-1])
    return replace(world, rows=tuple(rows))


def _ids(work: Work, query: str) -> set[int]:
    with past.asked(work, filtering.read(work.registry, query)) as standing:
        selection = filtering.select_tasks(standing.work, standing.criteria)
        assert not selection.remarks
        shown = [row.id for row in listing.every_row(standing.work, selection)]
        counted = listing.count(standing.work, selection).total
        page = listing.page(standing.work, replace(selection), counted)
    assert counted == len(shown) == len(set(shown))
    assert [row.id for row in page.rows] == shown[: len(page.rows)]
    return set(shown)


@pytest.mark.parametrize("seed", [3, 1970])
def test_any_day_agrees_with_the_diary(house: Installation, monkeypatch: Any, seed: int) -> None:
    chance = random.Random(seed)
    with house.writing(make.NOW) as work:
        world = make_world(work.session, house.registry.content, 30, seed)
        diary = _live(work.session, world, chance)
        lookers: list[tuple[Any, Actor]] = [
            (person, make.actor(work.session, person)) for person in (world.me, world.kombit, world.supplier)
        ]
    hits = news = 0
    for back in (1, 2, 7, 19, 33):
        day = make.TODAY - timedelta(days=back)
        before, today = _stood(world, diary, day), _stood(world, diary, make.TODAY)
        for person, actor in lookers:
            with house.reading(make.NOW, actor) as looking:
                for _number in range(FILTERS // 5):
                    asked = random_filters(chance, house.registry.content, world)
                    for key in ("aendret", "prov.blokerer", "bolge"):
                        asked.pop(key, None)
                    if actor.municipality_id is None:
                        asked.pop("ansvarlig", None)
                        asked.pop("udfoerer", None)
                    elif "kommune" in asked:
                        asked["kommune"] = [str(make.KOEGE)]
                    pairs = [(key, value) for key, values in asked.items() for value in values]
                    with monkeypatch.context() as calendar:
                        calendar.setattr(make, "TODAY", day)
                        then = expected(before, asked, actor.level, person)
                    now = expected(today, asked, actor.level, person)
                    note = (seed, str(day), actor.level, pairs)
                    assert _ids(looking, urlencode([*pairs, ("vis_som", str(day))])) == then, note
                    assert _ids(looking, urlencode([*pairs, ("siden", f"idag-{back}")])) == now - then, note
                    hits += bool(then)
                    news += bool(now - then)
    assert hits > 40 and news > 40


def test_yesterday_and_words_of_days() -> None:
    today = date(2026, 11, 21)
    assert past.past_day("igaar", today) == past.past_day("idag-1", today) == date(2026, 11, 20)
    assert past.past_day("01-10-2026", today) == date(2026, 10, 1)
    for typed in ("idag", "2026-11-21", "2027-01-01", "idag+3", "2026-10-01..2026-10-02", "i morges", ".."):
        with pytest.raises(InputError):
            past.past_day(typed, today)


def test_the_session_reads_today_again_afterwards(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        person = make.person(work.session)
        actor = make.actor(work.session, person)
        task = make.municipal_task(work.session)
        made = make.NOW - timedelta(days=9)
        _store(work.session, [task.id], created_at=made, changed_at=made)
    with house.writing(make.NOW) as work:
        _store(work.session, [task.id], status="fuldfoert", completed_on=make.TODAY, changed_at=make.NOW)
    with house.reading(make.NOW) as work:
        looking = replace(work, actor=actor)
        assert _ids(looking, "vis_som=igaar") == {task.id}
        assert _ids(looking, "") == set()
        with pytest.raises(ZeroDivisionError), past.as_of(looking, make.TODAY - timedelta(days=1)):
            _ = 1 / 0
        assert _ids(looking, "") == set()
