"""How far an announced deletion has come: counts a municipality, the tasks of one, and what is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, Subquery, and_, case, cast, func, literal, or_, select

from klik.models import Deletion, DeletionItem, Municipality, MunicipalTask, Notice
from klik.models.deletion import ITEM_STATES
from klik.services import access
from klik.services.work import Work

SHOWN = 100
STATE_WORDS = {
    "varslet": "Varslet",
    "hentet": "Hentet",
    "kvitteret": "Kvitteret",
    "arkiveret": "Arkiveret",
    "slettet": "Slettet",
}


def held(work: Work) -> ColumnElement[bool]:
    """Items that must stay for now: the municipality asked and KOMBIT has not answered, or said yes until a day."""
    asked = and_(DeletionItem.hold_reason.is_not(None), DeletionItem.hold_granted.is_(None))
    kept = and_(
        DeletionItem.hold_granted.is_(True),
        func.coalesce(DeletionItem.hold_until, work.today) >= work.today,
    )
    return or_(asked, kept)


@dataclass(frozen=True, slots=True)
class MunicipalAccount:
    """One municipality's tasks in a deletion by state; ``told``: a mail with the notice was accepted."""

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

    @property
    def total(self) -> int:
        """All its tasks in the deletion."""
        return self.announced + self.fetched + self.receipted + self.archived + self.erased

    @property
    def progress(self) -> str:
        """ "hentet": every task is taken home; "aabnet": some are, or the notice was read; else "tavs"."""
        if not self.announced:
            return "hentet"
        return "aabnet" if self.opened or self.announced < self.total else "tavs"


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
    for deletion_id, code, name, *counts, untold, read, asked, kept in rows:
        account = MunicipalAccount(code, name, *counts, untold == 0, read > 0, asked, kept)  # type: ignore[call-arg]
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
class ItemLine:
    """One task of a deletion as a page shows it."""

    item: DeletionItem
    task: MunicipalTask
    municipality: str


def items(work: Work, deletion: Deletion, *, asked: bool = False) -> Sequence[ItemLine]:
    """The tasks of a deletion that the actor may see; with ``asked`` only those somebody asked to keep."""
    statement = (
        select(DeletionItem, MunicipalTask, Municipality.name)
        .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
        .join(Municipality, Municipality.id == DeletionItem.municipality_id)
        .where(DeletionItem.deletion_id == deletion.id, access.deletion_items(work))
        .order_by(Municipality.name_key, MunicipalTask.number_key, MunicipalTask.id)
    )
    if asked:
        statement = statement.where(DeletionItem.hold_reason.is_not(None))
    return [ItemLine(*row) for row in work.session.execute(statement)]


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
