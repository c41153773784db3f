"""The round in Køge: most have confirmed, Jens proposes somebody new, Mette is asked, one role is a year behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from sqlalchemy import select, update

from klik.demo.people import Staff
from klik.models import RoleHolding
from klik.services.holders import HOLDER
from klik.services.notices import ledger, still_you
from klik.services.roles import answering, asking, rounds
from klik.services.roles.answering import SOMEBODY_NEW, Answer
from klik.services.roles.asking import Asked
from klik.services.work import Work

DAY = timedelta(days=1)
A_HOUR = timedelta(hours=1)
FORGOTTEN = timedelta(days=390)
# Who came so lately, or is to come, is in the story of the gallery (klik.demo.gallery).
NEWCOMERS = timedelta(days=55)
NEW = Answer(
    SOMEBODY_NEW, "Sofie Winther", "sofie.winther@koege.example", "Sofie overtager efter mig ved årsskiftet."
)


def fill(work: Work, staff: Staff) -> None:
    """What was asked and answered since the round began, by the real services as of those days."""
    begins = datetime.combine(rounds.of(work.today).begins, time(7), work.now.tzinfo)
    _before(work, staff, begins)
    leader = Asked(staff.municipality, staff.ids["programleder"])
    for days in (0, 14, 28):
        then = replace(work, now=begins + days * DAY)
        if then.now < work.now - DAY:
            told = still_you.lacking(then)
            ledger.enqueue(then, [each for each in told if each.recipient.person_id != leader.person_id])
        if days == 0:
            _answer(work, staff, begins)
    own = [each for each in still_you.lacking(work) if each.recipient.person_id == leader.person_id]
    ledger.enqueue(work, [replace(each, due_at=work.now) for each in own])


def _before(work: Work, staff: Staff, begins: datetime) -> None:
    """Elsewhere six of seven roles were confirmed as the round began; in Køge none, and one not for a year."""
    last = min(begins + 3 * DAY, work.now - A_HOUR)
    elsewhere = RoleHolding.municipality_id != staff.municipality
    work.session.execute(
        update(RoleHolding).where(elsewhere, RoleHolding.id % 7 != 0).values(confirmed_at=last),
        execution_options={"synchronize_session": False},
    )
    here = work.session.scalars(
        select(RoleHolding)
        .where(
            RoleHolding.municipality_id == staff.municipality,
            RoleHolding.kind == HOLDER,
            RoleHolding.valid_to.is_(None),
            RoleHolding.valid_from < work.today - NEWCOMERS,
        )
        .order_by(RoleHolding.id)
    )
    for each in here:
        each.valid_from = min(each.valid_from, begins.date() - 250 * DAY)
        forgotten = (each.role, each.system_code) == ("superbruger", "ky")
        each.confirmed_at = work.now - FORGOTTEN if forgotten else begins - 160 * DAY
        each.valid_from = (
            min(each.valid_from, (work.now - FORGOTTEN).date()) if forgotten else each.valid_from
        )
    work.session.flush()


def _answer(work: Work, staff: Staff, begins: datetime) -> None:
    """Karen says yes to all of hers; Jens to all but one, which somebody else is to have."""
    for box, days in (("administrator", 2), ("plusbruger", 5)):
        then = replace(work, now=min(begins + days * DAY, work.now - A_HOUR))
        who = Asked(staff.municipality, staff.ids[box])
        own = [each for each in asking.questions(then, who) if each.open]
        given_up = [each for each in own if box == "plusbruger" and each.holding.role == "systemansvarlig"][
            :1
        ]
        answering.confirm_all(then, who, {each.id for each in own} - {each.id for each in given_up})
        if given_up:
            answering.answer(then, who, {given_up[0].id: NEW})
