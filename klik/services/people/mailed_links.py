"""Secrets that are mailed as links: made, counted, and how they die."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, or_, select, update

from klik.models import Notice, Person, SecretToken
from klik.services.work import Work

# Whoever presses the button again and again must not fill somebody else's inbox.
MOST_LINKS, LINKS_WINDOW = 3, timedelta(hours=1)
DEAD = "Linket virker ikke mere"


def digest(secret: str) -> str:
    """What is stored of a mailed secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make(work: Work, person: Person, purpose: str, valid_for: timedelta) -> tuple[SecretToken, str]:
    """A new link: what is stored of it, and the secret that is mailed and stored nowhere else."""
    secret = secrets.token_hex(32)
    token = SecretToken(
        purpose=purpose,
        hash=digest(secret),
        person_id=person.id,
        created_at=work.now,
        expires_at=work.now + valid_for,
    )
    work.session.add(token)
    work.session.flush()
    return token, secret


def too_many(work: Work, person: Person, purpose: str) -> bool:
    """Whether so many links were made for the person within the hour that the next one has to wait."""
    recent = work.session.scalar(
        select(func.count()).where(
            SecretToken.person_id == person.id,
            SecretToken.purpose == purpose,
            SecretToken.created_at > work.now - LINKS_WINDOW,
        )
    )
    return (recent or 0) >= MOST_LINKS


def revoke(work: Work, person: Person, purpose: str, about: Callable[[int], str], used_path: str) -> None:
    """Let every link of a purpose die that was mailed to the person, and forget the secrets in the ledger.

    ``about`` gives what a notice's key begins with by the token's id; ``used_path`` stands where the secret stood.
    """
    ids = work.session.scalars(
        update(SecretToken)
        .where(
            SecretToken.person_id == person.id, SecretToken.purpose == purpose, SecretToken.used_at.is_(None)
        )
        .values(used_at=work.now)
        .returning(SecretToken.id)
    ).all()
    if not ids:
        return
    ours = or_(*(Notice.dedupe_key.startswith(f"{about(token_id)}/", autoescape=True) for token_id in ids))
    work.session.execute(
        update(Notice)
        .where(ours, Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None))
        .values(withdrawn_at=work.now, withdrawal_reason=DEAD)
    )
    work.session.execute(update(Notice).where(ours).values(path=used_path))
