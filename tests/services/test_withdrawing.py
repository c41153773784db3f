"""Withdrawing: every copy a tombstone, nothing of the municipality's lost, told once, in few statements."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bench.measuring import statements
from klik import jobs
from klik.domain.life import Act, State
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import AuditEntry, EarlierState, MunicipalTask, Notice, Task, TaskChange
from klik.services import overview, publishing
from klik.services.errors import RefusedError
from klik.services.publishing import Draft, RecipientChoice, life, recipients, withdrawing
from klik.services.publishing.steps import Press
from klik.services.work import Actor, Work
from tests import make

DRAFT = Draft(
    project="kp",
    title="Udpeg systemansvarlig",
    phase="forberedelse",
    theme="it-miljoe-og-infrastruktur",
    deadline_rule="core.days-after-publication",
    deadline_parameter="2",
)
LATER = make.NOW + timedelta(days=1)
REASON = "Opgaven er erstattet af MI 18."


@pytest.fixture
def editor(house: Installation) -> Actor:
    """A redaktør, and in every municipality somebody to tell."""
    with house.database.writing() as session:
        make.project(session)
        everyone = recipients(Work(session, None, make.NOW, house.registry), RecipientChoice("alle"), "kp")
        for code in everyone:
            make.person(session, municipality=code)
        return make.actor(session, make.person(session, "Ida Krog", level=Level.KOMBIT_EDITOR))


def _published(house: Installation, editor: Actor, codes: tuple[int, ...]) -> int:
    with house.writing(make.NOW) as work:
        return publishing.publish(replace(work, actor=editor), DRAFT, codes).task_id


def _withdraw(house: Installation, editor: Actor, task_id: int, press: Press = Press(), **more: str) -> None:  # noqa: B008
    with house.writing(LATER) as work:
        life.do(replace(work, actor=editor), Act.WITHDRAW, task_id, press, **{"note": REASON, **more})


def test_every_copy_becomes_a_tombstone(house: Installation, editor: Actor) -> None:
    task_id = _published(house, editor, (101, 147, make.KOEGE))
    with house.writing(make.NOW) as work:
        copies = {row.municipality_id: row for row in work.session.scalars(select(MunicipalTask))}
        copies[101].status = Status.COMPLETED.value
        copies[101].completed_on = make.TODAY
        copies[147].status = Status.IN_PROGRESS.value
        author = work.session.scalars(select(make.Person).limit(1)).one()
        make.comment(work.session, copies[147], author)
        work.session.flush()
        versions = {code: row.version for code, row in copies.items()}
        assert overview.counts(work).total == 3
    jobs.scan_deadlines(house, make.NOW)
    with house.reading(make.NOW) as work:
        reminders = Notice.occasion.in_(list(house.registry.notification_rules))
        assert work.session.scalar(select(func.count()).where(reminders)) != 0
        ahead = withdrawing.ahead(work, work.session.get_one(Task, task_id))
    assert (ahead.copies, ahead.begun, ahead.completed, ahead.worked_on) == (3, 2, 1, 1)
    assert ahead.municipalities == ("Frederiksberg", "København")
    with pytest.raises(RefusedError, match="Begrundelse skal udfyldes"):
        _withdraw(house, editor, task_id, note="  ")
    press = Press(None, str(uuid.uuid4()))
    for _press in range(2):
        _withdraw(house, editor, task_id, press)
    with house.reading(LATER) as work:
        session = work.session
        task = session.get_one(Task, task_id)
        assert (task.state, task.withdrawn_at, task.withdrawal_reason) == (State.WITHDRAWN, LATER, REASON)
        for row in session.scalars(select(MunicipalTask)):
            assert (row.withdrawn_at, row.changed_at) == (LATER, LATER)
            assert row.version == versions[row.municipality_id] + 1
        changes = session.scalars(select(TaskChange)).all()
        assert {(each.municipality_id, each.field, each.new) for each in changes} == {
            (code, "withdrawn", REASON) for code in (101, 147, make.KOEGE)
        }
        assert session.scalar(select(func.count()).select_from(EarlierState)) >= 3
        assert overview.counts(work).total == 0
        assert session.scalar(select(func.count()).where(AuditEntry.action == Act.WITHDRAW.value)) == 1
        told = session.scalars(select(Notice).where(Notice.occasion == "trukket-tilbage")).all()
        assert {each.municipality_id for each in told} == {101, 147, make.KOEGE}
        assert all(
            REASON in each.sentence and each.path == f"/opgaver/{each.municipal_task_id}" for each in told
        )
        waiting = select(Notice.occasion).where(Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None))
        assert set(session.scalars(waiting)) == {"trukket-tilbage"}
    # Nothing comes of it later either.
    jobs.scan_deadlines(house, LATER)
    jobs.check(house, LATER)
    with house.reading(LATER) as work:
        assert set(work.session.scalars(waiting)) == {"trukket-tilbage"}


def test_an_announced_task_is_withdrawn_too(house: Installation, editor: Actor) -> None:
    with house.writing(make.NOW) as work:
        task_id = publishing.save_draft(work, DRAFT, None, RecipientChoice.parse("101,147"))
        life.do(work, Act.ANNOUNCE, task_id, Press())
    _withdraw(house, editor, task_id)
    with house.reading(LATER) as work:
        told = work.session.scalars(select(Notice).where(Notice.withdrawn_at.is_(None))).all()
        assert {(each.occasion, each.municipality_id) for each in told} == {
            ("trukket-tilbage", 101),
            ("trukket-tilbage", 147),
        }
        assert {each.path for each in told} == {"/opgaver/kommende"}


def test_the_number_of_statements_does_not_grow(house: Installation, editor: Actor) -> None:
    with house.reading(make.NOW) as work:
        everyone = recipients(work, RecipientChoice("alle"), "kp")
    assert len(everyone) == 98
    counts = []
    for codes in ((101, 147), everyone):
        task_id = _published(house, editor, codes)
        with statements(house.database.engine) as sent:
            _withdraw(house, editor, task_id)
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 40, counts
