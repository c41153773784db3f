"""What the canary world holds of the role gallery beside the holdings themselves."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from klik.models import Departure, DepartureHeir, GalleryLookup, Person, RoleAnswer, RoleEdition

STEERING = {
    "departure_heirs": "what",
    "gallery_lookups": "dedupe_key kind subject",
    "role_answers": "round answer settled_as",
    "role_editions": "role content",
    "role_readings": "role",
}


def central(session: Session, now: datetime) -> None:
    """An earlier version of a role's description, which everybody may read."""
    session.add(
        RoleEdition(role="systemansvarlig", version=0, change="x", content="{}", known_from=now.date())
    )
    session.flush()


def of_place(
    session: Session, place: int, staff: dict[str, Person], holding: int, now: datetime, last_day: date
) -> dict[str, int]:
    """An answer, somebody who is to leave with an heir, and a look-up; their ids by name."""
    answer = RoleAnswer(
        municipality_id=place,
        role_holding_id=holding,
        round="2026-2",
        answer="ny",
        person_id=staff["bruger"].id,
        answered_at=now - timedelta(days=1),
        proposed_name="x",
        proposed_email="x",
        note="x",
    )
    departure = Departure(
        municipality_id=place,
        person_id=staff["laeser"].id,
        last_day=last_day,
        note="x",
        created_by=staff["administrator"].id,
        created_at=now,
    )
    session.add_all([answer, departure])
    session.flush()
    session.add(
        DepartureHeir(
            departure_id=departure.id, municipality_id=place, what="opgaver", person_id=staff["bruger"].id
        )
    )
    session.add(
        GalleryLookup(
            dedupe_key=f"x/{place}",
            at=now,
            membership_id=staff["laeser"].memberships[0].id,
            municipality_id=place,
            kind="galleri",
            subject="x",
            about_person_id=staff["bruger"].id,
            people=1,
        )
    )
    session.flush()
    return {"answer": answer.id, "departure": departure.id}
