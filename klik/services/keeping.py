"""What was worked out once and still holds: kept in this process for as long as the data it came from is the same.

Nothing is kept by time. What is kept was made under a stamp, and comes back only under that very stamp, which every
change of the data raises, whichever process makes it. Whoever keeps something answers for two things: it was made
of stamped tables only (klik.models.stamps lists them), and its key holds everything else that it depends on.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import SelectBase

from klik.models.stamps import Part

MOST_BYTES = 64 * 1024 * 1024
SMALL, STATEMENT = 2_000, 60_000  # bytes, about: a few numbers with their key; a statement as objects
Name = TypeVar("Name")
Thing = TypeVar("Thing")
Statement = TypeVar("Statement", bound=SelectBase)


@dataclass(frozen=True, slots=True)
class Stamps:
    """The state of all that an actor may see: of the frame around the tasks, and of the tasks."""

    frame: int
    tasks: int


class Keep:
    """A bounded store that threads share; what was not asked for longest goes first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._held = 0
        self._lock = threading.Lock()
        self._things: OrderedDict[Hashable, tuple[Hashable, Any, int]] = OrderedDict()

    def get(self, key: Hashable, stamp: Hashable) -> Any:
        """What is kept under the key and was made under this stamp, or None."""
        with self._lock:
            found = self._things.get(key)
            if found is None or found[0] != stamp:
                return None
            self._things.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, stamp: Hashable, thing: Any, size: int) -> None:
        """Keep a thing of so many bytes in place of any other under the key."""
        with self._lock:
            self._held -= self._things.pop(key, (0, None, 0))[2]
            if size > self._most:
                return
            self._things[key] = (stamp, thing, size)
            self._held += size
            while self._held > self._most:
                _key, (_stamp, _thing, gone) = self._things.popitem(last=False)
                self._held -= gone

    def keys(self) -> list[Hashable]:
        """What is kept, by its keys."""
        with self._lock:
            return list(self._things)

    def __len__(self) -> int:
        return len(self._things)


@dataclass(frozen=True, slots=True)
class Kept:
    """The store under the stamps that one reading transaction began with; without a store everything is made."""

    store: Keep | None = None
    stamps: Stamps = Stamps(0, 0)

    def each(
        self,
        keys: Mapping[Name, Hashable | None],
        make: Callable[[Sequence[Name]], Mapping[Name, Thing]],
        *,
        part: Part = Part.TASKS,
        size: int = SMALL,
    ) -> dict[Name, Thing]:
        """The things by the caller's names: kept ones by their keys, the others made together and kept.

        ``part`` is FRAME for what does not depend on the tasks. A key of None is never kept.
        """
        store, stamp = self.store, self.stamps.frame if part is Part.FRAME else self.stamps
        found: dict[Name, Thing] = {}
        if store is not None:
            for name, key in keys.items():
                # In a tuple, because what is kept may itself be None.
                if key is not None and (held := store.get(key, stamp)):
                    found[name] = held[0]
        if missing := [name for name in keys if name not in found]:
            made = make(missing)
            for name in missing:
                found[name] = made[name]
                if store is not None and (key := keys[name]) is not None:
                    store.put(key, stamp, (made[name],), size)
        return found

    def once(
        self, key: Hashable | None, make: Callable[[], Thing], *, part: Part = Part.TASKS, size: int = SMALL
    ) -> Thing:
        """One thing, kept or made now."""
        return self.each({"": key}, lambda _missing: {"": make()}, part=part, size=size)[""]

    def statement(
        self, name: str, keys: Sequence[Hashable | None], make: Callable[[], Statement]
    ) -> Statement:
        """The same object for the same question: SQLAlchemy takes long to make one, and knows it at once."""
        key = None if None in keys else ("statement", name, *keys)
        return self.once(key, make, part=Part.FRAME, size=STATEMENT)


NOTHING_KEPT = Kept()
