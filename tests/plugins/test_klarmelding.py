"""Klarmelding: the sheet against the seed row by row, the verdict, and what its Excel file is read as."""

from __future__ import annotations

import io
import os
import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins import ImportReport, PluginContext
from klik.plugins.klarmelding import criteria, readiness, tables, verdict, workbook, writing
from klik.plugins.klarmelding.agreements import Demand
from klik.plugins.klarmelding.catalogue import interface_numbered, interfaces
from klik.plugins.klarmelding.verdict import NO, NOT_RELEVANT, SAID, UNSAID, YES
from klik.plugins.klarmelding.writing import Confirmed
from klik.services import for_plugins, importing
from klik.services.errors import RefusedError
from klik.services.work import Work
from tests import make

SEED = (Path(__file__).parent / "reports" / "klarmeldingsregneark-v1.txt").read_text("utf-8")
ROUNDS = int(os.environ.get("KLIK_TEST_ROUNDS", "3"))
CPR = "010190-1234"
OWN = dict(supplier="Fjord Omsorg", system="Fjord EOJ", edition="01.00")


def seed_rows() -> list[list[str]]:
    return [line.split("\t") for line in SEED.splitlines()]


# The catalogue


def test_the_interfaces_are_the_seeds_row_by_row() -> None:
    theirs = [(row[0], row[1]) for row in seed_rows() if len(row) == 4 and re.match(r"(SF|CE)\d", row[0])]
    assert len(theirs) == 21
    assert [(each.number, each.name) for each in interfaces().values()] == theirs


def test_the_criteria_are_the_seeds_and_no_others() -> None:
    theirs = {
        int(row[0]): row[2] for row in seed_rows() if len(row) == 3 and row[0].isdecimal() and row[2] != "0"
    }
    assert sorted(theirs) == [1, 2, 3]
    ours = {each.number: each.criteria for each in interfaces().values()}
    assert list(ours.pop("SF0810")) == [theirs[number] for number in (1, 2, 3)]
    assert set(ours.values()) == {()}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("SF0810", "SF0810"),
        (" sf 0810", "SF0810"),
        ("SF1411-A", "SF1411_A"),
        ("sf1460c", "SF1460_C"),
        ("CE1510", "CE1510"),
    ],
)
def test_numbers_are_read_however_they_are_spaced(written: str, number: str) -> None:
    found = interface_numbered(written)
    assert found is not None and found.number == number


@pytest.mark.parametrize("written", ["", "SF", "SF9999", "SF1411", "0810", "Indlæggelser"])
def test_other_numbers_are_none(written: str) -> None:
    assert interface_numbered(written) is None


# The verdict


@pytest.mark.parametrize(
    ("met", "said_ready", "ready", "reason"),
    [
        ([True, False, False], False, False, "2 af 3 kriterier er ikke opfyldt"),
        ([True, False, None], True, False, "1 af 3 kriterier er ikke opfyldt, og 1 er ikke besvaret"),
        ([None, None, None], True, False, "3 af 3 kriterier er ikke besvaret"),
        ([False], True, False, "1 af 1 kriterium er ikke opfyldt"),
        ([True, True], False, False, "Alle kriterier er opfyldt, men kommunen har ikke klarmeldt"),
        ([True, True], True, True, "Alle 2 kriterier er opfyldt"),
        ([True], True, True, "Det ene kriterium er opfyldt"),
        ([], True, True, "Klarmeldt af kommunen; der er ikke skrevet kriterier"),
        ([], False, False, "Kommunen har ikke klarmeldt"),
    ],
)
def test_the_verdict_and_its_reason(
    met: list[bool | None], said_ready: bool, ready: bool, reason: str
) -> None:
    assert verdict.verdict(met, said_ready) == verdict.Verdict(ready, reason)


def test_differences_are_seen_from_both_sides() -> None:
    found = {
        (said, ready, looked, demanded): bool(verdict.difference(said, ready, looked, demanded))
        for said in SAID
        for ready in (True, False)
        for looked in (True, False)
        for demanded in (True, False)
    }
    for (said, ready, looked, demanded), differs in found.items():
        wanted = {
            UNSAID: False,
            YES: looked and not ready,
            NO: ready,
            NOT_RELEVANT: ready or demanded,
        }[said]
        assert differs is wanted, (said, ready, looked, demanded)


