"""Choosing a password: by a link in a mail that works once, or by knowing the old one."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from klik.domain import municipality_names
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Membership, Municipality, Person, SecretToken
from klik.services import access, auditing
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.people import mailed_links, passwords, sessions
from klik.services.work import Work

PURPOSE = "ny-adgangskode"
VALID_FOR = timedelta(days=7)
FORGOTTEN_VALID_FOR = timedelta(hours=2)
USED_PATH = "/log-ind"


def welcome(work: Work, person: Person, member: Membership) -> None:
    """Tell somebody that they have access: with a link to choose a password when they have none yet."""
    place = "KOMBIT"
    if member.municipality_id is not None:
        place = municipality_names.formal(work.session.get_one(Municipality, member.municipality_id).name)
    if person.password_hash is None:
        _send_link(
            work,
            person,
            VALID_FOR,
            f"Du har fået adgang til klik ({place})",
            "Vælg en adgangskode med linket her. Det virker én gang og i 7 dage.",
        )
        return
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion="ny-adgang",
                dedupe_key=f"ny-adgang/{member.id}",
                recipient=Recipient(person.id, person.email, member.municipality_id, "har fået adgang"),
                heading=f"Du har også fået adgang til klik for {place}",
                sentence="Log ind, som du plejer.",
                path="/",
            )
        ],
    )


def forgot(work: Work, email: str) -> None:
    """Mail a link to the person with this address; an unknown address does nothing, and looks no different."""
    person = work.session.scalar(
        select(Person).where(Person.email_key == email.strip().casefold(), Person.active.is_(True))
    )
    if person is None:
        return
    if too_many(work, person):
        return
    _send_link(
        work.as_system(),
        person,
        FORGOTTEN_VALID_FOR,
        "Vælg en ny adgangskode til klik",
        "Brug linket her. Det virker én gang og i 2 timer. Har du ikke bedt om det, så gør ingenting; "
        "din nuværende adgangskode virker stadig.",
    )


def too_many(work: Work, person: Person) -> bool:
    """Whether so many links were made for the person within the hour that the next one has to wait."""
    return mailed_links.too_many(work, person, PURPOSE)


def _send_link(work: Work, person: Person, valid_for: timedelta, heading: str, sentence: str) -> None:
    revoke(work, person)
    token, secret = mailed_links.make(work, person, PURPOSE, valid_for)
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=access.SECRET_OCCASION,
                dedupe_key=_dedupe_key(token.id),
                # Of no municipality, so that it is no business of those who read its ledger.
                recipient=Recipient(person.id, person.email, None, "egen adgang"),
                heading=heading,
                sentence=sentence,
                path=f"/adgangskode/{secret}",
            )
        ],
    )
    auditing.record(work, "adgangskode-link", f"person/{person.id}", {"token": token.id})


def _dedupe_key(token_id: int) -> str:
    return f"{access.SECRET_OCCASION}/{token_id}"


def person_of(work: Work, secret: str) -> Person:
    """Whose password the link chooses; raises NotFoundError when it is used, too old or nobody's."""
    row = work.session.execute(
        select(SecretToken, Person)
        .join(Person, Person.id == SecretToken.person_id)
        .where(
            SecretToken.hash == mailed_links.digest(secret),
            SecretToken.purpose == PURPOSE,
            SecretToken.used_at.is_(None),
            SecretToken.expires_at > work.now,
            Person.active.is_(True),
        )
    ).first()
    if row is None:
        raise NotFoundError
    person: Person = row[1]
    return person


def choose(work: Work, secret: str, password: str) -> None:
    """Set the password the link is for and end every session; raises NotFoundError, RefusedError (password)."""
    person = person_of(work, secret)
    store(work, person, password)
    revoke(work, person)


def change_own(work: Work, current: str, password: str) -> None:
    """Set one's own password knowing the old one; every session ends. RefusedError: keys current, password."""
    actor = access.require(work, Right.SIGNED_IN)
    person = work.session.get_one(Person, actor.person_id)
    if not passwords.matches(current, person.password_hash):
        raise RefusedError({"current": "Nuværende adgangskode: er ikke rigtig."})
    store(work, person, password)
    revoke(work, person)


def store(work: Work, person: Person, password: str) -> None:
    """Set a person's password and end their sessions; raises RefusedError (key password)."""
    try:
        passwords.check_new(password)
    except InputError as error:
        raise RefusedError({"password": str(error)}) from error
    person.password_hash = passwords.hash_password(password)
    sessions.sign_out_everywhere(work, person)
    work.session.flush()
    auditing.record(work, "ny-adgangskode", f"person/{person.id}")


def revoke(work: Work, person: Person) -> None:
    """Let every link that was mailed to the person die, and forget the secrets in the ledger."""
    mailed_links.revoke(work, person, PURPOSE, _dedupe_key, USED_PATH)
