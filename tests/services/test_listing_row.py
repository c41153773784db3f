"""One row of the list alone: the same as on its page, and whether it still belongs there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from klik.domain.status import Status
from klik.installation import Installation
from klik.services import filtering, listing
from klik.services.errors import NotFoundError
from tests import make


def test_a_row_alone_is_the_row_of_the_page_and_says_whether_it_fits(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        mette = make.person(work.session)
        task = make.municipal_task(
            work.session, responsible=mette, deadline=make.TODAY - timedelta(days=1), title="Rød"
        )
        foreign = make.municipal_task(work.session, municipality=make.HERNING, local=True)
        actor, task_id, foreign_id = make.actor(work.session, mette), task.id, foreign.id
    query = "deadline=roed&ansvarlig=mig"
    with house.reading(make.NOW, actor) as work:
        selection = filtering.select_tasks(work, filtering.read(work.registry, query))
        (listed,) = listing.every_row(work, selection)
        assert listing.row(work, selection, task_id) == (listed, True)
        with pytest.raises(NotFoundError):
            listing.row(work, selection, foreign_id)
    with house.writing(make.NOW) as work:
        found = work.session.get_one(type(task), task_id)
        found.status, found.completed_on = Status.COMPLETED.value, make.TODAY
    with house.reading(make.NOW, actor) as work:
        selection = filtering.select_tasks(work, filtering.read(work.registry, query))
        row, fits = listing.row(work, selection, task_id)
        assert (row.title, row.status, row.colour, fits) == ("Rød", Status.COMPLETED, None, False)
