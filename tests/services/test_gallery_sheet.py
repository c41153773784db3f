"""The gallery as Excel: an unchanged file changes nothing, a dry run says what the import does, and no row hides."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Membership, Person, RoleHolding
from klik.plugins.contributions import ImportReport
from klik.services import importing
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.gallery_sheet import lines, reading, writing
from klik.services.work import Actor
from tests import make

ONE, SEVERAL, PRIMARY = "organisationsadministrator", "superbruger", "systemansvarlig"
HEAD = list(lines.HEADINGS)


@dataclass
class Sheet:
    house: Installation
    actors: dict[str, Actor] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)

    def out(self, who: str = "karen", municipality: int = make.KOEGE) -> list[list[str]]:
        with self.house.reading(make.NOW, self.actors[who]) as work:
            content = writing.workbook(work, municipality)
        rows = openpyxl.load_workbook(io.BytesIO(content))[lines.SHEET].iter_rows(values_only=True)
        return [[str(cell or "") for cell in row] for row in rows]

    def run(
        self, rows: Sequence[Sequence[Any]], *, keep: bool = True, who: str = "karen", invite: bool = False
    ) -> ImportReport:
        key = reading.KEY_INVITING if invite else reading.KEY
        with self.house.writing(make.NOW, self.actors[who]) as work:
            return importing.run(work, key, book(rows), "galleri.xlsx", keep=keep)

    def told(self, rows: Sequence[Sequence[Any]], **more: Any) -> list[str]:
        """What the dry run says is wrong, after it was seen to say the same as the import."""
        tried, done = self.run(rows, keep=False, **more), self.run(rows, **more)
        assert tried == done
        return [row.text for row in done.rows if row.outcome == "forkert"]

    def holdings(self) -> list[RoleHolding]:
        with self.house.database.reading() as session:
            found = list(session.scalars(select(RoleHolding).order_by(RoleHolding.id)))
            session.expunge_all()
        return found


def book(rows: Sequence[Sequence[Any]], change: Callable[[Any, Any], None] | None = None) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        sheet = made.add_worksheet(lines.SHEET)
        day = made.add_format({"num_format": "dd-mm-yyyy"})
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, place, cell, day)
                elif str(cell).startswith("formel:"):
                    sheet.write_formula(number, place, "=1+1")
                else:
                    sheet.write_string(number, place, str(cell))
        if change:
            change(made, sheet)
    return out.getvalue()


def row(role: str, **cells: str | date) -> list[str | date]:
    words = {"rolle": lines.ROLE, "system": lines.SYSTEM, "navn": lines.NAME, "mail": lines.ADDRESS}
    words |= {"telefon": lines.PHONE, "postkasse": lines.MAILBOX, "som": lines.KIND, "primaer": lines.PRIMARY}
    words |= {"fra": lines.FROM, "til": lines.TO, "bekraeftet": lines.CONFIRMED, "note": lines.NOTE}
    words |= {"kommune": lines.PLACE}
    given = {words[name]: value for name, value in cells.items()} | {lines.ROLE: role}
    return [given.get(heading, "") for heading in HEAD]


@pytest.fixture
def sheet(house: Installation) -> Iterator[Sheet]:
    made = Sheet(house)
    with house.database.writing() as session:
        make.has_system(session, make.KOEGE, "kp")
        for name, level, place in (
            ("karen", Level.ADMINISTRATOR, make.KOEGE),
            ("mette", Level.PLUS_USER, make.KOEGE),
            ("ali", Level.USER, make.KOEGE),
            ("jens", Level.USER, make.KOEGE),
            ("hanne", Level.ADMINISTRATOR, make.HERNING),
            ("gitte", Level.KOMBIT_ADMINISTRATOR, None),
        ):
            person = make.person(
                session, name.title(), level=level, municipality=place, email=f"{name}@koege.example"
            )
            made.actors[name], made.ids[name] = make.actor(session, person), person.id
    made.run(
        [
            HEAD,
            row("Organisationsadministrator", mail="mette@koege.example", fra="01-11-2026"),
            row(
                "Systemansvarlig", system="KP", mail="ali@koege.example", primaer="Ja", fra=date(2026, 11, 1)
            ),
            row("Systemansvarlig", system="kp", mail="jens@koege.example", note="Ferie i uge 7"),
            row("Superbruger", system="KP", postkasse="superbruger@koege.example"),
            row("Systemansvarlig", system="KP", navn="Mette", som="Stedfortræder", til="31-12-2026"),
        ]
    )
    yield made


def changed(
    rows: list[list[str]], where: Callable[[list[str]], bool], column: str, value: str
) -> list[list[str]]:
    found = [[*each] for each in rows]
    hit = [each for each in found if where(each)]
    assert len(hit) == 1, hit
    hit[0][HEAD.index(column)] = value
    return found


def of(mail: str, role: str = "Systemansvarlig", kind: str = "Indehaver") -> Callable[[list[str]], bool]:
    return lambda each: each[0] == role and mail in (each[3], each[5]) and each[6] == kind


def test_an_unchanged_export_changes_nothing(sheet: Sheet) -> None:
    assert len(sheet.holdings()) == 5
    before = sheet.out()
    assert before[0] == HEAD
    assert any(each[0] == "Projektleder" and not each[3] for each in before), "a vacant row to fill in"
    report = sheet.run(before)
    assert {each.outcome for each in report.rows} == {"uændret"}
    assert len(report.rows) == len(before) - 1
    assert sheet.out() == before
    versions = [each.version for each in sheet.holdings()]
    sheet.run(before)
    assert [each.version for each in sheet.holdings()] == versions


def test_somebody_without_access_still_stands_in_an_unchanged_export(sheet: Sheet) -> None:
    with sheet.house.database.writing() as session:
        for member in session.scalars(select(Membership).where(Membership.person_id == sheet.ids["ali"])):
            member.active = False
        session.get_one(Person, sheet.ids["ali"]).active = False
    assert {each.outcome for each in sheet.run(sheet.out()).rows} == {"uændret"}


def test_a_vacant_row_filled_in_twice_fills_once(sheet: Sheet) -> None:
    rows = changed(
        sheet.out(),
        lambda each: each[0] == "Projektleder",
        lines.ADDRESS,
        "jens@koege.example",
    )
    assert sheet.run(rows, keep=False).count("ny") == 1
    assert len(sheet.holdings()) == 5, "a dry run keeps nothing"
    assert sheet.run(rows).count("ny") == 1
    assert len(sheet.holdings()) == 6
    again = sheet.run(rows)
    assert (again.count("ny"), again.count("ændret"), again.count("forkert")) == (0, 0, 0)


def test_a_new_holder_of_a_role_for_one_ends_the_old_one_and_history_stays(sheet: Sheet) -> None:
    rows = [*sheet.out(), row("Organisationsadministrator", mail="ali@koege.example", fra="21-11-2026")]
    report = sheet.run(rows)
    assert (report.count("ny"), report.count("ændret"), report.count("forkert")) == (1, 1, 0)
    assert any("slutter 20-11-2026, fordi en anden overtager" in each.text for each in report.rows)
    first, last = (each for each in sheet.holdings() if each.role == ONE)
    assert (first.person_id, first.valid_from, first.valid_to) == (
        sheet.ids["mette"],
        date(2026, 11, 1),
        date(2026, 11, 20),
    )
    assert last.person_id == sheet.ids["ali"]
    again = sheet.run(rows)
    assert {each.outcome for each in again.rows} == {"uændret"}, again


def test_primary_end_note_and_confirmation(sheet: Sheet) -> None:
    rows = changed(sheet.out(), of("jens@koege.example"), lines.PRIMARY, "Ja")
    assert ["der står også Ja" in each for each in sheet.told(rows)] == [True]
    rows = changed(rows, of("ali@koege.example"), lines.PRIMARY, "Nej")
    rows = changed(rows, of("jens@koege.example"), lines.NOTE, "Tilbage i uge 8")
    rows = changed(rows, of("superbruger@koege.example", "Superbruger"), lines.TO, "30-11-2026")
    tried = sheet.run(rows, keep=False)
    assert tried == sheet.run(rows)
    assert (tried.count("ændret"), tried.count("ny"), tried.count("forkert")) == (3, 0, 0)
    by_person = {
        each.person_id: each for each in sheet.holdings() if each.role == PRIMARY and each.kind == "indehaver"
    }
    assert by_person[sheet.ids["jens"]].is_primary and not by_person[sheet.ids["ali"]].is_primary
    assert by_person[sheet.ids["jens"]].note == "Tilbage i uge 8"
    assert {each.outcome for each in sheet.run(rows).rows} == {"uændret"}
    alone = changed(rows, of("jens@koege.example"), lines.PRIMARY, "Nej")
    assert any("skal have én primær" in each for each in sheet.told(alone))
    with sheet.house.database.writing() as session:
        for each in session.scalars(select(RoleHolding)):
            each.confirmed_at = make.NOW - timedelta(days=300)
    confirmed = changed(sheet.out(), of("jens@koege.example"), lines.CONFIRMED, "Ja")
    assert sheet.run(confirmed).count("ændret") == 1


BAD = [
    (row("Hovmester", mail="ali@koege.example"), "A2: rollen “Hovmester” kendes ikke"),
    (row("", mail="ali@koege.example"), "A2: Rolle skal udfyldes"),
    (row("Superbruger", system="Sapa", mail="ali@koege.example"), "B2: systemet “Sapa” kendes ikke"),
    (row("Superbruger", mail="ali@koege.example"), "B2: Superbruger skal have et system"),
    (
        row("Organisationsadministrator", system="KP", mail="ali@koege.example"),
        "B2: Organisationsadministrator er tværgående",
    ),
    (
        row("Superbruger", system="KP", navn="Ukendt", mail="ny@koege.example"),
        "D2: ny@koege.example har ikke adgang",
    ),
    (
        row("Superbruger", system="KP", navn="Hanne", mail="hanne@koege.example"),
        "D2: hanne@koege.example har ikke adgang",
    ),
    (row("Superbruger", system="KP", navn="Hanne"), "C2: Hanne har ikke adgang"),
    (
        row("Superbruger", system="KP", navn="En anden", mail="ali@koege.example"),
        "C2: ali@koege.example hører til Ali",
    ),
    (row("Superbruger", system="KP", mail="ingen adresse"), "D2: Mailadressen skal have et @"),
    (
        row("Superbruger", system="KP", mail="ali@koege.example", postkasse="x@koege.example"),
        "F2: en række har enten",
    ),
    (row("Superbruger", system="KP", mail="ali@koege.example", som="Suppleant"), "G2: Som skal være"),
    (
        row("Superbruger", system="KP", mail="ali@koege.example", primaer="måske"),
        "H2: Primær skal være Ja eller Nej",
    ),
    (row("Superbruger", system="KP", mail="ali@koege.example", fra="31-02-2026"), "I2: Fra: "),
    (
        row("Superbruger", system="KP", mail="ali@koege.example", fra="01-12-2026", til="30-11-2026"),
        "J2: Til og med",
    ),
    (
        row("Superbruger", system="KP", mail="ali@koege.example", som="Stedfortræder"),
        "J2: Til og med: en stedfortræder",
    ),
    (
        row("Superbruger", system="KP", mail="ali@koege.example", note="cpr 010180-1237"),
        "L2: ser ud til at indeholde et CPR",
    ),
    (row("Superbruger", system="KP", mail="ali@koege.example", note="formel:"), "L2: der står en formel"),
    (
        row("Superbruger", system="KP", mail="ali@koege.example", kommune="Herning"),
        "M2: rækken er for Herning",
    ),
    (row("Superbruger", system="KP", note="kun en note"), "C2: skriv, hvem der har rollen"),
    (row("Superbruger", system="KP", mail="ali@koege.example", telefon="12 34 56 78"), "E2: telefon rettes"),
]


def test_a_bad_row_is_named_and_nothing_is_stored(sheet: Sheet) -> None:
    good = row("Superbruger", system="KP", mail="jens@koege.example")
    for bad, sentence in BAD:
        wrong = sheet.told([HEAD, bad, good])
        assert len(wrong) == 1 and sentence in wrong[0], wrong
        assert len(sheet.holdings()) == 5, "one wrong row holds the others back"


def test_rows_that_contradict_each_other(sheet: Sheet) -> None:
    twice = row("Superbruger", system="KP", mail="ali@koege.example")
    assert ["står også i række 2" in each for each in sheet.told([HEAD, twice, twice])] == [True]
    later = row("Superbruger", system="KP", mail="ali@koege.example", fra="25-12-2026")
    assert any("har allerede rollen" in each for each in sheet.told([HEAD, twice, later]))


def test_a_wrong_heading_stops_the_file(sheet: Sheet) -> None:
    for head, sentence in (
        ([*HEAD, "Løn"], "kolonnen “Løn” kendes ikke"),
        ([*HEAD, "Rolle"], "kolonnen “Rolle” står der to gange"),
        ([each for each in HEAD if each != lines.MAILBOX], "mangler kolonnen “Fællespostkasse”"),
    ):
        with pytest.raises(RefusedError) as refused:
            sheet.run([head, ["Superbruger"]])
        assert sentence in refused.value.problems["file"]


def test_a_file_as_a_whole(sheet: Sheet) -> None:
    one = row("Superbruger", system="KP", mail="jens@koege.example")

    def refusal(content: bytes, name: str = "galleri.xlsx") -> str:
        with (
            pytest.raises(RefusedError) as refused,
            sheet.house.writing(make.NOW, sheet.actors["karen"]) as work,
        ):
            importing.run(work, reading.KEY, content, name, keep=True)
        return refused.value.problems["file"]

    assert "er tomt" in refusal(book([HEAD]))
    assert "over 5.000 rækker" in refusal(book([HEAD, *[one] * (lines.MOST_ROWS + 1)]))
    assert "ender på .xlsx" in refusal(b"Rolle;System", "galleri.csv")
    assert "gammelt Excel" in refusal(b"x", "galleri.xls")
    assert "beskadiget" in refusal(b"PK\x03\x04 ikke noget")
    assert "er flettet" in refusal(book([HEAD, one], lambda _book, sheet: sheet.merge_range("A3:B3", "x")))

    def hide(made: Any, sheet: Any) -> None:
        made.add_worksheet("Andet").activate()
        sheet.hide()

    assert "er skjult" in refusal(book([HEAD, one], hide))


def test_strangers_are_let_in_only_when_it_is_wanted(sheet: Sheet) -> None:
    rows = [
        HEAD,
        row("Superbruger", system="KP", navn="Ny Nielsen", mail="ny@koege.example", telefon="56 67 67 67"),
        row("Projektleder", system="KP", navn="Ny Nielsen", mail="ny@koege.example"),
    ]
    assert len(sheet.told(rows)) == 2
    assert sheet.told(rows, invite=True) == []
    with sheet.house.database.reading() as session:
        person = session.scalars(select(Person).where(Person.email_key == "ny@koege.example")).one()
        assert (person.name, person.phone) == ("Ny Nielsen", "56 67 67 67")
        assert [each.level for each in person.memberships] == [Level.USER.value]
    assert {each.outcome for each in sheet.run(rows, invite=True).rows} == {"uændret"}
    # An address of another municipality is not confirmed to be there: the row only asks for a look.
    known = [HEAD, row("Superbruger", system="KP", navn="Hanne", mail="hanne@koege.example")]
    foreign = [HEAD, row("Superbruger", system="KP", navn="X", mail="x@andet.example")]
    told, other = sheet.told(known, invite=True), sheet.told(foreign, invite=True)
    assert told[0].replace("Hanne", "X") == other[0]


def test_who_may(sheet: Sheet) -> None:
    rows = [HEAD, row("Superbruger", system="KP", mail="jens@koege.example")]
    for who in ("mette", "ali", "gitte"):
        with pytest.raises(ForbiddenError):
            sheet.run(rows, who=who)
    with pytest.raises(NotFoundError):
        sheet.out(who="hanne")
    assert "@" not in " ".join(each[3] for each in sheet.out(who="hanne", municipality=make.HERNING))
    sheet.run([HEAD, row("Superbruger", system="KP", mail="hanne@koege.example")], who="hanne")
    assert {each.municipality_id for each in sheet.holdings()} == {make.KOEGE, make.HERNING}
    sys.stdout.write(
        "gallery sheet: unchanged export 0 changes; dry run and import the same report; "
        f"{len(BAD)} bad rows named with their cell; nothing stored beside a wrong row\n"
    )
