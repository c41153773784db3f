"""Saved filters from the button "Gem" to the page where they are kept in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import FilterUse, Person, SavedFilter
from klik.services.saved_filters import saving
from tests import make
from tests.client import Browser

RED_YELLOW = "deadline=roed&deadline=gul&status=ikke-paabegyndt"


@pytest.fixture
def mette(house: Installation, browser: Callable[..., Browser]) -> Browser:
    with house.writing(make.NOW) as work:
        email = make.person(work.session).email
        make.municipal_task(work.session, title="For sent", deadline=make.TODAY - timedelta(days=900))
        make.municipal_task(work.session, title="God tid", deadline=make.TODAY + timedelta(days=9_000))
    return browser().sign_in(email)


def save(browser: Browser, name: str, query: str = "deadline=roed", expect: int = 200):  # type: ignore[no-untyped-def]
    return browser.post("/filtre", {"navn": name, "filter": query}, expect=expect)


def row(house: Installation, name: str) -> SavedFilter:
    with house.database.reading() as session:
        found = session.scalars(select(SavedFilter).where(SavedFilter.name == name)).one()
        session.expunge(found)
        return found


def use(house: Installation, name: str) -> tuple[bool, bool, str]:
    """Star, default and mail of the only one who uses the filter."""
    with house.database.reading() as session:
        found = session.scalars(
            select(FilterUse)
            .join(SavedFilter, SavedFilter.id == FilterUse.saved_filter_id)
            .where(SavedFilter.name == name)
        ).one()
        return found.pinned, found.is_default, found.subscription


def test_a_filter_is_saved_from_the_list_and_becomes_a_button_with_its_count(mette: Browser) -> None:
    page = mette.get(f"/opgaver?{RED_YELLOW}&sorter=-titel&side=1")
    after = mette.submit(page, "/filtre", navn="  Min morgen ")
    assert mette.response.request.path == "/opgaver"
    assert "Filteret “Min morgen” er gemt." in after.get_text()
    button = after.select_one(".klik-saved-link[aria-current]")
    assert button is not None and button.get_text(" ", strip=True) == "Min morgen 1 opgave"
    assert button["href"] == f"/opgaver?{RED_YELLOW}&sorter=-titel"
    others = [link.get_text(" ", strip=True) for link in after.select(".klik-saved-link")]
    assert others[1:] == ["Rød/gul ej påbegyndt 1 opgave", "Rød status 1 opgave", "Gul status 0 opgaver"]


def test_a_filter_keeps_its_groups(house: Installation, mette: Browser) -> None:
    page = mette.get("/opgaver?deadline=roed&grupper=fase&pr_side=25")
    after = mette.submit(page, "/filtre", navn="Rød pr. fase")
    assert row(house, "Rød pr. fase").query == "deadline=roed&grupper=fase"
    save(mette, "Rød")

    def current(query: str) -> list[str]:
        found = mette.get(f"/opgaver?{query}").select(".klik-saved-link[aria-current]")
        return [link.find(string=True, recursive=False) or "" for link in found]

    assert after.select_one(".klik-group") is not None
    assert current("deadline=roed&grupper=fase") == ["Rød pr. fase"]
    # A suggestion of klik's own asks the same.
    assert current("deadline=roed") == ["Rød", "Rød status"]
    assert current("deadline=roed&grupper=tema") == []
    assert "Grupperet efter fase" in mette.get("/filtre").get_text()
    # What a person usually wants stands in for what a filter says nothing of, and is saved as it is seen.
    mette.post("/opgaver/kolonner", {"kolonne": ["status"], "grupper": "fase"})
    assert current("deadline=roed") == ["Rød", "Rød pr. fase", "Rød status"]
    assert current("deadline=roed&grupper=ingen") == []


REFUSED = (
    ("", "deadline=roed", "Navn skal udfyldes."),
    ("x" * 81, "deadline=roed", "Navn må højst fylde 80 tegn; du har skrevet 81."),
    ("Rød\x00", "deadline=roed", "tegn, der ikke kan gemmes"),
    ("OPTAGET", "deadline=roed", "Du har allerede et filter, der hedder “OPTAGET”."),
    ("Intet", "", "Der er ikke valgt noget filter."),
    ("Intet", "side=3&findesikke=1", "Der er ikke valgt noget filter."),
    ("Langt", "q=" + "x" * 9_000, "Filteret er for langt"),
    ("Langt", "&".join(f"q={number:0150d}" for number in range(50)), "for langt til at blive gemt"),
)


def test_what_cannot_be_saved_is_said_and_the_name_is_kept(mette: Browser) -> None:
    save(mette, "optaget")
    for name, query, sentence in REFUSED:
        page = save(mette, name, query, expect=422)
        assert sentence in page.get_text(" ", strip=True), name
        field = page.select_one("#filter-navn")
        assert field is not None and field["value"] == name.replace("\x00", "\ufffd")


def test_a_hundred_filters_are_enough(house: Installation, mette: Browser) -> None:
    with house.writing(make.NOW) as work:
        person = work.session.scalars(select(Person)).one().id
        for number in range(saving.MOST):
            work.session.add(
                SavedFilter(
                    person_id=person,
                    name=f"n{number}",
                    name_key=f"n{number}",
                    query="deadline=gul",
                    created_at=make.NOW,
                )
            )
    page = save(mette, "Et til", expect=422)
    assert "Du har allerede 100 gemte filtre" in page.get_text()


def test_the_default_filter_opens_the_bare_list_and_says_so(house: Installation, mette: Browser) -> None:
    page = mette.get("/opgaver")
    lead = page.select_one(".klik-lead")
    assert lead is not None
    assert "Åbnet med filteret “Rød/gul ej påbegyndt” (fordi intet andet er valgt)." in lead.get_text()
    assert "God tid" not in page.get_text()
    save(mette, "Røde")
    number = row(house, "Røde").id
    mette.post(f"/filtre/{number}/standard", {"til": "ja"})
    page = mette.get("/opgaver")
    lead = page.select_one(".klik-lead")
    assert lead is not None and "Åbnet med dit filter “Røde”" in lead.get_text()
    assert "God tid" not in page.get_text()
    everything = mette.get(lead.a["href"])
    assert "God tid" in everything.get_text() and "Åbnet med" not in everything.get_text()
    assert "God tid" in mette.download("/opgaver.csv").decode()
    save(mette, "Gule", "deadline=gul")
    mette.post(f"/filtre/{row(house, 'Gule').id}/standard", {"til": "ja"})
    assert (use(house, "Gule")[1], use(house, "Røde")[1]) == (True, False)
    page = mette.post(f"/filtre/{row(house, 'Gule').id}/standard", {"til": "nej"})
    assert "Listen åbner ikke længere med “Gule”." in page.get_text()
    assert "fordi intet andet er valgt" in mette.get("/opgaver").get_text()


@pytest.mark.parametrize("query", ["side=1", "fuldfoerte=nej", "sorter=titel", "findesikke=1", "q="])
def test_no_default_steps_in_where_anything_was_asked(mette: Browser, query: str) -> None:
    page = mette.get(f"/opgaver?{query}")
    assert "Åbnet med" not in page.get_text() and "God tid" in page.get_text()


def test_saving_takes_star_default_and_mail_in_one_form(house: Installation, mette: Browser) -> None:
    page = mette.get("/opgaver?deadline=roed")
    mette.submit(page, "/filtre", navn="Min morgen", stjerne="ja", standard="ja", mail="dagligt")
    assert use(house, "Min morgen") == (True, True, "dagligt")
    assert "Åbnet med dit filter “Min morgen”" in mette.get("/opgaver").get_text()
    kept = save(mette, "min MORGEN", expect=422)
    assert kept.select_one("#filter-stjerne[checked]") is None
    data = {"navn": "min morgen", "filter": "q=x", "stjerne": "ja", "mail": "ugentligt"}
    kept = mette.post("/filtre", data, expect=422)
    assert kept.select_one("#filter-stjerne[checked]") is not None
    assert kept.select_one("#filter-mail option[value=ugentligt][selected]") is not None
    mette.post("/filtre", {"navn": "Andet", "filter": "q=x", "mail": "hvert minut"}, expect=422)
    assert "Andet" not in mette.get("/filtre").get_text()


def test_a_filter_of_ones_own_is_changed_from_the_list(house: Installation, mette: Browser) -> None:
    save(mette, "Min morgen")
    number = row(house, "Min morgen").id
    page = mette.get("/opgaver?q=tid")
    option = page.select_one("#filter-opdater option")
    assert option is not None and option.get_text() == "Min morgen"
    data = {"filter": "q=tid", "opdater": option["value"]}
    after = mette.post("/filtre", data)
    assert "Filteret “Min morgen” viser nu det samme som listen." in after.get_text()
    assert row(house, "Min morgen").query == "q=tid" and row(house, "Min morgen").id == number
    mette.post("/filtre", data, expect=409)
    mette.post("/filtre", {"filter": "q=tid", "opdater": "999999-1"}, expect=404)
    mette.post("/filtre", {"filter": "q=tid", "opdater": "x"}, expect=404)


def test_one_press_on_the_star_and_back_to_where_one_was(house: Installation, mette: Browser) -> None:
    save(mette, "Røde")
    number = row(house, "Røde").id
    page = mette.get("/opgaver?deadline=roed&sorter=titel")
    star = page.select_one(f"#stjerne-{number}")
    assert star is not None and star["aria-pressed"] == "false"
    after = mette.submit(page, f"/filtre/{number}/fastgoer")
    assert mette.response.request.full_path == "/opgaver?deadline=roed&sorter=titel"
    star = after.select_one(f"#stjerne-{number}")
    assert star is not None and star["aria-pressed"] == "true"
    form = {"til": "nej", "tilbage": "https://ond.example/"}
    mette.post(f"/filtre/{number}/fastgoer", form, follow=False, expect=303)
    assert mette.response.headers["Location"] == f"/#stjerne-{number}"


def test_filters_are_renamed_pinned_and_deleted(house: Installation, mette: Browser) -> None:
    save(mette, "Åben")
    save(mette, "Ældst")
    number = row(house, "Åben").id
    names = [heading.get_text() for heading in mette.get("/filtre").select(".klik-filter-card h3")]
    assert names == ["Ældst", "Åben"]
    page = mette.post(f"/filtre/{number}/fastgoer", {"til": "ja"})
    assert [heading.get_text() for heading in page.select(".klik-filter-card h3")] == ["Åben", "Ældst"]
    renamed = mette.submit(page, f"/filtre/{number}/navn", navn="Lukket")
    assert "Filteret hedder nu “Lukket”." in renamed.get_text()
    mette.submit(page, f"/filtre/{number}/navn", expect=409, navn="For sent")
    again = mette.submit(renamed, f"/filtre/{number}/navn", expect=422, navn="ældst")
    assert "Du har allerede et filter, der hedder “ældst”." in again.get_text()
    assert row(house, "Lukket").name == "Lukket"
    gone = mette.submit(renamed, f"/filtre/{number}/slet")
    assert "Filteret “Lukket” er slettet." in gone.get_text()
    mette.post(f"/filtre/{number}/slet", expect=404)


def test_other_peoples_filters_are_not_there(
    house: Installation, mette: Browser, browser: Callable[..., Browser]
) -> None:
    save(mette, "Hemmelig")
    number = row(house, "Hemmelig").id
    with house.writing(make.NOW) as work:
        email = make.person(work.session, "Bo", level=Level.ADMINISTRATOR).email
    other = browser().sign_in(email)
    other.get(f"/filtre/{number}/aabn", expect=404)
    form = {"navn": "Min", "version": "1", "til": "ja", "mail": "dagligt", "niveau": "bruger"}
    for act in ("navn", "slet", "standard", "fastgoer", "mail", "kopi", "ret", "deling", "niveauer"):
        other.post(f"/filtre/{number}/{act}", form, expect=404)
    assert "Hemmelig" not in other.get("/filtre").get_text() + other.get("/opgaver").get_text()
    save(other, "Hemmelig")
