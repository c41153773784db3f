""" "Hvorfor kan X ikke …?": for every level and act, what is explained is what the routes answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Membership, Person
from klik.services.people import explaining
from klik.services.people.explaining import Act, Answer
from klik.services.work import Actor
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]
# What a route answers to whoever may: with nothing there behind the right, it is 404.
NOTHING = 99_999
KINDS = (
    "administrator",
    "plusbruger",
    "bruger",
    "laeser",
    "udfoerer",
    "rolle",
    "fremmed",
    "leverandoer",
    "redaktoer",
)


@dataclass
class Place:
    house: Installation
    members: dict[str, int] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)

    def answers(self, kind: str, task: str | None, who: str = "gitte") -> dict[Act, Answer]:
        with self.house.reading(make.NOW, self.actors[who]) as work:
            told = explaining.explain(work, self.members[kind], self.tasks[task] if task else None, "kp")
            return {each.act: each for each in told}


@pytest.fixture
def place(house: Installation) -> Iterator[Place]:
    made = Place(house)
    with house.database.writing() as session:
        make.has_system(session, make.KOEGE, "kp")
        levels = {
            "administrator": Level.ADMINISTRATOR,
            "plusbruger": Level.PLUS_USER,
            "laeser": Level.READER,
            "leverandoer": Level.SUPPLIER,
            "redaktoer": Level.KOMBIT_EDITOR,
            "gitte": Level.KOMBIT_ADMINISTRATOR,
        }
        people = {}
        for kind in (*KINDS, "gitte"):
            person = make.person(
                session,
                kind.title(),
                level=levels.get(kind, Level.USER),
                municipality=make.HERNING if kind == "fremmed" else make.KOEGE,
                email=f"{kind}@koege.example",
                systems=("kp",) if kind in ("leverandoer", "plusbruger") else (),
            )
            people[kind] = person
            made.actors[kind] = make.actor(session, person)
            made.members[kind] = made.actors[kind].membership_id
        published = make.task(session)
        open_task = make.municipal_task(session, published)
        open_task.executor_id = people["udfoerer"].id
        open_task.responsible_role = "superbruger"
        make.holding(session, "superbruger", holder=people["rolle"])
        withdrawn = make.municipal_task(session, make.task(session))
        withdrawn.withdrawn_at = make.NOW
        withdrawn.withdrawal_reason = "Opgaven er ikke længere nødvendig."
        session.flush()
        made.tasks = {"åben": open_task.id, "trukket": withdrawn.id}
    yield made


def asked(browser: Browser, act: Act, task: int) -> bool:
    """Whether the route itself lets the person."""

    def status(path: str, *, post: dict[str, str] | None = None) -> int:
        if post is None:
            return browser._client.get(path, buffered=True).status_code
        form = {"csrf_token": browser.token()} | post
        return browser._client.post(path, data=form, buffered=True).status_code

    if act is Act.SEE_TASK:
        return status(f"/opgaver/{task}") == 200
    if act is Act.CHANGE_TASK:
        return status(f"/opgaver/{task}/celle/status") == 200
    if act is Act.COMMENT:
        return status(f"/opgaver/{task}/kommentarer", post={"text": "En kommentar"}) == 303
    paths = {
        Act.CREATE_TASK: "/opgaver/ny",
        Act.TAKE_HOME: "/opgaver.csv",
        Act.FILL_ROLES: "/roller/superbruger/besaet?system=kp",
        Act.MANAGE: "/personer/ny",
        Act.PUBLISH: "/udgivelser",
    }
    if act is Act.FETCH:
        return status(f"/sletning/{NOTHING}/kvittering", post={}) != 403
    return status(paths[act]) == 200


def test_every_level_and_act_is_explained_as_the_routes_answer(browser: Open, place: Place) -> None:
    checked = 0
    for kind in KINDS:
        visitor = browser().sign_in(f"{kind}@koege.example")
        for task in ("åben", "trukket"):
            told = place.answers(kind, task)
            assert set(told) >= set(Act) - {Act.HEAR}
            for act, answer in told.items():
                if act in (Act.SIGN_IN, Act.HEAR):
                    continue
                really = asked(visitor, act, place.tasks[task])
                assert answer.may == really, (kind, task, act, answer)
                assert answer.why.endswith("."), answer
                checked += 1
        assert told[Act.SIGN_IN].may
    sys.stdout.write(f"explained as the routes answer: {checked} pairs of person and act, 0 differences\n")


def test_what_would_change_it_does(browser: Open, place: Place) -> None:
    reader = place.answers("laeser", "åben")
    assert reader[Act.CHANGE_TASK].why == "Laeser er Læser og kan kun læse."
    assert reader[Act.CHANGE_TASK].remedy == "Giv adgangen Plusbruger."
    user = place.answers("bruger", "åben")[Act.CHANGE_TASK]
    assert user.why == "Bruger er Bruger og hverken ansvarlig eller udfører for opgaven."
    assert user.remedy == "Gør Bruger til udfører, eller giv adgangen Plusbruger."
    assert place.answers("rolle", "åben")[Act.CHANGE_TASK].why == "Rolle har den rolle, opgaven er givet til."
    assert place.answers("udfoerer", "åben")[Act.CHANGE_TASK].why == "Udfoerer er udfører på opgaven."
    assert "trukket opgaven tilbage" in place.answers("plusbruger", "trukket")[Act.CHANGE_TASK].why
    assert "anden kommunes" in place.answers("fremmed", "åben")[Act.SEE_TASK].why
    heard = place.answers("plusbruger", None)[Act.HEAR]
    assert heard.may and "plusbruger for systemet" in heard.why
    assert "Beskeden går til Plusbruger." in place.answers("administrator", None)[Act.HEAR].why
    with place.house.database.writing() as session:
        session.get_one(Membership, place.members["laeser"]).level = Level.PLUS_USER.value
    assert place.answers("laeser", "åben")[Act.CHANGE_TASK].may


def test_signing_in_is_explained(browser: Open, place: Place) -> None:
    with place.house.database.writing() as session:
        session.scalars(select(Person).where(Person.name == "Bruger")).one().password_hash = None
        session.get_one(Membership, place.members["laeser"]).active = False
    assert "ikke valgt en adgangskode" in place.answers("bruger", None)[Act.SIGN_IN].why
    for answer in place.answers("laeser", "åben").values():
        assert not answer.may


def test_the_pages_and_their_walls(browser: Open, place: Place) -> None:
    admin = browser().sign_in("administrator@koege.example")
    task, person = place.tasks["åben"], place.members["bruger"]
    page = admin.get(f"/opgaver/{task}")
    assert page.select_one(f'a[href="/opgaver/{task}/hvem"]')
    who = admin.get(f"/opgaver/{task}/hvem")
    assert "Fremmed" not in who.text
    assert len(who.select("tbody tr")) == 6
    why = admin.get(f"/personer/{person}/hvorfor?opgave={task}&system=kp")
    assert "Gør Bruger til udfører" in why.text
    assert admin.get(f"/personer/{person}").select_one(f'a[href="/personer/{person}/hvorfor"]')
    admin.get(f"/personer/{place.members['fremmed']}/hvorfor", expect=404)
    admin.get(f"/personer/{person}/hvorfor?opgave={NOTHING}", expect=404)
    admin.get(f"/personer/{person}/hvorfor?system=findes-ikke", expect=404)
    browser().sign_in("fremmed@koege.example").get(f"/opgaver/{task}/hvem", expect=404)
    browser().sign_in("leverandoer@koege.example").get(f"/opgaver/{task}/hvem", expect=403)
    browser().sign_in("plusbruger@koege.example").get(f"/personer/{person}/hvorfor", expect=403)
