"""The pages about somebody who leaves: prefilled, shown before it is done, changed, regretted, refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Departure, MunicipalTask, Person, RoleHolding
from klik.services.holders import SUBSTITUTE
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]


@pytest.fixture
def members(house: Installation) -> dict[str, int]:
    made = {}
    with house.database.writing() as session:
        make.system(session)
        rows = {}
        for name, level, municipality in (
            ("karen", Level.ADMINISTRATOR, make.KOEGE),
            ("mette", Level.PLUS_USER, make.KOEGE),
            ("ida", Level.PLUS_USER, make.KOEGE),
            ("hanne", Level.ADMINISTRATOR, make.HERNING),
            ("gitte", Level.KOMBIT_ADMINISTRATOR, None),
        ):
            rows[name] = make.person(
                session, name.title(), level=level, municipality=municipality, email=f"{name}@koege.example"
            )
            made[name] = make.actor(session, rows[name]).membership_id
        for number, days in enumerate((-3, -1, 2, *range(40, 46))):
            make.municipal_task(
                session,
                local=True,
                title=f"Opgave {number}",
                deadline=make.TODAY + timedelta(days=days),
                responsible=rows["mette"],
            )
        make.holding(session, holder=rows["mette"])
        stand_in = make.holding(session, holder=rows["ida"], primary=False)
        stand_in.kind, stand_in.valid_to = SUBSTITUTE, make.TODAY + timedelta(days=900)
    return made


def address(members: dict[str, int]) -> str:
    return f"/personer/{members['mette']}/fratraeder"


def test_from_the_person_to_handed_over(browser: Open, house: Installation, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    person = karen.get(f"/personer/{members['mette']}")
    link = person.find("a", string="Fratræder")
    form = karen.get(link["href"])
    chosen = form.select_one("#heir_rolle__systemansvarlig__kp option[selected]")
    assert chosen.text == "Ida"
    assert form.select_one("#heir_opgaver option[selected]").text == "Ida"
    shown = form.select_one("[aria-labelledby=det-sker]").get_text(" ", strip=True)
    assert "Ida overtager Systemansvarlig for Kommunernes Pensionssystem 9 opgaver" in shown
    assert form.find("button", string="Overdrag (9 opgaver)") is not None
    page = karen.submit(form, address(members), handling="overdrag")
    assert "9 opgaver overdraget" in page.text
    assert "Stopper " in page.select_one("#fratraeder").text
    assert "Ida overtager" in karen.get("/roller").text
    assert "Ida overtager" in karen.get("/roller/systemansvarlig").text
    with house.database.reading() as session:
        last_day = session.scalars(select(Departure.last_day)).one()
        assert session.scalars(select(MunicipalTask.responsible_id)).all()
    now = make.NOW + (last_day - make.TODAY) + timedelta(days=1)
    assert jobs.look_after_people(house, now).sentence == "1 fratrædelse er gennemført."
    with house.database.reading() as session:
        ida = session.scalars(select(Person.id).where(Person.name == "Ida")).one()
        assert set(session.scalars(select(MunicipalTask.responsible_id))) == {ida}
    assert "Uden adgang" in karen.get(f"/personer/{members['mette']}").text


def test_what_is_typed_is_kept(browser: Open, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    form = karen.get(address(members))
    typed = {
        "besked": "CPR 010190-1234",
        "sidste-dag": "31-02-2027",
        "modtager/opgaver": "ingen",
        "handling": "overdrag",
    }
    page = karen.submit(form, address(members), expect=422, **typed)
    assert "Sidste dag: " in page.text
    assert "Besked til dem, der tager over ser ud til at indeholde et CPR-nummer" in page.text
    assert page.select_one("#last_day")["value"] == "31-02-2027"
    assert "CPR 010190-1234" in page.select_one("#note").text
    assert page.select_one("#heir_opgaver option[selected]")["value"] == "ingen"
    ticked = typed | {"sidste-dag": "30-11-2036", "besked-ikke-cpr": "ja"}
    page = karen.submit(page, address(members), expect=422, **ticked)
    assert "CPR-nummer, og" not in page.text
    assert "Sidste dag: skal ligge mellem" in page.text


def test_only_shown(browser: Open, house: Installation, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    form = karen.get(address(members))
    page = karen.submit(
        form, address(members), **{"modtager/rolle/systemansvarlig/kp": "ingen", "handling": "vis"}
    )
    assert "rollen bliver ubesat" in page.select_one("[aria-labelledby=det-sker]").text
    with house.database.reading() as session:
        assert session.scalars(select(Departure)).all() == []


def test_somebody_new_is_invited_first(browser: Open, house: Installation, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    form = karen.get(address(members))
    typed = {"besked": "Tak for nu", "ny-navn": "Ny Nielsen", "handling": "inviter"}
    wrong = karen.submit(form, address(members), expect=422, **typed, **{"ny-adresse": "ny@kmd.example"})
    assert "Mailadressen slutter på kmd.example" in wrong.text
    page = karen.submit(wrong, address(members), **typed, **{"ny-adresse": "ny@koege.example"})
    assert "Tak for nu" in page.select_one("#note").text
    assert page.select_one("#invited").get("value", "") == ""
    new = page.find("option", string="Ny Nielsen")["value"]
    page = karen.submit(page, address(members), **{"modtager/opgaver": new, "handling": "overdrag"})
    assert "Ny Nielsen overtager opgaverne" in page.text
    again = karen.get(address(members))
    assert again.select_one("#heir_opgaver option[selected]").text == "Ny Nielsen"
    assert again.find("button", string="Gem ændringen (9 opgaver)") is not None


def test_changed_by_two_and_regretted(browser: Open, house: Installation, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    first = karen.get(address(members))
    karen.submit(first, address(members), handling="overdrag")
    conflict = karen.submit(first, address(members), expect=409, handling="overdrag")
    assert "Sidste dag" in conflict.text
    page = karen.get(address(members))
    version = page.select_one("form[action$=fortryd] input[name=version]")["value"]
    karen.post(f"{address(members)}/fortryd", {"version": "99"}, expect=409)
    done = karen.post(f"{address(members)}/fortryd", {"version": version})
    assert done is not None
    with house.database.reading() as session:
        assert session.scalars(select(Departure.regretted_at)).one() is not None
    assert karen.get(f"/personer/{members['mette']}").find("a", string="Fratræder") is not None


def test_an_heir_of_another_municipality_and_other_doors(
    browser: Open, house: Installation, members: dict[str, int]
) -> None:
    karen = browser().sign_in("karen@koege.example")
    form = karen.get(address(members))
    with house.database.reading() as session:
        hanne = session.scalars(select(Person.id).where(Person.name == "Hanne")).one()
    karen.submit(
        form, address(members), expect=422, **{"modtager/opgaver": str(hanne), "handling": "overdrag"}
    )
    assert "Hanne" not in form.text
    browser().sign_in("hanne@koege.example").get(address(members), expect=404)
    browser().sign_in("ida@koege.example").get(address(members), expect=403)
    gitte = browser().sign_in("gitte@koege.example")
    gitte.get(address(members), expect=403)
    assert gitte.get(f"/personer/{members['mette']}").find("a", string="Fratræder") is None
    karen.submit(form, address(members), handling="overdrag")
    assert "Stopper " in gitte.get(f"/personer/{members['mette']}").select_one("#fratraeder").text


def test_the_only_administrator_is_told_what_to_do(browser: Open, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    own = f"/personer/{members['karen']}/fratraeder"
    page = karen.get(own)
    assert "Gør først en anden til administrator" in page.text
    assert page.find("button", attrs={"value": "overdrag"}) is None
    karen.submit(page, own, expect=422, handling="overdrag")


def test_a_role_that_was_ended_long_ago_is_not_asked_about(
    browser: Open, house: Installation, members: dict[str, int]
) -> None:
    with house.database.writing() as session:
        for row in session.scalars(select(RoleHolding)):
            row.valid_from, row.valid_to = make.TODAY - timedelta(days=80), make.TODAY - timedelta(days=70)
    page = browser().sign_in("karen@koege.example").get(address(members))
    assert page.select_one("#heir_rolle__systemansvarlig__kp") is None
