"""What the database refuses about deletion to raw SQL, rule by rule, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from klik.domain.deadlines import danish_today, end_of_day
from klik.installation import Installation
from klik.models import DeletionItem, ExportProof, MunicipalTask
from klik.models.guards import HANGING_ON, all_guards
from tests import make
from tests.make import NOW
from tests.services.deletion_world import DUE, LAST_DAY, announced, full_task

PROOF = "archive_sha256 = 'a', archive_size = 1"
TOMBSTONE = (
    "title = 'Slettet opgave', title_key = 'x', search_key = '', local_text = '', not_relevant_reason = null,"
    " status = 'ikke-paabegyndt'"
)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if moment.tzinfo is None else stamp_utc(moment)


def stamp_utc(moment: datetime) -> str:
    return moment.astimezone(NOW.tzinfo).strftime("%Y-%m-%d %H:%M:%S.%f") + "+00:00"


class Ground:
    """One announced task and raw SQL on it."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        with house.database.writing() as session:
            self.task_id = full_task(house, session, "ord").id
            self.other_id = make.municipal_task(session, local=True).id
            self.deletion_id = announced(session, [self.task_id])

    def run(self, *statements: str) -> None:
        with self.house.database.writing() as session:
            for statement in statements:
                if self.house.database.sqlite:
                    statement = statement.replace("+00:00'", "'")
                session.execute(text(statement))

    def refused(self, *statements: str) -> str:
        with pytest.raises(DatabaseError) as error:
            self.run(*statements)
        return str(error.value.orig)

    def archived(self, moment: datetime = DUE) -> str:
        return f"update deletion_items set state = 'arkiveret', {PROOF}, archived_at = '{stamp(moment)}'"

    def verified(self, moment: datetime = DUE) -> str:
        return f"update deletion_items set verified_at = '{stamp(moment)}'"

    def erased(self, moment: datetime = DUE, content: str = TOMBSTONE) -> str:
        return (
            f"update municipal_tasks set {content}, erased_at = '{stamp(moment)}' where id = {self.task_id}"
        )

    def deleted(self, moment: datetime = DUE) -> str:
        return f"update deletion_items set state = 'slettet', erased_at = '{stamp(moment)}'"


@pytest.fixture
def ground(house: Installation) -> Ground:
    return Ground(house)


def test_the_whole_way_is_open(ground: Ground) -> None:
    ground.run(ground.archived(), ground.verified(), ground.erased(), ground.deleted())


def test_nothing_goes_without_an_archive_file_that_was_read_again(ground: Ground) -> None:
    for before in (
        (),
        (ground.archived(),),
        (ground.verified(),),
        (f"update deletion_items set {PROOF}", ground.verified()),
    ):
        assert "erased whole, after its last day" in ground.refused(*before, ground.erased())
        ground.refused(*before, ground.deleted())


@pytest.mark.parametrize("late", [timedelta(seconds=61), timedelta(days=1), timedelta(seconds=-1)])
def test_the_archive_file_was_read_within_the_minute(ground: Ground, late: timedelta) -> None:
    before = (ground.archived(), ground.verified())
    ground.refused(*before, ground.erased(DUE + late))
    ground.refused(*before, ground.erased(), ground.deleted(DUE + late))


def test_sixty_seconds_are_enough(ground: Ground) -> None:
    late = DUE + timedelta(seconds=60)
    ground.run(ground.archived(), ground.verified(), ground.erased(late), ground.deleted(late))


@pytest.mark.parametrize(
    "day",
    [
        date(2027, 3, 27),
        date(2027, 3, 28),
        date(2027, 10, 30),
        date(2027, 10, 31),
        LAST_DAY,
        date(2028, 6, 30),
    ],
)
def test_the_last_day_is_over_in_denmark_to_the_second(ground: Ground, day: date) -> None:
    ground.run(f"update deletions set last_day = '{day}'")
    end = end_of_day(day)
    early = end - timedelta(seconds=1)
    assert danish_today(early) == day
    ground.refused(ground.archived(early), ground.verified(early), ground.erased(early))
    ground.refused(ground.archived(end), ground.verified(early), ground.erased(end), ground.deleted(early))
    ground.run(ground.archived(end), ground.verified(end), ground.erased(end), ground.deleted(end))


