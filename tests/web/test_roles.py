"""The pages of the role gallery, through a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select

from klik.domain.calendar import short_date
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Person, RoleEdition, RoleHolding, RoleReading
from klik.web.base import moment
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]
ADMINISTRATOR = "karen@koege.example"


@pytest.fixture
def people(house: Installation) -> dict[str, int]:
    with house.database.writing() as session:
        make.has_system(session, code="kp")
        made = {
            "karen": make.person(session, "Karen Kjær", level=Level.ADMINISTRATOR, email=ADMINISTRATOR),
            "mette": make.person(session, "Mette Holm", email="mette@koege.example"),
            "bente": make.person(session, "Bente Skov", level=Level.READER, email="bente@koege.example"),
            "hanne": make.person(
                session,
                "Hanne",
                level=Level.ADMINISTRATOR,
                municipality=make.HERNING,
                email="hanne@herning.example",
            ),
            "gitte": make.person(session, "Gitte", level=Level.KOMBIT_EDITOR, email="gitte@kombit.example"),
            "nadia": make.person(
                session, "Nadia", level=Level.SUPPLIER, systems=("kp",), email="nadia@net.example"
            ),
        }
        make.municipal_task(session, make.task(session, phase="ibrugtagning"))
        return {name: row.id for name, row in made.items()}


def test_a_vacancy_is_filled_in_three_clicks(browser: Open, people: dict[str, int]) -> None:
    mine = browser().sign_in(ADMINISTRATOR)
    gallery = mine.get("/roller")
    row = gallery.find(id="systemansvarlig-kp")
    assert "Ubesat" in row.text
    assert "Mangler nu" in row.text
    form = mine.get(row.select_one("a[href*=besaet]")["href"])
    action = "/roller/systemansvarlig/besaet?system=kp"
    after = mine.submit(form, action, person=str(people["mette"]))
    row = after.find(id="systemansvarlig-kp")
    assert "Mette Holm" in row.text
    assert "Primær" in row.text
    assert "bekræftet i dag" in row.text
    again = mine.submit(form, action, person=str(people["mette"]))
    assert again.find("h1").text == "Roller i Køge"


def test_what_was_typed_is_kept(browser: Open, people: dict[str, int]) -> None:
    mine = browser().sign_in(ADMINISTRATOR)
    action = "/roller/superbruger/besaet?system=kp"
    page = mine.submit(
        mine.get(action),
        action,
        expect=422,
        person=str(people["mette"]),
        valid_from="32-13-2026",
        note="Vikar",
    )
    assert page.select_one("#fejloversigt") is not None
    assert page.select_one("#valid_from")["value"] == "32-13-2026"
    assert page.select_one("#note").text.strip() == "Vikar"
    assert page.select_one("#person option[selected]")["value"] == str(people["mette"])
    page = mine.submit(page, action, expect=422, person="999999", valid_from="")
    assert "Vælg en af mulighederne på listen." in page.text


def test_primary_confirming_and_ending(browser: Open, house: Installation, people: dict[str, int]) -> None:
    mine = browser().sign_in(ADMINISTRATOR)
    action = "/roller/systemansvarlig/besaet?system=kp"
    for who in ("mette", "karen"):
        mine.submit(mine.get(action), action, person=str(people[who]))
    with house.database.reading() as session:
        first, second = session.scalars(select(RoleHolding.id).order_by(RoleHolding.id)).all()
    page = mine.submit(mine.get("/roller"), f"/roller/indehavere/{second}/primaer")
    holders = page.find(id="systemansvarlig-kp").select(".roles-holder")
    assert "Karen Kjær" in holders[0].text
    assert "Primær" in holders[0].text
    mine.submit(mine.get("/roller"), f"/roller/indehavere/{second}/bekraeft")
    end = f"/roller/indehavere/{first}/afslut"
    page = mine.get(end)
    wrong = short_date(danish_today(moment()) - timedelta(days=3))
    refused = mine.submit(page, end, expect=422, last_day=wrong)
    assert refused.select_one("#last_day")["value"] == wrong
    mine.submit(page, end)
    with house.database.reading() as session:
        assert session.get_one(RoleHolding, first).valid_to == danish_today(moment())
    mine.submit(page, end, expect=409)


def test_the_role_page_explains_the_role(browser: Open, people: dict[str, int]) -> None:
    page = browser().sign_in(ADMINISTRATOR).get("/roller/systemansvarlig")
    for words in ("Hvad er rollen?", "Opgaver i rollen", "Udgave 1.", "Forankring", "Skal være plusbruger"):
        assert words in page.text
    browser().sign_in(ADMINISTRATOR).get("/roller/findes-ikke", expect=404)


def test_others_read_and_cannot_write(browser: Open, house: Installation, people: dict[str, int]) -> None:
    with house.database.writing() as session:
        holding = make.holding(session, mailbox="pension@koege.example").id
    reader = browser().sign_in("bente@koege.example")
    page = reader.get("/roller")
    assert "pension@koege.example" in page.text
    assert page.select("main form[method=post]") == []
    assert "besaet" not in str(page)
    reader.get("/roller/superbruger/besaet?system=kp", expect=403)
    reader.post(f"/roller/indehavere/{holding}/bekraeft", expect=403)
    supplier = browser().sign_in("nadia@net.example")
    supplier.get("/roller", expect=403)
    supplier.get("/personer", expect=403)


def test_another_municipality_finds_nothing(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    with house.database.writing() as session:
        holding = make.holding(session, mailbox="pension@koege.example").id
    hanne = browser().sign_in("hanne@herning.example")
    assert "pension@koege.example" not in hanne.get("/roller?kommune=259").text
    hanne.get(f"/roller/indehavere/{holding}/afslut", expect=404)
    for act in ("afslut", "bekraeft", "primaer"):
        hanne.post(
            f"/roller/indehavere/{holding}/{act}", {"version": 1, "last_day": "21-11-2026"}, expect=404
        )


def test_kombit_sees_the_matrix_and_each_gallery(browser: Open, people: dict[str, int]) -> None:
    gitte = browser().sign_in("gitte@kombit.example")
    page = gitte.get("/roller")
    assert len(page.select(".roles-matrix tbody tr")) == 98
    gallery = gitte.get("/roller?kommune=259")
    assert gallery.find("h1").text == "Roller i Køge"
    assert "besaet" not in str(gallery)
    gitte.get("/roller/systemansvarlig?kommune=259")
    gitte.get("/roller/systemansvarlig")
    gitte.get("/roller?kommune=999", expect=404)
    gitte.get("/roller?kommune=abc", expect=404)
    gitte.get("/roller/superbruger/besaet?system=kp", expect=403)


def test_a_substitute_is_made_in_four_clicks_and_undone_in_one(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    with house.database.writing() as session:
        make.holding(session, mailbox="pension@koege.example")
    mine = browser().sign_in(ADMINISTRATOR)
    role = mine.get("/roller/systemansvarlig")
    link = role.select_one("a[href*='som=stedfortraeder']")["href"]
    form = mine.get(link)
    assert form.find("h1").text == "Stedfortræder for Systemansvarlig for Kommunernes Pensionssystem"
    assert form.select("details #valid_to") == []
    action = "/roller/systemansvarlig/besaet?system=kp"
    wrong = mine.submit(form, action, expect=422, person=str(people["mette"]))
    assert "en stedfortræder skal have en slutdato" in wrong.text
    assert wrong.find("h1").text.startswith("Stedfortræder for ")
    last = short_date(danish_today(moment()) + timedelta(days=9))
    after = mine.submit(wrong, action, valid_to=last)
    row = after.find(id="systemansvarlig-kp")
    assert "Mette Holm" in row.text and "Stedfortræder" in row.text
    with house.database.reading() as session:
        made = session.scalars(select(RoleHolding.id).where(RoleHolding.kind == "stedfortraeder")).one()
    after = mine.submit(after, f"/roller/indehavere/{made}/fortryd")
    assert "Mette Holm" not in after.find(id="systemansvarlig-kp").text


def test_the_gallery_of_another_day_has_no_acts(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    with house.database.writing() as session:
        row = make.holding(session, mailbox="gammel@koege.example")
        row.valid_to = row.valid_from + timedelta(days=9)
        day = row.valid_to
    mine = browser().sign_in(ADMINISTRATOR)
    assert "gammel@koege.example" not in mine.get("/roller").text
    page = mine.get(f"/roller?dag={day}")
    assert "Et tilbageblik" in page.text and "gammel@koege.example" in page.text
    assert page.select("main form[method=post]") == [] and "besaet" not in str(page.select_one("main"))
    for typed in ("32-13-2026", "i går", "2026-02-30", "<b>"):
        wrong = mine.get(f"/roller?dag={quote(typed)}", expect=422)
        assert wrong.select_one("#dag-error").text.startswith("Fejl: Vis som den: ")
        assert wrong.select_one("#dag")["value"] == typed
    lines = mine.get("/roller/systemansvarlig").select(".roles-history tbody tr")
    assert [line.find("th").text for line in lines] == ["gammel@koege.example"]


def test_a_changed_description_is_marked_until_it_is_read(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    texts = {
        "navn": "Superbruger",
        "resume": "Kort.",
        "beskrivelse": "Hjælper kolleger.",
        "opgaver": "- Hjælp",
    }
    with house.database.writing() as session:
        session.add(
            RoleEdition(
                role="superbruger",
                version=1,
                change="Første udgave.",
                content=json.dumps(texts | {"kontakt": "Spørg."}),
                known_from=make.TODAY,
            )
        )
        session.add(RoleReading(person_id=people["bente"], role="superbruger", version=1, read_at=make.NOW))
    reader = browser().sign_in("bente@koege.example")
    assert "Ændret siden sidst" in reader.get("/roller").find(id="superbruger-kp").text
    page = reader.get("/roller/superbruger")
    assert "Du har læst udgave 1" in page.text and page.select("ins") and page.select("del")
    assert "Ændret siden sidst" in reader.get("/roller/superbruger").text, "reading by GET marks nothing"
    after = reader.submit(page, "/roller/superbruger/set")
    assert "Ændret siden sidst" not in after.text and "Du har læst denne udgave." in after.text
    assert "Ændret siden sidst" not in reader.get("/roller").text
    assert [each.text for each in after.select(".roles-editions strong")] == ["Udgave 2", "Udgave 1"]
    browser().sign_in("nadia@net.example").post("/roller/superbruger/set", expect=403)
    reader.post("/roller/findes-ikke/set", expect=404)


def test_other_municipalities_see_a_name_only_of_roles_that_are_shared(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    with house.database.writing() as session:
        mette = session.get_one(Person, people["mette"])
        karen = session.get_one(Person, people["karen"])
        for role in house.registry.content.roles:
            system = None if role.scope == "kommune" else (role.systems or ("kp",))[0]
            if system:
                make.system(session, system)
            make.holding(session, role.slug, holder=mette, system_code=system)
            make.holding(session, role.slug, holder=karen, system_code=system, primary=False)
        boxed = make.holding(
            session, "kombit-programleder", mailbox="post@aarhus.example", system_code=None, municipality=751
        )
        assert boxed.is_primary
    hanne = browser().sign_in("hanne@herning.example")
    shared = []
    for role in house.registry.content.roles:
        page = hanne.get(f"/roller/{role.slug}").text
        if "Mette Holm" in page:
            shared.append(role.slug)
        assert not {"mette@koege.example", "Karen Kjær", "post@aarhus.example"} & set(page.split())
        assert "Karen Kjær" not in page and "@koege" not in page and "@aarhus" not in page
    assert shared == [role.slug for role in house.registry.content.roles if role.shared]
    assert shared == ["kombit-programleder"]
    assert "Mette Holm" not in hanne.get("/roller").text
    browser().sign_in("nadia@net.example").get("/roller/kombit-programleder", expect=403)
    print(f"Gallery: {len(shared)} shared role of {len(house.registry.content.roles)}; of the others 0 names")  # noqa: T201
