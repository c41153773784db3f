"""KSD: the catalogue against the seed, R23 in both layouts, the board."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins import ImportRefusedError, ImportRow
from klik.plugins.ksd import catalogue
from klik.plugins.ksd.commands import report_command, types_command
from klik.plugins.ksd.payment import next_cut_off, time_left
from klik.plugins.ksd.r23 import OpenTask, month_of, parse
from klik.plugins.ksd.reading_in import rows_of_report
from klik.plugins.ksd.tables import open_tasks
from klik.services import importing
from klik.services.errors import ForbiddenError, RefusedError
from tests import make
from tests.client import Browser

FOLDER = Path(__file__).parent / "reports"
OLD = (FOLDER / "r23-indtil-juni-2020.csv").read_bytes()
NEW = (FOLDER / "r23-fra-juni-2020.csv").read_bytes()
SEED = (FOLDER / "blokerende-opgaver.md").read_text("utf-8")


def seed_types() -> dict[int, tuple[str, str]]:
    """The seed's table: ID → (class, title); the first pair of columns is payment, ID 54 stands apart."""
    found = {}
    for line in SEED.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for place in range(0, 8, 2) if len(cells) == 8 else ():
            if cells[place].isdigit():
                number = int(cells[place])
                blocks = "brev" if number == 54 else "udbetaling" if place == 0 else "afgoerelse"
                found[number] = (blocks, cells[place + 1])
    return found


def seed_counts() -> dict[int, int]:
    return {
        int(number): int(count)
        for number, count in re.findall(r"^\| (\d+) \| [^|]+ \| (\d+) \|$", SEED, re.MULTILINE)
    }


def test_the_catalogue_is_the_seed_row_by_row() -> None:
    seed = seed_types()
    ours = {each.id: (each.blocks, each.title) for each in catalogue.task_types().values()}
    assert len(seed) == 56
    assert {number: (blocks, catalogue.title_key(title)) for number, (blocks, title) in ours.items()} == {
        number: (blocks, catalogue.title_key(title)) for number, (blocks, title) in seed.items()
    }


def test_the_catalogue_has_the_seeds_classes_and_counts() -> None:
    types = catalogue.task_types().values()
    sizes = {blocks: sum(each.blocks == blocks for each in types) for blocks in catalogue.CLASSES}
    assert sizes == {
        "brev": 1,
        "udbetaling": 10,
        "afgoerelse": 45,
        "graensevaerdi": 0,
        "uoplyst": 0,
        "ingen": 0,
    }
    counts = {each.id: each.seen for each in types if each.seen is not None}
    assert counts == seed_counts()
    assert len(counts) == 20


@pytest.mark.parametrize(
    ("title", "ids"),
    [
        ("Manglende kontrol", [6]),
        ("Indtægtsoplysninger kunne ikke hentes i KMD indkomst", [30]),
        ("Informer jobcentret om ugyldig forlængelse", [83]),
        ("Annultering af sygefraværssag", [50]),
        ("KONTROLLER SAG – BREMSENDE *", [32]),
        ("Kontroller sag - Ikke bremsende", []),
        ("Anmeldelse modtaget for sent", []),
        ("Der findes et henvendelsesnotat", [2, 49]),
        ("Information om arbejdsskade stemmer ikke overens", [84, 85]),
        ("", []),
        ("§", []),
    ],
)
def test_titles_in_reports_find_their_type(title: str, ids: list[int]) -> None:
    assert [each.id for each in catalogue.types_named(title)] == ids


def read(content: bytes, name: str = "r23.csv") -> list[OpenTask | ImportRow]:
    return list(parse(rows_of_report(io.BytesIO(content), name)))


def test_the_old_layout_gives_each_month_its_tasks() -> None:
    tasks = read(OLD)
    assert [(each.month, each.title, each.blocks, each.count) for each in tasks] == [
        ("2017-10", "Manglende kontrol", "afgoerelse", 14),
        ("2017-10", "Opstart af anden indkomst", "udbetaling", 1),
        ("2017-10", "Anmeldelse modtaget for sent", "ingen", 11),
        ("2017-11", "Manglende kontrol", "afgoerelse", 9),
        ("2017-11", "Indtægtsoplysninger kunne ikke hentes i KMD indkomst", "afgoerelse", 1),
        ("2017-11", "Indtægtsoplysninger er markeret som ufuldstændig", "afgoerelse", 2),
        ("2018-02", "Manglende kontrol", "afgoerelse", 2),
    ]


def test_the_new_layout_says_what_blocks() -> None:
    tasks = read(NEW)
    assert [(each.title, each.blocks, each.count) for each in tasks] == [
        ("Ansøgning om tidlig refusion", "afgoerelse", 1204),
        ("Økonomisk mellemværende", "udbetaling", 3),
        ("Anmeldelse modtaget for sent", "ingen", 11),
        ("En helt ny opgavetype", "uoplyst", 2),
    ]


