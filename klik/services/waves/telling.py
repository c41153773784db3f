"""Telling the municipalities: that a deadline has moved, and that tasks have come with a system."""

from __future__ import annotations

from collections.abc import Sequence

from klik.domain.calendar import long_date
from klik.models import System
from klik.services.notices import ledger, recipients, task_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.publishing.late import Late
from klik.services.waves.reckoning import Moved
from klik.services.work import Work

MOVED = "frist-flyttet"
CAME = "opgaver-tilkommet"


def tell_moved(work: Work, moved: Sequence[Moved], why: str) -> int:
    """A notice of each moved deadline to whom the task concerns; reminders of the old one fall with its version."""
    people = task_recipients.of_tasks(work, [each.copy for each in moved])
    drafts = [
        NoticeDraft(
            occasion=MOVED,
            # The copy's row already holds the next version when this is written.
            dedupe_key=f"{MOVED}/mt={each.copy.id}/v={each.copy.deadline_version + 1}",
            recipient=person,
            heading=f"Fristen er flyttet: {each.copy.task_number} {each.copy.title}",
            sentence=f"Fristen for “{each.copy.task_number} {each.copy.title}” {_from_to(each)}. {why}",
            path=f"/opgaver/{each.copy.id}",
            municipal_task_id=each.copy.id,
            task_id=each.copy.task_id,
            about_day=each.new,
        )
        for each in moved
        for person in people[each.copy.id]
    ]
    return ledger.enqueue(work, drafts)


def tell_came(work: Work, system: System, late: Late) -> int:
    """One notice to whom the system concerns in the municipality, however many tasks came."""
    code = late.municipality.code
    count, past = len(late.offers), late.for_information
    sentence = (
        f"KOMBITs {_tasks(count)} for {system.name} er oprettet hos jer. "
        "Frister efter udgivelsen tæller fra i dag."
    )
    if past:
        were = "Én er" if past == 1 else f"{past} er"
        sentence += f" {were} til orientering, fordi fristen er passeret."
    return ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=CAME,
                dedupe_key=f"{CAME}/{system.code}/kommune={code}/{work.now:%Y%m%dT%H%M%S%f}",
                recipient=recipient,
                heading=f"{_tasks(count)} for {system.name} er kommet til",
                sentence=sentence,
                path=f"/opgaver?system={system.code}",
            )
            for recipient in recipients.of_municipalities(work, [code], system.code)[code]
        ],
    )


def _from_to(moved: Moved) -> str:
    if moved.old is None:
        return f"er {long_date(moved.new)}" if moved.new else "er ikke fastsat"
    if moved.new is None:
        return f"var {long_date(moved.old)} og er nu ikke fastsat"
    return f"er flyttet fra {long_date(moved.old)} til {long_date(moved.new)}"


def _tasks(count: int) -> str:
    return "1 opgave" if count == 1 else f"{count} opgaver"
