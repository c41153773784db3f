"""The notice to somebody who has just been given a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from klik.domain.calendar import long_date
from klik.models import MunicipalTask, Person
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.tasks import assigning
from klik.services.tasks.assigning import Assignee, Holder
from klik.services.work import Work

OCCASION = "tildelt"
_WORDS = {"responsible": "ansvarlig", "executor": "udfører"}


def tell_assigned(work: Work, changed: Sequence[tuple[MunicipalTask, Mapping[str, Assignee]]]) -> int:
    """Tell whoever is responsible or executor now and was not before; a notice for each person and task.

    ``changed`` holds each task with who had it before. What is new for one person goes out in one mail. A role's
    notice goes to those who hold it today; a vacant role has nobody to tell, and the page says so. Gives the
    count.
    """
    people = cache(lambda municipality, system, assignee: _people(work, municipality, system, assignee))
    drafts = []
    for task, before in changed:
        found: dict[str, tuple[Holder, str, list[str]]] = {}
        for field, earlier in before.items():
            now = Assignee(getattr(task, f"{field}_id"), getattr(task, f"{field}_role"))
            if now == earlier:
                continue
            for holder, reason in people(task.municipality_id, task.system_code, now):
                why = reason.format(_WORDS[field])
                found.setdefault(holder.address.casefold(), (holder, why, []))[2].append(_WORDS[field])
        drafts += [_draft(task, holder, reason, words) for holder, reason, words in found.values()]
    return ledger.enqueue(work, drafts)


def _people(
    work: Work, municipality_id: int, system: str | None, assignee: Assignee
) -> list[tuple[Holder, str]]:
    """Who stands behind an assignee, with the reason as a pattern that takes what they are for the task."""
    if assignee.person_id is not None:
        person = work.session.get_one(Person, assignee.person_id)
        return [(Holder(person.id, person.name, person.email), "{} for opgaven")]
    if assignee.role is None:
        return []
    role = work.registry.content.role(assignee.role)
    reason = f"har rollen {role.name}, som er {{}} for opgaven"
    return [(each, reason) for each in assigning.holders(work, municipality_id, role, system)]


def _draft(task: MunicipalTask, holder: Holder, reason: str, words: list[str]) -> NoticeDraft:
    name = f"{task.task_number} {task.title}" if task.task_number else task.title
    until = f" Deadline er {long_date(task.deadline)}." if task.deadline else " Opgaven har ingen deadline."
    return NoticeDraft(
        occasion=OCCASION,
        dedupe_key=f"{OCCASION}/{task.id}/v{task.version}",
        recipient=Recipient(holder.person_id, holder.address, task.municipality_id, reason),
        heading=f"Du er {' og '.join(words)}: {name}",
        sentence=f"Du er blevet {' og '.join(words)} for opgaven “{name}”.{until}",
        path=f"/opgaver/{task.id}",
        municipal_task_id=task.id,
        task_id=task.task_id,
        about_day=task.deadline,
    )