def test_a_body_is_cleared_with_the_erasing_and_only_then(ground: Ground) -> None:
    for half in (
        "title = 'Slettet opgave', search_key = ''",
        TOMBSTONE.replace("local_text = ''", "local_text = 'x'"),
        TOMBSTONE.replace("not_relevant_reason = null", "not_relevant_reason = 'x'"),
    ):
        ground.refused(ground.archived(), ground.verified(), ground.erased(content=half))
    where = f"where id = {ground.task_id}"
    for cleared in (TOMBSTONE, "title = ''"):
        assert "keeps its content" in ground.refused(f"update municipal_tasks set {cleared} {where}")


def test_an_erased_task_stays_and_takes_nothing_new(ground: Ground) -> None:
    ground.run(ground.archived(), ground.verified())
    copies = {}
    with ground.house.database.reading() as session:
        for table in HANGING_ON:
            row = session.execute(
                text(f"select * from {table} where municipal_task_id = {ground.task_id}")
            ).mappings()
            copies[table] = row.first()
    ground.run(ground.erased(), ground.deleted())
    for change in ("erased_at = null", "title = 'tilbage'", "local_text = 'x'", "search_key = 'x'"):
        ground.refused(f"update municipal_tasks set {change} where id = {ground.task_id}")
    tried = 0
    for table, row in copies.items():
        if row is None:
            continue
        tried += 1
        values = dict(row)
        if "id" in values:
            values["id"] = 999_999
        columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        with pytest.raises(DatabaseError) as error, ground.house.database.writing() as session:
            session.execute(text(f"insert into {table} ({columns}) values ({marks})"), values)
        assert "nothing is put on an erased task" in str(error.value.orig)
    assert tried >= 7


def test_what_is_held_is_not_archived(ground: Ground) -> None:
    asked = "update deletion_items set hold_reason = 'Klagesag'"
    assert "asked to keep" in ground.refused(asked, ground.archived())
    today = danish_today(DUE)
    kept = f"{asked}, hold_granted = true, hold_until = '{today}'"
    ground.refused(kept, ground.archived())
    ground.run(kept)
    ground.run(ground.archived(DUE + timedelta(days=1)))


def test_a_no_lets_it_go(ground: Ground) -> None:
    ground.run("update deletion_items set hold_reason = 'Klagesag', hold_granted = false", ground.archived())


def test_the_archive_file_is_never_another_one(ground: Ground) -> None:
    ground.run(ground.archived())
    other = "update deletion_items set archive_sha256 = 'b'"
    again = f"{other}, verified_at = null, archived_at = '{stamp(DUE + timedelta(hours=1))}'"
    assert "never another one" in ground.refused(other)
    ground.refused("update deletion_items set archive_sha256 = null")
    ground.run(again)
    late = DUE + timedelta(hours=2)
    ground.run(ground.verified(late), ground.erased(late), ground.deleted(late))
    ground.refused(again)
    for proof in ("verified_at = null", "erased_at = null", "archived_at = null", "archive_size = 2"):
        assert "append-only" in ground.refused(f"update deletion_items set {proof}")


def test_a_deletion_begins_with_announcing_and_is_not_taken_up_again(ground: Ground) -> None:
    assert "begins with announcing" in ground.refused(
        "insert into deletion_items (deletion_id, municipality_id, municipal_task_id, state, archive_sha256)"
        f" values ({ground.deletion_id}, 259, {ground.other_id}, 'arkiveret', 'a')"
    )
    for state in ("fortrudt", "afsluttet"):
        ground.refused(f"update deletions set state = '{state}'", "update deletions set state = 'varslet'")
    ground.refused(
        ground.archived(), ground.verified(), "update deletions set state = 'fortrudt'", ground.erased()
    )


def test_proofs_are_append_only(ground: Ground) -> None:
    with ground.house.database.writing() as session:
        session.add(ExportProof(code="A", content_key="a", sha256="a", exported_at=NOW))
    assert "append-only" in ground.refused("update export_proofs set code = 'B'")
    assert "append-only" in ground.refused("delete from export_proofs")


def test_every_table_that_hangs_on_a_task_is_guarded(ground: Ground) -> None:
    names = {guard.name for guard in all_guards()}
    assert {f"{table}_not_on_erased" for table in HANGING_ON} <= names
    with ground.house.database.reading() as session:
        assert session.scalar(select(DeletionItem.state)) == "varslet"
        assert session.get_one(MunicipalTask, ground.task_id).erased_at is None
