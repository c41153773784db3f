"""How often somebody may try links that do not hold: a bounded count in this process, forgotten after a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
MOST_KEPT = 10_000


class Pace:
    """Counts tries by who makes them. A link's signature cannot be guessed; this keeps the noise down."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def too_fast(self, who: str, now: datetime) -> bool:
        """Count one more try, and say whether that was too many for the quarter of an hour."""
        with self._lock:
            began, tries = self._tries.pop(who, (now, 0))
            if now - began >= WINDOW:
                began, tries = now, 0
            self._tries[who] = (began, tries + 1)
            while len(self._tries) > MOST_KEPT:
                self._tries.popitem(last=False)
            return tries + 1 > self._most
