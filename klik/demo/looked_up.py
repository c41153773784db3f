"""Who looked up people of Køge lately."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from klik.demo.people import KOEGE
from klik.models import Membership
from klik.services.roles import lookups
from klik.services.roles.lookups import Lookup
from klik.services.work import Actor, Work


def fill(work: Work, mette: Actor, jens: Actor, editor: Actor) -> None:
    """What the administrator of Køge finds under "Se, hvem der har slået personer op"."""
    somebody = work.session.scalar(
        select(Membership.person_id)
        .where(
            Membership.municipality_id == KOEGE,
            Membership.person_id.not_in((mette.person_id, jens.person_id)),
        )
        .order_by(Membership.id)
        .limit(1)
    )
    for days, actor, lookup in (
        (9, editor, Lookup("galleri", "", 14, KOEGE)),
        (6, jens, Lookup("personer", "", 9, KOEGE)),
        (2, mette, Lookup("rolle", "systemansvarlig", 3, KOEGE)),
        (1, mette, Lookup("person", "", 1, KOEGE, somebody)),
    ):
        lookups.note(replace(work, now=work.now - timedelta(days=days), actor=actor), lookup)
