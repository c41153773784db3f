"""What is told about roles: that one is vacant, that somebody has come to hold one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, func, or_, select, union_all
from sqlalchemy.orm import aliased

from klik.content.roles import RoleScope
from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import Membership, MunicipalSystem, MunicipalTask, Person, RoleHolding, System, Task
from klik.services import holders
from klik.services.holders import SUBSTITUTE
from klik.services.notices import ledger, recipients, stand_ins
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.notices.stand_ins import Wanted
from klik.services.work import Work

VACANT, HANDED_OVER = "rolle-ledig", "overdraget"
AGAIN = timedelta(days=30)
_Place = tuple[int, str, str | None]  # municipality, role and system


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A role without a holder since a day; ``tasks`` are the open ones that wait for it."""

    municipality_id: int
    role: str
    system: str | None
    since: date
    tasks: int


@dataclass(frozen=True, slots=True)
class _Held:
    """A holding as it stands today; ``over_since`` is the first day nobody held it through this one."""

    holding: RoleHolding
    name: str
    address: str
    over_since: date | None


def lacking(work: Work) -> list[NoticeDraft]:
    """What is to be told about vacant roles and is not in the ledger; only reads."""
    return ledger.not_entered(work, list(_of_vacancies(work, vacancies(work))))


def vacancies(work: Work) -> list[Vacancy]:
    """Roles that had a holder and have none, and those that a published task waits for; four statements.

    A role for a system is only vacant where the municipality has the system and was given a task of it.
    """
    held = _holdings(work)
    filled = {_place(each.holding) for each in held if each.over_since is None}
    since: dict[_Place, date] = {}
    for each in held:
        if each.over_since is not None:
            place = _place(each.holding)
            since[place] = max(each.over_since, since.get(place, date.min))
    waiting = _waiting(work)
    for place, (created, _count) in waiting.items():
        since.setdefault(place, created)
    theirs = _systems_at_work(work)
    return [
        Vacancy(*place, day, waiting[place][1] if place in waiting else 0)
        for place, day in sorted(since.items(), key=lambda item: (item[0][0], item[0][1], item[0][2] or ""))
        if (place[2] is None or (place[0], place[2]) in theirs)
        and place not in filled
        and (place[0], place[1], None) not in filled
        and not work.registry.content.role(place[1]).is_retired
    ]


def tell_handed_over(work: Work, holding: RoleHolding, about: str, *, primary: bool = False) -> int:
    """Tell whoever holds it now, in the act's own transaction, how much lies before them; never the one who did it.

    ``about`` tells one act from another in the notice's key.
    """
    person = work.session.get(Person, holding.person_id) if holding.person_id else None
    to = Recipient(
        holding.person_id,
        person.email if person else holding.mailbox or "",
        holding.municipality_id,
        "har fået rollen",
    )
    what = _words(work, holding.role, holding.system_code, _systems(work))
    tasks = "" if holding.valid_from > work.today else f": {_tasks(work, holding)}"
    from_when = f" fra {long_date(holding.valid_from)}" if holding.valid_from > work.today else ""
    until = f" til og med {long_date(holding.valid_to)}" if holding.valid_to else ""
    kind = "stedfortræder for " if holding.kind == SUBSTITUTE else "primær " if primary else ""
    drafts = []
    for each in stand_ins.reached(work, {0: [Wanted(to, holding.role, holding.system_code)]})[0]:
        who = each.instead_of or ("Du" if person else "Postkassen")
        verb = "er nu" if kind else "har nu rollen"
        if from_when:
            verb = "bliver" if kind else "får rollen"
        drafts.append(
            NoticeDraft(
                occasion=HANDED_OVER,
                dedupe_key=f"{HANDED_OVER}/{holding.id}/{about}",
                recipient=each,
                heading=f"{who} {verb} {kind}{what}{from_when}{tasks}",
                sentence=f"Rollen gælder fra {long_date(holding.valid_from)}{until}. "
                "Sig til kommunens KLIK-administrator, hvis det ikke passer.",
                path=f"/roller/{holding.role}",
            )
        )
    return ledger.enqueue(work, drafts)


