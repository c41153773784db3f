"""The jobs by name: what each does, and how often the worker asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, union_all

from klik.db import rows_changed
from klik.installation import Installation
from klik.models import Mail, NewsletterRecipient, Notice, RequestKey
from klik.services import control, deleting, events, exports, job_runs, plugin_jobs, quarantine
from klik.services.control import heartbeat, reporting
from klik.services.deleting import erasing, sanity, sweeping
from klik.services.departures import completing as departures
from klik.services.newsletters import sending as newsletters
from klik.services.newsletters import subscribing
from klik.services.newsletters.links import Links
from klik.services.newsletters.sending import Post
from klik.services.notices import announcements, channels, delivery, ledger, roles, scanning, smtp, still_you
from klik.services.notices.bounces import marks, telling
from klik.services.notices.delivery import Delivered
from klik.services.notices.mails import Sender
from klik.services.people import leaving, sessions
from klik.services.publishing import planned
from klik.services.roles import fulfilling, lookups, settling, succession
from klik.services.saved_filters import digests as subscriptions
from klik.services.work import Work

Clock = Callable[[], datetime]
REQUEST_KEYS_KEPT = timedelta(days=30)
STALE_MAILS_KEPT = timedelta(days=30)
TEMPORARY_FILES_KEPT = timedelta(hours=24)
# Seconds after which no further large file is begun in one run, so that each run is noted and the worker can stop.
EXPORT_PATIENCE = 40.0
# The same for tasks that are deleted: large files that people wait for come in between.
DELETION_PATIENCE = 60.0
# Notices planned before they are written: one transaction, so that a person gets one mail, and bounded memory.
MOST_PLANNED = 20_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job did, in one Danish sentence; ``well`` false when it found something wrong."""

    sentence: str
    well: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """A job: ``every`` is how often the worker runs it, None for those that only people start.

    A ``slow`` job may take minutes; the others do not wait for it. One that ``waits`` says has work is not kept
    waiting for its next period.
    """

    name: str
    run: Callable[[Installation, datetime], Outcome]
    every: timedelta | None
    slow: bool = False
    waits: Callable[[Work], bool] | None = None


def wall_clock() -> datetime:
    """Now; the one place where jobs read the clock."""
    return datetime.now(UTC)


def counted(count: int, one: str, many: str) -> str:
    """ "1 varsel", "12 varsler"."""
    return f"{count} {one if count == 1 else many}"


def scan_deadlines(house: Installation, now: datetime) -> Outcome:
    """Enter what is due. Looks in reading transactions, so nobody waits while it thinks."""
    written = revived = nobody = 0
    waiting: list[scanning.Plan] = []

    def store() -> None:
        nonlocal written, revived, nobody
        with house.writing(now) as work:
            scan = scanning.write(work, waiting)
        written, revived, nobody = written + scan.written, revived + scan.revived, nobody + scan.nobody
        waiting.clear()

    with house.reading(now) as work:
        for plan in scanning.plans(work):
            if plan.drafts or plan.revived or plan.nobody:
                waiting.append(plan)
            if sum(len(each.drafts) for each in waiting) >= MOST_PLANNED:
                store()
    if waiting:
        store()
    with house.writing(now) as work:
        succession.hand_on(work)
        settling.lapse(work)
    with house.reading(now) as work:
        is_due = fulfilling.is_due(work)
    if is_due:
        with house.writing(now) as work:
            fulfilling.fulfil_due(work)
    with house.reading(now) as work:
        of_roles = [*roles.lacking(work), *still_you.lacking(work)]
    with house.writing(now) as work:
        written += ledger.enqueue(work, of_roles) + deleting.remind(work)
    if subscriptions.is_morning(now):
        written += _enter_subscriptions(house, now)
    sentence = f"{counted(written, 'nyt varsel', 'nye varsler')} er skrevet ind"
    if revived:
        sentence += f", {counted(revived, 'varsel', 'varsler')} er taget frem igen"
    if nobody:
        sentence += f"; {counted(nobody, 'opgave', 'opgaver')} har ingen modtager"
    return Outcome(f"{sentence}.", well=not nobody)


