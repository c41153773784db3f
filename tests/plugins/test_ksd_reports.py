"""KSD: the seed's own words about types and R23, the file that is refused, and reports kept by day."""

from __future__ import annotations

import importlib.util
import io
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import func, select

from klik.installation import Installation
from klik.plugins import ImportReport
from klik.plugins.context import PluginStore
from klik.plugins.ksd import catalogue, frequent, reports, trend
from klik.plugins.ksd.beginnings import QUESTIONS
from klik.plugins.ksd.r23 import OpenTask, parse, together
from klik.plugins.ksd.reading_in import rows_of_report
from klik.plugins.ksd.tables import open_tasks
from klik.plugins.ksd.tables import reports as reports_table
from klik.services import importing
from klik.services.errors import RefusedError
from tests import make
from tests.plugins.test_ksd import NEW, OLD, excel

SEED = (Path(__file__).parent / "reports" / "opgavetyper-og-r23.md").read_text("utf-8")
SECRET = "010185-1234"
MONTHS = {"Okt": "10", "Nov": "11", "Feb": "02"}


def seed_r23() -> list[tuple[str, str, int]]:
    """The seed's sample of R23, read from its own tables: month, title, count."""
    found, month = [], ""
    for line in SEED.splitlines():
        if named := re.fullmatch(r"(Okt|Nov|Feb)-(\d{4})", line):
            month = f"{named[2]}-{MONTHS[named[1]]}"
        elif month and (cells := re.fullmatch(r"\| (.+?) +\| (\d+) \|", line)):
            found.append((month, cells[1], int(cells[2])))
    return found


def test_the_seed_counts_its_types() -> None:
    assert f"defineret {catalogue.ALL_TYPES} forskellige" in SEED
    assert f"{catalogue.NOT_BLOCKING} opgaver er ikke blokerende" in SEED
    assert f"er de {catalogue.SEEN_TYPES} set" in SEED
    sizes = [
        sum(each.blocks == blocks for each in catalogue.task_types().values())
        for blocks in ("brev", "udbetaling", "afgoerelse")
    ]
    assert [int(found) for found in re.findall(r"- (\d+) opgave[r]? blokerer", SEED)] == sizes
    assert sum(sizes) + catalogue.NOT_BLOCKING == catalogue.ALL_TYPES


def test_the_most_frequent_are_the_seeds_in_order_with_their_stars() -> None:
    listed = re.findall(r"^(\d+)\. (.+?)(\*?)$", SEED, re.MULTILINE)
    assert len(listed) == 16
    ours = frequent.most_frequent()
    assert [(each.place, each.fewer) for each in ours] == [
        (int(number), bool(star)) for number, _title, star in listed
    ]
    for each, (_number, title, _star) in zip(ours, listed, strict=True):
        # The seed writes three of them with a slip of the pen.
        assert catalogue._nearly(catalogue.title_key(title), {catalogue.title_key(each.title)}), title
        found = catalogue.types_named(title)
        assert [each.id] == ([found[0].id] if found else [None]), title


def test_only_what_the_seed_shows_is_explained() -> None:
    assert [each.id for each in frequent.most_frequent() if each.solution] == [19]
    assert len(QUESTIONS) == 4


def test_the_seeds_sample_is_read_as_csv_and_as_excel() -> None:
    seed = seed_r23()
    assert len(seed) == 7
    rows: list[list[object]] = []
    for month in dict.fromkeys(month for month, _title, _count in seed):
        year, number = map(int, month.split("-"))
        rows += [[datetime(year, number, 1)], ["Opgavetype", "Antal uløste opgaver med oprindeligt forfald"]]
        rows += [[title, count] for each, title, count in seed if each == month]
    for content, name in ((OLD, "r23.csv"), (excel(rows), "r23.xlsx")):
        found = [
            each for each in parse(rows_of_report(io.BytesIO(content), name)) if isinstance(each, OpenTask)
        ]
        assert [(each.month, each.title, each.count) for each in found] == seed


def test_sums_of_the_report_are_no_types() -> None:
    content = b"Opgavetype;Antal;Er opgaven blokerende?\nManglende kontrol;2;Ja\nI alt;2;\n\nTotal:;2\n"
    assert [each.title for each in parse(rows_of_report(io.BytesIO(content), "x.csv"))] == [
        "Manglende kontrol"
    ]


def test_limits_are_a_class_of_their_own_whatever_the_report_says_of_blocking() -> None:
    content = "Opgavetype;Antal;Blokerende\nGrænseværdi overskredet;3;Nej\nGRÆNSEVÆRDI er overskredet;1;Ja\n".encode()
    found = [each.blocks for each in parse(rows_of_report(io.BytesIO(content), "x.csv"))]
    assert found == ["graensevaerdi", "graensevaerdi"]


