"""Links in a mail that do one thing: signed, for one person and one notice, good for two weeks.

A link is a key that its mail carries and nothing else opens: it names the notice it was sent with and its
person, and each purpose signs with a salt of its own, so that one link never does what another was made for.
Looking at a link changes nothing, since mail scanners press links; what it does is done by the person's own
membership with the rights it has on that day.

The link that asks about roles differs in three ways. It is good for its round, at least sixty days. It may be sent
to a functional mailbox, behind which nobody stands: its claim is of a kind of its own, which has no rights and opens
exactly the roles that the mailbox holds in that municipality today, to say that they are right or to propose a
change that an administrator settles. And it opens them all, since one mail asks about all. Whoever reads the mailbox
can answer; so can whoever a mail is forwarded to. The harm is bounded: nothing is shown but the roles' names and
days, and a wrong yes is found in the audit trail and asked again in half a year.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from sqlalchemy import select

from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.models import FilterUse, Membership, MunicipalTask, Notice, Person
from klik.services import access
from klik.services.keeping import NOTHING_KEPT
from klik.services.notices import still_you
from klik.services.notices.mails import Sender
from klik.services.people import sessions
from klik.services.roles import asking
from klik.services.roles.asking import Asked
from klik.services.work import Actor, Work

START, POSTPONE, CONFIRM_ROLES, STOP = "start", "udskyd", "rolle", "stop"
LABELS: Mapping[str, str] = {
    START: "Sæt i gang",
    POSTPONE: "Udskyd mine påmindelser",
    CONFIRM_ROLES: "Bekræft eller ret",
    STOP: "Stop denne mail",
}
# Where a link leads, by its purpose.
PAGES: Mapping[str, str] = {CONFIRM_ROLES: "bekraeft"}
VALID = timedelta(days=14)
# A round is answered until the next one begins, and a link sent late in it for two months.
ROUND_VALID, LONGEST_VALID = timedelta(days=60), timedelta(days=270)
LONGEST = 300  # characters; an own token has fewer than a hundred
_SHAPE = re.compile(r"[A-Za-z0-9_.-]+")
_FILTER = re.compile(r"/filtre/([1-9][0-9]{0,9})/aabn")


NO_ACCESS = "Du har ikke længere adgang til det, linket handler om."
NOT_WHOLE = (
    "Linket er ikke helt. Nogle mailprogrammer klipper lange links over: kopiér hele linket fra mailen."
)


class LinkError(Exception):
    """The link opens nothing; the text is the Danish sentence that says why."""


class WrongLinkError(LinkError):
    """No link that klik has ever made."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A link that holds: what for, by which notice, and the work done as its person."""

    purpose: str
    notice: Notice
    work: Work

    @property
    def actor(self) -> Actor:
        """Whose link it is."""
        assert self.work.actor is not None
        return self.work.actor


@dataclass(frozen=True, slots=True)
class RolesClaim:
    """A link that asks about roles and holds: whose roles, by which notice, and the work to answer with.

    Of a mailbox the work has no actor, and must be used with ``asked`` only.
    """

    asked: Asked
    notice: Notice
    work: Work


class _Signer(TimestampSigner):
    """Signs as of a given moment; klik's services never look at a clock."""

    def __init__(self, *parts: Any, moment: int, **more: Any) -> None:
        super().__init__(*parts, **more)
        self._moment = moment

    def get_timestamp(self) -> int:
        return self._moment


def _serializer(secret: str, purpose: str, now: datetime) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        secret,
        salt=f"klik-mail-link-{purpose}",
        signer=_Signer,
        signer_kwargs={
            "moment": int(now.timestamp()),
            "key_derivation": "hmac",
            "digest_method": hashlib.sha256,
        },
    )


def token(secret: str, purpose: str, notice: Notice, now: datetime) -> str:
    """The part of the address that acts: the purpose, and the signed ids of the notice and its person."""
    return f"{purpose}.{_serializer(secret, purpose, now).dumps([notice.id, notice.person_id])}"


def links(
    work: Work, sender: Sender, notice: Notice, task: MunicipalTask | None
) -> tuple[tuple[str, str], ...]:
    """The links of one notice, each a label and an address; see ``links_of`` for many."""
    tasks = {task.id: task} if task else {}
    return links_of(work, sender, [notice], tasks).get(notice.id, ())


def links_of(
    work: Work, sender: Sender, notices: Iterable[Notice], tasks: Mapping[int, MunicipalTask]
) -> Mapping[int, tuple[tuple[str, str], ...]]:
    """The links of each notice by its id; a shared mailbox, behind which nobody stands, is asked about its roles only.

    One statement for everybody's rights, and one more for each person whom only a role gives the task.
    """
    notices = list(notices) if sender.secret else []
    personal = [notice for notice in notices if notice.person_id is not None]
    actors = _actors(work, personal) if any(notice.municipal_task_id for notice in personal) else {}
    asks = {place: access.changeable(replace(work, actor=actor)) for place, actor in actors.items()}
    found = {}
    for notice in notices:
        task = tasks.get(notice.municipal_task_id or 0)
        may_change = asks.get((notice.person_id or 0, notice.municipality_id or 0))
        purposes = []
        if task and may_change and task.status == Status.NOT_STARTED.value and may_change(task):
            purposes.append(START)
        if task and notice.person_id and notice.occasion in work.registry.notification_rules:
            purposes.append(POSTPONE)
        if still_you.is_own(notice):
            purposes.append(CONFIRM_ROLES)
        if notice.person_id and notice.occasion == access.OWN_OCCASION and _FILTER.fullmatch(notice.path):
            purposes.append(STOP)
        if purposes:
            found[notice.id] = tuple(
                (LABELS[each], _address(work, sender, each, notice)) for each in purposes
            )
    return found


