"""Conversations side by side: each in a lane of its own, so that one that hangs holds no other up.

One thread writes to the database, for all lanes at once: a mail that is about to end with its dot, what became
of the ones before it and the next claims are one transaction. The lanes only talk.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from klik import speaking
from klik.plugins.answers import is_delivery
from klik.plugins.contributions import Channel, Delivery
from klik.plugins.guard import Guard, fault_of
from klik.services.notices import channels, claiming
from klik.services.notices.claiming import Claim, LeaseLostError
from klik.services.notices.ledger import MAIL
from klik.services.notices.mails import Sender
from klik.services.notices.settling import Checked, settle
from klik.services.work import Work

log = logging.getLogger("klik.delivery")

LANES = 4
PER_DOMAIN = 2
BATCH = 48  # mails claimed ahead of the lanes
# A mail that waited so long for its domain's turn goes back into the queue, and others get its place.
TURN = 20.0
BACK_IN_LINE = timedelta(seconds=30)
MOMENT = 0.05  # seconds that an answer may wait to be stored with others
# Seconds that a mail before its dot waits for the other lanes: what they ask for is stored together, and storing
# is what takes the time. A lane that is slower than this is not waited for.
TOGETHER = 0.01
TOO_SLOW = "modtagerens mailserver svarede ikke i tide"
BROKEN = "afsendelsen gik i stykker"
# "4.7.x": the relay finds that klik sends too much, whoever the mail is to.
_TOO_MUCH = re.compile(r"4\d\d[ -]4\.7\.\d")

Writing = Callable[[datetime], AbstractContextManager[Work]]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a run sends: for whom, over what, and how patiently (seconds for one whole conversation)."""

    sender: Sender
    channels: Collection[str]
    owner: str
    patience: float
    lease: timedelta


@dataclass(slots=True, eq=False)
class _Conversation:
    claimed: Claim
    lane: _Lane
    began: float = field(default_factory=time.monotonic)
    in_doubt: bool = False
    permission: queue.SimpleQueue[BaseException | None] = field(default_factory=queue.SimpleQueue)
    answer: Delivery | None = None
    fault: BaseException | None = None
    over: bool = False


class _Lane:
    """A thread that holds one conversation after the other, and keeps its connections between them."""

    def __init__(self, news: queue.SimpleQueue[_Conversation]) -> None:
        self._news = news
        self._next: queue.SimpleQueue[_Conversation | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, name="mail-lane", daemon=True)
        self.thread.start()

    def begin(self, claimed: Claim) -> _Conversation:
        conversation = _Conversation(claimed, self)
        self._next.put(conversation)
        return conversation

    def end(self) -> None:
        self._next.put(None)

    def _run(self) -> None:
        used = {}
        while conversation := self._next.get():
            channel = conversation.claimed.channel
            used[channel.key] = channel
            try:
                with speaking.while_called("" if channel.key == MAIL else channel.key):
                    conversation.answer = channel.send(
                        conversation.claimed.message,
                        conversation.claimed.context,
                        lambda conversation=conversation: self._ask(conversation),  # type: ignore[misc]
                    )
            except BaseException as fault:
                conversation.fault = fault
            conversation.over = True
            self._news.put(conversation)
        for channel in used.values():
            _hang_up(channel)

    def _ask(self, conversation: _Conversation) -> None:
        self._news.put(conversation)
        refusal = conversation.permission.get()
        if refusal is not None:
            raise refusal


def _hang_up(channel: Channel) -> None:
    if channel.hang_up is None:
        return
    try:
        with speaking.while_called("" if channel.key == MAIL else channel.key):
            channel.hang_up()
    except (
        BaseException
    ) as fault:  # what was to be sent is sent; a connection that will not end is nobody's trouble
        log.warning("channel %s could not hang up: %s", channel.key, fault_of(fault))


