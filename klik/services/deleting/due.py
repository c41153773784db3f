"""What the hourly job does with tasks past their last day."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from klik.services.deleting import progress as deletion_progress
from klik.services.work import Work


class Readable(Protocol):
    """What deleting needs of an installation."""

    def reading(self, now: datetime) -> AbstractContextManager[Work]:
        """Work that looks and changes nothing."""


def delete_due(installation: Readable, now: datetime) -> str:
    """Say how many tasks are past their last day. Nothing is deleted: there are no archive files yet."""
    with installation.reading(now) as work:
        due = deletion_progress.due(work)
    if not due.tasks:
        return "Ingen opgaver er over deres sidste dag."
    are = (
        "1 opgave er over sin sidste dag"
        if due.tasks == 1
        else f"{due.tasks} opgaver er over deres sidste dag"
    )
    untold = f" Heraf venter {due.untold} på, at kommunen har fået varslet." if due.untold else ""
    return f"{are}. klik sletter dem ikke endnu: uden en arkivfil, der er læst igen, slettes intet.{untold}"