def test_a_date_has_passed_the_day_after_it() -> None:
    due = make.TODAY
    words = "Leverandøren er ikke klar."
    assert verdict.missing(NO, False, "", due, due) == words
    late = verdict.missing(NO, False, "", due, due + timedelta(days=1))
    assert late == f"Fristen er overskredet med 1 dag. {words}"
    demand = Demand(interfaces()["SF0810"], due, None, missing=words, difference="", pilots=())
    assert not demand.late(due) and demand.late(due + timedelta(days=1))


# A sheet in klik


def context_of(house: Installation, work: Work, who: str = "") -> PluginContext:
    row = make.person(work.session, **_levels()[who]) if who else None
    actor = make.actor(work.session, row) if row else None
    return for_plugins.context(Work(work.session, actor, work.now, house.registry), "klarmelding")


def _levels() -> dict[str, dict[str, Any]]:
    return {
        "koege": {"level": Level.PLUS_USER, "municipality": make.KOEGE},
        "koege-laeser": {"level": Level.READER, "municipality": make.KOEGE},
        "herning": {"level": Level.PLUS_USER, "municipality": make.HERNING},
        "kombit": {"level": Level.KOMBIT_EDITOR, "municipality": None},
        "fjord": {"level": Level.SUPPLIER, "municipality": None, "organisation": "FJORD  Omsorg"},
        "havn": {"level": Level.SUPPLIER, "municipality": None, "organisation": "Havn Sag"},
        "navnloes": {"level": Level.SUPPLIER, "municipality": None, "organisation": "KOMBIT"},
    }


def full_sheet(context: PluginContext) -> int:
    sheet = writing.make(context, make.KOEGE, **OWN)
    writing.declare(context, sheet, make.KOEGE, "SF0810", YES, "Klar siden maj")
    writing.confirm(
        context,
        sheet,
        make.KOEGE,
        "SF0810",
        Confirmed(False, "Mangler to", {1: (True, "Set"), 2: (False, "")}),
    )
    writing.confirm(context, sheet, make.KOEGE, "SF1470", Confirmed(True, ""))
    return sheet


