"""How far an announced deletion has come: counts a municipality, the tasks of one, and what is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    String,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from klik.domain.deadlines import danish_today
from klik.models import (
    Deletion,
    DeletionItem,
    Municipality,
    MunicipalTask,
    MunicipalTaskFile,
    Notice,
    Person,
    StoredFile,
    TaskFile,
)
from klik.models.deletion import ITEM_STATES
from klik.services import access
from klik.services.deleting import reaching
from klik.services.work import Work

SHOWN = 100
# A task's PDF with its embedded JSON, about.
PDF_SIZE = 60_000
_OF_ITEM = aliased(Deletion)
STATE_WORDS = {
    "varslet": "Varslet",
    "hentet": "Hentet",
    "kvitteret": "Kvitteret",
    "arkiveret": "Arkiveret",
    "slettet": "Slettet",
}

PROGRESS_WORDS = {"tavs": "Tavs", "aabnet": "Har åbnet", "hentet": "Har hentet"}

# A task that was kept is back only when its municipality has known for so long; a no leaves as many days.
HOLD_NOTICE_DAYS = 14


def held(work: Work) -> ColumnElement[bool]:
    """Items that must stay for now, however long their last day is over.

    The municipality asked and KOMBIT has not answered; KOMBIT said yes until a day that is not over; the day is over,
    but the municipality has not had the notice of it for two weeks; or KOMBIT said no within the last two weeks.
    """
    long_ago = work.now - timedelta(days=HOLD_NOTICE_DAYS)
    asked = and_(DeletionItem.hold_reason.is_not(None), DeletionItem.hold_granted.is_(None))
    later = exists(
        select(_OF_ITEM.id).where(
            _OF_ITEM.id == DeletionItem.deletion_id, _OF_ITEM.last_day >= DeletionItem.hold_until
        )
    ).correlate(DeletionItem)
    kept = and_(
        DeletionItem.hold_granted.is_(True),
        or_(
            func.coalesce(DeletionItem.hold_until, work.today) >= work.today,
            and_(~later, ~reaching.got_by("sletning-ophoerer", long_ago)),
        ),
    )
    refused = and_(DeletionItem.hold_granted.is_(False), _answered_since(long_ago))
    return or_(asked, kept, refused)


def _answered_since(moment: datetime) -> ColumnElement[bool]:
    return (
        select(Notice.id)
        .where(
            Notice.occasion == "sletning-afgoerelse",
            Notice.path == literal("/sletning/") + cast(DeletionItem.deletion_id, String),
            Notice.municipality_id == DeletionItem.municipality_id,
            Notice.created_at > moment,
        )
        .correlate(DeletionItem)
        .exists()
    )


@dataclass(frozen=True, slots=True)
class MunicipalAccount:
    """One municipality's tasks in a deletion by state; ``told``: somebody there has got the notice.

    ``taken`` are fetched by the municipality itself, whatever state they stand in now; ``kept_until`` is the first day
    after which a package that klik made is removed.
    """

    code: int
    name: str
    announced: int
    fetched: int
    receipted: int
    archived: int
    erased: int
    told: bool
    opened: bool
    asked: int
    kept: int
    taken: int = 0
    kept_until: date | None = None

    @property
    def total(self) -> int:
        """All its tasks in the deletion."""
        return self.announced + self.fetched + self.receipted + self.archived + self.erased

    @property
    def progress(self) -> str:
        """ "hentet": every task is taken home; "aabnet": some are, or the notice was read; else "tavs"."""
        if self.taken == self.total:
            return "hentet"
        return "aabnet" if self.opened or self.taken else "tavs"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a deletion stands in the municipalities the actor may see, by name."""

    municipalities: tuple[MunicipalAccount, ...]

    def count(self, progress: str) -> int:
        """How many municipalities have come so far."""
        return sum(municipality.progress == progress for municipality in self.municipalities)

    @property
    def tasks(self) -> int:
        """Municipal tasks in all."""
        return sum(municipality.total for municipality in self.municipalities)

    @property
    def asked(self) -> int:
        """Requests to keep a task that KOMBIT has not answered."""
        return sum(municipality.asked for municipality in self.municipalities)

    @property
    def untold(self) -> tuple[MunicipalAccount, ...]:
        """Municipalities no mail has reached yet; their tasks are not deleted before one has."""
        return tuple(municipality for municipality in self.municipalities if not municipality.told)

    @property
    def sentence(self) -> str:
        """71 af 98 har hentet, 12 har åbnet, 15 tavse"""
        silent = self.count("tavs")
        return (
            f"{self.count('hentet')} af {len(self.municipalities)} har hentet, "
            f"{self.count('aabnet')} har åbnet, {silent} {'tavs' if silent == 1 else 'tavse'}"
        )


def standing(work: Work, deletion: Deletion) -> Standing:
    """How one deletion stands; one statement."""
    return standings(work, [deletion.id])[deletion.id]


