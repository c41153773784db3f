"""Filters that are shared, chosen for a level, mended when they point at what is gone, and mailed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import FilterDefault, FilterUse, Membership, SavedFilter
from tests import make
from tests.client import Browser

PEOPLE = {
    "karen": (Level.ADMINISTRATOR, make.KOEGE),
    "mette": (Level.PLUS_USER, make.KOEGE),
    "bo": (Level.READER, make.KOEGE),
    "hanne": (Level.ADMINISTRATOR, make.HERNING),
    "steffen": (Level.KOMBIT_EDITOR, None),
    "nadia": (Level.SUPPLIER, None),
}


@pytest.fixture
def people(house: Installation, browser: Callable[..., Browser]) -> Callable[[str], Browser]:
    """Signed-in browsers by first name; Køge and Herning have a red and a green task each."""
    emails = {}
    with house.writing(make.NOW) as work:
        for name, (level, place) in PEOPLE.items():
            person = (
                make.person(
                    work.session,
                    f"{name.capitalize()} Holm",
                    level=level,
                    municipality=place,
                    systems=("kp",),
                )
                if level is Level.SUPPLIER
                else make.person(work.session, f"{name.capitalize()} Holm", level=level, municipality=place)
            )
            emails[name] = person.email
        for place in (make.KOEGE, make.HERNING):
            for title, days in (("Rød", -900), ("Grøn", 9_000)):
                make.municipal_task(
                    work.session,
                    title=f"{title} i {place}",
                    municipality=place,
                    deadline=make.TODAY + timedelta(days=days),
                )
    return lambda name: browser().sign_in(emails[name])


def save(browser: Browser, house: Installation, name: str, query: str = "deadline=roed") -> int:
    browser.post("/filtre", {"navn": name, "filter": query})
    with house.database.reading() as session:
        return session.scalars(select(SavedFilter.id).where(SavedFilter.name == name)).one()


def share(browser: Browser, number: int, wanted: str = "ja") -> None:
    browser.post(f"/filtre/{number}/deling", {"til": wanted})


def groups(page) -> dict[str, list[str]]:  # type: ignore[no-untyped-def]
    """Headings and names of the saved buttons."""
    found: dict[str, list[str]] = {}
    heading = ""
    for each in page.select(".klik-saved h3, .klik-saved-link"):
        if each.name == "h3":
            heading = each.get_text()
        else:
            found.setdefault(heading, []).append(each.find(string=True, recursive=False).strip())
    return found


def test_shared_at_home_it_is_used_by_all_and_changed_by_none(
    house: Installation, people: Callable[[str], Browser]
) -> None:
    karen, mette, hanne = people("karen"), people("mette"), people("hanne")
    number = save(karen, house, "Til mødet")
    assert "Til mødet" not in mette.get("/filtre").get_text()
    share(karen, number)
    assert groups(mette.get("/opgaver?q="))["Delt af Køge Kommune"] == ["Til mødet"]
    assert "Til mødet" not in hanne.get("/filtre").get_text() + hanne.get("/opgaver").get_text()
    hanne.get(f"/filtre/{number}/aabn", expect=404)
    page = mette.get(f"/filtre/{number}/aabn")
    assert mette.response.request.full_path == "/opgaver?deadline=roed" and "Rød i 259" in page.get_text()
    for act in ("navn", "slet", "ret"):
        mette.post(f"/filtre/{number}/{act}", {"navn": "Mit", "version": "1"}, expect=404)
    mette.post(f"/filtre/{number}/deling", {"til": "nej"}, expect=403)
    mette.post(f"/filtre/{number}/fastgoer", {"til": "ja"})
    assert groups(mette.get("/opgaver?q="))[""] == ["Til mødet"]
    page = mette.post(f"/filtre/{number}/kopi")
    assert "“Til mødet” er nu et af dine egne filtre." in page.get_text()
    page = mette.post(f"/filtre/{number}/kopi")
    assert "“Til mødet (kopi)”" in page.get_text()
    share(karen, number, "nej")
    assert "Delt af Køge Kommune" not in mette.get("/filtre").get_text()
    mette.post(f"/filtre/{number}/fastgoer", {"til": "ja"}, expect=404)


def test_kombits_filter_is_everyones_and_shows_each_only_their_own(
    house: Installation, people: Callable[[str], Browser]
) -> None:
    steffen = people("steffen")
    with house.database.reading() as session:
        hanne = session.scalars(
            select(Membership.person_id).where(Membership.municipality_id == make.HERNING)
        )
        query = f"kommune=657&ansvarlig={hanne.one()}&deadline=roed"
    number = save(steffen, house, "Herning følges tæt", query)
    share(steffen, number)
    for name in ("mette", "bo", "nadia"):
        other = people(name)
        card = next(
            card
            for card in other.get("/filtre").select(".klik-filter-card")
            if "Herning følges" in card.get_text()
        )
        said = card.get_text(" ", strip=True).replace("Herning følges tæt", "")
        assert "657" not in said and "Hanne" not in said, said
        # The supplier sees every municipality's progress and may read its name.
        assert name == "nadia" or "Herning" not in said, said
        page = other.get(f"/filtre/{number}/aabn").get_text(" ")
        assert "Hanne" not in page, name
        if name != "nadia":
            # Herning's task is neither shown nor counted.
            assert "i 657" not in page and card.select_one(".klik-filter-count").get_text() == "1 opgave"
    assert "Delt af KOMBIT" in people("karen").get("/filtre").get_text()
    people("karen").post(f"/filtre/{number}/deling", {"til": "nej"}, expect=404)


def test_a_level_opens_with_what_was_chosen_for_it(
    house: Installation, people: Callable[[str], Browser]
) -> None:
    karen, mette, bo, steffen = (people(name) for name in ("karen", "mette", "bo", "steffen"))
    ours, theirs = save(karen, house, "Kommunens"), save(steffen, house, "KOMBITs", "deadline=gul")
    karen.post(f"/filtre/{ours}/niveauer", {"niveau": "plusbruger"}, expect=404)
    share(karen, ours)
    share(steffen, theirs)
    steffen.post(f"/filtre/{theirs}/niveauer", {"niveau": ["plusbruger", "laeser"]})
    assert "“KOMBITs” (valgt af KOMBIT)" in mette.get("/opgaver").get_text()
    karen.post(f"/filtre/{ours}/niveauer", {"niveau": "plusbruger"})
    assert "“Kommunens” (valgt af Køge Kommune)" in mette.get("/opgaver").get_text()
    assert "“KOMBITs” (valgt af KOMBIT)" in bo.get("/opgaver").get_text()
    karen.post(f"/filtre/{ours}/niveauer", {"niveau": "kombit-administrator"}, expect=422)
    mette.post(f"/filtre/{ours}/niveauer", {"niveau": "plusbruger"}, expect=403)
    own = save(mette, house, "Mit")
    mette.post(f"/filtre/{own}/standard", {"til": "ja"})
    assert "Åbnet med dit filter “Mit”" in mette.get("/opgaver").get_text()
    mette.post(f"/filtre/{own}/slet")
    share(karen, ours, "nej")
    assert "“KOMBITs” (valgt af KOMBIT)" in mette.get("/opgaver").get_text()
    steffen.post(f"/filtre/{theirs}/slet")
    assert "fordi intet andet er valgt" in mette.get("/opgaver").get_text()
    with house.database.reading() as session:
        assert session.scalars(select(FilterDefault)).all() == []


def test_a_default_that_cannot_be_read_any_more_breaks_nothing(
    house: Installation, people: Callable[[str], Browser]
) -> None:
    karen, mette = people("karen"), people("mette")
    number = save(karen, house, "Fælles")
    share(karen, number)
    mette.post(f"/filtre/{number}/standard", {"til": "ja"})
    assert "Åbnet med filteret “Fælles” (dit eget valg)" in mette.get("/opgaver").get_text()
    share(karen, number, "nej")
    assert "fordi intet andet er valgt" in mette.get("/opgaver").get_text()
    mine = save(mette, house, "Med udvidelse")
    mette.post(f"/filtre/{mine}/standard", {"til": "ja"})
    with house.writing(make.NOW) as work:
        work.session.execute(
            update(SavedFilter).where(SavedFilter.id == mine).values(query="gone.blokerer=ja&deadline=roed")
        )
    page = mette.get("/opgaver").get_text()
    assert "Åbnet med dit filter “Med udvidelse”" in page and "Rød i 259" in page
    assert "Filteret bruger “gone.blokerer”, som hører til en udvidelse, der ikke er her mere." in page


def test_who_left_is_named_and_replaced_by_the_one_who_came_after(
    house: Installation, people: Callable[[str], Browser]
) -> None:
    mette = people("mette")
    with house.writing(make.NOW) as work:
        gone, heir = make.person(work.session, "Jens Hansen"), make.person(work.session, "Åse Ærø")
        old = make.holding(work.session, holder=gone, primary=False)
        old.valid_to = make.TODAY - timedelta(days=1)
        make.holding(work.session, holder=heir)
        make.municipal_task(work.session, title="Arvet", responsible=heir)
        gone_id, heir_id = gone.id, heir.id
    number = save(mette, house, "Jens", f"ansvarlig={gone_id}&tema=it-miljoe-og-infrastruktur")
    assert "skal rettes" not in mette.get("/filtre").get_text()
    with house.writing(make.NOW) as work:
        work.session.execute(update(Membership).where(Membership.person_id == gone_id).values(active=False))
    opened = mette.get(f"/filtre/{number}/aabn")
    assert "Filteret peger på Jens Hansen, som er fratrådt." in opened.get_text()
    link = opened.find("a", string="Ret filteret")
    assert link is not None and link["href"] == f"/filtre#filter-{number}"
    page = mette.get("/filtre")
    label = page.find("label", attrs={"for": f"ny-{number}-1"})
    assert label is not None and label.get_text() == "Filteret peger på Jens Hansen, som er fratrådt."
    chosen = page.select_one(f"#ny-{number}-1 option[selected]")
    assert chosen is not None and chosen["value"] == str(heir_id)
    after = mette.submit(page, f"/filtre/{number}/ret", ny=str(heir_id))
    assert "Filteret “Jens” er rettet." in after.get_text() and "skal rettes" not in after.get_text()
    assert "Arvet" in mette.get(f"/filtre/{number}/aabn").get_text()
    mette.submit(page, f"/filtre/{number}/ret", expect=409)


def test_renamed_and_retired_words_are_mended_by_the_nearest(
    house: Installation, people: Callable[[str], Browser]
) -> None:
    mette = people("mette")
    number = save(mette, house, "Gammelt", "projekt=kp&tema=it-miljoe-og-infrastruktur&fase=opstart")
    with house.writing(make.NOW) as work:
        work.session.execute(
            update(SavedFilter)
            .where(SavedFilter.id == number)
            .values(
                query="fase=opstarten&projekt=nedlagt&tema=it-miljoe-infrastruktur&ansvarlig=rolle%3Agammel"
            )
        )
    page = mette.get("/filtre")
    said = page.get_text(" ", strip=True)
    for words in (
        "fasen “opstarten”",
        "projektet “nedlagt”",
        "temaet “it-miljoe-infrastruktur”",
        "rollen “gammel”",
    ):
        assert words in said
    chosen = {option["value"] for option in page.select(f"[id^=ny-{number}-] option[selected]")}
    assert {"opstart", "it-miljoe-og-infrastruktur", ""} <= chosen
    mette.submit(page, f"/filtre/{number}/ret", expect=422, ny=["opfundet", "", "", ""])
    mette.submit(page, f"/filtre/{number}/ret", expect=422, ny=["", "", "", ""])
    mette.submit(page, f"/filtre/{number}/ret", ny=["opstart", "", "it-miljoe-og-infrastruktur", ""])
    with house.database.reading() as session:
        query = session.scalars(select(SavedFilter.query).where(SavedFilter.id == number)).one()
    assert query == "fase=opstart&tema=it-miljoe-og-infrastruktur"


def test_mail_is_chosen_and_stopped_with_one_press(
    house: Installation, people: Callable[[str], Browser]
) -> None:
    mette = people("mette")
    number = save(mette, house, "Røde")
    page = mette.post(f"/filtre/{number}/mail", {"mail": "dagligt"})
    assert "Du får en mail hver dag, når der er opgaver i “Røde”." in page.get_text()
    pressed = [each.get_text() for each in page.select(".klik-filter-mail [aria-pressed=true]")]
    assert pressed == ["Hver dag"]
    mette.post(f"/filtre/{number}/mail", {"mail": "tit"}, expect=422)
    page = mette.post(f"/filtre/{number}/mail", {"mail": "ingen"})
    assert "Du får ikke længere mail om “Røde”." in page.get_text()
    with house.database.reading() as session:
        assert session.scalars(select(FilterUse.subscription)).one() == "ingen"
