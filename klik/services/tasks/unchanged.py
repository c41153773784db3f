"""Tasks that are as they were when they were last collected: told by their rows, and not collected again.

Collecting a task asks some twenty-five statements, each for itself. Here every row that it reads is read for many
tasks at once and hashed together with all else that the answer depends on; where the hash is the one it was collected
under, the export of that time is the answer. Nothing is kept by time, and nothing on disk.
"""

from __future__ import annotations

import hashlib
import pickle
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import BindParameter, Select, bindparam, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from klik.domain.rights import Right
from klik.models import (
    ChecklistItem,
    Comment,
    DataStamp,
    DeletionItem,
    Deviation,
    Membership,
    MunicipalSystem,
    MunicipalTask,
    MunicipalTaskField,
    MunicipalTaskFile,
    Question,
    RoleHolding,
    Task,
    TaskChange,
    TaskFile,
    TaskLink,
    TaskStep,
    TaskVersion,
    TaskVersionField,
)
from klik.models.stamps import EVERYONE, FRAME_OF_EVERYONE, Part
from klik.services import access, views
from klik.services.filestore import FileStore
from klik.services.keeping import Keep
from klik.services.rendering_pages import LAYOUT
from klik.services.tasks import panels
from klik.services.tasks.exporting import TaskExport
from klik.services.work import Work
from klik.settings import Settings

Column = InstrumentedAttribute[Any]
Other = TypeVar("Other")
Rows = Mapping[int, list[tuple[Any, ...]]]
# What hangs on a municipality's task, on a published task, and on a municipality.
OF_COPY: tuple[Column, ...] = (
    MunicipalTask.id,
    MunicipalTaskField.municipal_task_id,
    TaskChange.municipal_task_id,
    Comment.municipal_task_id,
    MunicipalTaskFile.municipal_task_id,
    ChecklistItem.municipal_task_id,
    Deviation.municipal_task_id,
    DeletionItem.municipal_task_id,
)
OF_TASK: tuple[Column, ...] = (
    Task.id,
    TaskVersion.task_id,
    TaskFile.task_id,
    TaskStep.task_id,
    Question.task_id,
)
OF_MUNICIPALITY: tuple[Column, ...] = (
    Membership.municipality_id,
    MunicipalSystem.municipality_id,
    RoleHolding.municipality_id,
)
KEPT_BESIDE = 1_000  # bytes, about: key and mark
# A file's row never changes, since its key is its content.
NEVER_CHANGED = frozenset({"stored_files"})


class House(Protocol):
    """What is needed of an installation."""

    files: FileStore
    kept: Keep
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Kept:
    """An export as it was collected, and which of its files were on disk then."""

    export: bytes
    there: tuple[bool, ...]


def exports(
    work: Work, house: House, task_ids: Sequence[int], collect: Callable[[Work, int], TaskExport | Other]
) -> Iterator[TaskExport | Other]:
    """What each task holds, in order: collected before and unchanged since, or ``collect``'s answer, which is kept.

    Raises ForbiddenError when the actor may not export. A task the actor may not see is left to ``collect``.
    """
    access.require(work, Right.EXPORT)
    if work.session.get_bind().dialect.name != "sqlite":
        # Rows and collecting must be of the same moment; SQLite's transactions always are.
        work.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    marks = _marks(work, task_ids, house.settings.base_url)
    for task_id in task_ids:
        mark = marks.get(task_id)
        known = _known(work, house, task_id, mark) if mark else None
        if known is not None:
            yield known
            continue
        answer = collect(work, task_id)
        if mark and isinstance(answer, TaskExport):
            _keep(work, house, answer, mark)
        yield answer


def _known(work: Work, house: House, task_id: int, mark: str) -> TaskExport | None:
    kept: _Kept | None = house.kept.get(("collected", task_id, work.actor), mark)
    if kept is None:
        return None
    export: TaskExport = pickle.loads(zlib.decompress(kept.export))  # put there by this process
    return export if _there(house.files, export) == kept.there else None


def _keep(work: Work, house: House, export: TaskExport, mark: str) -> None:
    content = zlib.compress(pickle.dumps(export), 1)
    kept = _Kept(content, _there(house.files, export))
    house.kept.put(
        ("collected", export.municipal_task_id, work.actor), mark, kept, len(content) + KEPT_BESIDE
    )


def _there(files: FileStore, export: TaskExport) -> tuple[bool, ...]:
    return tuple(files.path(file.sha256).exists() for file in export.document.attachments)


