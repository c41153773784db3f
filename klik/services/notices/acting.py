"""What a link in a mail will do, said before it is done; and doing it, as the person it was sent to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from klik.domain import wake_days
from klik.domain.calendar import long_date, relative
from klik.domain.errors import InputError
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import FilterUse, MunicipalTask
from klik.services import access, auditing, saved_filters
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.notices import actions, quiet
from klik.services.notices.actions import Claim, LinkError
from klik.services.saved_filters import uses
from klik.services.tasks import changing
from klik.services.tasks.history import MAIL_LINK
from klik.services.tasks.steps import Changes

ALREADY = "Det er allerede gjort."
GONE = "Opgaven findes ikke længere i klik, eller du har ikke længere adgang til den."


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a link is about and what it will do; ``done`` says what is so already, and then there is no button.

    ``days`` is what can be chosen between, words and day; ``path`` the page it is about.
    """

    heading: str
    facts: tuple[tuple[str, str], ...]
    will: str
    button: str
    path: str
    page: str
    days: tuple[tuple[str, date], ...] = ()
    done: str | None = None


def offer(claim: Claim) -> Offer:
    """What the link will do; only reads. Raises LinkError when it can do nothing any more."""
    try:
        return _OFFERS[claim.purpose](claim)
    except (NotFoundError, ForbiddenError) as gone:
        raise LinkError(GONE if claim.purpose in (actions.START, actions.POSTPONE) else _CLOSED) from gone


def carry_out(claim: Claim, day: str = "") -> str:
    """Do it and say what was done; raises LinkError, and RefusedError for a day that cannot be chosen.

    Pressed once more it says so and does nothing.
    """
    work = claim.work
    if claim.purpose in (actions.START, actions.POSTPONE):
        # Of two that press at once the second one waits here, and is told what the first one did.
        work.session.refresh(_task(claim), with_for_update=True)
    found = offer(claim)
    if found.done:
        return found.done
    sentence = _ACTS[claim.purpose](claim, day)
    auditing.record(
        work,
        "mail-link",
        f"varsel/{claim.notice.id}",
        {"formål": claim.purpose},
        claim.notice.municipality_id,
    )
    return sentence


_CLOSED = "Det, linket handler om, findes ikke længere, eller du har ikke længere adgang til det."


def _task(claim: Claim) -> MunicipalTask:
    try:
        return access.municipal_task(claim.work, claim.notice.municipal_task_id or 0)
    except NotFoundError as gone:
        raise LinkError(GONE) from gone


def _facts(claim: Claim, task: MunicipalTask) -> tuple[tuple[str, str], ...]:
    deadline = task.deadline
    today = claim.work.today
    pairs = [
        ("Kommune", claim.actor.place),
        ("Frist", f"{long_date(deadline)} ({relative(deadline, today)})" if deadline else "Ingen frist"),
        ("Status nu", Status(task.status).label),
    ]
    return tuple(pairs)


def _name(task: MunicipalTask) -> str:
    return f"{task.task_number} {task.title}" if task.task_number else task.title


def _still_open(task: MunicipalTask) -> None:
    if task.withdrawn_at is not None:
        raise LinkError("KOMBIT har trukket opgaven tilbage, så der er ikke mere at gøre.")


def _start_offer(claim: Claim) -> Offer:
    task = _task(claim)
    _still_open(task)
    status = Status(task.status)
    done = None
    if status is Status.IN_PROGRESS:
        done = f"{ALREADY} Opgaven er i gang."
    elif status is not Status.NOT_STARTED:
        done = f"Opgaven har status {status.label}, så der er ikke noget at sætte i gang."
    elif not access.may_change(claim.work, task):
        raise LinkError("Du har ikke længere ret til at ændre opgaven.")
    return Offer(
        heading=_name(task),
        facts=_facts(claim, task),
        will="Opgavens status bliver “I gang”. Historikken på opgaven siger, at du gjorde det via et link i en mail.",
        button="Sæt opgaven i gang",
        path=f"/opgaver/{task.id}",
        page="Åbn opgaven i klik",
        done=done,
    )


def _start(claim: Claim, _day: str) -> str:
    task = _task(claim)
    changing.change(
        claim.work,
        task.id,
        task.version,
        Changes(status=Status.IN_PROGRESS),
        via=f"{MAIL_LINK}/{claim.notice.id}"[:20],
    )
    return "Opgaven er sat i gang."


def _postpone_offer(claim: Claim) -> Offer:
    task = _task(claim)
    _still_open(task)
    work = claim.work
    until = quiet.until(work, claim.actor.person_id, task.id)
    done = None
    if Status(task.status) not in OPEN_STATUSES:
        done = f"Opgaven har status {Status(task.status).label}, så der kommer ingen påmindelser om den."
    elif until:
        done = f"{ALREADY} Du får ingen mails med påmindelser om opgaven før {long_date(until)}."
    return Offer(
        heading=_name(task),
        facts=_facts(claim, task),
        will="Du får ingen mails med påmindelser om opgaven før den dag, du vælger. "
        "Andre, der følger opgaven, får stadig deres, og fristen flytter sig ikke.",
        button="Udskyd mine påmindelser",
        path=f"/opgaver/{task.id}",
        page="Åbn opgaven i klik",
        days=tuple(wake_days.suggested(work.today, quiet.MOST_DAYS)),
        done=done,
    )


def _postpone(claim: Claim, day: str) -> str:
    work, task = claim.work, _task(claim)
    try:
        until = wake_days.chosen(day, work.today, quiet.MOST_DAYS)
    except InputError as wrong:
        raise RefusedError({"dag": str(wrong)}) from wrong
    quiet.keep_quiet(work, claim.actor, task, until, "via mail-link")
    return f"Du får ingen mails med påmindelser om opgaven før {long_date(until)}."


def _stop_offer(claim: Claim) -> Offer:
    work = claim.work
    row = access.saved_filter(work, actions.filter_id(claim.notice))
    use = work.session.get(FilterUse, (claim.actor.person_id, row.id))
    stopped = use is None or use.subscription == saved_filters.NEVER
    return Offer(
        heading=f"Mail om filteret “{row.name}”",
        facts=(("Kommune", claim.actor.place),) if claim.actor.municipality_id else (),
        will="Du får ikke flere mails om filteret. Selve filteret bliver stående, og du kan slå mailen til igen.",
        button="Stop mailen",
        path="/filtre",
        page="Åbn dine filtre i klik",
        done=f"{ALREADY} Mailen er slået fra." if stopped else None,
    )


def _stop(claim: Claim, _day: str) -> str:
    uses.subscribe(claim.work, actions.filter_id(claim.notice), saved_filters.NEVER)
    return "Mailen er slået fra."


_OFFERS: Mapping[str, Callable[[Claim], Offer]] = {
    actions.START: _start_offer,
    actions.POSTPONE: _postpone_offer,
    actions.STOP: _stop_offer,
}
_ACTS: Mapping[str, Callable[[Claim, str], str]] = {
    actions.START: _start,
    actions.POSTPONE: _postpone,
    actions.STOP: _stop,
}
