"""Carrying a departure out, the day after the last day: all of it in one transaction, and only once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import ColumnElement, func, select, true

from klik.domain.rights import Level
from klik.models import Departure, FilterUse, Membership, MembershipSystem, Person, SavedFilter
from klik.services import auditing, people
from klik.services.departures import telling
from klik.services.departures.plan import Plan, Share, TaskStep, plan
from klik.services.notices import taking_back
from klik.services.roles import succeeding
from klik.services.saved_filters import NEVER, name_key
from klik.services.tasks import changing, together
from klik.services.tasks.assigning import Assignee, namer
from klik.services.tasks.changing import Changed
from klik.services.tasks.history import HANDED_OVER
from klik.services.tasks.steps import Step, assignee
from klik.services.work import Work

NAME_LIMIT = 80


class House(Protocol):
    """What the work of a night needs of an installation."""

    def reading(self, now: datetime) -> AbstractContextManager[Work]:
        """A transaction for looking."""

    def writing(self, now: datetime) -> AbstractContextManager[Work]:
        """A transaction that is stored."""


@dataclass(frozen=True, slots=True)
class Done:
    """How many departures were carried out, and how many wait because nobody else is administrator."""

    completed: int
    waiting: int


def complete_due(house: House, now: datetime) -> Done:
    """Carry out every departure whose last day is over, each in its own transaction; run twice it does no more."""
    with house.reading(now) as work:
        due = work.session.scalars(
            select(Departure.id).where(*_is_due(work.today)).order_by(Departure.last_day, Departure.id)
        ).all()
    completed = waiting = 0
    for departure_id in due:
        with house.writing(now) as work:
            departure = work.session.scalar(
                select(Departure).where(Departure.id == departure_id, *_is_due(work.today)).with_for_update()
            )
            if departure is None:
                continue
            if complete(work, departure):
                completed += 1
            else:
                waiting += 1
    return Done(completed, waiting)


def _is_due(today: date) -> tuple[ColumnElement[bool], ...]:
    return (
        Departure.completed_at.is_(None),
        Departure.regretted_at.is_(None),
        Departure.last_day < today,
    )


def complete(work: Work, departure: Departure) -> bool:
    """Hand everything over, tell those who take over, and close the access; False where it must wait.

    klik itself does it: the history names the departure, whoever announced it may be gone as well.
    """
    itself = work.as_system()
    member = work.session.scalars(
        select(Membership)
        .where(
            Membership.person_id == departure.person_id,
            Membership.municipality_id == departure.municipality_id,
        )
        .with_for_update()
    ).one()
    if is_only_administrator(work, member):
        return False
    heirs = {heir.what: heir.person_id for heir in departure.heirs}
    found = plan(itself, member, departure.last_day, heirs, lock=True)
    for step in found.roles:
        succeeding.pass_on(itself, step.holding, departure.last_day, step.heir_id)
    _hand_tasks_over(itself, departure, found)
    for share in found.shares:
        _hand_filters_over(itself, member, share)
    taking_back.of_person(itself, member.person_id, departure.municipality_id, telling.GONE)
    departure.completed_at = work.now
    if member.active:
        people.close(itself, member)
    telling.tell(itself, departure, found)
    work.session.flush()
    auditing.record(
        itself,
        "fratraedelse-udfoer",
        f"fratraedelse/{departure.id}",
        {
            "person": member.person_id,
            "roller": len(found.roles),
            "opgaver": len(found.tasks),
            "arvinger": sorted(share.person.id for share in found.shares if share.person),
        },
        departure.municipality_id,
    )
    return True


def is_only_administrator(work: Work, member: Membership) -> bool:
    """Whether nobody else in the municipality is an active administrator."""
    administers = member.level == Level.ADMINISTRATOR.value and member.active
    return administers and administrators_besides(work, member, true()) == 0


def administrators_besides(work: Work, member: Membership, which: ColumnElement[bool]) -> int:
    """How many other active administrators of the municipality fulfil the condition."""
    return (
        work.session.scalar(
            select(func.count())
            .select_from(Membership)
            .join(Person, Person.id == Membership.person_id)
            .where(
                Membership.municipality_id == member.municipality_id,
                Membership.level == Level.ADMINISTRATOR.value,
                Membership.active.is_(True),
                Person.active.is_(True),
                Membership.id != member.id,
                which,
            )
        )
        or 0
    )


def _hand_tasks_over(work: Work, departure: Departure, found: Plan) -> None:
    people_of = [Assignee(person_id=share.person.id) for share in found.shares if share.person]
    name = namer(work, [*people_of, Assignee(person_id=departure.person_id)])
    changed = []
    with work.session.no_autoflush:
        for each in found.tasks:
            before = {field: assignee(each.task, field) for field in each.fields}
            steps = [_step(each, field, before[field], name) for field in each.fields]
            for step in steps:
                step.store()
            each.task.changed_at = work.now
            changed.append(Changed(each.task, steps, before))
        together.write(work, [each.task for each in found.tasks])
    work.session.flush()
    changing.write_down(work, changed, via=f"{HANDED_OVER}/{departure.id}", tell=False)


def _step(each: TaskStep, field: str, before: Assignee, name: Callable[[Assignee], str]) -> Step:
    task, heir = each.task, each.heir_id

    def store() -> None:
        # A role behind the person stays: without an heir the task is the role's again.
        setattr(task, f"{field}_id", heir)

    after = Assignee(heir, None if heir else getattr(task, f"{field}_role"))
    return Step(field, name(before), name(after), store)


def _hand_filters_over(work: Work, member: Membership, share: Share) -> None:
    heir = share.person
    if heir is None or not (share.filters or share.uses or share.systems):
        return
    heirs_member = work.session.scalars(
        select(Membership).where(
            Membership.person_id == heir.id, Membership.municipality_id == member.municipality_id
        )
    ).one()
    taken = set(work.session.scalars(select(SavedFilter.name_key).where(SavedFilter.person_id == heir.id)))
    for row in share.filters:
        row.name = _free_name(row.name, member.person.name, taken)
        row.name_key = name_key(row.name)
        row.person_id = heir.id
        taken.add(row.name_key)
    work.session.flush()
    for use in share.uses:
        own = work.session.get(FilterUse, (heir.id, use.saved_filter_id))
        if own is None:
            own = FilterUse(
                person_id=heir.id, saved_filter_id=use.saved_filter_id, is_default=False, subscription=NEVER
            )
            work.session.add(own)
        own.pinned = own.pinned or use.pinned
        if own.subscription == NEVER and use.subscription != NEVER:
            own.subscription, own.membership_id = use.subscription, heirs_member.id
            own.chosen_on, own.looked_on = work.today, None
        use.subscription, use.pinned = NEVER, False
    heirs_member.systems += [MembershipSystem(system_code=code) for code in share.systems]
    work.session.flush()


def _free_name(name: str, whose: str, taken: set[str]) -> str:
    if name_key(name) not in taken:
        return name
    number = 1
    while True:
        mark = f" (fra {whose})" if number == 1 else f" (fra {whose}, {number})"
        wanted = f"{name[: max(1, NAME_LIMIT - len(mark))]}{mark}"[:NAME_LIMIT]
        if name_key(wanted) not in taken:
            return wanted
        number += 1
