"""KSD's pages for those who look: the board by class, age and month, KOMBIT's view, the panel on the front page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from klik.domain.calendar import in_denmark, long_date
from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins.ksd.ages import AGES, age_of, month_in_words
from klik.plugins.ksd.catalogue import CLASSES
from klik.plugins.ksd.payment import next_cut_off, solved_now, time_left
from klik.services import importing
from tests import make
from tests.client import Browser

TODAY = in_denmark(datetime.now(UTC)).date()
# Looked at by the real clock, so the months count from today: thirteen back, this one, three ahead.
OLD, THIS, LATER = (
    f"{months // 12}-{months % 12 + 1:02d}"
    for months in (TODAY.year * 12 + TODAY.month - 1 + step for step in (-13, 0, 3))
)
MONTHS = f"""{OLD}
Opgavetype;Antal;Blokerende
Manglende kontrol;14;Ja
Økonomisk mellemværende;2;Ja
{THIS}
Opgavetype;Antal;Blokerende
Økonomisk mellemværende;10;Ja
Grænseværdi overskredet;3;Nej
Anmeldelse modtaget for sent;11;Nej
{LATER}
Opgavetype;Antal;Blokerende
Sygemeldte er død eller forsvundet;1;Ja
"""
# Fewer payments and more decisions than MONTHS.
FEW = "Opgavetype;Antal;Blokerende\nØkonomisk mellemværende;1;Ja\nManglende kontrol;20;Ja\n"
COUNTDOWN = r"\d+ (dag|dage|time|timer) og \d+ (time|timer|minut|minutter) til mandag eftermiddag"


def read_in(house: Installation, place: int = make.KOEGE, *, days_ago: int = 0) -> None:
    with house.writing(datetime.now(UTC) - timedelta(days=days_ago)) as work:
        importing.run(work, "ksd.r23", MONTHS.encode(), "r23.csv", keep=True, municipality=place)


def someone(house: Installation, level: Level = Level.PLUS_USER, **more: object) -> str:
    with house.writing(make.NOW) as work:
        make.project(work.session, "ksd", system_code="ksd")
        return make.person(work.session, level=level, **more).email


@pytest.mark.parametrize(
    ("month", "age"),
    [
        ("2025-10", "over-12"),
        ("2025-11", "7-12"),
        ("2026-04", "7-12"),
        ("2026-05", "4-6"),
        ("2026-07", "4-6"),
        ("2026-08", "1-3"),
        ("2026-10", "1-3"),
        ("2026-11", "ny"),
        ("2026-12", "senere"),
        ("", "uden-maaned"),
    ],
)
def test_the_age_is_whole_months_since_the_month_of_the_due_date(month: str, age: str) -> None:
    assert age_of(month, date(2026, 11, 22)) == age


def test_every_number_of_months_has_one_age() -> None:
    for months in range(-30, 200):
        assert sum(age.holds(months) for age in AGES) == 1
    assert month_in_words("2017-10") == "oktober 2017"


def test_what_solving_now_does_is_said_for_every_class() -> None:
    saturday = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    words = {blocks: " ".join(solved_now(blocks, saturday)) for blocks in CLASSES}
    assert "mandag den 23. november 2026" in words["udbetaling"]
    assert "samme aften" in words["afgoerelse"] and "med det samme" in words["afgoerelse"]
    assert "“Under afklaring”" in words["afgoerelse"] and "“Igangværende sag”" in words["afgoerelse"]
    assert "selv om de ikke blokerer" in words["graensevaerdi"]
    after = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
    assert "30. november 2026" in " ".join(solved_now("udbetaling", after))


def test_the_board_says_what_hurts_how_old_it_is_and_what_happens_now(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    read_in(house)
    page = browser().sign_in(someone(house, Level.READER))
    board = page.get("/p/ksd/")
    headings = [each.get_text() for each in board.select("h2")]
    assert [each for each in headings if ":" in each and each.split(":")[0] in CLASSES.values()] == [
        "Blokerer for udbetaling: 12",
        "Grænseværdi overskredet: 3",
        "Blokerer for afgørelse og dermed udbetaling: 14",
        "Blokerer for underretningsbrev: 1",
        "Blokerer ikke: 11",
    ]
    text = board.get_text(" ")
    assert re.search(f"Der er {COUNTDOWN}", text)
    assert "selv om de ikke blokerer" in text and "samme aften" in text
    ages = {row.th.get_text(): row.get_text(" ").split()[-1] for row in board.select("#alder ~ div tbody tr")}
    assert ages == {"Over 12 måneder": "16", "Forfalder i denne måned": "24", "Forfalder senere": "1"}
    old = page.get("/p/ksd/?alder=over-12").get_text(" ")
    assert "Kun over 12 måneder" in old and "Blokerer for udbetaling: 2" in old
    month = page.get(f"/p/ksd/?maaned={LATER}").get_text(" ")
    assert "Blokerer for underretningsbrev: 1" in month and "Blokerer for udbetaling:" not in month
    assert "Ingen uløste opgaver her" in page.get("/p/ksd/?alder=4-6").get_text(" ")
    for odd in ("alder=hundrede", "maaned=2026-13", "maaned=0000-01", "alder=%00", "kommune=101"):
        assert "Blokerer for udbetaling: 12" in page.get(f"/p/ksd/?{odd}").get_text(" ")


@pytest.mark.parametrize(
    ("day", "hour", "minute", "words"),
    [
        (17, 12, 0, "6 dage og 0 timer"),
        (21, 11, 0, "2 dage og 1 time"),
        (22, 11, 59, "1 dag og 0 timer"),
        (22, 12, 0, "1 dag og 0 timer"),
        (22, 12, 1, "23 timer og 59 minutter"),
        (23, 10, 59, "1 time og 1 minut"),
        (23, 11, 59, "0 timer og 1 minut"),
        (23, 12, 0, "7 dage og 0 timer"),
    ],
)
def test_the_countdown_is_in_days_and_on_the_last_day_in_minutes(
    day: int, hour: int, minute: int, words: str
) -> None:
    """Monday is 23 November 2026; the hours are Danish."""
    assert time_left(datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)) == words


def test_a_row_becomes_a_local_task(house: Installation, browser: Callable[..., Browser]) -> None:
    read_in(house)
    email = someone(house)
    page = browser().sign_in(email)
    link = next(
        each for each in page.get("/p/ksd/").select("a[href^='/opgaver/ny?']") if "Økonomisk" in each.text
    )
    words = parse_qs(urlsplit(link["href"]).query)
    monday = next_cut_off(datetime.now(UTC)).date()
    assert words["deadline"] == [monday.isoformat()] and words["system"] == ["ksd"]
    form = page.get(link["href"])
    assert form.select_one("#title")["value"] == "Løs opgaverne “Økonomisk mellemværende” i KSD"
    assert form.select_one("#project_id option[selected]").get_text() == "KSD"
    made = page.submit(form, "/opgaver/ny")
    assert "Den lokale opgave er oprettet" in made.get_text(" ")
    assert "Rapport R23 viser 12 uløste opgaver" in made.get_text(" ")
    assert long_date(monday) in made.get_text(" ")
    alone = next(
        each for each in page.get("/p/ksd/").select("a[href^='/opgaver/ny?']") if "er død" in each.text
    )
    assert "viser 1 uløst opgave af typen" in parse_qs(urlsplit(alone["href"]).query)["beskrivelse"][0]


def test_kombit_sees_the_sum_each_municipality_and_who_is_silent(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    read_in(house)
    read_in(house, make.AARHUS, days_ago=15)
    kombit = browser().sign_in(someone(house, Level.KOMBIT_EDITOR))
    board = kombit.get("/p/ksd/")
    text = board.get_text(" ")
    assert "2 kommuner har indlæst en rapport" in text and "Blokerer for udbetaling: 24" in text
    assert "1 kommune har ikke indlæst en rapport i 14 dage" in text
    rows = {row.th.get_text(): row.get_text(" ") for row in board.select("#kommuner ~ div tbody tr")}
    assert "over 14 dage gammel" in rows["Aarhus"] and "over 14 dage" not in rows["Køge"]
    assert "Har aldrig indlæst en rapport (96)" in " ".join(text.split())
    one = kombit.get(f"/p/ksd/?kommune={make.AARHUS}").get_text(" ")
    assert "Aarhus" in one and "Blokerer for udbetaling: 12" in one and "Kommune for kommune" not in one
    kombit.get("/p/ksd/?kommune=9", expect=404)
    link = board.select_one("a[href^='/udgivelser/ny?']")
    form = kombit.get(link["href"])
    assert form.select_one("#title")["value"].startswith("Løs opgaverne “")
    assert form.select_one("#theme option[selected]")["value"] == "organisering-og-arbejdsgange"
    assert not board.select("a[href^='/opgaver/ny']")


def test_kombit_sorts_the_municipalities_by_each_heading(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    """Aarhus is last by name (as Å), has fewer payments and more decisions, and the older report."""
    read_in(house)
    with house.writing(datetime.now(UTC) - timedelta(days=15)) as work:
        importing.run(work, "ksd.r23", FEW.encode(), "r23.csv", keep=True, municipality=make.AARHUS)
    kombit = browser().sign_in(someone(house, Level.KOMBIT_EDITOR))
    page = kombit.get("/p/ksd/?alder=over-12&sorter=findes-ikke")

    def first() -> tuple[str, str]:
        (by,) = page.select("#kommuner ~ div th[aria-sort]")
        return by.get_text().split(",")[0], page.select("#kommuner ~ div tbody tr")[0].th.get_text()

    seen = [first()]
    for heading in ("Kommune", "Kommune", "Udbetaling", "Udbetaling", "Afgørelse", "Rapport"):
        link = next(each for each in page.select("a.klik-sort") if each.get_text().startswith(heading))
        page = kombit.get(f"/p/ksd/{link['href']}")
        assert "Kun over 12 måneder" in page.get_text(" ")
        seen.append(first())
    assert seen == [
        ("Udbetaling", "Køge"),
        ("Kommune", "Køge"),
        ("Kommune", "Aarhus"),
        ("Udbetaling", "Køge"),
        ("Udbetaling", "Aarhus"),
        ("Afgørelse", "Aarhus"),
        ("Rapport", "Aarhus"),
    ]


def test_who_may_not_begin_or_read_in_is_shown_no_door(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    read_in(house)
    board = browser().sign_in(someone(house, Level.READER)).get("/p/ksd/")
    assert not board.select("a[href*='/ny?'], a[href^='/admin/import']")


def test_everybody_reads_the_types_and_a_supplier_is_led_to_no_board(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    page = browser().sign_in(someone(house, Level.SUPPLIER, systems=("ksd",)))
    browser().sign_in(someone(house, Level.SUPPLIER, systems=("kp",))).get("/p/ksd/opgavetyper", expect=404)
    types = page.get("/p/ksd/opgavetyper")
    assert not types.select("a[href='/p/ksd/']")
    links = [each["href"] for each in page.get("/systemer/ksd").select(".klik-doors a")]
    assert links == ["/p/ksd/opgavetyper", "/p/ksd/drift"]
    assert "opgaver blokerer" not in page.get("/").get_text(" ")
    text = types.get_text(" ")
    assert "KOMBIT har talt 109 opgavetyper" in text and "75 af typerne er set" in text
    assert "Anden årsag ikke godkendt" in text and "Kundenet" in text


def test_the_questions_of_leaders_become_a_local_task_with_a_checklist(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    page = browser().sign_in(someone(house))
    link = page.get("/p/ksd/opgavetyper").select_one("#ledelsen ~ p a")
    made = page.submit(page.get(link["href"]), "/opgaver/ny")
    lines = [each.get_text().strip() for each in made.select(".task-line-text")]
    assert lines == [
        "Hvilke opgaver blokerer, og hvad er følgen?",
        "Hvordan løses de blokerende opgaver?",
        "Hvordan prioriterer vi dem?",
        "Hvem holder øje med dem?",
    ]


def test_the_front_page_counts_down_for_a_municipality_with_a_report(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    email = someone(house)
    page = browser().sign_in(email)
    assert "KSD før udbetalingskørslen" not in page.get("/").get_text(" ")
    read_in(house)
    read_in(house, make.AARHUS)
    text = " ".join(page.get("/").get_text(" ").split())
    assert re.search(f"12 opgaver blokerer for udbetaling – {COUNTDOWN}", text)
    assert "3 opgaver om grænseværdier skal også være løst" in text
    assert text.index("Det haster mest") < text.index("KSD før udbetalingskørslen")
    assert "svarede ikke" not in text
    assert (
        "KSD før udbetalingskørslen"
        not in browser().sign_in(someone(house, Level.KOMBIT_EDITOR)).get("/").text
    )


def test_a_municipality_whose_report_is_old_is_asked_for_a_new_one(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    read_in(house, days_ago=15)
    page = browser().sign_in(someone(house))
    assert "for over 14 dage siden" in page.get("/").get_text(" ")
    assert "Det er over 14 dage siden" in page.get("/p/ksd/").get_text(" ")
