"""Somebody's mail address changed: by an administrator, or by the person with a link mailed to the new address.

An address is what one signs in with, so every change ends the sessions, lets the links of earlier mails die, sends
what waits to the new address, and is told to the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm.attributes import flag_modified

from klik.domain import mailaddresses
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import (
    Mail,
    Membership,
    Newsletter,
    NewsletterAddress,
    NewsletterRecipient,
    Notice,
    Person,
    SecretToken,
)
from klik.services import access, auditing
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.people import mailed_links, new_passwords, passwords, sessions
from klik.services.work import Work

PURPOSE = "ny-mailadresse"
OCCASION, NEWSLETTER = "ny-mailadresse", "nyhedsbrev"
VALID_FOR = timedelta(days=2)
USED_PATH = "/min-side"
TAKEN = "Mailadresse: adressen er allerede i brug i klik. Vælg en anden."


def change(
    work: Work, membership_id: int, typed: str, *, address_is_right: bool, version: int | None = None
) -> Membership:
    """Give somebody a new address at once, as an administrator; the old and the new one are told.

    Raises NotFoundError, ConflictError, and RefusedError (keys email, and address_is_right where the tick is
    needed). One's own address is changed with ``ask``.
    """
    member = access.membership(work, membership_id)
    person = member.person
    if not (member.active and person.active):
        raise NotFoundError
    if version is not None and version != member.version:
        raise ConflictError(member.version, (Difference("Mailadresse", "", person.email),))
    actor = access.require(work, Right.MANAGE_PEOPLE)
    if person.id == actor.person_id:
        raise RefusedError({"email": "Mailadresse: din egen skifter du på Min side."})
    if not actor.kombit and any(other.active and other.id != member.id for other in person.memberships):
        raise RefusedError(
            {
                "email": "Mailadresse: personen har også adgang et andet sted. "
                "Kun personen selv eller KOMBIT kan rette den."
            }
        )
    email = _normal(typed, person)
    # KOMBIT changes addresses of other houses: what is foreign there is what leaves the person's own house.
    _refuse_foreign(person.email, email, address_is_right, "personens nuværende")
    if _owner(work, email) is not None:
        raise RefusedError({"email": TAKEN})
    _move(work, person, email)
    # The form shows person and membership as one, so its version must move with either.
    flag_modified(member, "level")
    work.session.flush()
    if person.password_hash is None:
        new_passwords.welcome(work, person, member)
    else:
        _tell(
            work,
            person,
            email,
            f"{person.id}/{work.now.isoformat()}",
            "Din mailadresse i klik er ændret",
            "En administrator har rettet din mailadresse i klik til denne. Log ind med den fremover; "
            "din adgangskode er den samme.",
            "/log-ind",
        )
    auditing.record(
        work, "mailadresse-ret", f"person/{person.id}", {"membership": member.id}, member.municipality_id
    )
    return member


def ask(work: Work, typed: str, password: str, *, address_is_right: bool) -> str:
    """Mail a link to the address the actor wants instead; gives the address in its normal form.

    The answer is the same for an address that somebody else has: then nothing is mailed. Raises RefusedError (keys
    email, password, address_is_right).
    """
    actor = access.require(work, Right.SIGNED_IN)
    person = work.session.get_one(Person, actor.person_id)
    if not passwords.matches(password, person.password_hash):
        raise RefusedError({"password": "Adgangskode: er ikke rigtig."})
    email = _normal(typed, person)
    _refuse_foreign(person.email, email, address_is_right, "din nuværende")
    if mailed_links.too_many(work, person, PURPOSE):
        raise RefusedError({"email": "Ny mailadresse: du har bedt om flere links. Prøv igen om en time."})
    revoke(work, person)
    token, secret = mailed_links.make(work, person, PURPOSE, VALID_FOR)
    if _owner(work, email) is None:
        _send_link(work, token, email, secret)
    auditing.record(work, "mailadresse-link", f"person/{person.id}", {"token": token.id})
    return email


def wanted(work: Work, secret: str) -> tuple[Person, str]:
    """Whose address a mailed link changes, and to what; raises NotFoundError when it is used, too old or nobody's."""
    row = work.session.execute(
        select(SecretToken.id, Person)
        .join(Person, Person.id == SecretToken.person_id)
        .where(
            SecretToken.hash == mailed_links.digest(secret),
            SecretToken.purpose == PURPOSE,
            SecretToken.used_at.is_(None),
            SecretToken.expires_at > work.now,
            Person.active.is_(True),
        )
    ).first()
    address = _mailed_to(work, row.id) if row else None
    if row is None or address is None:
        raise NotFoundError
    return row.Person, address


def confirm(work: Work, secret: str) -> Person:
    """Change over to the address the link was mailed to; raises NotFoundError, and RefusedError (email) if taken."""
    person, email = wanted(work, secret)
    if _owner(work, email) is not None:
        raise RefusedError({"email": TAKEN})
    _move(work, person, email)
    work.session.flush()
    auditing.record(work, "egen-mailadresse-ret", f"person/{person.id}")
    return person


def revoke(work: Work, person: Person) -> None:
    """Let every link die that was mailed to an address the person wanted, and forget its secret."""
    mailed_links.revoke(work, person, PURPOSE, _about, USED_PATH)


