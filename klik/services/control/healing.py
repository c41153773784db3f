"""Mending what the control found: each thing once, in the transaction of the pass."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update

from klik.db import rows_changed
from klik.domain.deadlines import danish_today
from klik.models import Mail, MunicipalTask, Notice
from klik.plugins.contributions import NotificationRule
from klik.plugins.views import MunicipalTaskView
from klik.services.control.findings import LOOKED_BACK, Findings, Missing
from klik.services.notices import ledger, mails, scanning
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.views import municipal_task_views
from klik.services.work import Work

BATCH = 1000


def heal(work: Work, found: Findings) -> int:
    """Mend and enter everything; how many rows that was. What another process mended meanwhile is left alone."""
    mended = sum(each.heal(work, each.ids) for each in found.broken)
    for start in range(0, len(found.missing), BATCH):
        mended += _enter(work, found.missing[start : start + BATCH])
    return mended + sum(each.heal(work) for each in found.untold)


def _enter(work: Work, lacking: Sequence[Missing]) -> int:
    tasks = work.session.scalars(
        select(MunicipalTask).where(MunicipalTask.id.in_({each.task_id for each in lacking}))
    ).all()
    views = {view.id: view for view in municipal_task_views(work, tasks)}
    drafts = []
    carried: dict[str, int] = {}
    for each in lacking:
        rule = work.registry.notification_rules[each.reminder.rule]
        words = scanning.worded(work, rule, views[each.task_id]) if each.task_id in views else None
        if words is None:
            continue
        heading, sentence = words
        if mail_id := _carrier(work, each, rule, views[each.task_id]):
            carried[f"{each.about}/{each.who.key}"[:200]] = mail_id
        overtaker = work.registry.notification_rules.get(each.overtaker or "")
        drafts.append(
            NoticeDraft(
                occasion=rule.key,
                dedupe_key=each.about,
                recipient=Recipient(
                    each.who.person_id, each.who.address, each.municipality_id, each.who.reason
                ),
                heading=heading,
                sentence=f"{sentence} {scanning.lateness(each.reminder.day)}" if each.late else sentence,
                path=f"/opgaver/{each.task_id}",
                municipal_task_id=each.task_id,
                about_day=each.reminder.day,
                withdrawn=f"overhalet af “{overtaker.label}”" if overtaker else None,
            )
        )
    entered = ledger.enqueue(work, drafts)
    for key, mail_id in carried.items():
        work.session.execute(
            update(Notice)
            .where(Notice.dedupe_key == key, Notice.mail_id.is_(None))
            .values(mail_id=mail_id, withdrawn_at=None, withdrawal_reason=None)
        )
    return entered


def _carrier(work: Work, each: Missing, rule: NotificationRule, view: MunicipalTaskView) -> int | None:
    """The mail that told it already, where only the row is gone: nobody is to get it twice."""
    link = re.compile(rf"/opgaver/{each.task_id}\b")
    for mail in work.session.scalars(
        select(Mail)
        .where(
            func.lower(Mail.address) == each.who.address.casefold(),
            Mail.created_at >= work.now - LOOKED_BACK,
            Mail.state.in_(["sent", "bounced", "in_doubt"]),
        )
        .order_by(Mail.id.desc())
    ):
        day = danish_today(mail.created_at)
        words = mails.plain_text(mail.content) if day >= each.reminder.day else ""
        if link.search(words) and mails.one_line(rule.heading(view, day)) in words:
            return mail.id
    return None


def revive(work: Work, ids: Sequence[int]) -> int:
    """Bring notices back that were withdrawn and never mailed."""
    return rows_changed(
        work.session,
        update(Notice)
        .where(Notice.id.in_(ids), Notice.mail_id.is_(None), Notice.withdrawn_at.is_not(None))
        .values(withdrawn_at=None, withdrawal_reason=None, due_at=work.now),
    )


def rewrite_keys(work: Work, keys: Mapping[int, str]) -> int:
    """Give rows the key they should have had."""
    return sum(
        rows_changed(work.session, update(Notice).where(Notice.id == row).values(dedupe_key=key))
        for row, key in keys.items()
    )