def excel(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_excel_reads_as_csv_does_also_when_excel_made_dates_of_the_months() -> None:
    heading = ["Opgavetype", "Antal uløste opgaver med oprindeligt forfald i denne måned"]
    content = excel([["R23"], [], [datetime(2017, 10, 1)], heading, ["Manglende kontrol", 14.0]])
    assert [(each.month, each.title, each.count) for each in read(content, "r23.xlsx")] == [
        ("2017-10", "Manglende kontrol", 14)
    ]


def test_windows_letters_and_tabs_are_read() -> None:
    content = "Opgavetype\tAntal\tBlokerende\nØkonomisk mellemværende\t3\tja\n".encode("cp1252")
    assert [(each.title, each.blocks) for each in read(content)] == [
        ("Økonomisk mellemværende", "udbetaling")
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"Manglende kontrol;mange;Ja", "Antallet"),
        (b"Manglende kontrol;-1;Ja", "Antallet"),
        (b"Manglende kontrol;99999999;Ja", "Antallet"),
        (b"Manglende kontrol;1;rubbish", "hverken Ja eller Nej"),
        (b";5;Ja", "Opgavetypen mangler"),
        (b"x" * 201 + b";5;Ja", "over 200 tegn"),
    ],
)
def test_a_wrong_row_is_named_and_says_why(line: bytes, words: str) -> None:
    (found,) = read(b"Opgavetype;Antal;Blokerende\n" + line + b"\n")
    assert isinstance(found, ImportRow) and found.outcome == "forkert" and found.number == 2
    assert words in found.text


