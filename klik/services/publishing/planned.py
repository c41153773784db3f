"""The planned tasks whose time has come, each published in a transaction of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.exc import OperationalError

from klik.services.errors import RefusedError
from klik.services.publishing import planning
from klik.services.work import Work

log = logging.getLogger("klik.publishing")
Transaction = Callable[[datetime], AbstractContextManager[Work]]


class House(Protocol):
    """What is needed of an installation."""

    reading: Transaction
    writing: Transaction


@dataclass(slots=True)
class Round:
    """What a round came to: tasks published, refused with a reason, and left because the database did not answer."""

    published: int = 0
    refused: int = 0
    later: int = 0

    @property
    def any(self) -> bool:
        """Whether there was something to do."""
        return bool(self.published or self.refused or self.later)


def publish_all(house: House, now: datetime) -> Round:
    """Publish all that is due, however late; one that cannot be published holds nothing else up."""
    with house.reading(now) as work:
        waiting = planning.due(work)
    done = Round()
    for task_id in waiting:
        try:
            with house.writing(now) as work:
                done.published += planning.publish_due(work, task_id) is not None
        except OperationalError:
            log.exception("task %s waits for the database", task_id)
            done.later += 1
        except RefusedError as error:
            done.refused += _refused(house, now, task_id, " ".join(error.problems.values()))
        except Exception:
            # A plug-in's rule may raise anything; the other tasks must not wait for it.
            log.exception("task %s could not be published", task_id)
            done.refused += _refused(house, now, task_id, planning.UNFORESEEN)
    return done


def _refused(house: House, now: datetime, task_id: int, problem: str) -> bool:
    with house.writing(now) as work:
        return planning.note_problem(work, task_id, problem)
