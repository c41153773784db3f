"""“Er det stadig dig?”: two clicks from the mail, every other answer, the key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from klik.installation import Installation
from klik.models import Membership, Notice, Person, RoleAnswer, RoleHolding
from klik.services.notices import actions
from klik.services.notices.mails import Sender
from klik.services.roles import rounds
from klik.web.handling.pace import Pace
from klik.web.handling.views import PRESSED, WRONG
from tests.client import Browser, filled
from tests.make import HERNING, KOEGE
from tests.web.still_you_scene import BOX, DAY, OWN, Scene, asked, submit_all, words


@pytest.fixture
def scene(house: Installation) -> Scene:
    return asked(house)


def test_two_clicks_from_the_mail_confirm_all_three(scene: Scene, browser: Callable[..., Browser]) -> None:
    sender = Sender("k@klik.example", "https://klik.example", scene.house.settings.secret_key)
    with scene.house.reading(scene.now) as work:
        links = actions.links(work, sender, scene.notice(scene.jens), None)
    assert [label for label, _ in links] == ["Bekræft eller ret"]
    address = links[0][1].removeprefix("https://klik.example")
    visitor = browser()
    page = visitor.get(address)  # the first click
    assert "Du svarer som Jens Holm , Køge" in words(page)
    assert page.select_one(".still-you-all button").text == "Ja, alle tre"  # type: ignore[union-attr]
    done = submit_all(visitor, page, address)  # the second
    assert "Tak. 3 roller er bekræftet." in words(done)
    assert scene.confirmed() == set(scene.holdings)
    assert [each[1] for each in scene.answers()] == ["ja"] * 3
    assert done.select_one(".still-you-all") is None
    before = scene.facts()
    again = visitor.post(
        address, {"token": address[10:], "alle": "ja", "vist": ",".join(map(str, scene.holdings))}
    )
    assert "Det var svaret i forvejen" in words(again)
    assert scene.facts() == before, "pressed twice, done once"
    for headers in (visitor.response.headers,):
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in headers
    print("“Ja, alle tre”: 2 clicks from the mail")  # noqa: T201


def test_looking_changes_nothing(scene: Scene, browser: Callable[..., Browser]) -> None:
    before, visitor = scene.facts(), browser()
    client = visitor.app.test_client()
    for person in (0, None):
        address = scene.link(person)
        for _ in range(3):
            visitor.get(address)
        for method in ("HEAD", "OPTIONS"):
            assert client.open(address, method=method).status_code == 200
        assert client.get(address, headers={"Sec-Purpose": "prefetch"}).status_code == 200
    assert scene.facts() == before


def test_a_new_person_an_empty_role_and_a_change_of_mind(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    first, second, third = scene.holdings
    address, visitor = scene.link(), browser()
    given = {
        "token": address[10:],
        f"svar-{first}": "ny", f"navn-{first}": "Bo Krog", f"mail-{first}": "BO@koege.example",
        f"note-{first}": "Fra mandag",
        f"svar-{second}": "tom",
        f"svar-{third}": "ja",
    }  # fmt: skip
    said = words(visitor.post(address, given))
    assert "Tak. 1 rolle er bekræftet og 2 svar er sendt til kommunens KLIK-administrator." in said
    assert "en anden skal have rollen (Bo Krog)" in said
    assert scene.answers() == [
        (first, "ny", "Bo Krog", "bo@koege.example", None),
        (second, "tom", None, None, None),
        (third, "ja", None, None, None),
    ]
    before = scene.facts()
    visitor.post(address, given)
    assert scene.facts() == before, "the same once more"
    visitor.post(address, {"token": address[10:], f"svar-{first}": "tom", f"svar-{second}": "ja"})
    assert scene.answers()[:2] == [(first, "tom", None, None, None), (second, "ja", None, None, None)]
    assert scene.confirmed() == {second, third}


def test_bad_input_is_said_in_danish_and_everything_is_kept(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    first = scene.holdings[0]
    jens = browser().sign_in("jens@koege.example")
    before = scene.facts()
    for address, visitor in ((scene.link(), browser()), (OWN, jens)):
        for field, value, sentence in (
            ("navn", "", "navn skal udfyldes"),
            ("navn", "Bo 010190-1234", "CPR-nummer"),
            ("navn", "B" * 201, "må højst fylde 200 tegn"),
            ("mail", "bo", "skal have et @"),
            ("note", "hans cpr er 0101901234", "CPR-nummer"),
            ("note", "n" * 501, "må højst fylde 500 tegn"),
            ("svar", "måske", "vælg ja, ny person eller ingen"),
        ):
            given = {
                "token": address[10:],
                f"svar-{first}": "ny",
                f"navn-{first}": "Bo",
                f"mail-{first}": "bo@koege.example",
                f"note-{first}": "Hilsen Jens",
            } | {f"{field}-{first}": value}
            page = visitor.post(address, given, expect=422)
            assert sentence in words(page), (field, value[:20])
            if field != "svar":
                kept = page.select_one(f"#{field}-{first}")
                assert kept is not None
                assert kept["value"] == value
            assert page.select_one(f"#note-{first}") is not None
        assert "mindst én rolle" in words(visitor.post(address, {"token": address[10:]}, expect=422))
    assert scene.facts() == before


def test_a_mailbox_answers_for_its_own_roles_only(scene: Scene, browser: Callable[..., Browser]) -> None:
    address, visitor = scene.link(None), browser()
    page = visitor.get(address)
    assert f"Du svarer for postkassen {BOX}" in words(page)
    assert "Ja, det er stadig os" in words(page)
    before = scene.facts()
    for other in scene.holdings:
        visitor.post(address, {"token": address[10:], f"svar-{other}": "ja"}, expect=422)
    visitor.post(address, {"token": address[10:], "alle": "ja", "vist": ",".join(map(str, scene.holdings))})
    assert scene.facts() == before
    submit_all(visitor, page, address)
    assert scene.confirmed() == {scene.of_box}
    with scene.house.reading(scene.now) as work:
        answer = work.session.scalars(select(RoleAnswer)).one()
        assert answer.person_id is None
    scene.change(RoleHolding, RoleHolding.id == scene.of_box, valid_to=scene.now.date() - 2 * DAY)
    assert "ikke længere nogen roller" in words(visitor.get(address, expect=410))


def test_a_link_opens_nobody_elses_roles(scene: Scene, browser: Callable[..., Browser]) -> None:
    visitor, before = browser(), scene.facts()
    good = scene.token()
    _purpose, _, signed = good.partition(".")
    secret = scene.house.settings.secret_key
    with scene.house.reading(scene.now) as work:
        mine, away = (
            scene.notice(scene.jens),
            work.session.scalars(select(Notice).where(Notice.municipality_id == HERNING)).one(),
        )
        swapped = Notice(id=mine.id, person_id=away.person_id)
        boxed = Notice(id=mine.id, person_id=None)
        crossed = Notice(id=scene.notice(None).id, person_id=scene.jens)
        forged = [
            actions.token(secret, actions.CONFIRM_ROLES, each, scene.now)
            for each in (swapped, boxed, crossed)
        ]
        foreign = actions.token("x" * 40, actions.CONFIRM_ROLES, mine, scene.now)
        other_purpose = actions.token(secret, actions.START, mine, scene.now)
    wrong = [
        *forged, foreign, other_purpose, f"start.{signed}", f"stop.{signed}",
        f"rolle.{other_purpose.partition('.')[2]}",
        good[:-1], good[:-5] + "AAAAA", good + "A", "rolle.", "rolle", "x", "rolle." + "A" * 400, "æøå",
    ]  # fmt: skip
    for token in wrong:
        for ask in (
            lambda t: visitor.app.test_client().get(f"/bekraeft/{t}"),
            lambda t: visitor.app.test_client().post(
                f"/bekraeft/{t}", data={"token": t, "alle": "ja", "vist": "1,2,3"}
            ),
        ):
            assert ask(token).status_code in (404, 410), token
    assert visitor.app.test_client().get(f"/handling/{good}").status_code == 404, (
        "the other door does not take it"
    )
    other_form = {"token": scene.token(None), "alle": "ja", "vist": ",".join(map(str, scene.holdings))}
    for given in ({}, {"token": ""}, other_form):
        visitor.post(f"/bekraeft/{good}", given | {"alle": "ja"}, expect=422)
    page = visitor.get(f"/bekraeft/{good}")
    assert "Ulla" not in words(page)
    assert BOX not in words(page)
    assert scene.facts() == before
    print(f"{len(wrong)} wrong links, by GET and POST: 0 opened, 0 changes")  # noqa: T201


def test_a_stand_ins_notice_has_no_link_and_opens_nothing(scene: Scene) -> None:
    with scene.house.writing(scene.now) as work:
        mine = scene.notice(scene.jens)
        copy = Notice(
            dedupe_key=mine.dedupe_key.rpartition("/")[0] + f"/p{scene.bo}",
            occasion=mine.occasion, channel=mine.channel, municipality_id=KOEGE, person_id=scene.bo,
            address="bo@koege.example", reason="x", heading="x", sentence="x", path="/roller",
            created_at=work.now, due_at=work.now,
        )  # fmt: skip
        work.session.add(copy)
        work.session.flush()
        secret = scene.house.settings.secret_key
        assert actions.links(work, Sender("k@klik.example", "", secret), copy, None) == ()
        token = actions.token(secret, actions.CONFIRM_ROLES, copy, work.now)
        with pytest.raises(actions.LinkError, match="passer ikke"):
            actions.roles_claim(work, secret, token)


@pytest.mark.parametrize("gone", ["membership", "person", "roles"])
def test_after_leaving_the_link_opens_nothing(
    scene: Scene, browser: Callable[..., Browser], gone: str
) -> None:
    address, visitor = scene.link(), browser()
    page = visitor.get(address)
    if gone == "membership":
        scene.change(Membership, Membership.person_id == scene.jens, active=False)
    elif gone == "person":
        scene.change(Person, Person.id == scene.jens, active=False)
    else:
        scene.change(RoleHolding, RoleHolding.person_id == scene.jens, valid_to=scene.now.date() - 2 * DAY)
    before = scene.facts()
    form = page.select_one("form.still-you-all")
    assert form is not None
    visitor.post(address, filled(form) | {"alle": "ja"}, expect=410)
    visitor.get(address, expect=410)
    assert scene.facts() == before


def test_good_for_the_round_and_at_least_sixty_days(scene: Scene) -> None:
    secret, noon = scene.house.settings.secret_key, scene.now.replace(hour=11)
    last = datetime.combine(rounds.of(scene.now.date()).last_day, noon.timetz())
    early, late = scene.now - 3 * DAY, last - 10 * DAY
    for signed, until in ((early, max(last, early + 60 * DAY)), (late, late + 60 * DAY)):
        token = scene.token(when=signed)
        with scene.house.reading(until) as work:
            assert actions.roles_claim(work, secret, token).asked.person_id == scene.jens
        with (
            scene.house.reading(until + 2 * DAY) as work,
            pytest.raises(actions.LinkError, match="for gammelt"),
        ):
            actions.roles_claim(work, secret, token)


def test_too_many_tries_are_stopped(scene: Scene, browser: Callable[..., Browser]) -> None:
    app = browser().app
    client = app.test_client()
    app.extensions[PRESSED] = Pace(3)
    app.extensions[WRONG] = Pace(20)
    seen = {client.get(f"/bekraeft/rolle.x{number}").status_code for number in range(21)}
    assert seen == {404, 429}
    assert client.get(scene.link()).status_code == 200, "who has a right one is let in"
    assert {client.get(scene.link()).status_code for _ in range(3)} == {200, 429}


def test_signed_in_the_same_page_and_a_box_on_the_front_page(
    scene: Scene, browser: Callable[..., Browser]
) -> None:
    visitor = browser().sign_in("jens@koege.example")
    assert "3 roller skal bekræftes" in words(visitor.get("/"))
    page = visitor.get(OWN)
    assert "Tak. 3 roller er bekræftet." in words(submit_all(visitor, page, OWN))
    assert "skal bekræftes" not in words(visitor.get("/"))
    assert "Du har ingen roller" in words(browser().sign_in("bo@koege.example").get(OWN))
    outside = browser()
    assert outside.app.test_client().post(OWN, data={"alle": "ja", "vist": "1"}).status_code in (400, 401)
