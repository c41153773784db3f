"""Somebody in Køge leaves in a week: it is written down who takes over, and the gallery says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from klik.demo.people import Staff
from klik.domain.rights import Level
from klik.services.departures import announcing, plan
from klik.services.departures.announcing import Wanted
from klik.services.work import Actor, Work

NOTE = (
    "Tak for nu. Mine noter til KP ligger som kommentarer på opgaverne, og leverandøren holder "
    "statusmøde hver torsdag kl. 10; jeg har sendt indkaldelsen videre."
)
DAYS = 8


def fill(work: Work, staff: Staff, member: Callable[[Work, Staff, str, Level], Actor]) -> None:
    """Jens stops; whoever the page proposes takes over, and Mette where it proposes nobody."""
    leaves = member(work, staff, "plusbruger", Level.PLUS_USER)
    act = replace(work, actor=member(work, staff, "administrator", Level.ADMINISTRATOR))
    last_day = work.today + timedelta(days=DAYS)
    found = announcing.leaver(act, leaves.membership_id)
    mette = staff.ids["programleder"]
    heirs = {key: heir or mette for key, heir in plan.proposed(act, found, last_day).items()}
    announcing.announce(act, leaves.membership_id, Wanted(last_day, NOTE, heirs), 0)
