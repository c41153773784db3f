"""Incidents of the infrastructure: from when to when, what users saw, cause, mend and permanent solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from klik.plugins import PluginContext, PluginStore, clock, in_denmark, long_date
from klik.plugins.driftsstatus.figures import COLOURS, touches
from klik.plugins.driftsstatus.months import TakenError
from klik.plugins.driftsstatus.tables import areas, incidents

TOPIC = "driftsstatus.haendelser"
# What is written down long after it was mended is history and nobody's news.
NEWS = timedelta(days=7)
SOLVED = {
    "ikke-planlagt": "Ikke planlagt",
    "planlagt": "Planlagt",
    "gennemfoert": "Gennemført",
    "unoedvendig": "Ikke nødvendig",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident; ``ends_at`` is None until it is mended, the moments carry their time zone."""

    id: int
    area: int
    area_name: str
    system: str
    heading: str
    colour: str
    starts_at: datetime
    ends_at: datetime | None
    seen: str
    cause: str
    mend: str
    solution: str
    planned_on: date | None
    solved: str
    version: int

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.ends_at is None

    @property
    def colour_word(self) -> str:
        """Rød or Gul."""
        return COLOURS[self.colour]

    @property
    def solved_word(self) -> str:
        """How far the permanent solution is."""
        return SOLVED[self.solved]

    @property
    def when(self) -> str:
        """ "29. september 2020 kl. 19.50 – 30. september 2020 kl. 07.45"."""
        if self.ends_at is None:
            return f"siden {clock(self.starts_at)}"
        if in_denmark(self.starts_at).date() == in_denmark(self.ends_at).date():
            return f"{clock(self.starts_at)}–{in_denmark(self.ends_at):%H.%M}"
        return f"{clock(self.starts_at)} – {clock(self.ends_at)}"

    @property
    def planned(self) -> str:
        """The day of the release with the permanent solution, in words."""
        return long_date(self.planned_on) if self.planned_on else ""


def all_of(store: PluginStore, system: str | None = None) -> tuple[Incident, ...]:
    """Every incident of a system, or of all, the newest first."""
    statement = (
        select(incidents, areas.c.name.label("area_name"), areas.c.system)
        .join_from(incidents, areas, areas.c.id == incidents.c.area)
        .order_by(incidents.c.starts_at.desc(), incidents.c.id.desc())
    )
    if system is not None:
        statement = statement.where(areas.c.system == system)
    return tuple(_incident(row) for row in store.execute(statement))


def one(store: PluginStore, number: int) -> Incident | None:
    """The incident with this id."""
    return next((each for each in all_of(store) if each.id == number), None)


def in_month(found: Sequence[Incident], month: str) -> tuple[Incident, ...]:
    """Those that lie in the month in part."""
    return tuple(each for each in found if touches(month, each.starts_at, each.ends_at))


def write(context: PluginContext, number: int | None, version: int, values: Mapping[str, Any]) -> int:
    """Store a new incident, or another form of one, and tell those who subscribe when it begins and is mended.

    Raises TakenError when somebody else has changed it since ``version``.
    """
    store = context.store
    assert store is not None
    kept = dict(values) | {"person": context.person_id, "version": version + 1}
    if number is None:
        number = int(store.execute(insert(incidents).values(kept).returning(incidents.c.id)).scalar_one())
        was_open = None
    else:
        earlier = one(store, number)
        if earlier is None or earlier.version != version:
            raise TakenError(earlier.version if earlier else 0)
        mine = (incidents.c.id == number, incidents.c.version == version)
        if not store.execute(update(incidents).where(*mine).values(kept)).rowcount:
            raise TakenError(version + 1)
        was_open = earlier.is_open
    now = one(store, number)
    assert now is not None
    _tell(context, now, was_open)
    return number


def _tell(context: PluginContext, incident: Incident, was_open: bool | None) -> None:
    """``was_open`` is None for a new one. Each is told once; a second end of the same incident is no news."""
    if context.klik is None:
        return
    path = f"/p/driftsstatus/?haendelse={incident.id}#haendelse-{incident.id}"
    what = f"{incident.area_name}: {incident.heading}"[:170]
    if was_open is None:
        if incident.ends_at is not None and context.now - incident.ends_at > NEWS:
            return
        sentence = f"{incident.when[0].upper()}{incident.when[1:]}. {incident.seen}"
        heading = f"Driftshændelse: {what}" if incident.is_open else f"Driftshændelse afhjulpet: {what}"
        context.klik.tell(TOPIC, f"haendelse/{incident.id}", heading, sentence[:2000], path)
    elif was_open and not incident.is_open:
        sentence = f"Afhjulpet. Hændelsen varede {_lasted(incident)}. {incident.mend}"
        context.klik.tell(
            TOPIC,
            f"haendelse/{incident.id}/afhjulpet",
            f"Driftshændelse afhjulpet: {what}",
            sentence.strip()[:2000],
            path,
        )


def _lasted(incident: Incident) -> str:
    return f"fra {clock(incident.starts_at)} til {clock(incident.ends_at)}" if incident.ends_at else ""


def _incident(row: Any) -> Incident:
    return Incident(
        id=row.id,
        area=row.area,
        area_name=row.area_name,
        system=row.system,
        heading=row.heading,
        colour=row.colour,
        starts_at=_aware(row.starts_at),
        ends_at=_aware(row.ends_at) if row.ends_at else None,
        seen=row.seen,
        cause=row.cause,
        mend=row.mend,
        solution=row.solution,
        planned_on=row.planned_on,
        solved=row.solved,
        version=row.version,
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
