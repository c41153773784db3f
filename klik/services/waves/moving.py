"""Changing when municipalities take a system into use: look ahead first, then do the very same in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm.attributes import set_committed_value

from klik.models import MunicipalTask, Project, System, TaskChange
from klik.plugins.views import ChangeView
from klik.services import auditing, events, idempotency
from klik.services.auditing import Act
from klik.services.correcting import deviations
from klik.services.publishing import late
from klik.services.publishing.drafts import actor_id, require_publisher
from klik.services.publishing.late import Late
from klik.services.tasks.words import day_word
from klik.services.waves import changes, telling
from klik.services.waves.changes import Change, Leaving, NewGoLive, Placing, Target
from klik.services.waves.reckoning import Moved, Reckoned, reckon
from klik.services.work import Work

ACTION = "flyt-idriftsaettelse"
# What a change of a deadline says it came by in the task's history.
VIA = "boelge"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a change comes to: the deadlines it moves, and the tasks a municipality gets by it."""

    target: Target
    reckoned: Reckoned
    late: Late | None

    @property
    def moved(self) -> list[Moved]:
        """The deadlines that move."""
        return self.reckoned.moved


def foresee(work: Work, system: str, change: Change) -> Plan:
    """Look ahead; nothing is written or locked. Raises as ``carry_out``."""
    require_publisher(work)
    return _plan(work, system, change, lock=False)


def carry_out(work: Work, system: str, change: Change, key: str | None = None) -> Plan | None:
    """Do it and all that follows, in the caller's transaction; None when ``key`` shows that it is done already.

    Raises NotFoundError, RefusedError, ForbiddenError, and ConflictError when somebody changed it first.
    """
    require_publisher(work)
    _hold(work, system)
    if idempotency.taken(work, key, ACTION) is not None:
        return None
    plan = _plan(work, system, change, lock=True)
    changes.store(work, plan.target)
    told = _move(work, plan)
    if plan.late and plan.late.offers:
        late.give(work, plan.late)
        told += telling.tell_came(work, plan.target.system, plan.late)
    _record(work, plan, told)
    idempotency.remember(work, key, ACTION, f"/boelger/{system}")
    work.session.flush()
    return plan


def _hold(work: Work, system: str) -> None:
    """One at a time for a system, and not while one of its projects publishes."""
    work.session.scalar(
        select(System.code)
        .where(System.code == system)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    work.session.scalars(
        select(Project.id).where(Project.system_code == system).order_by(Project.id).with_for_update()
    ).all()


def _plan(work: Work, system: str, change: Change, *, lock: bool) -> Plan:
    found = changes.target(work, system, change)
    # Who leaves keeps its tasks as they are, with their deadlines; what is open is only counted.
    standings = (
        tuple(changes.Standing(each.before, each.before) for each in found.standings)
        if isinstance(change, Leaving)
        else found.standings
    )
    reckoned = reckon(work, system, standings, lock=lock)
    joins = late.offered(work, system, found.standings[0].after) if isinstance(change, Placing) else None
    return Plan(found, reckoned, joins)


def _move(work: Work, plan: Plan) -> int:
    """Write the new deadlines, their history, events and notices; the statements do not grow with their number."""
    own = [copy.id for copy in plan.reckoned.own_copies]
    deviations.note(work, plan.reckoned.own, {"deadline": own})
    if not plan.moved:
        return 0
    told = telling.tell_moved(work, plan.moved, _why(plan))
    table = MunicipalTask.__table__
    work.session.connection().execute(
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("copy"))
        .values(
            deadline=bindparam("new"),
            yellow_from=bindparam("yellow"),
            for_information=bindparam("past"),
            deadline_version=table.c.deadline_version + 1,
            version=table.c.version + 1,
            changed_at=work.now,
        ),
        [
            {
                "copy": each.copy.id,
                "new": each.new,
                "yellow": each.yellow_from,
                "past": each.copy.for_information and not each.now_in_force,
            }
            for each in plan.moved
        ],
    )
    _write_down(work, plan)
    for each in plan.moved:
        _refresh(work, each)
    return told


def _refresh(work: Work, moved: Moved) -> None:
    """The loaded row as it now stands, without asking for each."""
    copy = moved.copy
    for name, value in (
        ("deadline", moved.new),
        ("yellow_from", moved.yellow_from),
        ("for_information", copy.for_information and not moved.now_in_force),
        ("deadline_version", copy.deadline_version + 1),
        ("version", copy.version + 1),
        ("changed_at", work.now),
    ):
        set_committed_value(copy, name, value)


def _write_down(work: Work, plan: Plan) -> None:
    work.session.connection().execute(
        insert(TaskChange.__table__),  # type: ignore[arg-type]
        [
            {
                "municipality_id": each.copy.municipality_id,
                "municipal_task_id": each.copy.id,
                "at": work.now,
                "person_id": actor_id(work),
                "field": "deadline",
                "old": day_word(each.old),
                "new": day_word(each.new),
                "via": VIA,
            }
            for each in plan.moved
        ],
    )
    events.note_all(
        work,
        events.CHANGED,
        [
            ChangeView(
                task=each.copy.id,
                municipality=each.copy.municipality_id,
                system=each.copy.system_code,
                field="deadline",
                old=day_word(each.old),
                new=day_word(each.new),
                at=work.now,
            )
            for each in plan.moved
        ],
    )


def _why(plan: Plan) -> str:
    name, change = plan.target.system.name, plan.target.change
    after = plan.target.standings[0].after.go_live
    if isinstance(change, NewGoLive) and plan.target.wave is not None:
        whose = f"{plan.target.wave.name} tager {name} i brug"
    else:
        whose = f"Kommunen tager {name} i brug"
    return f"{whose} {changes.day_words(after)}." if after else "Idriftsættelsen er ikke fastsat længere."


def _record(work: Work, plan: Plan, told: int) -> None:
    change = plan.target.change
    facts = {
        "system": plan.target.system.code,
        "flyttet": len(plan.moved),
        "egne": len(plan.reckoned.own),
        "afsluttede": len(plan.reckoned.closed),
        "oprettet": len(plan.late.offers) if plan.late else 0,
        "varsler": told,
    }
    if isinstance(change, NewGoLive):
        auditing.record_all(
            work,
            [
                Act(ACTION, f"boelge/{change.wave_id}", facts),
                *(
                    Act(ACTION, f"boelge/{change.wave_id}", {"system": plan.target.system.code}, code)
                    for code in changes.codes(plan.target)
                ),
            ],
        )
    else:
        action = "forlad-system" if isinstance(change, Leaving) else ACTION
        auditing.record(work, action, f"kommune/{change.municipality_id}", facts, change.municipality_id)
