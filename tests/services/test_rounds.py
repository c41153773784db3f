"""Which round a day lies in, whom it asks, and what is told: one mail a person, a reminder, a list, each once."""

from __future__ import annotations

import email
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from email import policy
from pathlib import Path

import pytest
from sqlalchemy import select, update

from klik import jobs
from klik.domain.rights import Level
from klik.domain.working_days import day_off
from klik.installation import Installation
from klik.models import AuditEntry, Mail, Membership, Notice, Person, RoleAnswer, RoleHolding
from klik.services import control
from klik.services.errors import ForbiddenError
from klik.services.notices import checking, ledger, still_you
from klik.services.notices.composing import compose
from klik.services.notices.mails import Sender
from klik.services.roles import rounds
from klik.services.roles.rounds import Round
from tests import make
from tests.make import HERNING, KOEGE

DAY = timedelta(days=1)
# The first working day of September 2026 is Tuesday the 1st.
BEGINS = datetime(2026, 9, 1, 7, 0, tzinfo=make.NOW.tzinfo)
SENDER = Sender("klik@klik.example", "https://klik.example", "a secret of some length that signs")
SNAPSHOT = Path(__file__).parent / "snapshots" / "er-det-stadig-dig.txt"


def brute(day: date) -> str:
    """The oracle: walk back to the last day that is the first working day of March or September."""
    while True:
        earlier = [day.replace(day=number) for number in range(1, day.day)]
        if day.month in (3, 9) and not day_off(day) and all(day_off(each) for each in earlier):
            return f"{day.year}-{1 if day.month == 3 else 2}"
        day -= DAY


def test_every_day_of_six_years_lies_in_one_round() -> None:
    day = date(2024, 1, 1)
    while day < date(2030, 1, 1):
        found = rounds.of(day)
        assert found.slug == brute(day)
        assert found.begins <= day <= found.last_day
        assert rounds.named(found.slug) == found
        # Every day where rounds meet, and now and then between.
        day += DAY if day.day < 10 else 5 * DAY
    assert Round(2026, 2).begins == date(2026, 9, 1)
    assert Round(2026, 2).last_day == date(2027, 2, 28)
    assert (Round(2026, 1).begins, rounds.of(date(2026, 3, 1)).slug) == (date(2026, 3, 2), "2025-2")
    assert [rounds.named(each) for each in ("2026-3", "x", "", "2026-2/")] == [None] * 4


def held(
    house: Installation,
    name: str = "Jens Holm",
    roles: Sequence[str] = ("systemansvarlig",),
    municipality: int = KOEGE,
) -> int:
    """Somebody who came to the roles long before the round and was last confirmed in spring."""
    with house.database.writing() as session:
        row = make.person(session, name, level=Level.USER, municipality=municipality)
        for role in roles:
            older(make.holding(session, role, holder=row, municipality=municipality))
        return row.id


def older(row: RoleHolding) -> RoleHolding:
    row.valid_from, row.confirmed_at = BEGINS.date() - 300 * DAY, BEGINS - 180 * DAY
    return row


@pytest.fixture
def chief(house: Installation) -> int:
    """The municipality's administrator."""
    with house.database.writing() as session:
        return make.person(session, "Anne Lind", level=Level.ADMINISTRATOR, email="anne@koege.example").id


def run(house: Installation, days: int = 0) -> int:
    now = BEGINS + days * DAY
    with house.reading(now) as work:
        drafts = still_you.lacking(work)
    with house.writing(now) as work:
        return ledger.enqueue(work, drafts)


def told(house: Installation) -> list[tuple[int | None, str, str]]:
    with house.database.reading() as session:
        rows = session.scalars(
            select(Notice).where(Notice.occasion == still_you.OCCASION).order_by(Notice.id)
        )
        return [(row.person_id, row.heading, row.path) for row in rows]


