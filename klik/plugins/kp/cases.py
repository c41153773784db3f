"""The municipality's own support cases: drafted here, pasted into MinSupport, followed up, closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from klik.plugins import PluginContext, PluginStore, Right
from klik.plugins.kp.checklists import CHECKLISTS
from klik.plugins.kp.choices import ANSWERED, CLOSED, DRAFT, FILED, KINDS, SUPPORT
from klik.plugins.kp.tables import cases, ticks
from klik.plugins.kp.title_advice import faults_of

MOST = 2_000
# From which states each act leads, and to where.
STEPS = {
    "opret": ((DRAFT,), FILED),
    "svar": ((FILED,), ANSWERED),
    "luk": ((FILED, ANSWERED), CLOSED),
    "tilbage": ((ANSWERED, CLOSED), FILED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A row of kp_cases."""

    id: int
    municipality: int
    kind: str
    support_kind: str
    title: str
    title_kept: bool
    component: str
    criticality: str
    about_citizen: bool
    case_key: str
    task_key: str
    payment_on: date | None
    steps: str
    tried: str
    technical: str
    expected: str
    elsewhere: str
    state: str
    reference: str
    filed_on: date | None
    follow_up_on: date | None
    answer: str
    answered_on: date | None
    person: int | None
    changed_by: int | None
    version: int
    created_at: datetime
    changed_at: datetime

    def is_due(self, today: date) -> bool:
        """Whether it is to be followed up today."""
        return self.state == FILED and self.follow_up_on is not None and self.follow_up_on <= today


@dataclass(frozen=True, slots=True)
class Tick:
    """Who ticked a point of a checklist, and when."""

    person: int | None
    at: datetime


def may_write(context: PluginContext) -> bool:
    """Whether the actor writes cases: who comments, in a municipality."""
    return context.municipality is not None and context.has(Right.COMMENT)


def all_of(context: PluginContext) -> tuple[Case, ...]:
    """The municipality's cases, the latest changed first; none for KOMBIT and suppliers."""
    statement = (
        select(cases)
        .where(cases.c.municipality == context.municipality)
        .order_by(cases.c.changed_at.desc(), cases.c.id.desc())
        .limit(MOST)
    )
    return tuple(_case(row) for row in stored(context).execute(statement))


def one(context: PluginContext, case_id: int) -> Case | None:
    """The municipality's own case, else None."""
    statement = select(cases).where(cases.c.id == case_id, cases.c.municipality == context.municipality)
    row = stored(context).execute(statement).first()
    return _case(row) if row else None


def due(context: PluginContext) -> int:
    """How many of the municipality's own cases are to be followed up today."""
    statement = select(func.count()).where(
        cases.c.municipality == context.municipality,
        cases.c.state == FILED,
        cases.c.follow_up_on <= context.today,
    )
    return int(stored(context).execute(statement).scalar() or 0)


def counts(context: PluginContext) -> Mapping[str, int]:
    """How many there are in each state: the municipality's own, or for KOMBIT all; 0 for suppliers."""
    statement = select(cases.c.state, func.count()).group_by(cases.c.state)
    if not context.kombit:
        statement = statement.where(cases.c.municipality == context.municipality)
    return dict(tuple(row) for row in stored(context).execute(statement))


def municipalities(context: PluginContext) -> int:
    """In how many municipalities there is a case: KOMBIT's figure."""
    statement = select(func.count(func.distinct(cases.c.municipality)))
    return int(stored(context).execute(statement).scalar() or 0) if context.kombit else 0


def criticalities(context: PluginContext) -> Mapping[str, int]:
    """How many open cases there are of each kritikalitet, in all municipalities: KOMBIT's figure."""
    if not context.kombit:
        return {}
    statement = (
        select(cases.c.criticality, func.count()).where(cases.c.state != CLOSED).group_by(cases.c.criticality)
    )
    return dict(tuple(row) for row in stored(context).execute(statement))