def _enter_subscriptions(house: Installation, now: datetime, *, at_once: bool = False) -> int:
    """Enter the mails of subscribed filters that are due; how many are new."""
    with house.reading(now) as work:
        looked_at = list(subscriptions.plans(work, at_once=at_once))
    if not looked_at:
        return 0
    with house.writing(now) as work:
        return subscriptions.write(work, looked_at)


def sender(house: Installation) -> Sender:
    """Who the installation's mails come from."""
    settings = house.settings
    return Sender(settings.mail_from, settings.base_url, settings.secret_key, settings.return_address)


def open_channels(house: Installation) -> Collection[str]:
    """The channels that can send now; the core's needs KLIK_SMTP_URL, and a plug-in says what its own lacks."""
    with house.reading(wall_clock()) as work:
        return [
            key
            for key in house.registry.channels
            if (
                house.settings.smtp
                if key == smtp.KEY
                else not house.registry.guard.rests(channels.way(key)) and not channels.lacks(work, key)
            )
        ]


def send_due(
    house: Installation,
    clock: Clock,
    stop: Callable[[], bool] = lambda: False,
    owner: str | None = None,
    *,
    patient: bool = False,
) -> Delivered:
    """Compose what waits, with ``patient`` only what has come to its hour, and send until nothing is due."""
    done = delivery.deliver(
        house.writing, clock, sender(house), open_channels(house), stop=stop, owner=owner, patient=patient
    )
    if done.sent:
        with house.writing(clock()) as work:
            deleting.note_notified(work)
    return done


def deliver(house: Installation, now: datetime) -> Outcome:
    """Compose and send all that waits, whosever hour it is; time goes on from ``now`` while it sends."""
    started = time.monotonic()
    done = send_due(house, lambda: now + timedelta(seconds=time.monotonic() - started))
    parts = [f"{counted(done.sent, 'mail', 'mails')} er afleveret"]
    for count, words in (
        (done.later, "forsøges igen senere"),
        (done.refused, "er afvist"),
        (done.doubtful, "er uvisse"),
        (done.resent, "er sendt igen, fordi de var uvisse"),
    ):
        if count:
            parts.append(f"{count} {words}")
    if done.withdrawn:
        parts.append(f"{counted(done.withdrawn, 'varsel', 'varsler')} er trukket tilbage")
    sentence = f"{', '.join(parts)}."
    if house.settings.smtp is None and (left := _unsent(house, now)):
        return Outcome(
            f"{sentence} {counted(left, 'mail', 'mails')} venter, fordi KLIK_SMTP_URL ikke er sat.",
            well=False,
        )
    return Outcome(sentence, well=not (done.refused or done.doubtful))


def _unsent(house: Installation, now: datetime) -> int:
    with house.reading(now) as work:
        waiting = select(func.count()).where(Mail.state == "pending", Mail.channel == smtp.KEY)
        return work.session.scalar(waiting) or 0


def check(house: Installation, now: datetime) -> Outcome:
    """Reckon anew what should have been told, heal what is missing, and give the day's account.

    Looks in a reading transaction, so nobody waits while it thinks.
    """
    with house.reading(now) as work:
        found = control.examine(work, leader_days=house.settings.leader_days)
        silent = heartbeat.silences(work)
    with house.writing(now) as work:
        control.heal(work, found)
        reporting.tell(work, found, reporting.store(work, found, silent), silent)
    account = reporting.account_of(found, silent)
    return Outcome(account.sentence, well=account.well)


def digests(house: Installation, now: datetime) -> Outcome:
    """Look at every subscribed filter now, and gather waiting notices into mails without sending them."""
    entered = _enter_subscriptions(house, now, at_once=True)
    made = delivery.compose_all(house.writing, lambda: now, sender(house))
    sentence = f"{counted(made.mails, 'mail', 'mails')} er gjort klar"
    if entered:
        sentence += f", og {counted(entered, 'gemt filter', 'gemte filtre')} er kommet med"
    if made.withdrawn:
        sentence += f", {counted(made.withdrawn, 'varsel', 'varsler')} er trukket tilbage"
    return Outcome(f"{sentence}.")


def tell_plugins(house: Installation, now: datetime) -> Outcome:
    """Tell plug-ins what happened."""
    told = events.tell_waiting(house, now)
    return Outcome(f"{counted(told, 'hændelse', 'hændelser')} er fortalt til udvidelserne.")


