"""Each invariant is broken on purpose and found, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Deletion, Mail, Municipality, MunicipalTask, Notice, StoredFile, Task
from klik.services import auditing, invariants
from tests import make
from tests.services.deletion_world import announced


def _names(house: Installation) -> set[str]:
    with house.reading(make.NOW) as work:
        return {fault.name for fault in invariants.faults(work.session, house.files)}


def _published(session: Session) -> int:
    version = make.task(session)
    make.municipal_task(session, version)
    session.execute(update(Task).values(recipient_count=1))
    return version.task_id


def _mail(session: Session, address: str, **more: object) -> Mail:
    mail = Mail(
        message_id=f"<{address}>",
        channel="core.mail",
        address=address,
        subject="s",
        content=b"",
        next_attempt_at=make.NOW,
        created_at=make.NOW,
        expires_at=make.NOW,
        **({"state": "pending"} | more),
    )
    session.add(mail)
    session.flush()
    return mail


def _notice_in_anothers_mail(session: Session) -> None:
    mail = _mail(session, "jens@klik.example")
    session.add(
        Notice(
            dedupe_key="k",
            occasion="o",
            channel="core.mail",
            address="mette@klik.example",
            reason="r",
            heading="h",
            sentence="s",
            path="/",
            created_at=make.NOW,
            due_at=make.NOW,
            mail_id=mail.id,
        )
    )


def _sql(statement: str) -> Callable[[Session], object]:
    return lambda session: session.execute(text(statement))


FAULTS: dict[str, Callable[[Session], object]] = {
    "copies-of-published-tasks": lambda session: session.execute(update(Task).values(recipient_count=98)),
    "publication-audited-once": lambda _session: None,
    "current-version-exists": lambda session: session.execute(update(Task).values(current_number=7)),
    "number-on-every-copy": lambda session: session.execute(
        update(MunicipalTask).values(task_number="MI 99")
    ),
    "yellow-not-after-deadline": lambda session: session.execute(
        update(MunicipalTask).values(yellow_from=make.TODAY + timedelta(days=90))
    ),
    "completed-has-day": lambda session: session.execute(
        update(MunicipalTask).values(status=Status.COMPLETED.value)
    ),
    "not-relevant-has-reason": lambda session: session.execute(
        update(MunicipalTask).values(status=Status.NOT_RELEVANT.value)
    ),
    "mail-of-its-own-recipient": _notice_in_anothers_mail,
    "sent-has-moment": lambda session: _mail(session, "a@klik.example", state="sent"),
    "done-deletion-has-nothing-left": lambda session: _done(session),
    "every-municipality-once": lambda session: session.execute(
        update(Municipality).where(Municipality.id == 101).values(active=False)
    ),
    "files": lambda session: session.add(
        StoredFile(sha256="0" * 64, size=1, media_type="text/plain", created_at=make.NOW)
    ),
}


def _done(session: Session) -> None:
    task_id = session.scalars(select(MunicipalTask.id)).first()
    assert task_id is not None
    deletion_id = announced(session, [task_id])
    session.execute(update(Deletion).where(Deletion.id == deletion_id).values(state="afsluttet"))


# These the database refuses outright, so they cannot be planted; the guards have their own tests.
GUARDED = {"erased-has-archive", "erased-has-no-content", "deleted-on-both-sides", "deleted-in-time"}
GUARDED |= {"member-of-the-municipality", "one-primary", "audit-chain"}


def test_every_invariant_has_a_planted_fault() -> None:
    names = {invariant.name for invariant in invariants.all_invariants()} | {"files", "audit-chain"}
    assert len(names) >= 15
    assert names == FAULTS.keys() | GUARDED


def test_a_healthy_installation_breaks_none(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        task_id = _published(work.session)
        auditing.record(work, "publish", f"task/{task_id}")
    assert _names(house) == set()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(house: Installation, name: str) -> None:
    with house.writing(make.NOW) as work:
        task_id = _published(work.session)
        if name != "publication-audited-once":
            auditing.record(work, "publish", f"task/{task_id}")
        work.session.flush()
        FAULTS[name](work.session)
    assert _names(house) == {name}
