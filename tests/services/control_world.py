"""Five hundred faults in the ledger of notices, twenty kinds of twenty-five, planted behind klik's back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, text, update

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import (
    Comment,
    Deletion,
    DeletionItem,
    Mail,
    Municipality,
    MunicipalTask,
    Notice,
    Person,
    Question,
    TaskChange,
    TaskStep,
)
from klik.services.notices import scanning
from tests import make

EACH = 25
NOW = make.NOW + timedelta(days=1)
DEADLINE = make.TODAY  # yesterday, so that the one reminder due is that the task has turned red


@dataclass
class World:
    """The tasks of each kind of fault, and their people by the task's id."""

    house: Installation
    tasks: dict[str, list[int]] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)
    kombit: int = 0
    homes: list[int] = field(default_factory=list)


def red_tasks(world: World, kind: str, *, municipality: int = make.KOEGE) -> None:
    """Tasks of one kind, each with a responsible of its own."""
    with world.house.database.writing() as session:
        for number in range(EACH):
            person = make.person(
                session,
                f"{kind} {number}",
                level=Level.USER,
                municipality=municipality,
                email=f"{kind}{number}@koege.example",
            )
            task = make.municipal_task(
                session, deadline=DEADLINE, responsible=person, municipality=municipality
            )
            world.tasks.setdefault(kind, []).append(task.id)
            world.people[task.id] = person.id


SENT = ("sendt-slettet", "sendt-vendt")
MAILED = ("mail-vaek", "aldrig-proevet", "sluppet")
WAITING = (
    "slettet",
    "sen-modtager",
    "inaktiv",
    "uden-grund",
    "falsk-grund",
    "noegle",
    "et-aar",
    "kanal",
    "ombyttet",
)
ACTS = ("udgivet", "naevnt", "besvaret", "sletning", "tildelt")
UNSCANNED = ("aldrig-set",)
KINDS = (*SENT, *MAILED, *WAITING, *ACTS, *UNSCANNED)


def build(house: Installation) -> World:
    """Everything as it should be, in the states that the faults need."""
    world = World(house)
    with house.database.writing() as session:
        world.kombit = make.person(
            session, "Gitte Kombit", level=Level.KOMBIT_ADMINISTRATOR, email="gitte@kombit.example"
        ).id
        make.person(session, "Pia Plus", email="pia@koege.example", municipality=make.KOEGE)
    for kind in SENT:
        red_tasks(world, kind)
    jobs.scan_deadlines(house, NOW)
    jobs.deliver(house, NOW)
    for kind in MAILED:
        red_tasks(world, kind)
    jobs.scan_deadlines(house, NOW)
    jobs.digests(house, NOW)
    for kind in WAITING:
        red_tasks(world, kind)
    jobs.scan_deadlines(house, NOW)
    return world


def plant(world: World) -> None:
    """The faults."""
    with world.house.database.writing() as session:
        for kind in ("slettet", "sendt-slettet"):
            session.execute(delete(Notice).where(_of(world, kind)))
        _change(session, Mail, _mails(world, "sendt-vendt"), state="pending")
        _change(session, Mail, _mails(world, "aldrig-proevet"), state="sent")
        _change(
            session,
            Mail,
            _mails(world, "sluppet"),
            state="claimed",
            fence=1,
            attempts=1,
            lease_owner="død",
            lease_until=NOW - timedelta(hours=3),
        )
        _change(session, Notice, _of(world, "uden-grund"), withdrawn_at=NOW)
        _change(
            session,
            Notice,
            _of(world, "falsk-grund"),
            withdrawn_at=NOW,
            withdrawal_reason=scanning.NO_LONGER_OPEN,
        )
        _change(session, Notice, _of(world, "et-aar"), due_at=NOW + timedelta(days=365))
        _change(session, Notice, _of(world, "kanal"), channel="core.mial")
        for row in session.scalars(select(Notice).where(_of(world, "noegle"))):
            row.dedupe_key = f"x{row.id}"
        for row in session.scalars(select(Notice).where(_of(world, "ombyttet"))):
            row.person_id, row.address = world.kombit, "gitte@kombit.example"
        for number, task in enumerate(_tasks(session, world, "sen-modtager")):
            late = make.person(session, f"Sen {number}", level=Level.USER, email=f"ny{number}@koege.example")
            task.responsible_id = late.id
        people = [world.people[each] for each in world.tasks["inaktiv"]]
        session.execute(update(Person).where(Person.id.in_(people)).values(active=False))
        _acts(session, world)
    red_tasks(world, "aldrig-set")
    _remove_mails(world)