def _address(work: Work, sender: Sender, purpose: str, notice: Notice) -> str:
    page = PAGES.get(purpose, "handling")
    return f"{sender.base_url}/{page}/{token(sender.secret, purpose, notice, work.now)}"


def _actors(work: Work, notices: Iterable[Notice]) -> Mapping[tuple[int, int], Actor]:
    """Who each person is in each municipality today; what links need of an actor, names left out."""
    people = {notice.person_id for notice in notices}
    rows = work.session.execute(
        select(Membership.id, Membership.person_id, Membership.municipality_id, Membership.level)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.person_id.in_(people),
            Membership.municipality_id.is_not(None),
            Membership.active.is_(True),
            Person.active.is_(True),
        )
    )
    return {
        (person, code): Actor(person, number, "", "", Level(level), code, "", frozenset())
        for number, person, code, level in rows
    }


def claim(work: Work, secret: str, given: str) -> Claim:
    """What a link stands for, with its person's rights of today; raises LinkError with the reason in Danish."""
    purpose, notice_id, person_id, _signed = _opened(work, secret, given)
    if purpose == CONFIRM_ROLES or person_id is None:
        raise WrongLinkError(NOT_WHOLE)
    notice = _notice(work, notice_id, person_id)
    membership = _membership(work, purpose, notice)
    actor = sessions.actor_of(work.session, membership, person_id) if membership else None
    if actor is None:
        raise LinkError(NO_ACCESS)
    _refuse_old_address(notice, actor)
    # What is kept was made for whoever is signed in, and that may be somebody else.
    return Claim(purpose, notice, replace(work, actor=actor, kept=NOTHING_KEPT))


def roles_claim(work: Work, secret: str, given: str) -> RolesClaim:
    """Whose roles a link asks about; raises LinkError with the reason in Danish."""
    purpose, notice_id, person_id, signed = _opened(work, secret, given)
    if purpose != CONFIRM_ROLES:
        raise WrongLinkError(NOT_WHOLE)
    notice = _notice(work, notice_id, person_id)
    current = still_you.round_of(notice)
    if current is None or notice.municipality_id is None or not still_you.is_own(notice):
        raise LinkError("Linket passer ikke til mailen, det kom med.")
    last = max(current.last_day, danish_today(signed) + ROUND_VALID)
    if work.today > last:
        raise LinkError(f"Linket er for gammelt: det virkede til og med {long_date(last)}.")
    if person_id is None:
        mine = replace(work, actor=None, kept=NOTHING_KEPT)
        asked = Asked(notice.municipality_id, mailbox=notice.address)
    else:
        membership = _membership(work, purpose, notice)
        actor = sessions.actor_of(work.session, membership, person_id) if membership else None
        if actor is None:
            raise LinkError(NO_ACCESS)
        _refuse_old_address(notice, actor)
        mine = replace(work, actor=actor, kept=NOTHING_KEPT)
        asked = Asked(notice.municipality_id, person_id)
    if not asking.questions(mine, asked):
        raise LinkError("Der er ikke længere nogen roller at bekræfte: rollerne er afsluttet.")
    return RolesClaim(asked, notice, mine)


def _refuse_old_address(notice: Notice, actor: Actor) -> None:
    """Whoever reads the address a person has left must not act as them."""
    if notice.address.casefold() != actor.email.casefold():
        raise LinkError("Linket er sendt til en mailadresse, du ikke bruger i klik længere.")


def _notice(work: Work, notice_id: int, person_id: int | None) -> Notice:
    notice = work.session.get(Notice, notice_id)
    if notice is None or notice.person_id != person_id:
        raise LinkError("Det, linket handler om, er slettet i klik.")
    return notice


def _opened(work: Work, secret: str, given: str) -> tuple[str, int, int | None, datetime]:
    """The purpose, the ids of notice and person, and when the link was made."""
    wrong = WrongLinkError(NOT_WHOLE)
    purpose, _, signed = given.partition(".")
    if len(given) > LONGEST or not _SHAPE.fullmatch(given) or purpose not in LABELS:
        raise wrong
    valid = LONGEST_VALID if purpose == CONFIRM_ROLES else VALID
    try:
        content, at = _serializer(secret, purpose, work.now).loads(
            signed, max_age=int(valid.total_seconds()), return_timestamp=True
        )
    except SignatureExpired as over:
        raise LinkError(f"Linket er for gammelt: et link i en mail virker i {valid.days} dage.") from over
    except BadData as bad:
        raise wrong from bad
    notice_id, person_id = content
    return purpose, notice_id, person_id, at


def _membership(work: Work, purpose: str, notice: Notice) -> int | None:
    """The membership that the person acts in: of the notice's municipality, or the one that asked for the mail."""
    if purpose == STOP:
        return work.session.scalar(
            select(FilterUse.membership_id).where(
                FilterUse.person_id == notice.person_id, FilterUse.saved_filter_id == filter_id(notice)
            )
        )
    return work.session.scalar(
        select(Membership.id).where(
            Membership.person_id == notice.person_id,
            Membership.municipality_id == notice.municipality_id,
            Membership.active.is_(True),
        )
    )


def filter_id(notice: Notice) -> int:
    """The saved filter that a mail was asked for; raises LinkError for any other notice."""
    return _number(_FILTER.fullmatch(notice.path))


def _number(found: re.Match[str] | None) -> int:
    if found is None:
        raise LinkError("Linket passer ikke til mailen, det kom med.")
    return int(found[1])
