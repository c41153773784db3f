"""What is due, to whom, and once: the scan of deadlines and the composing of mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Mail, MunicipalTask, Notice, Person
from klik.plugins.contributions import NotificationRule
from klik.services.notices import scanning
from klik.services.notices.composing import compose
from klik.services.notices.mails import Sender, plain_text
from tests import make

SENDER = Sender("klik@klik.example", "https://klik.example")
DAY = timedelta(days=1)


def scan(house: Installation, now: datetime = make.NOW) -> int:
    with house.writing(now) as work:
        return scanning.scan_deadlines(work).written


def mail_them(house: Installation, now: datetime = make.NOW) -> int:
    with house.writing(now) as work:
        return compose(work, SENDER).mails


def read(house: Installation, statement: Any) -> Sequence[Any]:
    with house.database.reading() as session:
        rows = session.scalars(statement).all()
        session.expunge_all()
        return rows


def ledger(house: Installation) -> list[tuple[str, str | None]]:
    with house.database.reading() as session:
        return [
            (notice.occasion, notice.withdrawal_reason)
            for notice in session.scalars(select(Notice).order_by(Notice.id))
        ]


def a_task(house: Installation, deadline: date, **more: object) -> tuple[int, int]:
    with house.database.writing() as session:
        mette = make.person(session)
        task = make.municipal_task(session, deadline=deadline, responsible=mette, **more)  # type: ignore[arg-type]
        return task.id, mette.id


def at(day: date, hour: int = 7) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "occasion"),
    [(15, None), (14, "core.gul"), (8, "core.gul"), (7, "core.7-dage"), (1, "core.1-dag"), (0, "core.1-dag")],
)
def test_each_reminder_on_its_day(house: Installation, left: int, occasion: str | None) -> None:
    a_task(house, make.TODAY + left * DAY)
    scan(house)
    assert [row for row, withdrawn in ledger(house) if not withdrawn] == ([occasion] if occasion else [])


def test_red_is_the_day_after_the_deadline(house: Installation) -> None:
    a_task(house, make.TODAY - DAY)
    scan(house)
    assert [row for row, withdrawn in ledger(house) if not withdrawn] == ["core.roed"]


def test_running_twice_writes_once(house: Installation) -> None:
    a_task(house, make.TODAY + 7 * DAY)
    assert scan(house) > 0
    assert [scan(house) for _ in range(9)] == [0] * 9
    assert (mail_them(house), mail_them(house)) == (1, 0)


def test_three_days_without_a_worker_are_caught_up_and_marked_late(house: Installation) -> None:
    a_task(house, make.TODAY + 9 * DAY)
    scan(house)
    later = make.NOW + 5 * DAY
    scan(house, later)
    late = read(house, select(Notice).where(Notice.occasion == "core.7-dage"))[0]
    assert late.sentence == (
        "Fristen er mandag den 30. november 2026, om 4 dage. "
        "Varslet er forsinket: det skulle være sendt den 23. november 2026."
    )
    scan(house, later + DAY)
    assert [occasion for occasion, _ in ledger(house)].count("core.7-dage") == 1


def test_a_task_published_close_to_its_deadline_is_not_called_late(house: Installation) -> None:
    a_task(house, make.TODAY + 5 * DAY)
    scan(house)
    sentences = read(house, select(Notice.sentence).where(Notice.withdrawn_at.is_(None)))
    assert sentences == ["Fristen er torsdag den 26. november 2026, om 5 dage."]


def test_of_several_missed_only_the_newest_is_sent(house: Installation) -> None:
    a_task(house, make.TODAY + 20 * DAY)
    scan(house, make.NOW + 22 * DAY)
    assert sorted(ledger(house), key=str) == [
        ("core.1-dag", "overhalet af “Opgaven er blevet rød”"),
        ("core.7-dage", "overhalet af “Opgaven er blevet rød”"),
        ("core.gul", "overhalet af “Opgaven er blevet rød”"),
        ("core.roed", None),
    ]


def test_a_moved_deadline_reminds_anew(house: Installation) -> None:
    task_id, _ = a_task(house, make.TODAY + 7 * DAY)
    scan(house)
    mail_them(house)
    with house.database.writing() as session:
        session.execute(
            update(MunicipalTask)
            .where(MunicipalTask.id == task_id)
            .values(deadline=make.TODAY + 8 * DAY, yellow_from=make.TODAY - 6 * DAY, deadline_version=2)
        )
    scan(house, make.NOW + DAY)
    assert mail_them(house, make.NOW + DAY) == 1
    keys = read(house, select(Notice.dedupe_key).where(Notice.occasion == "core.7-dage"))
    assert sorted(key.split("/")[2] for key in keys) == ["v=1", "v=2"]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.NOT_RELEVANT])
def test_what_is_finished_before_the_mail_is_written_is_withdrawn(
    house: Installation, status: Status
) -> None:
    task_id, _ = a_task(house, make.TODAY - DAY)
    scan(house)
    with house.database.writing() as session:
        session.execute(update(MunicipalTask).where(MunicipalTask.id == task_id).values(status=status.value))
    assert mail_them(house) == 0
    assert ("core.roed", scanning.NO_LONGER_OPEN) in ledger(house)


def test_a_task_opened_again_brings_its_reminder_back(house: Installation) -> None:
    task_id, _ = a_task(house, make.TODAY - DAY)
    scan(house)
    for status, mails in ((Status.COMPLETED, 0), (Status.IN_PROGRESS, 1)):
        with house.database.writing() as session:
            session.execute(
                update(MunicipalTask).where(MunicipalTask.id == task_id).values(status=status.value)
            )
        scan(house)
        assert mail_them(house) == mails


def test_the_one_who_left_hears_nothing_and_the_new_one_does(house: Installation) -> None:
    task_id, mette_id = a_task(house, make.TODAY - DAY)
    scan(house)
    with house.database.writing() as session:
        jens = make.person(session, "Jens Friis", email="jens@koege.example")
        session.execute(update(Person).where(Person.id == mette_id).values(active=False))
        session.execute(
            update(MunicipalTask).where(MunicipalTask.id == task_id).values(responsible_id=jens.id)
        )
    scan(house)
    assert mail_them(house) == 1
    with house.database.reading() as session:
        assert session.scalars(select(Mail.address)).all() == ["jens@koege.example"]


def test_one_person_in_two_parts_gets_one_notice(house: Installation) -> None:
    with house.database.writing() as session:
        mette = make.person(session)
        make.municipal_task(session, deadline=make.TODAY - DAY, responsible=mette, executor=mette)
    scan(house)
    rows = read(house, select(Notice).where(Notice.withdrawn_at.is_(None)))
    assert [row.reason for row in rows] == ["ansvarlig og udfører"]


def test_a_role_stands_for_its_holder(house: Installation) -> None:
    with house.database.writing() as session:
        holder = make.person(session, level=Level.USER)
        make.holding(session, "systemansvarlig", holder=holder)
        task = make.municipal_task(session, deadline=make.TODAY - DAY)
        session.execute(
            update(MunicipalTask)
            .where(MunicipalTask.id == task.id)
            .values(responsible_role="systemansvarlig")
        )
    scan(house)
    (row,) = read(house, select(Notice).where(Notice.withdrawn_at.is_(None)))
    assert (row.person_id, row.reason) == (holder.id, "ansvarlig som systemansvarlig (primær)")


def test_without_anybody_the_plus_user_hears_and_is_told_why(house: Installation) -> None:
    with house.database.writing() as session:
        plus = make.person(session, systems=("kp",)) if make.system(session) else None
        make.municipal_task(session, deadline=make.TODAY - DAY)
    assert plus is not None
    scan(house)
    (row,) = read(house, select(Notice).where(Notice.withdrawn_at.is_(None)))
    assert row.reason == "plusbruger for systemet; opgaven har hverken ansvarlig eller udfører"


def test_due_reminders_of_one_person_share_a_mail(house: Installation) -> None:
    with house.database.writing() as session:
        mette = make.person(session)
        for left in (-1, -2, 3, 4, 5):
            make.municipal_task(session, deadline=make.TODAY + left * DAY, responsible=mette)
    scan(house)
    assert mail_them(house) == 1
    with house.database.reading() as session:
        assert session.scalars(select(Mail.subject)).one() == "klik: 2 røde og 3 gule opgaver i Køge"


def test_a_mail_holds_its_own_municipality_only(house: Installation) -> None:
    canaries = {code: f"KANARIE{code}" for code in (make.KOEGE, make.HERNING, make.AARHUS)}
    with house.database.writing() as session:
        for code, word in canaries.items():
            person = make.person(session, municipality=code, email=f"p@{code}.example")
            make.municipal_task(
                session,
                local=True,
                title=word,
                municipality=code,
                deadline=make.TODAY - DAY,
                responsible=person,
            )
    scan(house)
    assert mail_them(house) == 3
    with house.database.reading() as session:
        for mail in session.scalars(select(Mail)):
            own = int(mail.address.partition("@")[2].partition(".")[0])
            text = plain_text(mail.content)
            assert [code for code, word in canaries.items() if word in text] == [own]


def test_a_shared_mailbox_never_mixes_municipalities(house: Installation) -> None:
    with house.database.writing() as session:
        for code in (make.KOEGE, make.HERNING):
            make.holding(session, "systemansvarlig", mailbox="it@faelles.example", municipality=code)
            task = make.municipal_task(session, municipality=code, deadline=make.TODAY - DAY)
            session.execute(
                update(MunicipalTask)
                .where(MunicipalTask.id == task.id)
                .values(responsible_role="systemansvarlig")
            )
    scan(house)
    assert mail_them(house) == 2


def test_a_cpr_number_never_leaves(house: Installation) -> None:
    a_task(house, make.TODAY - DAY, title="Borger 010190-1234 mangler", local=True)
    scan(house)
    mail_them(house)
    (mail,) = read(house, select(Mail))
    assert "Borger xxxxxx-xxxx mangler" in plain_text(mail.content)
    assert b"010190" not in mail.content
    assert "010190" not in mail.subject


def test_a_reminder_that_waited_overnight_is_worded_anew(house: Installation) -> None:
    a_task(house, make.TODAY + DAY)
    scan(house)
    mail_them(house, make.NOW + DAY)
    with house.database.reading() as session:
        text = plain_text(session.scalars(select(Mail.content)).one())
    assert "i dag, søndag den 22. november 2026" in text
    assert "i morgen, " not in text


@pytest.mark.parametrize(
    "deadline", [date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29), date(2026, 12, 31)]
)
def test_two_weeks_hour_by_hour_each_reminder_once_on_its_danish_day(
    house: Installation, deadline: date
) -> None:
    with house.database.writing() as session:
        mette = make.person(session)
        task = make.municipal_task(
            session, deadline=deadline, yellow_from=deadline - 9 * DAY, responsible=mette
        )
        session.execute(
            update(MunicipalTask)
            .where(MunicipalTask.id == task.id)
            .values(created_at=at(deadline - 60 * DAY))
        )
    moment = datetime(deadline.year, deadline.month, deadline.day, tzinfo=UTC) - 10 * DAY
    for hour in range(24 * 13):
        scan(house, moment + timedelta(hours=hour))
    rows = read(house, select(Notice).order_by(Notice.id))
    assert [(row.occasion, danish_today(row.created_at)) for row in rows] == [
        ("core.gul", deadline - 9 * DAY),
        ("core.7-dage", deadline - 7 * DAY),
        ("core.1-dag", deadline - DAY),
        ("core.roed", deadline + DAY),
    ]
    assert not [row for row in rows if "forsinket" in row.sentence]


def test_a_plug_ins_rule_is_told_and_its_bad_task_spoils_only_itself(house: Installation) -> None:
    def due(task: object) -> date | None:
        if "giftig" in task.title:  # type: ignore[attr-defined]
            raise RuntimeError("boom")
        return make.TODAY

    rule = NotificationRule(
        key="ksd.stop",
        label="Stop for KSD",
        due=due,
        heading=lambda task, _day: f"Stop: {task.title}",
        sentence=lambda _task, _day: "KSD stopper i dag.",
    )
    with house.database.writing() as session:
        mette = make.person(session)
        for title in ("giftig", "sund"):
            make.municipal_task(session, local=True, title=title, responsible=mette)
    with house.writing(make.NOW) as work:
        rules = {**work.registry.notification_rules, rule.key: rule}
        scanning.scan_deadlines(replace(work, registry=replace(work.registry, notification_rules=rules)))
    with house.database.reading() as session:
        assert session.scalars(select(Notice.heading)).all() == ["Stop: sund"]
    assert house.registry.guard.faults() == {"ksd.stop/dag": "RuntimeError"}
