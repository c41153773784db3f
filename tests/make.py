"""Factories: plain functions with defaults that make real rows; each takes the session first."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from klik.domain.deadlines import default_yellow_from
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.domain.texts import search_key, sort_key
from klik.models import (
    BouncedAddress,
    Comment,
    Membership,
    MembershipSystem,
    Municipality,
    MunicipalSystem,
    MunicipalTask,
    NoticeSettings,
    Person,
    Project,
    RoleHolding,
    System,
    Task,
    TaskVersion,
    Wave,
)
from klik.services.work import Actor

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)
KOEGE, HERNING, AARHUS, LAESOE = 259, 657, 751, 825
PASSWORD = "en lang sætning med heste"
_counter = itertools.count(1)
_hashed: dict[str, str] = {}


# A hash tells how dear it is to check, so each sign-in of a test is cheap; klik's own are in test_passwords.py.
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def cheap_hash(password: str) -> str:
    """A hash that signs in at next to no cost."""
    if password not in _hashed:
        _hashed[password] = _CHEAP.hash(password)
    return _hashed[password]


def person(
    session: Session,
    name: str = "Mette Holm",
    *,
    level: Level = Level.PLUS_USER,
    municipality: int | None = KOEGE,
    email: str | None = None,
    password: str = PASSWORD,
    systems: tuple[str, ...] = (),
    organisation: str | None = None,
    active: bool = True,
) -> Person:
    """A person with one membership; without a municipality for KOMBIT and suppliers."""
    number = next(_counter)
    email = email or f"person{number}@klik.example"
    row = Person(
        name=name,
        name_key=sort_key(name),
        email=email,
        email_key=email.casefold(),
        password_hash=cheap_hash(password),
        active=active,
        created_at=NOW,
    )
    session.add(row)
    session.flush()
    scope = level.scope
    member = Membership(
        person_id=row.id,
        municipality_id=municipality if scope == "municipality" else None,
        level=level.value,
        organisation=organisation or {"kombit": "KOMBIT", "supplier": "Netcompany"}.get(scope),
        since=TODAY,
    )
    session.add(member)
    session.flush()
    for code in systems:
        session.add(MembershipSystem(membership_id=member.id, system_code=code))
    session.flush()
    return row


def actor(session: Session, row: Person) -> Actor:
    """The person as one who acts."""
    member = session.scalars(select(Membership).where(Membership.person_id == row.id)).first()
    assert member is not None
    place = session.get(Municipality, member.municipality_id) if member.municipality_id else None
    systems = session.scalars(
        select(MembershipSystem.system_code).where(MembershipSystem.membership_id == member.id)
    )
    return Actor(
        person_id=row.id,
        membership_id=member.id,
        name=row.name,
        email=row.email,
        level=Level(member.level),
        municipality_id=member.municipality_id,
        place=place.name if place else member.organisation or "KOMBIT",
        systems=frozenset(systems),
    )


def system(session: Session, code: str = "kp") -> System:
    """The system's row (made by the upgrade when its plug-in is installed)."""
    row = session.get(System, code)
    if row is None:
        row = System(code=code, name=code.upper(), supplier="Netcompany", installed=True)
        session.add(row)
        session.flush()
    return row


def project(session: Session, slug: str = "kp", *, system_code: str | None = "kp") -> Project:
    """The project with this slug, made when it is not there."""
    row = session.scalar(select(Project).where(Project.slug == slug))
    if row is None:
        if system_code:
            system(session, system_code)
        row = Project(slug=slug, name=slug.upper(), system_code=system_code)
        session.add(row)
        session.flush()
    return row


def has_system(
    session: Session,
    municipality: int = KOEGE,
    code: str = "kp",
    *,
    wave: Wave | None = None,
    go_live: date | None = None,
) -> MunicipalSystem:
    """That a municipality has a system."""
    system(session, code)
    row = MunicipalSystem(
        municipality_id=municipality, system_code=code, wave_id=wave.id if wave else None, go_live=go_live
    )
    session.add(row)
    session.flush()
    return row


def wave(session: Session, slug: str = "b1", code: str = "ky", *, go_live: date | None = None) -> Wave:
    """A wave of a system, the declared one where the system declares it."""
    system(session, code)
    row = session.scalar(select(Wave).where(Wave.system_code == code, Wave.slug == slug))
    if row is None:
        row = Wave(system_code=code, slug=slug, name=slug.upper(), position=1)
        session.add(row)
    row.go_live = go_live
    session.flush()
    return row


