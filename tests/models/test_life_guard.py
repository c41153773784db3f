"""The table of the life holds in the database itself: raw SQL goes only where an act leads."""

from __future__ import annotations

from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from klik.domain import life
from klik.domain.life import Act, State
from klik.installation import Installation
from tests import make

PAIRS = [pair for pair in product(State, State) if pair[0] != pair[1]]


def test_the_table_is_the_one_that_was_agreed() -> None:
    """Written out by hand once more, so that a slip in klik.domain.life shows."""
    draft, approval, announced, planned, published, withdrawn = State
    assert life.steps() == {
        (draft, approval),
        (draft, announced),
        (draft, planned),
        (draft, published),
        (approval, draft),
        (approval, announced),
        (approval, planned),
        (approval, published),
        (announced, planned),
        (announced, published),
        (announced, withdrawn),
        (planned, draft),
        (planned, published),
        (published, withdrawn),
    }
    assert life.acts_from(withdrawn) == ()
    assert life.leads_to(Act.CHANGE, approval) is None
    assert life.leads_to(Act.PLAN, planned) is planned


def test_raw_sql_cannot_leave_the_table(house: Installation) -> None:
    with house.database.writing() as session:
        project = make.project(session)
        rows = {state: make.task(session, in_project=project, state=state.value).task_id for state in State}
    wrong = []
    for begin, end in PAIRS:
        allowed = True
        try:
            with house.database.writing() as session:
                session.execute(
                    text("update tasks set state = :end where id = :id"),
                    {"end": end.value, "id": rows[begin]},
                )
                session.rollback()
        except DatabaseError:
            allowed = False
        if allowed is not ((begin, end) in life.steps()):
            wrong.append((begin.value, end.value, allowed))
    assert wrong == []


@pytest.mark.parametrize("statement", ["update task_steps set note = 'andet'", "delete from task_steps"])
def test_the_history_stays(house: Installation, statement: str) -> None:
    with house.database.writing() as session:
        task_id = make.task(session).task_id
        session.execute(
            text("insert into task_steps (task_id, at, act, state) values (:id, :at, 'udgiv', 'udgivet')"),
            {"id": task_id, "at": make.NOW.isoformat()},
        )
    with pytest.raises(DatabaseError, match="append-only"), house.database.writing() as session:
        session.execute(text(statement))
