"""Ordering a file, and taking the order back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from klik.domain.rights import Right
from klik.models import DeletionItem, Export, MunicipalTask
from klik.services import access, auditing, filtering, house_package, listing, past
from klik.services.criteria import Criteria
from klik.services.errors import NotFoundError, RefusedError
from klik.services.exports.contents import fetchable
from klik.services.exports.kinds import HOUSE, KINDS, Kind
from klik.services.exports.states import CANCELLED, KEPT, RUNNING, WAITING
from klik.services.work import Work

MOST_WAITING = 5
MOST_TICKED = 5_000
QUERY_LIMIT = 4_000
_PORTION = 500


def order(
    work: Work,
    kind: str,
    criteria: Criteria | None = None,
    *,
    task_ids: Sequence[int] = (),
    deletion_id: int | None = None,
) -> Export:
    """Ask for the tasks of a filter, ticked ones, the own municipality's of a deletion, or all it has, as a file.

    Raises NotFoundError for an unknown kind, deletion or tasks; RefusedError for too many tasks or too many files
    at once ("filter") and for nothing to take home ("opgaver"); ForbiddenError for all of a municipality to
    anybody but its administrator.
    """
    actor = access.require(work, Right.EXPORT)
    if kind not in KINDS or (deletion_id is not None and (kind == HOUSE or not KINDS[kind].package)):
        raise NotFoundError
    query = ""
    if kind == HOUSE:
        total, task_ids = len(house_package.task_ids(work)), ()
    elif deletion_id is not None:
        total, task_ids = _in_deletion(work, deletion_id), ()
    elif task_ids:
        task_ids = visible_ids(work, task_ids)
        total = len(task_ids)
    else:
        query, total = _in_filter(work, criteria or Criteria(), KINDS[kind])
    if deletion_id is None and kind != HOUSE:
        _require_reasonable(total, KINDS[kind])
    _require_patience(work)
    export = Export(
        municipality_id=actor.municipality_id,
        person_id=actor.person_id,
        kind=kind,
        query=query,
        task_ids=",".join(map(str, task_ids)) or None,
        deletion_id=deletion_id,
        state=WAITING,
        total=total,
        created_at=work.now,
        expires_at=work.now + KEPT,
    )
    work.session.add(export)
    work.session.flush()
    facts = {"rækker": total} | ({"sletning": deletion_id} if deletion_id is not None else {})
    auditing.record(work, "bestil-udtræk", f"eksport/{export.id}", facts, actor.municipality_id)
    return export


def _in_deletion(work: Work, deletion_id: int) -> int:
    access.deletion(work, deletion_id)
    total = work.session.scalar(select(func.count(DeletionItem.id)).where(fetchable(work, deletion_id))) or 0
    if not total:
        raise RefusedError({"opgaver": "Der er ingen opgaver i sletningen, som din kommune kan hente."})
    return total


def _in_filter(work: Work, criteria: Criteria, kind: Kind) -> tuple[str, int]:
    """The query as it is kept, and how many tasks it finds now. Packages are of the tasks as they are."""
    if kind.package:
        criteria = criteria.standing("")
    query = criteria.whole_list().query()
    if len(query) > QUERY_LIMIT:
        raise RefusedError({"filter": "Filteret er for langt til et udtræk; højst 4.000 tegn."})
    with past.asked(work, criteria) as standing:
        selection = filtering.select_tasks(standing.work, standing.criteria)
        total = listing.count(standing.work, selection).total
    if kind.package and not total:
        raise RefusedError({"opgaver": "Filteret giver ingen opgaver, så der er intet at hente."})
    return query, total


def visible_ids(work: Work, ids: Sequence[int]) -> list[int]:
    """Those of the ticked tasks that the actor may see, in the order they came.

    Raises RefusedError ("opgaver") for none or more than 5.000.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST_TICKED:
        raise RefusedError({"opgaver": "Du kan vælge højst 5.000 opgaver ad gangen."})
    found: set[int] = set()
    for start in range(0, len(wanted), _PORTION):
        portion = wanted[start : start + _PORTION]
        seen = select(MunicipalTask.id).where(MunicipalTask.id.in_(portion), access.visible(work))
        found.update(work.session.scalars(seen))
    if not found:
        raise RefusedError({"opgaver": "De valgte opgaver findes ikke længere, eller du kan ikke se dem."})
    return [each for each in wanted if each in found]


def _require_reasonable(total: int, kind: Kind) -> None:
    if total > kind.most:
        raise RefusedError(
            {
                "filter": f"{kind.label} kan højst have {_number(kind.most)} opgaver ad gangen, og her er "
                f"{_number(total)}. Afgræns filteret."
            }
        )


def _require_patience(work: Work) -> None:
    assert work.actor is not None
    waiting = select(func.count(Export.id)).where(
        Export.person_id == work.actor.person_id, Export.state.in_((WAITING, RUNNING))
    )
    if (work.session.scalar(waiting) or 0) >= MOST_WAITING:
        raise RefusedError({"filter": f"Du har allerede {MOST_WAITING} udtræk på vej. Vent, til et er klar."})


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")


def cancel(work: Work, export_id: int) -> Export:
    """Stop a file that is not made yet; one that is stays. Raises NotFoundError."""
    export = access.export(work, export_id)
    work.session.refresh(export, with_for_update=True)
    if export.state in (WAITING, RUNNING):
        export.state, export.finished_at = CANCELLED, work.now
        work.session.flush()
        auditing.record(work, "annullér-udtræk", f"eksport/{export.id}", None, export.municipality_id)
    return export
