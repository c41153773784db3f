"""The door to the ledger of notices."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, not_, or_, select, true

from klik.domain.rights import Right
from klik.models import MunicipalTask, Notice
from klik.services.work import Work

# Notices whose address is itself a key to somebody's account: for the mail only, on no page.
SECRET_OCCASION = "adgangskode"
# What somebody has asked to be told of a filter of theirs is no business of those who keep the account.
OWN_OCCASION = "abonnement"
# Who names whom in a comment is for those who may read the comment, and a private one KOMBIT must not hear of.
MENTION = "naevnt"


def notices(work: Work) -> ColumnElement[bool]:
    """Ledger rows: KOMBIT all but those on local tasks and others' mentions; everybody theirs.

    A municipality with the right sees all of its own.
    """
    actor = work.actor
    if actor is None:
        return true()
    open_to_read = and_(
        Notice.occasion != SECRET_OCCASION,
        or_(Notice.occasion != OWN_OCCASION, Notice.person_id == actor.person_id),
    )
    if not actor.has(Right.READ_LEDGER):
        return and_(open_to_read, Notice.person_id == actor.person_id)
    if actor.kombit:
        local = select(MunicipalTask.id).where(
            MunicipalTask.id == Notice.municipal_task_id, MunicipalTask.task_id.is_(None)
        )
        not_others = or_(Notice.occasion != MENTION, Notice.person_id == actor.person_id)
        return and_(open_to_read, not_others, not_(local.exists()))
    return and_(open_to_read, Notice.municipality_id == actor.municipality_id)
