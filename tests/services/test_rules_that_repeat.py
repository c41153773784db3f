"""Reminders as each person wants them, rules that repeat themselves, and those that go to the leader; plug-ins' too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.domain.working_days import working_days_after
from klik.installation import Installation
from klik.models import MunicipalTask, Notice, NoticeSettings, Person
from klik.plugins.contributions import NotificationRule
from klik.plugins.views import MunicipalTaskView
from klik.services.notices import reminders, scanning
from klik.services.notices.composing import compose
from klik.services.notices.mails import Sender
from tests import make
from tests.conftest import make_settings

DAY = timedelta(days=1)
SENDER = Sender("klik@klik.example", "https://klik.example")


def rule(key: str, due: Callable[[MunicipalTaskView], date | None], **more: object) -> NotificationRule:
    return NotificationRule(
        key=key,
        label="Prøvekørsel",
        due=due,
        heading=lambda task, _day: f"Prøvekørsel: {task.title}",
        sentence=lambda _task, _day: "Kør prøven igen.",
        **more,  # type: ignore[arg-type]
    )


def scan(house: Installation, now: datetime, *rules: NotificationRule) -> int:
    with house.writing(now) as work:
        known = {**work.registry.notification_rules, **{each.key: each for each in rules}}
        return scanning.scan_deadlines(
            replace(work, registry=replace(work.registry, notification_rules=known))
        ).written


def rows(house: Installation, occasion: str) -> list[tuple[str, str | None]]:
    """The end of each key with the recipient, and why it was withdrawn."""
    with house.database.reading() as session:
        found = session.scalars(select(Notice).where(Notice.occasion == occasion).order_by(Notice.id))
        return [(row.dedupe_key.split("/", 3)[3], row.withdrawal_reason) for row in found]


def a_task(house: Installation, **more: object) -> Person:
    with house.database.writing() as session:
        mette = make.person(session)
        row = make.municipal_task(session, local=True, responsible=mette, **more)  # type: ignore[arg-type]
        row.created_at = make.NOW - 90 * DAY
        session.expunge(mette)
        return mette


def test_a_plug_ins_rule_repeats_and_after_weeks_only_the_newest_goes(house: Installation) -> None:
    mette = a_task(house, deadline=None)
    repeated = rule("ksd.proeve", lambda _task: make.TODAY, repeat_days=5)
    for day in range(6):
        scan(house, make.NOW + day * DAY, repeated)
    assert rows(house, repeated.key) == [
        (f"d=2026-11-21/p{mette.id}", None),
        (f"d=2026-11-26/p{mette.id}", None),
    ]
    assert scan(house, make.NOW + 17 * DAY, repeated) == 2
    assert rows(house, repeated.key)[2:] == [
        (f"d=2026-12-01/p{mette.id}", "overhalet af “Prøvekørsel”"),
        (f"d=2026-12-06/p{mette.id}", None),
    ]
    assert scan(house, make.NOW + 17 * DAY, repeated) == 0


def test_a_plug_ins_rule_for_the_leader(house: Installation) -> None:
    a_task(house, deadline=None)
    with house.database.writing() as session:
        leader = make.person(session, "Per Leder")
        make.holding(session, "kombit-programleder", holder=leader, system_code=None)
    told = rule("ksd.leder", lambda _task: make.TODAY, audience="leader")
    assert scan(house, make.NOW, told) == 1
    assert scan(house, make.NOW + DAY, told) == 0
    with house.database.reading() as session:
        (row,) = session.scalars(select(Notice))
        assert (row.person_id, row.reason) == (leader.id, "KOMBIT-programleder (primær)")


def test_a_rule_of_one_system_is_asked_of_its_tasks_only(house: Installation) -> None:
    asked: list[str | None] = []
    with house.database.writing() as session:
        for code in ("kp", "ky"):
            make.municipal_task(
                session, local=True, deadline=None, in_project=make.project(session, code, system_code=code)
            )

    def due(task: MunicipalTaskView) -> None:
        asked.append(task.system)

    scan(house, make.NOW, rule("ky.proeve", due, systems=("ky",)))
    assert asked == ["ky"]


def test_weekly_while_red_until_it_is_closed(house: Installation) -> None:
    mette = a_task(house, deadline=make.TODAY - DAY)
    for day in range(23):
        scan(house, make.NOW + day * DAY)
    keys = [f"d={make.TODAY + days * DAY}/p{mette.id}" for days in (7, 14, 21)]
    assert rows(house, reminders.STILL_RED) == [(key, None) for key in keys]
    with house.database.writing() as session:
        session.execute(update(MunicipalTask).values(status="fuldfoert"))
    scan(house, make.NOW + 30 * DAY)
    assert len(rows(house, reminders.STILL_RED)) == 3


def test_of_the_weekly_ones_that_wait_one_mail_goes(house: Installation) -> None:
    a_task(house, deadline=make.TODAY - DAY)
    for day in range(16):
        scan(house, make.NOW + day * DAY)
    with house.writing(make.NOW + 16 * DAY) as work:
        assert compose(work, SENDER).mails == 1
    reasons = [reason for _key, reason in rows(house, reminders.STILL_RED)]
    assert reasons == ["overhalet af “Opgaven er stadig rød”", None]
    assert rows(house, reminders.TURNED_RED)[0][1] == "overhalet af “Opgaven er stadig rød”"


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("14,3,2", {"core.gul", "core.14-dage", "core.3-dage", "core.2-dage"}),
        ("", {"core.gul"}),
        (None, {"core.gul", "core.7-dage", "core.1-dag"}),
        ("14,99,x", {"core.gul", "core.14-dage"}),
    ],
)
def test_each_person_has_their_own_days(house: Installation, chosen: str | None, told: set[str]) -> None:
    mette = a_task(house, deadline=make.TODAY + 20 * DAY, yellow_from=make.TODAY + 10 * DAY)
    with house.database.writing() as session:
        session.add(NoticeSettings(person_id=mette.id, hour=9, days_before=chosen))
    for day in range(21):
        scan(house, make.NOW + day * DAY)
    with house.database.reading() as session:
        found = session.execute(select(Notice.occasion, Notice.withdrawn_at)).all()
    assert {occasion for occasion, _withdrawn in found} == told
    assert not [each for each in found if each.withdrawn_at]


def test_overtaking_is_each_persons_own(house: Installation) -> None:
    """Three days before the deadline one missed only yellow, the other the three days too."""
    with house.database.writing() as session:
        mette, jens = make.person(session), make.person(session, "Jens Bo")
        session.add(NoticeSettings(person_id=jens.id, hour=7, days_before="3"))
        row = make.municipal_task(session, deadline=make.TODAY + 3 * DAY, responsible=mette, executor=jens)
        row.created_at = make.NOW - 90 * DAY
    scan(house, make.NOW)
    with house.database.reading() as session:
        sent = session.execute(
            select(Notice.person_id, Notice.occasion).where(Notice.withdrawn_at.is_(None))
        ).all()
    assert sorted(map(tuple, sent)) == [(mette.id, "core.7-dage"), (jens.id, "core.3-dage")]


def test_the_leader_hears_after_five_working_days(house: Installation) -> None:
    """The deadline is a Friday before Christmas; the fifth working day after it is Tuesday the 29th."""
    a_task(house, deadline=date(2026, 12, 18))
    with house.database.writing() as session:
        make.person(session, "Anne Lind", level=Level.ADMINISTRATOR)
    told = None
    for day in range(45):
        scan(house, make.NOW + day * DAY)
        if told is None and rows(house, reminders.LEADER) != []:
            told = make.TODAY + day * DAY
    # Mon 21, Tue 22, Wed 23, Mon 28, Tue 29 December: Christmas Eve and the two days after are off.
    assert told == date(2026, 12, 29) == working_days_after(date(2026, 12, 18), 5)
    assert len(rows(house, reminders.LEADER)) == 1


def test_the_leader_may_be_left_out(tmp_path) -> None:
    for days, known in (("0", False), ("3", True)):
        house = Installation(make_settings(tmp_path, KLIK_LEADER_DAYS=days), plugins=())
        found = house.registry.notification_rules.get(reminders.LEADER)
        house.close()
        assert (found is not None) is known
    assert found is not None
    task = MunicipalTask(deadline=date(2026, 11, 27))
    assert found.due(task) == date(2026, 12, 2)  # type: ignore[arg-type]
