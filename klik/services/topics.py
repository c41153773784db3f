"""What people subscribe to of what plug-ins tell: which topics somebody is offered, and their choice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from klik.domain.rights import Level
from klik.models import MunicipalSystem, Notice, NoticeSettings, Person, TopicSubscription
from klik.plugins.contributions import Topic
from klik.services import auditing
from klik.services.errors import ForbiddenError, RefusedError
from klik.services.work import Work

LEFT = "modtageren har frameldt emnet"
LONGEST_CHOICE = 2_000  # characters of what comes at once, as it is stored


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody belongs, as far as topics go: a municipality's code, or a supplier's systems, or KOMBIT."""

    level: Level
    municipality_id: int | None
    systems: frozenset[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """A topic somebody may subscribe to. ``system``: the name of the system it is about, empty for none."""

    topic: Topic
    system: str
    chosen: bool


def is_offered(topic: Topic, place: Place, having: Mapping[str, Collection[int]]) -> bool:
    """Whether somebody there may subscribe: KOMBIT to all, suppliers to their systems', municipalities to their own.

    ``having`` is who has which system; one that nobody is noted to have is everybody's.
    """
    if topic.system is None or place.level.scope == "kombit":
        return True
    if place.municipality_id is None:
        return topic.system in place.systems
    return topic.system not in having or place.municipality_id in having[topic.system]


def having(work: Work) -> Mapping[str, Collection[int]]:
    """The municipalities noted to have each of the systems that topics are about; one statement."""
    systems = {topic.system for topic in work.registry.topics.values() if topic.system}
    found: dict[str, set[int]] = defaultdict(set)
    for code, municipality_id in work.session.execute(
        select(MunicipalSystem.system_code, MunicipalSystem.municipality_id).where(
            MunicipalSystem.system_code.in_(systems)
        )
    ):
        found[code].add(municipality_id)
    return dict(found)


def offers(work: Work, first: str | None = None) -> Sequence[Offer]:
    """What the actor may subscribe to, by system and label; the topic ``first`` before the others."""
    place, places, mine = _place(work), having(work), subscribed(work)
    systems = work.registry.systems
    found = [
        Offer(topic, systems[topic.system].name if topic.system else "", topic.key in mine)
        for topic in work.registry.topics.values()
        if is_offered(topic, place, places)
    ]
    return sorted(found, key=lambda each: (each.topic.key != first, each.system, each.topic.label))


def subscribed(work: Work) -> frozenset[str]:
    """The keys of what the actor subscribes to, also of plug-ins that are not there now."""
    mine = select(TopicSubscription.topic).where(TopicSubscription.person_id == _person_id(work))
    # Asked in the middle of changing somebody's settings, which must not be stored half done.
    with work.session.no_autoflush:
        return frozenset(work.session.scalars(mine))


def choose(work: Work, topics: Collection[str]) -> int:
    """Subscribe the actor to these of what is offered and to no other of it; gives how many there are now.

    What is not offered to them (a plug-in that is taken out, a place they act in at another time) stays as it was.
    Raises RefusedError ("topics") for what cannot be chosen.
    """
    offered = {each.topic.key for each in offers(work)}
    if unknown := set(topics) - offered:
        raise RefusedError({"topics": f"Emner: “{min(unknown)[:60]}” kan ikke vælges."})
    person_id = _person_id(work)
    work.session.get_one(Person, person_id, with_for_update=True)
    mine = subscribed(work)
    added, removed = set(topics) - mine, (mine & offered) - set(topics)
    if added:
        rows = [{"person_id": person_id, "topic": key, "since": work.now} for key in sorted(added)]
        work.session.execute(insert(TopicSubscription), rows)
    if removed:
        _let_go(work, person_id, removed)
    if added or removed:
        _tell_settings(work, person_id, added, removed)
        facts = {"added": len(added), "removed": len(removed)}
        auditing.record(work, "choose-topics", f"person/{person_id}", facts)
    return len(topics)


def _let_go(work: Work, person_id: int, topics: Collection[str]) -> None:
    work.session.execute(
        delete(TopicSubscription).where(
            TopicSubscription.person_id == person_id, TopicSubscription.topic.in_(topics)
        )
    )
    work.session.execute(
        update(Notice)
        .where(
            Notice.person_id == person_id,
            Notice.occasion.in_(topics),
            Notice.mail_id.is_(None),
            Notice.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=work.now, withdrawal_reason=LEFT)
    )


def _tell_settings(work: Work, person_id: int, added: Collection[str], removed: Collection[str]) -> None:
    """Whoever has chosen what comes at once gets a new topic as it usually comes, without choosing again."""
    row = work.session.get(NoticeSettings, person_id, populate_existing=True)
    if row is None or row.at_once is None:
        return
    words = [word for word in row.at_once.split(",") if word and word not in removed]
    words += [key for key in sorted(added) if work.registry.topics[key].at_once and key not in words]
    while len(",".join(words)) > LONGEST_CHOICE:
        words.pop()
    row.at_once = ",".join(words)
    work.session.flush()


def _place(work: Work) -> Place:
    if work.actor is None:
        raise ForbiddenError
    return Place(work.actor.level, work.actor.municipality_id, work.actor.systems)


def _person_id(work: Work) -> int:
    if work.actor is None:
        raise ForbiddenError
    return work.actor.person_id
