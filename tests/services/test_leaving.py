"""P3: thirty days after the last access, to the day; what is regretted, opened again or held elsewhere is kept."""

from __future__ import annotations

import sys
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Departure, GalleryLookup, Membership, Person, RoleHolding
from klik.services import people
from klik.services.people import leaving, privacy
from klik.services.roles import history, lookups
from klik.services.roles.lookups import Lookup
from tests import make

DAYS = 366


def person(
    house: Installation, name: str, *, level: Level = Level.READER, place: int | None = make.KOEGE
) -> int:
    """Somebody with an access; the id."""
    with house.database.writing() as session:
        row = make.person(
            session, name, level=level, municipality=place, email=f"{name.lower()}@koege.example"
        )
        return row.id


def member(house: Installation, person_id: int, place: int = make.KOEGE) -> int:
    with house.database.reading() as session:
        where = (Membership.person_id == person_id, Membership.municipality_id == place)
        return session.scalars(select(Membership.id).where(*where)).one()


def close(house: Installation, person_id: int, day: int) -> None:
    with house.writing(make.NOW + timedelta(days=day)) as work:
        people.close(work, work.session.get_one(Membership, member(house, person_id)))


def sweep(house: Installation, day: int) -> int:
    with house.writing(make.NOW + timedelta(days=day)) as work:
        return leaving.remove_due(work)


def forgotten(house: Installation, person_id: int) -> bool:
    with house.database.reading() as session:
        return session.get_one(Person, person_id).anonymised_at is not None


def test_a_year_of_comings_and_goings_leaves_nobody_past_due(
    house: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    staff = {person(house, f"P{place}"): place * 17 % 300 for place in range(12)}
    past_due = too_early = removed = 0
    for day in range(0, DAYS, 3):
        for number, leaves in staff.items():
            if day <= leaves < day + 3:
                close(house, number, leaves)
        removed += sweep(house, day)
        for number, leaves in staff.items():
            gone = forgotten(house, number)
            past_due += not gone and leaves + 33 < day
            too_early += gone and leaves + 30 > day
    with capsys.disabled():
        sys.stdout.write(
            f"\nP3 leaving: {removed} left in a year, {past_due} past due, {too_early} too early\n"
        )
    assert (removed, past_due, too_early) == (12, 0, 0)


def test_on_the_thirtieth_day_and_not_before(house: Installation) -> None:
    number = person(house, "Mette")
    close(house, number, 0)
    with house.reading(make.NOW) as work:
        row = work.session.get_one(Membership, member(house, number))
        assert leaving.forgotten_on(row) == work.today + timedelta(days=30)
    assert sweep(house, 29) == 0
    assert sweep(house, 30) == 1
    assert forgotten(house, number)
    assert sweep(house, 31) == 0


def test_opened_again_within_the_month_everything_is_kept(house: Installation) -> None:
    number = person(house, "Mette")
    close(house, number, 0)
    karen = person(house, "Karen", level=Level.ADMINISTRATOR)
    with house.database.reading() as session:
        actor = make.actor(session, session.get_one(Person, karen))
    with house.writing(make.NOW + timedelta(days=20), actor) as work:
        people.enable(work, member(house, number))
    assert sweep(house, 400) == 0
    with house.reading(make.NOW) as work:
        assert work.session.get_one(Person, number).name == "Mette"
        assert leaving.forgotten_on(work.session.get_one(Membership, member(house, number))) is None


def test_an_open_departure_is_carried_out_first(house: Installation) -> None:
    number, other = person(house, "Mette"), person(house, "Karen", level=Level.ADMINISTRATOR)
    close(house, number, 0)
    with house.writing(make.NOW) as work:
        row = Departure(
            municipality_id=make.KOEGE,
            person_id=number,
            last_day=work.today,
            created_by=other,
            created_at=work.now,
        )
        work.session.add(row)
    assert sweep(house, 40) == 0
    with house.writing(make.NOW) as work:
        work.session.scalars(select(Departure)).one().completed_at = work.now
    assert sweep(house, 40) == 1


def test_who_is_still_at_work_elsewhere_is_a_former_employee_only_here(house: Installation) -> None:
    number = person(house, "Mette", level=Level.PLUS_USER)
    with house.database.writing() as session:
        make.system(session)
        session.add(
            Membership(person_id=number, municipality_id=make.HERNING, level="bruger", since=date(2026, 1, 1))
        )
        row = RoleHolding(
            municipality_id=make.KOEGE,
            role="kommunal-projektleder",
            person_id=number,
            valid_from=date(2026, 1, 1),
            valid_to=make.NOW.date(),
            note="Ring til Mette",
        )
        session.add(row)
    close(house, number, 0)
    for day, shown in ((29, "Mette"), (30, privacy.NAME)):
        assert sweep(house, day) == 0
        with house.reading(make.NOW + timedelta(days=day)) as work:
            with_actor = make.actor(work.session, work.session.get_one(Person, person(house, f"Karen{day}")))
        with house.reading(make.NOW + timedelta(days=day), with_actor) as work:
            [past] = history.of(work, make.KOEGE, "kommunal-projektleder")
            assert past.holding.name == shown
            assert ("mette@" in past.holding.address) == (shown == "Mette")
    assert not forgotten(house, number)


def test_the_same_look_up_is_noted_once_a_day_and_forgotten_after_a_year(house: Installation) -> None:
    karen, mette = person(house, "Karen", level=Level.ADMINISTRATOR), person(house, "Mette")
    hanne = person(house, "Hanne", level=Level.ADMINISTRATOR, place=make.HERNING)
    with house.database.reading() as session:
        actor, other = (make.actor(session, session.get_one(Person, each)) for each in (karen, hanne))
    found = Lookup("person", "", 1, make.KOEGE, mette)
    for day in (0, 0, 1, 364):
        with house.writing(make.NOW + timedelta(days=day), actor) as work:
            lookups.note(work, found)
            assert lookups.is_noted(work, found)
    with house.reading(make.NOW, actor) as work:
        assert [(each.who, each.what, each.about) for each in lookups.listed(work)] == [
            ("Karen", "En persons side", "Mette")
        ] * 3
        facts = privacy.insight(work, work.session.get_one(Person, mette))
        assert len(facts["opslag_om_personen"]) == 3 and not facts["opslag_af_andre"]
        assert len(privacy.insight(work, work.session.get_one(Person, karen))["opslag_af_andre"]) == 3
    with house.reading(make.NOW, other) as work:
        assert lookups.listed(work) == []
    with house.writing(make.NOW + timedelta(days=365, seconds=1)) as work:
        assert lookups.sweep(work) == 1
    with house.database.reading() as session:
        assert len(session.scalars(select(GalleryLookup)).all()) == 2