def tell_ended(work: Work, holding: RoleHolding, *, taken_back: bool = False) -> int:
    """Tell whoever held it that it ends, or never was, in the act's own transaction; never the one who did it."""
    person = work.session.get(Person, holding.person_id) if holding.person_id else None
    to = Recipient(
        holding.person_id,
        person.email if person else holding.mailbox or "",
        holding.municipality_id,
        "har haft rollen",
    )
    what = _words(work, holding.role, holding.system_code, _systems(work))
    kind = "stedfortræder for " if holding.kind == SUBSTITUTE else ""
    who = "Du" if person else "Postkassen"
    if taken_back:
        heading = (
            f"{who} er alligevel ikke {kind}{what}" if kind else f"{who} har alligevel ikke rollen {what}"
        )
        sentence = "Registreringen er fortrudt."
    else:
        last = holding.valid_to or work.today
        future = last >= work.today
        end = f"{'slutter' if future else 'sluttede'} {long_date(last)}"
        heading = f"{'Din' if person else 'Postkassens'} rolle som {kind}{what} {end}"
        sentence = "Det er den sidste dag, varsler om rollen kommer hertil." if future else ""
    return ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=HANDED_OVER,
                dedupe_key=f"{HANDED_OVER}/{holding.id}/afsluttet/v={holding.version}",
                recipient=to,
                heading=heading,
                sentence=f"{sentence} Sig til kommunens KLIK-administrator, hvis det ikke passer.".strip(),
                path=f"/roller/{holding.role}",
            )
        ],
    )


def _place(holding: RoleHolding) -> _Place:
    return holding.municipality_id, holding.role, holding.system_code


def _holdings(work: Work) -> list[_Held]:
    """Everything anybody holds or held up to today as a holder; one statement."""
    rows = work.session.execute(
        select(RoleHolding, Person.name, Person.email, Person.active, Membership.active, Membership.ended_on)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(Membership, holders.MEMBER)
        .where(RoleHolding.kind != SUBSTITUTE, RoleHolding.valid_from <= work.today)
        .order_by(RoleHolding.id)
    )
    found = []
    for holding, name, email, active, member, left in rows:
        over = None
        if holding.valid_to is not None and holding.valid_to < work.today:
            over = holding.valid_to + timedelta(days=1)
        if holding.person_id is not None and not (active and member):
            gone = left or holding.valid_from
            over = min(gone, over) if over else gone
        address = email or holding.mailbox
        found.append(_Held(holding, name or address, address, over))
    return found


def _waiting(work: Work) -> Mapping[_Place, tuple[date, int]]:
    """The roles that published tasks wait for, with the day of the first and how many; one statement."""
    parts = []
    for person, role in (
        (MunicipalTask.responsible_id, MunicipalTask.responsible_role),
        (MunicipalTask.executor_id, MunicipalTask.executor_role),
    ):
        parts.append(
            select(
                MunicipalTask.municipality_id,
                role.label("role"),
                MunicipalTask.system_code,
                func.min(MunicipalTask.created_at).label("created"),
                func.count().label("count"),
            )
            .where(*_open(), MunicipalTask.task_id.is_not(None), role.is_not(None), person.is_(None))
            .group_by(MunicipalTask.municipality_id, role, MunicipalTask.system_code)
        )
    found: dict[_Place, tuple[date, int]] = {}
    for code, role, system, created, count in work.session.execute(union_all(*parts)):
        described = work.registry.content.role(role)
        place = (code, role, system if described.scope is RoleScope.SYSTEM else None)
        day, before = found.get(place, (date.max, 0))
        found[place] = min(day, danish_today(created)), before + count
    return found


def _systems_at_work(work: Work) -> set[tuple[int, str]]:
    """The municipalities and the systems they have and were given tasks of; where nobody has it, all may."""
    has = aliased(MunicipalSystem)
    noted = select(has.id).where(has.system_code == MunicipalTask.system_code)
    rows = work.session.execute(
        select(MunicipalTask.municipality_id, MunicipalTask.system_code)
        .where(
            MunicipalTask.system_code.is_not(None),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
            or_(noted.where(has.municipality_id == MunicipalTask.municipality_id).exists(), ~noted.exists()),
        )
        .distinct()
    )
    return {(code, system) for code, system in rows}


