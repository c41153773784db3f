"""What has happened in the demo when it opens: published, worked on, commented, some of it late."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import bindparam, insert, select, update

from klik.demo import (
    asked,
    corrections,
    deleted,
    deletions,
    filters,
    following,
    gallery,
    history,
    invited,
    leaving,
    life,
    looked_up,
    newsletters,
    notices,
    people,
    plugins,
    publications,
    still_you,
    teamwork,
    waves,
    writing,
)
from klik.demo.people import KOEGE, Staff
from klik.domain.deadlines import danish_today, end_of_day
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.models import (
    Comment,
    Membership,
    MunicipalTask,
    Person,
    TaskChange,
)
from klik.services import importing, publishing
from klik.services.filestore import FileStore
from klik.services.tasks import changing
from klik.services.work import Actor, Work

REASONS = ("Vi bruger en fælles løsning med nabokommunen", "Kommunen har ikke dette økonomisystem")


def fill(work: Work, store: FileStore) -> None:
    """Everything, in the caller's one transaction, so that an interrupted start leaves nothing half."""
    staff = people.fill(work)
    people.fill_roles(work, staff)
    publications.projects(work)
    editor = publications.editor(work)
    for draft, published in sorted(publications.drafts(work), key=lambda pair: pair[1]):
        when = replace(work, now=work.now + timedelta(days=published), actor=editor)
        codes = waves.without_late(list(staff)) if draft.project == "ky" else list(staff)
        publishing.publish(when, draft, codes)
    waves.publish(
        replace(work, now=work.now - timedelta(days=150), actor=editor), waves.without_late(list(staff))
    )
    writing.fill(replace(work, actor=editor), store)
    _progress(work, staff)
    life.fill(work, editor, list(staff))
    waves.finish_ksd(work, staff)
    deletions.announce(work, editor)
    deleted.announce(work, staff, editor, _member)
    _read_reports(work, staff)
    waves.join_late(replace(work, now=work.now - timedelta(days=2), actor=editor))
    following.fill(work, staff, editor)
    jens = _member(work, staff[KOEGE], "plusbruger", Level.PLUS_USER)
    karen = _member(work, staff[KOEGE], "administrator", Level.ADMINISTRATOR)
    invited.fill(work, staff[KOEGE], karen)
    notices.choose(work, jens)
    notices.hold_role(work, staff[KOEGE])
    gallery.remember(work, staff, _member(work, staff[KOEGE], "administrator", Level.ADMINISTRATOR))
    gallery.describe(work, staff)
    still_you.fill(work, staff[KOEGE])
    notices.remind(work)
    history.deliver_past(work)
    notices.account(work)
    deletions.take_home(work, staff, _member)
    deleted.answer(work, staff, editor, _member)
    _talk(work, staff)
    filters.fill(work, staff, editor)
    teamwork.fill(work, staff[KOEGE], _member)
    leaving.fill(work, staff[KOEGE], _member)
    corrections.fill(work, jens, editor)
    asked.fill(work, staff, editor, _member)
    newsletters.fill(work, editor)
    _this_morning(work, staff)
    mette = _member(work, staff[KOEGE], "programleder", Level.PLUS_USER)
    notices.fill(work, staff, mette, life.administrator(work))
    looked_up.fill(work, mette, jens, editor)
    invited.leave_without(work)
    plugins.fill(work)


def _progress(work: Work, staff: Mapping[int, Staff]) -> None:
    random = Random(1970)
    pace = {code: random.uniform(0.72, 1.12) for code in staff} | following.BEHIND
    rows = work.session.execute(
        select(
            MunicipalTask.id,
            MunicipalTask.municipality_id,
            MunicipalTask.deadline,
            MunicipalTask.created_at,
        ).order_by(MunicipalTask.id)
    ).all()
    updates, changes = [], []
    mix = itertools.cycle((Status.NOT_STARTED, Status.IN_PROGRESS, Status.NOT_STARTED, Status.COMPLETED))
    for task_id, code, deadline, created in rows:
        status = _status(random, pace[code], deadline, created, work.today)
        if code == KOEGE and deadline and -15 < (work.today - deadline).days < 27:
            status = next(mix)
        if status is Status.NOT_STARTED:
            continue
        last = following.last_day_of(code, work.now)
        when = _worked_on(random, created, last)
        if when < created:
            # It came after the last day anybody was there.
            continue
        updates.append(
            {
                "task": task_id,
                "status": status.value,
                "completed_on": danish_today(when) if status is Status.COMPLETED else None,
                "not_relevant_reason": random.choice(REASONS) if status is Status.NOT_RELEVANT else None,
                "changed_at": when,
            }
        )
        changes.append(
            {
                "municipality_id": code,
                "municipal_task_id": task_id,
                "at": when,
                "person_id": staff[code].ids[random.choice(("programleder", "plusbruger", "bruger"))],
                "field": "status",
                "old": Status.NOT_STARTED.label,
                "new": status.label,
                "via": "klik",
            }
        )
    work.session.connection().execute(
        update(MunicipalTask.__table__)
        .where(MunicipalTask.__table__.c.id == bindparam("task"))
        .values(
            status=bindparam("status"),
            completed_on=bindparam("completed_on"),
            not_relevant_reason=bindparam("not_relevant_reason"),
            changed_at=bindparam("changed_at"),
        ),
        updates,
    )
    work.session.execute(insert(TaskChange), changes)