def tell_subscribers(house: Installation, now: datetime) -> Outcome:
    """Tell those who subscribe what plug-ins told of their topics."""
    written = 0
    while not house.stopping.is_set():
        with house.reading(now) as work:
            if not announcements.waits(work):
                break
        with house.writing(now) as work:
            written += announcements.tell_waiting(work)
    return Outcome(f"{counted(written, 'nyt varsel', 'nye varsler')} om emner er skrevet ind.")


def sweep(house: Installation, now: datetime) -> Outcome:
    """Remove what is over: sessions, form keys, mails taken apart, old runs, soft marks, half-written files.

    Looks also whether every municipality can be reached by mail.
    """
    files, doubt = sweeping.sweep(house, now)
    with house.writing(now) as work:
        telling.watch(work)
        rows = (
            sessions.sweep(work)
            + marks.forgive(work)
            + job_runs.sweep(work)
            + lookups.sweep(work)
            + subscribing.sweep(work)
            + exports.sweep(work, exports.folder_in(house.settings.data))
        )
        rows += rows_changed(work.session, delete(RequestKey).where(RequestKey.at < now - REQUEST_KEYS_KEPT))
        carried = union_all(
            select(Notice.mail_id).where(Notice.mail_id.is_not(None)),
            select(NewsletterRecipient.mail_id).where(NewsletterRecipient.mail_id.is_not(None)),
        )
        rows += rows_changed(
            work.session,
            delete(Mail).where(
                Mail.state == "stale", Mail.created_at < now - STALE_MAILS_KEPT, Mail.id.not_in(carried)
            ),
        )
    sentence = (
        f"{counted(rows, 'gammel række', 'gamle rækker')} og "
        f"{counted(files + _half_written(house, now), 'fil', 'filer')} er fjernet."
    )
    return Outcome(f"{sentence} {doubt}".rstrip(), well=not doubt)


def _half_written(house: Installation, now: datetime) -> int:
    gone = 0
    for file in exports.folder_in(house.settings.data).glob(".tmp-*"):
        if file.stat().st_mtime < (now - TEMPORARY_FILES_KEPT).timestamp():
            file.unlink(missing_ok=True)
            gone += 1
    return gone


def _going_on(now: datetime) -> Clock:
    """A clock that shows ``now`` at first and goes on while a long job works."""
    started = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - started)


def delete_due(house: Installation, now: datetime) -> Outcome:
    """Delete what is past its last day, each task when its archive file was read again."""
    done = erasing.delete_due(house, _going_on(now), DELETION_PATIENCE)
    if done.doubt:
        return Outcome(done.doubt, well=False)
    if not (done.erased or done.waiting or done.left or done.untold):
        return Outcome("Ingen opgaver er over deres sidste dag.")
    parts = [f"{counted(done.erased, 'opgave', 'opgaver')} er arkiveret og slettet"]
    if done.left:
        parts.append(f"{counted(done.left, 'opgave', 'opgaver')} slettes i næste omgang")
    if done.untold:
        parts.append(f"{counted(done.untold, 'opgave', 'opgaver')} venter på, at kommunen har fået varslet")
    if done.waiting:
        parts.append(f"{counted(done.waiting, 'opgave', 'opgaver')} kunne ikke slettes: {done.problem}")
    return Outcome(f"{'; '.join(parts).rstrip('.')}.", well=not done.waiting)


def run_exports(house: Installation, now: datetime) -> Outcome:
    """Make the large files that people wait for; time goes on from ``now`` meanwhile."""
    folder = exports.folder_in(house.settings.data)
    made = exports.run_waiting(house, folder, _going_on(now), EXPORT_PATIENCE, house.stopping.is_set)
    return Outcome(f"{counted(made, 'udtræk', 'udtræk')} er lavet." if made else "Ingen udtræk venter.")


def publish_planned(house: Installation, now: datetime) -> Outcome:
    """Publish the tasks whose planned time has come, each by itself."""
    done = planned.publish_all(house, now)
    if not done.any:
        return Outcome("Ingen planlagt opgave skal udgives nu.")
    sentence = f"{counted(done.published, 'planlagt opgave', 'planlagte opgaver')} er udgivet"
    if done.refused:
        sentence += (
            f"; {counted(done.refused, 'kunne', 'kunne')} ikke udgives, og forfatteren har fået besked"
        )
    if done.later:
        sentence += f"; {counted(done.later, 'forsøges', 'forsøges')} igen, når databasen svarer"
    return Outcome(f"{sentence}.", well=not (done.refused or done.later))


