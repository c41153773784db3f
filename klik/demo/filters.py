"""The demo's saved filters: own, shared and subscribed ones, and one that points at somebody who left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from klik.demo.people import KOEGE, Staff
from klik.domain.rights import Level
from klik.domain.texts import sort_key
from klik.models import FilterUse, Membership, Person, RoleHolding
from klik.services import filtering
from klik.services.people import acting
from klik.services.saved_filters import DAILY, WEEKLY, saving, sharing, uses
from klik.services.work import Actor, Work

RED_YELLOW = "deadline=roed&deadline=gul&status=ikke-paabegyndt"
PLACES = (KOEGE, 657, 751, 825)


def fill(work: Work, staff: Mapping[int, Staff], editor: Actor) -> None:
    """What the programledere of four municipalities, Køge's administrator and KOMBIT have saved."""
    kombit = replace(work, actor=editor)
    everywhere = _save(kombit, "Infrastruktur: rød eller gul", "deadline=gul&deadline=roed&infrastruktur=ja")
    sharing.share(kombit, everywhere)
    for code in PLACES:
        leader = _as(work, staff[code], "programleder")
        morning = _save(leader, "Rød/gul ej påbegyndt", RED_YELLOW)
        uses.pin(leader, morning)
        uses.make_default(leader, morning)
        uses.subscribe(leader, morning, DAILY)
        _save(leader, "Mine opgaver", "ansvarlig=mig")
        _save(leader, "Rød pr. ansvarlig", "deadline=roed&grupper=ansvarlig")
        _save(leader, "Infrastruktur de næste 30 dage", "infrastruktur=ja&deadline=idag..idag%2B30")
    _in_koege(work, staff[KOEGE], everywhere)
    # Asked for yesterday, so that the first morning run has something to send.
    work.session.execute(update(FilterUse).values(chosen_on=work.today - timedelta(days=8)))


def _in_koege(work: Work, staff: Staff, everywhere: int) -> None:
    administrator = _as(work, staff, "administrator")
    meeting = _save(administrator, "Til projektmødet", "deadline=gul&deadline=roed&status=i-gang")
    sharing.share(administrator, meeting)
    sharing.open_with(administrator, meeting, [Level.USER.value, Level.READER.value])
    leader = _as(work, staff, "programleder")
    uses.pin(leader, meeting)
    uses.subscribe(leader, everywhere, WEEKLY)
    gone = _somebody_who_left(work, staff)
    _save(leader, "Jens Hansens opgaver", f"ansvarlig={gone}&deadline=gul&deadline=roed")


def _somebody_who_left(work: Work, staff: Staff) -> int:
    """A superbruger who has left; the one who came after holds the roles today."""
    person = Person(
        name="Jens Hansen",
        name_key=sort_key("Jens Hansen"),
        email="jens.hansen@koege.example",
        email_key="jens.hansen@koege.example",
        active=False,
        created_at=work.now,
    )
    work.session.add(person)
    work.session.flush()
    work.session.add(
        Membership(
            person_id=person.id,
            municipality_id=KOEGE,
            level=Level.USER.value,
            active=False,
            since=work.today - timedelta(days=700),
            ended_on=work.today - timedelta(days=20),
        )
    )
    work.session.flush()
    for holding in work.session.scalars(
        select(RoleHolding).where(
            RoleHolding.municipality_id == KOEGE,
            RoleHolding.role == "superbruger",
            RoleHolding.person_id == staff.ids["bruger"],
        )
    ):
        work.session.add(
            RoleHolding(
                municipality_id=KOEGE,
                role=holding.role,
                system_code=holding.system_code,
                person_id=person.id,
                is_primary=False,
                valid_from=work.today - timedelta(days=650),
                valid_to=work.today - timedelta(days=20),
            )
        )
    work.session.flush()
    return person.id


def _save(work: Work, name: str, query: str) -> int:
    return saving.save(work, name, filtering.read(work.registry, query)).id


def _as(work: Work, staff: Staff, box: str) -> Work:
    member = work.session.scalars(select(Membership).where(Membership.person_id == staff.ids[box])).one()
    return replace(work, actor=acting.actors(work, [member.id])[member.id])
