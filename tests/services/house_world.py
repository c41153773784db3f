"""A municipality with one of everything a package holds, a neighbour and KOMBIT's drafts with canaries in them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.domain.texts import search_key, sort_key
from klik.installation import Installation
from klik.models import (
    ChecklistItem,
    Deletion,
    DeletionItem,
    Deviation,
    FilterDefault,
    MembershipSystem,
    MunicipalTask,
    MunicipalTaskField,
    Question,
    ReadMark,
    Round,
    SavedFilter,
    StoredFile,
    TaskChange,
    TaskFile,
    TaskLink,
    TaskVersion,
    TaskVersionField,
)
from klik.models import Membership as Member
from klik.services import packing
from klik.services.house_package import writing
from klik.services.saved_filters import name_key
from klik.services.tasks import attachments
from klik.services.work import Actor
from tests import make
from tests.make import HERNING, KOEGE, NOW, TODAY

CANARY = "KANARIE"
NASTY = (
    "=1+2",
    "+45 56 67 68 69",
    "-; \"citat\" ; 'enkelt'",
    "@[1] ligner en nævnelse",
    "linje et\nlinje to\r\nlinje tre\ttabulator",
    "😀 👩🏽‍🚒 æøå ÆØÅ é ﬁ \u200f עברית",
    "＝fuld bredde",
    "'=allerede med apostrof",
    " mellemrum ",
    "x" * 5_000,
)


@dataclass(frozen=True, slots=True)
class Filled:
    """The house, and Køge's administrator in it."""

    house: Installation
    actor: Actor


def fill(house: Installation) -> Filled:
    """Put it all into an empty installation."""
    with house.writing(NOW) as work:
        session = work.session
        admin = make.person(session, "Karen =Kjær", level=Level.ADMINISTRATOR, email="karen@koege.example")
        mette = make.person(session, "Mette Holm", email="Mette@Koege.example", systems=("kp",))
        gone = make.person(session, "Ole Bang", email="ole@koege.example", active=False)
        gone.phone = "+45 12 34 56 78"
        kombit = make.person(session, "Anna Bech", level=Level.KOMBIT_EDITOR, municipality=None)
        other = make.person(
            session, f"{CANARY} Herning", municipality=HERNING, email="kanarie@herning.example"
        )
        wave = make.wave(session, "b1", "ky", go_live=date(2027, 3, 1))
        make.has_system(session, KOEGE, "ky", wave=wave)
        make.has_system(session, KOEGE, "kp", go_live=date(2027, 1, 4))
        project = make.project(session)
        session.add(
            Round(project_id=project.id, number=2, name="Anden runde", opened_at=NOW, opened_by=kombit.id)
        )
        first, second, third, erased = (make.task(session, f"Opgave nr. {each}") for each in range(4))
        first.task.recipients = f"259,657,{CANARY}"
        session.add(TaskLink(task_id=second.task_id, needs_task_id=first.task_id))
        newer = _version(first, 2, "Rettet titel", "Vi rettede fristen")
        draft = _version(first, 3, f"{CANARY} kladde til en rettelse", f"{CANARY} note")
        session.add_all([newer, draft])
        first.task.current_number = 2
        make.task(session, f"{CANARY} kladde", state="kladde")
        elsewhere = make.task(session, f"{CANARY} kun i Herning")
        session.flush()
        session.add(TaskVersionField(task_version_id=newer.id, field="kp.felt", value="værdi"))
        a = make.municipal_task(session, first, responsible=mette, executor=admin)
        a.task_version_id, a.title, a.title_key = newer.id, newer.title, sort_key(newer.title)
        a.search_key = search_key(f"{a.task_number} {a.title}")
        b = make.municipal_task(session, second, status=Status.NOT_RELEVANT, start=TODAY)
        c = make.municipal_task(session, third, status=Status.COMPLETED)
        c.withdrawn_at, third.task.state = NOW, "tilbagetrukket"
        third.task.withdrawn_at, third.task.withdrawal_reason = NOW, "Ikke længere nødvendig"
        locals_here = [make.municipal_task(session, local=True, title=f"Lokal {each}") for each in range(2)]
        locals_here[0].local_text = NASTY[4].replace("\r\n", "\n")
        for here in (first, second, elsewhere):
            make.municipal_task(session, here, municipality=HERNING, responsible=other)
        theirs = session.scalars(
            select(MunicipalTask).where(MunicipalTask.municipality_id == HERNING)
        ).first()
        assert theirs is not None
        make.comment(session, theirs, other, f"{CANARY} kommentar")
        make.holding(session, holder=other, municipality=HERNING)
        tombstone = make.municipal_task(session, erased)
        _erase(house, session, tombstone)
        for place, text in enumerate(NASTY):
            make.comment(
                session,
                locals_here[1] if place % 2 else a,
                mette,
                text.replace("\r\n", "\n"),
                private=place % 3 == 0,
            )
        make.comment(session, a, kombit, f"Hej @[{mette.id}] og @[{kombit.id}], og igen @[{mette.id}]")
        session.add_all(
            [
                _change(a, "status", "Ikke påbegyndt", "I gang", mette.id, "klik"),
                _change(a, "version", "1", "2", kombit.id, "rettelse/2"),
                _change(a, "priority", "Normal", "Høj", mette.id, "samlet/12"),
                _change(b, "status", "I gang", "Ikke relevant", gone.id, "mail-link/7"),
                _change(c, "status", "I gang", "Fuldført", None, "boelge"),
                ChecklistItem(
                    municipality_id=KOEGE,
                    municipal_task_id=a.id,
                    position=1,
                    text="=SUM(A1)",
                    done_at=NOW,
                    done_by=mette.id,
                ),
                Question(
                    municipality_id=KOEGE,
                    municipal_task_id=a.id,
                    task_id=first.task_id,
                    asked_by=mette.id,
                    asked_at=NOW,
                    text="Hvad med os?",
                    answer="Det er med.",
                    answered_by=kombit.id,
                    answered_at=NOW,
                ),
                Deviation(
                    municipality_id=KOEGE,
                    municipal_task_id=a.id,
                    field="responsible",
                    task_version_id=newer.id,
                    central_old="a",
                    central_new="b",
                    local=f"person/{mette.id}",
                    at=NOW,
                ),
                MunicipalTaskField(
                    municipality_id=KOEGE, municipal_task_id=a.id, field="kp.felt", value="vores"
                ),
                ReadMark(
                    municipality_id=KOEGE,
                    person_id=mette.id,
                    municipal_task_id=a.id,
                    seen_at=NOW,
                    task_version_id=newer.id,
                ),
            ]
        )
        make.holding(session, holder=mette)
        make.holding(session, "ydelseschef", mailbox="postkasse@koege.example", system_code=None)
        shared = SavedFilter(
            person_id=admin.id,
            municipality_id=KOEGE,
            name="Røde; hos Mette",
            name_key=name_key("Røde; hos Mette"),
            query=f"farve=roed&ansvarlig={mette.id},mig",
            shared="kommune",
            created_at=NOW,
        )
        own = SavedFilter(
            person_id=mette.id, name=f"{CANARY} mit", name_key="x", query="", shared="selv", created_at=NOW
        )
        session.add_all([shared, own])
        session.flush()
        session.add(FilterDefault(municipality_id=KOEGE, level="bruger", saved_filter_id=shared.id))
        membership = session.scalars(select(Member).where(Member.person_id == mette.id)).one()
        with suppress(StopIteration):
            session.add(MembershipSystem(membership_id=membership.id, system_code="ky"))
        sha = house.files.put(b"KOMBITs vejledning")
        session.add(StoredFile(sha256=sha, size=18, media_type="text/plain", created_at=NOW))
        session.flush()
        session.add(
            TaskFile(
                task_id=first.task_id, sha256=sha, name="Vejledning.txt", added_by=kombit.id, added_at=NOW
            )
        )
        actor, first_id = make.actor(session, admin), a.id
    with house.writing(NOW + timedelta(hours=1), actor) as work:
        attachments.add(work, house.files, first_id, "Vores; bilag.txt", "hej æøå".encode())
        task = work.session.get_one(MunicipalTask, first_id)
        task.status, task.changed_at = (
            Status.IN_PROGRESS.value,
            work.now + timedelta(hours=1),
        )  # the trigger remembers
    return Filled(house, actor)


