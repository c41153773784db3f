"""Tasks that are due to be deleted, with content of every kind; shared by what archives, erases and dies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from klik.domain.calendar import DENMARK
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import (
    BulkChange,
    BulkChangeItem,
    ChecklistItem,
    Comment,
    Deletion,
    DeletionItem,
    Mail,
    MunicipalTask,
    MunicipalTaskField,
    MunicipalTaskFile,
    Notice,
    PluginEvent,
    Question,
    StoredFile,
    TaskChange,
)
from klik.services import events
from klik.services.access import OWN_OCCASION
from tests import make
from tests.make import KOEGE, NOW, TODAY

LAST_DAY = TODAY + timedelta(days=30)
# The first moments of the day after, in Denmark.
DUE = datetime.combine(LAST_DAY + timedelta(days=1), time(0, 5), DENMARK)


def announced(
    session: Session, task_ids: Sequence[int], *, last_day: date = LAST_DAY, told: bool = True
) -> int:
    """A deletion of these tasks, announced as KOMBIT would have at NOW."""
    deletion = Deletion(
        state="varslet",
        last_day=last_day,
        heading="KP-opgaver fra 2024",
        legal_basis="Bekendtgørelse om kassation",
        decided_by="KOMBITs arkivansvarlige",
        decided_on=TODAY,
        announced_at=NOW,
    )
    session.add(deletion)
    session.flush()
    for task_id in task_ids:
        task = session.get_one(MunicipalTask, task_id)
        session.add(
            DeletionItem(
                deletion_id=deletion.id,
                municipality_id=task.municipality_id,
                municipal_task_id=task_id,
                state="varslet",
                notified_at=NOW if told else None,
            )
        )
    session.flush()
    return deletion.id


def told_that_it_ends(
    session: Session, deletion_id: int, day: date, at: datetime, municipality: int = KOEGE
) -> None:
    """Somebody of the municipality opened the notice that what KOMBIT keeps is deleted after a day."""
    person = make.person(session, municipality=municipality)
    session.add(
        Notice(
            dedupe_key=f"sletning={deletion_id}/ophoerer={day}/{at}",
            occasion="sletning-ophoerer",
            channel="core.mail",
            municipality_id=municipality,
            person_id=person.id,
            address=person.email,
            reason="x",
            heading="Bevares ikke længere",
            sentence="Hent den.",
            path=f"/sletning/{deletion_id}",
            about_day=day,
            created_at=at,
            due_at=at,
            read_at=at,
        )
    )
    session.flush()


def file_on(house: Installation, session: Session, task: MunicipalTask, name: str, content: bytes) -> str:
    """The municipality's own attachment; its hash."""
    sha256 = house.files.put(content)
    person = make.person(session, municipality=task.municipality_id)
    if session.get(StoredFile, sha256) is None:
        session.add(StoredFile(sha256=sha256, size=len(content), media_type="text/plain", created_at=NOW))
        session.flush()
    session.add(
        MunicipalTaskFile(
            municipality_id=task.municipality_id,
            municipal_task_id=task.id,
            sha256=sha256,
            name=name,
            added_by=person.id,
            added_at=NOW,
        )
    )
    session.flush()
    return sha256


def full_task(house: Installation, session: Session, word: str, municipality: int = KOEGE) -> MunicipalTask:
    """A local task with the word in every text there is on it, and in all that was told of it."""
    person = make.person(session, level=Level.ADMINISTRATOR, municipality=municipality)
    task = make.municipal_task(
        session, local=True, municipality=municipality, title=f"Opgave {word}", responsible=person
    )
    task.local_text = f"Tekst {word}"
    session.flush()
    of: dict[str, Any] = {"municipality_id": municipality, "municipal_task_id": task.id}
    parent = make.task(session, state="kommende")
    file_on(house, session, task, f"fil {word}.txt", f"indhold {word}".encode())
    change = BulkChange(
        municipality_id=municipality, person_id=person.id, at=NOW, field="x", words=word, count=1
    )
    session.add(change)
    session.flush()
    session.add_all(
        [
            Comment(**of, author_id=person.id, at=NOW, text=f"kommentar {word}"),
            Comment(**of, author_id=person.id, at=NOW, text=f"egen {word}", private=True),
            ChecklistItem(**of, position=1, text=f"linje {word}"),
            MunicipalTaskField(**of, field="kp.felt", value=word),
            TaskChange(**of, at=NOW, person_id=person.id, field="comment", old=word, new=f"ny {word}"),
            Question(
                **of, task_id=parent.task_id, asked_by=person.id, asked_at=NOW, text=word, close_reason=word
            ),
            BulkChangeItem(
                **of, bulk_change_id=change.id, version_after=1, before=word, after=word, kept_because=word
            ),
            PluginEvent(
                event=events.CHANGED,
                plugin="ky",
                payload=json.dumps(
                    {"task": task.id, "municipality": municipality, "field": "x", "old": word}
                ),
                created_at=NOW,
                next_attempt_at=NOW,
                error=word,
                done_at=NOW,
            ),
        ]
    )
    for number, (occasion, task_id) in enumerate((("core.assigned", task.id), (OWN_OCCASION, None))):
        mail = Mail(
            message_id=f"<{word}{number}@klik.example>"[-60:].replace(
                word, hashlib.md5(word.encode()).hexdigest()
            ),
            channel="core.mail",
            address=person.email,
            subject=word,
            content=word.encode(),
            state=("sent", "stale")[number],
            next_attempt_at=NOW,
            created_at=NOW,
            expires_at=NOW,
            sent_at=NOW,
        )
        session.add(mail)
        session.flush()
        session.add(
            Notice(
                dedupe_key=f"{occasion}/{task.id}/{number}",
                occasion=occasion,
                channel="core.mail",
                municipality_id=municipality,
                municipal_task_id=task_id,
                person_id=person.id,
                address=person.email,
                reason="x",
                heading=f"Om {word}" if task_id else "Filteret: 1 opgave",
                sentence=f"Se Opgave {word}",
                path=f"/opgaver/{task.id}" if task_id else "/filtre/1",
                created_at=NOW,
                due_at=NOW,
                mail_id=mail.id if number == 0 else None,
                withdrawn_at=NOW if number else None,
                withdrawal_reason=word if number else None,
            )
        )
    session.flush()
    # Its past is remembered by a trigger.
    session.execute(
        update(MunicipalTask)
        .where(MunicipalTask.id == task.id)
        .values(
            not_relevant_reason=f"fordi {word}", status="ikke-relevant", changed_at=NOW + timedelta(hours=1)
        )
    )
    return task
