"""The page of a task that was deleted: 410 with whose decision it was, for those who saw the task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from klik import jobs
from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.installation import Installation
from klik.services.deleting import erasing
from tests import make
from tests.client import Browser
from tests.make import HERNING
from tests.services.deletion_world import announced


@pytest.fixture
def erased(house: Installation) -> int:
    """A published task of Køge that was deleted today; people who saw it and who did not."""
    now = datetime.now(UTC)
    with house.database.writing() as session:
        task_id = make.municipal_task(session, make.task(session, "Hemmelig titel", number="MI 15")).id
        announced(session, [task_id], last_day=danish_today(now) - timedelta(days=1))
        make.person(session, "Læser", level=Level.READER, email="laeser@klik.example")
        make.person(session, "Anden", municipality=HERNING, email="anden@klik.example")
        make.person(
            session, "Karen", level=Level.KOMBIT_ADMINISTRATOR, municipality=None, email="kombit@klik.example"
        )
        for code, name in (("kp", "kp"), ("ky", "ky")):
            make.system(session, code)
            make.person(
                session,
                f"Leverandør {name}",
                level=Level.SUPPLIER,
                municipality=None,
                systems=(code,),
                email=f"{name}@klik.example",
            )
    assert erasing.delete_due(house, jobs._going_on(now), 60).erased == 1
    return task_id


def test_who_saw_the_task_sees_what_is_left_of_it(
    house: Installation, browser: Callable[..., Browser], erased: int
) -> None:
    with house.database.reading() as session:
        sha256 = session.execute(text("select archive_sha256 from deletion_items")).scalar_one()
    kept = danish_today(datetime.now(UTC)) + timedelta(days=90)
    for who, status in (("laeser", 410), ("kombit", 410), ("kp", 410), ("anden", 404), ("ky", 404)):
        visitor = browser()
        visitor.sign_in(f"{who}@klik.example")
        shown = str(visitor.get(f"/opgaver/{erased}", expect=status))
        assert "Hemmelig titel" not in shown
        assert (sha256 in shown) is (status == 410)
        if status == 410:
            assert "Opgaven er slettet" in shown
            assert "Bekendtgørelse om kassation" in shown
            assert f"gemmes til og med {long_date(kept)}" in shown
            assert ('href="/sletning/1"' in shown) is (who != "kp")
            if who != "kp":
                visitor.get("/sletning/1")
