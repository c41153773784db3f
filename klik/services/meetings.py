"""The meeting about a municipality's tasks: when the last one was, and what the next one has to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from klik.domain import proof_codes
from klik.domain.calendar import long_date, parse_date
from klik.domain.errors import InputError
from klik.domain.forecast import sentence
from klik.domain.rights import Right
from klik.domain.status import Status
from klik.models import LastMeeting, MunicipalTask
from klik.services import access, auditing, burn_up, filtering, listing, pace, past
from klik.services.documents import MeetingChart, MeetingDocument, MeetingLine
from klik.services.errors import ForbiddenError, RefusedError
from klik.services.listing import TaskRow
from klik.services.tasks import exporting
from klik.services.work import Actor, Work

USUAL = timedelta(days=14)
MOST_URGENT, MOST_CHANGED, MOST_DECISIONS, MOST_CHARTS = 12, 9, 4, 4
LONGEST_TITLE = 76
URGENT = "deadline=roed&deadline=gul"


def _member(work: Work) -> Actor:
    """The actor in a municipality with the right to take its tasks home; raises ForbiddenError."""
    actor = access.require(work, Right.EXPORT)
    if actor.municipality_id is None:
        raise ForbiddenError(Right.EXPORT)
    return actor


def last_meeting(work: Work) -> date | None:
    """The day the actor gave as that of the last meeting."""
    actor = _member(work)
    return work.session.scalar(
        select(LastMeeting.held_on).where(
            LastMeeting.person_id == actor.person_id, LastMeeting.municipality_id == actor.municipality_id
        )
    )


def remember(work: Work, typed: str) -> date:
    """Note the day of the last meeting; raises RefusedError for no date, or one that lies ahead."""
    actor = _member(work)
    try:
        day = parse_date(typed)
    except InputError as error:
        raise RefusedError({"sidste_moede": f"Sidste møde: {error}"}) from error
    if day > work.today:
        raise RefusedError({"sidste_moede": f"Sidste møde: {long_date(day)} er ikke kommet endnu."})
    key = (actor.person_id, actor.municipality_id)
    row = work.session.get(LastMeeting, key, with_for_update=True)
    if row is None:
        work.session.add(LastMeeting(person_id=key[0], municipality_id=key[1], held_on=day))
    else:
        row.held_on = day
    auditing.record(
        work, "set-last-meeting", f"person/{actor.person_id}", municipality_id=actor.municipality_id
    )
    return day


def collect(work: Work) -> MeetingDocument:
    """Everything the mødepakke shows of the actor's municipality. Writes nothing."""
    actor = _member(work)
    since = min(last_meeting(work) or work.today - USUAL, work.today - timedelta(days=1))
    urgent = _rows(work, f"{URGENT}&sorter=deadline")
    everything = _rows(work, "fuldfoerte=ja&sorter=deadline")
    changed = _changes(work, since, everything)
    return MeetingDocument(
        municipality=actor.place,
        since=since,
        urgent=tuple(_urgent_line(work, row) for row in urgent[:MOST_URGENT]),
        urgent_unlisted=max(0, len(urgent) - MOST_URGENT),
        changed=tuple(changed[:MOST_CHANGED]),
        changed_unlisted=max(0, len(changed) - MOST_CHANGED),
        decisions=_decisions(work, urgent, everything),
        charts=_charts(work),
        exported_at=work.now,
        exported_by=f"{actor.name}, {actor.place}",
        identifier=proof_codes.anew(),
    )


def _rows(work: Work, query: str) -> list[TaskRow]:
    selection = filtering.select_tasks(work, filtering.read(work.registry, query))
    return [row for row in listing.every_row(work, selection) if not row.withdrawn]


def _line(row: TaskRow, what: str, day: date | None = None) -> MeetingLine:
    title = row.title if len(row.title) <= LONGEST_TITLE else f"{row.title[: LONGEST_TITLE - 1]}…"
    return MeetingLine(
        row.number or exporting.LOCAL_NUMBER, title, row.colour.label if row.colour else "", what, day
    )


def _urgent_line(work: Work, row: TaskRow) -> MeetingLine:
    who = row.responsible
    if who is None and row.responsible_role:
        role = work.registry.content.role(row.responsible_role).name
        who = f"{role}: {row.responsible_holder}" if row.responsible_holder else f"{role} (ubesat)"
    return _line(row, who or "Ingen ansvarlig", row.deadline)


