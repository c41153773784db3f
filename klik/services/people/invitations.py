"""Invitations that wait for an answer: who has not chosen a password yet, and until when the mailed link works."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from klik.models import Membership, Person, SecretToken
from klik.services import access, auditing
from klik.services.errors import NotFoundError, RefusedError
from klik.services.people import new_passwords
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Invitation:
    """That somebody is let in and has never chosen a password.

    ``sent_at`` is when the newest link was made, None when there was never one; ``expires_at`` is empty where no
    link works any more.
    """

    sent_at: datetime | None
    expires_at: datetime | None


def of(work: Work, person_ids: Collection[int]) -> Mapping[int, Invitation]:
    """The invitations among these people, by person; two statements. Whether the actor may know is the caller's."""
    unanswered = set(
        work.session.scalars(
            select(Person.id).where(
                Person.id.in_(sorted(person_ids)), Person.active.is_(True), Person.password_hash.is_(None)
            )
        )
    )
    found = {person_id: Invitation(None, None) for person_id in unanswered}
    if not unanswered:
        return found
    for token in work.session.scalars(
        select(SecretToken)
        .where(SecretToken.person_id.in_(sorted(unanswered)), SecretToken.purpose == new_passwords.PURPOSE)
        .order_by(SecretToken.created_at, SecretToken.id)
    ):
        works = token.used_at is None and token.expires_at is not None and token.expires_at > work.now
        found[token.person_id] = Invitation(token.created_at, token.expires_at if works else None)
    return found


def send_again(work: Work, membership_id: int) -> Membership:
    """Mail a new link, which works for seven days; the one before it dies.

    Raises NotFoundError for somebody without access or with a password already, and RefusedError (key person) when
    there were too many within the hour.
    """
    member = waiting(work, membership_id)
    if new_passwords.too_many(work, member.person):
        raise RefusedError(
            {"person": "Der er sendt flere links inden for den seneste time. Vent lidt, og prøv igen."}
        )
    new_passwords.welcome(work, member.person, member)
    auditing.record(
        work,
        "invitation-send-igen",
        f"person/{member.person_id}",
        {"membership": member.id},
        member.municipality_id,
    )
    return member


def waiting(work: Work, membership_id: int) -> Membership:
    """A membership to administer whose person has never chosen a password; raises NotFoundError."""
    member = access.membership(work, membership_id)
    person = member.person
    if not (member.active and person.active) or person.password_hash is not None:
        raise NotFoundError
    return member
