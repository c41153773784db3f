"""Signing in and out through the real form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import LoginSession, Membership, Person
from klik.services.people import sessions
from tests import make
from tests.client import Browser


@pytest.fixture
def mette(house: Installation) -> Person:
    with house.database.writing() as session:
        return make.person(session, "Mette Holm", email="mette@koege.example", level=Level.ADMINISTRATOR)


def test_signing_in_and_out(browser: Callable[..., Browser], mette: Person) -> None:
    mine = browser().sign_in("mette@koege.example")
    page = mine.get("/")
    assert "Mette Holm" in page.text
    assert "Køge · Administrator" in page.text
    mine.post("/log-ud")
    assert mine.response.request.path == "/log-ind"
    assert mine.get("/").find("h1").text == "Log ind"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("mette@koege.example", "forkert adgangskode"),
        ("ukendt@koege.example", make.PASSWORD),
        ("Mette@koege.example ", make.PASSWORD[:-1]),
    ],
)
def test_wrong_password_and_unknown_address_look_alike(
    browser: Callable[..., Browser], mette: Person, email: str, password: str
) -> None:
    mine = browser()
    page = mine.submit(mine.get("/log-ind"), "/log-ind", email=email, password=password)
    assert "Mailadressen eller adgangskoden er forkert." in page.text
    assert page.select_one("input[name=email]")["value"].strip() == email.strip()


def test_the_sixth_try_has_to_wait(browser: Callable[..., Browser], mette: Person) -> None:
    mine = browser()
    for _ in range(5):
        mine.submit(mine.get("/log-ind"), "/log-ind", email="mette@koege.example", password="forkert")
    page = mine.submit(
        mine.get("/log-ind"), "/log-ind", email="mette@koege.example", password=make.PASSWORD, expect=429
    )
    assert "For mange forkerte forsøg. Prøv igen om 15 minutter." in page.text


@pytest.mark.parametrize("end", ["log-ud", "disable", "membership", "epoch", "idle", "old"])
def test_an_ended_session_opens_nothing_again(
    browser: Callable[..., Browser], house: Installation, mette: Person, end: str
) -> None:
    mine = browser().sign_in("mette@koege.example")
    kept = mine._client.get_cookie("klik").value
    if end == "log-ud":
        mine.post("/log-ud")
        mine._client.set_cookie("klik", kept)
    with house.database.writing() as session:
        change = {
            "disable": update(Person).values(active=False),
            "membership": update(Membership).values(active=False),
            "epoch": update(Person).values(epoch=2),
            "idle": update(LoginSession).values(seen_at=make.NOW - sessions.IDLE - timedelta(days=1)),
            "old": update(LoginSession).values(expires_at=make.NOW - timedelta(days=1)),
        }.get(end)
        if change is not None:
            session.execute(change)
    assert mine.get("/").find("h1").text == "Log ind"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil", "javascript:1", "/nowhere"]
)
def test_next_stays_in_klik(browser: Callable[..., Browser], mette: Person, target: str) -> None:
    mine = browser()
    page = mine.get("/log-ind")
    mine.submit(page, "/log-ind", email="mette@koege.example", password=make.PASSWORD, next=target)
    assert mine.response.request.path == "/"


def test_what_was_typed_is_shown_when_the_session_is_over(
    browser: Callable[..., Browser], mette: Person
) -> None:
    page = browser().post("/skift-kommune", {"membership_id": "12", "note": "en lang tekst"}, expect=401)
    assert "en lang tekst" in page.text
    assert page.find("h1").text == "Du er logget ud"


def test_the_database_keeps_no_cookie(
    browser: Callable[..., Browser], house: Installation, mette: Person
) -> None:
    mine = browser().sign_in("mette@koege.example")
    kept = mine._client.get_cookie("klik").value
    with house.database.reading() as session:
        assert kept not in set(session.scalars(select(LoginSession.id)))


def test_every_answer_carries_the_headers(browser: Callable[..., Browser], mette: Person) -> None:
    mine = browser()
    for path, status in (("/log-ind", 200), ("/findes-ikke", 404), ("/static/klik.css", 200), ("/", 200)):
        mine.get(path, expect=status)
        headers = mine.response.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Request-Id"]
