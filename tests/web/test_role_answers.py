"""What the administrator does about answers to “Er det stadig dig?”, and KOMBIT's list of who has confirmed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Membership, Notice, Person, RoleAnswer, RoleHolding
from klik.services.notices import still_you
from tests import make
from tests.client import Browser
from tests.make import HERNING
from tests.web.still_you_scene import ANSWERS, DAY, OWN, Scene, asked, words


@pytest.fixture
def scene(house: Installation) -> Scene:
    return asked(house)


def proposed(scene: Scene, browser: Callable[..., Browser], fields: dict[str, str], place: int = 0) -> int:
    """Jens has answered; the id of the answer."""
    address = scene.link()
    number = scene.holdings[place]
    browser().post(
        address, {"token": address[10:]} | {f"{name}-{number}": value for name, value in fields.items()}
    )
    with scene.house.reading(scene.now) as work:
        return work.session.scalars(select(func.max(RoleAnswer.id))).one() or 0


def told(scene: Scene, email: str) -> Sequence[str]:
    with scene.house.reading(scene.now) as work:
        return work.session.scalars(
            select(Notice.heading)
            .join(Person, Person.id == Notice.person_id)
            .where(Person.email == email, Notice.occasion == still_you.ANSWERED)
        ).all()


NEW = {"svar": "ny", "navn": "Bo Krog", "mail": "bo@koege.example", "note": "Fra mandag"}


def test_one_press_carries_out_a_new_person(scene: Scene, browser: Callable[..., Browser]) -> None:
    answer = proposed(scene, browser, NEW)
    assert [heading.partition(":")[0] for heading in told(scene, "anne@koege.example")] == [
        "Jens Holm foreslår en anden"
    ]
    anne = browser().sign_in("anne@koege.example")
    page = anne.get(ANSWERS)
    assert "Jens Holm foreslår Bo Krog (bo@koege.example), som har adgang til klik" in words(page)
    done = anne.submit(page, f"{ANSWERS}/{answer}/udfoer")
    assert "Bo Krog er systemansvarlig for " in words(done)
    with scene.house.reading(scene.now) as work:
        old = work.session.get_one(RoleHolding, scene.holdings[0])
        new = work.session.scalars(select(RoleHolding).where(RoleHolding.person_id == scene.bo)).one()
        assert (old.valid_to, new.valid_from) == (work.today, work.today + DAY)
        assert (new.role, new.system_code) == (old.role, old.system_code)
    assert scene.answers()[0][4] == "udfoert"
    anne.post(f"{ANSWERS}/{answer}/udfoer", expect=422)
    address = scene.link()
    browser().post(address, {"token": address[10:], f"svar-{scene.holdings[0]}": "tom"})
    assert scene.answers()[0][1] == "ny", "what is settled is not changed by the link"


def test_an_empty_role_is_ended(scene: Scene, browser: Callable[..., Browser]) -> None:
    answer = proposed(scene, browser, {"svar": "tom"}, 1)
    anne = browser().sign_in("anne@koege.example")
    anne.submit(anne.get(ANSWERS), f"{ANSWERS}/{answer}/udfoer")
    with scene.house.reading(scene.now) as work:
        assert work.session.get_one(RoleHolding, scene.holdings[1]).valid_to == work.today


def test_somebody_without_access_is_let_in_and_given_the_role(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    answer = proposed(scene, browser, {"svar": "ny", "navn": "Ny Person", "mail": "ny@koege.example"})
    anne = browser().sign_in("anne@koege.example")
    address = f"{ANSWERS}/{answer}/adgang"
    assert anne.get(ANSWERS).select_one(f'a[href="{address}"]') is not None
    anne.post(f"{ANSWERS}/{answer}/udfoer")
    assert anne.response.request.path == address, "the press leads to giving access"
    page = anne.get(address)
    assert page.select_one("#email")["value"] == "ny@koege.example"  # type: ignore[index]
    wrong = anne.submit(page, address, email="ny", expect=422)
    assert wrong.select_one("#name")["value"] == "Ny Person"  # type: ignore[index]
    done = anne.submit(page, address)
    assert "Ny Person er systemansvarlig for " in words(done)
    with scene.house.reading(scene.now) as work:
        person = work.session.scalars(select(Person).where(Person.email == "ny@koege.example")).one()
        held = work.session.scalars(select(RoleHolding).where(RoleHolding.person_id == person.id)).one()
        assert held.valid_from == work.today + DAY


def test_a_dismissal_goes_back_with_its_reason(scene: Scene, browser: Callable[..., Browser]) -> None:
    answer = proposed(scene, browser, NEW)
    anne = browser().sign_in("anne@koege.example")
    page = anne.get(ANSWERS)
    address = f"{ANSWERS}/{answer}/afvis"
    refused = anne.submit(page, address, expect=422, begrundelse="Se 010190-1234")
    assert "CPR-nummer" in words(refused)
    assert refused.select_one(f"#begrundelse-{answer}")["value"] == "Se 010190-1234"  # type: ignore[index]
    anne.submit(page, address, begrundelse="Bo er på orlov")
    assert scene.answers()[0][4] == "afvist"
    with scene.house.reading(scene.now) as work:
        row = work.session.scalars(
            select(Notice).where(Notice.person_id == scene.jens, Notice.occasion == still_you.ANSWERED)
        ).one()
        assert row.heading.startswith("Dit svar om rollen systemansvarlig for ")
        assert row.sentence == "Du står stadig med rollen i galleriet. Begrundelse: Bo er på orlov"


def test_the_administrator_confirms_for_a_person_and_for_a_system(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    anne = browser().sign_in("anne@koege.example")
    page = anne.get(ANSWERS)
    assert "0 af 4 indehavere er bekræftet i denne runde." in words(page)
    forms = page.select(f'form[action="{ANSWERS}/bekraeft"]')
    shown = [form.select_one("input[name=vist]")["value"] for form in forms]  # type: ignore[index]
    everything = ",".join(map(str, scene.holdings))
    assert sorted(shown) == sorted([str(scene.of_box), everything, everything])
    anne.post(f"{ANSWERS}/bekraeft", {"vist": everything})
    assert scene.confirmed() == set(scene.holdings)
    assert "3 af 4 indehavere" in words(anne.get("/roller"))
    with scene.house.reading(scene.now) as work:
        away = work.session.scalars(
            select(RoleHolding.id).where(RoleHolding.municipality_id == HERNING)
        ).one()
    anne.post(f"{ANSWERS}/bekraeft", {"vist": f"{scene.of_box},{away}"}, expect=404)
    assert scene.confirmed() == set(scene.holdings), "all or nothing"


def test_the_flag_of_a_year_and_kombits_list(scene: Scene, browser: Callable[..., Browser]) -> None:
    scene.change(RoleHolding, RoleHolding.id == scene.holdings[0], confirmed_at=scene.now - 366 * DAY)
    with scene.house.writing(scene.now) as work:
        make.person(
            work.session, "Kim", level=Level.KOMBIT_EDITOR, municipality=None, email="kim@kombit.example"
        )
    flag = "Ikke bekræftet i 12 måneder"
    anne = browser().sign_in("anne@koege.example")
    assert words(anne.get("/roller")).count(flag) == 1
    with scene.house.reading(scene.now) as work:
        member = work.session.scalars(select(Membership.id).where(Membership.person_id == scene.jens)).one()
    assert words(anne.get(f"/personer/{member}")).count(flag) == 1
    kim = browser().sign_in("kim@kombit.example")
    page = kim.get("/roller/bekraeftelser")
    assert len(page.select("tbody tr")) == 98
    assert len(kim.get("/roller/bekraeftelser?vis=mangler").select("tbody tr")) == 2
    flagged = kim.get("/roller/bekraeftelser?vis=markeret")
    assert [row.text for row in flagged.select("tbody th a")] == ["Køge"]
    assert kim.get("/roller").select_one('a[href="/roller/bekraeftelser"]') is not None
    anne.get("/roller/bekraeftelser", expect=403)
    kim.get(OWN, expect=404)
