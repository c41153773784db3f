"""The tasks somebody chose for a bulk change: loaded in portions, with what their steps will ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from klik.models import MunicipalTask, MunicipalTaskField, Person
from klik.services import access, ordering
from klik.services.errors import RefusedError
from klik.services.filtering import Selection
from klik.services.tasks import assigning
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.steps import Asked
from klik.services.work import Work

MOST = 5_000
_PORTION = 500


def in_filter(work: Work, selection: Selection) -> Mapping[int, int]:
    """Every task of a filter by id, with its version, in the list's order; raises RefusedError above 5.000."""
    order = ordering.order(work, selection.criteria, selection.words)
    statement = ordering.with_names(
        select(MunicipalTask.id, MunicipalTask.version).where(selection.where()), selection.criteria
    )
    found = dict(work.session.execute(statement.order_by(*order).limit(MOST + 1)).all())
    require_reasonable(len(found))
    return found


def versions(work: Work, ids: Iterable[int]) -> Mapping[int, int]:
    """The ticked tasks with the version they have now; those the actor cannot see get 0, which none has."""
    wanted = list(dict.fromkeys(ids))
    require_reasonable(len(wanted))
    found: dict[int, int] = {}
    for portion in _portions(wanted):
        rows = work.session.execute(
            select(MunicipalTask.id, MunicipalTask.version).where(
                MunicipalTask.id.in_(portion), access.visible(work)
            )
        )
        found |= dict(rows.all())
    return {each: found.get(each, 0) for each in wanted}


def require_reasonable(count: int) -> None:
    """Refuse more than 5.000 tasks at once, in Danish."""
    if count > MOST:
        raise RefusedError({"opgaver": "Du kan rette højst 5.000 opgaver ad gangen. Gør filteret smallere."})


def load(work: Work, ids: Sequence[int], *, lock: bool = False) -> dict[int, MunicipalTask]:
    """The tasks of these ids that the actor may see, in the order of their ids; locked one after the other.

    All who change several take the rows in this order, so that two of them never wait for each other.
    """
    found: dict[int, MunicipalTask] = {}
    for portion in _portions(sorted(ids)):
        statement = (
            select(MunicipalTask)
            .where(MunicipalTask.id.in_(portion), access.visible(work))
            .order_by(MunicipalTask.id)
            # Yellow follows the rule of the version: asked for here rather than a task at a time.
            .options(joinedload(MunicipalTask.task_version))
            .execution_options(populate_existing=True)
        )
        if lock:
            statement = statement.with_for_update(of=MunicipalTask)
        found |= {task.id: task for task in work.session.scalars(statement)}
    return found


class AskedAhead(Asked):
    """What the steps of many tasks ask, asked once for all of them."""

    def __init__(self, work: Work, tasks: Iterable[MunicipalTask], field: str) -> None:
        tasks = list(tasks)
        self._people = self._load_people(work, tasks)
        self._rows = self._load_rows(work, tasks, field) if "." in field else {}
        # The session forgets whoever nobody holds on to, and would ask for the same person at each task.
        self._wanted: dict[int, Person | None] = {}
        self._refused: dict[tuple[int, str | None, Assignee], RefusedError | None] = {}

    def check(self, work: Work, task: MunicipalTask, field: str, wanted: Assignee, now: Assignee) -> None:
        """The answer is the same for every task of a municipality and a system."""
        if wanted == now:
            return
        key = (task.municipality_id, task.system_code, wanted)
        if key not in self._refused:
            if wanted.person_id is not None:
                self._wanted[wanted.person_id] = work.session.get(Person, wanted.person_id)
            try:
                assigning.check(work, task, field, wanted, now)
                self._refused[key] = None
            except RefusedError as refused:
                self._refused[key] = refused
        refusal = self._refused[key]
        if refusal is not None:
            raise refusal

    def field(self, work: Work, task: MunicipalTask, key: str) -> MunicipalTaskField | None:
        """From the rows that were loaded."""
        return self._rows.get((task.id, key))

    @staticmethod
    def _load_people(work: Work, tasks: list[MunicipalTask]) -> list[Person]:
        """Kept here, so that the session knows their names as long as the steps are made."""
        ids = {person for task in tasks for person in (task.responsible_id, task.executor_id) if person}
        return [
            person
            for portion in _portions(sorted(ids))
            for person in work.session.scalars(select(Person).where(Person.id.in_(portion)))
        ]

    @staticmethod
    def _load_rows(
        work: Work, tasks: list[MunicipalTask], field: str
    ) -> dict[tuple[int, str], MunicipalTaskField]:
        return {
            (row.municipal_task_id, row.field): row
            for portion in _portions([task.id for task in tasks])
            for row in work.session.scalars(
                select(MunicipalTaskField).where(
                    MunicipalTaskField.municipal_task_id.in_(portion), MunicipalTaskField.field == field
                )
            )
        }


def _portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _PORTION] for start in range(0, len(ids), _PORTION))
