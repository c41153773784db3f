"""The notice to somebody who has just been given a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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


def tell_assigned(work: Work, task: MunicipalTask, before: Mapping[str, Assignee]) -> int:
    """Tell whoever is responsible or executor now and was not before; one notice a person. Gives the count.

    A role's notice goes to those who hold it today; a vacant role has nobody to tell, and the page says so.
    """
    found: dict[str, tuple[Holder, str, list[str]]] = {}
    for field, earlier in before.items():
        now = Assignee(getattr(task, f"{field}_id"), getattr(task, f"{field}_role"))
        if now == earlier:
            continue
        for holder, reason in _people(work, task, now, _WORDS[field]):
            found.setdefault(holder.address.casefold(), (holder, reason, []))[2].append(_WORDS[field])
    return ledger.enqueue(
        work, [_draft(task, holder, reason, words) for holder, reason, words in found.values()]
    )


def _people(work: Work, task: MunicipalTask, assignee: Assignee, word: str) -> Iterator[tuple[Holder, str]]:
    if assignee.person_id is not None:
        person = work.session.get_one(Person, assignee.person_id)
        yield Holder(person.id, person.name, person.email), f"{word} for opgaven"
    elif assignee.role is not None:
        role = work.registry.content.role(assignee.role)
        for holder in assigning.holders(work, task.municipality_id, role, task.system_code):
            yield holder, f"har rollen {role.name}, som er {word} for opgaven"


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
