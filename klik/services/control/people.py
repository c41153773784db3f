"""Who should have been told of a task, asked in statements of the control's own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.models import (
    BouncedAddress,
    Membership,
    MembershipSystem,
    MunicipalTask,
    NoticeSettings,
    Person,
    RoleHolding,
    TaskChange,
)
from klik.services.control.expected import USUAL_DAYS, Somebody, once_each
from klik.services.work import Work

BATCH = 1000
CLOSED = ("fuldfoert", "ikke-relevant")
PROGRAMME_LEADER = "kombit-programleder"
SUBSTITUTE = "stedfortraeder"


@dataclass(frozen=True, slots=True)
class OpenTask:
    """What the control needs of a task; the addresses are None where the person is not active there."""

    id: int
    municipality_id: int
    system_code: str | None
    deadline: date | None
    yellow_from: date | None
    deadline_version: int
    began: date
    responsible: Somebody | None
    responsible_role: str | None
    executor: Somebody | None
    executor_role: str | None


def open_tasks(work: Work, *, all_dates: bool) -> Iterator[list[OpenTask]]:
    """The open tasks with the people they name, a thousand at a time; without ``all_dates`` those near a deadline."""
    after = 0
    while True:
        found = _batch(work, after, all_dates=all_dates)
        if found:
            yield found
        if len(found) < BATCH:
            return
        after = found[-1].id


def _batch(work: Work, after: int, *, all_dates: bool) -> list[OpenTask]:
    task = MunicipalTask
    responsible, executor = aliased(Person), aliased(Person)
    at_home, elsewhere = aliased(Membership), aliased(Membership)
    conditions: list[ColumnElement[bool]] = [
        task.id > after,
        task.status.not_in(CLOSED),
        task.withdrawn_at.is_(None),
        task.erased_at.is_(None),
    ]
    if not all_dates:
        from_day = func.coalesce(task.yellow_from, task.deadline)
        conditions += [
            task.deadline.is_not(None),
            or_(from_day <= work.today, task.deadline <= date.fromordinal(work.today.toordinal() + 14)),
        ]
    rows = work.session.execute(
        select(
            task.id,
            task.municipality_id,
            task.system_code,
            task.deadline,
            task.yellow_from,
            task.deadline_version,
            task.created_at,
            task.responsible_role,
            task.executor_role,
            at_home.person_id.label("responsible_id"),
            responsible.email.label("responsible_address"),
            elsewhere.person_id.label("executor_id"),
            executor.email.label("executor_address"),
        )
        .outerjoin(responsible, and_(responsible.id == task.responsible_id, responsible.active.is_(True)))
        .outerjoin(at_home, _active_in(at_home, responsible.id))
        .outerjoin(executor, and_(executor.id == task.executor_id, executor.active.is_(True)))
        .outerjoin(elsewhere, _active_in(elsewhere, executor.id))
        .where(*conditions)
        .order_by(task.id)
        .limit(BATCH)
    ).all()
    moved = _moved(work, [row.id for row in rows if row.deadline_version > 1])
    return [
        OpenTask(
            id=row.id,
            municipality_id=row.municipality_id,
            system_code=row.system_code,
            deadline=row.deadline,
            yellow_from=row.yellow_from,
            deadline_version=row.deadline_version,
            began=danish_today(moved.get(row.id, row.created_at)),
            responsible=_named(row.responsible_id, row.responsible_address, "ansvarlig"),
            responsible_role=row.responsible_role,
            executor=_named(row.executor_id, row.executor_address, "udfører"),
            executor_role=row.executor_role,
        )
        for row in rows
    ]


def _active_in(membership: Any, person_id: Any) -> ColumnElement[bool]:
    return and_(
        membership.person_id == person_id,
        membership.municipality_id == MunicipalTask.municipality_id,
        membership.active.is_(True),
    )


def _named(person_id: int | None, address: str | None, part: str) -> Somebody | None:
    return Somebody(person_id, address, part) if person_id and address else None


def _moved(work: Work, ids: Sequence[int]) -> Mapping[int, datetime]:
    if not ids:
        return {}
    rows = work.session.execute(
        select(TaskChange.municipal_task_id, func.max(TaskChange.at))
        .where(TaskChange.field == "deadline", TaskChange.municipal_task_id.in_(ids))
        .group_by(TaskChange.municipal_task_id)
    )
    return {task_id: at for task_id, at in rows}


@dataclass(frozen=True, slots=True)
class _Holder:
    who: Somebody
    system: str | None


class People:
    """Everybody who may hear of a task, loaded once for a pass."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._holders = _holders(work)
        self._links = _links(work)
        self._members: dict[tuple[int | None, str], list[tuple[int, Somebody]]] = defaultdict(list)
        for membership_id, code, level, person_id, address in work.session.execute(
            select(Membership.id, Membership.municipality_id, Membership.level, Person.id, Person.email)
            .join(Person, Person.id == Membership.person_id)
            .where(
                Membership.active.is_(True),
                Person.active.is_(True),
                Membership.level.in_(
                    [
                        each.value
                        for each in (Level.PLUS_USER, Level.ADMINISTRATOR, Level.KOMBIT_ADMINISTRATOR)
                    ]
                ),
            )
        ):
            self._members[code, level].append((membership_id, Somebody(person_id, address, "")))
        self._days = {
            person_id: frozenset(int(word) for word in re.findall(r"\d+", days))
            for person_id, days in work.session.execute(
                select(NoticeSettings.person_id, NoticeSettings.days_before).where(
                    NoticeSettings.days_before.is_not(None)
                )
            )
        }
        self._chosen_on = {
            (person_id, int(count)): date.fromisoformat(day)
            for person_id, words in work.session.execute(
                select(NoticeSettings.person_id, NoticeSettings.chosen_on).where(
                    NoticeSettings.chosen_on.is_not(None)
                )
            )
            for count, day in re.findall(r"(\d+)=([\d-]+)", words)
        }
        self.unreachable = frozenset(
            work.session.scalars(select(BouncedAddress.address_key).where(BouncedAddress.state == "haard"))
        )

    def days_before(self, one: Somebody, deadline: date) -> frozenset[int]:
        """How many days before this deadline they are reminded: what had passed when they chose it is not owed."""
        if one.person_id is None:
            return USUAL_DAYS
        return frozenset(
            count
            for count in self._days.get(one.person_id, USUAL_DAYS)
            if deadline - timedelta(days=count) >= self._chosen_on.get((one.person_id, count), date.min)
        )

    def reachable(self, one: Somebody) -> bool:
        """Whether mails still go to the address."""
        return one.address.casefold() not in self.unreachable

    def of_task(self, task: OpenTask) -> list[Somebody]:
        """The task's own people, else whom the municipality has, else KOMBIT."""
        own: list[Somebody] = []
        for named, role, part in (
            (task.responsible, task.responsible_role, "ansvarlig"),
            (task.executor, task.executor_role, "udfører"),
        ):
            if named:
                own.append(named)
            elif role:
                own += [
                    Somebody(each.person_id, each.address, f"{part} som {self._role(role)}")
                    for each in self._standing(task, role)
                ]
        return once_each(own) or self.of_municipality(task.municipality_id, task.system_code)

    def leaders(self, task: OpenTask) -> list[Somebody]:
        """Who leads in the municipality: the programleder, else its administrators."""
        leaders = [
            Somebody(each.person_id, each.address, "programleder: opgaven har været rød længe")
            for each in self._standing(task, PROGRAMME_LEADER)
        ]
        return once_each(leaders) or self._of_level(
            task.municipality_id, Level.ADMINISTRATOR, "administrator, fordi kommunen ingen programleder har"
        )

    def of_municipality(self, code: int, system: str | None) -> list[Somebody]:
        """Plus users of the system, else those of no system, else administrators, programleder, KOMBIT."""
        plus = self._members[code, Level.PLUS_USER.value]
        linked = [who for member, who in plus if system and system in self._links.get(member, ())]
        general = [who for member, who in plus if member not in self._links]
        chosen = linked or general
        if chosen:
            return [Somebody(who.person_id, who.address, "plusbruger") for who in chosen]
        return (
            self._of_level(code, Level.ADMINISTRATOR, "administrator, fordi ingen plusbruger følger systemet")
            or [
                Somebody(
                    each.who.person_id,
                    each.who.address,
                    "programleder, fordi kommunen hverken har plusbruger eller administrator",
                )
                for each in self._holders.get((code, PROGRAMME_LEADER), [])
            ]
            or self._of_level(None, Level.KOMBIT_ADMINISTRATOR, "KOMBIT, fordi kommunen ingen modtager har")
        )

    def others(self, code: int, system: str | None, doer: int | None) -> bool:
        """Whether anybody but the one who did it hears of a matter of the municipality."""
        return any(
            each.person_id is None or each.person_id != doer for each in self.of_municipality(code, system)
        )

    def _of_level(self, code: int | None, level: Level, reason: str) -> list[Somebody]:
        return [Somebody(who.person_id, who.address, reason) for _, who in self._members[code, level.value]]

    def _standing(self, task: OpenTask, role: str) -> list[Somebody]:
        """Those who hold the role and those who stand in for them in a period (decision 0017)."""
        return [
            each.who
            for each in self._holders.get((task.municipality_id, role), [])
            if each.system in (None, task.system_code)
        ]

    def _role(self, role: str) -> str:
        return self._work.registry.content.role(role).name.lower()


