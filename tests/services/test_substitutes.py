"""A substitute in a period is told together with the holders, may change the task, and fills no vacant role."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalTask, Notice, Person
from klik.services import access, control
from klik.services.errors import ForbiddenError
from klik.services.follow_up import writing
from klik.services.newsletters import audience
from klik.services.newsletters.audience import PRIMARY, Audience
from klik.services.notices import scanning, task_recipients
from tests import make

DAY = timedelta(days=1)
START, END = make.TODAY, make.TODAY + 3 * DAY
FOR_JENS = "ansvarlig som systemansvarlig (stedfortræder for Jens Holm)"


@pytest.fixture
def eva(house: Installation) -> int:
    """Jens holds the role, Eva stands in for him for four days, and a red task is the role's."""
    with house.database.writing() as session:
        make.has_system(session, code="kp")
        jens = make.person(session, "Jens Holm", email="jens@koege.example", level=Level.USER)
        row = make.person(session, "Eva Juhl", email="eva@koege.example", level=Level.USER)
        make.person(session, "Karen Kjær", level=Level.ADMINISTRATOR)
        make.holding(session, holder=jens)
        standing_in = make.holding(session, holder=row, primary=False)
        standing_in.kind, standing_in.valid_from, standing_in.valid_to = "stedfortraeder", START, END
        task = make.municipal_task(session, deadline=make.TODAY - DAY)
        task.responsible_role = "systemansvarlig"
        return row.id


def test_both_hear_of_the_roles_task_while_the_period_runs(house: Installation, eva: int) -> None:
    for day, told in (
        (START - DAY, ["jens@koege.example"]),
        (START, ["jens@koege.example", "eva@koege.example"]),
        (END, ["jens@koege.example", "eva@koege.example"]),
        (END + DAY, ["jens@koege.example"]),
    ):
        with house.reading(make.NOW + (day - make.TODAY)) as work:
            task = work.session.scalars(select(MunicipalTask)).one()
            found = task_recipients.of_tasks(work, [task])[task.id]
            assert [each.address for each in found] == told, day
            if len(told) == 2:
                assert [each.reason for each in found] == ["ansvarlig som systemansvarlig (primær)", FOR_JENS]
            held = writing._holders(work, [make.KOEGE], "systemansvarlig", "kp")
            assert [to.address for to, _name in held[make.KOEGE]] == told
            readers = audience._holders(
                work, Audience(roles=("systemansvarlig",), holders=PRIMARY), {make.KOEGE: "Køge"}
            )
            assert [reader.address for reader in readers] == told


def test_what_was_sent_is_what_the_control_expects(house: Installation, eva: int) -> None:
    with house.writing(make.NOW) as work:
        assert scanning.scan_deadlines(work).written == 2
    with house.writing(make.NOW + timedelta(hours=3)) as work:
        assert control.examine(work).lacking == 0
        work.session.execute(delete(Notice).where(Notice.person_id == eva))
        assert control.examine(work).lacking == 1


def test_a_substitute_may_change_the_task_only_in_the_period(house: Installation, eva: int) -> None:
    for day, may in ((START - DAY, False), (START, True), (END, True), (END + DAY, False)):
        with house.reading(make.NOW + (day - make.TODAY)) as work:
            work = replace(work, actor=make.actor(work.session, work.session.get_one(Person, eva)))
            task_id = work.session.scalars(select(MunicipalTask.id)).one()
            if may:
                assert access.task_to_change(work, task_id).id == task_id
            else:
                with pytest.raises(ForbiddenError):
                    access.task_to_change(work, task_id)
