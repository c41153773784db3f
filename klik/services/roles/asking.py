"""Who is asked whether they still hold their roles, and what each role is: the page behind the link shows this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from klik.domain.deadlines import danish_today
from klik.domain.rights import Right
from klik.models import RoleAnswer, RoleHolding, System
from klik.services import access, holders
from klik.services.errors import NotFoundError
from klik.services.roles import rounds
from klik.services.work import Actor, Work


@dataclass(frozen=True, slots=True)
class Asked:
    """Whoever holds roles in one municipality: a person, or a functional mailbox, never both.

    It opens exactly the roles of that holder; only a signed link and the own session make one.
    """

    municipality_id: int
    person_id: int | None = None
    mailbox: str = ""

    def __post_init__(self) -> None:
        if bool(self.person_id) == bool(self.mailbox):
            raise ValueError("a person or a mailbox is asked")

    @classmethod
    def actor(cls, actor: Actor) -> Asked:
        """Whoever is signed in; raises NotFoundError for those outside a municipality, who hold no roles."""
        if actor.municipality_id is None:
            raise NotFoundError
        return cls(actor.municipality_id, actor.person_id)


@dataclass(frozen=True, slots=True)
class Question:
    """One role of the holder's. ``open``: it waits for an answer; ``proposal`` is one that is not settled yet."""

    holding: RoleHolding
    what: str
    system: str | None
    open: bool
    proposal: RoleAnswer | None
    confirmed_on: date | None
    overdue: bool

    @property
    def id(self) -> int:
        """The holding's id."""
        return self.holding.id

    @property
    def name(self) -> str:
        """ "Systemansvarlig for KY"."""
        return f"{self.what} for {self.system}" if self.system else self.what


def questions(work: Work, asked: Asked, *, locked: bool = False) -> list[Question]:
    """All roles the holder has today, those that wait for an answer first; four statements at most.

    ``locked``: nobody else changes them until the transaction is over.
    """
    standing = rounds.standing(work, *_of(asked))
    if locked and standing:
        ids = sorted(each.holding.id for each in standing)
        work.session.scalars(
            select(RoleHolding)
            .where(RoleHolding.id.in_(ids))
            .order_by(RoleHolding.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
    proposals = rounds.pending(work, [each.holding.id for each in standing]) if standing else {}
    names = system_names(work) if any(each.holding.system_code for each in standing) else {}
    current = rounds.of(work.today)
    found = []
    for each in standing:
        row = each.holding
        proposal = proposals.get(row.id)
        found.append(
            Question(
                holding=row,
                what=work.registry.content.role(row.role).name,
                system=names.get(row.system_code, row.system_code) if row.system_code else None,
                open=current.asks(row) and proposal is None,
                proposal=proposal,
                confirmed_on=danish_today(row.confirmed_at) if row.confirmed_at else None,
                overdue=rounds.overdue(row.confirmed_at, row.valid_from, work.today),
            )
        )
    return sorted(found, key=lambda each: (not each.open, each.name, each.id))


def waiting(work: Work) -> int:
    """How many of the actor's own roles wait for an answer; nought outside a municipality."""
    actor = access.require(work, Right.SIGNED_IN)
    if actor.municipality_id is None or not actor.has(Right.READ_ROLES):
        return 0
    return len(rounds.unanswered(work, *_of(Asked.actor(actor))))


def system_names(work: Work) -> dict[str, str]:
    """The systems' names by code."""
    return dict(work.session.execute(select(System.code, System.name)).all())


def role_words(work: Work, holding: RoleHolding, systems: dict[str, str]) -> str:
    """ "systemansvarlig for KY", as it stands in the middle of a sentence."""
    name = holders.role_name(work, holding.role)
    code = holding.system_code
    return f"{name} for {systems.get(code, code)}" if code else name


def _of(asked: Asked) -> Sequence[object]:
    whose = (
        RoleHolding.person_id == asked.person_id
        if asked.person_id
        else func.lower(RoleHolding.mailbox) == asked.mailbox.casefold()
    )
    return RoleHolding.municipality_id == asked.municipality_id, whose
