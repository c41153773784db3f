"""Who hears of a municipal task: its responsible and executor, else whoever the municipality has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import and_, or_, select

from klik.models import Membership, MunicipalTask, Person, RoleHolding
from klik.services.notices.recipients import Recipient, of_municipalities
from klik.services.work import Work

_Place = tuple[int, int]  # person and municipality


@dataclass(frozen=True, slots=True)
class _Holder:
    person_id: int | None
    address: str
    system: str | None
    primary: bool
    substitute: bool


def of_tasks(work: Work, tasks: Iterable[MunicipalTask]) -> Mapping[int, tuple[Recipient, ...]]:
    """Who hears of each task, by its id; the same person once, with every reason.

    A role stands for those who hold it today, the primary one first, its substitutes only where nobody else
    does. Without anybody: whom the municipality has (``recipients.of_municipalities``). A handful of
    statements however many tasks.
    """
    tasks = tuple(tasks)
    members = _members(work, tasks)
    holders = _holders(work, tasks)
    found = {task.id: _of_task(work, task, members, holders) for task in tasks}
    return found | _fallbacks(work, [task for task in tasks if not found[task.id]])


def _members(work: Work, tasks: Sequence[MunicipalTask]) -> Mapping[_Place, str]:
    wanted = {person for task in tasks for person in (task.responsible_id, task.executor_id) if person}
    rows = work.session.execute(
        select(Membership.person_id, Membership.municipality_id, Person.email)
        .join(Person, Person.id == Membership.person_id)
        .where(Person.id.in_(wanted), Person.active.is_(True), Membership.active.is_(True))
    )
    return {(person_id, code): address for person_id, code, address in rows}


def _holders(work: Work, tasks: Sequence[MunicipalTask]) -> Mapping[tuple[int, str], list[_Holder]]:
    roles = {role for task in tasks for role in (task.responsible_role, task.executor_role) if role}
    rows = work.session.execute(
        select(RoleHolding, Person.email)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(
            Membership,
            and_(
                Membership.person_id == RoleHolding.person_id,
                Membership.municipality_id == RoleHolding.municipality_id,
            ),
        )
        .where(
            RoleHolding.role.in_(roles),
            RoleHolding.municipality_id.in_({task.municipality_id for task in tasks}),
            RoleHolding.valid_from <= work.today,
            or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= work.today),
            or_(
                RoleHolding.person_id.is_(None),
                and_(Person.active.is_(True), Membership.active.is_(True)),
            ),
        )
        .order_by(RoleHolding.is_primary.desc(), RoleHolding.id)
    )
    holders: dict[tuple[int, str], list[_Holder]] = defaultdict(list)
    for holding, email in rows:
        holders[holding.municipality_id, holding.role].append(
            _Holder(
                holding.person_id,
                email or holding.mailbox,
                holding.system_code,
                holding.is_primary,
                holding.kind == "stedfortraeder",
            )
        )
    return holders


def _of_task(
    work: Work,
    task: MunicipalTask,
    members: Mapping[_Place, str],
    holders: Mapping[tuple[int, str], list[_Holder]],
) -> tuple[Recipient, ...]:
    told: dict[object, Recipient] = {}
    for part, person_id, role in (
        ("ansvarlig", task.responsible_id, task.responsible_role),
        ("udfører", task.executor_id, task.executor_role),
    ):
        address = members.get((person_id, task.municipality_id)) if person_id else None
        if person_id and address:
            _tell(told, Recipient(person_id, address, task.municipality_id, part))
        elif role:
            for holder in _current(holders.get((task.municipality_id, role), []), task.system_code):
                reason = f"{part} som {_role_name(work, role)}{_standing(holder)}"
                _tell(told, Recipient(holder.person_id, holder.address, task.municipality_id, reason))
    return tuple(told.values())


def _current(holders: Iterable[_Holder], system: str | None) -> list[_Holder]:
    fitting = [holder for holder in holders if holder.system is None or holder.system == system]
    return [holder for holder in fitting if not holder.substitute] or fitting


def _standing(holder: _Holder) -> str:
    if holder.substitute:
        return " (stedfortræder)"
    return " (primær)" if holder.primary else ""


def _role_name(work: Work, role: str) -> str:
    return work.registry.content.role(role).name.lower()


def _tell(told: dict[object, Recipient], recipient: Recipient) -> None:
    who = recipient.person_id or recipient.address.casefold()
    earlier = told.get(who)
    told[who] = (
        recipient if earlier is None else replace(earlier, reason=f"{earlier.reason} og {recipient.reason}")
    )


def _fallbacks(work: Work, tasks: Sequence[MunicipalTask]) -> dict[int, tuple[Recipient, ...]]:
    found: dict[int, tuple[Recipient, ...]] = {}
    for system in {task.system_code for task in tasks}:
        of_system = [task for task in tasks if task.system_code == system]
        people = of_municipalities(work, {task.municipality_id for task in of_system}, system)
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