def standings(work: Work, deletion_ids: Sequence[int]) -> Mapping[int, Standing]:
    """How deletions stand, by id; one statement for all of them."""
    opened = _opened(work, deletion_ids)
    states = [_sum(DeletionItem.state == state) for state in ITEM_STATES]
    rows = work.session.execute(
        select(
            DeletionItem.deletion_id,
            Municipality.id,
            Municipality.name,
            *states,
            _sum(DeletionItem.notified_at.is_(None)),
            func.count(opened.c.path),
            _sum(and_(DeletionItem.hold_reason.is_not(None), DeletionItem.hold_granted.is_(None))),
            _sum(and_(DeletionItem.hold_granted.is_(True), DeletionItem.hold_until >= work.today)),
            _sum(or_(DeletionItem.fetched_at.is_not(None), DeletionItem.state.in_(("hentet", "kvitteret")))),
            func.min(DeletionItem.archive_kept_until),
        )
        .join(Municipality, Municipality.id == DeletionItem.municipality_id)
        .outerjoin(
            opened,
            and_(
                opened.c.municipality_id == DeletionItem.municipality_id,
                opened.c.path == literal("/sletning/") + cast(DeletionItem.deletion_id, String),
            ),
        )
        .where(DeletionItem.deletion_id.in_(deletion_ids), access.deletion_items(work))
        .group_by(DeletionItem.deletion_id, Municipality.id, Municipality.name, Municipality.name_key)
        .order_by(Municipality.name_key)
    )
    found: dict[int, list[MunicipalAccount]] = {deletion_id: [] for deletion_id in deletion_ids}
    for deletion_id, code, name, *counts, untold, read, asked, kept, taken, until in rows:
        account = MunicipalAccount(code, name, *counts, untold == 0, read > 0, asked, kept, taken, until)  # type: ignore[call-arg]
        found[deletion_id].append(account)
    return {deletion_id: Standing(tuple(accounts)) for deletion_id, accounts in found.items()}


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _opened(work: Work, deletion_ids: Iterable[int]) -> Subquery:
    statement = select(Notice.path, Notice.municipality_id).where(
        Notice.path.in_([f"/sletning/{deletion_id}" for deletion_id in deletion_ids]),
        Notice.read_at.is_not(None),
    )
    if work.actor is not None and work.actor.municipality_id is not None:
        statement = statement.where(Notice.municipality_id == work.actor.municipality_id)
    return statement.distinct().subquery()


def announcements(work: Work) -> Sequence[Deletion]:
    """The deletions that concern the actor, running ones with the nearest last day first; at most `SHOWN`."""
    mine = select(DeletionItem.deletion_id).where(access.deletion_items(work))
    return work.session.scalars(
        select(Deletion)
        .where(Deletion.id.in_(mine))
        .order_by(
            case((Deletion.state == "varslet", 0), else_=1),
            case((Deletion.state == "varslet", Deletion.last_day), else_=None),
            Deletion.id.desc(),
        )
        .limit(SHOWN)
    ).all()


