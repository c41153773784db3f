"""KOMBIT announces by filter, sees what is stuck, and takes the account along as a file; what the pages say then."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, update

from klik.domain.calendar import long_date, short_date
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Deletion, DeletionItem, MunicipalTask
from tests import make
from tests.client import Browser
from tests.make import HERNING, KOEGE, NOW
from tests.services.deletion_world import announced
from tests.web.test_deleting import today

PHASE = "fase=opstart"


@pytest.fixture
def scene(house: Installation) -> dict[int, int]:
    """Two tasks in Køge and Herning, one of them of another phase: a municipal task of each of the first, by code."""
    with house.database.writing() as session:
        first = make.task(session, "Opgave 1", number="MI 01", phase="opstart")
        other = make.task(session, "Opgave 2", number="MI 02")
        found = {}
        for code in (KOEGE, HERNING):
            found[code] = make.municipal_task(session, first, municipality=code).id
            make.municipal_task(session, other, municipality=code)
        for email, level, place in (
            ("kombit@klik.example", Level.KOMBIT_ADMINISTRATOR, None),
            ("koege@klik.example", Level.PLUS_USER, KOEGE),
        ):
            make.person(session, f"=1+{level.value}", email=email, level=level, municipality=place)
    return found


@pytest.fixture
def kombit(browser: Callable[..., Browser], scene: dict[int, int]) -> Browser:
    return browser().sign_in("kombit@klik.example")


@pytest.fixture
def mette(browser: Callable[..., Browser], scene: dict[int, int]) -> Browser:
    return browser().sign_in("koege@klik.example")


def written(**changes: Any) -> dict[str, Any]:
    return {
        "heading": "KP-opgaver fra 2024",
        "last_day": short_date(today() + timedelta(days=30)),
        "legal_basis": "Bekendtgørelse om kassation",
        "decided_by": "Arkivansvarlig",
        "decided_on": short_date(today()),
        "trin": "vis",
    } | changes


def test_a_filter_chooses_what_is_deleted_and_is_kept_in_words(kombit: Browser, house: Installation) -> None:
    form = kombit.get(f"/sletning/varsl?filter={PHASE.replace('=', '%3D')}")
    assert form.select_one("#scope option[selected]")["value"] == "filter"
    preview = kombit.submit(form, "/sletning/varsl", **written())
    assert preview.h1.text == "2 opgaver i 2 kommuner"
    assert "Fase: Opstart" in preview.text
    account = kombit.submit(preview, "/sletning/varsl", trin="varsl")
    facts = {line.text: line.find_next("dd").text for line in account.select("dt")}
    assert "Fase: Opstart" in facts["Valgt med filter"]
    with house.database.reading() as session:
        assert session.scalars(select(Deletion.query)).one() == PHASE
        chosen = session.scalars(
            select(MunicipalTask.phase).join(DeletionItem, DeletionItem.municipal_task_id == MunicipalTask.id)
        ).all()
    assert chosen == ["opstart", "opstart"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("sorter=titel", "filteret er tomt og ville vælge alle opgaver"),
        ("fase=opstart&findes-ikke=1", "filteret kan ikke bruges, som det er"),
        ("fase=opstart&vis_som=idag-7", "filteret viser listen, som den stod en anden dag"),
    ],
    ids=["empty", "unknown", "past"],
)
def test_a_filter_that_may_find_more_than_was_meant_is_refused(
    kombit: Browser, house: Installation, query: str, sentence: str
) -> None:
    form = kombit.get("/sletning/varsl")
    page = kombit.post(
        "/sletning/varsl",
        written(scope="filter", query=query, trin="varsl", expected="4"),
        expect=422,
    )
    assert sentence in page.select_one(".klik-error-summary").text
    assert page.select_one("#heading")["value"] == "KP-opgaver fra 2024"
    assert form.select_one("#scope option[value=filter]") is None
    with house.database.reading() as session:
        assert session.scalars(select(Deletion)).all() == []


def test_the_account_is_the_same_as_a_file(
    kombit: Browser, mette: Browser, house: Installation, scene: dict[int, int]
) -> None:
    with house.database.writing() as session:
        last_day = today() + timedelta(days=3)
        deletion_id = announced(session, list(scene.values()), last_day=last_day)
        herning = DeletionItem.municipality_id == HERNING
        session.execute(update(DeletionItem).where(herning).values(state="hentet", fetched_at=NOW))
        session.execute(update(DeletionItem).where(~herning).values(hold_reason="Sag", hold_until=last_day))
    text = kombit.download(f"/sletning/{deletion_id}.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert text.endswith("\r\n")
    assert [(row["Kommunekode"], row["Kommune"], row["Så langt er kommunen"]) for row in rows] == [
        ("657", "Herning", "Har hentet"),
        ("259", "Køge", "Tavs"),
    ]
    assert [(row["Opgaver"], row["Hentet"], row["Beder om at beholde"]) for row in rows] == [
        ("1", "1", "0"),
        ("1", "0", "1"),
    ]
    assert {row["Sidste dag"] for row in rows} == {last_day.isoformat()}
    sheet = openpyxl.load_workbook(io.BytesIO(kombit.download(f"/sletning/{deletion_id}.xlsx"))).active
    cells = list(sheet.iter_rows(values_only=True))
    assert list(cells[0]) == list(rows[0])
    assert [["" if each is None else str(each) for each in line] for line in cells[1:]] == [
        list(row.values()) for row in rows
    ]
    assert isinstance(cells[1][3], int)
    shown = kombit.get(f"/sletning/{deletion_id}")
    for kind in ("csv", "xlsx"):
        assert shown.select_one(f"a[href='/sletning/{deletion_id}.{kind}']") is not None
        mette.download(f"/sletning/{deletion_id}.{kind}", expect=403)


def test_what_is_stuck_and_why_is_on_the_account_and_nowhere_at_a_municipality(
    kombit: Browser, mette: Browser, house: Installation, scene: dict[int, int]
) -> None:
    with house.database.writing() as session:
        announced(session, list(scene.values()), last_day=today() - timedelta(days=1))
        session.execute(
            update(DeletionItem)
            .where(DeletionItem.municipality_id == HERNING)
            .values(problem="Arkivfilen kunne ikke gemmes på serveren.")
        )
    shown = kombit.get("/sletning/1").select_one(".alert-error")
    assert shown.h2.text.endswith("1 opgave kunne ikke slettes")
    assert shown.li.text == "Herning, 1 opgave: Arkivfilen kunne ikke gemmes på serveren."
    assert kombit.get("/drift").find(string=lambda text: "1 opgave venter på at blive slettet: Ark" in text)
    assert "Arkivfilen" not in mette.get("/sletning/1").text


def test_the_bar_and_the_page_name_the_same_day(
    kombit: Browser, mette: Browser, house: Installation, scene: dict[int, int]
) -> None:
    def change(**values: Any) -> tuple[str, str, bool]:
        with house.database.writing() as session:
            session.execute(update(DeletionItem).values(values))
        page = mette.get("/sletning/1")
        bar = page.select_one(".klik-countdown")
        return bar.text if bar else "", page.main.text, page.select_one("a[href$=behold]") is not None

    over, soon = today() - timedelta(days=3), today() + timedelta(days=10)
    with house.database.writing() as session:
        announced(session, [scene[KOEGE]], last_day=over)
    bar, page, may_ask = change(problem=None)
    assert f"I nåede det ikke – sidste dag var {over.day}-{over.month}" in bar
    assert f"I nåede det ikke – sidste dag var {long_date(over)}" in page
    assert not may_ask
    bar, page, may_ask = change(hold_reason="Klagesag", hold_until=soon)
    assert (bar, "nåede det ikke" in page, may_ask) == ("", False, False)
    bar, page, may_ask = change(hold_granted=True)
    assert f"Sletning {soon.day}-{soon.month} om 10 dage" in bar
    assert f"Bevares til {long_date(soon)}" in page
    assert may_ask
    kept = today() + timedelta(days=90)
    bar, page, _ = change(hold_granted=False, archive_kept_until=kept)
    assert f"pakken ligger her til {kept.day}-{kept.month}-{kept.year}" in bar
    assert f"Pakken er lavet af klik og ligger her til {long_date(kept)}" in page