def _links(work: Work) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for membership_id, system in work.session.execute(
        select(MembershipSystem.membership_id, MembershipSystem.system_code)
    ):
        found[membership_id].add(system)
    return found


def _holders(work: Work) -> Mapping[tuple[int, str], list[_Holder]]:
    """Who holds which role today: active people of the municipality, and mailboxes; the primary one first."""
    found: dict[tuple[int, str], list[_Holder]] = defaultdict(list)
    rows = work.session.execute(
        select(
            RoleHolding.municipality_id,
            RoleHolding.role,
            RoleHolding.system_code,
            RoleHolding.person_id,
            func.coalesce(Person.email, RoleHolding.mailbox),
        )
        .outerjoin(Person, and_(Person.id == RoleHolding.person_id, Person.active.is_(True)))
        .outerjoin(
            Membership,
            and_(
                Membership.person_id == Person.id,
                Membership.municipality_id == RoleHolding.municipality_id,
                Membership.active.is_(True),
            ),
        )
        .where(
            RoleHolding.valid_from <= work.today,
            func.coalesce(RoleHolding.valid_to, work.today) >= work.today,
            or_(RoleHolding.person_id.is_(None), Membership.id.is_not(None)),
        )
        .order_by(RoleHolding.is_primary.desc(), RoleHolding.id)
    )
    for code, role, system, person_id, address in rows:
        if address:
            found[code, role].append(_Holder(Somebody(person_id, address, ""), system))
    return found
