"""The control reckons announcements, deletion reminders, roles and newsletters anew and heals a planted gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import (
    Deletion,
    DeletionItem,
    Mail,
    MunicipalSystem,
    Newsletter,
    NewsletterRecipient,
    Notice,
)
from klik.services import control
from klik.services.control.findings import Findings
from klik.services.deleting import notices as deletion_notices
from klik.services.deleting import reminding
from klik.services.newsletters import sending, writing
from klik.services.newsletters.audience import Audience
from klik.services.notices import roles
from klik.services.publishing import announcing
from klik.services.publishing.steps import Press
from klik.services.work import Work
from tests import make
from tests.make import KOEGE, NOW, TODAY
from tests.services.test_newsletters import POST, WORDS

DAY = timedelta(days=1)


@pytest.fixture
def work(house: Installation) -> Iterator[Work]:
    """Work by the system; Pia is Køge's plus user and Gitte KOMBIT's administrator."""
    with house.writing(NOW) as system:
        make.person(system.session, "Pia Plus", email="pia@koege.example")
        make.person(
            system.session,
            "Gitte",
            email="g@kombit.example",
            level=Level.KOMBIT_ADMINISTRATOR,
            municipality=None,
        )
        yield system


def looked(work: Work, occasion: str, days: int = 0) -> tuple[int, int]:
    """How many there should be, and how many of them are missing."""
    tally = examined(work, days).tallies[occasion]
    return tally.expected, tally.missing


def examined(work: Work, days: int = 0) -> Findings:
    return control.examine(replace(work, now=NOW + days * DAY))


def healed(work: Work, occasion: str, days: int = 0) -> tuple[int, int]:
    later = replace(work, now=NOW + days * DAY)
    control.heal(later, control.examine(later))
    return looked(work, occasion, days)


def lose(work: Work, occasion: str) -> None:
    work.session.execute(delete(Notice).where(Notice.occasion == occasion))


def test_an_announcement_that_a_municipality_never_heard_of(work: Work) -> None:
    editor = make.person(
        work.session, "Ellen", email="e@kombit.example", level=Level.KOMBIT_EDITOR, municipality=None
    )
    version = make.task(work.session, "En kommende opgave", state="kladde")
    task = version.task
    task.recipients = "alle"
    work.session.flush()
    acting = replace(work, actor=make.actor(work.session, editor))
    assert announcing.announce(acting, task.id, Press()) == 98
    before = looked(work, announcing.OCCASION)
    assert before == (98, 0)
    work.session.execute(
        delete(Notice).where(Notice.occasion == announcing.OCCASION, Notice.municipality_id == KOEGE)
    )
    assert looked(work, announcing.OCCASION) == (98, 1)
    assert healed(work, announcing.OCCASION) == (98, 0)


def a_deletion(work: Work, days: int) -> Deletion:
    row = Deletion(
        state="varslet",
        last_day=TODAY + days * DAY,
        heading="Sletning af KP",
        legal_basis="Arkivloven",
        decided_by="Gitte",
        decided_on=TODAY,
        announced_at=NOW,
    )
    work.session.add(row)
    work.session.flush()
    for _ in range(2):
        task = make.municipal_task(work.session, deadline=None)
        work.session.add(
            DeletionItem(
                deletion_id=row.id, municipal_task_id=task.id, municipality_id=KOEGE, state="varslet"
            )
        )
    work.session.flush()
    return row


@pytest.mark.parametrize(("days", "missing"), [(29, 0), (30, 0), (31, 1), (46, 0), (60, 1), (61, 0)])
def test_a_reminder_of_a_deletion_that_never_came(work: Work, days: int, missing: int) -> None:
    a_deletion(work, 60)
    at = replace(work, now=NOW + days * DAY)
    deletion_notices.announced(replace(work, now=NOW), work.session.scalars(select(Deletion)).one())
    assert looked(work, deletion_notices.REMINDER, days) == (missing, missing)
    assert healed(work, deletion_notices.REMINDER, days) == (missing, 0)
    assert reminding.remind(at) == (1 if days in (30, 46) else 0)


def test_what_a_municipality_asked_to_keep_is_not_reminded_of(work: Work) -> None:
    a_deletion(work, 60)
    work.session.execute(update(DeletionItem).values(hold_reason="retssag"))
    assert looked(work, deletion_notices.REMINDER, 40) == (0, 0)


@pytest.mark.parametrize(("days", "missing"), [(0, 0), (1, 1), (28, 1), (31, 0)])
def test_a_vacancy_that_nobody_was_told_of(work: Work, days: int, missing: int) -> None:
    row = make.holding(work.session, mailbox="post@koege.example")
    row.valid_to = TODAY - DAY
    make.municipal_task(work.session)
    assert looked(work, roles.VACANT, days) == (missing, missing)
    assert healed(work, roles.VACANT, days) == (missing, 0)


def test_a_vacancy_of_a_system_the_municipality_does_not_have(work: Work) -> None:
    make.holding(work.session, mailbox="post@koege.example").valid_to = TODAY - DAY
    assert looked(work, roles.VACANT, 5) == (0, 0)
    task = make.municipal_task(work.session)
    assert looked(work, roles.VACANT, 5) == (1, 1)
    work.session.add(MunicipalSystem(municipality_id=make.HERNING, system_code=task.system_code))
    work.session.flush()
    assert looked(work, roles.VACANT, 5) == (0, 0)


def test_a_reader_of_a_newsletter_without_a_mail(work: Work) -> None:
    editor = make.person(
        work.session, "Ellen", email="e@kombit.example", level=Level.KOMBIT_EDITOR, municipality=None
    )
    make.person(work.session, "Anna", email="anna@koege.example")
    acting = replace(work, actor=make.actor(work.session, editor))
    row = writing.begin(acting, WORDS, Audience())
    sending.send(acting, row.id, row.version)
    assert looked(work, "nyhedsbrev") == (2, 0)
    while sending.make_mails(work, POST) is not None:
        pass
    assert looked(work, "nyhedsbrev") == (2, 0)
    version = row.version
    one = work.session.scalars(select(NewsletterRecipient).limit(1)).one()
    work.session.execute(
        update(NewsletterRecipient).where(NewsletterRecipient.id == one.id).values(mail_id=None)
    )
    assert looked(work, "nyhedsbrev") == (2, 1)
    assert healed(work, "nyhedsbrev") == (2, 0)
    while sending.make_mails(work, POST) is not None:
        pass
    assert work.session.scalar(select(func.count()).select_from(Mail)) == 3
    work.session.refresh(row)
    assert (row.version, row.mailed_at) == (version, NOW)
    assert isinstance(row, Newsletter)
