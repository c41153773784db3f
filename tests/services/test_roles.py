"""The role gallery: each role's own rule, dates, vacancies, and the walls between municipalities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import AuditEntry, BouncedAddress, MunicipalTask, Notice, Person, RoleHolding
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.roles import gallery as role_gallery
from klik.services.roles import history, matrix
from klik.services.roles import holdings as role_holdings
from klik.services.roles.holdings import Filling
from klik.services.work import Actor, Work
from tests import make

TODAY = make.TODAY


@dataclass
class Town:
    house: Installation
    actor: Actor
    karen: Person
    mette: Person
    jens: Person
    stranger: Person

    def fill(self, role: str = "systemansvarlig", system: str | None = "kp", **more: object) -> int:
        with self.house.writing(make.NOW, self.actor) as work:
            more.setdefault("person_id", None if "mailbox" in more else self.mette.id)
            return role_holdings.fill(work, Filling(role=role, system=system, **more)).id  # type: ignore[arg-type]

    def row(self, holding_id: int) -> RoleHolding:
        with self.house.database.reading() as session:
            found = session.get_one(RoleHolding, holding_id)
            session.expunge(found)
            return found


@pytest.fixture
def town(house: Installation) -> Iterator[Town]:
    with house.database.writing() as session:
        karen = make.person(session, "Karen Kjær", level=Level.ADMINISTRATOR)
        mette = make.person(session, "Mette Holm")
        jens = make.person(session, "Jens Østergaard", level=Level.USER)
        stranger = make.person(session, "Hanne Herning", level=Level.ADMINISTRATOR, municipality=make.HERNING)
        make.has_system(session, code="kp")
        actor = make.actor(session, karen)
    yield Town(house, actor, karen, mette, jens, stranger)


def slot(work: Work, role: str, system: str | None = "kp") -> role_gallery.Slot:
    gallery = role_gallery.of(work, make.KOEGE)
    return next(each for each in gallery.slots if (each.role.slug, each.system) == (role, system))


def names(town: Town, role: str, system: str | None = "kp", day: date = TODAY) -> list[tuple[str, bool]]:
    now = make.NOW + (day - TODAY)
    with town.house.reading(now, town.actor) as work:
        return [(each.name, each.primary) for each in slot(work, role, system).holders]


def test_a_new_holder_of_a_role_for_exactly_one_ends_the_old_one_the_day_before(town: Town) -> None:
    old = town.fill("kombit-programleder", None, valid_from=TODAY - timedelta(days=9))
    town.fill("kombit-programleder", None, person_id=town.jens.id, valid_from=TODAY + timedelta(days=3))
    assert town.row(old).valid_to == TODAY + timedelta(days=2)
    assert names(town, "kombit-programleder", None) == [("Mette Holm", True)]
    assert names(town, "kombit-programleder", None, TODAY + timedelta(days=3)) == [("Jens Østergaard", True)]


def test_replaced_on_its_first_day_the_first_was_never_in_the_role(town: Town) -> None:
    """Days are whole (decision 0017): a role for exactly one has one that day."""
    town.fill("kombit-programleder", None)
    town.fill("kombit-programleder", None, person_id=town.jens.id)
    assert names(town, "kombit-programleder", None) == [("Jens Østergaard", True)]
    assert names(town, "kombit-programleder", None, TODAY + timedelta(days=1)) == [("Jens Østergaard", True)]


def test_a_role_already_given_away_from_a_later_day_is_not_taken_back_silently(town: Town) -> None:
    town.fill("kombit-programleder", None, valid_from=TODAY + timedelta(days=5))
    with pytest.raises(RefusedError) as refused:
        town.fill("kombit-programleder", None, person_id=town.jens.id)
    assert set(refused.value.problems) == {"valid_from"}
    town.fill("kombit-programleder", None, person_id=town.jens.id, valid_to=TODAY + timedelta(days=4))


def test_there_is_always_exactly_one_primary(town: Town) -> None:
    first = town.fill()
    second = town.fill(person_id=town.jens.id)
    assert names(town, "systemansvarlig") == [("Mette Holm", True), ("Jens Østergaard", False)]
    with town.house.writing(make.NOW, town.actor) as work:
        role_holdings.make_primary(work, second)
    assert names(town, "systemansvarlig") == [("Jens Østergaard", True), ("Mette Holm", False)]
    third = town.fill(mailbox="Pension@Koege.example", primary=True)
    assert [primary for _name, primary in names(town, "systemansvarlig")] == [True, False, False]
    with town.house.writing(make.NOW, town.actor) as work:
        role_holdings.end(work, third, TODAY)
    tomorrow = TODAY + timedelta(days=1)
    assert names(town, "systemansvarlig", day=tomorrow) == [("Mette Holm", True), ("Jens Østergaard", False)]
    assert town.row(first).valid_to is None


def test_the_one_who_held_it_longest_becomes_primary_when_the_primary_has_ended(town: Town) -> None:
    long_ago = TODAY - timedelta(days=50)
    primary = town.fill(valid_from=long_ago)
    town.fill(person_id=town.karen.id, valid_from=TODAY - timedelta(days=2))
    longest = town.fill(person_id=town.jens.id, valid_from=long_ago)
    with town.house.writing(make.NOW, town.actor) as work:
        role_holdings.end(work, primary, TODAY - timedelta(days=1))
    assert town.row(longest).is_primary
    assert names(town, "systemansvarlig")[0] == ("Jens Østergaard", True)


def test_several_may_hold_a_role_without_any_primary(town: Town) -> None:
    town.fill("superbruger")
    town.fill("superbruger", person_id=town.jens.id)
    assert names(town, "superbruger") == [("Mette Holm", False), ("Jens Østergaard", False)]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"valid_from": TODAY, "valid_to": TODAY - timedelta(days=1)}, "valid_to"),
        ({"kind": "stedfortraeder"}, "valid_to"),
        ({"kind": "stedfortraeder", "valid_to": TODAY, "primary": True}, "primary"),
        ({"kind": "gæst"}, "kind"),
        ({"note": "Vikar for 010190-1234"}, "note"),
        ({"note": "x" * 501}, "note"),
        ({"person_id": None}, "person"),
        ({"person_id": 999_999}, "person"),
        ({"mailbox": "ingen adresse", "person_id": None}, "mailbox"),
        ({"mailbox": "a@koege.example"}, ""),
    ],
)
def test_refusals_name_the_field(town: Town, more: dict[str, object], field: str) -> None:
    if not field:  # both a person and a mailbox
        more, field = more | {"person_id": town.mette.id}, "person"
    with pytest.raises(RefusedError) as refused:
        town.fill(**more)  # type: ignore[arg-type]
    assert set(refused.value.problems) == {field}
    with town.house.database.reading() as session:
        assert session.scalars(select(RoleHolding)).all() == []


def test_the_same_person_cannot_hold_a_role_twice_at_a_time(town: Town) -> None:
    town.fill(valid_to=TODAY + timedelta(days=3))
    with pytest.raises(RefusedError):
        town.fill()
    town.fill(valid_from=TODAY + timedelta(days=4))


def test_a_primary_to_come_cannot_push_the_present_one_aside(town: Town) -> None:
    town.fill()
    with pytest.raises(RefusedError) as refused:
        town.fill(person_id=town.jens.id, primary=True, valid_from=TODAY + timedelta(days=9))
    assert set(refused.value.problems) == {"primary"}
    coming = town.fill(person_id=town.jens.id, valid_from=TODAY + timedelta(days=9))
    with pytest.raises(RefusedError), town.house.writing(make.NOW, town.actor) as work:
        role_holdings.make_primary(work, coming)


@pytest.mark.parametrize(
    ("role", "system"),
    [
        ("systemansvarlig", None),
        ("systemansvarlig", "findes-ikke"),
        ("kombit-programleder", "kp"),
        ("faglig-leder", "kp"),
        ("findes-ikke", "kp"),
    ],
)
def test_a_role_belongs_to_its_own_systems(town: Town, role: str, system: str | None) -> None:
    with pytest.raises(NotFoundError):
        town.fill(role, system)


def test_ending_keeps_the_row_and_refuses_days_that_cannot_be(town: Town) -> None:
    holding = town.fill(valid_from=TODAY - timedelta(days=5), valid_to=TODAY + timedelta(days=5))
    for day in (TODAY - timedelta(days=6), TODAY + timedelta(days=6)):
        with pytest.raises(RefusedError), town.house.writing(make.NOW, town.actor) as work:
            role_holdings.end(work, holding, day)
    with town.house.writing(make.NOW, town.actor) as work:
        role_holdings.end(work, holding, TODAY - timedelta(days=1))
    with town.house.reading(make.NOW, town.actor) as work:
        assert slot(work, "systemansvarlig").vacant
        assert [each.holding.name for each in history.of(work, make.KOEGE, "systemansvarlig")] == [
            "Mette Holm"
        ]
    with pytest.raises(RefusedError), town.house.writing(make.NOW, town.actor) as work:
        role_holdings.confirm(work, holding)


def test_an_old_page_does_not_overwrite(town: Town) -> None:
    holding = town.fill()
    with town.house.writing(make.NOW + timedelta(minutes=1), town.actor) as work:
        role_holdings.confirm(work, holding, version=1)
    with pytest.raises(ConflictError), town.house.writing(make.NOW, town.actor) as work:
        role_holdings.end(work, holding, TODAY, version=1)


def test_the_new_holder_is_told_once_and_the_act_is_audited(town: Town) -> None:
    holding = town.fill()
    town.fill("superbruger", mailbox="pension@koege.example")
    town.fill("superbruger", person_id=town.karen.id)
    with town.house.database.reading() as session:
        told = session.scalars(select(Notice).order_by(Notice.id)).all()
        assert [notice.person_id for notice in told] == [town.mette.id, None]
        assert told[0].heading.startswith("Du har nu rollen systemansvarlig for ")
        assert told[1].address == "pension@koege.example"
        audited = session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "rolle-besaet")).all()
        assert f"role-holding/{holding}" in audited


def test_whoever_no_longer_holds_a_role_is_told_once(town: Town) -> None:
    ended, taken_back = town.fill(), town.fill("superbruger")
    with town.house.writing(make.NOW, town.actor) as work:
        role_holdings.end(work, ended, TODAY)
        role_holdings.take_back(work, taken_back)
    with town.house.database.reading() as session:
        told = session.scalars(
            select(Notice.heading).where(Notice.dedupe_key.contains("afsluttet")).order_by(Notice.id)
        ).all()
        everybody = set(session.scalars(select(Notice.person_id)))
    assert told == [
        "Din rolle som systemansvarlig for Kommunernes Pensionssystem slutter 21. november 2026",
        "Du har alligevel ikke rollen superbruger for Kommunernes Pensionssystem",
    ]
    assert everybody == {town.mette.id}


def test_whoever_is_replaced_is_told(town: Town) -> None:
    town.fill("projektejer", valid_from=TODAY - timedelta(days=9))
    town.fill("projektejer", person_id=town.jens.id)
    with town.house.database.reading() as session:
        (told,) = session.scalars(select(Notice).where(Notice.dedupe_key.contains("afsluttet")))
        assert told.person_id == town.mette.id
        assert (
            told.heading
            == "Din rolle som projektejer for Kommunernes Pensionssystem sluttede 20. november 2026"
        )


def test_nobody_reaches_another_municipality(town: Town) -> None:
    holding = town.fill()
    with town.house.database.reading() as session:
        hanne = make.actor(session, session.get_one(Person, town.stranger.id))
    for act in (role_holdings.confirm, role_holdings.make_primary):
        with pytest.raises(NotFoundError), town.house.writing(make.NOW, hanne) as work:
            act(work, holding)
    with pytest.raises(NotFoundError), town.house.writing(make.NOW, hanne) as work:
        role_holdings.end(work, holding, TODAY)
    with town.house.reading(make.NOW, hanne) as work:
        with pytest.raises(NotFoundError):
            role_gallery.of(work, make.KOEGE)
        assert history.of(work, make.KOEGE, "systemansvarlig") == ()
    with pytest.raises(RefusedError):
        town.fill("superbruger", person_id=town.stranger.id)


@pytest.mark.parametrize("level", [level for level in Level if level is not Level.ADMINISTRATOR])
def test_only_the_municipalitys_administrator_edits(house: Installation, level: Level) -> None:
    with house.database.writing() as session:
        somebody = make.person(session, level=level)
        make.system(session)
        actor = make.actor(session, somebody)
    with pytest.raises(ForbiddenError), house.writing(make.NOW, actor) as work:
        role_holdings.fill(work, Filling(role="superbruger", system="kp", person_id=somebody.id))
    if level is Level.SUPPLIER:
        with pytest.raises(ForbiddenError), house.reading(make.NOW, actor) as work:
            role_gallery.of(work, make.KOEGE)


def test_a_role_is_needed_while_tasks_of_its_phases_are_open(town: Town) -> None:
    with town.house.database.writing() as session:
        version = make.task(session, phase="forankring")
        task = make.municipal_task(session, version)
    with town.house.reading(make.NOW, town.actor) as work:
        assert slot(work, "systemejer").required_now
        assert not slot(work, "projektleder").required_now
        assert slot(work, "infrastrukturejer", None).required_now
    with town.house.database.writing() as session:
        done = session.get_one(MunicipalTask, task.id)
        done.status, done.completed_on = Status.COMPLETED.value, TODAY
    with town.house.reading(make.NOW, town.actor) as work:
        assert not slot(work, "systemejer").required_now


def test_freshness_reach_and_missing_right_are_shown(town: Town) -> None:
    holding = town.fill(person_id=town.jens.id)
    half_a_year_on = make.NOW + timedelta(days=183)
    with town.house.database.writing() as session:
        jens = session.get_one(Person, town.jens.id)
        session.add(
            BouncedAddress(
                address_key=jens.email_key,
                state="haard",
                count=1,
                first_at=make.NOW,
                last_at=make.NOW,
                reply="550 5.1.1",
            )
        )
    with town.house.reading(half_a_year_on, town.actor) as work:
        shown = slot(work, "systemansvarlig")
        assert shown.holders[0].is_stale(half_a_year_on)
        assert not shown.holders[0].is_stale(make.NOW)
        assert not shown.holders[0].reachable
        assert shown.lacks_right(shown.holders[0])
        assert shown.holders[0].id == holding


def test_the_gallery_takes_four_statements_and_the_matrix_as_many(town: Town) -> None:
    for system in ("kp", "ky", "ksd"):
        with town.house.database.writing() as session:
            make.system(session, system)
        town.fill("superbruger", system)
    with town.house.database.writing() as session:
        kombit = make.actor(session, make.person(session, "Gitte", level=Level.KOMBIT_EDITOR))
    counted: list[str] = []
    event.listen(
        town.house.database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_rest: statement.startswith("SELECT") and counted.append(statement),
    )
    with town.house.reading(make.NOW, kombit) as work:
        role_gallery.of(work, make.KOEGE)
        assert len(counted) == 4
        counted.clear()
        rows = matrix.read(work, ()).rows
        # What is needed, who holds it, and the two lists to choose from above the table.
        assert len(counted) == 4
    assert len(rows) == 98
    koege = next(row for row in rows if row.municipality_id == make.KOEGE)
    assert koege.roles["superbruger"] == matrix.Count(slots=1)
    assert koege.roles["systemansvarlig"].vacant == 1
    with town.house.reading(make.NOW, town.actor) as work, pytest.raises(ForbiddenError):
        matrix.read(work, ())
