"""What is to be changed on many tasks: one field and its new value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from klik.domain.calendar import long_date
from klik.domain.status import Status
from klik.models import MunicipalTask
from klik.services.errors import RefusedError
from klik.services.tasks import assigning
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.steps import Changes, local_word
from klik.services.tasks.words import FIELDS, choice_word, field_word
from klik.services.work import Work

# Not somebody, but to whom each task falls: the role that whoever stands there by name holds.
ROLE_INSTEAD = "rollen"
RoleOf = Callable[[MunicipalTask, int], str | None]
FOR_ALL = ("status", "responsible", "executor", "deadline")
FOR_LOCAL = ("phase", "theme", "priority", "start_date")
MOST_DAYS = 3650


def _no_role(_task: MunicipalTask, _person_id: int) -> str | None:
    """For what gives nothing to a role."""
    return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One field and what it is to hold.

    ``value`` is as a form sends it: a status, an assignee's key or ROLE_INSTEAD, a slug, a plug-in's value.
    ``day`` is the date
    of a deadline or start; ``days`` moves the deadline by so many days instead. ``reason`` goes with
    "Ikke relevant".
    """

    field: str
    value: str = ""
    reason: str = ""
    day: date | None = None
    days: int | None = None

    def changes(self, task: MunicipalTask, role_of: RoleOf = _no_role) -> Changes:
        """What that means for this task; raises RefusedError where it means nothing.

        ``role_of`` gives the role that fits a task and that a person holds today.
        """
        if self.field == "status":
            status = Status(self.value)
            return Changes(status=status, not_relevant_reason=self.reason or None)
        if self.field == "responsible":
            return Changes(responsible=self._assignee(task, role_of))
        if self.field == "executor":
            return Changes(executor=self._assignee(task, role_of))
        if self.field == "deadline":
            return Changes(deadline=self._deadline(task))
        if self.field == "start_date":
            return Changes(start_date=self.day)
        if self.field in FOR_LOCAL:
            return Changes(**{self.field: self.value})
        return Changes(fields={self.field: self.value})

    def words(self, work: Work) -> str:
        """In one line: "Status: I gang"."""
        return f"{field_word(work.registry, self.field)}: {self._value_word(work)}"[:300]

    def _assignee(self, task: MunicipalTask, role_of: RoleOf) -> Assignee:
        if self.value == ROLE_INSTEAD:
            return self._role_instead(task, role_of)
        found = Assignee.parse(self.value)
        if found is None:
            raise RefusedError({self.field: f"{FIELDS[self.field]}: vælg en af mulighederne på listen."})
        return found

    def _role_instead(self, task: MunicipalTask, role_of: RoleOf) -> Assignee:
        person = getattr(task, f"{self.field}_id")
        if person is None:
            raise RefusedError({self.field: "Ingen står der ved navn."})
        role = role_of(task, person)
        if role is None:
            raise RefusedError({self.field: "Den, der står der, har ingen rolle, der passer til opgaven."})
        return Assignee(role=role)

    def _deadline(self, task: MunicipalTask) -> date | None:
        if self.days is None:
            return self.day
        if task.deadline is None:
            raise RefusedError({self.field: "Opgaven har ingen deadline at flytte."})
        return task.deadline + timedelta(days=self.days)

    def _value_word(self, work: Work) -> str:
        if self.field == "status":
            return Status(self.value).label
        if self.field in ("responsible", "executor"):
            if self.value == ROLE_INSTEAD:
                return "rollen i stedet for navnet"
            return assigning.word(work, Assignee.parse(self.value) or assigning.NOBODY)
        if self.field == "deadline" and self.days is not None:
            amount = abs(self.days)
            return f"{amount} {'dag' if amount == 1 else 'dage'} {'senere' if self.days > 0 else 'tidligere'}"
        if self.field in ("deadline", "start_date"):
            return long_date(self.day) if self.day else "ingen"
        if self.field in FOR_LOCAL:
            return local_word(work, self.field, self.value)
        extra = work.registry.extra_fields.get(self.field)
        return (choice_word(extra, self.value) if extra else self.value) or "ikke angivet"


def editable_fields(work: Work) -> Mapping[str, str]:
    """The fields that can be changed on many tasks at once, with their words: core's, plug-ins', local tasks'."""
    extras = {key: extra.label for key, extra in work.registry.extra_fields.items() if extra.municipal}
    return (
        {field: FIELDS[field] for field in FOR_ALL}
        | extras
        | {field: f"{FIELDS[field]} (kun lokale opgaver)" for field in FOR_LOCAL}
    )