@dataclass(frozen=True, slots=True)
class _Stood:
    """What can have changed of a task between two meetings."""

    status: str
    deadline: date | None
    responsible_id: int | None


def _changes(work: Work, since: date, rows: Sequence[TaskRow]) -> list[MeetingLine]:
    """What happened to each task since that day ended, the most telling first."""
    now = _all_states(work)
    with past.as_of(work, since) as then:
        before = _all_states(then)
    found: list[tuple[int, MeetingLine]] = []
    for row in rows:
        if change := _change(before.get(row.id), now[row.id], row):
            rank, words = change
            found.append((rank, _line(row, words, row.deadline)))
    return [line for _rank, line in sorted(found, key=lambda pair: pair[0])]


def _all_states(work: Work) -> Mapping[int, _Stood]:
    rows = work.session.execute(
        select(
            MunicipalTask.id, MunicipalTask.status, MunicipalTask.deadline, MunicipalTask.responsible_id
        ).where(access.visible(work))
    )
    return {row.id: _Stood(row.status, row.deadline, row.responsible_id) for row in rows}


def _change(before: _Stood | None, now: _Stood, row: TaskRow) -> tuple[int, str] | None:
    """How telling a change is, and the change in words."""
    if before is None:
        return 3, "Ny opgave"
    if now.status != before.status:
        if now.status == Status.COMPLETED.value:
            return 0, "Fuldført"
        if before.status in (Status.COMPLETED.value, Status.NOT_RELEVANT.value):
            return 1, f"Genåbnet: {Status(now.status).label.lower()}"
        return 1, f"{Status(before.status).label} → {Status(now.status).label.lower()}"
    if now.deadline != before.deadline:
        old = long_date(before.deadline) if before.deadline else "ingen frist"
        return 2, f"Fristen var {old}"
    if now.responsible_id != before.responsible_id:
        return 4, f"Ny ansvarlig: {row.responsible}" if row.responsible else "Ingen ansvarlig længere"
    return None


def _decisions(
    work: Work, urgent: Sequence[TaskRow], everything: Sequence[TaskRow]
) -> tuple[tuple[str, tuple[MeetingLine, ...], int], ...]:
    """What somebody must decide: a heading, the first lines, and how many more there are."""
    still_open = [row for row in everything if row.status in (Status.NOT_STARTED, Status.IN_PROGRESS)]
    own = set(
        work.session.scalars(
            select(MunicipalTask.id).where(
                access.visible(work), MunicipalTask.deadline_is_own, MunicipalTask.task_id.is_not(None)
            )
        )
    )
    reasons: Mapping[int, Any] = dict(
        (row.id, row.not_relevant_reason)
        for row in work.session.execute(
            select(MunicipalTask.id, MunicipalTask.not_relevant_reason).where(
                access.visible(work), MunicipalTask.status == Status.NOT_RELEVANT.value
            )
        )
    )
    groups = (
        (
            "Røde og gule opgaver uden ansvarlig",
            [
                _line(row, "Hvem tager den?", row.deadline)
                for row in urgent
                if row.responsible is None and row.responsible_role is None
            ],
        ),
        (
            "Ansvarlig rolle, som ingen har",
            [
                _line(row, work.registry.content.role(row.responsible_role).name, row.deadline)
                for row in still_open
                if row.responsible_vacant and row.responsible_role
            ],
        ),
        (
            "Meldt ikke relevante: er I enige?",
            [_line(row, _short(reasons[row.id] or ""), None) for row in everything if row.id in reasons],
        ),
        (
            "Jeres egen frist i stedet for KOMBITs",
            [_line(row, "Holder den?", row.deadline) for row in still_open if row.id in own],
        ),
    )
    return tuple(
        (heading, tuple(lines[:MOST_DECISIONS]), max(0, len(lines) - MOST_DECISIONS))
        for heading, lines in groups
        if lines
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _charts(work: Work) -> tuple[MeetingChart, ...]:
    """The projects that are still open, the latest first."""
    going = [each for each in pace.by_project(work) if each.points[-1].completed < each.points[-1].total]
    going.sort(key=lambda each: -(each.forecast.late or 0) if each.forecast else 10_000)
    return tuple(
        MeetingChart(
            slug=each.slug,
            name=each.name,
            sentence=sentence(each.forecast),
            deciding=tuple(
                f"{task.number or exporting.LOCAL_NUMBER} {_short(task.title)}" for task in each.deciding[:4]
            ),
            drawing=burn_up.draw(each),
        )
        for each in going[:MOST_CHARTS]
    )
