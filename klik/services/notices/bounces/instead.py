"""What a mail that came back was to tell, told to somebody whose mails arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from klik.models import Mail, MunicipalTask, Notice, Person
from klik.services.notices import task_recipients
from klik.services.notices.bounces import marks, whose
from klik.services.notices.ledger import NoticeDraft, enqueue, full_key
from klik.services.notices.recipients import Recipient, hard_addresses, instead_of, of_municipalities
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


def tell_mail_anew(work: Work, mail: Mail) -> int:
    """Tell what the mail carried to those whom the rule finds now, once each; how many notices that was."""
    carried = select(Notice).where(Notice.mail_id == mail.id, Notice.withdrawn_at.is_(None))
    notices = work.session.scalars(carried).all()
    return tell_anew(work, notices, hard_addresses(work)) if notices else 0


def tell_anew(work: Work, notices: Sequence[Notice], hard: frozenset[str]) -> int:
    """Tell what is shared of these to those whom the rule finds now, once each; how many notices that was.

    ``hard`` are the addresses nothing is mailed to.
    """
    shared = SHARED | set(work.registry.notification_rules)
    notices = [each for each in notices if each.municipality_id is not None and each.occasion in shared]
    if not notices:
        return 0
    names = _names(work, notices)
    found = _recipients(work, notices, hard)
    drafts = []
    for notice in notices:
        why = instead_of([names.get(notice.person_id or 0, notice.address)])
        alive = [to for to in found[notice.id] if marks.key_of(to.address) not in hard]
        drafts += [
            _draft(work, notice, to, why)
            for to in alive or whose.keepers(work, notice.municipality_id, notice.address)
        ]
    return enqueue(work, drafts)


def _names(work: Work, notices: Sequence[Notice]) -> Mapping[int, str]:
    ids = {notice.person_id for notice in notices if notice.person_id}
    return dict(work.session.execute(select(Person.id, Person.name).where(Person.id.in_(ids))).all())


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


def _recipients(
    work: Work, notices: Sequence[Notice], hard: frozenset[str]
) -> Mapping[int, Sequence[Recipient]]:
    """By notice: the people of its task, else whoever the municipality has."""
    ids = {notice.municipal_task_id for notice in notices if notice.municipal_task_id}
    tasks = work.session.scalars(select(MunicipalTask).where(MunicipalTask.id.in_(ids))).all()
    of_tasks = task_recipients.of_tasks(work, tasks, hard)
    codes = {notice.municipality_id for notice in notices if notice.municipality_id}
    places = of_municipalities(work, codes, None, hard)
    return {
        notice.id: of_tasks.get(notice.municipal_task_id or 0) or places.get(notice.municipality_id or 0, ())
        for notice in notices
    }
