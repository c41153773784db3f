"""Who is on the way out, as the gallery and the pages about people say it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from klik.domain.calendar import long_date
from klik.domain.rights import Right
from klik.models import Departure, DepartureHeir, Person
from klik.services import access
from klik.services.departures.belongings import TASKS
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody's last day, and the names of those who take over, by what it is (None: nobody)."""

    person_id: int
    last_day: date
    heirs: Mapping[str, str | None]

    @property
    def stops(self) -> str:
        """ "Stopper 30. november 2026"."""
        return f"Stopper {long_date(self.last_day)}"

    def of_role(self, role: str, system: str | None) -> str:
        """ "Stopper 30. november 2026, Mette Holm overtager"."""
        heir = self.heirs.get(f"rolle/{role}/{system or '-'}")
        return f"{self.stops}, {heir} overtager" if heir else f"{self.stops}, ingen overtager endnu"

    @property
    def of_tasks(self) -> str | None:
        """Who takes the tasks over."""
        return self.heirs.get(TASKS)


def leaving(work: Work, municipality_id: int | None) -> Mapping[int, Leaving]:
    """Those of a municipality whose departure is written down and not done yet, by person; two statements."""
    actor = access.require(work, Right.READ_ROLES)
    if municipality_id is None or not (actor.kombit or actor.municipality_id == municipality_id):
        return {}
    rows = work.session.scalars(
        select(Departure).where(
            Departure.municipality_id == municipality_id,
            Departure.completed_at.is_(None),
            Departure.regretted_at.is_(None),
        )
    ).all()
    if not rows:
        return {}
    heirs: dict[int, dict[str, str | None]] = defaultdict(dict)
    for departure_id, what, name in work.session.execute(
        select(DepartureHeir.departure_id, DepartureHeir.what, Person.name)
        .outerjoin(Person, Person.id == DepartureHeir.person_id)
        .where(
            DepartureHeir.departure_id.in_([row.id for row in rows]),
            DepartureHeir.municipality_id == municipality_id,
        )
    ):
        heirs[departure_id][what] = name
    return {row.person_id: Leaving(row.person_id, row.last_day, heirs[row.id]) for row in rows}
