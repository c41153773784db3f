"""The status of a municipal task, and which changes of it are allowed."""

from enum import StrEnum

from klik.domain.errors import InputError

REASON_MINIMUM = 3
REASON_LIMIT = 500


class StatusError(InputError):
    """A change of status that is not allowed, said in Danish."""


class Status(StrEnum):
    """Where a municipality stands with a task (seed 003 names the first and the third)."""

    NOT_STARTED = "ikke-paabegyndt"
    IN_PROGRESS = "i-gang"
    COMPLETED = "fuldfoert"
    NOT_RELEVANT = "ikke-relevant"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]


_LABELS = {
    Status.NOT_STARTED: "Ikke påbegyndt",
    Status.IN_PROGRESS: "I gang",
    Status.COMPLETED: "Fuldført",
    Status.NOT_RELEVANT: "Ikke relevant",
}

OPEN_STATUSES = frozenset({Status.NOT_STARTED, Status.IN_PROGRESS})


def may_change(old: Status, new: Status, reason: str | None) -> None:
    """Raise `StatusError` when a task may not go from `old` to `new`.

    Every change is allowed, re-opening too; only "Ikke relevant" needs a reason of 3–500 characters, so
    that the statistics over the 98 municipalities stay honest.
    """
    if new is not Status.NOT_RELEVANT:
        return
    length = len((reason or "").strip())
    if length < REASON_MINIMUM:
        raise StatusError(
            f"Begrundelse skal fylde mindst {REASON_MINIMUM} tegn, når opgaven sættes til “{new.label}”."
        )
    if length > REASON_LIMIT:
        raise StatusError(f"Begrundelse må højst fylde {REASON_LIMIT} tegn; du har skrevet {length}.")
