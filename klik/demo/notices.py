"""Who was reminded of what in the demo before it opened, which addresses mails come back from, and who put what off.

The reminders, their recipients and the days' accounts are made by the real scan and the real control, as of some
mornings ago; only that the mails of those mornings arrived is written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import bindparam, delete, func, insert, select, update

from klik.demo import history
from klik.demo.people import KOEGE, Staff
from klik.domain import mail_hours
from klik.domain.deadlines import danish_today
from klik.domain.status import OPEN_STATUSES
from klik.domain.working_days import day_off
from klik.models import Bounce, Mail, MunicipalTask, Notice, Person, RoleHolding
from klik.services import control
from klik.services.control import reporting
from klik.services.notices import channels, inbox, mail_times, preferences, scanning
from klik.services.notices.bounces import acting, marks
from klik.services.notices.bounces.classifying import HARD, SOFT
from klik.services.views import municipal_task_views
from klik.services.work import Actor, Work

MORNINGS = 2
GONE = "550 5.1.1 Modtageren findes ikke"
FULL = "452 4.2.2 Postkassen er fuld"
OWN_HOUR, OWN_DAYS = 9, (14, 3, 1)
FULL_BOX = ("plusbruger", 751)  # Aarhus
SNOOZED_DAYS = 3


def mornings(today: date) -> list[date]:
    """The last working days before today, oldest first."""
    found: list[date] = []
    day = today
    while len(found) < MORNINGS:
        day -= timedelta(days=1)
        if day_off(day) is None:
            found.insert(0, day)
    return found


def choose(work: Work, jens: Actor) -> None:
    """Jens wants his mail at nine, and other days before a deadline than most."""
    his = replace(work, now=work.now - timedelta(days=50), actor=jens)
    preferences.choose(his, OWN_HOUR, preferences.read(his).at_once, OWN_DAYS, 0)


def hold_role(work: Work, staff: Staff) -> None:
    """Ali is KP's superbruger in Køge, a task is the role's, and Mette is told of it while his mails come back."""
    work.session.execute(
        insert(RoleHolding),
        {
            "municipality_id": KOEGE,
            "role": "superbruger",
            "system_code": "kp",
            "person_id": staff.ids["programleder"],
            "kind": "stedfortraeder",
            "is_primary": False,
            "valid_from": work.today - timedelta(days=70),
            "valid_to": work.today + timedelta(days=20),
            "confirmed_at": work.now - timedelta(days=70),
            "version": 1,
        },
    )
    his = (
        select(MunicipalTask.id)
        .where(
            MunicipalTask.municipality_id == KOEGE,
            MunicipalTask.system_code == "kp",
            MunicipalTask.executor_id == staff.ids["bruger"],
            MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
            MunicipalTask.deadline >= work.today - timedelta(days=20),
        )
        .order_by(MunicipalTask.deadline, MunicipalTask.id)
        .limit(1)
    )
    work.session.execute(
        update(MunicipalTask)
        .where(MunicipalTask.id.in_(his))
        .values(executor_id=None, executor_role="superbruger"),
        execution_options={"synchronize_session": False},
    )


def remind(work: Work) -> None:
    """What the scan found on the last mornings; what was due earlier was told on its own day."""
    first, *later = mornings(work.today)
    scanning.scan_deadlines(replace(work, now=mail_hours.on_day(first, mail_hours.DEFAULT_HOUR)))
    _tell_on_its_day(work)
    for day in later:
        scanning.scan_deadlines(replace(work, now=mail_hours.on_day(day, mail_hours.DEFAULT_HOUR)))


def _tell_on_its_day(work: Work) -> None:
    rules = work.registry.notification_rules
    table = Notice.__table__
    rows = work.session.execute(
        select(
            table.c.id,
            table.c.occasion,
            table.c.person_id,
            table.c.municipal_task_id,
            table.c.about_day,
            table.c.due_at,
        ).where(table.c.occasion.in_(sorted(rules)))
    ).all()
    ids = {row.municipal_task_id for row in rows}
    tasks = work.session.scalars(select(MunicipalTask).where(MunicipalTask.id.in_(ids))).all()
    views = {view.id: view for view in municipal_task_views(work, tasks)}
    came = {task.id: task.created_at for task in tasks}
    times = mail_times.of_people(work, {row.person_id for row in rows})
    worded: dict[tuple[str, int, date], tuple[str, str] | None] = {}
    told = []
    for row in rows:
        hour = times.hour(row.person_id)
        at = max(
            mail_hours.on_day(mail_hours.mail_day(row.about_day), hour),
            mail_hours.next_mail(came[row.municipal_task_id], hour),
        )
        about = (row.occasion, row.municipal_task_id, danish_today(at))
        if about not in worded:
            rule, view = rules[row.occasion], views[row.municipal_task_id]
            worded[about] = scanning.worded(replace(work, now=at), rule, view)
        words = worded[about]
        if at <= row.due_at and words:
            told.append({"notice": row.id, "words": words[0], "more": words[1], "at": at})
    work.session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("notice"))
        .values(
            heading=bindparam("words"),
            sentence=bindparam("more"),
            created_at=bindparam("at"),
            due_at=bindparam("at"),
            withdrawn_at=None,
            withdrawal_reason=None,
        ),
        told,
    )


def fill(work: Work, staff: Mapping[int, Staff], mette: Actor, administrator: Actor) -> None:
    """The rest, once the mails of those mornings have arrived."""
    _follow(replace(work, now=work.now - timedelta(days=20), actor=administrator))
    history.deliver_past(work)
    _come_back(replace(work, now=work.now - timedelta(minutes=40)), staff)
    _forget_one(work, staff[KOEGE])
    _put_off(replace(work, actor=mette))


def _follow(work: Work) -> None:
    """KOMBIT has tied the channel that KP's plug-in offers to KP; the demo has no address for it, so it waits."""
    for channel in channels.offered_channels(work):
        channels.add(work, channel, "kp", ("udgivet", "rettet", "frist-flyttet"))


