"""The deadline scan over every open task: the first run that writes, and the next that finds nothing to do.

Against the least it can cost: reading the same open tasks' ids and dates in one statement. Run from the root of
the checkout: `python -m bench.scan [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from sqlalchemy import text

from bench.measuring import alternately, cost, statements, tell
from bench.world import World, worlds
from klik.services.notices import scanning

LEAST = text(
    """
    select id, deadline, yellow_from from municipal_tasks
    where status in ('ikke-paabegyndt', 'i-gang') and withdrawn_at is null and erased_at is null
      and deadline >= :first
    """
)


def measure(world: World, rounds: int) -> str:
    """The line to print."""
    house = world.house
    written: list[scanning.Scan] = []

    def scan() -> None:
        with house.writing(world.now) as work:
            written.append(scanning.scan_deadlines(work))

    def look() -> None:
        with house.reading(world.now) as work:
            for plan in scanning.plans(work):
                assert not plan.drafts

    def least() -> None:
        with house.reading(world.now) as work:
            first = (work.today - timedelta(days=31)).isoformat()
            work.session.execute(LEAST, {"first": first}).all()

    first = cost(scan).clock
    with statements(house.database.engine) as sent:
        look()
    medians = alternately({"look": look, "least": least}, rounds, warm=1)
    assert written[0].written
    look_again, reading = medians["look"].clock, medians["least"].clock
    return (
        f"first run {first:7.0f} ms for {written[0].written:,} notices ({first / written[0].written:.2f} ms each); "
        f"next {look_again:6.0f} ms, {len(sent)} statements, {look_again / reading:.1f} x "
        f"reading the tasks ({reading:.0f} ms)"
    )


def main(databases: list[str], size: int, rounds: int) -> None:
    tell("no target in design; it runs every 15 minutes")
    for database in databases:
        with worlds(database, size) as world:
            tell(f"{database:12}{measure(world, rounds)}")


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        int(sys.argv[2]) if len(sys.argv) > 2 else 49_000,
        int(sys.argv[3]) if len(sys.argv) > 3 else 2,
    )