def _status(random: Random, pace: float, deadline: date | None, created: datetime, today: date) -> Status:
    if random.random() < 0.015:
        return Status.NOT_RELEVANT
    if deadline is None:
        return Status.NOT_STARTED
    published = danish_today(created)
    length = max(1, (deadline - published).days)
    elapsed = (today - published).days / length
    overdue = (today - deadline).days
    # Few are late for long: what has been red for four months is done nearly everywhere.
    chance = 0.8 + min(0.35, overdue / 120) if overdue > 0 else 0.6 * elapsed**1.3
    if random.random() < chance * pace:
        return Status.COMPLETED
    return Status.IN_PROGRESS if random.random() < 0.2 + 0.3 * min(1.0, elapsed) else Status.NOT_STARTED


def _worked_on(random: Random, created: datetime, now: datetime) -> datetime:
    seconds = (now - created).total_seconds()
    return created + timedelta(seconds=seconds * random.uniform(0.25, 0.98))


R23 = """Opgavetype;Antal uløste opgaver;Blokerende
Ansøgning om tidlig refusion;14;Ja
Kontroller sag - bremsende;9;Ja
Mulig konfliktende ydelser - Feriekonto;6;Ja
Oplysningsskema - anden årsag;5;Ja
Økonomisk mellemværende;3;Ja
Manglende kontrol;2;Ja
Anmeldelse modtaget for sent;11;Nej
"""


def _read_reports(work: Work, staff: Mapping[int, Staff]) -> None:
    """Report R23 has been read in for two municipalities, so that KSD's board shows something."""
    if "ksd.r23" not in work.registry.importers:
        return
    for code in (KOEGE, 751):
        reader = replace(work, actor=_member(work, staff[code], "programleder", Level.PLUS_USER))
        importing.run(reader, "ksd.r23", R23.encode(), "R23.csv", keep=True)


def _member(work: Work, staff: Staff, box: str, level: Level) -> Actor:
    person = work.session.get_one(Person, staff.ids[box])
    member = work.session.scalars(
        select(Membership).where(
            Membership.person_id == person.id, Membership.municipality_id == staff.municipality
        )
    ).one()
    return Actor(person.id, member.id, person.name, person.email, level, staff.municipality, "", frozenset())


SAYINGS = (
    ("programleder", "Aftalt på projektmødet: vi venter på svar fra økonomi, og Jens rykker onsdag.", False),
    ("plusbruger", "Bilaget er udfyldt og sendt til gennemlæsning.", False),
    ("bruger", "Vores leverandør af bogføringssystem har meldt tilbage, at de kan i uge 49.", False),
    ("programleder", "Tag det op på chefmødet, hvis det ikke er løst på fredag.", True),
)


def _talk(work: Work, staff: Mapping[int, Staff]) -> None:
    for code in (KOEGE, 657, 751, 825):
        urgent = work.session.scalars(
            select(MunicipalTask.id)
            .where(MunicipalTask.municipality_id == code, MunicipalTask.status != Status.COMPLETED.value)
            .order_by(MunicipalTask.deadline, MunicipalTask.id)
            .limit(6)
        ).all()
        for place, task_id in enumerate(urgent):
            box, text, private = SAYINGS[place % len(SAYINGS)]
            work.session.add(
                Comment(
                    municipality_id=code,
                    municipal_task_id=task_id,
                    author_id=staff[code].ids[box],
                    at=work.now - timedelta(days=6 - place, hours=3),
                    text=text,
                    private=private,
                )
            )


def _this_morning(work: Work, staff: Mapping[int, Staff]) -> None:
    """Two urgent tasks of Køge were put back today, so that a filter has something new since yesterday."""
    midnight = end_of_day(work.today - timedelta(days=1))
    at = work.now - min(timedelta(hours=1), (work.now - midnight) / 2)
    leader = _member(work, staff[KOEGE], "plusbruger", Level.PLUS_USER)
    urgent = work.session.execute(
        select(MunicipalTask.id, MunicipalTask.version)
        .where(
            MunicipalTask.municipality_id == KOEGE,
            MunicipalTask.status == Status.IN_PROGRESS.value,
            MunicipalTask.yellow_from <= work.today,
        )
        .order_by(MunicipalTask.deadline, MunicipalTask.id)
        .limit(2)
    ).all()
    for task_id, version in urgent:
        changing.change(
            replace(work, now=at, actor=leader), task_id, version, changing.Changes(status=Status.NOT_STARTED)
        )