def create(context: PluginContext, values: Mapping[str, Any]) -> int:
    """A new draft of the municipality's; gives its id."""
    row = {
        **values,
        "municipality": context.municipality,
        "state": DRAFT,
        "reference": "",
        "answer": "",
        "person": context.person_id,
        "changed_by": context.person_id,
        "version": 1,
        "created_at": context.now,
        "changed_at": context.now,
    }
    return int(stored(context).execute(insert(cases).values(row).returning(cases.c.id)).scalar_one())


def change(context: PluginContext, case: Case, values: Mapping[str, Any]) -> bool:
    """Store new values; False when somebody changed the case meanwhile (``case.version`` is the one seen)."""
    statement = (
        update(cases)
        .where(
            cases.c.id == case.id,
            cases.c.municipality == context.municipality,
            cases.c.version == case.version,
        )
        .values(
            {
                **values,
                "version": case.version + 1,
                "changed_by": context.person_id,
                "changed_at": context.now,
            }
        )
    )
    return bool(stored(context).execute(statement).rowcount)


def discard(context: PluginContext, case: Case) -> bool:
    """Take a draft away with its ticks; False when it is none any more or has been changed."""
    mine = cases.c.municipality == context.municipality
    gone = stored(context).execute(
        delete(cases).where(
            cases.c.id == case.id, mine, cases.c.state == DRAFT, cases.c.version == case.version
        )
    )
    if gone.rowcount:
        stored(context).execute(delete(ticks).where(ticks.c.case_id == case.id))
    return bool(gone.rowcount)


def lacks(case: Case) -> tuple[str, ...]:
    """What is to be mended before the case goes to MinSupport, as Danish sentences."""
    found = [] if case.title_kept else list(faults_of(case.title))
    if case.kind not in KINDS:
        found.append("Sagstype: vælg en.")
    if case.kind == SUPPORT and not case.support_kind:
        found.append("Supporttype: skriv, hvilken hjælp I har brug for.")
    if not case.component:
        found.append("Komponent: vælg, hvor i KP det sker.")
    if not case.criticality:
        found.append("Kritikalitet: vælg fra A til D.")
    if not case.steps:
        found.append("Hvilken handling medførte fejlen? Beskriv den trin for trin.")
    if not case.expected:
        found.append("Hvad forventede du, der skete? Skriv det ønskede resultat.")
    if not case.elsewhere:
        found.append("Opleves fejlen på andre sager? Skriv ja eller nej, og nøglerne, hvis ja.")
    return tuple(found)


def ticks_of(context: PluginContext, case: Case) -> Mapping[tuple[str, str], Tick]:
    """What is ticked, by checklist and point."""
    statement = select(ticks).where(ticks.c.case_id == case.id, ticks.c.municipality == context.municipality)
    return {
        (row.checklist, row.point): Tick(row.person, _aware(row.at))
        for row in stored(context).execute(statement)
    }


def tick(context: PluginContext, case: Case, checklist: str, shown: set[str], wanted: set[str]) -> None:
    """Tick and untick the points that differ from what the writer was shown; a colleague's other ticks stay."""
    (known,) = (each for each in CHECKLISTS if each.key == checklist)
    present = {point for name, point in ticks_of(context, case) if name == checklist}
    for point in (each.key for each in known.points):
        place = {"case_id": case.id, "checklist": checklist, "point": point}
        if point in wanted - shown and point not in present:
            row = {**place, "municipality": case.municipality, "person": context.person_id, "at": context.now}
            stored(context).execute(insert(ticks).values(row))
        if point in shown - wanted:
            stored(context).execute(
                delete(ticks).where(
                    ticks.c.case_id == case.id, ticks.c.checklist == checklist, ticks.c.point == point
                )
            )


def stored(context: PluginContext) -> PluginStore:
    """The plug-in's tables."""
    assert context.store is not None
    return context.store


def _case(row: Any) -> Case:
    found = Case(**row._mapping)
    return replace(found, created_at=_aware(found.created_at), changed_at=_aware(found.changed_at))


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
