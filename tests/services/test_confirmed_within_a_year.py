"""P3: over two years every entry of the gallery is confirmed within twelve months, or flagged where people look."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select

from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import RoleHolding
from klik.services.notices import ledger, still_you
from klik.services.roles import answering, asking, gallery, rounds, settling
from klik.services.roles.asking import Asked
from klik.services.work import Actor, Work
from klik.web.still_you.answering import is_overdue
from tests import make
from tests.make import HERNING, KOEGE

DAY = timedelta(days=1)
BEGINS, MONTHS = datetime(2025, 1, 10, 9, 0, tzinfo=UTC), 24
# The clock is looked at every so many days; 1 on demand: KLIK_TEST_ROUNDS=1.
STEP = int(os.environ.get("KLIK_TEST_ROUNDS", "20"))
ROLES = ("systemansvarlig", "superbruger", "systemejer")


def a_year_before(day: date) -> date:
    """The oracle's own reckoning: the same date a year earlier."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def test_over_two_years_nothing_old_stands_unflagged(house: Installation) -> None:
    chance = random.Random(3)
    willing: dict[int, float] = {}
    with house.writing(BEGINS) as work:
        session = work.session
        chiefs = {
            place: make.actor(session, make.person(session, level=Level.ADMINISTRATOR, municipality=place))
            for place in (KOEGE, HERNING)
        }
        kim = make.actor(
            session,
            make.person(session, level=Level.KOMBIT_EDITOR, municipality=None, email="k@kombit.example"),
        )
        for place in (KOEGE, HERNING):
            for number in range(8):
                person = make.person(session, f"Holder {number}", level=Level.USER, municipality=place)
                willing[person.id] = (0.0, 0.02, 0.2)[number % 3]
                for role in ROLES[: 1 + number % 3]:
                    row = make.holding(session, role, holder=person, municipality=place, primary=False)
                    ago = chance.randrange(0, 500)
                    row.valid_from = (BEGINS - 500 * DAY).date()
                    row.confirmed_at = None if number == 7 else BEGINS - ago * DAY
    seen: Counter[str] = Counter()
    asked: set[tuple[int, str]] = set()
    moment = BEGINS
    end = BEGINS + timedelta(days=MONTHS * 30 + 10)
    while moment < end:
        now = datetime.combine(moment.date(), time(9), UTC)
        with house.reading(now) as work:
            drafts = still_you.lacking(work)
        with house.writing(now) as work:
            ledger.enqueue(work, drafts)
            due = {
                (each.holding.person_id or 0, rounds.of(work.today).slug) for each in rounds.unanswered(work)
            }
            asked |= {(draft.recipient.person_id or 0, draft.dedupe_key.split("/")[1]) for draft in drafts}
            assert due <= asked, "whoever is to answer has been asked"
            for person_id in sorted(willing):
                if chance.random() < willing[person_id]:
                    _answer(work, chance, person_id)
        for place, chief in chiefs.items():
            if chance.random() < 0.02:
                _look_after(house, now, chief)
            seen.update(_look(house, now, chief, kim, place))
        moment += STEP * DAY
    assert seen["flagged"] > 10
    assert seen["fresh"] > 100
    assert seen["unflagged past due"] == 0
    print(  # noqa: T201
        f"P3 {'sqlite' if house.database.sqlite else 'postgresql'}: {seen['days']} looks over {MONTHS} months, "
        f"{seen['fresh']} entries confirmed within 12 months, {seen['flagged']} flagged, "
        f"{seen['unflagged past due']} unflagged past due"
    )


def _answer(work: Work, chance: random.Random, person_id: int) -> None:
    place = work.session.scalars(
        select(RoleHolding.municipality_id).where(RoleHolding.person_id == person_id).limit(1)
    ).one()
    mine = Asked(place, person_id)
    open_ones = [each for each in asking.questions(work, mine) if each.open]
    if not open_ones:
        return
    if chance.random() < 0.8:
        answering.confirm_all(work, mine, {each.id for each in open_ones})
    else:
        given = {open_ones[0].id: answering.Answer("tom")}
        answering.answer(work, mine, given)


def _look_after(house: Installation, now: datetime, chief: Actor) -> None:
    with house.writing(now, chief) as work:
        for each in settling.proposals(work):
            settling.dismiss(work, each.row.id, "")
        by_holder, _ = settling.unconfirmed(work)
        if by_holder:
            settling.confirm_for_others(work, by_holder[0].ids)


def _look(house: Installation, now: datetime, chief: Actor, kim: Actor, place: int) -> Counter[str]:
    seen: Counter[str] = Counter(days=1)
    with house.reading(now, chief) as work:
        shown = [each for slot in gallery.of(work, place).slots for each in slot.holders]
        rows = {row.id: row for row in work.session.scalars(select(RoleHolding))}
        flags = 0
        for each in shown:
            flagged = is_overdue(each, work.today)
            assert flagged == is_overdue(rows[each.id], work.today), "the person's page says the same"
            row = rows[each.id]
            last = danish_today(row.confirmed_at) if row.confirmed_at else row.valid_from
            late = last < a_year_before(work.today)
            seen["fresh" if not late else "flagged" if flagged else "unflagged past due"] += 1
            flags += flagged
    with house.reading(now, kim) as work:
        counted = {each.municipality_id: each.overdue for each in rounds.shares(work)}
    assert counted[place] == flags, "KOMBIT's list says the same"
    return seen
