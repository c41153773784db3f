"""A dispatcher that is made to be killed: forks a fresh one for every line it reads, and says its number."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from klik import jobs, settings
from klik.installation import Installation
from klik.services.notices import delivery

LEASE = timedelta(seconds=1)


def send_until_killed() -> None:
    """Send what is due, over and over."""
    house = Installation(settings.load(), plugins=[])
    owner = delivery.owner_name()
    os.write(1, f"{os.getpid()}\n".encode())
    while True:
        delivery.deliver(
            house.writing,
            jobs.wall_clock,
            jobs.sender(house),
            jobs.open_channels(house),
            owner=owner,
            lease=LEASE,
        )


def main() -> None:
    """One child a line; gathers them when they are gone."""
    for _line in sys.stdin:
        child = os.fork()
        if child == 0:
            send_until_killed()
        os.waitpid(child, 0)
        os.write(1, b"gone\n")


if __name__ == "__main__":
    main()
