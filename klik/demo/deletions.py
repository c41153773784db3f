"""The announced deletion of the demo: who has fetched, who is silent, who asks to keep, and whom no mail reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random

from sqlalchemy import select, update

from klik.demo.people import KOEGE, Staff
from klik.domain.rights import Level
from klik.models import Deletion, DeletionItem, Mail, Membership, Notice, Person, Project, Task, TaskVersion
from klik.services import deleting
from klik.services.deleting import notices
from klik.services.notices.bounces import marks
from klik.services.notices.bounces.classifying import HARD
from klik.services.work import Actor, Work

HERNING, FANOE = 657, 563
HEADING = "KSD: opgaver fra fase 1"
UNKNOWN = "550 5.1.1 Ukendt modtager"
Member = Callable[[Work, Staff, str, Level], Actor]


def announce(work: Work, editor: Actor) -> None:
    """KSD's first phase, announced twelve days ago."""
    old = work.session.scalars(
        select(Task.id)
        .join(Project, Project.id == Task.project_id)
        .join(TaskVersion, TaskVersion.task_id == Task.id)
        .where(Project.slug == "ksd", TaskVersion.phase == "opstart")
        .order_by(Task.id)
    ).all()
    when = replace(work, now=work.now - timedelta(days=12), actor=editor)
    draft = deleting.Draft(
        heading=HEADING,
        last_day=when.today + timedelta(days=37),
        legal_basis="Bevarings- og kassationsbestemmelser for fælleskommunale projekter: opgaverne er afsluttet",
        decided_by="Gitte Lyngholm, KOMBIT",
        decided_on=when.today - timedelta(days=4),
        selection=deleting.Selection(project="ksd", task_ids=tuple(old)),
    )
    deleting.announce(when, draft, None)


def take_home(work: Work, staff: Mapping[int, Staff], member: Member) -> None:
    """Most have saved their tasks; Køge has not, so that its countdown shows. Fanø's mail came back."""
    random = Random(37)
    deletion = work.session.scalars(select(Deletion).where(Deletion.heading == HEADING)).one()
    mine = DeletionItem.deletion_id == deletion.id
    work.session.execute(update(DeletionItem).where(mine).values(notified_at=deletion.announced_at))
    done = [code for code in staff if code not in (KOEGE, FANOE) and random.random() < 0.6]
    silent = [code for code in staff if code not in done and random.random() < 0.4]
    work.session.execute(
        update(Notice)
        .where(Notice.path == notices.path(deletion.id), Notice.municipality_id.in_([*silent, FANOE]))
        .values(read_at=None)
    )
    for code in done:
        fetched = work.now - timedelta(days=random.randrange(1, 11), hours=random.randrange(0, 8))
        values = {"state": "hentet", "fetched_at": fetched, "fetched_by": staff[code].ids["administrator"]}
        if random.random() < 0.5:
            values |= {
                "state": "kvitteret",
                "receipted_at": fetched + timedelta(hours=2),
                "receipted_by": staff[code].ids["plusbruger"],
                "case_number": f"2026-{random.randrange(1000, 9999)}",
            }
        work.session.execute(
            update(DeletionItem).where(mine, DeletionItem.municipality_id == code).values(values)
        )
    _come_back(work, deletion)
    _ask(work, staff, member, deletion)


def _come_back(work: Work, deletion: Deletion) -> None:
    """Every address of Fanø is dead since the day of the announcement, so no later mail reaches it either."""
    when = replace(work, now=deletion.announced_at + timedelta(hours=2))
    addresses = work.session.scalars(
        select(Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.municipality_id == FANOE)
        .order_by(Person.id)
    ).all()
    for address in addresses:
        marks.note(when, address, HARD, UNKNOWN)
    carried = select(Notice.mail_id).where(
        Notice.path == notices.path(deletion.id),
        Notice.municipality_id == FANOE,
        Notice.address.in_(addresses),
        Notice.mail_id.is_not(None),
    )
    work.session.execute(
        update(Mail).where(Mail.id.in_(carried)).values(state="bounced", reply=f"kommet retur: {UNKNOWN}")
    )
    work.session.execute(
        update(DeletionItem)
        .where(DeletionItem.deletion_id == deletion.id, DeletionItem.municipality_id == FANOE)
        .values(notified_at=None)
    )


def _ask(work: Work, staff: Mapping[int, Staff], member: Member, deletion: Deletion) -> None:
    """Køge waits for an answer about a task, Herning about two."""
    for code, count, reason in (
        (KOEGE, 1, "Opgaven indgår i en klagesag, som ikke er afgjort endnu"),
        (HERNING, 2, "Revisionen har bedt om at se opgaverne til foråret"),
    ):
        when = replace(
            work,
            now=work.now - timedelta(days=2),
            actor=member(work, staff[code], "administrator", Level.ADMINISTRATOR),
        )
        ids = work.session.scalars(
            select(DeletionItem.id)
            .where(DeletionItem.deletion_id == deletion.id, DeletionItem.municipality_id == code)
            .order_by(DeletionItem.id)
            .limit(count)
        ).all()
        until = when.today + timedelta(days=200)
        deleting.ask_to_keep_all(when, deletion.id, ids, reason, until)
