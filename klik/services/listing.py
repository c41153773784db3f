"""The list of municipal tasks: a page of rows, every row for a file, what is counted, and who stands beside whom.

Rows are read as columns, never as entities; each function is one statement whatever the length of the list.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from klik.domain.deadlines import Colour, colour, explain
from klik.domain.status import Status
from klik.models import Membership, MunicipalTask, Person, Project, RoleHolding
from klik.services import access, counting, filtering, ordering
from klik.services.counting import Question
from klik.services.criteria import Criteria
from klik.services.errors import NotFoundError
from klik.services.filtering import Selection, select_tasks
from klik.services.filters import has_colour, is_open
from klik.services.holders import HOLDER
from klik.services.ordering import Executor, Responsible
from klik.services.vocabulary import Vocabulary
from klik.services.work import Work

_PORTION = 500
Holder = aliased(Person, name="holder")
SCOPE = ("projekt", "kommune")


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A municipal task as lists show it. Names of people are empty for those who may not see them.

    A role stands only where no person does, with the ``holder`` it stands for today; ``vacant`` ones have none.
    """

    id: int
    version: int
    number: str | None
    title: str
    project: str
    project_slug: str
    system: str | None
    system_code: str | None
    municipality: str
    municipality_id: int
    phase: str
    theme: str
    priority: str
    infrastructure: bool
    status: Status
    start: date | None
    deadline: date | None
    yellow_from: date | None
    deadline_version: int
    completed_on: date | None
    responsible_id: int | None
    responsible: str | None
    responsible_role: str | None
    responsible_holder: str | None
    executor_id: int | None
    executor: str | None
    executor_role: str | None
    executor_holder: str | None
    local: bool
    for_information: bool
    withdrawn_at: datetime | None
    changed_at: datetime
    colour: Colour | None
    explanation: str

    @property
    def responsible_vacant(self) -> bool:
        """Whether a role is responsible that nobody holds."""
        return self.responsible_role is not None and self.responsible_holder is None

    @property
    def executor_vacant(self) -> bool:
        """Whether a role is executor that nobody holds."""
        return self.executor_role is not None and self.executor_holder is None

    @property
    def withdrawn(self) -> bool:
        """Whether KOMBIT has taken the task back."""
        return self.withdrawn_at is not None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list; ``number`` is the page shown, which is the last one when a later one was asked for."""

    rows: tuple[TaskRow, ...]
    number: int
    pages: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """What wants attention in the projects and municipalities of the filter."""

    red: int
    yellow: int
    red_tomorrow: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tasks the selection holds, the pulse, and how many each of the further selections holds."""

    total: int
    pulse: Pulse
    others: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The tasks before and after one in the filtered order, and its place: number ``place`` of ``total``."""

    previous: int | None
    next: int | None
    place: int
    total: int


def page(work: Work, selection: Selection, total: int) -> Page:
    """The rows of the page that was asked for; one statement. ``total`` is ``Counts.total``."""
    if not total:
        return Page((), 1, 1)
    size = selection.criteria.page_size
    pages = max(1, -(-total // size))
    number = min(selection.criteria.page, pages)
    rows = work.session.execute(_page_statement(work, selection, number))
    return Page(tuple(_rows(work, selection.words, rows)), number, pages)


def _page_statement(work: Work, selection: Selection, number: int) -> Select[Any]:
    """The same object for the same page: SQLAlchemy then knows it at once."""
    criteria = selection.criteria
    arranged = (criteria.sorts, criteria.grouping, criteria.page_size, number)
    return work.kept.statement("page", [selection.key, arranged], lambda: _page_of(work, selection, number))


def _page_of(work: Work, selection: Selection, number: int) -> Select[Any]:
    size = selection.criteria.page_size
    # Sorted before they are joined: the database then joins fifty rows, not all that match.
    order = ordering.order(work, selection.criteria, selection.words)
    ids = ordering.with_names(select(MunicipalTask.id).where(selection.where()), selection.criteria)
    wanted = ids.order_by(*order).limit(size).offset((number - 1) * size).subquery()
    statement = _columns(work.today).where(MunicipalTask.id.in_(select(wanted.c.id)))
    return ordering.with_names(statement, selection.criteria, but=_JOINED).order_by(*order)


def row(work: Work, selection: Selection, municipal_task_id: int) -> tuple[TaskRow, bool]:
    """One task as the list shows it, and whether it is in the selection; one statement.

    Raises NotFoundError for a task the actor may not see.
    """
    statement = _columns(work.today).add_columns(case((selection.where(), 1), else_=0).label("fits"))
    found = work.session.execute(
        statement.where(selection.visible, MunicipalTask.id == municipal_task_id)
    ).one_or_none()
    if found is None:
        raise NotFoundError
    return next(_rows(work, selection.words, [found])), bool(found.fits)


def every_row(work: Work, selection: Selection, *, withdrawn: bool = False) -> Generator[TaskRow, None, None]:
    """All rows of the selection in its order, in portions; ``withdrawn`` adds those taken back."""
    where = selection.where("fuldfoerte") if withdrawn else selection.where()
    order = ordering.order(work, selection.criteria, selection.words)
    statement = ordering.with_names(_columns(work.today), selection.criteria, but=_JOINED)
    rows = work.session.execute(
        statement.where(where).order_by(*order), execution_options={"yield_per": _PORTION}
    )
    with closing(rows):
        yield from _rows(work, selection.words, rows)


def count(work: Work, selection: Selection, others: Mapping[int, Selection] | None = None) -> Counts:
    """Everything the page counts (``counting.numbers``); ``others`` are further selections by a key of the caller.

    What several ask for is counted once: a saved filter is often the one in use, or the red ones of the pulse.
    """
    others = others or {}
    today, asked_in = work.today, scope(selection.criteria)
    in_scope = and_(selection.only(*SCOPE), MunicipalTask.withdrawn_at.is_(None))
    red, yellow = (asked_in.with_values("deadline", [each]).filters for each in (Colour.RED, Colour.YELLOW))
    here = filtering.kept_under(work, asked_in)
    questions: dict[Hashable, Question] = {
        "tomorrow": Question(
            and_(in_scope, is_open(), MunicipalTask.deadline == today), here and ("tomorrow", here)
        ),
        red: Question(and_(in_scope, has_colour(Colour.RED, today)), here and ("red", here)),
        yellow: Question(and_(in_scope, has_colour(Colour.YELLOW, today)), here and ("yellow", here)),
    }
    for each in (selection, *others.values()):
        questions.setdefault(each.criteria.filters, Question(each.where(), each.key))
    found = counting.numbers(work, questions)
    return Counts(
        total=found[selection.criteria.filters],
        pulse=Pulse(found[red], found[yellow], found["tomorrow"]),
        others={key: found[each.criteria.filters] for key, each in others.items()},
    )


def scope(criteria: Criteria) -> Criteria:
    """Only the project and municipality of the filter: what the counts above the list are about."""
    return Criteria(filters=tuple((key, values) for key, values in criteria.filters if key in SCOPE))


def next_yellow(work: Work, selection: Selection) -> date | None:
    """The next day on which a task of the selection, whatever its deadline, turns yellow."""
    return work.session.scalar(
        select(func.min(MunicipalTask.yellow_from)).where(
            selection.where("deadline"),
            MunicipalTask.withdrawn_at.is_(None),
            is_open(),
            MunicipalTask.yellow_from > work.today,
        )
    )


def neighbours(work: Work, criteria: Criteria, municipal_task_id: int) -> Neighbours | None:
    """Who stands before and after a task in the filtered list; None when it is not in it. Two statements."""
    selection = select_tasks(work, criteria)
    order = ordering.order(work, selection.criteria, selection.words)
    listed = ordering.with_names(
        select(
            MunicipalTask.id,
            func.lag(MunicipalTask.id).over(order_by=order).label("before"),
            func.lead(MunicipalTask.id).over(order_by=order).label("after"),
            func.row_number().over(order_by=order).label("place"),
            func.count().over().label("total"),
        ),
        selection.criteria,
    ).where(selection.where())
    inner = listed.subquery()
    row = work.session.execute(
        select(inner.c.before, inner.c.after, inner.c.place, inner.c.total).where(
            inner.c.id == municipal_task_id
        )
    ).first()
    return Neighbours(*row) if row else None


def _holder(today: date, person: Any, role: Any) -> ColumnElement[str | None]:
    """The name of whoever holds the role today, the primary one first; only without a person.

    A substitute does not fill a vacant role (decision 0017).
    """
    name = (
        select(func.coalesce(Holder.name, RoleHolding.mailbox))
        .select_from(RoleHolding)
        .outerjoin(Holder, Holder.id == RoleHolding.person_id)
        .outerjoin(
            Membership,
            and_(
                Membership.person_id == RoleHolding.person_id,
                Membership.municipality_id == RoleHolding.municipality_id,
            ),
        )
        .where(
            RoleHolding.municipality_id == MunicipalTask.municipality_id,
            RoleHolding.role == role,
            RoleHolding.kind == HOLDER,
            or_(RoleHolding.system_code.is_(None), RoleHolding.system_code == MunicipalTask.system_code),
            RoleHolding.valid_from <= today,
            or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= today),
            or_(
                RoleHolding.person_id.is_(None),
                and_(Holder.active.is_(True), Membership.active.is_(True)),
            ),
        )
        # As holders.first_in_line.
        .order_by(RoleHolding.is_primary.desc(), RoleHolding.valid_from, RoleHolding.id)
        .limit(1)
        .correlate(MunicipalTask)
        .scalar_subquery()
    )
    return case((and_(person.is_(None), role.is_not(None)), name))


# Municipality and system are named by the vocabulary, which is read anyway: PostgreSQL needs longer to plan
# each further join than to make it.
_JOINED = frozenset({"projekt", "ansvarlig", "udfoerer"})


@lru_cache(maxsize=4)
def _columns(today: date) -> Select[Any]:
    task = MunicipalTask
    return (
        select(
            task.id,
            task.version,
            task.task_number,
            task.title,
            Project.name.label("project"),
            Project.slug.label("project_slug"),
            task.system_code,
            task.municipality_id,
            task.phase,
            task.theme,
            task.priority,
            task.infrastructure,
            task.status,
            task.start_date,
            task.deadline,
            task.yellow_from,
            task.deadline_version,
            task.for_information,
            task.completed_on,
            Responsible.name.label("responsible"),
            task.responsible_id,
            task.responsible_role,
            _holder(today, task.responsible_id, task.responsible_role).label("responsible_holder"),
            Executor.name.label("executor"),
            task.executor_id,
            task.executor_role,
            _holder(today, task.executor_id, task.executor_role).label("executor_holder"),
            task.task_id,
            task.withdrawn_at,
            task.changed_at,
        )
        .join(Project, Project.id == task.project_id)
        .outerjoin(Responsible, Responsible.id == task.responsible_id)
        .outerjoin(Executor, Executor.id == task.executor_id)
    )


def _rows(work: Work, words: Vocabulary, rows: Iterable[Any]) -> Iterator[TaskRow]:
    named, today = access.sees_people(work), work.today
    return (_row(row, words, named, today) for row in rows)


def _row(row: Any, words: Vocabulary, named: bool, today: date) -> TaskRow:
    status = Status(row.status)
    shade = None if row.withdrawn_at else colour(status, row.deadline, row.yellow_from, today)
    return TaskRow(
        id=row.id,
        version=row.version,
        number=row.task_number,
        title=row.title,
        project=row.project,
        project_slug=row.project_slug,
        system=words.system.get(row.system_code),
        system_code=row.system_code,
        municipality=words.kommune.get(str(row.municipality_id), ""),
        municipality_id=row.municipality_id,
        phase=row.phase,
        theme=row.theme,
        priority=row.priority,
        infrastructure=row.infrastructure,
        status=status,
        start=row.start_date,
        deadline=row.deadline,
        yellow_from=row.yellow_from,
        deadline_version=row.deadline_version,
        completed_on=row.completed_on,
        responsible_id=row.responsible_id if named else None,
        responsible=row.responsible if named else None,
        responsible_role=row.responsible_role if named and row.responsible_id is None else None,
        responsible_holder=row.responsible_holder if named else None,
        executor_id=row.executor_id if named else None,
        executor=row.executor if named else None,
        executor_role=row.executor_role if named and row.executor_id is None else None,
        executor_holder=row.executor_holder if named else None,
        local=row.task_id is None,
        for_information=row.for_information,
        withdrawn_at=row.withdrawn_at,
        changed_at=row.changed_at,
        colour=shade,
        explanation=explain(shade, row.deadline, row.yellow_from, today),
    )
