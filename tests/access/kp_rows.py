"""What the canary world holds of KP's support desk: a case, a tick and a solution of each place, and KOMBIT's own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from klik.plugins.kp import tables

STEERING = {
    "kp_cases": "kind component criticality case_key task_key state",
    "kp_ticks": "checklist point",
    "kp_knowledge": "component",
}


def add(
    session: Session, places: Iterable[int], people: dict[tuple[str, Any], int], now: datetime
) -> dict[Any, int]:
    """The rows; their ids by name and place."""
    made: dict[Any, int] = {}
    for place in places:
        by = {"person": people["bruger", place], "version": 1, "changed_at": now}
        case = {
            "municipality": place,
            "kind": "fejl",
            "support_kind": "",
            "title": "",
            "title_kept": True,
            "component": "Breve",
            "criticality": "C",
            "about_citizen": False,
            "case_key": "HK-GMFVV8",
            "task_key": "OPG-AEP3K7LJ",
            **dict.fromkeys(
                ("steps", "tried", "technical", "expected", "elsewhere", "answer", "reference"), ""
            ),
            "state": "kladde",
            "changed_by": people["bruger", place],
            "created_at": now,
            **by,
        }
        made["kp-case", place] = session.execute(insert(tables.cases).values(case)).inserted_primary_key[0]  # type: ignore[attr-defined]
        tick = {"case_id": made["kp-case", place], "checklist": "sagsbehandler", "point": "gene", "at": now}
        session.execute(insert(tables.ticks).values(tick | {"municipality": place, "person": by["person"]}))
        made["kp-entry", place] = _entry(session, place, by, None)
    by = {"person": people["kombit-redaktoer", None], "version": 1, "changed_at": now}
    made["kp-entry", None] = _entry(session, None, by, now)
    return made


def _entry(session: Session, place: int | None, by: dict[str, Any], published: datetime | None) -> int:
    row = {"municipality": place, "component": "Breve", "problem": "", "solution": "", "offered": False}
    statement = insert(tables.knowledge).values({**row, **by, "published_at": published})
    return int(session.execute(statement).inserted_primary_key[0])  # type: ignore[attr-defined]