def _version(of: TaskVersion, number: int, title: str, note: str) -> TaskVersion:
    same = (
        "task_id",
        "phase",
        "theme",
        "priority",
        "purpose",
        "description",
        "prerequisites",
        "how_to",
        "result",
    )
    same += ("material", "contact", "deadline_rule", "deadline_parameter", "created_at")
    values = {name: getattr(of, name) for name in same}
    return TaskVersion(number=number, title=title, change_note=note, search_key=search_key(title), **values)


def _change(task: MunicipalTask, field: str, old: str, new: str, person: int | None, via: str) -> TaskChange:
    return TaskChange(
        municipality_id=task.municipality_id,
        municipal_task_id=task.id,
        at=NOW,
        person_id=person,
        field=field,
        old=old,
        new=new,
        via=via,
    )


def _erase(house: Installation, session, tombstone: MunicipalTask) -> None:
    deletion = Deletion(
        state="varslet",
        last_day=TODAY - timedelta(days=1),
        heading="Oprydning",
        legal_basis="BK nr. 1",
        decided_by="Rigsarkivet",
        decided_on=TODAY,
        announced_at=NOW - timedelta(days=41),
    )
    session.add(deletion)
    session.flush()
    where = "" if house.database.sqlite else " on municipal_tasks"
    connection = session.connection()
    connection.exec_driver_sql(f"drop trigger if exists municipal_tasks_erased_after_archive{where}")
    tombstone.title, tombstone.search_key, tombstone.erased_at = "Slettet opgave", "", NOW
    session.flush()
    session.add(
        DeletionItem(
            municipality_id=KOEGE,
            deletion_id=deletion.id,
            municipal_task_id=tombstone.id,
            state="slettet",
            notified_at=NOW - timedelta(days=40),
            archive_sha256="a" * 64,
            archive_size=17,
            archived_at=NOW,
            verified_at=NOW,
            erased_at=NOW,
            archive_kept_until=TODAY + timedelta(days=90),
        )
    )
    session.flush()


def tables_only(filled: Filled, target: Path) -> Path:
    """The package without the tasks' folders: quick, and all that reading in asks for but the files."""
    with filled.house.reading(NOW, filled.actor) as work:
        tables = writing.collect(work)
    packing.write(target, (), writing.members_of(tables, NOW, filled.actor))
    return target


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The package with every member as ``change`` wants it, and a manifest that agrees with it."""
    with zipfile.ZipFile(source) as package:
        names = [name for name in package.namelist() if name not in (packing.MANIFEST, packing.CHECKSUMS)]
        members = [(name, change(name, package.read(name))) for name in names]
    packing.write(
        target, (), [packing.Member(name, content) for name, content in members if content is not None]
    )
    return target
