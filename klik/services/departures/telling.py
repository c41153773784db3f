"""The one mail to each who takes over: roles, tasks with the red ones first, and the note."""

from __future__ import annotations

from collections.abc import Iterator

from klik.domain.calendar import long_date
from klik.domain.deadlines import Colour
from klik.models import Departure
from klik.services.departures.plan import EXECUTOR, RESPONSIBLE, Plan, Share, TaskStep
from klik.services.notices import ledger, taking_over
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

GONE = "modtageren er fratrådt"
MOST_TASKS = 50
_COLOURS = {Colour.RED: "Rød: ", Colour.YELLOW: "Gul: "}
_WORDS = {RESPONSIBLE: "ansvarlig", EXECUTOR: "udfører"}


def tell(work: Work, departure: Departure, found: Plan) -> int:
    """Write one notice for each heir; the count of those that are new."""
    return ledger.enqueue(
        work, [_draft(departure, found, share) for share in found.shares if share.person is not None]
    )


def heading(share: Share) -> str:
    """ "Du overtager 9 opgaver, 2 er røde"; a role alone is named."""
    if share.tasks:
        return f"Du overtager {counted(len(share.tasks), 'opgave', 'opgaver')}{_red_words(share.red)}"
    if share.roles:
        return f"Du overtager {_roles(share)}"
    return "Du overtager delte filtre"


def counted(count: int, one: str, many: str) -> str:
    """ "1 opgave", "9 opgaver"."""
    return f"{count} {one if count == 1 else many}"


def _red_words(red: int) -> str:
    if not red:
        return ", ingen er røde"
    return f", {red} er {'rød' if red == 1 else 'røde'}"


def _draft(departure: Departure, found: Plan, share: Share) -> NoticeDraft:
    assert share.person is not None
    return NoticeDraft(
        occasion=taking_over.OCCASION,
        dedupe_key=f"{taking_over.OCCASION}/{departure.id}",
        recipient=Recipient(
            share.person.id,
            share.person.email,
            departure.municipality_id,
            "overtager efter en, der fratræder",
        ),
        heading=heading(share),
        sentence="\n".join([_sentence(departure, found, share), *_rows(share)]),
        path="/opgaver?ansvarlig=mig" if share.tasks else "/roller",
    )


def _sentence(departure: Departure, found: Plan, share: Share) -> str:
    parts = [f"{found.member.person.name} fratrådte {long_date(departure.last_day)}."]
    if share.roles:
        parts.append(f"Du overtager {_roles(share)}.")
    others = [
        counted(len(each), one, many)
        for each, one, many in (
            (share.filters, "delt filter", "delte filtre"),
            (share.systems, "system at følge", "systemer at følge"),
        )
        if each
    ]
    if others:
        parts.append(f"Med følger {' og '.join(others)}.")
    if departure.note:
        parts.append(f"Besked til dig: “{' '.join(departure.note.split())}”")
    return " ".join(parts)


def _roles(share: Share) -> str:
    names = [
        step.name[:1].lower() + step.name[1:] if step.name[1:2].islower() else step.name
        for step in share.roles
    ]
    if len(names) == 1:
        return f"rollen {names[0]}"
    return f"rollerne {', '.join(names[:-1])} og {names[-1]}"


def _rows(share: Share) -> Iterator[str]:
    for step in share.tasks[:MOST_TASKS]:
        yield _row(step)
    if len(share.tasks) > MOST_TASKS:
        yield f"… og {counted(len(share.tasks) - MOST_TASKS, 'opgave', 'opgaver')} mere"


def _row(step: TaskStep) -> str:
    task = step.task
    name = f"{task.task_number} {task.title}" if task.task_number else task.title
    until = f"deadline {long_date(task.deadline)}" if task.deadline else "ingen deadline"
    what = " og ".join(_WORDS[field] for field in step.fields)
    colour = _COLOURS.get(step.colour, "") if step.colour else ""
    return taking_over.row(f"{colour}{name} ({what}, {until})", task.id)
