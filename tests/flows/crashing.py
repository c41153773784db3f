"""Killing a process at each durable system call, and cutting a database's connections: shared by what is killed."""

from __future__ import annotations

import os
import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from klik.installation import Installation
from tests.conftest import SECRET
from tests.flows.publishers import Driver

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "unlinkat", "rename", "renameat")


@pytest.fixture(scope="module")
def drivers() -> Iterator[tuple[Driver, ...]]:
    """Two processes that publish and die."""
    root = Path(__file__).parents[2]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "KLIK_SECRET_KEY": SECRET}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1"}  # every durable call is to be the publisher's own
    kept = ("KLIK_TEST_KILLS", "PYTHONPYCACHEPREFIX")
    environment |= {name: value for name, value in os.environ.items() if name in kept}
    both = tuple(Driver(environment) for _process in range(2))
    yield both
    for driver in both:
        driver.close()


def points(driver: Driver, who: str, folder: Path, tally: Path) -> list[tuple[str, int]]:
    """Every durable system call of the publisher: its name and its number among those of that name."""
    assert driver.run(who, folder, ["-e", f"trace={','.join(CALLS)}", "-o", str(tally)]) == 0
    seen: dict[str, int] = {}
    found = []
    for call in re.finditer(r"^(\w+)\(", tally.read_text(), re.MULTILINE):
        seen[call[1]] = seen.get(call[1], 0) + 1
        found.append((call[1], seen[call[1]]))
    return found


def kill_at(driver: Driver, who: str, folder: Path, call: str, number: int) -> int:
    """The exit code of a publisher that is killed at its n-th call of this name (-9)."""
    inject = f"inject={call}:signal=KILL:when={number}"
    return driver.run(who, folder, ["-o", "/dev/null", "-e", f"trace={call}", "-e", inject])


def copied(base: Path, folder: Path) -> Path:
    """A folder of its own to die in."""
    return Path(shutil.copytree(base, folder))


def faults_at_every_point(
    drivers: tuple[Driver, ...],
    who: str,
    base: Path,
    places: list[tuple[str, int]],
    scratch: Path,
    judge: Callable[[Path], bool | None],
) -> list[str]:
    """Kill at each place and publish again. ``judge`` tells whether all is there (True), nothing, or a part (None).

    The repeat exits with 0 where nothing had been stored, and with 1 where everything had.
    """

    def die_and_look(driver: Driver, call: str, number: int) -> str | None:
        folder = copied(base, scratch / f"{call}-{number}")
        code = kill_at(driver, who, folder, call, number)
        stored = judge(folder)
        again = driver.run(who, folder)
        after = judge(folder)
        shutil.rmtree(folder)
        fine = code == -9 and stored is not None and again == int(stored) and after is True
        return None if fine else f"{call} {number}: exit {code}, {stored}, then {again}, {after}"

    def half(place: int) -> list[str]:
        mine = places[place :: len(drivers)]
        return [fault for call, number in mine if (fault := die_and_look(drivers[place], call, number))]

    with ThreadPoolExecutor(len(drivers)) as pool:
        return [fault for found in pool.map(half, range(len(drivers))) for fault in found]


def partly_at(
    driver: Driver, who: str, base: Path, scratch: Path, judge: Callable[[Path], bool | None]
) -> tuple[int, int]:
    """At how many of a handful of points a publisher leaves a part behind, and of how many."""
    places = points(driver, who, copied(base, scratch / "counted"), scratch / "tally")
    sample = places[:: max(1, len(places) // 8)][:8]
    partly = 0
    for call, number in sample:
        folder = copied(base, scratch / f"{call}-{number}")
        assert kill_at(driver, who, folder, call, number) == -9
        partly += judge(folder) is None
    return partly, len(sample)


def cut_at_random(
    house: Installation, rounds: int, press: Callable[[int], object], look: Callable[[set[int]], None]
) -> int:
    """Cut every connection at a random moment of each press, and press again; how often it was midway.

    The first press is undisturbed and tells how long one takes. ``look`` is given how many may be stored.
    """
    watcher = create_engine(house.database.engine.url, isolation_level="AUTOCOMMIT")
    chance, span, midway = random.Random(7), 0.0, 0
    for number in range(rounds + 1):
        heard: list[object] = []

        def act(number: int = number, heard: list[object] = heard) -> None:
            try:
                heard.append(press(number))
            except Exception as fault:
                heard.append(fault)

        thread = threading.Thread(target=act)
        began = time.monotonic()
        thread.start()
        if number:
            time.sleep(chance.uniform(0, 1.3 * span))
            with watcher.connect() as connection:
                connection.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_stat_activity "
                        "where datname = current_database() and pid <> pg_backend_pid()"
                    )
                )
        thread.join()
        span = span or time.monotonic() - began
        midway += isinstance(heard[-1], Exception)
        look({number, number + 1})
        press(number)
        look({number + 1})
    watcher.dispose()
    return midway
