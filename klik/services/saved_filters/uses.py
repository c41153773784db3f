"""What a person does with a filter, their own or a shared one: the star, the default, and the mail."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from klik.domain.rights import Right
from klik.models import FilterUse, Notice, SavedFilter
from klik.services import access
from klik.services.errors import RefusedError
from klik.services.saved_filters import DAILY, NEVER, WEEKLY
from klik.services.saved_filters.saving import note
from klik.services.work import Work

UNSUBSCRIBED = "modtageren har slået mailen fra"


def pin(work: Work, filter_id: int, wanted: bool = True) -> SavedFilter:
    """Keep a filter on top of the list, or let it go."""
    row = access.saved_filter(work, filter_id)
    _use(work, row).pinned = wanted
    work.session.flush()
    note(work, "pin-filter", row)
    return row


def make_default(work: Work, filter_id: int, wanted: bool = True) -> SavedFilter:
    """Let the actor's list open with this filter, in place of any other; or no longer."""
    row = access.saved_filter(work, filter_id)
    use = _use(work, row)
    # The old one goes first: the database allows one default a person at any moment.
    work.session.execute(
        update(FilterUse)
        .where(FilterUse.person_id == use.person_id, FilterUse.is_default)
        .values(is_default=False)
    )
    use.is_default = wanted
    work.session.flush()
    note(work, "default-filter", row)
    return row


def subscribe(work: Work, filter_id: int, how_often: str) -> SavedFilter:
    """Mail the filter's tasks every day or every Monday, or no longer; raises RefusedError for another word.

    The mail sees what the actor may see in the place they are signed in to now.
    """
    actor = access.require(work, Right.SAVE_FILTERS)
    row = access.saved_filter(work, filter_id)
    if how_often not in (NEVER, DAILY, WEEKLY):
        raise RefusedError({"mail": "Vælg, om mailen skal komme dagligt, ugentligt eller slet ikke."})
    use = _use(work, row)
    use.subscription, use.membership_id = how_often, actor.membership_id
    use.chosen_on, use.looked_on = work.today, None
    work.session.flush()
    if how_often == NEVER:
        work.session.execute(
            update(Notice)
            .where(
                Notice.person_id == actor.person_id,
                Notice.occasion == access.OWN_OCCASION,
                Notice.path == path(row.id),
                Notice.mail_id.is_(None),
                Notice.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=work.now, withdrawal_reason=UNSUBSCRIBED)
        )
    note(work, "subscribe-filter", row)
    return row


def path(filter_id: int) -> str:
    """The short address that opens a filter, for mails and notices."""
    return f"/filtre/{filter_id}/aabn"


def _use(work: Work, row: SavedFilter) -> FilterUse:
    actor = access.require(work, Right.SAVE_FILTERS)
    key = (actor.person_id, row.id)
    found = work.session.get(FilterUse, key)
    if found is not None:
        return found
    try:
        with work.session.begin_nested():
            made = FilterUse(
                person_id=actor.person_id,
                saved_filter_id=row.id,
                pinned=False,
                is_default=False,
                subscription=NEVER,
            )
            work.session.add(made)
        return made
    except IntegrityError:
        # Used for the first time in another window too.
        return work.session.get_one(FilterUse, key)