def look_after_people(house: Installation, now: datetime) -> Outcome:
    """Hand over what those had whose last day is past, and close their access; forget who left thirty days ago."""
    done = departures.complete_due(house, now)
    with house.writing(now) as work:
        forgotten = leaving.remove_due(work)
    parts = []
    if forgotten:
        parts.append(f"{counted(forgotten, 'tidligere medarbejder', 'tidligere medarbejdere')} er glemt")
    if not (done.completed or done.waiting or forgotten):
        return Outcome("Ingen er fratrådt siden sidst.")
    if done.completed:
        parts.append(f"{counted(done.completed, 'fratrædelse', 'fratrædelser')} er gennemført")
    if done.waiting:
        parts.append(
            f"{counted(done.waiting, 'fratrædelse', 'fratrædelser')} venter, "
            "fordi kommunen ikke har en anden administrator"
        )
    return Outcome(f"{'; '.join(parts)}.", well=not done.waiting)


def post(house: Installation) -> Post:
    """Who newsletters come from, and the links in them."""
    return Post(sender(house), Links(house.settings.base_url, house.settings.secret_key))


def send_newsletters(house: Installation, now: datetime) -> Outcome:
    """Send the newsletters whose planned time has come, and make the mails of what is sent."""
    done = newsletters.send_all(house.writing, now, post(house))
    parts = []
    if done.sent:
        parts.append(f"{counted(done.sent, 'planlagt nyhedsbrev', 'planlagte nyhedsbreve')} er sendt")
    if done.mails:
        parts.append(f"{counted(done.mails, 'mail', 'mails')} er gjort klar")
    if done.refused:
        parts.append(
            f"{counted(done.refused, 'nyhedsbrev', 'nyhedsbreve')} kunne ikke sendes, og KOMBIT har fået besked"
        )
    return Outcome(f"{'; '.join(parts) or 'Intet nyhedsbrev skal sendes nu'}.", well=not done.refused)


JOBS = {
    job.name: job
    for job in (
        Job("scan-deadlines", scan_deadlines, timedelta(minutes=15)),
        Job("deliver", deliver, None),
        Job("control", check, timedelta(minutes=15)),
        Job("digests", digests, None),
        Job("publish-planned", publish_planned, timedelta(minutes=1)),
        Job("send-newsletters", send_newsletters, timedelta(minutes=1)),
        Job("tell-plugins", tell_plugins, timedelta(minutes=1)),
        Job("tell-subscribers", tell_subscribers, timedelta(minutes=1)),
        Job("run-exports", run_exports, timedelta(minutes=1), slow=True, waits=exports.waits),
        Job("delete-due", delete_due, timedelta(minutes=5), slow=True),
        Job("people", look_after_people, timedelta(minutes=5)),
        Job("sweep", sweep, timedelta(hours=1)),
    )
}


def run(house: Installation, name: str, now: datetime, period: str) -> Outcome | None:
    """Run a job for a period and note it; None when another process has that period."""
    with house.writing(now) as work:
        if not job_runs.begin(work, name, period):
            return None
        sanity.note(work)
        quarantine.catch_up(work)
    started = time.monotonic()
    try:
        outcome = JOBS[name].run(house, now)
    except BaseException as error:
        _note(house, name, period, now, f"fejlede: {type(error).__name__}")
        raise
    _note(house, name, period, now + timedelta(seconds=time.monotonic() - started), outcome.sentence)
    return outcome


def run_of_plugin(house: Installation, key: str, now: datetime, period: str) -> Outcome | None:
    """Run a plug-in's job for a period and note it; None when another process has it, or while it rests."""
    job = house.registry.jobs[key]
    fault = plugin_jobs.run(house, job, now, period)
    if fault is None:
        return None
    if fault:
        return Outcome(f"“{job.label}” kunne ikke udføres: {fault.rstrip('.')}.", well=False)
    return Outcome(f"“{job.label}” er udført.")


def _note(house: Installation, name: str, period: str, now: datetime, sentence: str) -> None:
    with house.writing(now) as work:
        job_runs.finish(work, name, period, sentence)
