"""Secrets that are mailed as links: what is stored of them, and how they die."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sqlalchemy import or_, update

from klik.models import Notice, Person, SecretToken
from klik.services.work import Work

DEAD = "Linket virker ikke mere"


def digest(secret: str) -> str:
    """What is stored of a mailed secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


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
