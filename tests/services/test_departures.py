"""Somebody leaves: who stands on what before and after, once, all or nothing, and one mail to each heir."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import func, select

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import (
    Departure,
    FilterUse,
    Mail,
    Membership,
    MembershipSystem,
    MunicipalTask,
    Notice,
    Person,
    RoleHolding,
    SavedFilter,
    TaskChange,
)
from klik.services.departures import announcing, plan
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.tasks import history
from tests import make
from tests.services.departures_world import (
    ONE_DAY,
    TOMORROW,
    Place,
    founded,
    nine_tasks,
    open_pairs,
    person,
    standing,
)

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture
def place(house: Installation) -> Place:
    return founded(house)


def test_the_page_is_prefilled_with_the_substitute(place: Place) -> None:
    nine_tasks(place)
    with place.work() as work:
        member = announcing.leaver(work, place.members["mette"])
        found = plan.proposed(work, member, make.TODAY)
    ida = place.people["ida"]
    assert found == {"rolle/systemansvarlig/kp": ida, "opgaver": ida, "filtre": ida}


def test_before_and_after(place: Place) -> None:
    nine_tasks(place)
    mette, bo, ida = (place.people[name] for name in ("mette", "bo", "ida"))
    before = standing(place)
    place.announce(note="Held og lykke", rolle__systemansvarlig__kp="ida", opgaver="ida", filtre="ida")
    assert standing(place) == before
    assert place.notices("overtager") == []
    assert place.night(make.NOW + timedelta(hours=3)) == "Ingen er fratrådt siden sidst."
    assert place.night() == "1 fratrædelse er gennemført."
    after = standing(place)
    changed = {key for key in before if before[key] != after[key]}
    assert len(changed) == 9
    for key in changed:
        assert after[key] == tuple(ida if each == mette else each for each in before[key])
    assert ("systemansvarlig", "kp", mette, True) in place.holders_on(make.TODAY)
    assert ("systemansvarlig", "kp", ida, True) in place.holders_on(make.TODAY + ONE_DAY)
    assert mette not in {who for _role, _system, who, _ in place.holders_on(make.TODAY + ONE_DAY)}
    assert [row.person_id for row in place.notices()] == [ida]
    assert bo not in {row.person_id for row in place.notices()}
    with place.house.database.reading() as session:
        member = session.get_one(Membership, place.members["mette"])
        assert (member.active, member.ended_on) == (False, make.TODAY + ONE_DAY)
        entries = session.scalars(select(TaskChange).where(TaskChange.via.like("fratraeder/%"))).all()
        assert len(entries) == 10  # one task had her twice
        assert {(each.old, each.new) for each in entries} == {("Mette", "Ida")}
    assert place.night(TOMORROW + timedelta(hours=1)) == "Ingen er fratrådt siden sidst."
    assert standing(place) == after
    assert len(place.notices()) == 1


def test_the_history_says_why(place: Place) -> None:
    nine_tasks(place)
    place.announce(opgaver="bo")
    place.night()
    with place.work() as work:
        task = work.session.scalars(select(MunicipalTask).where(MunicipalTask.title == "Opgave 0")).one()
        first = history.history(work, task, own=True)[0]
    assert first.sentence == "Ansvarlig overdraget: fra Mette til Bo, fordi Mette fratræder"


def test_the_one_mail(place: Place, house: Installation) -> None:
    nine_tasks(place)
    place.announce(note="Held og lykke", rolle__systemansvarlig__kp="ida", opgaver="ida")
    place.night()
    jobs.scan_deadlines(house, TOMORROW)
    assert [row.occasion for row in place.notices() if row.occasion == "tildelt"] == []
    [row] = place.notices("overtager")
    assert row.heading == "Du overtager 9 opgaver, 2 er røde"
    words, *lines = row.sentence.split("\n")
    assert words == (
        "Mette fratrådte 21. november 2026. Du overtager rollen systemansvarlig for Kommunernes Pensionssystem. "
        "Besked til dig: “Held og lykke”"
    )
    assert len(lines) == 9
    assert lines[0].startswith("Rød: Opgave 0 (ansvarlig, deadline 18. november 2026) /opgaver/")
    assert lines[1].startswith("Rød: Opgave 1 ")
    assert lines[2].startswith("Gul: Opgave 2 ")
    assert "Opgave 6 (ansvarlig og udfører," in row.sentence


def test_what_waits_for_the_leaver_is_taken_back(place: Place, house: Installation) -> None:
    nine_tasks(place)
    jobs.scan_deadlines(house, make.NOW)
    jobs.digests(house, make.NOW)
    with house.database.reading() as session:
        assert session.scalar(
            select(func.count()).where(Mail.person_id == place.people["mette"], Mail.state == "pending")
        )
    place.announce(opgaver="ida")
    place.night()
    with house.database.reading() as session:
        mine = session.scalars(select(Notice).where(Notice.person_id == place.people["mette"])).all()
        assert mine
        assert {row.withdrawal_reason for row in mine} == {"modtageren er fratrådt"}
        assert not session.scalar(
            select(func.count()).where(Mail.person_id == place.people["mette"], Mail.state == "pending")
        )


def test_a_past_day_is_done_at_once(place: Place) -> None:
    nine_tasks(place)
    place.announce(last_day=make.TODAY - ONE_DAY, opgaver="bo", rolle__systemansvarlig__kp=None)
    assert place.people["mette"] not in {who for pair in open_pairs(place) for who in pair}
    assert not any(
        role == "systemansvarlig" and primary for role, _s, _w, primary in place.holders_on(make.TODAY)
    )
    assert place.night() == "Ingen er fratrådt siden sidst."


def test_without_an_heir_the_task_is_its_roles_again(place: Place) -> None:
    with place.house.database.writing() as session:
        task = make.municipal_task(session, responsible=person(session, place, "mette"))
        task.responsible_role = "systemansvarlig"
        task_id = task.id
    place.announce(opgaver=None)
    place.night()
    with place.house.database.reading() as session:
        row = session.get_one(MunicipalTask, task_id)
        assert (row.responsible_id, row.responsible_role) == (None, "systemansvarlig")


def test_changed_and_regretted(place: Place) -> None:
    nine_tasks(place)
    before = standing(place)
    first = place.announce(opgaver="bo")
    with place.house.database.reading() as session:
        version = session.get_one(Departure, first).version
    with pytest.raises(ConflictError):
        place.announce(opgaver="ida")
    assert place.announce(opgaver="ida", last_day=make.TODAY + ONE_DAY, version=version) == first
    with pytest.raises(ConflictError):
        place.announce(opgaver="bo", version=version)
    with place.house.database.reading() as session:
        row = session.get_one(Departure, first)
        later = row.version
        assert [heir.person_id for heir in row.heirs] == [place.people["ida"]]
    assert place.night() == "Ingen er fratrådt siden sidst."
    with place.work() as work, pytest.raises(ConflictError):
        announcing.regret(work, place.members["mette"], version)
    with place.work() as work:
        announcing.regret(work, place.members["mette"], later)
    place.night(make.NOW + timedelta(days=9))
    assert standing(place) == before
    assert place.announce(opgaver="bo") != first


def test_the_last_administrator_stays(place: Place) -> None:
    with pytest.raises(RefusedError) as refused:
        place.announce("karen")
    assert "eneste administrator" in refused.value.problems["person"]
    place.add("palle", Level.ADMINISTRATOR)
    place.announce("karen", last_day=make.TODAY + 5 * ONE_DAY)
    # The other one may not go before or with her: nobody would be left.
    with pytest.raises(RefusedError):
        place.announce("palle", last_day=make.TODAY + 5 * ONE_DAY)
    with place.house.database.writing() as session:
        session.get_one(Membership, place.members["palle"]).active = False
    waits = "1 fratrædelse venter, fordi kommunen ikke har en anden administrator."
    assert place.night(make.NOW + timedelta(days=6)) == waits
    with place.house.database.writing() as session:
        assert session.get_one(Membership, place.members["karen"]).active
        session.get_one(Membership, place.members["palle"]).active = True
    assert place.night(make.NOW + timedelta(days=7)) == "1 fratrædelse er gennemført."


def test_only_the_own_municipality(place: Place) -> None:
    with pytest.raises(RefusedError) as refused:
        place.announce(opgaver="hanne")
    assert "opgaver" in refused.value.problems
    with pytest.raises(NotFoundError):
        place.announce("mette", by="hanne")
    with pytest.raises(ForbiddenError):
        place.announce("mette", by="gitte")
    with pytest.raises(ForbiddenError):
        place.announce("mette", by="ida")


def test_only_this_place_of_two(place: Place) -> None:
    with place.house.database.writing() as session:
        mette = person(session, place, "mette")
        session.add(
            Membership(person_id=mette.id, municipality_id=make.HERNING, level="bruger", since=make.TODAY)
        )
        session.flush()
        there = make.municipal_task(
            session, municipality=make.HERNING, local=True, title="I Herning", responsible=mette
        ).id
        make.holding(session, holder=mette, municipality=make.HERNING)
    place.announce(opgaver="bo")
    place.night()
    with place.house.database.reading() as session:
        assert session.get_one(MunicipalTask, there).responsible_id == place.people["mette"]
        assert session.get_one(Person, place.people["mette"]).active
        levels = session.scalars(
            select(Membership.active)
            .where(Membership.person_id == place.people["mette"])
            .order_by(Membership.id)
        ).all()
        assert list(levels) == [False, True]
        held = session.scalars(select(RoleHolding).where(RoleHolding.municipality_id == make.HERNING)).one()
        assert held.valid_to is None


def test_wrong_words_are_refused(place: Place) -> None:
    with pytest.raises(RefusedError) as refused:
        place.announce(note="Ring til 010190-1234", last_day=make.TODAY + timedelta(days=4000))
    assert set(refused.value.problems) == {"note", "last_day"}
    with pytest.raises(RefusedError) as refused:
        place.announce(note="x" * 1001, opgaver="mette")
    assert set(refused.value.problems) == {"note", "opgaver"}


def test_shared_filters_mails_and_systems_pass_on_and_private_ones_do_not(place: Place) -> None:
    with place.house.database.writing() as session:
        mette, ida = (person(session, place, name) for name in ("mette", "ida"))
        rows = {}
        for owner, name, shared in (
            (mette, "Røde", "kommune"),
            (mette, "Mine", "selv"),
            (ida, "røde", "selv"),
        ):
            row = SavedFilter(
                person_id=owner.id,
                municipality_id=make.KOEGE,
                name=name,
                name_key=name.casefold(),
                query="farve=roed",
                shared=shared,
                created_at=make.NOW,
            )
            session.add(row)
            session.flush()
            rows[owner.name, name] = row.id
        for name in ("Røde", "Mine"):
            session.add(
                FilterUse(
                    person_id=mette.id,
                    saved_filter_id=rows["Mette", name],
                    subscription="dagligt",
                    membership_id=place.members["mette"],
                    chosen_on=make.TODAY,
                )
            )
        for who, code in (("mette", "kp"), ("mette", "ky"), ("ida", "ky")):
            session.add(MembershipSystem(membership_id=place.members[who], system_code=code))
    place.announce(filtre="ida")
    place.night()
    with place.house.database.reading() as session:
        ida_id = place.people["ida"]
        shared, private = (session.get_one(SavedFilter, rows["Mette", name]) for name in ("Røde", "Mine"))
        assert (shared.person_id, shared.name) == (ida_id, "Røde (fra Mette)")
        assert private.person_id == place.people["mette"]
        assert session.get_one(FilterUse, (ida_id, shared.id)).subscription == "dagligt"
        assert session.get(FilterUse, (ida_id, private.id)) is None
        followed = session.scalars(
            select(MembershipSystem.system_code).where(MembershipSystem.membership_id == place.members["ida"])
        )
        assert sorted(followed) == ["kp", "ky"]


def test_an_heir_who_is_gone_by_then_takes_over_nothing(place: Place) -> None:
    nine_tasks(place)
    place.announce(opgaver="bo", rolle__systemansvarlig__kp="bo", last_day=make.TODAY + 3 * ONE_DAY)
    with place.house.database.writing() as session:
        session.get_one(Membership, place.members["bo"]).active = False
    place.night(make.NOW + timedelta(days=4))
    bo = place.people["bo"]
    # His own task is his still; nothing of hers became his.
    assert sum(bo in pair for pair in open_pairs(place)) == 1
    assert all(place.people["mette"] not in pair for pair in open_pairs(place))
    assert place.notices("overtager") == []


def test_the_words_of_the_mail(place: Place, house: Installation) -> None:
    nine_tasks(place)
    place.announce(note="Held og lykke", rolle__systemansvarlig__kp="ida", opgaver="ida")
    place.night()
    jobs.digests(house, TOMORROW)
    with house.database.reading() as session:
        [content] = session.scalars(select(Mail.content).where(Mail.person_id == place.people["ida"]))
    mail = message_from_bytes(content, policy=policy.default)
    assert mail["Subject"] == "Du overtager 9 opgaver, 2 er røde"
    body = mail.get_body(("plain",))
    page = mail.get_body(("html",))
    assert body is not None
    assert page is not None
    text = re.sub(r"/opgaver/\d+", "/opgaver/#", body.get_content()).replace("\r\n", "\n")
    assert text == (SNAPSHOTS / "du-overtager.txt").read_text("utf-8")
    links = re.findall(r'<a href="[^"]*/opgaver/\d+"[^>]*>([^<]*)</a>', page.get_content())
    assert len(links) == 9
    assert links[0].startswith("Rød: Opgave 0 (ansvarlig, ")