@pytest.mark.parametrize(
    "content", [b"", b"   ", b"Navn;Alder\nOle;4\n", b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0\0\0", b"\0\0\0"]
)
def test_another_file_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(ImportRefusedError):
        read(content)


def test_months_are_read_as_people_write_them() -> None:
    assert [month_of(text) for text in ("Okt-2017", "oktober 2017", "2017-10", "maj 2020", "10")] == [
        "2017-10",
        "2017-10",
        "2017-10",
        "2020-05",
        None,
    ]


def plus_user(house: Installation, level: Level = Level.PLUS_USER) -> object:
    with house.writing(make.NOW) as work:
        return make.actor(work.session, make.person(work.session, level=level))


def rows_stored(house: Installation) -> list[tuple[int, str, int]]:
    with house.reading(make.NOW) as work:
        columns = (open_tasks.c.municipality, open_tasks.c.title, open_tasks.c.count)
        return sorted(tuple(row) for row in work.session.execute(select(*columns)))


def test_a_dry_run_says_what_the_import_does_and_keeps_nothing(house: Installation) -> None:
    actor = plus_user(house)
    with house.writing(make.NOW, actor) as work:
        tried = importing.run(work, "ksd.r23", OLD, "r23.csv", keep=False)
    assert rows_stored(house) == []
    with house.writing(make.NOW, actor) as work:
        done = importing.run(work, "ksd.r23", OLD, "r23.csv", keep=True)
    assert tried == done
    assert done.count("ny") == 7 and len(rows_stored(house)) == 7


def test_reading_the_same_file_again_changes_nothing(house: Installation) -> None:
    actor = plus_user(house)
    for outcome in ("ny", "uændret"):
        with house.writing(make.NOW, actor) as work:
            report = importing.run(work, "ksd.r23", OLD, "r23.csv", keep=True)
        assert report.count(outcome) == len(report.rows) == 7


def test_the_next_report_takes_the_place_of_the_last(house: Installation) -> None:
    actor = plus_user(house)
    with house.writing(make.NOW, actor) as work:
        importing.run(work, "ksd.r23", NEW, "r23.csv", keep=True)
    later = NEW.replace(b"1.204", b"1.100").replace(b"En helt ny opgavetype;2;Ja\n", b"")
    with house.writing(make.NOW, actor) as work:
        report = importing.run(work, "ksd.r23", later, "r23.csv", keep=True)
    assert [report.count(word) for word in ("ny", "ændret", "fjernet", "uændret")] == [0, 1, 1, 2]
    assert (make.KOEGE, "Ansøgning om tidlig refusion", 1100) in rows_stored(house)


def test_nothing_is_kept_when_a_row_is_wrong(house: Installation) -> None:
    actor = plus_user(house)
    with house.writing(make.NOW, actor) as work:
        report = importing.run(work, "ksd.r23", NEW + b"Andet;tre;Ja\n", "r23.csv", keep=True)
    assert report.count("forkert") == 1
    assert rows_stored(house) == []


def test_readers_and_kombit_may_not_import(house: Installation) -> None:
    for level in (Level.READER, Level.KOMBIT_ADMINISTRATOR, Level.SUPPLIER):
        actor = plus_user(house, level)
        with house.writing(make.NOW, actor) as work:
            assert "ksd.r23" not in [importer.key for importer in importing.offered(work, "ksd")]
            with pytest.raises(ForbiddenError):
                importing.run(work, "ksd.r23", NEW, "r23.csv", keep=True)


def test_klik_itself_must_name_the_municipality(house: Installation) -> None:
    with house.writing(make.NOW) as work, pytest.raises(RefusedError, match="Kommune"):
        importing.run(work, "ksd.r23", NEW, "r23.csv", keep=True)


def test_municipalities_do_not_see_or_change_each_other(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        importing.run(work, "ksd.r23", NEW, "r23.csv", keep=True, municipality=make.KOEGE)
        importing.run(work, "ksd.r23", OLD, "r23.csv", keep=True, municipality=make.AARHUS)
        koege = make.person(work.session, municipality=make.KOEGE).email
        kombit = make.person(work.session, level=Level.KOMBIT_EDITOR).email
        supplier = make.person(work.session, level=Level.SUPPLIER, systems=("ksd",)).email
    board = browser().sign_in(koege).get("/p/ksd/").get_text(" ")
    assert "1.204" in board and "Indtægtsoplysninger kunne ikke hentes i KMD indkomst" not in board
    assert "KMD indkomst" in browser().sign_in(kombit).get("/p/ksd/").get_text(" ")
    page = browser().sign_in(supplier)
    page.get("/p/ksd/", expect=404)
    assert "1.204" not in page.get("/systemer/ksd").get_text(" ")


def test_a_person_reads_a_report_in_on_the_pages(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        email = make.person(work.session).email
    page = browser().sign_in(email)
    assert "ikke indlæst nogen rapport" in page.get("/p/ksd/").get_text(" ")
    assert page.get("/systemer").select_one('a[href="/systemer/ksd"]')
    assert page.get("/systemer/ksd").select_one('a[href="/admin/import/ksd.r23"]')
    page.get("/admin/import/ksd.r23")
    page.post("/admin/import/ksd.r23", {"act": "indlaes"}, expect=422)
    tried = page.post("/admin/import/ksd.r23", {"act": "proev", "file": (io.BytesIO(NEW), "r23.csv")})
    assert "intet er ændret" in tried.get_text(" ")
    assert rows_stored(house) == []
    page.post(
        "/admin/import/ksd.r23", {"act": "indlaes", "file": (io.BytesIO(b"a;b\n"), "x.csv")}, expect=422
    )
    done = page.post("/admin/import/ksd.r23", {"act": "indlaes", "file": (io.BytesIO(NEW), "r23.csv")})
    assert "Filen er indlæst" in done.get_text(" ")
    assert done.select_one('main a[href="/p/ksd/"]') and not tried.select_one('main a[href="/p/ksd/"]')
    assert "1.204" in page.get("/p/ksd/").get_text(" ")
    assert "1.204" in page.get("/systemer/ksd").get_text(" ")


def test_the_cut_off_is_monday_noon_in_denmark() -> None:
    saturday = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    assert next_cut_off(saturday).isoformat() == "2026-11-23T12:00:00+01:00"
    assert time_left(saturday) == "2 dage og 4 timer"
    assert next_cut_off(datetime(2026, 11, 23, 10, 59, tzinfo=UTC)).day == 23
    assert time_left(datetime(2026, 11, 23, 10, 59, tzinfo=UTC)) == "0 timer og 1 minut"
    assert next_cut_off(datetime(2026, 11, 23, 11, 0, tzinfo=UTC)).day == 30


def test_the_commands_list_types_and_show_a_report(tmp_path: Path) -> None:
    shown = CliRunner().invoke(types_command, ["--klasse", "udbetaling"])
    assert shown.exit_code == 0 and len(shown.output.splitlines()) == 10
    file = shutil.copy(FOLDER / "r23-fra-juni-2020.csv", tmp_path / "r23.csv")
    shown = CliRunner().invoke(report_command, [str(file)])
    assert shown.exit_code == 0 and "1204" in shown.output
    Path(file).write_text("Navn;Alder\n", "utf-8")
    assert CliRunner().invoke(report_command, [str(file)]).exit_code == 1


def test_the_tables_hold_numbers_only(house: Installation) -> None:
    with house.reading(make.NOW) as work:
        assert work.session.scalar(select(func.count()).select_from(open_tasks)) == 0
    assert {column.name for column in open_tasks.columns} == {
        "municipality",
        "day",
        "month",
        "title_key",
        "title",
        "blocks",
        "count",
    }