class Traffic:
    """A dispatcher's conversations, a portion of mails at a time."""

    def __init__(self, writing: Writing, clock: Clock, terms: Terms, stop: Callable[[], bool]) -> None:
        self._writing = writing
        self._clock = clock
        self._terms = terms
        self._stop = stop
        self._news: queue.SimpleQueue[_Conversation] = queue.SimpleQueue()
        self._idle: list[_Lane] = []
        self._talking: list[_Conversation] = []
        self._waiting: list[tuple[Claim, float]] = []
        self._closed: set[str] = set()
        self._lanes = LANES
        self._unsettled: list[tuple[_Conversation, Delivery | None, bool]] = []
        self._until = (datetime.max, 0)
        self._outcomes: list[Delivery | None] = []

    @property
    def channels(self) -> list[str]:
        """Those whose way has not proved closed."""
        return [key for key in self._terms.channels if key not in self._closed]

    @property
    def stopped(self) -> bool:
        """Whether no mail may be begun any more."""
        return self._stop()

    def run(self, checked: Checked) -> list[Delivery | None]:
        """Send what is due of the mails looked at; what became of each, None where that is in doubt.

        An abandoned conversation's lane is left to its fate.
        """
        self._until, self._outcomes = (checked.at, checked.mail_id), []
        try:
            self._store([])
            while self._talking or self._waiting:
                self._store(self._gather())
        finally:
            for conversation in self._talking:
                conversation.permission.put(LeaseLostError(conversation.claimed.mail_id))
            for lane in [*self._idle, *(conversation.lane for conversation in self._talking)]:
                lane.end()
            for lane in self._idle:
                lane.thread.join(2)
            self._idle.clear()
            self._talking.clear()
        return self._outcomes

    def _begin(self) -> None:
        """Give a lane to every mail that may start now."""
        busy = Counter(conversation.claimed.domain for conversation in self._talking)
        left = []
        for claimed, since in self._waiting:
            free = len(self._talking) < self._lanes and busy[claimed.domain] < PER_DOMAIN
            if free and claimed.channel.key not in self._closed:
                busy[claimed.domain] += 1
                lane = self._idle.pop() if self._idle else _Lane(self._news)
                self._talking.append(lane.begin(claimed))
            else:
                left.append((claimed, since))
        self._waiting = left

    def _gather(self) -> list[_Conversation]:
        """Those that ask whether they may end with their dot, when it is time to store that and what is over.

        Lanes whose mail is over get their next one meanwhile, so that it may be among those that ask.
        """
        asking: list[_Conversation] = []
        until = None
        while True:
            self._begin()
            free = [conversation for conversation in self._talking if conversation not in asking]
            now = time.monotonic()
            if until is None and (asking or self._unsettled):
                until = now + (TOGETHER if asking else MOMENT)
            elif asking and until is not None:
                until = min(until, now + TOGETHER)
            if not free or (until is not None and now >= until):
                return asking
            heard, ended = self._listen(free, TURN if until is None else until - now)
            asking += heard
            for conversation in ended:
                outcome, certain = _result(conversation)
                self._note(conversation, outcome)
                self._unsettled.append((conversation, outcome, certain))
            if until is None and not heard and not ended:
                return asking

    def _listen(
        self, expected: list[_Conversation], most: float
    ) -> tuple[list[_Conversation], list[_Conversation]]:
        """Which of these ask or are over within so many seconds; over is also what has taken too long."""
        asking: list[_Conversation] = []
        ended: list[_Conversation] = []
        oldest = min(conversation.began for conversation in expected)
        patience = max(0.0, oldest + self._terms.patience - time.monotonic())
        try:
            heard = self._news.get(timeout=min(patience, most))
            while True:
                if heard in expected:
                    (ended if heard.over else asking).append(heard)
                heard = self._news.get_nowait()
        except queue.Empty:
            pass
        now = time.monotonic()
        for conversation in expected:
            late = now - conversation.began >= self._terms.patience
            if late and not any(conversation is each for each in (*asking, *ended)):
                ended.append(conversation)
        return asking, ended

    def _store(self, asking: list[_Conversation]) -> None:
        """One transaction for all that has happened, then the lanes that asked go on."""
        verdicts: list[tuple[_Conversation, LeaseLostError | None]] = []
        results, self._unsettled = self._unsettled, []
        spare = self._spare()
        with self._writing(self._clock()) as work:
            for conversation in asking:
                verdicts.append((conversation, _mark(work, conversation.claimed)))
            for conversation, outcome, certain in results:
                settle(work, conversation.claimed, outcome, certain=certain)
                _judge(work.registry.guard, conversation)
            claiming.hand_back(work, spare, BACK_IN_LINE)
            fresh = self._claim(work)
        for conversation, lost in verdicts:
            conversation.in_doubt = lost is None
            conversation.permission.put(lost)
        now = time.monotonic()
        self._waiting += [(claimed, now) for claimed in fresh]
        self._outcomes += [outcome for _conversation, outcome, _certain in results]

    def _claim(self, work: Work) -> list[Claim]:
        """More mails, when few are left in hand and there may be some."""
        if len(self._waiting) > BATCH // 3 or self._stop():
            return []
        terms = self._terms
        wanted = BATCH - len(self._waiting)
        return claiming.claim(
            work, self.channels, terms.owner, terms.lease, terms.sender, self._until, wanted
        )

    def _spare(self) -> list[Claim]:
        """What was claimed and will not be sent now: it waited too long, its way is closed, or all shall end."""
        now, stop = time.monotonic(), self._stop()
        spare = [
            (claimed, since)
            for claimed, since in self._waiting
            if stop or claimed.channel.key in self._closed or now - since >= TURN
        ]
        self._waiting = [pair for pair in self._waiting if pair not in spare]
        return [claimed for claimed, _since in spare]

    def _note(self, conversation: _Conversation, outcome: Delivery | None) -> None:
        self._talking.remove(conversation)
        if conversation.over:
            self._idle.append(conversation.lane)
        else:
            conversation.permission.put(LeaseLostError(conversation.claimed.mail_id))
            conversation.lane.end()
        if outcome is None or outcome.outcome != "later":
            return
        if outcome.retry_after is not None:
            # The way itself is closed; the rest would only hear the same.
            self._closed.add(conversation.claimed.channel.key)
        elif _TOO_MUCH.match(outcome.reply):
            self._lanes = 1


