"""Driftsstatus: the seed's two tables cell by cell, colours, incidents that are told, importing."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Notice, PluginAnnouncement
from klik.plugins import ImportRefusedError, ImportReport, PluginContext
from klik.plugins.driftsstatus import demo, incidents, months, status
from klik.plugins.driftsstatus.figures import (
    colour,
    month_of,
    moved,
    number_of,
    percent_of,
    reckoned,
    short,
    shown,
    touches,
    twelve,
)
from klik.plugins.driftsstatus.importing import AreaRow, parse, read_into
from klik.plugins.driftsstatus.months import TakenError
from klik.services import for_plugins, importing, topics
from klik.services.errors import ForbiddenError
from klik.services.work import Actor
from tests import make
from tests.client import Browser

SEED = (Path(__file__).parent / "reports" / "driftsstatus-september-2020.txt").read_text("utf-8")
FOLDER = Path(demo.__file__).parent
SYSTEMS = ("serviceplatformen", "stoettesystemer")
SEPTEMBER = "2020-09"
OUTAGE = (datetime(2020, 9, 29, 17, 50, tzinfo=UTC), datetime(2020, 9, 30, 5, 45, tzinfo=UTC))  # 19.50–7.45


def seed_rows() -> dict[str, list[str]]:
    """Area → goal and twelve figures as the seed writes them, whatever stands in the heads of the columns."""
    rows = {}
    for line in SEED.splitlines():
        cells = line.split("\t")
        if len(cells) == 14 and cells[0] and any(digit in cells[2] for digit in "0123456789"):
            rows[cells[0]] = [cell.strip() for cell in cells[1:]]
    return rows


def csv(system: str) -> bytes:
    return (FOLDER / f"{system}.csv").read_bytes()


def context(work: object) -> PluginContext:
    return for_plugins.context(work, "driftsstatus")  # type: ignore[arg-type]


def read(
    house: Installation, content: bytes, system: str = "stoettesystemer", name: str = "a.csv"
) -> ImportReport:
    with house.writing(make.NOW) as work:
        return read_into(system, io.BytesIO(content), name, context(work))


def outcomes(report: ImportReport) -> dict[str, int]:
    return {word: count for word in ("ny", "ændret", "uændret", "forkert") if (count := report.count(word))}


def publisher(house: Installation, level: Level = Level.KOMBIT_EDITOR) -> Actor:
    with house.database.writing() as session:
        return make.actor(
            session, make.person(session, "Karin", level=level, email=f"{level.value}@kombit.example")
        )


def test_the_seeds_tables_are_stored_cell_by_cell(house: Installation) -> None:
    """The second table's heads stand one column too far left: its "okt-19" is over the goals.

    Read so that the last month belongs to the last figure, September has Organisation's 98,30 %, which is the month
    of the outage that the slide after it describes; read as it stands, it would be "after" September.
    """
    seed = seed_rows()
    assert len(seed) == 13
    assert sum(len(cells) - 1 for cells in seed.values()) == 156
    for system in SYSTEMS:
        report = read(house, csv(system), system)
        assert outcomes(report) == {"ny": 5 if system == "serviceplatformen" else 8}
        assert bool(report.sentences) is (system == "stoettesystemer"), "the shift is said"
    with house.reading(make.NOW) as work:
        shown_areas = [
            area for system in SYSTEMS for area in status.of(context(work), system, SEPTEMBER).areas
        ]
    assert [area.name for area in shown_areas] == list(seed)
    for area in shown_areas:
        goal, *figures = seed[area.name]
        assert area.goal_text.replace(" ", "") == goal.replace(" ", "")
        assert [cell.month for cell in area.cells] == [
            *("2019-10", "2019-11", "2019-12", "2020-01", "2020-02", "2020-03"),
            *("2020-04", "2020-05", "2020-06", "2020-07", "2020-08", "2020-09"),
        ]
        assert [cell.text.replace(" ", "") for cell in area.cells] == [
            each.replace(" ", "") for each in figures
        ]


def test_what_is_below_its_goal_is_red_unless_incidents_say_yellow(house: Installation) -> None:
    for system in SYSTEMS:
        read(house, csv(system), system)
    with house.reading(make.NOW) as work:
        found = [status.of(context(work), system, SEPTEMBER) for system in SYSTEMS]
    red = {
        (area.name, cell.label): cell.text
        for each in found
        for area in each.areas
        for cell in area.cells
        if cell.word
    }
    assert red == {
        ("SP produktionsmiljø m1", "mar-20"): "98,98 %",
        ("KO - applikation", "feb-20"): "83,10 %",
        ("KO - applikation", "sep-20"): "98,30 %",
        ("KO - infrastruktur", "jan-20"): "99,80 %",
        ("KO - infrastruktur", "feb-20"): "99,30 %",
        ("SDY - infrastruktur", "okt-19"): "99,40 %",
        ("SDY - infrastruktur", "nov-19"): "99,80 %",
        ("SDY - infrastruktur", "feb-20"): "99,30 %",
        ("BF - infrastruktur", "jan-20"): "98,80 %",
        ("BF - infrastruktur", "feb-20"): "99,30 %",
        ("Adgangsstyring - infrastruktur", "jan-20"): "98,40 %",
        ("Adgangsstyring - infrastruktur", "feb-20"): "99,10 %",
    }
    assert found[1].verdict == "KO - applikation var under SLA-målet i september 2020."
    assert found[0].verdict == "Alle SLA-mål var opfyldt i september 2020."
    assert [colour(9830, 9990, said) for said in ((), ("gul",), ("gul", "gul"), ("gul", "roed"))] == [
        *("roed", "gul", "gul", "roed")
    ]
    assert [colour(9990, 9990, ("roed",)), colour(78_000_000, None, ("roed",)), colour(None, 9990, ())] == [
        ""
    ] * 3


def test_the_outages_minutes_give_the_seeds_figure() -> None:
    assert round(reckoned(SEPTEMBER, [OUTAGE]), -1) == 9830, (
        "29–30 September, 19.50–7.45: 98,3 % of the month"
    )
    assert reckoned("2020-10", [OUTAGE]) == 10_000
    half = (datetime(2020, 3, 28, 23, 0, tzinfo=UTC), datetime(2020, 3, 29, 22, 0, tzinfo=UTC))
    assert reckoned("2020-03", [half]) == round(10_000 * (1 - 23 / (31 * 24 - 1))), "a Danish day of 23 hours"


def test_an_incident_colours_the_months_it_lies_in_and_no_other() -> None:
    first, end = (
        datetime(2020, 8, 31, 22, tzinfo=UTC),
        datetime(2020, 9, 30, 22, tzinfo=UTC),
    )  # Danish midnights
    second = timedelta(seconds=1)
    assert not touches(SEPTEMBER, first - second, first), "mended as the month began"
    assert touches(SEPTEMBER, first - second, first + second)
    assert not touches(SEPTEMBER, end, None), "begun as the next month did"
    assert touches(SEPTEMBER, end - second, None)
    assert touches("2020-12", first, None), "what is not mended goes on"


@pytest.mark.parametrize(
    ("text", "percent", "number"),
    [
        ("98,30 %", 9830, None),
        ("100,00%", 10_000, None),
        ("99.5", 9950, None),
        ("100,01", None, None),
        ("98,305", None, None),
        ("-1", None, None),
        ("91.000.000", None, 91_000_000),
        ("91 000 000", None, 91_000_000),
        ("91.00", 9100, None),
        ("٩٨", None, None),
        ("99999999999", None, None),
    ],
)
def test_numbers_are_read_as_danes_write_them(text: str, percent: int | None, number: int | None) -> None:
    assert percent_of(text) == percent
    assert number_of(text) == number


def test_months() -> None:
    assert [month_of(text) for text in ("sep-20", "September 2020", "2020-09", "sep 2020")] == [SEPTEMBER] * 4
    assert [month_of(text) for text in ("13-20", "xyz-20", "2020-13", "", "sep-1920", "٢٠٢٠-09")] == [
        None
    ] * 6
    assert twelve(SEPTEMBER)[0] == "2019-10"
    assert (moved("2020-12", 1), short(moved("2021-01", -1))) == ("2021-01", "dec-20")
    assert shown(9805, 9990) == "98,05 %"


def test_a_second_reading_changes_nothing_and_a_dry_run_keeps_nothing(house: Installation) -> None:
    karin = publisher(house)
    content = csv("stoettesystemer")

    def run(content: bytes, *, keep: bool) -> dict[str, int]:
        with house.writing(make.NOW, karin) as work:
            return outcomes(importing.run(work, "driftsstatus.stoettesystemer", content, "a.csv", keep=keep))

    assert run(content, keep=False) == {"ny": 8}
    assert run(content, keep=True) == {"ny": 8}
    assert run(content, keep=True) == {"uændret": 8}
    changed = content.replace(b"98,30%", b"98,40%")
    assert run(changed, keep=False) == run(changed, keep=True) == {"uændret": 7, "ændret": 1}
    assert run(changed, keep=True) == {"uændret": 8}
    with house.reading(make.NOW) as work:
        assert months.read(context(work).store, "stoettesystemer", SEPTEMBER).version == 2  # type: ignore[arg-type]
    for level in (Level.ADMINISTRATOR, Level.SUPPLIER):
        other = publisher(house, level)
        with house.writing(make.NOW, other) as work, pytest.raises(ForbiddenError):
            importing.importer_for(work, "driftsstatus.stoettesystemer")


def test_the_simple_layout_and_what_is_wrong_in_a_file(house: Installation) -> None:
    head = "Driftsområde;Måned;SLA-mål;Værdi\n"
    good = f"{head}KO - applikation;okt-20;99,90 %;99,95 %\nNyt område;2020-10;n.a.;1.200\n".encode()
    assert outcomes(read(house, good)) == {"ny": 2}
    assert outcomes(read(house, good)) == {"uændret": 2}
    for line, words in (
        ("KO - applikation;okt-20;99,90 %;101 %", "Tallet “101 %” er ikke en procent"),
        ("KO - applikation;nogen;99,90 %;99 %", "Måneden “nogen” kan ikke læses"),
        ("KO - applikation;okt-20;ja;99 %", "SLA-målet “ja”"),
        (";okt-20;n.a.;5", "Driftsområde: skriv et navn"),
        (f"{'x' * 81};okt-20;n.a.;5", "højst 80 tegn"),
        ("Antal;okt-20;n.a.;5,5", "et helt tal"),
        ("Anders 010190-1234;okt-20;n.a.;5", "CPR-nummer"),
    ):
        report = read(house, f"{head}{line}\n".encode())
        (row,) = report.rows
        assert row.outcome == "forkert"
        assert words in row.text
        assert "010190" not in row.text
    twice = read(house, f"{head}A;okt-20;99 %;99 %\nA;okt-20;99 %;98 %\n".encode())
    assert outcomes(twice) == {"ny": 1, "forkert": 1}
    for other in (b"a;b\n1;2\n", b"", b"\0\1", "Driftsområde;Måned;Værdi\nA;okt-20;1\n".encode()):
        with pytest.raises(ImportRefusedError):
            read(house, other)


def test_a_heading_in_its_place_is_read_as_the_shifted_one() -> None:
    rows = [line.split(";") for line in csv("stoettesystemer").decode().splitlines()]
    right = [*rows[:2], ["", "SLA-mål", *rows[2][1:13]], *rows[3:]]
    shifted, said = parse(rows)
    straight, nothing = parse(right)
    assert said and not nothing
    assert [row.figures for row in shifted if isinstance(row, AreaRow)] == [
        row.figures for row in straight if isinstance(row, AreaRow)
    ]


def incident(house: Installation, actor: Actor, now: datetime, **changes: object) -> int:
    """Write Organisation's outage, or another form of it (``number``, ``version``)."""
    number, version = changes.pop("number", None), changes.pop("version", 0)
    with house.writing(now, actor) as work:
        mine = context(work)
        area = next(
            each.id for each in status.of(mine, "stoettesystemer").areas if each.name == "KO - applikation"
        )
        values = {
            "area": area,
            "heading": "Nedbrud på Organisation",
            "colour": "roed",
            "starts_at": OUTAGE[0],
            "ends_at": None,
            "seen": "Organisation kan ikke bruges.",
            "cause": "",
            "mend": "",
            "solution": "",
            "planned_on": None,
            "solved": "ikke-planlagt",
        }
        return incidents.write(mine, number, version, values | changes)  # type: ignore[arg-type]