@dataclass(frozen=True, slots=True)
class Step:
    """A state an item has come to: its word, when, and who did it ("klik" for klik itself, empty when unknown)."""

    word: str
    at: datetime | None
    who: str


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One task of a deletion as a page shows it; ``steps`` are its states so far, the newest first."""

    item: DeletionItem
    task: MunicipalTask
    municipality: str
    steps: tuple[Step, ...]


def steps(item: DeletionItem, deletion: Deletion, fetched_by: str, receipted_by: str) -> tuple[Step, ...]:
    """The states of an item so far, the newest first: the same words on every page and in every file."""
    reached = ITEM_STATES.index(item.state)
    found = [Step(STATE_WORDS["varslet"], item.notified_at or deletion.announced_at, "KOMBIT")]
    if item.fetched_at is not None:
        found.append(Step(STATE_WORDS["hentet"], item.fetched_at, fetched_by))
    if item.receipted_at is not None:
        found.append(Step(STATE_WORDS["kvitteret"], item.receipted_at, receipted_by))
    if reached >= ITEM_STATES.index("arkiveret"):
        found.append(Step(STATE_WORDS["arkiveret"], item.archived_at, "klik"))
    if item.state == "slettet":
        found.append(Step(STATE_WORDS["slettet"], item.erased_at, "klik"))
    word = STATE_WORDS[item.state]
    # A package that was forgotten is fetched after it was archived: the state it stands in still comes first.
    return tuple(sorted(reversed(found), key=lambda step: step.word != word))


def items(work: Work, deletion: Deletion, *, asked: bool = False) -> Sequence[ItemLine]:
    """The tasks of a deletion that the actor may see; with ``asked`` only those somebody asked to keep."""
    fetcher, receiver = aliased(Person), aliased(Person)
    statement = (
        select(DeletionItem, MunicipalTask, Municipality.name, fetcher.name, receiver.name)
        .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
        .join(Municipality, Municipality.id == DeletionItem.municipality_id)
        .outerjoin(fetcher, fetcher.id == DeletionItem.fetched_by)
        .outerjoin(receiver, receiver.id == DeletionItem.receipted_by)
        .where(DeletionItem.deletion_id == deletion.id, access.deletion_items(work))
        .order_by(Municipality.name_key, MunicipalTask.number_key, MunicipalTask.id)
    )
    if asked:
        waits = case((DeletionItem.hold_granted.is_(None), 0), else_=1)
        statement = statement.where(DeletionItem.hold_reason.is_not(None)).order_by(None)
        statement = statement.order_by(
            waits, Municipality.name_key, MunicipalTask.number_key, MunicipalTask.id
        )
    return [
        ItemLine(item, task, place, steps(item, deletion, fetched or "", receipted or ""))
        for item, task, place, fetched, receipted in work.session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class FetchedDay:
    """How many tasks were taken home on a Danish day, in how many municipalities."""

    day: date
    tasks: int
    municipalities: int


def fetched_by_day(work: Work, deletion: Deletion) -> Sequence[FetchedDay]:
    """How the tasks were taken home day by day, the days without any left out; one statement."""
    rows = work.session.execute(
        select(DeletionItem.fetched_at, DeletionItem.municipality_id, func.count())
        .where(
            DeletionItem.deletion_id == deletion.id,
            DeletionItem.fetched_at.is_not(None),
            access.deletion_items(work),
        )
        .group_by(DeletionItem.fetched_at, DeletionItem.municipality_id)
    )
    tasks: dict[date, int] = {}
    places: dict[date, set[int]] = {}
    for moment, code, count in rows:
        day = danish_today(moment)
        tasks[day] = tasks.get(day, 0) + count
        places.setdefault(day, set()).add(code)
    return [FetchedDay(day, tasks[day], len(places[day])) for day in sorted(tasks)]


def of_task(work: Work, task: MunicipalTask) -> tuple[Deletion, ItemLine] | None:
    """The running deletion with the nearest last day that holds this task, and how far it is in it."""
    fetcher, receiver = aliased(Person), aliased(Person)
    row = work.session.execute(
        select(Deletion, DeletionItem, fetcher.name, receiver.name)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .outerjoin(fetcher, fetcher.id == DeletionItem.fetched_by)
        .outerjoin(receiver, receiver.id == DeletionItem.receipted_by)
        .where(
            DeletionItem.municipal_task_id == task.id,
            Deletion.state == "varslet",
            access.deletion_items(work),
        )
        .order_by(Deletion.last_day)
        .limit(1)
    ).first()
    if row is None:
        return None
    deletion, item, fetched, receipted = row
    return deletion, ItemLine(item, task, "", steps(item, deletion, fetched or "", receipted or ""))


@dataclass(frozen=True, slots=True)
class Contents:
    """What "Hent alt" brings the actor's municipality: tasks, attached files, and their bytes about."""

    tasks: int
    files: int
    size: int


def contents(work: Work, deletion: Deletion) -> Contents:
    """How much there is to take home; the PDFs are counted as `PDF_SIZE` each; three statements."""
    mine = (DeletionItem.deletion_id == deletion.id, access.deletion_items(work))
    tasks = work.session.scalar(select(func.count()).where(*mine)) or 0
    files, size = 0, tasks * PDF_SIZE
    own = (
        select(func.count(), func.coalesce(func.sum(StoredFile.size), 0))
        .join(MunicipalTaskFile, MunicipalTaskFile.sha256 == StoredFile.sha256)
        .join(DeletionItem, DeletionItem.municipal_task_id == MunicipalTaskFile.municipal_task_id)
    )
    central = (
        select(func.count(), func.coalesce(func.sum(StoredFile.size), 0))
        .join(TaskFile, TaskFile.sha256 == StoredFile.sha256)
        .join(MunicipalTask, MunicipalTask.task_id == TaskFile.task_id)
        .join(DeletionItem, DeletionItem.municipal_task_id == MunicipalTask.id)
    )
    for statement in (own, central):
        count, amount = work.session.execute(statement.where(*mine)).one()
        files, size = files + count, size + int(amount)
    return Contents(tasks, files, size)


@dataclass(frozen=True, slots=True)
class Due:
    """Tasks past their last day; ``untold`` of them wait because no mail reached the municipality."""

    tasks: int
    untold: int


def due(work: Work) -> Due:
    """What stands to be deleted now: past the last day, still there and not kept."""
    row = work.session.execute(
        select(func.count(), func.coalesce(_sum(DeletionItem.notified_at.is_(None)), 0))
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(
            Deletion.state == "varslet",
            Deletion.last_day < work.today,
            DeletionItem.state != "slettet",
            ~held(work),
        )
    ).one()
    return Due(*row)
