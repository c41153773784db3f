"""People on their way in: invitations that wait, somebody in two municipalities, places without an administrator."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from klik.demo.people import KOEGE, Staff
from klik.domain.rights import Level
from klik.models import Membership, Municipality, Person
from klik.services import people
from klik.services.people import NewPerson
from klik.services.work import Actor, Work

HERNING = 657
# Small places whose administrator has left, and where KOMBIT has to let the next one in.
WITHOUT = ("Fanø", "Samsø")
INVITED = (
    ("Torben Dahl", "torben.dahl@koege.example", Level.READER, 19),
    ("Signe Lund", "signe.lund@koege.example", Level.USER, 2),
)


def fill(work: Work, koege: Staff, karen: Actor) -> None:
    """Two invitations of Karen's, one still good, and Bente as a reader in Herning too."""
    for name, email, level, days in INVITED:
        then = replace(work, now=work.now - timedelta(days=days), actor=karen)
        people.invite(then, NewPerson(name=name, email=email, level=level, municipality_id=KOEGE))
    bente = work.session.get_one(Person, koege.ids["laeser"])
    people.add(
        work.as_system(),
        NewPerson(name=bente.name, email=bente.email, level=Level.READER, municipality_id=HERNING),
    )


def leave_without(work: Work) -> None:
    """Close the access of the administrators who have left."""
    places = select(Municipality.id).where(Municipality.name.in_(WITHOUT))
    work.session.execute(
        update(Membership)
        .where(Membership.municipality_id.in_(places), Membership.level == Level.ADMINISTRATOR.value)
        .values(active=False, ended_on=work.today - timedelta(days=9))
    )
