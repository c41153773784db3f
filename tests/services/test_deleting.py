"""Announcing a deletion, taking tasks home, and what the account shows; on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import DatabaseError

from klik.domain.deadlines import end_of_day
from klik.installation import Installation
from klik.models import AuditEntry, DeletionItem, Municipality, Notice
from klik.services import access, auditing, deleting
from klik.services.deleting import Selection
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from tests import make
from tests.make import HERNING, KOEGE, LAESOE, NOW, TODAY
from tests.services.announced_world import Ground, draft


@pytest.fixture
def ground(house: Installation) -> Ground:
    return Ground(house)


def test_announcing_makes_an_item_of_every_copy_and_tells_each_recipient_once(ground: Ground) -> None:
    deletion_id = ground.announce()
    items = ground.items()
    assert {item.municipal_task_id for item in items} == {*ground.koege, *ground.herning}
    assert {item.state for item in items} == {"varslet"}
    notices = ground.notices("sletning-varslet")
    told = {(notice.person_id, notice.municipality_id) for notice in notices}
    people = ground.people
    assert told == {
        (people["koege"].id, KOEGE),
        (people["koege-administrator"].id, KOEGE),
        (people["herning"].id, HERNING),
    }
    assert len(notices) == 3
    assert {notice.heading for notice in notices} == {"3 opgaver slettes efter 21. december 2026"}
    assert {notice.path for notice in notices} == {f"/sletning/{deletion_id}"}


def test_local_tasks_and_other_projects_stay_out(ground: Ground) -> None:
    with ground.house.database.writing() as session:
        other = make.municipal_task(session, in_project=make.project(session, "ky", system_code="ky")).id
    ground.announce()
    assert not {ground.local, other} & {item.municipal_task_id for item in ground.items()}


def test_single_tasks_and_systems_can_be_chosen(ground: Ground) -> None:
    ground.announce(selection=Selection(task_ids=(ground.task_ids[0],)))
    assert {item.municipal_task_id for item in ground.items()} == {ground.koege[0], ground.herning[0]}
    with ground.writing() as work:
        preview = deleting.preview(work, Selection(system="kp"))
    assert [(one.name, one.tasks, one.open) for one in preview.municipalities] == [
        ("Herning", 2, 0),
        ("Køge", 2, 2),
    ]
    assert [(one.task_number, one.municipalities) for one in preview.left_out] == [("MI 01", 2)]


def test_a_task_stands_in_one_running_announcement_only(ground: Ground) -> None:
    first = ground.announce()
    with pytest.raises(RefusedError) as refused:
        ground.announce(key=None)
    assert list(refused.value.problems) == ["selection"]
    with ground.writing() as work:
        deleting.regret(work, first)
    ground.announce(key=None)
    assert len(ground.items()) == 12


def test_pressing_twice_announces_once(ground: Ground) -> None:
    assert ground.announce() == ground.announce()
    assert len(ground.items()) == 6
    assert len(ground.notices("sletning-varslet")) == 3


FIRST = "Sidste dag skal ligge mindst 30 dage fremme: tidligst mandag den 21. december 2026."


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"last_day": TODAY}, "last_day", FIRST),
        ({"last_day": TODAY + timedelta(days=29)}, "last_day", FIRST),
        (
            {"last_day": None},
            "last_day",
            "Sidste dag skal udfyldes; den tidligste er mandag den 21. december 2026.",
        ),
        ({"last_day": date(2099, 1, 1)}, "last_day", "Sidste dag må senest være 18. november 2036."),
        ({"legal_basis": "  "}, "legal_basis", "Hjemmel skal udfyldes."),
        ({"decided_by": ""}, "decided_by", "Besluttet af skal udfyldes."),
        (
            {"decided_on": None},
            "decided_on",
            "Besluttet den skal udfyldes: skriv den dag, kassationen blev besluttet.",
        ),
        (
            {"decided_on": TODAY + timedelta(days=1)},
            "decided_on",
            "Besluttet den må ikke ligge efter i dag, 21. november 2026.",
        ),
        ({"heading": ""}, "heading", "Overskrift skal udfyldes."),
        ({"heading": "x" * 201}, "heading", "Overskrift må højst fylde 200 tegn; du har skrevet 201."),
        (
            {"selection": Selection()},
            "selection",
            "Opgaver skal vælges: et projekt, et system, et filter eller enkelte opgaver.",
        ),
        (
            {"selection": Selection(project="findes-ikke")},
            "selection",
            "Opgaver: der er ingen at slette i det valgte, eller de er alle varslet i forvejen.",
        ),
    ],
)
def test_what_is_wrong_is_said_by_field(
    ground: Ground, changes: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        ground.announce(**changes)
    assert refused.value.problems == {field: sentence}
    assert ground.items() == []


def test_thirty_days_are_enough_also_just_before_midnight_in_denmark(ground: Ground) -> None:
    # 22.30 UTC is 23.30 in Denmark; 23.30 UTC is the next Danish day.
    ground.announce(now=datetime(2026, 11, 21, 22, 30, tzinfo=UTC))
    with pytest.raises(RefusedError):
        ground.announce(key=None, now=datetime(2026, 11, 21, 23, 30, tzinfo=UTC))


@pytest.mark.parametrize("who", ["koege-administrator", "supplier"])
def test_only_kombit_announces_postpones_and_regrets(ground: Ground, who: str) -> None:
    deletion_id = ground.announce()
    for act in (
        lambda work: deleting.announce(work, draft(), None),
        lambda work: deleting.postpone(work, deletion_id, TODAY + timedelta(days=60)),
        lambda work: deleting.regret(work, deletion_id),
    ):
        with pytest.raises(ForbiddenError), ground.writing(who) as work:
            act(work)


def test_the_last_day_moves_later_only(ground: Ground) -> None:
    deletion_id = ground.announce()
    for days in (0, 29, 30):
        with pytest.raises(RefusedError) as refused, ground.writing() as work:
            deleting.postpone(work, deletion_id, TODAY + timedelta(days=days))
        assert "tidligst tirsdag den 22. december 2026" in refused.value.problems["new_day"]
    with ground.writing() as work:
        deleting.postpone(work, deletion_id, TODAY + timedelta(days=31), "Flere beder om tid")
    notices = ground.notices("sletning-udsat")
    assert len(notices) == 3
    assert notices[0].heading == "Sletning af 3 opgaver er udsat til efter 22. december 2026"


def test_raw_sql_cannot_move_the_last_day_earlier_nor_skip_a_state(ground: Ground) -> None:
    ground.announce()
    for statement in (
        "update deletions set last_day = '2026-12-20'",
        "delete from deletions",
        "delete from deletion_items",
        "update deletion_items set state = 'slettet', archive_sha256 = 'x'",
        "update deletion_items set state = 'arkiveret', archive_sha256 = 'x'",
        "update municipal_tasks set erased_at = created_at",
    ):
        with pytest.raises(DatabaseError), ground.house.database.writing() as session:
            session.execute(text(statement))


def test_regretting_keeps_the_tasks_and_takes_back_what_was_not_sent(ground: Ground) -> None:
    deletion_id = ground.announce()
    ground.send(ground.notices("sletning-varslet")[0])
    with ground.writing() as work:
        deleting.regret(work, deletion_id, "Forkert projekt")
    assert [bool(one.withdrawn_at) for one in ground.notices("sletning-varslet")] == [False, True, True]
    assert {one.heading for one in ground.notices("sletning-fortrudt")} == {
        "3 opgaver slettes alligevel ikke"
    }
    with pytest.raises(RefusedError), ground.writing() as work:
        deleting.postpone(work, deletion_id, TODAY + timedelta(days=60))
    with ground.writing("koege") as work:
        assert deleting.note_fetched(work, ground.koege[0], "0" * 64) is False


def test_what_is_archived_cannot_be_regretted(ground: Ground) -> None:
    deletion_id = ground.announce()
    with ground.house.database.writing() as session:
        item = session.scalars(select(DeletionItem)).first()
        assert item
        item.notified_at, item.archive_sha256, item.state = NOW, "0" * 64, "arkiveret"
    with pytest.raises(RefusedError) as refused, ground.writing() as work:
        deleting.regret(work, deletion_id)
    assert "begyndt" in refused.value.problems["deletion"]


def test_fetching_counts_once_and_only_for_the_own_municipality_with_the_right(ground: Ground) -> None:
    ground.announce()
    for who in ("koege-reader", "herning", "kombit", "supplier", None):
        with ground.writing(who) as work:
            assert deleting.note_fetched(work, ground.koege[0], "0" * 64) is False
    for expected in (True, False):
        with ground.writing("koege") as work:
            assert deleting.note_fetched(work, ground.koege[0], "0" * 64) is expected
    assert [item.state for item in ground.items(KOEGE)] == ["hentet", "varslet", "varslet"]
    item = ground.items(KOEGE)[0]
    assert (item.fetched_at, item.fetched_by) == (NOW, ground.people["koege"].id)
    assert {item.state for item in ground.items(HERNING)} == {"varslet"}


def test_a_receipt_takes_a_case_number_and_something_fetched(ground: Ground) -> None:
    deletion_id = ground.announce()
    with pytest.raises(RefusedError) as refused, ground.writing("koege") as work:
        deleting.receipt(work, deletion_id, "2026-1234")
    assert "Hent dem først" in refused.value.problems["items"]
    with ground.writing("koege") as work:
        deleting.note_fetched(work, ground.koege[0], "0" * 64)
        deleting.note_fetched(work, ground.koege[1], "0" * 64)
    with pytest.raises(RefusedError) as refused, ground.writing("koege") as work:
        deleting.receipt(work, deletion_id, " ")
    assert refused.value.problems == {"case_number": "Sagsnummer skal udfyldes."}
    for expected in (2, 0):
        with ground.writing("koege") as work:
            assert deleting.receipt(work, deletion_id, "2026-1234") == expected
    states = [(item.state, item.case_number) for item in ground.items(KOEGE)]
    assert states == [("kvitteret", "2026-1234"), ("kvitteret", "2026-1234"), ("varslet", None)]


def test_another_municipalitys_items_are_not_there(ground: Ground) -> None:
    deletion_id = ground.announce()
    theirs = ground.items(HERNING)[0]
    with pytest.raises(NotFoundError), ground.writing("koege") as work:
        deleting.receipt(work, deletion_id, "2026-1", [theirs.id])
    with pytest.raises(NotFoundError), ground.writing("koege") as work:
        access.deletion_item(work, deletion_id, theirs.id)
    only_herning = draft(selection=Selection(project="ky"))
    with ground.house.database.writing() as session:
        make.municipal_task(
            session, municipality=HERNING, in_project=make.project(session, "ky", system_code="ky")
        )
    with ground.writing() as work:
        other_id = deleting.announce(work, only_herning, None)
    for who in ("koege", "supplier"):
        with pytest.raises(NotFoundError), ground.writing(who) as work:
            access.deletion(work, other_id)


def test_the_standing_counts_each_municipality_and_shows_a_municipality_its_own(ground: Ground) -> None:
    deletion_id = ground.announce()
    with ground.writing("koege") as work:
        for task_id in ground.koege:
            deleting.note_fetched(work, task_id, "0" * 64)
    with ground.writing() as work:
        standing = deleting.standing(work, access.deletion(work, deletion_id))
    assert standing.sentence == "1 af 2 har hentet, 0 har åbnet, 1 tavs"
    assert [(one.name, one.announced, one.fetched) for one in standing.municipalities] == [
        ("Herning", 3, 0),
        ("Køge", 0, 3),
    ]
    with ground.house.database.writing() as session:
        session.execute(update(Notice).where(Notice.municipality_id == HERNING).values(read_at=NOW))
    with ground.writing() as work:
        standing = deleting.standing(work, access.deletion(work, deletion_id))
    assert standing.sentence == "1 af 2 har hentet, 1 har åbnet, 0 tavse"
    with ground.writing("koege") as work:
        standing = deleting.standing(work, access.deletion(work, deletion_id))
    assert [one.name for one in standing.municipalities] == ["Køge"]


DST_AND_OTHER_DAYS = [
    date(2027, 3, 28),
    date(2027, 10, 31),
    date(2026, 12, 31),
    date(2028, 2, 29),
    date(2029, 6, 30),
]


@pytest.mark.parametrize("day", DST_AND_OTHER_DAYS, ids=str)
def test_the_last_day_is_open_until_its_last_danish_second(ground: Ground, day: date) -> None:
    ground.announce(last_day=day)
    end = end_of_day(day)
    assert ground.due(end - timedelta(microseconds=1)) == 0
    assert ground.due(end) == 6


def test_every_act_stands_in_the_audit_trail_without_names(ground: Ground) -> None:
    deletion_id = ground.announce()
    with ground.writing("koege") as work:
        deleting.note_fetched(work, ground.koege[0], "0" * 64)
        deleting.receipt(work, deletion_id, "2026-1234")
    with ground.writing() as work:
        deleting.postpone(work, deletion_id, TODAY + timedelta(days=60))
        deleting.regret(work, deletion_id)
    with ground.house.database.reading() as session:
        entries = session.execute(select(AuditEntry.action, AuditEntry.facts).order_by(AuditEntry.id)).all()
        assert not list(auditing.breaks(session))
    assert [entry.action for entry in entries] == [
        "deletion-announced",
        "deletion-fetched",
        "deletion-receipted",
        "deletion-postponed",
        "deletion-regretted",
    ]
    assert "1234" not in "".join(entry.facts for entry in entries)


def test_many_municipalities_take_the_same_number_of_statements(ground: Ground) -> None:
    def statements(key: str) -> int:
        count = 0

        def counted(*_: Any) -> None:
            nonlocal count
            count += 1

        event.listen(ground.house.database.engine, "before_cursor_execute", counted)
        try:
            deletion_id = ground.announce(key=key)
            with ground.writing() as work:
                deleting.standing(work, access.deletion(work, deletion_id))
        finally:
            event.remove(ground.house.database.engine, "before_cursor_execute", counted)
        with ground.writing() as work:
            deleting.regret(work, deletion_id)
        return count

    with ground.house.database.writing() as session:
        make.municipal_task(session, ground.versions[0], municipality=LAESOE)
    few = statements("11111111-0000-0000-0000-000000000001")
    with ground.house.database.writing() as session:
        codes = session.scalars(
            select(Municipality.id).where(Municipality.id.not_in([KOEGE, HERNING, LAESOE]))
        ).all()
        for code in codes:
            make.municipal_task(session, ground.versions[0], municipality=code)
    assert statements("11111111-0000-0000-0000-000000000002") == few
