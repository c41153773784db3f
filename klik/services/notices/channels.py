"""Channels beside the mail: what is told there of a system's tasks, and the rows in the ledger that it becomes.

A route says that a channel hears of one system's tasks on the chosen occasions. What goes there is KOMBIT's own
news of a task, once for all: no municipality's words and nobody's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from klik.domain.rights import Right
from klik.models import ChannelRoute, System, Task
from klik.plugins.answers import is_text
from klik.plugins.manager import plugin_of
from klik.services import access, auditing, for_plugins
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.notices import ledger
from klik.services.notices.ledger import MAIL, NoticeDraft
from klik.services.notices.recipients import CHANNEL_ADDRESS, Recipient
from klik.services.work import Work

TRIAL = "kanal-proeve"
REASON = "kanalen følger systemet"
# What may be told over a channel: the occasion, and what people tick.
OFFERED: Mapping[str, str] = {
    "udgivet": "Opgave udgivet",
    "annonceret": "Kommende opgave",
    "rettet": "Opgave rettet",
    "frist-flyttet": "Frist flyttet",
    "trukket-tilbage": "Opgave trukket tilbage",
    "besvaret": "Spørgsmål besvaret",
}


@dataclass(frozen=True, slots=True)
class RouteView:
    """A route as the page shows it; ``channel_label`` is the plug-in's, or the key where it is gone.

    ``lacks`` says what the operator has not set, so that its messages wait.
    """

    id: int
    version: int
    channel_label: str
    installed: bool
    system: str
    occasions: Sequence[str]
    lacks: str


def offered_channels(work: Work) -> Mapping[str, str]:
    """The channels that plug-ins give, key → label."""
    return {key: each.label for key, each in work.registry.channels.items() if key != MAIL}


def lacks(work: Work, key: str) -> str:
    """What keeps a channel from sending, in Danish; empty when it can, or when it is gone."""
    channel = work.registry.channels.get(key)
    if channel is None or channel.lacks is None:
        return ""
    context = for_plugins.context(work, plugin_of(key), tables=False)
    asked = channel.lacks
    return work.registry.guard.ask(
        f"{key}/lacks", lambda: asked(context), "", lambda answer: answer == "" or is_text()(answer)
    )


def way(key: str) -> str:
    """What the guard knows the sending of a channel by."""
    return f"{key}/afsendelse"


def routes(work: Work) -> list[RouteView]:
    """The routes in force, by channel and system."""
    labels = offered_channels(work)
    rows = work.session.execute(
        select(ChannelRoute, System.name)
        .join(System, System.code == ChannelRoute.system_code)
        .where(ChannelRoute.ended_at.is_(None))
        .order_by(ChannelRoute.channel, System.name)
    )
    return [
        RouteView(
            route.id,
            route.version,
            labels.get(route.channel, route.channel),
            route.channel in labels,
            system,
            [OFFERED.get(each, each) for each in route.occasions.split(",")],
            lacks(work, route.channel),
        )
        for route, system in rows
    ]


def add(work: Work, channel: str, system: str, occasions: Sequence[str]) -> ChannelRoute:
    """Tie a channel to a system; one that was ended begins again. Raises RefusedError, by field."""
    access.require(work, Right.READ_OPERATIONS)
    problems = _problems(work, channel, system, occasions)
    if problems:
        raise RefusedError(problems)
    assert work.actor is not None
    route = work.session.scalar(
        select(ChannelRoute)
        .where(ChannelRoute.channel == channel, ChannelRoute.system_code == system)
        .with_for_update()
    )
    if route is not None and route.ended_at is None:
        raise RefusedError({"system": "System: kanalen følger allerede systemet. Afslut det først."})
    if route is None:
        route = ChannelRoute(channel=channel, system_code=system)
        work.session.add(route)
    route.occasions = ",".join(each for each in OFFERED if each in occasions)
    route.created_by, route.created_at, route.ended_at = work.actor.person_id, work.now, None
    work.session.flush()
    auditing.record(
        work,
        "tilknyt-kanal",
        f"kanal/{route.id}",
        {"channel": channel, "system": system, "occasions": len(occasions)},
    )
    return route


def _problems(work: Work, channel: str, system: str, occasions: Sequence[str]) -> dict[str, str]:
    problems = {}
    if channel not in offered_channels(work):
        problems["channel"] = "Kanal: vælg en af kanalerne på listen."
    if work.session.get(System, system) is None:
        problems["system"] = "System: vælg et af systemerne på listen."
    if not occasions or not set(occasions) <= OFFERED.keys():
        problems["occasions"] = "Anledninger: vælg mindst én."
    return problems


def end(work: Work, route_id: int, version: int) -> None:
    """Nothing more goes there. Raises NotFoundError, and ConflictError when somebody changed it first."""
    route = _route(work, route_id)
    if route.version != version:
        raise ConflictError(route.version, (Difference("Kanal", "Afslut", "Ændret"),))
    route.ended_at = work.now
    work.session.flush()
    auditing.record(work, "afslut-kanal", f"kanal/{route.id}", {"channel": route.channel})


def try_out(work: Work, route_id: int) -> None:
    """Queue a message that says it is a trial; raises NotFoundError."""
    route = _route(work, route_id)
    system = work.session.get_one(System, route.system_code).name
    ledger.enqueue(
        work,
        [
            _draft(
                route.channel,
                TRIAL,
                f"{TRIAL}/{route.id}/{work.now:%Y%m%dT%H%M%S%f}",
                f"Prøve fra klik: {system}",
                f"Kanalen virker. Den får besked om opgaver for {system}.",
                "/varsler",
            )
        ],
    )
    auditing.record(work, "proev-kanal", f"kanal/{route.id}", {"channel": route.channel})


def _route(work: Work, route_id: int) -> ChannelRoute:
    access.require(work, Right.READ_OPERATIONS)
    route = work.session.scalar(
        select(ChannelRoute)
        .where(ChannelRoute.id == route_id, ChannelRoute.ended_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if route is None:
        raise NotFoundError
    return route


def tell(work: Work, task: Task, occasion: str, version: object, heading: str, sentence: str) -> int:
    """Enter what happened to a KOMBIT task for every channel that follows its system; once a channel.

    ``version`` tells the acts of one occasion apart (the number of the text, the question). Belongs in the
    transaction of its cause.
    """
    if not task.project.system_code:
        return 0
    following = work.session.execute(
        select(ChannelRoute.channel, ChannelRoute.occasions).where(
            ChannelRoute.system_code == task.project.system_code, ChannelRoute.ended_at.is_(None)
        )
    ).all()
    about = f"{occasion}/task={task.id}/{version}"
    return ledger.enqueue(
        work,
        [
            _draft(channel, occasion, about, heading, sentence, f"/udgivelser/{task.id}", task.id)
            for channel, occasions in following
            if occasion in occasions.split(",")
        ],
    )


def _draft(
    channel: str,
    occasion: str,
    about: str,
    heading: str,
    sentence: str,
    path: str,
    task_id: int | None = None,
) -> NoticeDraft:
    return NoticeDraft(
        occasion=occasion,
        dedupe_key=about,
        recipient=Recipient(None, f"{CHANNEL_ADDRESS}{channel}", None, REASON),
        heading=heading,
        sentence=sentence,
        path=path,
        task_id=task_id,
        channel=channel,
    )