def _move(work: Work, person: Person, email: str) -> None:
    old = person.email
    sessions.sign_out_everywhere(work, person)
    new_passwords.revoke(work, person)
    revoke(work, person)
    _send_what_waits(work, person, email)
    _move_newsletters(work, person.email_key, email.casefold())
    person.email, person.email_key = email, email.casefold()
    work.session.flush()
    _tell(
        work,
        person,
        old,
        f"{person.id}/{work.now.isoformat()}/fra",
        "Din mailadresse i klik er ændret",
        "Klik sender ikke flere mails til denne adresse, og den kan ikke længere bruges til at logge ind. "
        "Er det ikke aftalt med dig, så kontakt kommunens KLIK-administrator eller KOMBIT.",
        "/log-ind",
    )


def _send_what_waits(work: Work, person: Person, email: str) -> None:
    """What is not under way yet is mailed to the new address; a mail just being handed over is left alone."""
    ids = work.session.scalars(
        select(Mail.id).where(Mail.person_id == person.id, Mail.state == "pending")
    ).all()
    _make_newsletters_again(work, person, ids, email)
    work.session.execute(
        update(Notice)
        .where(Notice.mail_id.in_(ids), Notice.occasion != NEWSLETTER)
        .values(mail_id=None, due_at=work.now)
    )
    work.session.execute(update(Mail).where(Mail.id.in_(ids), Mail.state == "pending").values(state="stale"))
    work.session.execute(
        update(Notice)
        .where(Notice.person_id == person.id, Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None))
        .values(address=email)
    )


def _make_newsletters_again(work: Work, person: Person, mails: Sequence[int], email: str) -> None:
    """A newsletter whose mail waits is mailed to the new address, unless that one gets it already."""
    unmailed = and_(NewsletterRecipient.mail_id.is_(None), NewsletterRecipient.skipped.is_(None))
    for row in work.session.scalars(
        select(NewsletterRecipient).where(
            NewsletterRecipient.person_id == person.id,
            or_(NewsletterRecipient.mail_id.in_(mails), unmailed),
        )
    ):
        same = select(NewsletterRecipient.id).where(
            NewsletterRecipient.newsletter_id == row.newsletter_id, NewsletterRecipient.address == email
        )
        if work.session.scalar(same) is not None:
            continue
        row.address, row.mail_id = email, None
        # Not a change anybody made: the version stays.
        work.session.execute(
            update(Newsletter.__table__)  # type: ignore[arg-type]
            .where(Newsletter.__table__.c.id == row.newsletter_id)
            .values(mailed_at=None)
        )
    work.session.flush()


def _move_newsletters(work: Work, old: str, new: str) -> None:
    """A yes or no to newsletters goes along, unless the new address has said its own."""
    there = select(NewsletterAddress.id).where(NewsletterAddress.address_key == new)
    if work.session.scalar(there) is None:
        work.session.execute(
            update(NewsletterAddress).where(NewsletterAddress.address_key == old).values(address_key=new)
        )


def _send_link(work: Work, token: SecretToken, email: str, secret: str) -> None:
    ledger.enqueue(
        work.as_system(),
        [
            NoticeDraft(
                occasion=access.SECRET_OCCASION,
                dedupe_key=_about(token.id),
                # To the address and no person: it is not the person's yet, and of no municipality's ledger.
                recipient=Recipient(None, email, None, "ny mailadresse"),
                heading="Bekræft din nye mailadresse i klik",
                sentence="Brug linket her for at skifte til denne adresse. Det virker én gang og i 2 dage. "
                "Har du ikke bedt om det, så gør ingenting.",
                path=f"/mailadresse/{secret}",
            )
        ],
    )


def _tell(
    work: Work, person: Person, address: str, about: str, heading: str, sentence: str, path: str
) -> None:
    ledger.enqueue(
        work.as_system(),
        [
            NoticeDraft(
                occasion=OCCASION,
                dedupe_key=f"{OCCASION}/{about}",
                recipient=Recipient(
                    person.id if address == person.email else None, address, None, "egen adgang"
                ),
                heading=heading,
                sentence=sentence,
                path=path,
                due_at=work.now,
            )
        ],
    )


def _about(token_id: int) -> str:
    return f"{PURPOSE}-link/{token_id}"


def _mailed_to(work: Work, token_id: int) -> str | None:
    return work.session.scalar(
        select(Notice.address).where(Notice.dedupe_key.startswith(_about(token_id) + "/"))
    )


def _owner(work: Work, email: str) -> int | None:
    return work.session.scalar(select(Person.id).where(Person.email_key == email.casefold()))


def _normal(typed: str, person: Person) -> str:
    try:
        email = mailaddresses.normalise(typed)
    except InputError as error:
        raise RefusedError({"email": str(error)}) from error
    if email.casefold() == person.email_key:
        raise RefusedError({"email": "Mailadresse: det er den adresse, der står i klik i dag."})
    return email


def _refuse_foreign(old: str, new: str, address_is_right: bool, whose: str) -> None:
    own, given = old.rpartition("@")[2], new.rpartition("@")[2]
    if own.casefold() != given.casefold() and not address_is_right:
        raise RefusedError(
            {
                "address_is_right": f"Mailadressen slutter på {given}, og {whose} på {own}. "
                "Sæt kryds, hvis adressen er rigtig."
            }
        )
