"""The pages about people and passwords, and the commands, through browser and command line."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from klik.cli import klik
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Membership, Notice, Person
from klik.services import access
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]
NEW_PASSWORD = "syv grønne elge danser"
WRONG_LINK = "0" * 64


@pytest.fixture
def members(house: Installation) -> dict[str, int]:
    made = {}
    with house.database.writing() as session:
        make.system(session)
        for name, level, municipality in (
            ("karen", Level.ADMINISTRATOR, make.KOEGE),
            ("mette", Level.PLUS_USER, make.KOEGE),
            ("hanne", Level.ADMINISTRATOR, make.HERNING),
            ("gitte", Level.KOMBIT_ADMINISTRATOR, None),
            ("bente", Level.READER, make.KOEGE),
        ):
            row = make.person(
                session, name.title(), level=level, municipality=municipality, email=f"{name}@koege.example"
            )
            made[name] = make.actor(session, row).membership_id
    return made


def link_path(house: Installation) -> str:
    with house.database.reading() as session:
        return session.scalars(
            select(Notice.path).where(Notice.occasion == access.SECRET_OCCASION).order_by(Notice.id.desc())
        ).all()[0]


def test_from_invitation_to_signed_in(browser: Open, house: Installation, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    form = karen.get("/personer/ny")
    wrong = karen.submit(
        form, "/personer/ny", expect=422, name="Ny Nielsen", email="ny@kmd.example", level="bruger"
    )
    assert "Mailadressen slutter på kmd.example" in wrong.text
    assert wrong.select_one("#name")["value"] == "Ny Nielsen"
    assert wrong.select_one("input[name=level][checked]")["value"] == "bruger"
    page = karen.submit(wrong, "/personer/ny", address_is_right="y")
    assert page.find("h1").text == "Ny Nielsen"
    again = karen.submit(wrong, "/personer/ny", address_is_right="y")
    assert again.find("h1").text == "Ny Nielsen"
    path = link_path(house)
    new = browser()
    form = new.get(path)
    assert "Ny Nielsen" in form.text
    weak = new.submit(form, path, expect=422, password="klikklikklikklik")
    assert "for let at gætte" in weak.text
    assert "klikklik" not in str(weak)
    new.submit(weak, path, password=NEW_PASSWORD)
    assert new.response.request.path == "/log-ind"
    new.sign_in("ny@kmd.example", NEW_PASSWORD)
    assert "Linket virker ikke mere" in new.get(path, expect=404).text
    new.post(path, {"password": NEW_PASSWORD}, expect=404)


def test_an_address_that_klik_knows_needs_a_tick(browser: Open, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    page = karen.submit(
        karen.get("/personer/ny"),
        "/personer/ny",
        expect=422,
        name="H",
        email="hanne@koege.example",
        level="laeser",
    )
    assert "Herning" not in page.text
    page = karen.submit(page, "/personer/ny", existing_is_right="y")
    assert page.find("h1").text == "Hanne"


def test_the_answers_to_a_forgotten_password_are_alike(browser: Open, members: dict[str, int]) -> None:
    mine = browser()
    answers = set()
    for email in ("mette@koege.example", "ukendt@koege.example", "slet ingen adresse"):
        mine.submit(mine.get("/glemt-adgangskode"), "/glemt-adgangskode", email=email)
        answers.add(mine.response.text.replace(mine.response.headers["X-Request-Id"], ""))
    assert len(answers) == 1
    mine.submit(mine.get("/glemt-adgangskode"), "/glemt-adgangskode", expect=422, email="")
    mine.get(f"/adgangskode/{WRONG_LINK}", expect=404)


def test_a_session_dies_with_the_level_and_with_the_access(browser: Open, members: dict[str, int]) -> None:
    karen, mette = browser().sign_in("karen@koege.example"), browser().sign_in("mette@koege.example")
    address = f"/personer/{members['mette']}"
    assert mette.get("/").find("h1").text == "Køge i dag"
    karen.submit(karen.get(address), address, level="laeser")
    assert mette.get("/").find("h1").text == "Log ind"
    mette.sign_in("mette@koege.example")
    page = karen.submit(karen.get(address), f"{address}/luk")
    assert "Uden adgang" in page.text
    assert mette.get("/").find("h1").text == "Log ind"
    karen.submit(page, f"{address}/genaabn")
    mette.sign_in("mette@koege.example")


def test_a_stale_form_is_told(browser: Open, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    address = f"/personer/{members['mette']}"
    old = karen.get(address)
    karen.submit(old, address, phone="56 67 67 67")
    karen.submit(old, address, level="laeser", expect=409)
    assert "56 67 67 67" in karen.get("/personer").text


def test_another_municipality_is_not_there(browser: Open, members: dict[str, int]) -> None:
    hanne = browser().sign_in("hanne@koege.example")
    address = f"/personer/{members['mette']}"
    hanne.get(address, expect=404)
    for path in (address, f"{address}/luk", f"{address}/genaabn"):
        hanne.post(path, {"version": 1, "name": "X", "level": "laeser"}, expect=404)
    assert "mette@koege.example" not in hanne.get("/personer?kommune=259").text


def test_the_last_administrator_is_told_why(browser: Open, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    address = f"/personer/{members['karen']}"
    page = karen.submit(karen.get(address), address, level="bruger", expect=422)
    assert "Karen er den sidste med adgangen “Administrator”" in page.text
    assert "/luk" not in str(page)


def test_readers_read(browser: Open, members: dict[str, int]) -> None:
    bente = browser().sign_in("bente@koege.example")
    page = bente.get("/personer")
    assert "mette@koege.example" in page.text
    assert "Sidst logget ind" not in page.text
    assert bente.get(f"/personer/{members['mette']}").select("main form") == []
    bente.get("/personer/ny", expect=403)
    bente.post(f"/personer/{members['mette']}/luk", {"version": 1}, expect=403)


def test_kombit_reaches_every_municipality(browser: Open, members: dict[str, int]) -> None:
    gitte = browser().sign_in("gitte@koege.example")
    assert "Gitte" in gitte.get("/personer").find("main").text
    assert "mette@koege.example" in gitte.get("/personer?kommune=259").text
    gitte.get("/personer?kommune=999", expect=404)
    action = "/personer/ny?kommune=259"
    gitte.submit(gitte.get(action), action, name="Ny", email="ny@koege.example", level="administrator")
    gitte.get(f"/personer/{members['mette']}")


def test_my_own_page(browser: Open, members: dict[str, int]) -> None:
    mette, elsewhere = browser().sign_in("mette@koege.example"), browser().sign_in("mette@koege.example")
    page = mette.get("/min-side")
    assert "Hvad må jeg?" in page.text
    page = mette.submit(page, "/min-side", name="Mette Holm Hansen", phone="56676767")
    assert "Mette Holm Hansen" in page.select_one(".klik-user").text
    mette.submit(page, "/min-side", name="", expect=422)
    action = "/min-side/adgangskode"
    mette.submit(page, action, current="forkert", password=NEW_PASSWORD, expect=422)
    mette.submit(page, action, current=make.PASSWORD, password="kort", expect=422)
    mette.submit(page, action, current=make.PASSWORD, password=NEW_PASSWORD)
    assert mette.response.request.path == "/log-ind"
    assert elsewhere.get("/").find("h1").text == "Log ind"
    mette.sign_in("mette@koege.example", NEW_PASSWORD)


@pytest.fixture
def command(house: Installation, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("KLIK_DATABASE_URL", house.settings.database_url)
    monkeypatch.setenv("KLIK_SECRET_KEY", house.settings.secret_key)
    monkeypatch.setenv("KLIK_DATA", str(house.settings.data))
    return lambda *words, typed=None: CliRunner().invoke(klik, list(words), input=typed)


def test_a_user_from_the_command_line(
    command: Callable[..., Result], house: Installation, browser: Open
) -> None:
    words = ("user", "add", "Ny@Koege.Example", "--name", "Ny Nielsen", "--level", "administrator")
    done = command(*words, "--municipality", "259", "--systems", "kp,ky")
    assert done.exit_code == 0, done.output
    password = done.output.rpartition("Adgangskode: ")[2].strip()
    mine = browser().sign_in("ny@koege.example", password)
    assert command(*words, "--municipality", "259").exit_code == 1
    assert command(*words).exit_code == 1
    assert command(*words, "--municipality", "1").exit_code == 1
    weak = command(
        "user",
        "add",
        "to@koege.example",
        *words[3:],
        "--municipality",
        "259",
        "--password-stdin",
        typed="kort\n",
    )
    assert weak.exit_code == 1
    with house.database.reading() as session:
        assert len(session.scalars(select(Person)).all()) == 1
    given = command(
        "user",
        "add",
        "to@koege.example",
        *words[3:],
        "--municipality",
        "259",
        "--password-stdin",
        typed=f"{NEW_PASSWORD}\n",
    )
    assert (given.exit_code, NEW_PASSWORD in given.output) == (0, False), given.output
    assert command("user", "disable", "NY@koege.example").exit_code == 0
    assert mine.get("/").find("h1").text == "Log ind"
    assert command("user", "disable", "ukendt@koege.example").exit_code == 1
    browser().sign_in("to@koege.example", NEW_PASSWORD)


def test_insight_and_anonymise(
    command: Callable[..., Result], house: Installation, members: dict[str, int]
) -> None:
    facts = json.loads(command("insight", "mette@koege.example", "--json").output)
    assert facts["person"]["name"] == "Mette"
    assert "mette@koege.example" in command("insight", "mette@koege.example").output
    assert command("anonymise", "mette@koege.example", typed="n\n").exit_code == 1
    assert command("anonymise", "mette@koege.example", "--yes").exit_code == 0
    assert command("insight", "mette@koege.example").exit_code == 1
    with house.database.reading() as session:
        member = session.get_one(Membership, members["mette"])
        assert (member.active, member.person.name) == (False, "Tidligere medarbejder")
