"""A task that appoints a role is completed by filling the role, and the vacancy to come names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from klik import jobs
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import AuditEntry, MunicipalTask, Notice, Person, Task, TaskChange
from klik.services.notices import roles
from klik.services.roles import fulfilling, holdings
from klik.services.roles.holdings import Filling
from klik.services.tasks import changing
from klik.services.tasks import history as task_history
from klik.services.tasks.steps import Changes
from klik.services.work import Actor
from tests import make

DAY = timedelta(days=1)


@dataclass
class Town:
    """Køge with an administrator and two others, and a task that appoints its systemansvarlig for KP."""

    house: Installation
    actor: Actor
    mette: Person
    jens: Person
    task: int

    def fill(self, role: str = "systemansvarlig", system: str | None = "kp", **more: object) -> int:
        days = more.pop("days", 0)
        more.setdefault("person_id", self.mette.id)
        with self.house.writing(make.NOW + days * DAY, self.actor) as work:  # type: ignore[operator]
            return holdings.fill(work, Filling(role=role, system=system, **more)).id  # type: ignore[arg-type]

    def status(self, task: int | None = None) -> Status:
        with self.house.database.reading() as session:
            return Status(session.get_one(MunicipalTask, task or self.task).status)

    def scan(self, days: int = 0) -> int:
        """What the daily scan completes."""
        now = make.NOW + days * DAY
        with self.house.reading(now) as work:
            is_due = fulfilling.is_due(work)
        with self.house.writing(now) as work:
            done = fulfilling.fulfil_due(work)
        assert is_due == bool(done)
        return done

    def reopen(self, days: int = 0) -> None:
        with self.house.writing(make.NOW + days * DAY, self.actor) as work:
            row = work.session.get_one(MunicipalTask, self.task)
            changing.change(work, row.id, row.version, Changes(status=Status.IN_PROGRESS))


def appointing(
    house: Installation, role: str = "systemansvarlig", number: str | None = None, **more: object
) -> int:
    """A copy of a task that appoints the role."""
    with house.database.writing() as session:
        version = make.task(session, f"Udpeg {role}", number=number)
        session.execute(update(Task).where(Task.id == version.task_id).values(appoints_role=role))
        return make.municipal_task(session, version, **more).id  # type: ignore[arg-type]


@pytest.fixture
def town(house: Installation) -> Iterator[Town]:
    with house.database.writing() as session:
        make.has_system(session, code="kp")
        karen = make.person(session, "Karen Kjær", level=Level.ADMINISTRATOR, email="karen@koege.example")
        mette, jens = make.person(session, "Mette Holm"), make.person(session, "Jens Holm")
        actor = make.actor(session, karen)
    yield Town(house, actor, mette, jens, appointing(house, number="13.7"))


def test_filling_the_role_completes_the_task_with_its_history(town: Town) -> None:
    holding = town.fill()
    with town.house.reading(make.NOW, town.actor) as work:
        row = work.session.get_one(MunicipalTask, town.task)
        assert (row.status, row.completed_on) == ("fuldfoert", make.TODAY)
        change = work.session.scalars(select(TaskChange).where(TaskChange.municipal_task_id == row.id)).one()
        assert (change.field, change.old, change.new) == ("status", "Ikke påbegyndt", "Fuldført")
        assert (change.via, change.person_id) == (f"rolle/{holding}", town.actor.person_id)
        said = [entry.sentence for entry in task_history.history(work, row, own=True)]
        assert "Fuldført: rollen blev besat med Mette Holm" in said
        audited = work.session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "ret-opgave"))
        assert f"kommuneopgave/{row.id}" in list(audited)


def test_only_what_fits_is_completed(town: Town, house: Installation) -> None:
    with house.database.writing() as session:
        ky = make.project(session, "ky", system_code="ky")
        other = make.task(session, "Udpeg systemansvarlig", in_project=ky)
        session.execute(update(Task).where(Task.id == other.task_id).values(appoints_role="systemansvarlig"))
        of_ky = make.municipal_task(session, other).id
        elsewhere = make.municipal_task(session, other, municipality=make.HERNING).id
    projektejer = appointing(house, "projektejer")
    not_relevant = appointing(house, status=Status.NOT_RELEVANT)
    withdrawn = appointing(house)
    with house.database.writing() as session:
        session.get_one(MunicipalTask, withdrawn).withdrawn_at = make.NOW
    town.fill()
    assert town.status() is Status.COMPLETED
    assert {town.status(each) for each in (of_ky, elsewhere, projektejer, withdrawn)} == {Status.NOT_STARTED}
    assert town.status(not_relevant) is Status.NOT_RELEVANT


def test_a_role_across_the_municipality_fits_the_task_of_any_system(town: Town, house: Installation) -> None:
    task = appointing(house, "organisationsadministrator")
    town.fill("organisationsadministrator", None)
    assert town.status(task) is Status.COMPLETED


def test_a_substitute_fulfils_nothing(town: Town) -> None:
    town.fill(kind="stedfortraeder", valid_to=make.TODAY + 9 * DAY)
    assert town.status() is Status.NOT_STARTED
    assert town.scan(1) == 0


def test_a_holder_to_come_fulfils_on_the_first_day(town: Town) -> None:
    town.fill(valid_from=make.TODAY + 3 * DAY)
    assert (town.scan(2), town.status()) == (0, Status.NOT_STARTED)
    assert (town.scan(3), town.status()) == (1, Status.COMPLETED)
    assert town.scan(3) == 0
    with town.house.database.reading() as session:
        row = session.get_one(MunicipalTask, town.task)
        assert row.completed_on == make.TODAY + 3 * DAY
        change = session.scalars(select(TaskChange).where(TaskChange.municipal_task_id == row.id)).one()
        assert change.person_id is None


def test_the_scan_that_was_away_on_the_first_day_does_it_later(town: Town) -> None:
    town.fill(valid_from=make.TODAY + 3 * DAY)
    assert (town.scan(8), town.status()) == (1, Status.COMPLETED)


def test_who_left_before_the_first_day_fulfils_nothing(town: Town) -> None:
    town.fill(valid_from=make.TODAY + 3 * DAY)
    with town.house.database.writing() as session:
        session.get_one(Person, town.mette.id).active = False
    assert town.scan(3) == 0


def test_what_is_opened_again_stays_open_until_somebody_new_comes(town: Town) -> None:
    town.fill(valid_from=make.TODAY + DAY)
    assert town.scan(1) == 1
    town.reopen(2)
    assert (town.scan(2), town.scan(9), town.status()) == (0, 0, Status.IN_PROGRESS)
    town.fill(person_id=town.jens.id, valid_from=make.TODAY + 20 * DAY, days=9)
    assert (town.scan(19), town.scan(20), town.status()) == (0, 1, Status.COMPLETED)


def test_who_held_the_role_before_the_task_came_does_not_fulfil_it(town: Town, house: Installation) -> None:
    town.fill()
    late = appointing(house)
    assert (town.scan(), town.scan(1), town.status(late)) == (0, 0, Status.NOT_STARTED)
    with house.reading(make.NOW, town.actor) as work:
        shown = fulfilling.appointment(work, work.session.get_one(MunicipalTask, late))
        assert shown is not None
        assert (shown.is_open, shown.names, shown.may_fill) == (True, "Mette Holm", True)
        assert shown.words == "Systemansvarlig for Kommunernes Pensionssystem"


@pytest.mark.parametrize("level", list(Level))
def test_who_sees_what_of_an_appointment(town: Town, house: Installation, level: Level) -> None:
    with house.database.writing() as session:
        actor = make.actor(session, make.person(session, "Ida Krog", level=level, systems=("kp",)))
    with house.reading(make.NOW, actor) as work:
        shown = fulfilling.appointment(work, work.session.get_one(MunicipalTask, town.task))
    if level is Level.SUPPLIER:
        assert shown is None
        return
    assert shown is not None
    assert shown.may_fill == (level is Level.ADMINISTRATOR)
    # Names of a municipality's people are its own affair.
    assert bool(shown.administrators) == (level.scope == "municipality")


def test_the_next_vacancy_names_the_task(town: Town) -> None:
    holding = town.fill()
    with town.house.writing(make.NOW, town.actor) as work:
        holdings.end(work, holding, make.TODAY)
    assert told(town.house) == []
    jobs.scan_deadlines(town.house, make.NOW + DAY)
    (notice,) = told(town.house)
    assert notice.person_id == town.actor.person_id
    assert notice.sentence == (
        "Rollen har været uden indehaver siden 22. november 2026. Opgaven “13.7 Udpeg systemansvarlig” er lukket, "
        "men skal måske løses igen. Besæt den i rollegalleriet, så varslerne når frem."
    )
    assert town.status() is Status.COMPLETED
    # Filled and vacant anew: told anew.
    second = town.fill(person_id=town.jens.id, days=2)
    with town.house.writing(make.NOW + 3 * DAY, town.actor) as work:
        holdings.end(work, second, date(2026, 11, 24))
    jobs.scan_deadlines(town.house, make.NOW + 4 * DAY)
    assert len(told(town.house)) == 2


def told(house: Installation) -> list[Notice]:
    with house.database.reading() as session:
        rows = list(session.scalars(select(Notice).where(Notice.occasion == roles.VACANT)))
        session.expunge_all()
        return rows