def test_subscribers_are_told_when_it_begins_and_when_it_is_mended(house: Installation) -> None:
    karin, now = publisher(house), OUTAGE[0] + timedelta(minutes=5)
    with house.database.writing() as session:
        mette = make.actor(session, make.person(session))
    with house.writing(now, mette) as work:
        topics.choose(work, ["driftsstatus.haendelser"])
    number = incident(house, karin, now)
    incident(house, karin, now, number=number, version=1, cause="Ikke fundet endnu.")
    later = OUTAGE[1] + timedelta(minutes=5)
    incident(house, karin, later, number=number, version=2, ends_at=OUTAGE[1], mend="Genstart.")
    incident(house, karin, later, number=number, version=3, ends_at=OUTAGE[1], solution="Koden rettes.")
    incident(house, karin, later + timedelta(days=30), heading="Glemt", ends_at=OUTAGE[1])
    jobs.run(house, "tell-subscribers", later, "x")
    with house.database.reading() as session:
        told = session.execute(select(Notice.heading, Notice.sentence, Notice.path).order_by(Notice.id)).all()
    assert [row.heading for row in told] == [
        "Driftshændelse: KO - applikation: Nedbrud på Organisation",
        "Driftshændelse afhjulpet: KO - applikation: Nedbrud på Organisation",
    ]
    assert told[0].sentence == "Siden 29. september 2020 kl. 19.50. Organisation kan ikke bruges."
    assert "til 30. september 2020 kl. 07.45. Genstart." in told[1].sentence
    assert told[0].path == f"/p/driftsstatus/?haendelse={number}#haendelse-{number}"
    with pytest.raises(TakenError):
        incident(house, karin, later, number=number, version=2)