def _of(world: World, kind: str) -> Any:
    return Notice.municipal_task_id.in_(world.tasks[kind])


def _mails(world: World, kind: str) -> Any:
    return Mail.id.in_(select(Notice.mail_id).where(_of(world, kind)))


def _change(session: Any, table: Any, which: Any, **values: Any) -> None:
    changed = session.execute(
        update(table).where(which).values(**values), execution_options={"synchronize_session": False}
    )
    assert changed.rowcount == EACH


def _tasks(session: Any, world: World, kind: str) -> Sequence[MunicipalTask]:
    return session.scalars(select(MunicipalTask).where(MunicipalTask.id.in_(world.tasks[kind]))).all()


def _acts(session: Any, world: World) -> None:
    """Acts that nobody was told of: as if the transaction had forgotten its notices."""
    codes = session.scalars(
        select(Municipality.id).where(Municipality.id != make.KOEGE).order_by(Municipality.id).limit(EACH)
    ).all()
    world.homes = list(codes)
    for code in codes:
        make.person(session, f"Plus {code}", municipality=code, email=f"plus{code}@kommune.example")
    version = make.task(session, "En udgivet opgave")
    deleted = make.task(session, "En opgave, der slettes")
    session.add(
        TaskStep(task_id=version.task_id, at=make.NOW, act="udgiv", state="udgivet", version_number=1)
    )
    deletion = Deletion(
        state="varslet",
        last_day=make.TODAY + timedelta(days=120),
        heading="Sletning af KP",
        legal_basis="Arkivloven",
        decided_by="Gitte",
        decided_on=make.TODAY,
        announced_by=world.kombit,
        announced_at=make.NOW,
    )
    session.add(deletion)
    asker = make.person(session, "Anna Asker", level=Level.USER, email="anna@koege.example")
    named = make.person(session, "Nadia Nævnt", level=Level.USER, email="nadia@koege.example")
    author = make.person(session, "Ole Ordstyrer", level=Level.USER, email="ole@koege.example")
    session.flush()
    for code in codes:
        make.municipal_task(session, version, municipality=code, deadline=None)
        own = make.municipal_task(session, deleted, municipality=code, deadline=None)
        session.add(
            DeletionItem(
                deletion_id=deletion.id, municipal_task_id=own.id, municipality_id=code, state="varslet"
            )
        )
        task = make.municipal_task(session, deadline=None, responsible=named)
        session.add(
            TaskChange(
                municipality_id=make.KOEGE,
                municipal_task_id=task.id,
                at=make.NOW,
                person_id=author.id,
                field="responsible",
                new="Nadia Nævnt",
                via="klik",
            )
        )
        session.add(
            Comment(
                municipality_id=make.KOEGE,
                municipal_task_id=task.id,
                author_id=author.id,
                at=make.NOW,
                text=f"Se lige her, @[{named.id}]",
                private=False,
            )
        )
        session.add(
            Question(
                municipality_id=make.KOEGE,
                municipal_task_id=task.id,
                task_id=task.task_id,
                asked_by=asker.id,
                asked_at=make.NOW,
                text="Hvordan?",
                answer="Sådan.",
                answered_by=world.kombit,
                answered_at=make.NOW,
            )
        )
    session.flush()


def _remove_mails(world: World) -> None:
    """Rows that the database would not let go of by itself."""
    with world.house.database.reading() as session:
        ids = session.scalars(
            select(Notice.mail_id).where(Notice.municipal_task_id.in_(world.tasks["mail-vaek"]))
        ).all()
    assert len(ids) == EACH
    listed = ",".join(str(each) for each in ids)
    if world.house.database.sqlite:
        raw = sqlite3.connect(world.house.settings.data / "klik.sqlite")
        raw.execute(f"delete from mails where id in ({listed})")
        raw.commit()
        raw.close()
        return
    with world.house.database.writing() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text(f"delete from mails where id in ({listed})"))
