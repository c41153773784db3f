"""People: levels, walls between municipalities, the last administrator, password links, insight and forgetting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    LoginSession,
    Membership,
    Notice,
    Person,
    RoleHolding,
    SecretToken,
    TaskChange,
)
from klik.services import access, auditing, people
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.people import (
    NewPerson,
    PersonChange,
    directory,
    new_passwords,
    passwords,
    privacy,
    sessions,
)
from klik.services.work import Actor, Work
from tests import make

NEW_PASSWORD = "syv grønne elge danser"
MUNICIPAL = {Level.ADMINISTRATOR, Level.PLUS_USER, Level.USER, Level.READER}
CENTRAL = set(Level) - MUNICIPAL


@dataclass
class Place:
    house: Installation
    actors: dict[str, Actor] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)

    def invite(self, who: str = "karen", **more: object) -> int:
        given = {
            "name": "Ny Nielsen",
            "email": "ny@koege.example",
            "level": Level.USER,
            "municipality_id": make.KOEGE,
        }
        with self.house.writing(make.NOW, self.actors[who]) as work:
            return people.invite(work, NewPerson(**(given | more))).id  # type: ignore[arg-type]

    def change(self, member: str, who: str = "karen", version: int | None = None, **more: object) -> None:
        with self.house.writing(make.NOW, self.actors[who]) as work:
            old = work.session.get_one(Membership, self.members[member])
            given = {
                "name": old.person.name,
                "phone": old.person.phone or "",
                "level": Level(old.level),
                "systems": tuple(link.system_code for link in old.systems),
            }
            people.change(work, old.id, PersonChange(**(given | more)), version)  # type: ignore[arg-type]


@pytest.fixture
def place(house: Installation) -> Iterator[Place]:
    made = Place(house)
    with house.database.writing() as session:
        make.system(session)
        for name, level, municipality in (
            ("karen", Level.ADMINISTRATOR, make.KOEGE),
            ("mette", Level.PLUS_USER, make.KOEGE),
            ("hanne", Level.ADMINISTRATOR, make.HERNING),
            ("gitte", Level.KOMBIT_ADMINISTRATOR, None),
            ("bente", Level.READER, make.KOEGE),
        ):
            town = {make.KOEGE: "koege", make.HERNING: "herning"}.get(municipality or 0, "kombit")
            row = make.person(
                session, name.title(), level=level, municipality=municipality, email=f"{name}@{town}.example"
            )
            made.actors[name] = make.actor(session, row)
            made.members[name] = made.actors[name].membership_id
    yield made


def link_in_mail(house: Installation) -> str:
    with house.database.reading() as session:
        found = session.scalars(
            select(Notice.path).where(Notice.occasion == access.SECRET_OCCASION).order_by(Notice.id.desc())
        ).first()
        assert found is not None
        return found.rpartition("/")[2]


def keys(refused: pytest.ExceptionInfo[RefusedError]) -> set[str]:
    return set(refused.value.problems)


def test_a_new_person_gets_a_link_that_works_once(place: Place) -> None:
    place.invite()
    secret = link_in_mail(place.house)
    with place.house.writing(make.NOW + timedelta(days=6)) as work:
        new_passwords.choose(work, secret, NEW_PASSWORD)
    with place.house.writing(make.NOW + timedelta(days=6)) as work:
        assert sessions.sign_in(work, "NY@koege.example", NEW_PASSWORD, "1.2.3.4", "b")
        with pytest.raises(NotFoundError):
            new_passwords.choose(work, secret, NEW_PASSWORD)
    with place.house.database.reading() as session:
        assert secret not in "".join(session.scalars(select(Notice.path)))
        assert session.scalars(select(SecretToken.hash)).one() != secret


def test_a_link_is_over_after_its_time_and_after_a_newer_one(place: Place) -> None:
    place.invite()
    first = link_in_mail(place.house)
    with place.house.reading(make.NOW + timedelta(days=7)) as work, pytest.raises(NotFoundError):
        new_passwords.person_of(work, first)
    with place.house.writing(make.NOW + timedelta(minutes=1)) as work:
        new_passwords.forgot(work, " Ny@Koege.Example ")
    second = link_in_mail(place.house)
    with place.house.reading(make.NOW + timedelta(minutes=2)) as work:
        assert new_passwords.person_of(work, second).email == "ny@koege.example"
        for wrong in (first, "0" * 64, ""):
            with pytest.raises(NotFoundError):
                new_passwords.person_of(work, wrong)
    with place.house.reading(make.NOW + timedelta(hours=2, minutes=1)) as work, pytest.raises(NotFoundError):
        new_passwords.person_of(work, second)


def test_a_weak_password_leaves_the_link_alive(place: Place) -> None:
    place.invite()
    secret = link_in_mail(place.house)
    with pytest.raises(RefusedError) as refused, place.house.writing(make.NOW) as work:
        new_passwords.choose(work, secret, "kort")
    assert keys(refused) == {"password"}
    with place.house.reading(make.NOW) as work:
        assert new_passwords.person_of(work, secret)


def test_forgetting_again_and_again_sends_three_links_an_hour(place: Place) -> None:
    for minute in range(6):
        with place.house.writing(make.NOW + timedelta(minutes=minute)) as work:
            new_passwords.forgot(work, "mette@koege.example")
            new_passwords.forgot(work, "ukendt@koege.example")
    with place.house.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SecretToken)) == 3


def test_the_link_is_on_nobodys_page(place: Place) -> None:
    place.invite("gitte", level=Level.KOMBIT_ADMINISTRATOR, municipality_id=None, email="ny@kombit.example")
    with place.house.database.reading() as session:
        new = session.scalars(select(Person).where(Person.email_key == "ny@kombit.example")).one()
        place.actors["new"] = make.actor(session, new)
    for actor in place.actors.values():
        with place.house.reading(make.NOW, actor) as work:
            assert work.session.scalars(select(Notice.path).where(access.notices(work))).all() == []


def test_who_may_give_which_level_where(place: Place) -> None:
    given = set()
    for who in ("karen", "gitte", "mette", "bente"):
        for municipality in (make.KOEGE, make.HERNING, None):
            for level in Level:
                more = {"systems": ("kp",), "organisation": "Netcompany"} if level is Level.SUPPLIER else {}
                email = (
                    f"{who}-{municipality}-{level.value}@{'kombit' if who == 'gitte' else 'koege'}.example"
                )
                try:
                    place.invite(who, level=level, municipality_id=municipality, email=email, **more)
                except RefusedError as error:
                    assert set(error.problems) == {"level"}
                except ForbiddenError:
                    assert who in ("mette", "bente")
                else:
                    given.add((who, municipality, level))
    assert given == (
        {("karen", make.KOEGE, level) for level in MUNICIPAL}
        | {("gitte", town, level) for town in (make.KOEGE, make.HERNING) for level in MUNICIPAL}
        | {("gitte", None, level) for level in CENTRAL}
    )


def test_refusals_name_the_field(place: Place) -> None:
    for more, key in (
        ({"name": " "}, "name"),
        ({"email": "ingen adresse"}, "email"),
        ({"email": "METTE@koege.example"}, "email"),
        ({"email": "ny@herning.example"}, "address_is_right"),
        ({"email": "hanne@herning.example", "address_is_right": True}, "existing_is_right"),
        ({"phone": "ring bare"}, "phone"),
        ({"systems": ("findes-ikke",)}, "systems"),
    ):
        with pytest.raises(RefusedError) as refused:
            place.invite(**more)  # type: ignore[arg-type]
        assert keys(refused) == {key}, more
    for level, more, key in (
        (Level.SUPPLIER, {"organisation": "Netcompany"}, "systems"),
        (Level.SUPPLIER, {"systems": ("kp",)}, "organisation"),
        (Level.KOMBIT_EDITOR, {"systems": ("kp",)}, "systems"),
    ):
        with pytest.raises(RefusedError) as refused:
            place.invite("gitte", level=level, municipality_id=None, email="ny@kombit.example", **more)
        assert keys(refused) == {key}


def test_one_person_in_two_municipalities(place: Place) -> None:
    ticks = {"address_is_right": True, "existing_is_right": True}
    place.members["hanne here"] = place.invite(email="Hanne@Herning.Example", name="En anden", **ticks)
    with place.house.database.reading() as session:
        hanne = session.get_one(Person, place.actors["hanne"].person_id)
        assert hanne.name == "Hanne"
        assert {member.municipality_id for member in hanne.memberships} == {make.KOEGE, make.HERNING}
    with pytest.raises(RefusedError) as refused:
        place.change("hanne here", name="Hanne Koge")
    assert keys(refused) == {"name"}
    place.change("hanne here", level=Level.READER)
    with place.house.writing(make.NOW, place.actors["karen"]) as work:
        people.disable(work, place.members["hanne here"])
    with place.house.writing(make.NOW) as work:
        assert sessions.sign_in(work, "hanne@herning.example", make.PASSWORD, "1.2.3.4", "b")


def test_another_municipality_is_not_there(place: Place) -> None:
    for act in (people.disable, people.enable):
        with pytest.raises(NotFoundError), place.house.writing(make.NOW, place.actors["hanne"]) as work:
            act(work, place.members["mette"])
    with pytest.raises(NotFoundError):
        place.change("mette", who="hanne", level=Level.READER)
    with place.house.reading(make.NOW, place.actors["hanne"]) as work:
        for municipality in (make.KOEGE, None):
            with pytest.raises(NotFoundError):
                directory.listed(work, municipality)
        with pytest.raises(NotFoundError):
            directory.membership(work, place.members["mette"])
    with pytest.raises(NotFoundError):
        place.change("gitte", level=Level.KOMBIT_EDITOR)


def test_the_last_administrator_stays(place: Place) -> None:
    for who in ("karen", "gitte"):
        with pytest.raises(RefusedError) as refused:
            place.change("karen", who=who, level=Level.USER)
        assert keys(refused) == {"level"}
    with pytest.raises(RefusedError), place.house.writing(make.NOW, place.actors["gitte"]) as work:
        people.disable(work, place.members["karen"])
    with pytest.raises(RefusedError):
        place.change("gitte", who="gitte", level=Level.KOMBIT_EDITOR)
    place.change("mette", level=Level.ADMINISTRATOR)
    place.change("karen", level=Level.USER)


def test_nobody_closes_their_own_access(place: Place) -> None:
    place.change("mette", level=Level.ADMINISTRATOR)
    with pytest.raises(RefusedError), place.house.writing(make.NOW, place.actors["karen"]) as work:
        people.disable(work, place.members["karen"])


def test_an_old_page_does_not_overwrite(place: Place) -> None:
    place.change("mette", version=1, phone="56 67 67 67")
    with pytest.raises(ConflictError):
        place.change("mette", version=1, level=Level.READER)


def signed_in(place: Place, email: str) -> str:
    with place.house.writing(make.NOW) as work:
        cookie = sessions.sign_in(work, email, make.PASSWORD, "1.2.3.4", "b")
        assert cookie
        return cookie


def alive(place: Place, cookie: str) -> bool:
    with place.house.database.reading() as session:
        return sessions.find(session, cookie, make.NOW) is not None


def test_sessions_die_with_level_systems_and_access_and_not_with_a_phone(place: Place) -> None:
    cookie = signed_in(place, "mette@koege.example")
    place.change("mette", phone="56 67 67 67")
    assert alive(place, cookie)
    place.change("mette", systems=("kp",))
    assert not alive(place, cookie)
    cookie = signed_in(place, "mette@koege.example")
    place.change("mette", level=Level.READER)
    assert not alive(place, cookie)
    cookie = signed_in(place, "mette@koege.example")
    with place.house.writing(make.NOW, place.actors["karen"]) as work:
        people.disable(work, place.members["mette"])
    assert not alive(place, cookie)
    with place.house.writing(make.NOW, place.actors["karen"]) as work:
        people.enable(work, place.members["mette"])
    assert not alive(place, cookie)
    assert alive(place, signed_in(place, "mette@koege.example"))


def test_a_disabled_person_gets_no_link_and_keeps_none(place: Place) -> None:
    with place.house.writing(make.NOW) as work:
        new_passwords.forgot(work, "mette@koege.example")
    secret = link_in_mail(place.house)
    with place.house.writing(make.NOW, place.actors["karen"]) as work:
        people.disable(work, place.members["mette"])
        new_passwords.forgot(work, "mette@koege.example")
    with place.house.writing(make.NOW, place.actors["karen"]) as work:
        people.enable(work, place.members["mette"])
        with pytest.raises(NotFoundError):
            new_passwords.person_of(work, secret)
        assert work.session.scalar(select(func.count()).select_from(SecretToken)) == 1


def test_readers_see_the_active_and_not_when_they_came(place: Place) -> None:
    with place.house.writing(make.NOW, place.actors["karen"]) as work:
        people.disable(work, place.members["mette"])
        work.session.get_one(Person, place.actors["karen"].person_id).seen_at = make.NOW
        assert [row.name for row in directory.listed(work, make.KOEGE)] == ["Bente", "Karen", "Mette"]
    with place.house.reading(make.NOW, place.actors["bente"]) as work:
        rows = directory.listed(work, make.KOEGE)
        assert [(row.name, row.seen_at) for row in rows] == [("Bente", None), ("Karen", None)]
        with pytest.raises(NotFoundError):
            directory.membership(work, place.members["mette"])


def mette_did_things(place: Place, work: Work) -> Person:
    session = work.session
    mette = session.get_one(Person, place.actors["mette"].person_id)
    mette.phone = "56 67 67 67"
    task = make.municipal_task(session, responsible=mette, executor=mette)
    make.comment(session, task, mette, "Jeg har ringet til KMD")
    make.holding(session, holder=mette)
    make.holding(session, "superbruger", holder=mette, primary=False).valid_from = make.TODAY + timedelta(
        days=9
    )
    session.add(
        TaskChange(
            municipality_id=make.KOEGE, municipal_task_id=task.id, at=make.NOW, person_id=mette.id,
            field="responsible", old="Ingen", new="Mette",
        )
    )  # fmt: skip
    sessions.sign_in(work, mette.email, make.PASSWORD, "1.2.3.4", "Firefox")
    new_passwords.forgot(work, mette.email)
    session.flush()
    return mette


def test_insight_has_everything_and_changes_nothing(place: Place) -> None:
    with place.house.writing(make.NOW) as work:
        mette = mette_did_things(place, work)
    secret = link_in_mail(place.house)
    with place.house.reading(make.NOW) as work:
        facts = json.loads(json.dumps(privacy.insight(work, work.session.get_one(Person, mette.id))))
    assert facts["person"]["email"] == "mette@koege.example"
    assert facts["kommentarer"][0]["text"] == "Jeg har ringet til KMD"
    assert facts["opgaver"][0]["ansvarlig"]
    assert len(facts["roller"]) == 2
    assert facts["sessioner"][0]["browser"] == "Firefox"
    assert {row["action"] for row in facts["haendelser"]} == {"log-ind", "adgangskode-link"}
    shown = privacy.readable(facts)
    assert "Kommentarer (1)" in shown
    assert secret not in shown
    assert "argon2" not in shown


def test_anonymised_nothing_leads_to_the_person_and_everything_holds(place: Place) -> None:
    with place.house.writing(make.NOW) as work:
        mette_did_things(place, work)
    with place.house.writing(make.NOW) as work:
        privacy.anonymise(work, work.session.get_one(Person, place.actors["mette"].person_id))
    with place.house.database.reading() as session:
        mette = session.get_one(Person, place.actors["mette"].person_id)
        assert (mette.name, mette.phone, mette.password_hash) == ("Tidligere medarbejder", None, None)
        assert session.scalars(select(LoginSession)).all() == []
        assert session.scalars(select(SecretToken)).all() == []
        assert all(row.valid_to is not None for row in session.scalars(select(RoleHolding)))
        assert session.scalars(select(TaskChange.new)).all() == ["Tidligere medarbejder"]
        assert list(auditing.breaks(session)) == []
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 3
        for table in Person.metadata.sorted_tables:
            rows = session.execute(select(table)).all()
            assert "mette@" not in str(rows).casefold(), table.name
            assert "56 67 67 67" not in str(rows), table.name
        if place.house.database.sqlite:
            assert session.execute(text("pragma foreign_key_check")).all() == []
    with place.house.writing(make.NOW) as work:
        assert sessions.sign_in(work, "mette@koege.example", make.PASSWORD, "1.2.3.4", "b") is None
        with pytest.raises(RefusedError):
            privacy.anonymise(work, work.session.get_one(Person, place.actors["mette"].person_id))
    place.invite(email="mette@koege.example")


def test_own_password_needs_the_old_one(place: Place) -> None:
    cookie = signed_in(place, "mette@koege.example")
    with pytest.raises(RefusedError) as refused, place.house.writing(make.NOW, place.actors["mette"]) as work:
        new_passwords.change_own(work, "forkert", NEW_PASSWORD)
    assert keys(refused) == {"current"}
    with place.house.writing(make.NOW, place.actors["mette"]) as work:
        new_passwords.change_own(work, make.PASSWORD, NEW_PASSWORD)
    assert not alive(place, cookie)
    with place.house.database.reading() as session:
        stored = session.get_one(Person, place.actors["mette"].person_id).password_hash
        assert passwords.matches(NEW_PASSWORD, stored)
