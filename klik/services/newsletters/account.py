"""The account of a sent newsletter: how many got it, and what became of each address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select

from klik.domain.rights import Right
from klik.models import Mail, Municipality, NewsletterRecipient, Person
from klik.services import access
from klik.services.newsletters import audience as chosen
from klik.services.newsletters.sending import GONE
from klik.services.work import Work

PAGE = 100
PREPARING, WAITING, DOUBTFUL, DELIVERED, RETURNED, FAILED, HELD_BACK = (
    "goeres-klar",
    "venter",
    "uvis",
    "afleveret",
    "retur",
    "fejlet",
    "holdt-tilbage",
)
STATES = {
    DELIVERED: "Afleveret",
    RETURNED: "Kommet retur",
    FAILED: "Afvist",
    WAITING: "Venter",
    DOUBTFUL: "Uvis",
    PREPARING: "Gøres klar",
    HELD_BACK: "Holdt tilbage",
    chosen.UNSUBSCRIBED: "Frameldt før afsendelsen",
    "adresse-retur": "Adressen kommer retur",
    GONE: "Ikke længere aktiv",
}
_BOUNCED_BEFORE = "adresse-retur"
_STATE = case(
    (NewsletterRecipient.skipped == chosen.BOUNCED, _BOUNCED_BEFORE),
    (NewsletterRecipient.skipped.is_not(None), NewsletterRecipient.skipped),
    (NewsletterRecipient.mail_id.is_(None), PREPARING),
    (Mail.state.in_(("pending", "claimed")), WAITING),
    (Mail.state == "in_doubt", DOUBTFUL),
    (Mail.state == "sent", DELIVERED),
    (Mail.state == "bounced", RETURNED),
    (Mail.state == "stale", HELD_BACK),
    else_=FAILED,
)


@dataclass(frozen=True, slots=True)
class Account:
    """Addresses by state; ``left`` have unsubscribed with this letter."""

    states: dict[str, int]
    left: int

    @property
    def chosen(self) -> int:
        """How many a mail was meant for."""
        skipped = (chosen.UNSUBSCRIBED, _BOUNCED_BEFORE, GONE)
        return sum(number for state, number in self.states.items() if state not in skipped)

    @property
    def sentence(self) -> str:
        """ "212 sendt: 208 afleveret, 3 retur, 1 venter", and what else there is to say."""
        words = {
            DELIVERED: "afleveret",
            RETURNED: "retur",
            FAILED: "afvist",
            DOUBTFUL: "uvisse",
            WAITING: "venter",
            PREPARING: "gøres klar",
            HELD_BACK: "holdt tilbage",
        }
        parts = [f"{self.states[state]} {word}" for state, word in words.items() if self.states.get(state)]
        line = f"{self.chosen} sendt: {', '.join(parts)}" if parts else "Ingen sendt"
        skipped = {
            chosen.UNSUBSCRIBED: "havde frameldt sig",
            _BOUNCED_BEFORE: "sprunget over, fordi adressen kommer retur",
            GONE: "ikke længere aktive",
        }
        more = [f"{self.states[state]} {word}" for state, word in skipped.items() if self.states.get(state)]
        if self.left:
            more.append(f"{self.left} har frameldt sig siden")
        return "; ".join([line, *more])


def account(work: Work, letter_id: int) -> Account:
    """One statement however many there are."""
    access.require(work, Right.PUBLISH)
    rows = work.session.execute(
        select(_STATE.label("outcome"), func.count(), func.count(NewsletterRecipient.unsubscribed_at))
        .select_from(NewsletterRecipient)
        .outerjoin(Mail, Mail.id == NewsletterRecipient.mail_id)
        .where(NewsletterRecipient.newsletter_id == letter_id)
        .group_by("outcome")
    ).all()
    return Account({state: number for state, number, _left in rows}, sum(left for *_others, left in rows))


@dataclass(frozen=True, slots=True)
class Line:
    """One address of the account."""

    name: str
    address: str
    place: str
    reason: str
    state: str
    at: datetime | None
    reply: str
    left_at: datetime | None


def lines(
    work: Work, letter_id: int, *, state: str | None = None, text: str = "", page: int = 1
) -> tuple[int, Sequence[Line]]:
    """How many lines fit, and a page of them, by municipality and name; pages count from 1."""
    access.require(work, Right.PUBLISH)
    query = (
        select(
            Person.name,
            NewsletterRecipient.address,
            Municipality.name,
            NewsletterRecipient.reason,
            _STATE.label("state"),
            Mail.sent_at,
            Mail.reply,
            NewsletterRecipient.unsubscribed_at,
        )
        .select_from(NewsletterRecipient)
        .outerjoin(Mail, Mail.id == NewsletterRecipient.mail_id)
        .outerjoin(Person, Person.id == NewsletterRecipient.person_id)
        .outerjoin(Municipality, Municipality.id == NewsletterRecipient.municipality_id)
        .where(NewsletterRecipient.newsletter_id == letter_id)
    )
    if state is not None:
        query = query.where(state == _STATE)
    if text:
        query = query.where(
            or_(
                NewsletterRecipient.address.icontains(text, autoescape=True),
                Person.name.icontains(text, autoescape=True),
                Municipality.name.icontains(text, autoescape=True),
            )
        )
    total = work.session.scalar(query.with_only_columns(func.count())) or 0
    rows = work.session.execute(query.order_by(NewsletterRecipient.id).limit(PAGE).offset((page - 1) * PAGE))
    return total, [
        Line(name or address, address, place or "", reason or "", state, at, reply or "", left)
        for name, address, place, reason, state, at, reply, left in rows
    ]
