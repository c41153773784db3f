"""A whole drejebog from Excel: what each row becomes, that the dry run is true, and what is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, Task
from klik.plugins.contributions import ImportReport
from klik.services import importing, playbook, publishing
from klik.services.errors import ForbiddenError, RefusedError
from klik.services.playbook import sheet
from klik.services.playbook.template import empty
from klik.services.publishing import Draft
from klik.services.work import Actor
from tests import make
from tests.make import KOEGE, NOW

HEAD = (
    "Projekt",
    "Nummer",
    "Titel",
    "Fase",
    "Tema",
    "Beskrivelse",
    "Forudsætter",
    "Fristen bestemmes af",
    "Dato eller antal",
)
IT, DATE = "IT-miljø og infrastruktur", "Bestemt dato"


def row(title: str, number: str = "", *, text: str = "", needs: str = "", **changes: Any) -> list[Any]:
    found = {
        "Projekt": "KP",
        "Nummer": number,
        "Titel": title,
        "Fase": "Forberedelse",
        "Tema": "it-miljoe-og-infrastruktur",
    }
    found |= {"Beskrivelse": text, "Forudsætter": needs} | changes
    return [found.get(heading, "") for heading in HEAD]


def book(*rows: Sequence[Any], head: Sequence[str] = HEAD) -> bytes:
    made = openpyxl.Workbook()
    made.active.title = "Opgaver"
    for cells in (head, *rows):
        made.active.append([cell or None for cell in cells])
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


@pytest.fixture
def editor(house: Installation) -> Actor:
    with house.writing(NOW) as work:
        make.project(work.session)
        return make.actor(work.session, make.person(work.session, level=Level.KOMBIT_EDITOR))


def read(
    house: Installation, editor: Actor, content: bytes, *, keep: bool = True, name: str = "d.xlsx"
) -> ImportReport:
    with house.writing(NOW, editor) as work:
        return importing.run(work, playbook.KEY, content, name, keep=keep)


def outcomes(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(each.number, each.outcome, each.text) for each in report.rows]


def state(house: Installation) -> list[tuple[str, str, int]]:
    with house.reading(NOW) as work:
        return [
            tuple(each)
            for each in work.session.execute(
                select(Task.task_number, Task.state, Task.version).order_by(Task.id)
            )
        ]


FILE = (
    row("Udpeg systemansvarlig", "MI 15", text="Se\nvejledningen", needs="MI 18"),
    row("Test opsætningen", "mi18"),
    row("Uden nummer", **{"Fristen bestemmes af": "core.date", "Dato eller antal": datetime(2027, 3, 1)}),
)


def test_the_dry_run_says_what_the_import_does_and_the_second_time_is_nothing(
    house: Installation, editor: Actor
) -> None:
    tried = read(house, editor, book(*FILE), keep=False)
    assert state(house) == []
    done = read(house, editor, book(*FILE))
    assert (
        outcomes(tried)
        == outcomes(done)
        == [
            (2, "ny", "MI 15 Udpeg systemansvarlig"),
            (3, "ny", "MI 18 Test opsætningen"),
            (4, "ny", "MI 19 Uden nummer"),
        ]
    )
    with house.reading(NOW, editor) as work:
        first, _second, third = work.session.scalars(select(Task.id).order_by(Task.id))
        draft = publishing.draft_of(work, first)
        assert (draft.needs, draft.description) == (("MI 18",), "Se\nvejledningen")
        assert publishing.draft_of(work, third).deadline_parameter == "2027-03-01"
        assert work.session.scalar(select(func.count()).where(AuditEntry.action == "indlæs")) == 1
    before = state(house)
    again = read(house, editor, book(*FILE))
    assert [each.outcome for each in again.rows] == ["uændret"] * 3
    assert state(house) == before


def test_a_changed_row_changes_its_draft_alone(house: Installation, editor: Actor) -> None:
    read(house, editor, book(*FILE))
    before = state(house)
    changed = book(FILE[0], row("Test opsætningen igen", "MI 18"), FILE[2])
    report = read(house, editor, changed)
    assert [each.outcome for each in report.rows] == ["uændret", "ændret", "uændret"]
    after = state(house)
    assert [new[2] - old[2] > 0 for old, new in zip(before, after, strict=True)] == [False, True, False]


def test_one_wrong_row_keeps_everything_out_and_names_its_cells(house: Installation, editor: Actor) -> None:
    wrong = book(
        row("God"),
        row("Slem", "SA 03", Fase="Fase fem"),
        row(
            "Ring til 010190-1234", **{"Fristen bestemmes af": "core.date", "Dato eller antal": "31-02-2027"}
        ),
        row("To gange", "MI 07"),
        row("To gange til", "MI-7"),
        row("Findes ikke", needs="MI 99"),
        row(""),
    )
    report = read(house, editor, wrong)
    texts = {each.number: each.text for each in report.rows}
    assert [each.outcome for each in report.rows] == [
        "ny",
        "forkert",
        "forkert",
        "ny",
        "forkert",
        "forkert",
        "forkert",
    ]
    assert texts[3].startswith("D3: Fase: “Fase fem” kan ikke vælges.")
    assert "C4: Titel ser ud til at indeholde et CPR-nummer" in texts[4] and "I4: " in texts[4]
    assert texts[6] == "B6: Opgaven står også i række 5."
    assert texts[7] == "G7: Forudsætter: projektet har ingen opgave med nummeret MI 99."
    assert texts[8] == "C8: Titel skal udfyldes."
    assert state(house) == []


def test_what_is_published_is_never_touched(house: Installation, editor: Actor) -> None:
    draft = Draft(project="kp", title="Udgivet", phase="forberedelse", theme="it-miljoe-og-infrastruktur")
    with house.writing(NOW, editor) as work:
        publishing.publish(work, draft, [KOEGE])
    before = state(house)
    same = read(house, editor, book(row("Udgivet", "MI 01"), row("Ny")))
    assert [(each.outcome, each.text) for each in same.rows] == [
        ("uændret", "MI 01 Udgivet (udgivet)"),
        ("ny", "MI 02 Ny"),
    ]
    assert state(house)[:1] == before
    other = read(house, editor, book(row("Udgivet igen", "MI 01")))
    assert other.rows[0].text.startswith("B2: MI 01 er udgivet og ændres ikke herfra.")
    assert state(house)[:1] == before


def test_circles_are_told_and_let_in(house: Installation, editor: Actor) -> None:
    report = read(house, editor, book(row("A", "MI 15", needs="MI 18"), row("B", "MI 18", needs="MI 15")))
    assert report.sentences == ("Opgaverne venter på hinanden: MI 15 → MI 18 → MI 15.",)
    assert report.count("ny") == 2 and len(state(house)) == 2


def test_the_empty_workbook_reads_in_and_offers_the_choices(house: Installation, editor: Actor) -> None:
    with house.reading(NOW, editor) as work:
        content = empty(work)
    made = openpyxl.load_workbook(io.BytesIO(content))
    assert made.sheetnames == ["Opgaver", "Valg"]
    headings = [cell.value for cell in made["Opgaver"][1]]
    assert headings[:5] == ["Projekt", "Nummer", "Titel", "Fase", "Tema"]
    assert "Rolle, som opgaven udpeger" in headings
    lists = {
        str(each.sqref).split(":")[0]: each.formula1
        for each in made["Opgaver"].data_validations.dataValidation
    }
    assert lists["A2"] == "Valg!$A$2:$A$2" and "D2" in lists
    report = read(house, editor, content, keep=False)
    assert outcomes(report) == [
        (2, "forkert", "C2: Titel: rækken er skabelonens eksempel. Slet den, før drejebogen indlæses.")
    ]


def _zip(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return buffer.getvalue()


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def _with(sheet_xml: tuple[bytes, bytes]) -> bytes:
    parts = _parts(book(row("A")))
    name = "xl/worksheets/sheet1.xml"
    return _zip(parts | {name: parts[name].replace(*sheet_xml, 1)})


def _formula() -> bytes:
    buffer = io.BytesIO()
    with closing(xlsxwriter.Workbook(buffer)) as made:
        page = made.add_worksheet("Opgaver")
        page.write_row(0, 0, HEAD)
        page.write_row(1, 0, row("A"))
        page.write_formula(1, 5, '=HYPERLINK("x","y")')
        page.write_string(1, 2, "=1+1 er tekst")
    return buffer.getvalue()


MERGED = (b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A2:B3"/></mergeCells>')
ENTITY = (b"<worksheet", b"<!DOCTYPE a [<!ENTITY b 'c'>]><worksheet")
TORN = (b"<sheetData>", b"<sheetData><row>")
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
REFUSED = (
    ("d.xls", OLD, "gammelt Excel (.xls). Gem den som .xlsx"),
    ("d.xlsm", b"PK", "kan rumme makroer"),
    ("d.csv", b"a;b", "Vælg en Excel-fil"),
    ("d.xlsx", b"", "Filen er tom"),
    ("d.xlsx", OLD, "gammel eller krypteret"),
    ("d.xlsx", b"PK\x03\x04 ikke en zip", "beskadiget"),
    ("d.xlsx", lambda: _zip(_parts(book()) | {"xl/a.bin": b"0" * 70_000_000}), "pakket ud"),
    ("d.xlsx", lambda: _with(MERGED), "Cellerne A2:B3 er flettet"),
    ("d.xlsx", lambda: _with(ENTITY), "ikke selv skriver"),
    ("d.xlsx", lambda: _with(TORN), "beskadiget"),
    (
        "d.xlsx",
        lambda: book(row("A"), head=("Projekt", "Titell")),
        "B1: kolonnen “Titell” kendes ikke. Mente",
    ),
    ("d.xlsx", lambda: book(["KP"], head=("Projekt",)), "Arket mangler kolonnen “Titel”"),
    ("d.xlsx", lambda: book(), "Arket er tomt"),
    ("d.xlsx", lambda: book(*[row("A")] * (sheet.MOST_ROWS + 1)), "over 1.000 rækker"),
)


@pytest.mark.parametrize(("name", "content", "sentence"), REFUSED, ids=range(len(REFUSED)))
def test_a_file_of_another_kind_is_refused_in_danish(
    house: Installation, editor: Actor, name: str, content: Any, sentence: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        read(house, editor, content() if callable(content) else content, name=name)
    assert sentence in caught.value.problems["file"]
    assert state(house) == []


def test_a_formula_is_no_value_and_what_looks_like_one_is_text(house: Installation, editor: Actor) -> None:
    report = read(house, editor, _formula())
    assert outcomes(report) == [(2, "forkert", "F2: der står en formel. Skriv selve værdien.")]


def test_cells_of_every_kind(house: Installation, editor: Actor) -> None:
    head = (
        "Projekt",
        "Titel",
        "Fase",
        "Tema",
        "STS/Infrastruktur",
        "Startdato",
        "Fristen bestemmes af",
        "Dato eller antal",
    )
    rule = "core.days-after-publication"
    cells = ["kp", "A", "Forberedelse", "it-miljoe-og-infrastruktur", True, date(2027, 1, 4), rule, 30.0]
    assert read(house, editor, book(cells, head=head)).count("ny") == 1
    with house.reading(NOW, editor) as work:
        draft = publishing.draft_of(work, work.session.scalars(select(Task.id)).one())
    assert (draft.infrastructure, draft.start, draft.deadline_parameter) == (True, date(2027, 1, 4), "30")


def test_only_kombit_reads_a_drejebog_in(house: Installation) -> None:
    with house.writing(NOW) as work:
        me = make.actor(work.session, make.person(work.session, level=Level.ADMINISTRATOR))
    with pytest.raises(ForbiddenError):
        read(house, me, book(row("A")))
