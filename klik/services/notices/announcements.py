"""What plug-ins told of their topics, entered in the ledger for everybody who subscribes; once, wherever it runs.

An announcement is told when all its notices are in the ledger, in the same transaction. The unique key of a notice
decides, so a worker that dies half-way has told nobody, and one that comes after it tells everybody once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from klik.domain.rights import Level
from klik.models import Membership, MembershipSystem, Person, PluginAnnouncement, TopicSubscription
from klik.plugins.contributions import Topic
from klik.services import topics
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient, hard_addresses
from klik.services.topics import Place
from klik.services.work import Work

MOST_AT_ONCE = 50
# What a plug-in told before it was taken out is no news when it is back.
NEWS = timedelta(days=7)
OLD = "beskeden var over en uge gammel, da den kunne fortælles"


@dataclass(frozen=True, slots=True)
class _Subscriber:
    person_id: int
    address: str
    since: datetime
    places: Sequence[Place]


def waits(work: Work) -> bool:
    """Whether anything is to be told of topics that are there."""
    return work.session.scalar(_waiting(work).limit(1)) is not None


def tell_waiting(work: Work) -> int:
    """Enter the oldest that wait, of plug-ins that are there; how many notices are new."""
    waiting = work.session.scalars(_waiting(work).limit(MOST_AT_ONCE).with_for_update()).all()
    drafts = drafts_of(work, waiting)
    for announcement in waiting:
        announcement.told_at = work.now
    work.session.flush()
    return ledger.enqueue(work, drafts)


def drafts_of(work: Work, announcements: Sequence[PluginAnnouncement]) -> list[NoticeDraft]:
    """A notice for each who subscribed before it was written and may; four statements however many there are."""
    if not announcements:
        return []
    people = _subscribers(work, {each.topic for each in announcements})
    having, hard = topics.having(work), hard_addresses(work)
    drafts = []
    for announcement in announcements:
        topic = work.registry.topics[announcement.topic]
        is_old = work.now - announcement.created_at > NEWS
        for subscriber in people[announcement.topic]:
            place = next((each for each in subscriber.places if topics.is_offered(topic, each, having)), None)
            if place is None or subscriber.since > announcement.created_at:
                continue
            to = Recipient(
                subscriber.person_id,
                subscriber.address,
                place.municipality_id,
                f"du har tilmeldt dig “{topic.label}”",
                bounces=subscriber.address.casefold() in hard,
            )
            drafts.append(_draft(topic, announcement, to, OLD if is_old else None))
    return drafts


def about(announcement: PluginAnnouncement) -> str:
    """What its notices are about, without the recipient; an id is shorter than a plug-in's own key may be."""
    return f"emne/{announcement.id}"


def _draft(
    topic: Topic, announcement: PluginAnnouncement, to: Recipient, withdrawn: str | None
) -> NoticeDraft:
    return NoticeDraft(
        occasion=topic.key,
        dedupe_key=about(announcement),
        recipient=to,
        heading=announcement.heading,
        sentence=announcement.sentence,
        path=announcement.path,
        withdrawn=withdrawn,
    )


def _waiting(work: Work) -> Select[PluginAnnouncement]:
    return (
        select(PluginAnnouncement)
        .where(
            PluginAnnouncement.told_at.is_(None), PluginAnnouncement.topic.in_(work.registry.topics.keys())
        )
        .order_by(PluginAnnouncement.id)
    )


def _subscribers(work: Work, wanted: Iterable[str]) -> Mapping[str, list[_Subscriber]]:
    """Everybody active who subscribes to each topic, with where they belong today."""
    rows = work.session.execute(
        select(TopicSubscription.topic, TopicSubscription.since, Person.id, Person.email)
        .join(Person, Person.id == TopicSubscription.person_id)
        .where(TopicSubscription.topic.in_(sorted(wanted)), Person.active.is_(True))
        .order_by(TopicSubscription.id)
    ).all()
    places = _places(work, {row.id for row in rows})
    found: dict[str, list[_Subscriber]] = defaultdict(list)
    for row in rows:
        found[row.topic].append(_Subscriber(row.id, row.email, row.since, places.get(row.id, ())))
    return found


def _places(work: Work, people: Iterable[int]) -> Mapping[int, list[Place]]:
    mine = Membership.person_id.in_(sorted(people)) & Membership.active.is_(True)
    systems: dict[int, set[str]] = defaultdict(set)
    for membership_id, code in work.session.execute(
        select(MembershipSystem.membership_id, MembershipSystem.system_code)
        .join(Membership, Membership.id == MembershipSystem.membership_id)
        .where(mine)
    ):
        systems[membership_id].add(code)
    places: dict[int, list[Place]] = defaultdict(list)
    for row in work.session.execute(
        select(Membership.id, Membership.person_id, Membership.level, Membership.municipality_id)
        .where(mine)
        .order_by(Membership.id)
    ):
        places[row.person_id].append(Place(Level(row.level), row.municipality_id, frozenset(systems[row.id])))
    return places
