"""The map as people meet it: what a cell counts is what its list shows, who sees what, and what is sent."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import openpyxl
import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import Executable, event, select, text

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Notice, Person
from klik.services import filtering, listing
from klik.services.follow_up import heat_map, tempo, wanted
from klik.services.work import Work
from tests import make
from tests.client import Browser
from tests.services import filter_oracle

CHOICES = {
    "projekt": ["kp", "ky", "monopolbrud"],
    "system": ["kp", "ky"],
    "region": ["Region Sjælland", "Region Midtjylland", "Region Nordjylland"],
    "bolge": ["b1", "b2"],
    "tema": ["it-miljoe-og-infrastruktur"],
    "ansvarlig": ["rolle:projektleder", "rolle:systemansvarlig"],
    "runde": ["1", "2", "nyeste"],
    "fase": ["forberedelse", "forankring"],
    "kommune": ["259", "657"],
    "grupper": ["region", "bolge"],
    "sorter": ["roede", "mindst"],
    "kun": ["stille", "roede"],
}


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def karen(house: Installation, browser: Callable[..., Browser]) -> Browser:
    """KOMBIT, in a world with every odd value a column can hold."""
    with house.writing(make.NOW) as work:
        world = filter_oracle.make_world(work.session, work.registry.content, 40)
        world.kombit.email = world.kombit.email_key = "karen@kombit.example"
        world.supplier.email = world.supplier.email_key = "lars@netcompany.example"
        world.me.memberships[0].since = make.TODAY - timedelta(days=300)
    return browser().sign_in("karen@kombit.example")


def _linked(page: BeautifulSoup) -> list[tuple[str, int]]:
    """Every list a cell leads to, and how many tasks it says there are."""
    found = []
    for cell in page.select("td.klik-heat"):
        whole, *late = cell.select("a") or [None]
        if whole is not None:
            found.append((str(whole["href"]), int(whole.select_one("span").get_text().split()[-1])))  # type: ignore[union-attr]
        found += [(str(each["href"]), int(each.get_text().split()[0])) for each in late if each is not None]
    return found


def test_a_cell_counts_what_its_list_shows(house: Installation, karen: Browser) -> None:
    chance = random.Random(259)
    compared = filled = 0
    for turn in range(14):
        keys = chance.sample(sorted(CHOICES), chance.randrange(4)) if turn else []
        query = "&".join(f"{key}={chance.choice(CHOICES[key])}" for key in keys).replace(" ", "+")
        links = _linked(karen.get(f"/overblik?{query}"))
        with house.reading(make.NOW) as work:
            person = work.session.scalars(
                select(Person).where(Person.email_key == "karen@kombit.example")
            ).one()
            kombit = make_work(work, person)
            for href, number in links:
                criteria = filtering.read(work.registry, urlsplit(href).query)
                selection = filtering.select_tasks(kombit, criteria)
                assert not selection.remarks, (href, selection.remarks)
                assert listing.count(kombit, selection).total == number, (query, href)
                compared += 1
        filled += bool(links)
    assert filled > 6 and compared > 150, "the choices must mostly find something, or this proves nothing"
    href, number = _linked(karen.get("/overblik"))[0]
    assert (
        f"af {number}" in karen.get(href).get_text(" ", strip=True)
        or f"{number} opgave" in karen.get(href).get_text()
    )


def make_work(work: Work, person: Person) -> Work:
    """The same work done by a person."""
    return replace(work, actor=make.actor(work.session, person))


def test_the_table_has_headers_words_and_totals(karen: Browser) -> None:
    page = karen.get("/overblik?projekt=ky&grupper=bolge&tempo=ja")
    table = page.select_one("table.klik-heat-map")
    assert table is not None and table.caption is not None
    heads = [each.get_text(strip=True) for each in table.select("thead th[scope=col]")]
    assert heads[1:] == [
        *("Kommune", "1. Opstart", "2. Forberedelse", "3. Ibrugtagning", "4. Forankring"),
        *("I alt", "Parathed", "Prognose"),
    ]
    names = [each.get_text(" ", strip=True) for each in table.select("tbody tr.klik-heat-sum th")]
    assert names == ["B1 1 kommune", "B2 1 kommune", "Uden bølge 96 kommuner"]
    # Aarhus has KY without a wave; the other 95 do not have it at all, and say so.
    assert table.get_text().count("Har ikke systemet") == 95
    assert all(each.get_text(strip=True) for each in table.select("td.klik-heat"))
    assert page.select("h2#tempo") and len(page.select(".klik-weeks tbody tr")) == 12


def test_bad_choices_are_told_and_nothing_breaks(karen: Browser) -> None:
    for query, sentence in (
        ("region=Region+Skåne", "findes ikke"),
        ("sorter=farve", "Rækkefølgen “farve” findes ikke"),
        ("deadline=roed", "Filteret “Deadline” kan ikke bruges her."),
        ("grupper=bolge", "Vælg ét projekt eller system"),
        ("findes=ikke", "Filteret “findes” findes ikke"),
    ):
        assert sentence in karen.get(f"/overblik?{query}").get_text(" ", strip=True), query
    karen.get("/overblik?" + "kommune=259&" * 800, expect=414)


def test_the_files_hold_the_same_numbers(karen: Browser) -> None:
    page = karen.get("/overblik?projekt=kp&sorter=roede")
    shown = [each.get_text(strip=True) for each in page.select("tbody th.klik-heat-place a")]
    lines = list(
        csv.DictReader(
            io.StringIO(karen.download("/overblik.csv?projekt=kp&sorter=roede").decode("utf-8-sig")),
            delimiter=";",
        )
    )
    assert [line["Kommune"] for line in lines] == shown and len(shown) == 98
    book = openpyxl.load_workbook(io.BytesIO(karen.download("/overblik.xlsx?projekt=kp&sorter=roede")))
    rows = list(book.active.values)  # type: ignore[union-attr]
    assert [str(each) if each is not None else "" for each in rows[1]] == list(lines[0].values())


def test_a_supplier_sees_progress_and_nothing_of_people(
    house: Installation, karen: Browser, browser: Callable[..., Browser]
) -> None:
    lars = browser().sign_in("lars@netcompany.example")
    page = lars.get("/overblik?kun=stille&ansvarlig=rolle:projektleder")
    words = page.get_text(" ", strip=True)
    for hidden in ("stille i", "Skriv til", "skrevet til", "Ansvarlig rolle", "CSV", "Stille ("):
        assert hidden not in words.replace("Kun stille", ""), hidden
    page = lars.get("/overblik")
    options = [each.get_text() for each in page.select("#vaelg-projekt option")]
    assert options == ["Alle", "KP"]
    assert page.select("th.klik-heat-place a") == []
    for href, number in _linked(page)[:6]:
        assert str(number) in lars.get(href).get_text()
    karens = int(_linked(karen.get("/overblik?system=kp"))[-1][1])
    assert int(_linked(page)[-1][1]) == karens
    for path in ("/overblik.csv", "/overblik.xlsx", "/overblik/kommuner/259", "/overblik/skriv"):
        lars.get(path, expect=403)


def test_the_map_is_counted_by_an_index_alone(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        kombit = make_work(work, make.person(work.session, level=Level.KOMBIT_EDITOR))
        version = make.task(work.session)
        for code in (make.KOEGE, make.HERNING):
            make.municipal_task(work.session, version, municipality=code)
        if not house.database.sqlite:
            work.session.execute(text("set local enable_seqscan = off"))
            work.session.execute(text("set local enable_bitmapscan = off"))
        for query in (
            "",
            "projekt=kp",
            "projekt=kp&tema=it-miljoe-og-infrastruktur&ansvarlig=rolle:projektleder&runde=1",
        ):
            drawn = heat_map.draw(kombit, wanted.read(work.registry, query))
            sent: list[Executable] = []

            def note(_connection: object, statement: Executable, *_rest: object, sent=sent) -> None:  # type: ignore[no-untyped-def]
                sent.append(statement)

            engine = house.database.engine
            event.listen(engine, "before_execute", note)
            try:
                tempo.weeks(kombit, drawn)
            finally:
                event.remove(engine, "before_execute", note)
            assert len(sent) == 2
            for statement in (heat_map.statement(kombit, drawn.selection, drawn.scope), *sent):
                plan = _plan(work, statement)
                wished = (
                    "COVERING INDEX ix_municipal_tasks"
                    if house.database.sqlite
                    else "Index Only Scan using ix_municipal_tasks"
                )
                assert wished in plan, plan
            assert "ix_municipal_tasks_completed" in _plan(work, sent[0])


def _plan(work: Work, statement: Executable) -> str:
    """How the database would answer it."""
    bind = work.session.get_bind()
    compiled = statement.compile(bind, compile_kwargs={"literal_binds": True})
    explain = "explain query plan" if bind.dialect.name == "sqlite" else "explain"
    rows = work.session.connection().exec_driver_sql(f"{explain} {str(compiled).replace('%', '%%')}")
    return " ".join(str(row) for row in rows)


def test_the_page_takes_the_same_few_statements_however_many_tasks(
    house: Installation, karen: Browser
) -> None:
    engine = karen.app.extensions["klik"].database.engine

    def asked() -> int:
        sent: list[str] = []

        def note(*facts: object) -> None:
            sent.append(str(facts[2]))

        event.listen(engine, "before_cursor_execute", note)
        try:
            karen.get("/overblik?projekt=ky&grupper=bolge&tempo=ja")
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len([each for each in sent if not each.startswith(("BEGIN", "ROLLBACK"))])

    def made(count: int) -> None:
        with house.writing(make.NOW) as work:
            for _number in range(count):
                make.municipal_task(
                    work.session, in_project=make.project(work.session, "ky"), deadline=make.TODAY
                )

    # Each time nothing is kept of what was there before.
    made(1)
    before = asked()
    made(30)
    assert asked() == before <= 15


def test_writing_from_the_map(house: Installation, karen: Browser) -> None:
    with house.writing(make.NOW) as work:
        mette = make.person(work.session, "Mette Leder", email="leder@koege.example")
        make.holding(work.session, "projektleder", holder=mette)
        make.person(work.session, "Åse Admin", municipality=make.HERNING, level=Level.ADMINISTRATOR)
    page = karen.get("/overblik/skriv?projekt=kp&valgt=259&valgt=657&valgt=751")
    words = page.get_text(" ", strip=True)
    assert "Mette Leder" in words and "primær projektleder" in words
    assert "Ingen har rollen Projektleder i Herning, Aarhus" in words
    assert "Ingen får beskeden i Aarhus" in words and "Send til 2 modtagere" in words
    # Too long a subject, and a CPR number: nothing is sent, what was typed is kept.
    again = karen.submit(
        page, "/overblik/skriv", act="send", subject="x" * 121, text="010180-1234", expect=422
    )
    words = again.get_text(" ", strip=True)
    assert "120 tegn" in words and "010180-1234" in words
    refused = karen.submit(page, "/overblik/skriv", act="send", text="Borger 010180-1234", expect=422)
    assert "CPR-nummer" in refused.get_text(" ", strip=True)
    # Somebody else got the role meanwhile: whom one has not seen is not written to.
    with house.writing(make.NOW) as work:
        other = make.person(work.session, "Ny Leder", municipality=make.HERNING)
        make.holding(work.session, "projektleder", holder=other, municipality=make.HERNING)
    changed = karen.submit(page, "/overblik/skriv", act="send", expect=422)
    assert (
        "Modtagerne har ændret sig" in changed.get_text(" ", strip=True) and "Ny Leder" in changed.get_text()
    )
    # Another role shows other recipients and keeps what was typed.
    shown = karen.submit(changed, "/overblik/skriv", act="vis", role="superbruger", subject="Mit emne")
    assert 'value="Mit emne"' in str(shown) and "Ingen har rollen Superbruger" in shown.get_text(
        " ", strip=True
    )
    form = changed
    done = karen.submit(form, "/overblik/skriv", act="send", subject="Husk fristen")
    assert "Beskeden er skrevet til 2 modtagere i 2 kommuner" in done.get_text(" ", strip=True)
    assert "skrevet til 21. november 2026" in done.get_text(" ", strip=True)
    twice = karen.submit(form, "/overblik/skriv", act="send", subject="Husk fristen")
    assert "allerede sendt" in twice.get_text(" ", strip=True)
    with house.reading(make.NOW) as work:
        written = work.session.scalars(select(Notice).where(Notice.occasion == "skrevet")).all()
        assert {each.heading for each in written} == {"Husk fristen"} and len(written) == 2
    assert (
        "ingen kommuner at skrive til"
        in karen.get("/overblik/skriv?kun=stille&region=Region+Nordjylland").get_text()
    )


def test_one_municipality_and_its_own_sight(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(make.NOW) as work:
        session = work.session
        make.person(session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
        mette = make.person(session, "Mette Holm", email="mette@koege.example")
        mette.memberships[0].since = make.TODAY - timedelta(days=34)
        version = make.task(session, "Den fælles opgave")
        codes = (make.KOEGE, 316, 320, 253, 265, 269, 329)
        for code in codes:
            make.municipal_task(
                session,
                version,
                municipality=code,
                deadline=make.TODAY - timedelta(days=2),
                status=Status.NOT_STARTED if code == make.KOEGE else Status.COMPLETED,
            )
        make.municipal_task(session, local=True, title="Køges egen hemmelighed")
    karen = browser().sign_in("karen@kombit.example")
    words = karen.get("/overblik/kommuner/259").get_text(" ", strip=True)
    assert "Kommunen er stille: stille i 34 dage, mens 1 rød." in words and "Aldrig" in words
    assert "hemmelighed" not in words and "Mette" not in words
    karen.get("/overblik/kommuner/999", expect=404)
    mettes = browser().sign_in("mette@koege.example")
    for path in ("/", "/overblik"):
        assert "I har ikke rørt opgaverne i 34 dage; 1 er rød." in mettes.get(path).get_text(" ", strip=True)
    page = mettes.get("/overblik")
    words = page.get_text(" ", strip=True)
    assert "I 0 %, median i Region Sjælland 100 %, midterste halvdel 100 %" in words
    assert "Greve" not in words and "Roskilde" not in words and page.select(".klik-compared svg[role=img]")
    mettes.get("/overblik/kommuner/259", expect=403)