def test_missing_figures_are_said_from_the_fifth(house: Installation) -> None:
    read(house, csv("stoettesystemer"))
    with house.reading(make.NOW) as work:
        store = context(work).store
        assert store is not None
        names = status.SYSTEMS
        assert months.missing(store, names, date(2020, 10, 4)) == ()
        assert months.missing(store, names, date(2020, 10, 5)) == ("Serviceplatformen",)
        assert months.missing(store, names, date(2020, 11, 5)) == ("Serviceplatformen", "Støttesystemerne")


def test_kombit_writes_a_month_and_an_incident_that_everybody_reads(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    publisher(house)
    with house.database.writing() as session:
        make.person(session, email="mette@koege.example", level=Level.READER)
        make.person(session, "Lars", email="lars@x.example", level=Level.SUPPLIER)
    kombit = browser().sign_in("kombit-redaktoer@kombit.example")
    writing = "/p/driftsstatus/skriv"
    address = f"{writing}?system=stoettesystemer&maaned=2026-10"
    page = kombit.get(address)
    names = {each.get_text(strip=True): each["for"] for each in page.select("label[for^=tal_]")}
    field = names["KO - applikation"]
    typed = {field: "98,3", "vinduer": "1", "bemaerkninger": "Ikke tilfredsstillende.\nEn hændelse."}
    wrong = kombit.submit(page, writing, expect=422, **(typed | {field: "meget", "vinduer": "mange"}))
    assert "skriv en procent fra 0 til 100" in wrong.get_text()
    assert wrong.select_one(f"#{field}")["value"] == "meget"  # type: ignore[index]
    done = kombit.submit(page, writing, **typed)
    assert "KO - applikation var under SLA-målet i oktober 2026." in done.get_text()
    assert "1 servicevindue" in done.get_text()
    taken = kombit.submit(page, writing, expect=409, **(typed | {field: "97"}))
    assert taken.select_one(f"#{field}")["value"] == "97"  # type: ignore[index]
    kombit.submit(taken, writing)
    page = kombit.get(f"{writing}?act=haendelse")
    area = next(
        each["value"] for each in page.select("#omraade option") if each.get_text() == "KO - applikation"
    )
    words = {
        "omraade": area,
        "overskrift": "Nedbrud",
        "farve": "gul",
        "fra_dag": "29-10-2026",
        "fra_kl": "19.50",
        "oplevet": "Organisation svarede ikke.",
    }
    wrong = kombit.submit(page, writing, expect=422, **(words | {"fra_dag": "31-02-2026", "til_dag": "x"}))
    for sentence in ("Begyndte den: skriv datoen som", "Afhjulpet den: skriv", "Afhjulpet kl.: skriv"):
        assert sentence in wrong.get_text()
    late = kombit.submit(page, writing, expect=422, **(words | {"fra_dag": "29-10-2099"}))
    assert "ligger i fremtiden" in late.get_text()
    early = kombit.submit(page, writing, expect=422, **(words | {"til_dag": "28-10-2026", "til_kl": "8.00"}))
    assert "skal ligge efter" in early.get_text()
    kombit.submit(page, writing, **words)
    kombit.submit(page, writing, **words)  # the button pressed twice
    with house.database.reading() as session:
        assert len(session.scalars(select(PluginAnnouncement)).all()) == 1
    for visitor in (browser().sign_in("mette@koege.example"), browser().sign_in("lars@x.example")):
        page = visitor.get("/p/driftsstatus/")
        assert page.get_text().count("KO - applikation: Nedbrud") == 1
        assert "97,00 Gul" in page.get_text()
        assert not page.select(f'a[href^="{writing}"]')
        visitor.get(writing, expect=403)
        visitor.post(writing, {"act": "maaned"}, expect=403)
        for odd in ("?maaned=2099-01", "?maaned=x", "?haendelse=x", "?haendelse=99999", "?system=%00"):
            visitor.get(f"/p/driftsstatus/{odd}")
    panel = browser().sign_in("mette@koege.example").get("/systemer/stoettesystemer")
    assert "Lige nu (gul): KO - applikation, Nedbrud." in panel.get_text()
    kombit.get(f"{writing}?haendelse=99999", expect=404)
    kombit.post(writing, {"act": "andet"}, expect=404)
    content = kombit.download("/p/driftsstatus/maaned.pdf?maaned=2026-10")
    assert content.startswith(b"%PDF")


def test_the_demo_has_the_seeds_months_up_to_the_last(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        demo.fill(context(work))
    with house.reading(make.NOW) as work:
        found = status.of(context(work), "stoettesystemer")
    assert found.month == f"{make.TODAY - timedelta(days=make.TODAY.day):%Y-%m}"
    assert [area.last.text for area in found.areas if area.is_below] == ["98,30 %"]
    assert [each.heading for each in found.open] == ["Login er langsomt"]
    assert found.incidents[-1].when.endswith("kl. 07.45")