def _open() -> tuple[object, ...]:
    return (
        MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
        MunicipalTask.withdrawn_at.is_(None),
        MunicipalTask.erased_at.is_(None),
    )


def _of_vacancies(work: Work, found: Sequence[Vacancy]) -> Iterable[NoticeDraft]:
    told = _administrators(work, {each.municipality_id for each in found})
    systems = _systems(work) if found else {}
    appointing = _appointing(work, found)
    for each in found:
        what = _words(work, each.role, each.system, systems)
        turn = (work.today - each.since) // AGAIN
        wait = ""
        if each.tasks:
            wait = (
                " 1 åben opgave venter på den."
                if each.tasks == 1
                else f" {each.tasks} åbne opgaver venter på den."
            )
        wait += appointing.get((each.municipality_id, each.role, each.system), "")
        for to in told[each.municipality_id]:
            yield NoticeDraft(
                occasion=VACANT,
                dedupe_key=f"{VACANT}/{each.municipality_id}/{each.role}/{each.system or '-'}/{each.since}/nr={turn}",
                recipient=to,
                heading=f"Ingen har rollen {what}",
                sentence=f"Rollen har været uden indehaver siden {long_date(each.since)}.{wait} "
                "Besæt den i rollegalleriet, så varslerne når frem.",
                path=f"/roller/{each.role}",
                about_day=each.since + turn * AGAIN,
            )


def _appointing(work: Work, found: Sequence[Vacancy]) -> Mapping[_Place, str]:
    """A sentence about the newest task that appoints each role ("Udpeg …"), where there is one; one statement."""
    if not found:
        return {}
    rows = work.session.execute(
        select(MunicipalTask, Task.appoints_role)
        .join(Task, Task.id == MunicipalTask.task_id)
        .where(
            Task.appoints_role.in_({each.role for each in found}),
            MunicipalTask.municipality_id.in_({each.municipality_id for each in found}),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
        )
        .order_by(MunicipalTask.id)
    )
    said: dict[_Place, str] = {}
    for task, role in rows:
        of_system = work.registry.content.role(role).scope is RoleScope.SYSTEM
        name = f"{task.task_number} {task.title}" if task.task_number else task.title
        still = (
            "venter på det"
            if Status(task.status) in OPEN_STATUSES
            else "er lukket, men skal måske løses igen"
        )
        place = (task.municipality_id, role, task.system_code if of_system else None)
        said[place] = f" Opgaven “{name}” {still}."
    return said


def _administrators(work: Work, municipalities: set[int]) -> Mapping[int, tuple[Recipient, ...]]:
    """Each municipality's administrators; where there are none, whoever is found on the ladder."""
    if not municipalities:
        return {}
    found = stand_ins.administrators_told(work, municipalities)
    missing = municipalities - found.keys()
    return {**found, **recipients.of_municipalities(work, missing, None)} if missing else found


def _systems(work: Work) -> Mapping[str, str]:
    return dict(work.session.execute(select(System.code, System.name)).all())


def _words(work: Work, role: str, system: str | None, systems: Mapping[str, str]) -> str:
    """ "systemansvarlig for KY"."""
    name = holders.role_name(work, role)
    return f"{name} for {systems.get(system, system)}" if system else name


def _tasks(work: Work, holding: RoleHolding) -> str:
    """ "9 åbne opgaver, 2 er røde": the open tasks that the role alone stands for; one statement."""
    stands_for = or_(
        and_(MunicipalTask.responsible_role == holding.role, MunicipalTask.responsible_id.is_(None)),
        and_(MunicipalTask.executor_role == holding.role, MunicipalTask.executor_id.is_(None)),
    )
    statement = select(func.count(), func.count().filter(MunicipalTask.deadline < work.today)).where(
        *_open(), MunicipalTask.municipality_id == holding.municipality_id, stands_for
    )
    if holding.system_code is not None:
        statement = statement.where(MunicipalTask.system_code == holding.system_code)
    count, red = work.session.execute(statement).one()
    if not count:
        return "ingen åbne opgaver"
    open_ones = "1 åben opgave" if count == 1 else f"{count} åbne opgaver"
    return f"{open_ones}, {red or 'ingen'} er røde" if red != 1 else f"{open_ones}, 1 er rød"
