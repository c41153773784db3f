"""What is told about roles: vacant ones, and what a new holder has before them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from klik import jobs
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Membership, MunicipalTask, Notice, Person, RoleHolding
from klik.services.notices import roles
from klik.services.notices.ledger import enqueue
from klik.services.roles import holdings
from klik.services.roles.holdings import Filling
from tests import make

DAY = timedelta(days=1)
KP = "Kommunernes Pensionssystem"


@pytest.fixture
def chief(house: Installation) -> Person:
    """The municipality's administrator."""
    with house.database.writing() as session:
        row = make.person(session, "Anne Lind", level=Level.ADMINISTRATOR, email="anne@koege.example")
        session.expunge(row)
        return row


def run(house: Installation, days: int = 0) -> int:
    now = make.NOW + days * DAY
    with house.reading(now) as work:
        drafts = roles.lacking(work)
    with house.writing(now) as work:
        return enqueue(work, drafts)


def told(house: Installation, occasion: str) -> Sequence[Notice]:
    with house.database.reading() as session:
        rows = session.scalars(select(Notice).where(Notice.occasion == occasion).order_by(Notice.id)).all()
        session.expunge_all()
        return rows


def a_holder(house: Installation, role: str = "systemansvarlig", **more: object) -> tuple[Person, int]:
    with house.database.writing() as session:
        row = make.person(session, "Jens Holm", level=Level.USER)
        holding = make.holding(session, role, holder=row, **more)  # type: ignore[arg-type]
        make.municipal_task(session, deadline=None)
        session.expunge(row)
        return row, holding.id


def change(house: Installation, model: type, where: object, **values: object) -> None:
    with house.database.writing() as session:
        session.execute(update(model).where(where).values(**values))  # type: ignore[arg-type]


def test_a_role_that_ended_is_told_once_and_again_every_30_days(house: Installation, chief: Person) -> None:
    _jens, holding = a_holder(house)
    assert run(house) == 0
    change(house, RoleHolding, RoleHolding.id == holding, valid_to=make.TODAY)
    assert run(house) == 0
    assert [run(house, 1), run(house, 1), run(house, 30), run(house, 31), run(house, 40)] == [1, 0, 0, 1, 0]
    # Two months without a worker: one, not two.
    assert [run(house, 100), run(house, 100)] == [1, 0]
    first = told(house, roles.VACANT)[0]
    assert (first.person_id, first.heading) == (chief.id, f"Ingen har rollen systemansvarlig for {KP}")
    assert first.sentence == (
        "Rollen har været uden indehaver siden 22. november 2026. "
        "Besæt den i rollegalleriet, så varslerne når frem."
    )
    assert (first.path, first.reason) == ("/roller/systemansvarlig", "administrator i kommunen")


def test_a_role_filled_again_and_vacant_again_is_a_new_vacancy(house: Installation, chief: Person) -> None:
    _jens, holding = a_holder(house)
    change(house, RoleHolding, RoleHolding.id == holding, valid_to=make.TODAY - DAY)
    assert run(house) == 1
    _bo, second = a_holder(house)
    assert run(house, 35) == 0
    change(house, RoleHolding, RoleHolding.id == second, valid_to=make.TODAY + 40 * DAY)
    assert run(house, 41) == 1


@pytest.mark.parametrize("gone", ["person", "membership"])
def test_whoever_left_holds_nothing(house: Installation, chief: Person, gone: str) -> None:
    jens, _holding = a_holder(house)
    change(
        house, Membership, Membership.person_id == jens.id, active=gone == "person", ended_on=make.TODAY - DAY
    )
    if gone == "person":
        change(house, Person, Person.id == jens.id, active=False)
    assert [run(house), run(house, 1)] == [1, 0]
    assert [row.person_id for row in told(house, roles.VACANT)] == [chief.id]


