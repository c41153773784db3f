"""The page where everybody chooses when klik mails them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, Notice, NoticeSettings
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from tests import make
from tests.client import Browser, filled

PAGE = "/varsler/indstillinger"
METTE = "mette@koege.example"


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> None:
    with time_machine.travel(make.NOW, tick=False):
        yield


def fill(house: Installation, waiting: int = 4) -> None:
    with house.writing(make.NOW) as work:
        mette = make.person(work.session, "Mette Holm", email=METTE)
        make.person(work.session, "Nadia Fog", level=Level.SUPPLIER, email="nadia@netcompany.example")
        to = Recipient(mette.id, mette.email, make.KOEGE, "ansvarlig")
        drafts = [
            NoticeDraft(
                occasion="rettet",
                dedupe_key=f"r/{number}",
                recipient=to,
                heading="H",
                sentence="S",
                path="/opgaver",
            )
            for number in range(waiting)
        ]
        ledger.enqueue(work, drafts)


def said(page: BeautifulSoup) -> str:
    return " ".join(page.get_text(" ").split())


def stored(house: Installation) -> tuple[int, str | None, str | None, int] | None:
    with house.database.reading() as session:
        row = session.scalar(select(NoticeSettings))
        return (row.hour, row.at_once, row.days_before, row.version) if row else None


def test_it_says_when_the_next_mail_comes_and_with_how_much(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    fill(house)
    visitor = browser().sign_in(METTE)
    words = said(visitor.get(PAGE))
    assert "Din næste samlede mail: mandag 23. november 2026 kl. 07.00, med 4 varsler." in words
    page = visitor.submit(visitor.get(PAGE), PAGE, hour="9")
    assert "Dine valg er gemt." in said(page)
    assert "mandag 23. november 2026 kl. 09.00, med 4 varsler." in said(page)
    assert stored(house) == (9, None, None, 1)


def test_nothing_waiting_is_said(house: Installation, browser: Callable[[], Browser]) -> None:
    fill(house, 0)
    words = said(browser().sign_in(METTE).get(PAGE))
    assert "mandag 23. november 2026 kl. 07.00, hvis der er noget at fortælle" in words


def test_what_comes_at_once_and_how_many_days_before(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    fill(house)
    visitor = browser().sign_in(METTE)
    page = visitor.get(PAGE)
    ticked = {box["value"] for box in page.select("input[type=checkbox][checked]")}
    assert {"udgivet", "tildelt", "7", "1"} <= ticked and "rettet" not in ticked
    data = filled(page.find("form", attrs={"action": PAGE})) | {
        "days_before": ["14", "1"],
        "straks_2": ["rettet"],
    }
    page = visitor.post(PAGE, data)
    ticked = {box["value"] for box in page.select("input[type=checkbox][checked]")}
    assert {"rettet", "14", "1"} <= ticked and not {"udgivet", "7"} & ticked
    with house.database.reading() as session:
        assert {notice.due_at for notice in session.scalars(select(Notice))} == {make.NOW}
    assert (stored(house) or ())[2] == "14,1"
    page = visitor.submit(page, f"{PAGE}/nulstil")
    assert "som klik plejer" in said(page)
    assert stored(house) == (7, None, None, 2)
    assert not page.find("form", attrs={"action": f"{PAGE}/nulstil"})
    with house.database.reading() as session:
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert acts[-2:] == ["choose-mail-times", "reset-mail-times"]


@pytest.mark.parametrize(
    "changes",
    [
        {"hour": "5"},
        {"hour": "syv"},
        {"hour": ""},
        {"hour": "99999999999999999999"},
        {"days_before": ["5"]},
        {"days_before": ["x"]},
        {"straks_1": ["eksport-klar"]},
    ],
)
def test_what_cannot_be_chosen_is_said_in_danish(
    house: Installation, browser: Callable[[], Browser], changes: dict[str, object]
) -> None:
    fill(house)
    visitor = browser().sign_in(METTE)
    data = filled(visitor.get(PAGE).find("form", attrs={"action": PAGE})) | changes
    page = visitor.post(PAGE, data, expect=422)
    assert page.select_one(".klik-error-summary")
    assert stored(house) is None


def test_a_version_nobody_was_given(house: Installation, browser: Callable[[], Browser]) -> None:
    fill(house)
    visitor = browser().sign_in(METTE)
    for path in (PAGE, f"{PAGE}/nulstil"):
        visitor.post(path, {"csrf_token": visitor.token(), "hour": "8", "version": "x"}, expect=400)


def test_two_windows_meet(house: Installation, browser: Callable[[], Browser]) -> None:
    fill(house)
    visitor = browser().sign_in(METTE)
    first = visitor.get(PAGE)
    visitor.submit(first, PAGE, hour="8")
    page = visitor.submit(first, PAGE, expect=409, hour="10")
    assert "kl. 08.00" in said(page) and "kl. 10.00" in said(page)
    assert stored(house) == (8, None, None, 1)


def test_everybody_finds_it(house: Installation, browser: Callable[[], Browser]) -> None:
    fill(house)
    for email in (METTE, "nadia@netcompany.example"):
        visitor = browser().sign_in(email)
        for path in ("/varsler/mine", "/min-side"):
            assert visitor.get(path).find("a", href=PAGE), (email, path)
        visitor.submit(visitor.get(PAGE), PAGE, hour="8")