def task(
    session: Session,
    title: str = "Udarbejd jobfunktionsroller for KP",
    *,
    in_project: Project | None = None,
    number: str | None = None,
    phase: str = "forberedelse",
    theme: str = "it-miljoe-og-infrastruktur",
    state: str = "udgivet",
    priority: str = "normal",
    infrastructure: bool = False,
    description: str = "Beskrivelsen.",
) -> TaskVersion:
    """A published KLIK-opgave with one version; returns the version (its ``task`` is the task)."""
    in_project = in_project or project(session)
    number = number or f"MI {next(_counter):02d}"
    row = Task(
        project_id=in_project.id,
        task_number=number,
        state=state,
        current_number=1,
        created_at=NOW,
        published_at=NOW if state == "udgivet" else None,
    )
    session.add(row)
    session.flush()
    version = TaskVersion(
        task_id=row.id,
        number=1,
        title=title,
        phase=phase,
        theme=theme,
        priority=priority,
        infrastructure=infrastructure,
        purpose="Hvorfor.",
        description=description,
        prerequisites="",
        how_to="",
        result="",
        material="",
        contact="",
        deadline_rule="core.date",
        deadline_parameter="2026-12-21",
        search_key=search_key(f"{number} {title} {description}"),
        created_at=NOW,
    )
    session.add(version)
    session.flush()
    return version


def municipal_task(
    session: Session,
    version: TaskVersion | None = None,
    *,
    municipality: int = KOEGE,
    title: str | None = None,
    deadline: date | None = TODAY + timedelta(days=30),
    start: date | None = None,
    yellow_from: date | None = None,
    status: Status = Status.NOT_STARTED,
    responsible: Person | None = None,
    executor: Person | None = None,
    local: bool = False,
    in_project: Project | None = None,
) -> MunicipalTask:
    """A municipality's copy of a task, or with ``local`` a task of its own."""
    if version is None and not local:
        version = task(session, title or "Udarbejd jobfunktionsroller for KP", in_project=in_project)
    parent = session.get(Task, version.task_id) if version else None
    home = session.get(Project, parent.project_id) if parent else in_project or project(session)
    assert home is not None
    shown = title or (version.title if version else "Lokal opgave")
    if deadline is not None and yellow_from is None:
        yellow_from = default_yellow_from(start, deadline, 14)
    number = parent.task_number if parent else None
    row = MunicipalTask(
        municipality_id=municipality,
        task_id=parent.id if parent else None,
        task_version_id=version.id if version else None,
        project_id=home.id,
        system_code=home.system_code,
        task_number=number,
        number_key=sort_key(number or ""),
        title=shown,
        title_key=sort_key(shown),
        search_key=search_key(f"{number or ''} {shown}"),
        phase=version.phase if version else "forberedelse",
        theme=version.theme if version else "it-miljoe-og-infrastruktur",
        priority=version.priority if version else "normal",
        infrastructure=version.infrastructure if version else False,
        status=status.value,
        not_relevant_reason="Vi har ikke systemet" if status is Status.NOT_RELEVANT else None,
        start_date=start,
        deadline=deadline,
        yellow_from=yellow_from,
        completed_on=TODAY if status is Status.COMPLETED else None,
        responsible_id=responsible.id if responsible else None,
        executor_id=executor.id if executor else None,
        created_at=NOW,
        changed_at=NOW,
    )
    session.add(row)
    session.flush()
    return row


def notice_settings(
    session: Session,
    of: Person,
    *,
    hour: int = 7,
    at_once: tuple[str, ...] | None = None,
    days_before: tuple[int, ...] | None = None,
) -> NoticeSettings:
    """When somebody wants their mails; None is what is usual."""
    row = NoticeSettings(
        person_id=of.id,
        hour=hour,
        at_once=None if at_once is None else ",".join(at_once),
        days_before=None if days_before is None else ",".join(map(str, days_before)),
    )
    session.add(row)
    session.flush()
    return row


def comment(
    session: Session, on: MunicipalTask, author: Person, text: str = "En kommentar", *, private: bool = False
) -> Comment:
    """A comment on a municipality's task."""
    row = Comment(
        municipality_id=on.municipality_id,
        municipal_task_id=on.id,
        author_id=author.id,
        at=NOW,
        text=text,
        private=private,
    )
    session.add(row)
    session.flush()
    return row


def holding(
    session: Session,
    role: str = "systemansvarlig",
    *,
    holder: Person | None = None,
    mailbox: str | None = None,
    municipality: int = KOEGE,
    system_code: str | None = "kp",
    primary: bool = True,
) -> RoleHolding:
    """A role held from a month ago."""
    row = RoleHolding(
        municipality_id=municipality,
        role=role,
        system_code=system_code,
        person_id=holder.id if holder else None,
        mailbox=mailbox,
        is_primary=primary,
        valid_from=TODAY - timedelta(days=30),
        confirmed_at=NOW,
    )
    session.add(row)
    session.flush()
    return row


def bounced(session: Session, address: str, state: str = "haard") -> BouncedAddress:
    """That mails come back from an address."""
    row = BouncedAddress(
        address_key=address.casefold(),
        state=state,
        count=1,
        first_at=NOW,
        last_at=NOW,
        reply="550 5.1.1 ukendt modtager",
    )
    session.add(row)
    session.flush()
    return row
