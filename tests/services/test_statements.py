"""Publishing to 98 or to 10,000, and correcting it, asks the database the same number of questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import event, func, insert, select, update

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.domain.texts import sort_key
from klik.installation import Installation
from klik.models import Membership, Municipality, MunicipalTask, Notice, Person
from klik.services import correcting, publishing
from klik.services.correcting import Corrected
from klik.services.publishing import Draft
from tests import make

pytestmark = pytest.mark.hard
MANY = 10_000
DRAFT = Draft(
    project="kp",
    title="Udpeg systemansvarlig",
    phase="opstart",
    theme="it-miljoe-og-infrastruktur",
    responsible_role="systemansvarlig",
    deadline_rule="core.date",
    deadline_parameter="2026-12-01",
)


@contextmanager
def counted(house: Installation) -> Iterator[list[str]]:
    """The statements sent meanwhile; one that is sent with many rows is one."""
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(house.database.engine, "before_cursor_execute", note)


@pytest.fixture
def crowded(house: Installation) -> tuple[Installation, tuple[tuple[int, ...], ...]]:
    """Ten thousand municipalities with a plus user each; the 98 real ones, and all of them."""
    with house.database.writing() as session:
        make.project(session)
        real = tuple(session.scalars(select(Municipality.id)).all())
        codes = real + tuple(range(1000, 1000 + MANY - len(real)))
        session.execute(
            insert(Municipality),
            [
                {
                    "id": code,
                    "name": f"By {code}",
                    "name_key": sort_key(f"By {code}"),
                    "region": "R",
                    "version": 1,
                }
                for code in codes[len(real) :]
            ],
        )
        session.execute(
            insert(Person),
            [
                {
                    "name": f"Leder {code}",
                    "name_key": sort_key(f"Leder {code}"),
                    "email": f"leder@{code}.example",
                    "email_key": f"leder@{code}.example",
                    "active": True,
                    "created_at": make.NOW,
                    "version": 1,
                }
                for code in codes
            ],
        )
        people = dict(session.execute(select(Person.email, Person.id)).all())
        session.execute(
            insert(Membership),
            [
                {
                    "person_id": people[f"leder@{code}.example"],
                    "municipality_id": code,
                    "level": Level.PLUS_USER.value,
                    "since": make.TODAY,
                    "active": True,
                    "version": 1,
                }
                for code in codes
            ],
        )
    return house, (real, codes)


def _differently_far(house: Installation, task_id: int) -> None:
    """A third is in progress, a tenth has its own deadline, a fifth is done, of few and of many."""
    copies = MunicipalTask.task_id == task_id
    with house.database.writing() as session:
        for every, values in (
            (3, {"status": Status.IN_PROGRESS.value}),
            (7, {"deadline": date(2026, 12, 10), "deadline_is_own": True}),
            (5, {"status": Status.COMPLETED.value, "completed_on": make.TODAY}),
        ):
            session.execute(update(MunicipalTask).where(copies, MunicipalTask.id % every == 0).values(values))


def test_as_many_statements_for_ten_thousand(
    crowded: tuple[Installation, tuple[tuple[int, ...], ...]],
) -> None:
    house, sizes = crowded
    published, corrected = [], []
    for codes in sizes:
        with counted(house) as seen, house.writing(make.NOW) as work:
            done = publishing.publish(work, replace(DRAFT, title=f"Udpeg {len(codes)}"), codes)
        assert done.municipalities == done.notices == len(codes)
        published.append(len(seen))
        _differently_far(house, done.task_id)
        with counted(house) as seen:
            result = _correct(house, done.task_id)
        assert result.following + result.marked + result.unchanged == len(codes)
        assert result.deviations > len(codes) // 20
        corrected.append(len(seen))
    print(f"statements: publish {published}, correct {corrected} for 98 and {MANY}")  # noqa: T201 - the figure is what the run is for
    assert published[0] == published[1] < 40
    assert corrected[0] == corrected[1] < 60
    with house.database.reading() as session:
        told = select(func.count(Notice.id)).where(Notice.occasion == "frist-flyttet")
        assert (session.scalar(told) or 0) > 0.7 * sum(map(len, sizes))


def _correct(house: Installation, task_id: int) -> Corrected:
    with house.writing(make.NOW + timedelta(days=1)) as work:
        draft = replace(
            publishing.draft_of(work, task_id),
            deadline_parameter="2026-12-15",
            responsible_role="superbruger",
            description="En anden tekst.",
        )
        return correcting.correct(work, task_id, draft, "Rettet.", version=1)


def test_a_question_for_each_copy_would_be_seen(house: Installation) -> None:
    """The control: somebody who asks once a copy is counted."""
    with house.writing(make.NOW) as work:
        make.project(work.session)
        publishing.publish(work, DRAFT, (101, 147, 259))

    def naive() -> Callable[[], object]:
        with house.database.reading() as session:
            return [session.get(MunicipalTask, each) for each in (1, 2, 3)]  # type: ignore[return-value]

    with counted(house) as seen:
        naive()
    assert len(seen) >= 3
