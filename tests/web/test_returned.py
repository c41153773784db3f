"""Where people see that mails come back, and the button that tries the address again."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, BouncedAddress, RoleHolding
from tests import make
from tests.client import Browser

REPLY = "550 5.1.1 findes ikke"


def dead(house: Installation, address: str, state: str = "haard") -> None:
    with house.database.writing() as session:
        session.add(
            BouncedAddress(
                address_key=address.casefold(),
                state=state,
                count=1,
                first_at=make.NOW,
                last_at=make.NOW,
                reply=REPLY,
            )
        )


def marked(house: Installation) -> list[str]:
    with house.database.reading() as session:
        return list(session.scalars(select(BouncedAddress.address_key)))


def test_the_person_page_says_it_and_the_administrator_tries_again(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    with house.database.writing() as session:
        jens = make.person(session, "Jens Holm", email="Jens@koege.example")
        make.person(session, "Anna", email="anna@koege.example", level=Level.ADMINISTRATOR)
        make.person(session, "Per", email="per@koege.example")
        member = jens.memberships[0].id
    dead(house, "Jens@koege.example")
    reader = browser()
    reader.sign_in("per@koege.example")
    page = reader.get(f"/personer/{member}")
    assert "er kommet retur siden 21. november 2026" in page.text
    assert REPLY in page.text
    assert "Prøv igen" not in page.text
    anna = browser()
    anna.sign_in("anna@koege.example")
    page = anna.get(f"/personer/{member}")
    page = anna.submit(page, f"/personer/{member}/proev-igen")
    assert marked(house) == []
    with house.database.reading() as session:
        assert session.scalars(select(AuditEntry.action)).all().count("proev-adresse-igen") == 1
    assert "kommer retur" not in anna.get(f"/personer/{member}").text


def test_the_gallery_says_it_of_a_mailbox_too(house: Installation, browser: Callable[[], Browser]) -> None:
    with house.database.writing() as session:
        make.person(session, "Anna", email="anna@koege.example", level=Level.ADMINISTRATOR)
        session.add(
            RoleHolding(
                municipality_id=make.KOEGE,
                role="systemejer",
                mailbox="Post@koege.example",
                kind="indehaver",
                is_primary=True,
                valid_from=make.TODAY,
            )
        )
    dead(house, "post@koege.example")
    anna = browser()
    anna.sign_in("anna@koege.example")
    page = anna.get("/roller")
    assert f"Mails til adressen er kommet retur siden 21. november 2026: {REPLY}" in page.text
    anna.submit(page, "/roller/indehavere/1/proev-igen")
    assert marked(house) == []


def test_kombit_sees_every_such_address(house: Installation, browser: Callable[[], Browser]) -> None:
    with house.database.writing() as session:
        make.person(session, "Jens Holm", email="jens@koege.example")
        make.person(
            session, "Gitte", email="g@kombit.example", level=Level.KOMBIT_ADMINISTRATOR, municipality=None
        )
    dead(house, "jens@koege.example")
    dead(house, "bortrejst@greve.example", "blod")
    gitte = browser()
    gitte.sign_in("g@kombit.example")
    page = gitte.get("/varsler")
    for words in (
        "jens@koege.example",
        "Jens Holm (Køge)",
        "bortrejst@greve.example",
        "Bruges ikke mere",
    ):
        assert words in page.text
    assert "kan få mails fra klik" in page.text