def change(house: Installation, model: type, where: object, **values: object) -> None:
    with house.database.writing() as session:
        session.execute(update(model).where(where).values(**values))  # type: ignore[arg-type]


def test_one_mail_with_all_roles_a_reminder_and_a_list_each_once(house: Installation, chief: int) -> None:
    jens = held(house, roles=("systemansvarlig", "superbruger"))
    assert run(house, -1) == 0, "confirmed in the round before"
    assert [run(house) for _ in range(10)] == [1, *[0] * 9]
    assert [run(house, days) for days in (1, 13, 14, 14, 27, 28, 28, 40, 179)] == [0, 0, 1, 0, 0, 1, 0, 0, 0]
    assert told(house) == [
        (jens, "2 roller skal bekræftes", "/roller/bekraeft"),
        (jens, "Påmindelse: 2 roller skal bekræftes", "/roller/bekraeft"),
        (chief, "2 roller er ikke bekræftet", "/roller/svar"),
    ]
    with house.database.reading() as session:
        sentences = list(session.scalars(select(Notice.sentence).order_by(Notice.id)))
    assert "Du står i rollegalleriet som systemansvarlig for " in sentences[0]
    assert sentences[2].startswith("Jens Holm: systemansvarlig for ")


@pytest.mark.parametrize(
    ("confirmed", "asked"),
    [(-30, 0), (-31, 1), (0, 0), (None, 1)],
    ids=["30 days before", "31", "in it", "never"],
)
def test_who_was_confirmed_just_before_is_not_asked(
    house: Installation, confirmed: int | None, asked: int
) -> None:
    held(house)
    at = None if confirmed is None else BEGINS + confirmed * DAY
    change(house, RoleHolding, RoleHolding.id > 0, confirmed_at=at)
    assert run(house) == asked


@pytest.mark.parametrize(("begun", "asked"), [(-1, 1), (0, 0)])
def test_a_holding_that_began_in_the_round_is_not_asked(house: Installation, begun: int, asked: int) -> None:
    held(house)
    change(house, RoleHolding, RoleHolding.id > 0, valid_from=BEGINS.date() + begun * DAY, confirmed_at=None)
    assert run(house, 3) == asked


@pytest.mark.parametrize("how", ["confirmed", "proposed", "ended", "left", "disabled"])
def test_after_an_answer_or_an_end_there_is_no_reminder(house: Installation, chief: int, how: str) -> None:
    jens = held(house)
    assert run(house) == 1
    if how == "confirmed":
        change(house, RoleHolding, RoleHolding.id > 0, confirmed_at=BEGINS + 2 * DAY)
    elif how == "proposed":
        with house.database.writing() as session:
            number = session.scalars(select(RoleHolding.id)).one()
            session.add(
                RoleAnswer(
                    municipality_id=KOEGE,
                    role_holding_id=number,
                    round="2026-2",
                    answer="tom",
                    answered_at=BEGINS,
                )
            )
    elif how == "ended":
        change(house, RoleHolding, RoleHolding.id > 0, valid_to=BEGINS.date() + DAY)
    elif how == "left":
        change(house, Membership, Membership.person_id == jens, active=False)
    else:
        change(house, Person, Person.id == jens, active=False)
    assert [run(house, 14), run(house, 28)] == [0, 0]


def test_each_municipality_asks_by_itself_and_a_mailbox_too(house: Installation, chief: int) -> None:
    jens = held(house)
    with house.database.writing() as session:
        person = session.get_one(Person, jens)
        session.add(
            Membership(person_id=person.id, municipality_id=HERNING, level=Level.USER.value, since=make.TODAY)
        )
        session.flush()
        older(make.holding(session, holder=person, municipality=HERNING))
        older(make.holding(session, "superbruger", mailbox="it@koege.example"))
    assert run(house) == 3
    with house.database.reading() as session:
        rows = session.scalars(select(Notice).order_by(Notice.dedupe_key)).all()
        assert all(still_you.is_own(row) for row in rows)
        assert {(row.municipality_id, row.address) for row in rows if row.person_id is None} == {
            (KOEGE, "it@koege.example")
        }
        sentence = next(row.sentence for row in rows if row.person_id is None)
        assert sentence.startswith(
            "Er det stadig jer? Postkassen it@koege.example står i rollegalleriet som "
        )


