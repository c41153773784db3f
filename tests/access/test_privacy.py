"""P2: insight asks every table that can name a person, and after anonymising nothing leads to them."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Column, Engine, Table, event, select, text, update

from klik.installation import Installation
from klik.models import BulkChange, Mail, Membership, MunicipalTask, Notice, Person, RoleAnswer, TaskChange
from klik.services.people import personal_data, privacy
from tests import make
from tests.access.world import KOEGE, World, all_tables

DOCS = Path(__file__).parents[2] / "docs" / "privacy.md"
ADDRESS = re.compile(r"(^|_)(e?mail|email_key|address|address_key|mailbox|proposed_email|phone)$")
NAME, MAIL, PHONE = "Zebrafina Kvistgren", "zebrafina@koege.example", "70 99 88 77"
# Where the person's own words or others' stay as they were written, and why.
MAY_KEEP: dict[str, str] = {}


def personal_columns(table: Table) -> Iterator[Column[object]]:
    """The columns that name a person by id or by address."""
    for column in table.columns:
        leads = {key.column.table.name for key in column.foreign_keys if key.column.name != "municipality_id"}
        if leads & {"people", "memberships"} or ADDRESS.search(column.name):
            yield column


@pytest.fixture
def house(app: Flask) -> Installation:
    """The canary world, in which every table has rows."""
    return app.extensions["klik"]


def asked(engine: Engine) -> list[str]:
    """The conditions of every statement that is sent from now on."""
    found: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement.partition("WHERE")[2])

    return found


def test_insight_asks_every_column_that_names_a_person(house: Installation, world: World) -> None:
    conditions = asked(house.database.engine)
    with house.reading(make.NOW) as work:
        privacy.insight(work, work.session.get_one(Person, world.people["ansvarlig", KOEGE]))
    everything = "\n".join(conditions)
    missing = [
        f"{table.name}.{column.name}"
        for table in all_tables(house)
        for column in personal_columns(table)
        if f"{table.name}.{column.name}" not in personal_data.EXCUSED
        and f"{table.name}.{column.name}" not in everything
    ]
    assert not missing, f"add them to klik/services/people/traces.py, or to EXCUSED with a reason: {missing}"


def test_every_table_that_names_a_person_is_in_the_list_of_personal_data(house: Installation) -> None:
    named = {
        table.name
        for table in all_tables(house)
        for column in personal_columns(table)
        if f"{table.name}.{column.name}" not in personal_data.EXCUSED
    }
    assert named - personal_data.tables() == set(), "add to KINDS in klik/services/people/personal_data.py"
    assert personal_data.tables() - {table.name for table in all_tables(house)} == set()


def test_the_document_says_what_the_list_says() -> None:
    written = DOCS.read_text("utf-8")
    for kind in personal_data.KINDS:
        tables = ", ".join(f"`{table}`" for table in kind.tables)
        row = f"| {kind.what} | {kind.purpose} | {kind.ground} | {kind.kept} | {kind.seen_by} | {tables} |"
        assert row in written, kind.what


def test_after_anonymising_nothing_leads_to_the_person(
    house: Installation, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = world.people["ansvarlig", KOEGE]
    with house.writing(make.NOW) as work:
        session, person = work.session, work.session.get_one(Person, number)
        old = person.email
        person.name, person.name_key, person.phone = NAME, "x", PHONE
        person.email = person.email_key = MAIL
        session.execute(update(Notice).where(Notice.address == old).values(address=MAIL))
        session.execute(
            update(Mail).where(Mail.person_id == number).values(address=MAIL, content=MAIL.encode())
        )
        sentence = f"{NAME} har nævnt dig"
        session.execute(update(Notice).where(Notice.municipality_id == KOEGE).values(sentence=sentence))
        session.execute(
            update(BulkChange).where(BulkChange.municipality_id == KOEGE).values(words=f"→ {NAME}")
        )
        session.execute(
            update(RoleAnswer)
            .where(RoleAnswer.municipality_id == KOEGE)
            .values(proposed_name=NAME, proposed_email=MAIL, note=f"{NAME} har den nu")
        )
        task = session.scalars(select(MunicipalTask).where(MunicipalTask.municipality_id == KOEGE)).first()
        assert task is not None
        change = TaskChange(municipality_id=KOEGE, municipal_task_id=task.id, at=make.NOW, person_id=number)
        change.field, change.old, change.new = "responsible", NAME, "Ingen"
        session.add(change)
    assert found_in(house), "the needle must be there to be missed"
    before = time.perf_counter()
    with house.reading(make.NOW) as work:
        facts = privacy.insight(work, work.session.get_one(Person, number))
    took = time.perf_counter() - before
    assert MAIL in json.dumps(facts, ensure_ascii=False)
    with house.writing(make.NOW) as work:
        privacy.anonymise(work, work.session.get_one(Person, number))
    left = [each for each in found_in(house) if each not in MAY_KEEP]
    with house.database.reading() as session:
        broken = session.execute(text("pragma foreign_key_check")).all()
        active = select(Membership.id).where(Membership.person_id == number, Membership.active.is_(True))
        assert session.scalars(active).all() == []
    files = [
        file.name
        for file in (tmp_path / "data" / "files").rglob("*")
        if file.is_file() and any(needle.encode() in file.read_bytes() for needle in (NAME, MAIL, PHONE))
    ]
    with capsys.disabled():
        sys.stdout.write(
            f"\nP2 insight: {len(facts)} headings in {took:.2f} s; anonymised: {len(broken)} foreign keys broken, "
            f"name, address or phone in {len(left)} columns and {len(files)} files\n"
        )
    assert (left, files, broken) == ([], [], [])


def found_in(house: Installation) -> list[str]:
    """The columns, of every table there is, in which the person's name, address or phone stands."""
    found = []
    with house.database.reading() as session:
        for table in all_tables(house):
            for row in session.execute(select(table)).mappings():
                for column, value in row.items():
                    shown = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    if any(needle in shown for needle in (NAME, MAIL, PHONE)):
                        found.append(f"{table.name}.{column}")
    return sorted(set(found))
