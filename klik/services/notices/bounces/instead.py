"""What a mail that came back was to tell, told to somebody whose mails arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from klik.models import Mail, MunicipalTask, Notice, Person
from klik.services.notices import task_recipients
from klik.services.notices.bounces import marks, whose
from klik.services.notices.ledger import NoticeDraft, enqueue, full_key
from klik.services.notices.recipients import Recipient, of_municipalities
from klik.services.work import Work

# Meant for everybody who answers for the matter; what was for one person alone (a link to a password, a mention,
# a filter, an export) is nobody else's. The rules about deadlines are of this kind too.
SHARED = frozenset(
    {
        *(
            "udgivet",
            "annonceret",
            "trukket-tilbage",
            "tildelt",
            "rettet",
            "frist-flyttet",
            "opgaver-tilkommet",
        ),
        *("sletning-varslet", "sletning-udsat", "sletning-fortrudt", "sletning-rykker", "overdraget"),
    }
)


def tell_anew(work: Work, mail: Mail) -> int:
    """Tell what the mail carried to those whom the rule finds now, once each; how many notices that was."""
    shared = SHARED | set(work.registry.notification_rules)
    notices = work.session.scalars(
        select(Notice).where(
            Notice.mail_id == mail.id,
            Notice.municipality_id.is_not(None),
            Notice.withdrawn_at.is_(None),
            Notice.occasion.in_(sorted(shared)),
        )
    ).all()
    if not notices:
        return 0
    person = work.session.get(Person, notices[0].person_id) if notices[0].person_id else None
    why = f"i stedet for {person.name if person else mail.address}, hvis mails kommer retur"
    found = _recipients(work, notices)
    gone = marks.dead(work, (to.address for people in found.values() for to in people))
    drafts = []
    for notice in notices:
        alive = [to for to in found[notice.id] if marks.key_of(to.address) not in gone]
        drafts += [
            _draft(work, notice, to, why)
            for to in alive or whose.keepers(work, notice.municipality_id, mail.address)
        ]
    return enqueue(work, drafts)


def _draft(work: Work, notice: Notice, to: Recipient, why: str) -> NoticeDraft:
    mine = Recipient(notice.person_id, notice.address, notice.municipality_id, notice.reason)
    reason = to.reason if "i stedet for" in to.reason else f"{to.reason}, {why}"
    return NoticeDraft(
        occasion=notice.occasion,
        dedupe_key=notice.dedupe_key.removesuffix(full_key("", mine)),
        recipient=replace(to, reason=reason[:300]),
        heading=notice.heading,
        sentence=notice.sentence,
        path=notice.path,
        municipal_task_id=notice.municipal_task_id,
        task_id=notice.task_id,
        about_day=notice.about_day,
        due_at=work.now,
        channel=notice.channel,
    )


def _recipients(work: Work, notices: Sequence[Notice]) -> Mapping[int, Sequence[Recipient]]:
    """By notice: the people of its task, else whoever the municipality has."""
    ids = {notice.municipal_task_id for notice in notices if notice.municipal_task_id}
    tasks = work.session.scalars(select(MunicipalTask).where(MunicipalTask.id.in_(ids))).all()
    of_tasks = task_recipients.of_tasks(work, tasks)
    codes = {notice.municipality_id for notice in notices if notice.municipality_id}
    places = of_municipalities(work, codes, None)
    return {
        notice.id: of_tasks.get(notice.municipal_task_id or 0) or places.get(notice.municipality_id or 0, ())
        for notice in notices
    }