def test_who_sees_which_sheet_and_which_remarks(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        koege = context_of(house, work, "koege")
        sheet = full_sheet(koege)
        seen = {who: readiness.one(context_of(house, work, who), sheet) for who in _levels()}
        assert {who for who, found in seen.items() if found} == {"koege", "koege-laeser", "kombit", "fjord"}
        writing.publish(koege, sheet, shown=True)
        seen = {who: readiness.one(context_of(house, work, who), sheet) for who in _levels()}
        assert {who for who, found in seen.items() if not found} == {"havn", "navnloes"}
        for who, found in seen.items():
            if found is None:
                continue
            line = found.line("SF0810")
            texts = (line.remark, line.answers[1].remark)
            assert texts == (
                ("Mangler to", "Set") if who in ("koege", "koege-laeser", "kombit") else ("", "")
            ), who
            assert line.supplier_remark == ("" if who == "herning" else "Klar siden maj"), who
            assert line.verdict.reason == "1 af 3 kriterier er ikke opfyldt, og 1 er ikke besvaret"
            assert line.difference == "Leverandøren siger Ja, men kommunen kan ikke bekræfte det."


def test_a_new_wording_asks_again_and_a_withdrawn_criterion_counts_no_more(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        koege, kombit = context_of(house, work, "koege"), context_of(house, work, "kombit")
        sheet = writing.make(koege, make.KOEGE, **OWN)
        met = {number: (True, "") for number in (1, 2, 3)}
        writing.confirm(koege, sheet, make.KOEGE, "SF0810", Confirmed(True, "", met))
        assert readiness.one(koege, sheet).line("SF0810").verdict.ready  # type: ignore[union-attr]
        criteria.write(kombit, "SF0810", 2, "Nye ord", 1)
        line = readiness.one(koege, sheet).line("SF0810")  # type: ignore[union-attr]
        assert (line.verdict.reason, line.answers[2].stale) == ("1 af 3 kriterier er ikke besvaret", True)
        with pytest.raises(criteria.ChangedMeanwhileError):
            criteria.write(kombit, "SF0810", 2, "Andre ord", 1)
        criteria.write(kombit, "SF0810", 2, "", 2)
        assert readiness.one(koege, sheet).line("SF0810").verdict.ready  # type: ignore[union-attr]
        criteria.add(kombit, "SF0810", "Et fjerde")
        assert [each.number for each in criteria.in_force(kombit.store)["SF0810"]] == [1, 3, 4]  # type: ignore[arg-type]
        assert not criteria.write(kombit, "SF0810", 1, interfaces()["SF0810"].criteria[0], 1)


def test_the_municipality_never_writes_over_the_suppliers_own_word(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        koege, fjord = context_of(house, work, "koege"), context_of(house, work, "fjord")
        sheet = full_sheet(koege)
        assert writing.declare(fjord, sheet, make.KOEGE, "SF0810", NO, "")
        with pytest.raises(writing.SupplierHasSaidError):
            writing.declare(koege, sheet, make.KOEGE, "SF0810", YES, "")
        assert not writing.declare(koege, sheet, make.KOEGE, "SF0810", NO, "")
        line = readiness.one(koege, sheet).line("SF0810")  # type: ignore[union-attr]
        assert (line.said, line.by_supplier) == (NO, True)


# The Excel file


def exported(house: Installation, sheet: int, who: str = "") -> bytes:
    with house.writing(make.NOW) as work:
        found = readiness.one(context_of(house, work, who), sheet)
        assert found is not None
        return workbook.as_workbook(found)


def read_in(
    house: Installation, content: bytes, *, keep: bool = True, place: int = make.KOEGE
) -> ImportReport:
    with house.writing(make.NOW) as work:
        return importing.run(work, "klarmelding.ark", content, "ark.xlsx", keep=keep, municipality=place)


def everything(house: Installation) -> dict[str, list[Any]]:
    with house.writing(make.NOW) as work:
        return {
            table.name: sorted(map(str, work.session.execute(select(table)).all()))
            for table in tables.METADATA.tables.values()
        }


def test_the_file_has_the_layout_of_the_seed(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        sheet = full_sheet(context_of(house, work, "koege"))
    book = openpyxl.load_workbook(io.BytesIO(exported(house, sheet)))
    assert book.sheetnames == ["Klarmelding", *interfaces()]
    front = [[cell or "" for cell in row[:4]] for row in book["Klarmelding"].iter_rows(values_only=True)]
    theirs = seed_rows()
    assert front[0][0] == theirs[0][0] == "KLARMELDINGSREGNEARK v. 1 (juni 2020)"
    assert (front[1], front[3]) == (theirs[1], theirs[3])
    assert front[2] == ["Fjord Omsorg", "Fjord EOJ", "Køge", "01.00"]
    assert front[5] == ["SF0810", "Indlæggelser og Udskrivninger", "Ja", "Nej"]
    assert len(front) == 25
    page = [list(row) for row in book["SF0810"].iter_rows(values_only=True)]
    start = next(number for number, row in enumerate(theirs) if row[:2] == ["LEVERANDØR", "PILOTKOMMUNE"])
    assert page[0][:3] == theirs[start]
    assert [cell or "" for cell in page[2][:3]] == theirs[start + 2]
    assert theirs[start + 2] == ["Samlet vurdering af klarmelding", "", "Bemærkninger"]
    assert page[3][:3] == ["Nej", None, "Mangler to"]
    assert page[4][:3] == theirs[start + 4] == ["Integration", "SF0810", "Indlæggelser og Udskrivninger"]
    assert page[5][:3] == theirs[start + 5] == ["Nr.", "Klarmelding", "Klarmeldingskriterium"]
    assert [row[2] for row in page[6:]] == [row[2] for row in theirs[start + 6 : start + 9]]
    assert [row[:2] for row in page[6:]] == [[1, "Ja"], [2, "Nej"], [3, None]]


def test_the_seeds_own_sheet_is_read_as_it_stands(house: Installation) -> None:
    filled = SEED.replace("\t\t\tXX.XX", "Fjord Omsorg\tFjord EOJ\tKøge\tXX.XX")
    report = read_in(house, filled.encode())
    assert [row.outcome for row in report.rows] == ["ny"] * 21
    with house.writing(make.NOW) as work:
        context = context_of(house, work)
        (sheet,) = readiness.load(context)
        assert (sheet.supplier, sheet.system, sheet.edition, sheet.place) == (
            "Fjord Omsorg",
            "Fjord EOJ",
            "",
            "Køge",
        )
        assert {line.said for line in sheet.lines} == {NOT_RELEVANT}
        assert sheet.line("SF0810").verdict.reason == "3 af 3 kriterier er ikke opfyldt"
        assert sheet.confirmed == 0
    again = read_in(house, filled.encode())
    assert {row.outcome for row in again.rows} == {"uændret"}


def random_sheet(house: Installation, dice: random.Random) -> int:
    words = ["", "Mangler endnu", "=1+1", "Æblegrød; “sådan”", "  to  mellemrum ", "-", "0", "x" * 500]
    with house.writing(make.NOW) as work:
        context = context_of(house, work)
        if dice.random() < 0.5:
            criteria.add(
                context_of(house, work, "kombit"), dice.choice(list(interfaces())), "Et kriterium mere"
            )
        sheet = writing.make(context, make.KOEGE, "Fjord Omsorg", "Fjord EOJ", f"{dice.randrange(10**6)}")
        held = criteria.in_force(context.store)  # type: ignore[arg-type]
        for number in interfaces():
            if dice.random() < 0.7:
                remark = " ".join(dice.choice(words).split())
                writing.declare(context, sheet, make.KOEGE, number, dice.choice(list(SAID)), remark)
            if dice.random() < 0.7:
                given = {
                    each.number: (dice.choice([True, False, None]), " ".join(dice.choice(words).split()))
                    for each in held[number]
                    if dice.random() < 0.8
                }
                remark = " ".join(dice.choice(words).split())
                writing.confirm(
                    context, sheet, make.KOEGE, number, Confirmed(dice.random() < 0.5, remark, given)
                )
        return sheet


def test_out_and_in_again_changes_nothing(house: Installation) -> None:
    dice = random.Random(219)
    for _ in range(ROUNDS):
        sheet = random_sheet(house, dice)
        content, before = exported(house, sheet), everything(house)
        report = read_in(house, content)
        assert {row.outcome for row in report.rows} == {"uændret"}, [
            row.text for row in report.rows if row.outcome != "uændret"
        ]
        assert everything(house) == before


def test_a_sheet_that_was_taken_out_makes_the_same_sheet_elsewhere(house: Installation) -> None:
    dice = random.Random(1902)
    content = exported(house, random_sheet(house, dice))
    with house.writing(make.NOW) as work:
        context = context_of(house, work)
        (known,) = readiness.load(context)
        writing.remove(context, known.id)
    read_in(house, content)
    with house.writing(make.NOW) as work:
        (made,) = readiness.load(context_of(house, work))

    def said(sheet: readiness.ReadinessSheet) -> list[Any]:
        return [
            (
                line.said,
                line.supplier_remark,
                line.said_ready,
                line.remark,
                line.verdict,
                *((line.answer(each).met, line.answer(each).remark) for each in line.criteria),
            )
            for line in sheet.lines
        ]

    assert said(made) == said(known)


def changed_file(content: bytes, *changes: tuple[str, str, object]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet, cell, value in changes:
        book[sheet][cell] = value
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def test_a_dry_run_tells_the_truth_and_keeps_nothing(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        sheet = full_sheet(context_of(house, work, "koege"))
    changes = (("SF0810", "B8", "Ja"), ("Klarmelding", "D8", "JA "))
    content = changed_file(exported(house, sheet), *changes)
    before = everything(house)
    dry = read_in(house, content, keep=False)
    assert everything(house) == before
    real = read_in(house, content)
    assert dry == real
    assert [row.text for row in real.rows if row.outcome != "uændret"] == [
        "SF0810 Indlæggelser og Udskrivninger: kriterium 2 Nej → Ja",
        "SF1320_A CPR - Hændelser: klarmeldt Nej → Ja",
    ]
    assert everything(house) != before


def test_wrong_rows_are_named_and_nothing_is_kept(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        made = full_sheet(context_of(house, work, "koege"))
    before, content = everything(house), exported(house, made)
    for faults in (
        {
            ("Klarmelding", "C6", "måske"): (
                "SF0810: selvangivelsen “måske” er hverken Ja, Nej eller Ikke relevant."
            ),
            ("Klarmelding", "D8", "snart"): "Klarmeldt for SF1320_A: “snart” er hverken Ja eller Nej.",
            ("Klarmelding", "A7", "SF0810"): "SF0810 står også i række 6.",
            ("Klarmelding", "A9", "SF9999"): "Snitfladen “SF9999” findes ikke i regnearket v. 1.",
            ("SF0810", "B7", "2"): "SF0810 kriterium 1: “2” er hverken Ja eller Nej.",
        },
        {("SF0810", "C7", "Noget helt andet"): "kriterium 1 lyder anderledes end i klik"},
    ):
        report = read_in(house, changed_file(content, *faults))
        wrong = [row.text for row in report.rows if row.outcome == "forkert"]
        assert len(wrong) == len(faults)
        for words in faults.values():
            assert sum(words in text for text in wrong) == 1, words
        assert everything(house) == before


def test_a_file_that_cannot_be_used_is_refused_as_a_whole(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        made = full_sheet(context_of(house, work, "koege"))
    book = openpyxl.load_workbook(io.BytesIO(exported(house, made)))
    for number in [
        each for each in interfaces() if each != "SF0810"
    ]:  # one of the 21 is enough to be refused
        del book[number]
    kept = io.BytesIO()
    book.save(kept)
    for sheet, cell, value, words in (
        ("SF0810", "C4", f"Borger {CPR} fik ingen advis", "i arket SF0810, række 4"),
        ("Klarmelding", "A3", f"Fjord {CPR}", "i arket Klarmelding, række 3"),
        ("Klarmelding", "E9", CPR, "CPR-nummer"),
        ("Klarmelding", "C3", "Herning Kommune", "anden pilotkommune end Køge"),
        ("Klarmelding", "A3", "0", "mangler LEVERANDØR"),
        ("Klarmelding", "B3", "", "mangler SYSTEM"),
        ("Klarmelding", "B3", "x" * 121, "SYSTEM"),
        ("Klarmelding", "A4", "Noget andet", "ikke et klarmeldingsregneark"),
    ):
        changes = [(sheet, cell, value)]
        if cell in ("A3", "B3"):  # the particulars stand on every sheet
            changes.append(("SF0810", {"A3": "A2", "B3": "C2"}[cell], value))
        with pytest.raises(RefusedError) as refused:
            read_in(house, changed_file(kept.getvalue(), *changes))
        sentence = str(refused.value)
        assert words in sentence and CPR not in sentence, value


def test_what_the_supplier_wrote_is_not_overwritten_by_a_file(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        sheet = full_sheet(context_of(house, work, "koege"))
        writing.declare(context_of(house, work, "fjord"), sheet, make.KOEGE, "SF0810", NO, "Kommer")
    report = read_in(house, changed_file(exported(house, sheet), ("Klarmelding", "C6", "Ja")))
    assert [row.text for row in report.rows if row.outcome == "forkert"] == [
        "SF0810: leverandøren har selv skrevet Nej i klik. Ret arket, eller bed leverandøren rette."
    ]


def test_a_readers_file_holds_no_remarks_of_another_municipality(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        sheet = full_sheet(context_of(house, work, "koege"))
        writing.publish(context_of(house, work), sheet, shown=True)
    for who, remark in (("herning", None), ("fjord", "Klar siden maj"), ("koege", "Klar siden maj")):
        book = openpyxl.load_workbook(io.BytesIO(exported(house, sheet, who)))
        words = {
            str(cell) for page in book for row in page.iter_rows(values_only=True) for cell in row if cell
        }
        assert ("Mangler to" in words, "Set" in words) == (who == "koege", who == "koege"), who
        assert ("Klar siden maj" in words) is bool(remark), who