def _mark(work: Work, claimed: Claim) -> LeaseLostError | None:
    try:
        claiming.mark_in_doubt(work, claimed)
    except LeaseLostError as lost:
        return lost
    return None


def _judge(guard: Guard, conversation: _Conversation) -> None:
    """What the conversation says of a plug-in's channel; a service that is away is no fault of it."""
    channel = conversation.claimed.channel.key
    if channel == MAIL or isinstance(conversation.fault, LeaseLostError):
        return
    key = channels.way(channel)
    if conversation.fault is not None:
        guard.failed(key, fault_of(conversation.fault))
    elif not conversation.over:
        guard.failed(key, "svarede ikke i tide")
    elif not _is_usable(conversation):
        guard.failed(key, f"gav et ubrugeligt svar ({type(conversation.answer).__name__})")
    else:
        guard.answered(key)


def _is_usable(conversation: _Conversation) -> bool:
    answer = conversation.answer
    return isinstance(answer, Delivery) if conversation.claimed.channel.key == MAIL else is_delivery(answer)


def _result(conversation: _Conversation) -> tuple[Delivery | None, bool]:
    """What the channel answered (None: left in doubt), and whether that is certain."""
    mail_id, fault = conversation.claimed.mail_id, conversation.fault
    if isinstance(fault, LeaseLostError):
        log.warning("mail %s: the lease was lost before the final dot", mail_id)
    elif fault is not None:
        # A plug-in's own words may hold the secret of its way, so only klik's own channel is quoted.
        said = repr(fault) if conversation.claimed.channel.key == MAIL else type(fault).__name__
        log.warning("mail %s: channel %s failed: %s", mail_id, conversation.claimed.channel.key, said)
    if _is_usable(conversation):
        return conversation.answer, True
    if conversation.in_doubt:
        return None, True
    return Delivery(outcome="later", reply=BROKEN if conversation.over else TOO_SLOW), False
