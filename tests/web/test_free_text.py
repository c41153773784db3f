"""P1 on the page: said at the field, what was typed kept, one tick; files; and look-ups noted after the answer."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Comment, GalleryLookup, MunicipalTask, MunicipalTaskFile, StoredFile
from klik.web import lookups
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]
CPR = "010190-1234"


@pytest.fixture
def task(house: Installation) -> int:
    """A task in Køge, a plus user, an administrator of each of two municipalities."""
    with house.database.writing() as session:
        make.system(session)
        row = make.municipal_task(session)
        for name, level, place in (
            ("mette", Level.PLUS_USER, make.KOEGE),
            ("karen", Level.ADMINISTRATOR, make.KOEGE),
            ("hanne", Level.ADMINISTRATOR, make.HERNING),
        ):
            make.person(session, name.title(), level=level, municipality=place, email=f"{name}@koege.example")
        return row.id


def test_a_reason_is_asked_about_kept_and_stored_with_the_tick(
    browser: Open, house: Installation, task: int
) -> None:
    window = browser().sign_in("mette@koege.example")
    path = f"/opgaver/{task}/celle/status"
    typed = {"vaerdi": "ikke-relevant", "begrundelse": f"Kun borger {CPR}"}
    drawn = window.get(path)
    action = drawn.select_one("form[data-cell]")["action"]
    asked = window.submit(drawn, action, expect=422, **typed)
    assert "Begrundelse ser ud til at indeholde et CPR-nummer" in asked.text
    assert CPR in asked.select_one("textarea[name=begrundelse]").text
    window.submit(asked, action, **{"begrundelse-ikke-cpr": "y"})
    with house.database.reading() as session:
        assert session.get_one(MunicipalTask, task).not_relevant_reason == f"Kun borger {CPR}"
    # What is stored was ticked once; the next change of something else asks nothing.
    page = window.get(f"/opgaver/{task}")
    assert window.submit(page, f"/opgaver/{task}/ret").text


def test_a_file_is_kept_only_with_the_tick(browser: Open, house: Installation, task: int) -> None:
    window = browser().sign_in("mette@koege.example")
    action = f"/opgaver/{task}/filer"

    def content() -> tuple[io.BytesIO, str]:
        return io.BytesIO(f"Navn;Nr\r\nBo;{CPR}\r\nIb;020290-2345".encode()), "liste.csv"

    page = window.post(action, {"file": content()}, expect=422)
    assert "Filen ser ud til at indeholde 2 CPR-numre" in page.text and CPR not in page.text
    assert page.select_one("input[name='file-ikke-cpr']") is not None
    with house.database.reading() as session:
        assert session.scalars(select(StoredFile)).all() == []
    named = {"file": (io.BytesIO(b"intet"), f"{CPR}.txt"), "file-ikke-cpr": "y"}
    assert "Filens navn ser ud" in window.post(action, named, expect=422).text
    window.post(action, {"file": content(), "file-ikke-cpr": "y"})
    with house.database.reading() as session:
        assert session.scalars(select(MunicipalTaskFile.name)).all() == ["liste.csv"]


def test_what_no_form_asks_about_is_undone_by_the_net(browser: Open, house: Installation, task: int) -> None:
    window = browser().sign_in("mette@koege.example")
    page = window.post(f"/opgaver/{task}/kommentarer", {"text": "Hej", "strange": CPR}, expect=422)
    assert "ser ud til at indeholde et CPR-nummer" in page.text
    with house.database.reading() as session:
        assert session.scalars(select(Comment)).all() == []


def test_a_search_is_sent_on_without_the_number(browser: Open, task: int) -> None:
    window = browser().sign_in("mette@koege.example")
    page = window.get(f"/opgaver?q={CPR}")
    assert "Søgningen så ud til at indeholde et CPR-nummer" in page.text and CPR not in page.text


def test_who_looked_people_up_is_shown_to_those_who_answer_for_them(
    browser: Open, house: Installation, task: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mette = browser().sign_in("mette@koege.example")
    for path in ("/personer", "/personer", "/roller", "/opgaver"):
        mette.get(path)
    with house.database.reading() as session:
        assert sorted(session.scalars(select(GalleryLookup.kind))) == ["personer"], "nobody holds a role yet"
    mette.get("/personer/opslag", expect=403)
    karen = browser().sign_in("karen@koege.example")
    page = karen.get("/personer/opslag")
    assert "Listen over personer" in page.text and "Mette" in page.text
    assert "Mette" not in browser().sign_in("hanne@koege.example").get("/personer/opslag").main.text

    def fail(*_parts: object) -> bool:
        raise RuntimeError("planted")

    monkeypatch.setattr(lookups.lookups, "is_noted", fail)
    assert "Mette" in mette.get("/personer").text, "a failure there never spoils the page"


def test_the_page_of_personal_data_is_everybodys(browser: Open) -> None:
    page = browser().get("/persondata")
    assert "CPR-numre" in page.text and "Opslag af personer" in page.text
