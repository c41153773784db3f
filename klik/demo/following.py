"""What KOMBIT sees when it follows up in the demo: a few silent municipalities, a few far behind, one letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import bindparam, select, update

from klik.demo.people import Staff
from klik.models import MunicipalTask, Person
from klik.services import filtering
from klik.services.follow_up import writing
from klik.services.work import Actor, Work

# Days since anybody of the municipality was there; Langeland's was written to, and nothing came of it.
SILENT: Mapping[int, int] = {482: 61, 306: 47, 820: 39, 741: 34, 550: 29, 665: 26, 155: 23}
# Those who work, but slowly: the share of the usual pace.
BEHIND: Mapping[int, float] = {183: 0.35, 390: 0.45, 707: 0.4, 779: 0.5}
WRITTEN_TO = (482, 306)


def last_day_of(code: int, now: datetime) -> datetime:
    """Until when the municipality's people were at work."""
    return now - timedelta(days=SILENT[code]) if code in SILENT else now


def fill(work: Work, staff: Mapping[int, Staff], editor: Actor) -> None:
    """When everybody was last signed in, and what KOMBIT wrote to two of the silent ones."""
    random = Random(21)
    rows = [
        {
            "person": person_id,
            "seen": last_day_of(code, work.now) - timedelta(hours=random.uniform(1, 9 * 24 if place else 20)),
        }
        for code, people in staff.items()
        for place, person_id in enumerate(people.ids.values())
    ]
    table = Person.__table__
    work.session.connection().execute(
        update(table).where(table.c.id == bindparam("person")).values(seen_at=bindparam("seen")), rows
    )
    _write(replace(work, now=work.now - timedelta(days=12), actor=editor))


def _write(work: Work) -> None:
    there = select(MunicipalTask.municipality_id).where(MunicipalTask.municipality_id.in_(WRITTEN_TO))
    codes = sorted(set(work.session.scalars(there)))
    writing.send(
        work,
        writing.letters(work, codes, writing.PROJECT_LEADER, "kp"),
        filtering.read(work.registry, "projekt=kp"),
        role=writing.PROJECT_LEADER,
        subject="Opgaver i KP Basis, der venter på jer",
        text="Vi kan se, at ingen har været inde i et stykke tid. Hvordan går det med KP, og kan vi hjælpe?",
        key="demo",
    )
