"""KP's support desk: whose cases they are, how a case goes, what leaves klik, and that no CPR number stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins.kp import demo
from klik.plugins.kp.tables import cases, knowledge, ticks
from klik.services import for_plugins
from tests import make
from tests.client import Browser

DIGITS = ("010190", "1234")
GOOD = "Flettefelter udfyldes ikke automatisk i “Helbredstillægskort”-brev"
FORM = {
    "sagstype": "fejl",
    "titel": GOOD,
    "komponent": "Breve",
    "kritikalitet": "C",
    "borger": "y",
    "sagsnoegle": "FOP-QHH4QP-K-06GSD2",
    "opgavenoegle": "OPG-AEP3K7LJ",
    "dispdato": "",
    "handling": "1. Jeg åbnede opgaven Send brev\n2) Jeg valgte brevet Helbredstillægskort",
    "proevet": "Brevet er dannet igen",
    "teknisk": "Intern systemfejl [code status: 5601]",
    "forventet": "At navn og dato står i brevet",
    "andre": "Ja, på HK-GMFVV8",
}


@pytest.fixture
def sign_in(house: Installation, browser: Callable[..., Browser]) -> Callable[..., Browser]:
    def of(level: Level = Level.USER, municipality: int | None = make.KOEGE, **more: Any) -> Browser:
        with house.writing(make.NOW) as work:
            make.has_system(work.session)
            central = level in (Level.SUPPLIER, Level.KOMBIT_EDITOR, Level.KOMBIT_ADMINISTRATOR)
            place = None if central else municipality
            email = make.person(work.session, level=level, municipality=place, **more).email
        return browser().sign_in(email)

    return of


def begin(visitor: Browser, **changes: str) -> str:
    """A stored draft; gives its address."""
    page = visitor.get("/p/kp/sager")
    visitor.submit(page, "/p/kp/sager", act="gem", **(FORM | changes))
    return str(visitor.response.request.path)


def rows(house: Installation) -> list[Any]:
    with house.reading(make.NOW) as work:
        store = for_plugins.context(work, "kp").store
        assert store is not None
        return list(store.execute(select(cases).order_by(cases.c.id)))


def test_a_case_goes_from_draft_to_closed(house: Installation, sign_in: Callable[..., Browser]) -> None:
    visitor = sign_in()
    address = begin(visitor)
    page = visitor.get(address)
    assert "Sagen er klar" in page.get_text()
    visitor.post(address, filing(page, address, nummer="MS-1"))
    page = visitor.get(address)
    assert "Oprettet i MinSupport" in page.get_text() and "MS-1" in page.get_text()
    print(page.get_text())


def filing(page: Any, address: str, **changes: str) -> dict[str, Any]:
    from tests.client import filled

    form = page.find("input", attrs={"name": "act", "value": "opret"}).find_parent("form")
    return filled(form) | changes
