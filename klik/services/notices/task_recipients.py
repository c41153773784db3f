"""Who hears of a municipal task: its responsible and executor, else whoever the municipality has; or its leader."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from klik.models import Membership, MunicipalTask, Person
from klik.services import holders
from klik.services.holders import Holdings
from klik.services.notices import stand_ins
from klik.services.notices.recipients import (
    PROGRAMME_LEADER,
    Recipient,
    hard_addresses,
    of_municipalities,
)
from klik.services.notices.stand_ins import Wanted
from klik.services.work import Work

TASK, LEADER = "task", "leader"
_Place = tuple[int, int]  # person and municipality


def of_audience(
    work: Work, tasks: Iterable[MunicipalTask], audience: str, hard: frozenset[str] | None = None
) -> Mapping[int, tuple[Recipient, ...]]:
    """Whom a rule with this audience tells of each task, by the task's id."""
    return leaders_of_tasks(work, tasks, hard) if audience == LEADER else of_tasks(work, tasks, hard)


def of_tasks(
    work: Work, tasks: Iterable[MunicipalTask], hard: frozenset[str] | None = None
) -> Mapping[int, tuple[Recipient, ...]]:
    """Who hears of each task, by its id; the same person once, with every reason.

    A role stands for those who hold it today, the primary one first, and for their substitutes. Without anybody:
    whom the municipality has (``recipients.of_municipalities``). Whoever cannot be mailed is told in the inbox,
    and somebody else by mail (``stand_ins``). A handful of statements however many tasks; ``hard`` spares the
    one for the addresses where they are known.
    """
    tasks = tuple(tasks)
    hard = hard_addresses(work) if hard is None else hard
    members = _members(work, tasks)
    roles = {role for task in tasks for role in (task.responsible_role, task.executor_role) if role}
    holdings = holders.of_roles(work, {task.municipality_id for task in tasks}, roles)
    wanted = {task.id: _of_task(work, task, members, holdings) for task in tasks}
    found = stand_ins.reached(work, wanted, hard)
    return found | _fallbacks(work, [task for task in tasks if not found[task.id]], hard)


def leaders_of_tasks(
    work: Work, tasks: Iterable[MunicipalTask], hard: frozenset[str] | None = None
) -> Mapping[int, tuple[Recipient, ...]]:
    """Who leads where each task is: the municipality's programleder, else its administrators, else the ladder."""
    tasks = tuple(tasks)
    hard = hard_addresses(work) if hard is None else hard
    codes = {task.municipality_id for task in tasks}
    holdings = holders.of_roles(work, codes, [PROGRAMME_LEADER])
    name = holders.role_name(work, PROGRAMME_LEADER)
    administrators = stand_ins.administrators_of(work, codes)
    wanted: dict[int, list[Wanted]] = {}
    for code in codes:
        people = holders.current(holdings.get((code, PROGRAMME_LEADER), ()), None)
        wanted[code] = [
            Wanted(
                Recipient(each.person_id, each.address, code, f"{name}{holders.standing(each)}"),
                PROGRAMME_LEADER,
            )
            for each in people
        ] or [
            Wanted(
                Recipient(each.person_id, each.address, code, f"administrator, fordi ingen har rollen {name}")
            )
            for each in administrators.get(code, ())
        ]
    found = stand_ins.reached(work, wanted, hard)
    missing = [code for code in codes if not found[code]]
    if missing:
        found |= of_municipalities(work, missing, None, hard)
    return {task.id: found[task.municipality_id] for task in tasks}


def _members(work: Work, tasks: Sequence[MunicipalTask]) -> Mapping[_Place, str]:
    wanted = {person for task in tasks for person in (task.responsible_id, task.executor_id) if person}
    rows = work.session.execute(
        select(Membership.person_id, Membership.municipality_id, Person.email)
        .join(Person, Person.id == Membership.person_id)
        .where(Person.id.in_(wanted), Person.active.is_(True), Membership.active.is_(True))
    )
    return {(person_id, code): address for person_id, code, address in rows}


def _of_task(
    work: Work, task: MunicipalTask, members: Mapping[_Place, str], holdings: Holdings
) -> Collection[Wanted]:
    wanted = []
    for part, person_id, role in (
        ("ansvarlig", task.responsible_id, task.responsible_role),
        ("udfører", task.executor_id, task.executor_role),
    ):
        code, system = task.municipality_id, task.system_code
        address = members.get((person_id, code)) if person_id else None
        if person_id and address:
            wanted.append(Wanted(Recipient(person_id, address, code, part), role, system))
        elif role:
            name = holders.role_name(work, role)
            for holder in holders.current(holdings.get((code, role), ()), system):
                reason = f"{part} som {name}{holders.standing(holder)}"
                wanted.append(Wanted(Recipient(holder.person_id, holder.address, code, reason), role, system))
    return wanted


def _fallbacks(
    work: Work, tasks: Sequence[MunicipalTask], hard: frozenset[str]
) -> dict[int, tuple[Recipient, ...]]:
    found: dict[int, tuple[Recipient, ...]] = {}
    for system in {task.system_code for task in tasks}:
        of_system = [task for task in tasks if task.system_code == system]
        people = of_municipalities(work, {task.municipality_id for task in of_system}, system, hard)
        for task in of_system:
            why = _why_nobody(task)
            found[task.id] = tuple(
                replace(person, reason=f"{person.reason}; {why}")
                for person in people.get(task.municipality_id, ())
            )
    return found


def _why_nobody(task: MunicipalTask) -> str:
    if any((task.responsible_id, task.responsible_role, task.executor_id, task.executor_role)):
        return "ingen af opgavens egne folk er aktive"
    return "opgaven har hverken ansvarlig eller udfører"
