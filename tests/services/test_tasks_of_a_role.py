"""A task that is given to a role follows whoever holds it: in the list, in what may be changed, in files and mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalTask, Notice, RoleHolding
from klik.services import access, filtering, list_document, listing, overview
from klik.services.departures import completing
from klik.services.tasks import changing, details
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.bulk import storing, undoing
from klik.services.tasks.bulk.preview import preview
from klik.services.tasks.bulk.wanted import ROLE_INSTEAD, Wanted
from klik.services.tasks.steps import Changes
from klik.services.work import Actor
from tests import make

TOMORROW = make.NOW + timedelta(days=1)


@pytest.fixture
def actors(house: Installation) -> dict[str, Actor]:
    with house.database.writing() as session:
        made = {}
        for name, level in (("karen", Level.ADMINISTRATOR), ("mette", Level.USER), ("bo", Level.USER)):
            row = make.person(session, name.title(), level=level)
            made[name] = make.actor(session, row)
            if name == "mette":
                make.holding(session, holder=row)
                make.municipal_task(session, title="Rollens")
                make.municipal_task(session, title="Mettes", responsible=row)
                make.municipal_task(session, local=True, title="Uden", responsible=row)
    return made


@pytest.fixture
def numbered(house: Installation, actors: dict[str, Actor]) -> Callable[[str], int]:
    def number(title: str) -> int:
        with house.database.reading() as session:
            return session.scalars(select(MunicipalTask.id).where(MunicipalTask.title == title)).one()

    return number


def shown(house: Installation, who: Actor, query: str = "ansvarlig=mig", now=make.NOW) -> list[str]:  # type: ignore[no-untyped-def]
    with house.reading(now, who) as work:
        selection = filtering.select_tasks(work, filtering.read(work.registry, query))
        rows = listing.page(work, selection, listing.count(work, selection).total).rows
        return sorted(row.title for row in rows)


def test_the_task_follows_the_role(
    house: Installation, actors: dict[str, Actor], numbered: Callable[[str], int]
) -> None:
    with house.writing(make.NOW, actors["karen"]) as work:
        changing.change(work, numbered("Rollens"), 1, Changes(responsible=Assignee(role="systemansvarlig")))
    assert shown(house, actors["mette"]) == ["Mettes", "Rollens", "Uden"]
    assert shown(house, actors["bo"]) == []
    with house.reading(make.NOW, actors["mette"]) as work:
        assert overview.counts(work).mine == 3
        document = list_document.collect(
            work, filtering.select_tasks(work, filtering.read(work.registry, "q=Rollens"))
        )
        assert "Systemansvarlig: Mette" in str(document)
    with house.database.reading() as session:
        told = session.scalars(select(Notice.person_id).where(Notice.occasion == "tildelt")).all()
        assert told == [actors["mette"].person_id]
    with house.database.writing() as session:
        held = session.scalars(select(RoleHolding)).one()
        held.valid_to = make.TODAY
        session.flush()
        session.add(
            RoleHolding(
                municipality_id=make.KOEGE,
                role="systemansvarlig",
                system_code="kp",
                person_id=actors["bo"].person_id,
                is_primary=True,
                valid_from=make.TODAY + timedelta(days=1),
            )
        )
    assert shown(house, actors["bo"]) == []
    assert shown(house, actors["bo"], now=TOMORROW) == ["Rollens"]
    assert shown(house, actors["mette"], now=TOMORROW) == ["Mettes", "Uden"]
    with house.reading(TOMORROW, actors["bo"]) as work:
        task = access.municipal_task(work, numbered("Rollens"))
        assert access.may_change(work, task)
        selection = filtering.select_tasks(work, filtering.read(work.registry, "q=Rollens"))
        [row] = listing.page(work, selection, 1).rows
        assert (row.responsible_role, row.responsible_holder) == ("systemansvarlig", "Bo")
    assert completing.complete_due(house, TOMORROW).completed == 0


def test_many_are_given_to_the_role_instead_of_the_name(
    house: Installation, actors: dict[str, Actor], numbered: Callable[[str], int]
) -> None:
    mettes, without, roles = (numbered(title) for title in ("Mettes", "Uden", "Rollens"))
    with house.database.writing() as session:
        # A task of no system: no role of hers fits.
        session.get_one(MunicipalTask, without).system_code = None
    with house.writing(make.NOW, actors["karen"]) as work:
        versions = {
            row.id: row.version
            for row in work.session.scalars(select(MunicipalTask).order_by(MunicipalTask.id))
        }
        wanted = Wanted("responsible", ROLE_INSTEAD)
        found = preview(work, wanted, versions)
        assert [(line.task_id, line.old, line.new) for line in found.lines] == [
            (mettes, "Mette", "Systemansvarlig")
        ]
        assert found.left == 2
        assert any("har ingen rolle, der passer" in each.why for each in found.skipped)
        change = storing.store(work, wanted, versions)
        assert change.words == "Ansvarlig: rollen i stedet for navnet"
        change_id = change.id
    with house.database.reading() as session:
        row = session.get_one(MunicipalTask, mettes)
        assert (row.responsible_id, row.responsible_role) == (None, "systemansvarlig")
        assert session.get_one(MunicipalTask, without).responsible_id == actors["mette"].person_id
        assert session.get_one(MunicipalTask, roles).responsible_role is None
    with house.writing(make.NOW, actors["karen"]) as work:
        assert undoing.undo(work, change_id).restored == 1


def test_a_substitute_alone_leaves_the_role_vacant_in_the_list_and_on_the_page(
    house: Installation, actors: dict[str, Actor], numbered: Callable[[str], int]
) -> None:
    number = numbered("Rollens")
    with house.writing(make.NOW, actors["karen"]) as work:
        changing.change(work, number, 1, Changes(responsible=Assignee(role="systemansvarlig")))
    with house.database.writing() as session:
        held = session.scalars(select(RoleHolding)).one()
        held.kind, held.is_primary, held.valid_to = "stedfortraeder", False, make.TODAY + timedelta(days=9)
    with house.reading(make.NOW, actors["karen"]) as work:
        selection = filtering.select_tasks(work, filtering.read(work.registry, "q=Rollens"))
        [row] = listing.page(work, selection, 1).rows
        assert row.responsible_vacant
        assert details.load(work, number).responsible.vacant
