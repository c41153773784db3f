"""The whole house taken along: written, read into an empty klik, and the same there; nothing of anybody else's."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, Base, EarlierState, MunicipalTask, Person, TaskChange
from klik.services import filtering, house_package, invariants, tables
from klik.services.errors import ForbiddenError
from klik.services.filtering import Selection
from klik.services.house_package import plain_tables
from klik.services.house_package.left_out import LEFT_OUT
from klik.services.house_package.tables import NEVER, TABLES
from klik.services.house_package.words import of_column
from klik.services.house_package.writing import table_json
from klik.services.tasks import details, exporting, history
from klik.services.work import Work
from tests import make
from tests.conftest import make_settings
from tests.make import KOEGE, NOW
from tests.services.house_world import CANARY, Filled, fill, tables_only

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@pytest.fixture
def filled(house: Installation) -> Filled:
    """Køge and its neighbour, full of content."""
    return fill(house)


@pytest.fixture
def empty(request: pytest.FixtureRequest, house: Installation, tmp_path: Path) -> Iterator[Installation]:
    """Another klik of the same kind of database, with its tables and no content."""
    folder = tmp_path / "andet-hus"
    folder.mkdir()
    if house.database.sqlite:
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "klik.sqlite")
        other = Installation(make_settings(folder))
        yield other
        other.close()
        return
    server, name = request.getfixturevalue("postgres_server"), f"andet_{abs(hash(request.node.nodeid)):x}"
    url = server.create_database(name, template=request.getfixturevalue("postgres_template"))
    other = Installation(make_settings(folder, url))
    try:
        yield other
    finally:
        other.close()
        server.drop_database(name)


def _actor(house: Installation, email: str = "karen@koege.example"):
    with house.reading(NOW) as work:
        return make.actor(
            work.session, work.session.scalars(select(Person).where(Person.email == email)).one()
        )


def _read(house: Installation, package: Path, *, keep: bool = True) -> house_package.Report:
    with house_package.opened(package) as opened, house.writing(NOW) as work:
        return house_package.read_in(work, house.files, opened, keep=keep)


def _list(work: Work) -> list[tuple[Any, ...]]:
    selection: Selection = filtering.select_tasks(work, filtering.read(work.registry, "fuldfoerte=ja"))
    place = tables.COLUMNS.index("Opgave-id")
    return [(*row[:place], *row[place + 1 :]) for row in tables.cells(work, selection)]


def _content(house: Installation) -> list[Any]:
    """All that a reader sees of every task: list, page, history, comments, files, and what its PDF holds."""
    actor = _actor(house)
    with house.reading(NOW, actor) as work:
        found: list[Any] = [_list(work)]
        for task_id in house_package.task_ids(work):
            page = details.load(work, task_id)
            document = exporting.collect(work, house.files, task_id, "").document
            lines = history.history(work, page.task, own=True)
            found.append(
                (
                    replace(document, task_url="", identifier="", verify_url="", task_id=None),
                    [(line.at, line.who, line.sentence) for line in lines],
                    [(each.at, each.author, each.place, each.text, each.private) for each in page.comments],
                    [(file.name, house.files.get(file.sha256)) for file in page.files],
                )
            )
        return found


def _data(package: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as opened:
        return {
            name: opened.read(name) for name in opened.namelist() if name.startswith(("data/", "tabeller/"))
        }


def test_an_empty_klik_that_reads_it_in_is_the_same_house(
    filled: Filled, empty: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package, again = tmp_path / "hus.zip", tmp_path / "igen.zip"
    told: list[int] = []
    written = house_package.write(filled.house, filled.actor, NOW, package, told.append)
    assert written.tasks == 5 and told == sorted(told) and {1, 2, 3, 4, 5} <= {*told} and not written.missing
    with zipfile.ZipFile(package) as opened:
        names = opened.namelist()
        assert sum(name.endswith(".pdf") for name in names) == 5
        everything = b"".join(opened.read(name) for name in names)
    assert CANARY.encode() not in everything and b"herning.example" not in everything
    assert b"@klik.example" not in b"".join(_data(package).values()), "KOMBIT's addresses stay at home"
    trial = _read(empty, package, keep=False)
    with empty.reading(NOW) as work:
        assert work.session.scalars(select(MunicipalTask)).all() == []
    assert not (empty.files.folder).exists(), "a dry run puts no file on disk"
    report = _read(empty, package)
    assert (report.new, report.there, report.wrong) == (trial.new, trial.there, []) and report.kept
    assert _content(empty) == _content(filled.house)
    with empty.reading(NOW) as work:
        assert list(invariants.faults(work.session, empty.files)) == []
        vias = set(work.session.scalars(select(TaskChange.via)))
        assert {"pakke", "rettelse/2", "samlet/pakke", "mail-link/pakke", "boelge/pakke"} <= vias
        assert work.session.scalars(select(EarlierState)).all(), "how it stood before came along"
    third = _read(empty, package)
    assert third.new == 0 and third.there == report.new + report.there
    tables_only(Filled(empty, _actor(empty)), again)
    assert _data(again) == _data(package), "written again, the tables are the same byte for byte"
    with capsys.disabled():
        kind = "SQLite" if empty.database.sqlite else "PostgreSQL"
        sys.stdout.write(
            f"\nround trip on {kind}: {written.tasks} tasks, {written.rows} rows of {len(TABLES)} tables: same list, "
            f"history, comments, files and documents; {len(_data(package))} files equal when written again\n"
        )


def test_what_was_read_in_lives_on_and_is_remembered(
    filled: Filled, empty: Installation, tmp_path: Path
) -> None:
    _read(empty, tables_only(filled, tmp_path / "hus.zip"))
    later = NOW + timedelta(days=1)
    with empty.writing(later, _actor(empty)) as work:
        task = work.session.scalars(select(MunicipalTask).where(MunicipalTask.title == "Lokal 0")).one()
        task.priority, task.changed_at = "lav", later
        work.session.flush()
        before = work.session.scalars(select(EarlierState).where(EarlierState.until == later)).one()
        assert before.priority == "normal"
        kept = work.session.scalars(select(AuditEntry.action)).all()
        assert kept.count("indlæs-pakke") == 1 and kept.count("publish") == 3
    again = _read(empty, tmp_path / "hus.zip")
    assert again.new == 0 and any("ladt, som den står" in each for each in again.remarks)
    with empty.reading(later) as work:
        task = work.session.scalars(select(MunicipalTask).where(MunicipalTask.title == "Lokal 0")).one()
        assert task.priority == "lav", "what is there stays as it stands"


def test_only_the_municipality_s_administrator_takes_the_house(house: Installation, tmp_path: Path) -> None:
    with house.writing(NOW) as work:
        people = [
            make.person(work.session, level=level, email=f"{level.value}@klik.example")
            for level in Level
            if level is not Level.ADMINISTRATOR
        ]
        actors = [make.actor(work.session, each) for each in people]
    for actor in actors:
        with pytest.raises(ForbiddenError):
            house_package.write(house, actor, NOW, tmp_path / "hus.zip")
    assert not (tmp_path / "hus.zip").exists()


def test_every_table_and_column_is_decided_on(sqlite_settings: Any) -> None:
    packed = {table.model.__tablename__ for table in TABLES}
    assert packed | set(LEFT_OUT) == set(Base.metadata.tables) and not packed & set(LEFT_OUT)
    for table in TABLES:
        columns = {column.name for column in table.model.__table__.columns}
        assert table.left_out <= columns - NEVER, table.name
        assert set(table.references) <= columns, table.name
        assert all(of_column(table.label(column.name)) for column in table.columns)
        pointing = {
            column.name
            for column in table.columns
            if any(
                key.column.table.name in ("people", "tasks", "municipal_tasks") for key in column.foreign_keys
            )
        }
        assert pointing <= set(table.references), f"{table.name} would hold numbers of this database"


def _cells(content: bytes, described: dict[str, Any]) -> list[dict[str, Any]]:
    """A reader of its own: knows CSV and the description, and nothing of klik."""
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
    fields = described["schema"]["fields"]
    assert rows[0] == [field["name"] for field in fields]
    parse = {
        "string": str,
        "integer": int,
        "boolean": {"ja": True, "nej": False}.__getitem__,
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
    }
    found = []
    for row in rows[1:]:
        assert len(row) == len(fields)
        assert not any(cell.startswith(FORMULA) for cell in row)
        found.append(
            {
                field["name"]: parse[field["type"]](cell) if cell else None
                for field, cell in zip(fields, row, strict=True)
            }
        )
        for field, cell in zip(fields, row, strict=True):
            assert len(cell) <= field.get("constraints", {}).get("maxLength", len(cell)), (field, cell)
    return found


def _bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def test_the_tables_are_as_their_description_says(filled: Filled, tmp_path: Path) -> None:
    data = _data(tables_only(filled, tmp_path / "hus.zip"))
    schema = json.loads(data["tabeller/schema.json"])
    assert len(schema["resources"]) == len(TABLES)
    read = {each["name"]: _cells(data[f"tabeller/{each['path']}"], each) for each in schema["resources"]}
    rows = 0
    for described in schema["resources"]:
        name = described["name"]
        plain = json.loads(data[f"data/{name}.json"])["rows"]
        assert len(plain) == len(read[name])
        assert plain, f"the world has no {name}"
        if key := described["schema"].get("primaryKey"):
            keys = [row[key] for row in read[name]]
            assert None not in keys and len(set(keys)) == len(keys)
        for pointing in described["schema"].get("foreignKeys", ()):
            there = {row["noegle"] for row in read[pointing["reference"]["resource"]]}
            assert {row[pointing["fields"]] for row in read[name]} - {None} <= there, (name, pointing)
        rows += len(plain)
    comments = json.loads(data["data/kommentarer.json"])["rows"]
    for cell, row in zip(read["kommentarer"], comments, strict=True):
        if not row["text"].startswith("'"):
            assert _bare(cell["tekst"] or "") == row["text"]
    assert rows > 60


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
        | st.sampled_from(FORMULA).flatmap(lambda sign: st.text(max_size=9).map(lambda rest: sign + rest)),
        min_size=1,
        max_size=12,
    )
)
def test_any_text_comes_through_csv_and_json(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode().replace("\0", "") for text in texts]
    table = next(table for table in TABLES if table.name == "opgavers_felter")
    rows = [{"municipal_task": "kp/MI 01", "field": "kp.felt", "value": text} for text in texts]
    (_name, content), (_schema, description) = list(plain_tables.files([(table, rows)]))
    described = json.loads(description)["resources"][0]
    for field in described["schema"]["fields"]:
        field.pop("constraints", None)
    read = _cells(content, described)
    for cell, text in zip(read, texts, strict=True):
        if not text.startswith("'"):
            assert _bare(cell["vaerdi"] or "") == text
    assert json.loads(table_json(table, rows))["rows"] == rows


def test_a_second_municipality_joins_the_first(filled: Filled, empty: Installation, tmp_path: Path) -> None:
    _read(empty, tables_only(filled, tmp_path / "koege.zip"))
    with filled.house.writing(NOW) as work:
        person = make.person(work.session, "Hanne", level=Level.ADMINISTRATOR, municipality=make.HERNING)
        theirs = make.actor(work.session, person)
    report = _read(empty, tables_only(Filled(filled.house, theirs), tmp_path / "herning.zip"))
    assert report.wrong == [] and report.tables["klik_opgaver"].new == 1 and report.tables["opgaver"].new == 3
    with empty.reading(NOW) as work:
        assert list(invariants.faults(work.session, None)) == []
        assert (
            len(
                work.session.scalars(
                    select(MunicipalTask).where(MunicipalTask.municipality_id == KOEGE)
                ).all()
            )
            == 6
        )
