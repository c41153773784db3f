"""The task page: who sees and may do what, and that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

from klik.installation import Installation
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]


def signed_in(browser: Open, email: str, path: str) -> Browser:
    """Signed in by way of the page that is wanted."""
    window = browser()
    page = window.get(f"/log-ind?next={path}")
    window.submit(page, "/log-ind", email=email, password=make.PASSWORD)
    return window


def test_first(house: Installation, browser: Open) -> None:
    with house.writing(make.NOW) as work:
        me = make.person(work.session)
        task = make.municipal_task(work.session).id
        email = me.email
    window = signed_in(browser, email, f"/opgaver/{task}")
    page = window.get(f"/opgaver/{task}")
    assert "Udarbejd" in page.h1.text
    page = window.submit(page, f"/opgaver/{task}/ret", status="i-gang")
    assert "Ændringen er gemt" in page.text
    assert "Ikke påbegyndt → I gang" in page.text
    page = window.submit(page, f"/opgaver/{task}/kommentarer", text="Hej <b>x</b>")
    assert "Hej <b>x</b>" in page.text
    page = window.get("/opgaver/ny")