def account(work: Work) -> None:
    """The supplementary control as it ran on those mornings."""
    for day in mornings(work.today):
        at = mail_hours.on_day(day, mail_hours.DEFAULT_HOUR) + timedelta(minutes=30)
        then = replace(work, now=at)
        found = control.examine(then)
        reporting.tell(then, found, reporting.store(then, found))


def _come_back(work: Work, staff: Mapping[int, Staff]) -> None:
    """Ali's address is gone since his last mail; somebody's mailbox in Aarhus is full."""
    mail = work.session.scalar(
        select(Mail)
        .join(Notice, Notice.mail_id == Mail.id)
        .where(Mail.person_id == staff[KOEGE].ids["bruger"], Notice.occasion.startswith("core."))
        .order_by(Mail.sent_at.desc(), Mail.id.desc())
        .limit(1)
    )
    if mail is not None:
        mail.state, mail.sent_at, mail.reply = "bounced", None, f"{acting.REFUSED_WITH}: {GONE}"
        work.session.add(_bounce(work, mail.id, mail.address, HARD, GONE))
        acting.refused(work, mail, GONE)
    box, code = FULL_BOX
    address = work.session.get_one(Person, staff[code].ids[box]).email
    marks.note(work, address, SOFT, FULL)
    work.session.add(_bounce(work, None, address, SOFT, FULL))


def _bounce(work: Work, mail_id: int | None, address: str, kind: str, reply: str) -> Bounce:
    return Bounce(
        digest=f"demo-{kind}",
        received_at=work.now,
        mail_id=mail_id,
        address=address,
        kind=kind,
        status=reply.split()[1],
        reply=reply,
    )


def _forget_one(work: Work, staff: Staff) -> None:
    """One reminder of the last mornings is not in the ledger: the worker finds it, and it goes out late."""
    last = work.session.scalar(
        select(Notice)
        .where(
            Notice.municipality_id == KOEGE,
            Notice.person_id == staff.ids["plusbruger"],
            Notice.occasion.startswith("core."),
            Notice.about_day <= mornings(work.today)[-1],
        )
        .order_by(Notice.about_day.desc(), Notice.id.desc())
        .limit(1)
    )
    if last is not None:
        about = last.dedupe_key.rpartition("/")[0]
        work.session.execute(delete(Notice).where(Notice.dedupe_key.startswith(f"{about}/")))


def _put_off(mine: Work) -> None:
    """Mette put one of hers off until a day this week."""
    notice_id = mine.session.scalar(
        select(func.max(Notice.id)).where(
            Notice.person_id == mine.actor.person_id if mine.actor else None,
            Notice.read_at.is_(None),
            Notice.municipal_task_id.is_not(None),
        )
    )
    if notice_id:
        inbox.snooze(mine, notice_id, (mine.today + timedelta(days=SNOOZED_DAYS)).isoformat())
