"""Tasks past their last day that could not be deleted, and why: they are tried again every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select

from klik.models import Deletion, DeletionItem, Municipality
from klik.services import access
from klik.services.deleting.progress import held
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Stuck:
    """How many tasks of a municipality wait for the same reason, a Danish sentence."""

    municipality: str
    problem: str
    tasks: int


def stuck(work: Work, deletion: Deletion) -> Sequence[Stuck]:
    """The tasks of a deletion that the actor may see and klik could not delete, by municipality and reason."""
    rows = work.session.execute(
        select(Municipality.name, DeletionItem.problem, func.count())
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .join(Municipality, Municipality.id == DeletionItem.municipality_id)
        .where(DeletionItem.deletion_id == deletion.id, access.deletion_items(work), _stuck(work))
        .group_by(Municipality.name, Municipality.name_key, DeletionItem.problem)
        .order_by(Municipality.name_key, DeletionItem.problem)
    )
    return [Stuck(place, problem or "", count) for place, problem, count in rows]


def all_stuck(work: Work) -> tuple[int, str]:
    """How many tasks of all deletions could not be deleted, and the first reason; 0 and "" when none."""
    count, problem = work.session.execute(
        select(func.count(), func.min(DeletionItem.problem))
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(_stuck(work))
    ).one()
    return count, problem or ""


def _stuck(work: Work) -> ColumnElement[bool]:
    """What is no longer due waits for nothing: a deletion that was postponed or called off, a task that is kept."""
    return and_(
        Deletion.state == "varslet",
        Deletion.last_day < work.today,
        DeletionItem.problem.is_not(None),
        DeletionItem.state != "slettet",
        ~held(work),
    )
