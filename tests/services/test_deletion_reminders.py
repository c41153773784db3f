"""Who is told of an announced deletion, when, and what KOMBIT keeps; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from klik.services import access, deleting
from klik.services.errors import RefusedError
from tests import make
from tests.make import HERNING, KOEGE, LAESOE, NOW, TODAY
from tests.services.announced_world import Ground


@pytest.fixture
def ground(house: Installation) -> Ground:
    return Ground(house)


def test_a_municipality_is_told_when_a_mail_was_accepted(ground: Ground) -> None:
    ground.announce()
    herning = next(one for one in ground.notices("sletning-varslet") if one.municipality_id == HERNING)
    ground.send(herning, "failed")
    with ground.writing(None) as work:
        assert deleting.note_notified(work) == 0
    ground.send(herning)
    for expected in (3, 0):
        with ground.writing(None) as work:
            assert deleting.note_notified(work) == expected
    assert {item.notified_at for item in ground.items(HERNING)} == {NOW}
    assert {item.notified_at for item in ground.items(KOEGE)} == {None}


def test_a_notice_that_fell_back_to_kombit_has_told_the_municipality_nothing(ground: Ground) -> None:
    with ground.house.database.writing() as session:
        make.municipal_task(session, ground.versions[0], municipality=LAESOE)
        make.person(session, "Anden hos KOMBIT", level=Level.KOMBIT_ADMINISTRATOR, municipality=None)
    ground.announce()
    fallen_back = [one for one in ground.notices("sletning-varslet") if one.municipality_id == LAESOE]
    assert len(fallen_back) == 1
    ground.send(fallen_back[0])
    with ground.writing(None) as work:
        assert deleting.note_notified(work) == 0


def test_reminders_come_at_thirty_fourteen_seven_and_one_days_to_those_who_have_not_fetched(
    ground: Ground,
) -> None:
    deletion_id = ground.announce(last_day=TODAY + timedelta(days=40))
    with ground.writing("herning") as work:
        for task_id in ground.herning:
            deleting.note_fetched(work, task_id, "0" * 64)
    told = {}
    for day in range(45):
        for _ in range(2):
            with ground.writing(None, NOW + timedelta(days=day)) as work:
                if count := deleting.remind(work):
                    told[40 - day] = count
    assert told == {30: 2, 14: 2, 7: 2, 1: 2}
    waits = [notice.due_at - notice.created_at for notice in ground.notices("sletning-rykker")]
    assert max(waits) <= timedelta(days=4), "they go in the mail of their day, not of the last one"
    assert (
        ground.notices("sletning-rykker")[-1].heading
        == "3 opgaver slettes efter 31. december 2026: 1 dag tilbage"
    )
    assert deletion_id


def test_a_missed_reminder_is_caught_up_with_once_and_none_comes_on_the_day_of_announcing(
    ground: Ground,
) -> None:
    deletion_id = ground.announce()
    with ground.writing(None) as work:
        assert deleting.remind(work) == 0
    with ground.writing(None, NOW + timedelta(days=20)) as work:
        assert deleting.remind(work) == 3
    with ground.writing(None, NOW + timedelta(days=21)) as work:
        assert deleting.remind(work) == 0
    with ground.writing(now=NOW + timedelta(days=21)) as work:
        deleting.postpone(work, deletion_id, TODAY + timedelta(days=34))
    with ground.writing(None, NOW + timedelta(days=21)) as work:
        assert deleting.remind(work) == 3


def test_asking_to_keep_a_task_and_the_answer(ground: Ground) -> None:
    deletion_id = ground.announce()
    item_id = ground.items(KOEGE)[0].id
    later = TODAY + timedelta(days=90)
    for reason, until, fields in (
        ("", later, {"reason"}),
        ("Klagesag", None, {"until"}),
        ("Klagesag", TODAY + timedelta(days=30), {"until"}),
    ):
        with pytest.raises(RefusedError) as refused, ground.writing("koege") as work:
            deleting.ask_to_keep(work, access.deletion_item(work, deletion_id, item_id), reason, until)
        assert set(refused.value.problems) == fields
    with ground.writing("koege") as work:
        deleting.ask_to_keep(work, access.deletion_item(work, deletion_id, item_id), "Klagesag", later)
    assert [one.person_id for one in ground.notices("sletning-bevaring")] == [ground.people["kombit"].id]
    over = NOW + timedelta(days=31)
    assert ground.due(over) == 5
    with ground.writing() as work:
        deleting.decide_hold(work, access.deletion_item(work, deletion_id, item_id), True)
    assert {one.person_id for one in ground.notices("sletning-afgoerelse")} == {
        ground.people["koege"].id,
        ground.people["koege-administrator"].id,
    }
    assert ground.due(over) == 5
    # The day until which it was kept is over, but nobody was told that it ends.
    assert ground.due(NOW + timedelta(days=120)) == 5
    with ground.writing(None, NOW + timedelta(days=76)) as work:
        deleting.remind(work)
    ends = ground.notices("sletning-ophoerer")
    assert {one.heading for one in ends} == {"1 opgave, der blev bevaret, slettes efter 19. februar 2027"}
    ground.send(ends[0], at=NOW + timedelta(days=80))
    assert ground.due(NOW + timedelta(days=93)) == 5
    assert ground.due(NOW + timedelta(days=94)) == 6
    with ground.writing() as work:
        deleting.decide_hold(work, access.deletion_item(work, deletion_id, item_id), False)
    assert ground.due(over) == 6