def test_two_ids_of_one_title_are_added_up_and_other_doubles_are_wrong() -> None:
    tasks = [
        OpenTask(2, "", "Der findes et henvendelsesnotat", "afgoerelse", 4),
        OpenTask(3, "", "Der findes et henvendelsesnotat", "afgoerelse", 5),
        OpenTask(4, "", "Manglende kontrol", "afgoerelse", 1),
        OpenTask(5, "", "manglende  kontrol", "afgoerelse", 1),
    ]
    wanted, wrong = together(tasks)
    assert sorted(task.count for task in wanted.values()) == [1, 9]
    assert [(row.number, row.outcome) for row in wrong] == [(5, "forkert")]


def _second_sheet(text: object) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Opgavetype", "Antal"])
    book.active.append(["Manglende kontrol", 2])
    book.create_sheet("Bilag").append(["Ole", text])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (NEW + f"Manglende kontrol {SECRET};5;Ja\n".encode(), "r23.csv"),
        (NEW + b"Manglende kontrol;0101851234;Ja\n", "r23.csv"),
        (f"{SECRET}\n".encode() + OLD.lstrip(b"\xef\xbb\xbf"), "r23.csv"),
        (_second_sheet(SECRET), "r23.xlsx"),
        (_second_sheet(101851234), "r23.xlsx"),
    ],
)
def test_a_file_with_a_cpr_number_is_refused_as_a_whole(
    house: Installation, content: bytes, name: str
) -> None:
    with house.writing(make.NOW) as work:
        for keep in (False, True):
            with pytest.raises(RefusedError) as refused:
                importing.run(work, "ksd.r23", content, name, keep=keep, municipality=make.KOEGE)
            assert "CPR-nummer" in str(refused.value.problems)
            assert "Hele filen er afvist" in str(refused.value.problems)
            assert "1234" not in str(refused.value.problems)
            assert "010185" not in str(refused.value.problems)
        assert work.session.scalar(select(func.count()).select_from(open_tasks)) == 0


def read_in(
    house: Installation,
    content: bytes,
    now: datetime = make.NOW,
    *,
    keep: bool = True,
    place: int = make.KOEGE,
) -> ImportReport:
    with house.writing(now) as work:
        return importing.run(work, "ksd.r23", content, "r23.csv", keep=keep, municipality=place)


def days_kept(house: Installation) -> list[tuple[date, int]]:
    """Each report's day and how many rows it has."""
    with house.reading(make.NOW) as work:
        rows = work.session.execute(
            select(reports_table.c.day, func.count(open_tasks.c.title_key))
            .outerjoin(open_tasks, open_tasks.c.day == reports_table.c.day)
            .group_by(reports_table.c.day)
            .order_by(reports_table.c.day)
        )
        return [tuple(row) for row in rows]


def test_each_day_has_its_report_and_the_newest_is_the_board(house: Installation) -> None:
    first = make.NOW.date()
    read_in(house, OLD)
    later = read_in(house, NEW, make.NOW + timedelta(days=7))
    assert later.count("fjernet") == 7 and later.count("ny") == 4
    assert days_kept(house) == [(first, 7), (first + timedelta(days=7), 4)]
    with house.reading(make.NOW) as work:
        store = PluginStore(work.session, "ksd_")
        assert {each.title for each in reports.open_now(store, make.KOEGE)} >= {"Økonomisk mellemværende"}
        assert sum(each.count for each in reports.open_now(store)) == 1204 + 3 + 11 + 2


def test_the_same_file_on_the_same_day_changes_nothing(house: Installation) -> None:
    read_in(house, NEW)
    before = _all(house)
    again = read_in(house, NEW, make.NOW + timedelta(hours=2))
    assert again.count("uændret") == len(again.rows) == 4
    assert "tidligere i dag" in again.sentences[0]
    assert _all(house) == before
    corrected = read_in(house, NEW.replace(b"1.204", b"1.200"), make.NOW + timedelta(hours=3))
    assert corrected.count("ændret") == 1 and "i stedet for" in corrected.sentences[0]
    assert days_kept(house) == [(make.NOW.date(), 4)]


def _all(house: Installation) -> list[tuple[object, ...]]:
    with house.reading(make.NOW) as work:
        return [
            tuple(row) for table in (open_tasks, reports_table) for row in work.session.execute(select(table))
        ]


def test_the_dry_run_of_a_later_day_says_what_the_import_does(house: Installation) -> None:
    read_in(house, OLD)
    next_week = make.NOW + timedelta(days=7)
    tried = read_in(house, NEW, next_week, keep=False)
    assert days_kept(house) == [(make.NOW.date(), 7)]
    assert read_in(house, NEW, next_week) == tried


def test_a_report_without_rows_empties_the_board(house: Installation) -> None:
    read_in(house, NEW)
    read_in(house, b"Opgavetype;Antal;Blokerende\n", make.NOW + timedelta(days=1))
    with house.reading(make.NOW) as work:
        store = PluginStore(work.session, "ksd_")
        assert reports.open_now(store, make.KOEGE) == ()
        assert reports.newest(store)[make.KOEGE].day == make.NOW.date() + timedelta(days=1)


