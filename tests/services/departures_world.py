"""Køge with somebody who leaves: what the tests of leaving share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select

from klik import jobs
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    MunicipalTask,
    Notice,
    Person,
    RoleHolding,
)
from klik.services import holders
from klik.services.departures import announcing
from klik.services.departures.announcing import Wanted
from klik.services.work import Actor, Work
from tests import make

TOMORROW = make.NOW + timedelta(days=1)
ONE_DAY = timedelta(days=1)


@dataclass
class Place:
    """Køge with an administrator, somebody who leaves and two who may take over; Herning beside it."""

    house: Installation
    people: dict[str, int] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)

    def add(self, name: str, level: Level, municipality: int | None = make.KOEGE, **more: object) -> None:
        with self.house.database.writing() as session:
            row = make.person(
                session,
                name.title(),
                level=level,
                municipality=municipality,
                email=f"{name}@koege.example",
                **more,  # type: ignore[arg-type]
            )
            self.actors[name] = make.actor(session, row)
            self.people[name], self.members[name] = row.id, self.actors[name].membership_id

    @contextmanager
    def work(self, who: str | None = "karen", now: datetime = make.NOW) -> Iterator[Work]:
        with self.house.writing(now, self.actors[who] if who else None) as work:
            yield work

    def announce(
        self,
        leaver: str = "mette",
        *,
        by: str = "karen",
        last_day: date = make.TODAY,
        note: str = "",
        version: int = 0,
        now: datetime = make.NOW,
        **heirs: str | None,
    ) -> int:
        given = {
            key.replace("__", "/").replace("_", "-"): self.people[name] if name else None
            for key, name in heirs.items()
        }
        with self.work(by, now) as work:
            wanted = Wanted(last_day, note, given)
            return announcing.announce(work, self.members[leaver], wanted, version).id

    def night(self, now: datetime = TOMORROW) -> str:
        return jobs.look_after_people(self.house, now).sentence

    def holders_on(self, day: date) -> set[tuple[str, str | None, int, bool]]:
        with self.house.database.reading() as session:
            return {
                (each.role, each.system_code, each.person_id or 0, each.is_primary)
                for each in session.scalars(
                    select(RoleHolding).where(
                        RoleHolding.municipality_id == make.KOEGE,
                        RoleHolding.valid_from <= day,
                        (RoleHolding.valid_to.is_(None)) | (RoleHolding.valid_to >= day),
                    )
                )
            }

    def notices(self, occasion: str | None = None) -> list[Notice]:
        with self.house.database.reading() as session:
            which = [Notice.occasion == occasion] if occasion else []
            found = list(session.scalars(select(Notice).where(*which).order_by(Notice.id)))
            session.expunge_all()
            return found


def founded(house: Installation) -> Place:
    made = Place(house)
    with house.database.writing() as session:
        for code in ("kp", "ky"):
            make.system(session, code)
    made.add("karen", Level.ADMINISTRATOR)
    made.add("mette", Level.PLUS_USER)
    made.add("bo", Level.USER)
    made.add("ida", Level.PLUS_USER)
    made.add("hanne", Level.ADMINISTRATOR, make.HERNING)
    made.add("gitte", Level.KOMBIT_ADMINISTRATOR, None)
    return made


def person(work_or_session: object, place: Place, name: str) -> Person:
    row = work_or_session.get(Person, place.people[name])  # type: ignore[attr-defined]
    assert row is not None
    return row


def standing(place: Place) -> dict[int, tuple[int | None, int | None]]:
    with place.house.database.reading() as session:
        return {
            row.id: (row.responsible_id, row.executor_id)
            for row in session.scalars(select(MunicipalTask).order_by(MunicipalTask.id))
        }


def nine_tasks(place: Place) -> None:
    """Nine of Mette's, two red and one yellow, one of Bo's, one that is done; and a role with a stand-in."""
    with place.house.database.writing() as session:
        mette, bo, ida = (person(session, place, name) for name in ("mette", "bo", "ida"))
        project = make.project(session)
        for number in range(9):
            days = {0: -3, 1: -1, 2: 2}.get(number, 40 + number)
            make.municipal_task(
                session,
                local=True,
                in_project=project,
                title=f"Opgave {number}",
                deadline=make.TODAY + timedelta(days=days),
                responsible=mette if number < 7 else None,
                executor=mette if number > 5 else None,
            )
        make.municipal_task(session, local=True, in_project=project, title="Bos", responsible=bo)
        make.municipal_task(
            session,
            local=True,
            in_project=project,
            title="Færdig",
            responsible=mette,
            status=Status.COMPLETED,
        )
        make.holding(session, holder=mette)
        stand_in = make.holding(session, holder=ida, primary=False)
        stand_in.kind, stand_in.valid_to = holders.SUBSTITUTE, make.TODAY + timedelta(days=60)


def open_pairs(place: Place) -> list[tuple[int | None, int | None]]:
    with place.house.database.reading() as session:
        return [
            (row.responsible_id, row.executor_id)
            for row in session.scalars(
                select(MunicipalTask).where(MunicipalTask.status == Status.NOT_STARTED.value)
            )
        ]
