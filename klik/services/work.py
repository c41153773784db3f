"""The one argument every service function gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from klik.domain.deadlines import danish_today
from klik.domain.rights import Level, Right, has
from klik.plugins.manager import Registry
from klik.services.keeping import NOTHING_KEPT, Kept


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which membership; made from the session's row and never from anything a request says."""

    person_id: int
    membership_id: int
    name: str
    email: str
    level: Level
    municipality_id: int | None
    place: str
    systems: frozenset[str]

    def has(self, right: Right) -> bool:
        """Whether the level carries the right at all; whose data it reaches is decided in access."""
        return has(self.level, right)

    @property
    def level_label(self) -> str:
        """The level in Danish."""
        return self.level.label

    @property
    def kombit(self) -> bool:
        """Whether the actor is one of KOMBIT's own."""
        return self.level.scope == "kombit"


@dataclass(frozen=True, slots=True)
class Work:
    """A unit of work: one transaction, one actor (None: the system itself), one moment.

    ``kept`` is what was worked out before and still holds for the actor (klik.services.keeping). It is empty while
    something is written: what is not stored yet must not be kept, and what was kept does not know of it.
    """

    session: Session
    actor: Actor | None
    now: datetime
    registry: Registry
    kept: Kept = NOTHING_KEPT

    @property
    def today(self) -> date:
        """The Danish day of ``now``."""
        return danish_today(self.now)

    def as_system(self) -> Work:
        """The same work done by klik itself, for what follows from a person's act."""
        return replace(self, actor=None)