def test_reports_older_than_two_years_go(house: Installation) -> None:
    read_in(house, NEW, make.NOW - timedelta(days=800))
    read_in(house, NEW, place=make.AARHUS)
    assert len(days_kept(house)) == 2
    read_in(house, NEW)
    assert [day for day, _rows in days_kept(house)] == [make.NOW.date()]


def test_the_weeks_hold_the_newest_report_by_then(house: Installation) -> None:
    """Against a count by hand: two municipalities, one of which is silent for a week, and then for nine."""
    today = make.NOW.date()
    sunday = today + timedelta(days=6 - today.weekday())

    def line(count: int) -> bytes:
        return f"Opgavetype;Antal;Blokerende\nØkonomisk mellemværende;{count};Ja\n".encode()

    for place, weeks_ago, count in (
        (make.KOEGE, 3, 10),
        (make.KOEGE, 2, 8),
        (make.KOEGE, 0, 5),
        (make.AARHUS, 2, 100),
        (make.AARHUS, 11, 1000),
    ):
        read_in(house, line(count), make.NOW - timedelta(weeks=weeks_ago), place=place)
    with house.reading(make.NOW) as work:
        store = PluginStore(work.session, "ksd_")
        country = {each.last_day: each for each in trend.weeks(store, today)}
        koege = {each.last_day: each.counts["udbetaling"] for each in trend.weeks(store, today, make.KOEGE)}
    expected = {0: 105, 1: 108, 2: 108, 3: 10, 4: 1000, 11: 1000}
    assert {
        weeks: country[sunday - timedelta(weeks=weeks)].counts["udbetaling"] for weeks in (0, 1, 2, 11)
    } == {weeks: expected[weeks] for weeks in (0, 1, 2, 11)}
    # Held for eight weeks, and then no longer.
    assert (
        sunday - timedelta(weeks=4) in country
        and country[sunday - timedelta(weeks=3)].counts["udbetaling"] == 10
    )
    assert [country[sunday - timedelta(weeks=weeks)].fresh for weeks in (0, 1, 2, 3)] == [1, 0, 2, 1]
    assert koege == {
        sunday - timedelta(weeks=weeks): count for weeks, count in ((3, 10), (2, 8), (1, 8), (0, 5))
    }


def test_a_report_of_a_sunday_is_of_the_week_that_ends_and_holds_for_eight(house: Installation) -> None:
    """By hand: 13 weeks ago is held for the weeks 13 to 6 ago, before the twelve that are shown as well."""
    today = make.NOW.date()
    sunday = today + timedelta(days=6 - today.weekday())
    for weeks_ago in (13, 3):
        read_in(house, NEW, make.NOW + (sunday - today) - timedelta(weeks=weeks_ago))
    with house.reading(make.NOW) as work:
        found = trend.weeks(PluginStore(work.session, "ksd_"), today)
    shown = {(sunday - each.last_day).days // 7: each.fresh for each in found}
    assert shown == {11: 0, 10: 0, 9: 0, 8: 0, 7: 0, 6: 0, 3: 1, 2: 0, 1: 0, 0: 0}


def test_the_line_of_the_weeks_stays_in_its_picture() -> None:
    weeks = [
        trend.Week(date(2026, 11, 1) + timedelta(weeks=n), f"uge {n}", {"udbetaling": n * 7}, 1)
        for n in range(5)
    ]
    chart = trend.draw(weeks, "udbetaling")
    assert chart is not None
    assert chart.points[0] == (trend.LEFT, trend.BOTTOM) and chart.points[-1] == (trend.RIGHT, trend.TOP)
    assert trend.draw(weeks[:1], "udbetaling") is None
    assert trend.draw(weeks, "brev") is not None  # nothing but noughts


def test_what_stood_on_the_board_becomes_its_first_report(house: Installation) -> None:
    """Down to the tables before, filled as they were, and up again."""

    file = Path(reports.__file__).parent / "migrations" / "0002_dated_reports.py"
    spec = importlib.util.spec_from_file_location("dated", file)
    assert spec and spec.loader
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    read_in(house, OLD)
    read_in(house, NEW, make.NOW + timedelta(days=7))
    with house.writing(make.NOW) as work:
        connection = work.session.connection()
        migration.op = Operations(MigrationContext.configure(connection))
        migration.downgrade()
        before = sa.Table("ksd_open_tasks", sa.MetaData(), autoload_with=connection)
        assert "day" not in before.c
        assert connection.scalar(select(func.count()).select_from(before)) == 4
        connection.execute(
            sa.insert(before).values(
                municipality=make.KOEGE,
                month="",
                title_key="graensevaerdi",
                title="Grænseværdi overskredet",
                blocks="ingen",
                count=3,
            )
        )
        midnight = sa.Table("ksd_reports", sa.MetaData(), autoload_with=connection)
        late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # already the 23rd in Denmark
        connection.execute(sa.update(midnight).values(read_at=late))
        migration.upgrade()
        store = PluginStore(work.session, "ksd_")
        assert reports.newest(store)[make.KOEGE].day == date(2026, 11, 23)
        assert {each.blocks for each in reports.open_now(store) if each.count == 3} == {
            "graensevaerdi",
            "udbetaling",
        }