def test_a_role_that_a_published_task_waits_for(house: Installation, chief: Person) -> None:
    with house.database.writing() as session:
        for status in (Status.IN_PROGRESS, Status.NOT_STARTED, Status.COMPLETED):
            make.municipal_task(session, status=status).responsible_role = "systemansvarlig"
        make.municipal_task(session, local=True).responsible_role = "superbruger"
    assert [run(house), run(house, 2)] == [1, 0]
    (row,) = told(house, roles.VACANT)
    assert row.sentence.startswith(
        "Rollen har været uden indehaver siden 21. november 2026. 2 åbne opgaver venter på den."
    )
    # A holder across all systems holds it for each.
    a_holder(house, system_code=None)
    with house.reading(make.NOW) as work:
        assert roles.vacancies(work) == []


def test_without_an_administrator_somebody_else_hears_of_the_vacancy(house: Installation) -> None:
    with house.database.writing() as session:
        ida = make.person(session, "Ida Krog", level=Level.KOMBIT_ADMINISTRATOR)
        make.municipal_task(session).responsible_role = "systemansvarlig"
    assert run(house) == 1
    assert told(house, roles.VACANT)[0].person_id == ida.id


def test_the_new_holder_hears_once_how_much_there_is(house: Installation, chief: Person) -> None:
    with house.database.writing() as session:
        make.system(session)
        jens = make.person(session, "Jens Holm", level=Level.USER)
        for deadline in (make.TODAY - DAY, make.TODAY - 2 * DAY, make.TODAY, date(2027, 5, 1), None):
            make.municipal_task(session, deadline=deadline).executor_role = "systemansvarlig"
        make.municipal_task(session, deadline=make.TODAY - DAY)
        actor = make.actor(session, session.get_one(Person, chief.id))
    with house.writing(make.NOW, actor) as work:
        holding = holdings.fill(
            work, Filling(role="systemansvarlig", system="kp", person_id=jens.id, primary=True)
        )
        holdings.fill(work, Filling(role="superbruger", system="kp", person_id=chief.id))
        holdings.make_primary(work, holding.id)
    (first,) = told(house, roles.HANDED_OVER)
    assert first.heading == f"Du har nu rollen systemansvarlig for {KP}: 5 åbne opgaver, 2 er røde"
    assert first.person_id == jens.id
    with house.writing(make.NOW, actor) as work:
        later = holdings.fill(work, Filling(role="systemansvarlig", system="kp", mailbox="it@koege.example"))
        holdings.make_primary(work, later.id)
    headings = [row.heading for row in told(house, roles.HANDED_OVER)[1:]]
    assert headings == [
        f"Postkassen har nu rollen systemansvarlig for {KP}: 5 åbne opgaver, 2 er røde",
        f"Postkassen er nu primær systemansvarlig for {KP}: 5 åbne opgaver, 2 er røde",
    ]


def test_the_job_tells_of_roles(house: Installation, chief: Person) -> None:
    _jens, holding = a_holder(house)
    change(house, RoleHolding, RoleHolding.id == holding, valid_to=make.TODAY - DAY)
    for said in ("1 nyt varsel er skrevet ind.", "0 nye varsler er skrevet ind."):
        assert jobs.scan_deadlines(house, make.NOW).sentence == said
    with house.reading(make.NOW) as work:
        assert len(work.session.scalars(select(MunicipalTask)).all()) == 1


def test_a_vacancy_is_only_of_a_system_the_municipality_has_and_works_with(
    house: Installation, chief: Person
) -> None:
    with house.database.writing() as session:
        held = make.holding(session, mailbox="it@koege.example")
        held.valid_from, held.valid_to = make.TODAY - 300 * DAY, make.TODAY - 200 * DAY
    assert run(house) == 0
    with house.database.writing() as session:
        make.municipal_task(session, deadline=None)
        make.has_system(session, make.HERNING, "kp")
    assert run(house) == 0
    with house.database.writing() as session:
        make.has_system(session, make.KOEGE, "kp")
    # Vacant for long when klik begins to tell of such: once, and no row for each month before.
    assert [run(house), run(house), run(house, 1)] == [1, 0, 0]