def test_where_mails_come_back_a_stand_in_is_asked_and_gets_no_link(house: Installation, chief: int) -> None:
    jens = held(house)
    with house.database.writing() as session:
        make.bounced(session, session.get_one(Person, jens).email)
    assert run(house) == 2
    assert sorted(told(house), key=str) == sorted(
        [
            (jens, "1 rolle skal bekræftes", "/roller/bekraeft"),
            (chief, "Skal bekræftes: 1 rolle hos Jens Holm", "/roller"),
        ],
        key=str,
    )
    with house.database.reading() as session:
        own = {row.person_id: still_you.is_own(row) for row in session.scalars(select(Notice))}
    assert own == {jens: True, chief: False}


def test_begun_in_the_middle_of_a_round_nothing_comes_all_at_once(house: Installation, chief: int) -> None:
    held(house)
    assert [run(house, days) for days in (80, 81, 93, 94, 107, 108)] == [1, 0, 0, 1, 0, 1]


def test_the_control_finds_what_was_lost_and_heals_it(house: Installation, chief: int) -> None:
    held(house)
    with house.writing(BEGINS + 3 * DAY) as work:
        found = control.examine(work)
        assert found.tallies[still_you.OCCASION].missing == 1
        control.heal(work, found)
        assert control.examine(work).tallies[still_you.OCCASION].missing == 0
    with house.writing(BEGINS + 19 * DAY) as work:
        found = control.examine(work)
        assert found.tallies[still_you.OCCASION].missing == 1, "the reminder"
        control.heal(work, found)
        assert control.examine(work).tallies[still_you.OCCASION].missing == 0


def test_the_job_asks(house: Installation) -> None:
    held(house)
    for said in ("1 nyt varsel er skrevet ind.", "0 nye varsler er skrevet ind."):
        assert jobs.scan_deadlines(house, BEGINS).sentence == said


def test_the_share_confirmed_of_each_municipality(house: Installation, chief: int) -> None:
    jens = held(house, roles=("systemansvarlig", "superbruger", "systemejer"))
    held(house, "Bo", municipality=HERNING)
    with house.database.writing() as session:
        first = session.scalars(select(RoleHolding).where(RoleHolding.person_id == jens)).first()
        assert first is not None
        first.confirmed_at = BEGINS + DAY
        kim = make.person(session, "Kim", level=Level.KOMBIT_EDITOR, municipality=None)
        anne = session.get_one(Person, chief)
        kombit, own = make.actor(session, kim), make.actor(session, anne)
        make.bounced(session, session.get_one(Person, jens).email)
    with house.reading(BEGINS + 2 * DAY, kombit) as work:
        found = rounds.shares(work)
        assert len(found) == 98
        assert [(each.municipality_id, each.confirmed, each.total, each.percent) for each in found[:2]] == [
            (HERNING, 0, 1, 0),
            (KOEGE, 1, 3, 33),
        ]
        assert (found[1].returned, found[1].overdue) == (3, 0)
    with house.reading(BEGINS + 400 * DAY, kombit) as work:
        assert {each.municipality_id: each.overdue for each in rounds.shares(work)[:2]} == {
            HERNING: 1,
            KOEGE: 3,
        }
    with house.reading(BEGINS + 2 * DAY, own) as work:
        assert rounds.share(work, KOEGE).confirmed == 1
        assert rounds.share(work, HERNING).total == 0, "another municipality's is not seen"
        with pytest.raises(ForbiddenError):
            rounds.shares(work)


