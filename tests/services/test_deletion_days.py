"""One day, told the same everywhere: what is held, who missed it, and until when the package lies there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from klik import jobs
from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Deletion, DeletionItem, MunicipalTask, Notice
from klik.services import deleting, health
from klik.services.deleting import archiving, countdown, erasing, last_days, sanity, sweeping, waiting
from klik.services.rendering import Renderer
from klik.services.work import Actor
from tests import make
from tests.make import HERNING, KOEGE, NOW
from tests.services.announced_world import Ground
from tests.services.deletion_world import (
    DUE,
    LAST_DAY,
    announced,
    file_on,
    told_that_it_ends,
)

# Moments after the last day, the first half hour of a Danish day in winter, in summer and between them.
MOMENTS = [
    DUE,
    datetime(2027, 1, 10, 23, 30, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 30, tzinfo=UTC),
    datetime(2027, 7, 10, 22, 30, tzinfo=UTC),
]


class UndoneError(Exception):
    """Takes a transaction back."""


def notices(house: Installation, occasion: str) -> list[Notice]:
    with house.database.reading() as session:
        rows = list(session.scalars(select(Notice).where(Notice.occasion == occasion).order_by(Notice.id)))
        session.expunge_all()
        return rows


def bar(house: Installation, actor: Actor, now: datetime) -> countdown.Countdown | None:
    with house.reading(now, actor) as work:
        return countdown.countdown(work)


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_the_database_never_refuses_what_the_rule_lets_go(house: Installation, moment: datetime) -> None:
    today = danish_today(moment)
    days = [None, *(today + timedelta(days=step) for step in (-1, 0, 1))]
    with house.database.writing() as session:
        deletion_id = announced(session, [make.municipal_task(session, local=True).id])
        for day in days[1:]:
            told_that_it_ends(session, deletion_id, day, moment - timedelta(days=14))
    archived = {
        "state": "arkiveret",
        "archive_sha256": "a",
        "archive_size": 1,
        "archived_at": moment,
    }
    let_go = 0
    for reason, granted, until in itertools.product((None, "Klagesag"), (None, True, False), days):
        hold: dict[str, Any] = {"hold_reason": reason, "hold_granted": granted, "hold_until": until}
        with pytest.raises(UndoneError), house.writing(moment) as work:
            work.session.execute(update(DeletionItem).values(hold))
            if archiving.due(work):
                work.session.execute(update(DeletionItem).values(archived))
                let_go += 1
            elif granted is not False:
                (item,) = work.session.scalars(select(DeletionItem)).all()
                deletion = work.session.get_one(Deletion, deletion_id)
                assert not last_days.missed(deletion, item, work.today), hold
            raise UndoneError
    # Without a reason: nothing asked or a no, and a yes until yesterday; with one: a no, and the same yes.
    assert let_go == 4 + 4 + 1 + 4 + 1


def test_the_bar_tells_the_day_a_task_is_kept_until(house: Installation) -> None:
    kept = LAST_DAY + timedelta(days=60)
    with house.database.writing() as session:
        task_id = make.municipal_task(session, local=True).id
        deletion_id = announced(session, [task_id])
        mette = make.actor(session, make.person(session, level=Level.PLUS_USER))
        session.execute(update(DeletionItem).values(hold_reason="Klagesag", hold_until=kept))
    after = DUE + timedelta(days=2)
    shown = bar(house, mette, NOW)
    assert shown is not None
    assert shown.last_day == LAST_DAY
    assert bar(house, mette, after) is None, "KOMBIT has not answered, so it is not too late"
    with house.database.writing() as session:
        session.execute(update(DeletionItem).values(hold_granted=True))
    assert bar(house, mette, NOW) is None
    assert bar(house, mette, after) is None
    for step, days_left in ((46, 14), (60, 0), (61, -1)):
        now = DUE + timedelta(days=step - 1)
        shown = bar(house, mette, now)
        assert shown is not None
        assert (shown.last_day, shown.days_left(danish_today(now))) == (kept, days_left)
        with house.reading(now, mette) as work:
            item = work.session.scalars(select(DeletionItem)).one()
            deletion = work.session.get_one(Deletion, deletion_id)
            assert last_days.may_ask(deletion, item, work.today) is (days_left >= 0)
            assert last_days.missed(deletion, item, work.today) is (days_left < 0)
            assert countdown.tasks(work) == {task_id: kept}
    assert bar(house, mette, DUE + timedelta(days=44)) is None


@pytest.fixture
def ground(house: Installation) -> Ground:
    return Ground(house)


def remind(ground: Ground, now: datetime) -> int:
    with ground.writing(None, now) as work:
        return deleting.remind(work)


def test_the_day_after_those_who_did_not_fetch_hear_of_it_once(ground: Ground) -> None:
    deletion_id = ground.announce()
    with ground.house.database.writing() as session:
        session.execute(update(DeletionItem).values(notified_at=NOW))
        taken = DeletionItem.municipality_id == HERNING
        session.execute(update(DeletionItem).where(taken).values(state="hentet", fetched_at=NOW))
        asked = DeletionItem.id == ground.items(KOEGE)[0].id
        session.execute(
            update(DeletionItem).where(asked).values(hold_reason="Klagesag", hold_until=date(2027, 3, 1))
        )
    remind(ground, DUE - timedelta(days=1))
    assert ground.notices("sletning-passeret") == []
    # The deletion may be over before the notices of the day are made.
    assert remind(ground, DUE) == 2
    assert remind(ground, DUE) == remind(ground, DUE + timedelta(days=1)) == 0
    told = ground.notices("sletning-passeret")
    assert {one.person_id for one in told} == {
        ground.people["koege"].id,
        ground.people["koege-administrator"].id,
    }
    assert {one.heading for one in told} == {"I nåede det ikke: 2 opgaver blev ikke hentet i tide"}
    assert all(f"var {long_date(LAST_DAY)}. klik laver jeres pakke" in one.sentence for one in told)
    assert {one.path for one in told} == {f"/sletning/{deletion_id}"}
    assert ground.actors["kombit"].person_id not in {one.person_id for one in told}


@pytest.fixture
def drawing(house: Installation) -> Iterator[None]:
    house.__dict__["renderer"] = renderer = Renderer()
    yield
    renderer.close()
    del house.__dict__["renderer"]


def erase(house: Installation, now: datetime) -> erasing.Erased:
    with house.writing(now) as work:
        sanity.confirm(work, danish_today(now))
    return erasing.delete_due(house, jobs._going_on(now), 60)


@pytest.mark.usefixtures("drawing")
def test_a_forgotten_package_is_spoken_of_until_it_goes(house: Installation) -> None:
    with house.database.writing() as session:
        task_id = make.municipal_task(session, local=True).id
        announced(session, [task_id])
        person = make.person(session, level=Level.ADMINISTRATOR)
        mette = make.actor(session, person)
    assert erase(house, DUE).erased == 1
    kept = danish_today(DUE) + timedelta(days=house.settings.archive_days)

    def remind(now: datetime) -> int:
        with house.writing(now) as work:
            return deleting.remind(work)

    assert remind(DUE + timedelta(hours=6)) == 1, "the deletion is over, and so was the day"
    (missed,) = notices(house, "sletning-passeret")
    assert f"Den ligger på siden til og med {long_date(kept)}." in missed.sentence
    last = DUE + timedelta(days=house.settings.archive_days)
    for now in (DUE + timedelta(hours=6), last):
        shown = bar(house, mette, now)
        assert shown is not None
        assert (shown.last_day, shown.kept_until, shown.tasks) == (LAST_DAY, kept, 1)
    assert remind(last - timedelta(days=15)) == 0
    assert remind(last - timedelta(days=14)) == 1
    assert remind(last - timedelta(days=13)) == 0
    (ends,) = notices(house, "sletning-pakke")
    assert ends.person_id == person.id
    assert ends.heading == f"Pakken med 1 opgave fjernes efter {long_date(kept)}"
    assert f"Hent den senest {long_date(kept)}" in ends.sentence
    over = last + timedelta(days=1)
    with house.writing(over) as work:
        sanity.confirm(work, danish_today(over))
    sweeping.sweep(house, over)
    assert bar(house, mette, over) is None
    assert remind(over) == 0


@pytest.mark.usefixtures("drawing")
def test_why_a_task_waits_is_told_kombit_and_those_who_run_klik(house: Installation) -> None:
    with house.database.writing() as session:
        task = make.municipal_task(session, local=True)
        sha256 = file_on(house, session, task, "bilag.txt", b"indhold")
        deletion_id = announced(session, [task.id])
        kombit = make.actor(
            session, make.person(session, level=Level.KOMBIT_ADMINISTRATOR, municipality=None)
        )
    house.files.path(sha256).write_bytes(b"damaged")
    done = erase(house, DUE)
    assert done.waiting == 1
    with house.reading(DUE, kombit) as work:
        (line,) = waiting.stuck(work, work.session.get_one(Deletion, deletion_id))
        says = [found.says for found in health.findings(work, house.settings.data) if not found.well]
    assert (line.municipality, line.tasks, line.problem) == ("Køge", 1, done.problem)
    assert f"1 opgave venter på at blive slettet: {done.problem}" in says
    with house.writing(DUE, kombit) as work:
        deleting.postpone(work, deletion_id, LAST_DAY + timedelta(days=30))
    with house.reading(DUE, kombit) as work:
        assert waiting.all_stuck(work) == (0, "")
        assert work.session.scalars(select(MunicipalTask.erased_at)).one() is None


def test_a_mail_that_came_back_is_noted_before_anything_is_archived(ground: Ground) -> None:
    ground.announce()
    (herning,) = (one for one in ground.notices("sletning-varslet") if one.municipality_id == HERNING)
    ground.send(herning)
    with ground.writing(None) as work:
        assert deleting.note_notified(work) == 3
    ground.send(herning, "bounced")
    assert erase(ground.house, DUE) == erasing.Erased(untold=6)
    assert {item.notified_at for item in ground.items()} == {None}
