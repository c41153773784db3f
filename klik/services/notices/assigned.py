"""The notice to somebody who has just been given a task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

from klik.domain.calendar import long_date
from klik.models import MunicipalTask, Person
from klik.services import holders
from klik.services.holders import Holder
from klik.services.notices import ledger, stand_ins
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.notices.stand_ins import Wanted
from klik.services.tasks.assigning import Assignee
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
    tasks = {task.id: task for task, _before in changed}
    words: dict[tuple[int, int | str], list[str]] = defaultdict(list)
    wanted: dict[int, list[Wanted]] = {task_id: [] for task_id in tasks}
    for task, before in changed:
        for field, earlier in before.items():
            now = Assignee(getattr(task, f"{field}_id"), getattr(task, f"{field}_role"))
            if now == earlier:
                continue
            role = now.role or getattr(task, f"{field}_role")
            for holder, reason in people(task.municipality_id, task.system_code, now):
                why = reason.format(_WORDS[field])
                to = Recipient(holder.person_id, holder.address, task.municipality_id, why)
                wanted[task.id].append(Wanted(to, role, task.system_code))
                words[task.id, to.who].append(_WORDS[field])
    return ledger.enqueue(
        work,
        [
            _draft(tasks[task_id], to, words.get((task_id, to.who)) or _all_words(words, task_id))
            for task_id, told in stand_ins.reached(work, wanted).items()
            for to in told
        ],
    )


def _all_words(words: Mapping[tuple[int, int | str], list[str]], task_id: int) -> list[str]:
    return list(dict.fromkeys(word for key, found in words.items() if key[0] == task_id for word in found))


def _people(
    work: Work, municipality_id: int, system: str | None, assignee: Assignee
) -> list[tuple[Holder, str]]:
    """Who stands behind an assignee, with the reason as a pattern that takes what they are for the task."""
    if assignee.person_id is not None:
        person = work.session.get_one(Person, assignee.person_id)
        return [(Holder.of_person(person), "{} for opgaven")]
    if assignee.role is None:
        return []
    role = work.registry.content.role(assignee.role)
    reason = f"har rollen {role.name}, som er {{}} for opgaven"
    return [(each, reason) for each in holders.of_task(work, municipality_id, assignee.role, system)]


def _draft(task: MunicipalTask, to: Recipient, words: Sequence[str]) -> NoticeDraft:
    name = f"{task.task_number} {task.title}" if task.task_number else task.title
    until = f" Deadline er {long_date(task.deadline)}." if task.deadline else " Opgaven har ingen deadline."
    what = " og ".join(words)
    return NoticeDraft(
        occasion=OCCASION,
        dedupe_key=f"{OCCASION}/{task.id}/v{task.version}",
        recipient=to,
        heading=f"{to.instead_of or 'Du'} er {what}: {name}",
        sentence=f"{to.instead_of or 'Du'} er blevet {what} for opgaven “{name}”.{until}",
        path=f"/opgaver/{task.id}",
        municipal_task_id=task.id,
        task_id=task.task_id,
        about_day=task.deadline,
    )