def test_the_mail_as_it_reads(house: Installation, chief: int) -> None:
    jens = held(house, roles=("systemansvarlig", "superbruger"))
    run(house)
    with house.writing(BEGINS) as work:
        compose(work, SENDER)
        content = work.session.scalars(select(Mail.content).where(Mail.person_id == jens)).one()
    message = email.message_from_bytes(content, policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    text = f"{message['Subject']}\n\n" + re.sub(r"rolle\.[\w.-]+", "rolle.TOKEN", body.get_content())
    assert text.replace("\r\n", "\n") == SNAPSHOT.read_text("utf-8")


@pytest.mark.parametrize("how", ["confirmed", "one of two", "ended", "nothing"])
def test_an_ask_that_waits_is_taken_back_when_nothing_is_left_to_confirm(
    house: Installation, chief: int, how: str
) -> None:
    jens = held(house, roles=("systemansvarlig", "superbruger"))
    assert run(house) == 1
    with house.database.reading() as session:
        first = session.scalars(select(RoleHolding.id).order_by(RoleHolding.id)).first()
    if how == "confirmed":
        change(house, RoleHolding, RoleHolding.id > 0, confirmed_at=BEGINS)
    elif how == "one of two":
        change(house, RoleHolding, RoleHolding.id == first, confirmed_at=BEGINS)
    elif how == "ended":
        change(house, RoleHolding, RoleHolding.id > 0, valid_to=BEGINS.date() - DAY)
    with house.writing(BEGINS) as work:
        compose(work, SENDER)
        mails = len(work.session.scalars(select(Mail.id).where(Mail.person_id == jens)).all())
        reason = work.session.scalars(select(Notice.withdrawal_reason)).one()
    assert (mails, reason) == ((0, checking.ANSWERED) if how in ("confirmed", "ended") else (1, None))


def test_the_list_is_taken_back_only_when_everybody_has_answered(house: Installation, chief: int) -> None:
    jens, _bo = held(house), held(house, "Bo Lund", ("superbruger",))
    for days in (0, 28):
        run(house, days)
    change(house, RoleHolding, RoleHolding.person_id == jens, confirmed_at=BEGINS)
    with house.reading(BEGINS + 28 * DAY) as work:
        rows = work.session.scalars(select(Notice).order_by(Notice.id)).all()
        moot = still_you.moot(work, rows)
        assert {row.person_id for row in rows if row.id in moot} == {jens}
        assert chief in {row.person_id for row in rows}


@pytest.mark.parametrize("how", ["ended", "left", "still there"])
def test_a_proposal_lapses_with_its_holding_and_the_proposed_name_goes(house: Installation, how: str) -> None:
    jens = held(house)
    with house.database.writing() as session:
        session.add(
            RoleAnswer(
                municipality_id=KOEGE,
                role_holding_id=session.scalars(select(RoleHolding.id)).one(),
                round="2026-2",
                answer="ny",
                person_id=jens,
                proposed_name="Sofie Winther",
                proposed_email="sofie@koege.example",
                note="Fra årsskiftet",
                answered_at=BEGINS,
            )
        )
    if how == "ended":
        change(house, RoleHolding, RoleHolding.id > 0, valid_to=BEGINS.date() + DAY)
    elif how == "left":
        change(house, Membership, Membership.person_id == jens, active=False)
    for _again in range(2):
        jobs.scan_deadlines(house, BEGINS + 2 * DAY)
    with house.database.reading() as session:
        row = session.scalars(select(RoleAnswer)).one()
        found = (row.settled_as, row.settled_by, row.proposed_name, row.proposed_email, row.note)
        audited = session.scalars(
            select(AuditEntry.action).where(AuditEntry.action == "rolle-svar-bortfaldet")
        )
        assert len(audited.all()) == (how != "still there")
    if how == "still there":
        assert found == (None, None, "Sofie Winther", "sofie@koege.example", "Fra årsskiftet")
    else:
        assert found == ("bortfaldet", None, None, None, None)