def _marks(work: Work, task_ids: Sequence[int], base_url: str) -> Mapping[int, str]:
    """A hash of all that each task's export depends on, of the tasks that the actor may see."""
    copies = work.session.scalars(
        select(MunicipalTask).where(MunicipalTask.id.in_(task_ids), access.visible(work))
    ).all()
    if not copies:
        return {}
    published = {copy.task_id for copy in copies if copy.task_id is not None}
    municipalities = {copy.municipality_id for copy in copies}
    links = _links(work, published)
    neighbours = {other for each in links.values() for other in each}
    everyone = repr((work.today, work.actor, base_url, LAYOUT, work.session.scalar(_STAMP)))
    of_copy = [_rows(work, each, {copy.id for copy in copies}) for each in _OF_COPY]
    of_municipality = [_rows(work, each, municipalities) for each in _OF_MUNICIPALITY]
    of_task = [_rows(work, each, published | neighbours) for each in (*_OF_TASK, _VERSION_FIELDS)]
    at_home = _rows(work, _AT_HOME, neighbours, places=municipalities) if neighbours else {}
    shown = dict(zip(copies, views.municipal_task_views(work, copies), strict=True))

    def depends_on(copy: MunicipalTask) -> Iterator[object]:
        yield everyone
        yield from (rows.get(copy.id) for rows in of_copy)
        yield from (rows.get(copy.municipality_id) for rows in of_municipality)
        yield panels.task_panels(work, shown[copy])
        if copy.task_id is None:
            return
        yield from (rows.get(copy.task_id) for rows in of_task)
        for other in sorted(links.get(copy.task_id, {})):
            yield from (rows.get(other) for rows in of_task)
            yield [row for row in at_home.get(other, ()) if row[0] == copy.municipality_id]
        yield sorted(links.get(copy.task_id, {}).items())

    return {copy.id: hashlib.sha256(repr([*depends_on(copy)]).encode()).hexdigest() for copy in copies}


def _links(work: Work, published: set[int]) -> Mapping[int, Mapping[int, bool]]:
    """The tasks each is linked to, and whether it needs them."""
    found: dict[int, dict[int, bool]] = defaultdict(dict)
    for task_id, needs in work.session.execute(_LINKS, {"keys": list(published)}):
        found[task_id][needs] = True
        found[needs].setdefault(task_id, False)
    return found


def _rows(work: Work, statement: Select[Any], keys: Collection[int], **more: Collection[int]) -> Rows:
    """Rows by the first of their values."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    parameters = {"keys": list(keys)} | {name: list(values) for name, values in more.items()}
    for key, *values in work.session.execute(statement, parameters):
        found[key].append(tuple(values))
    return found


def _whole(column: Column) -> Select[Any]:
    """The rows of the column's table, each after its key; the same object for every question."""
    table = column.class_.__table__
    key = table.c[column.key]
    return select(key.label("key_"), *table.c).where(key.in_(_KEYS)).order_by(*table.primary_key)


_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_OF_COPY = [_whole(column) for column in OF_COPY]
_OF_TASK = [_whole(column) for column in OF_TASK]
_OF_MUNICIPALITY = [_whole(column) for column in OF_MUNICIPALITY]
_COPIES = MunicipalTask.__table__
_AT_HOME = (
    select(_COPIES.c.task_id.label("key_"), _COPIES.c.municipality_id.label("place_"), *_COPIES.c)
    .where(_COPIES.c.task_id.in_(_KEYS), _COPIES.c.municipality_id.in_(bindparam("places", expanding=True)))
    .order_by(_COPIES.c.id)
)
_FIELDS = TaskVersionField.__table__
_VERSION_FIELDS = (
    select(TaskVersion.task_id, *_FIELDS.c)
    .join(_FIELDS, _FIELDS.c.task_version_id == TaskVersion.id)
    .where(TaskVersion.task_id.in_(_KEYS))
    .order_by(*_FIELDS.primary_key)
)
_LINKS = select(TaskLink.task_id, TaskLink.needs_task_id).where(
    or_(TaskLink.task_id.in_(_KEYS), TaskLink.needs_task_id.in_(_KEYS))
)
# What belongs to everyone: people, municipalities, projects, systems, waves, deletions.
_STAMP = select(func.sum(DataStamp.stamp)).where(
    DataStamp.municipality_id == EVERYONE, DataStamp.part == Part.FRAME.value
)
# Together with what has a stamp this is all that collecting may read.
READ = NEVER_CHANGED | {
    "task_links",
    "task_version_fields",
    "data_stamps",
    *(column.class_.__tablename__ for column in (*OF_COPY, *OF_TASK, *OF_MUNICIPALITY)),
    *FRAME_OF_EVERYONE,
}
