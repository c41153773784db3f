"""Correcting a task that 98 and 10,000 municipalities have: milliseconds, statements, and the cost of each copy.

The correction gives another text, role and deadline; a third of the copies are in progress, a seventh have a
deadline of their own, a fifth are completed. Against the least it can cost: one `update` of the same copies alone.
Run from the root of the checkout: `python -m bench.correct [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import text

from bench.measuring import Cost, Prepared, alternately, statements, tell
from bench.publish import settle
from bench.world import World, worlds
from klik.services import correcting, publishing
from klik.services.publishing import Draft

SIZES = (98, 10_000)
LEAST = text(
    "update municipal_tasks set version = version + 1, changed_at = created_at, deadline = yellow_from "
    "where task_id = :task"
)
# What is set of every so manieth copy.
DIFFERENTLY_FAR = {
    3: "status = 'i-gang'",
    7: "deadline = '2099-12-10', deadline_is_own = true",
    5: "status = 'fuldfoert', completed_on = '2026-01-01'",
}


def measure(world: World, rounds: int) -> tuple[dict[str, Cost], dict[int, int]]:
    """Medians of correcting a task of each size and of the bare updates; the statements by size."""
    house = world.house
    codes = settle(world, SIZES[-1])
    with house.reading(world.now) as work:
        content = work.registry.content
    numbers = itertools.count(1)
    newest: list[int] = []

    def publish(recipients: list[int]) -> None:
        number = next(numbers)
        draft = Draft(
            project="kp",
            title=f"Udpeg systemansvarlig nr. {number}",
            phase=content.phases[0].slug,
            theme=content.themes[0].slug,
            description="Kommunen skal have det på plads, før systemet tages i brug.",
            deadline_rule="core.date",
            deadline_parameter="2099-12-01",
            responsible_role="systemansvarlig",
            executor_role="superbruger",
        )
        with house.writing(datetime.now(UTC), world.kombit) as work:
            task_id = publishing.publish(work, draft, recipients, f"bench-{number}").task_id
            for every, values in DIFFERENTLY_FAR.items():
                some = f"task_id = :task and id % {every} = 0"
                work.session.execute(
                    text(f"update municipal_tasks set {values} where {some}"), {"task": task_id}
                )
        newest[:] = [task_id]

    def correct() -> int:
        with house.writing(datetime.now(UTC), world.kombit) as work:
            draft = replace(
                publishing.draft_of(work, newest[0]),
                deadline_parameter="2099-12-15",
                responsible_role="superbruger",
                description="En anden tekst.",
            )
            return correcting.correct(work, newest[0], draft, "Rettet.", version=1).notices

    def least() -> None:
        with house.writing(datetime.now(UTC)) as work:
            work.session.execute(LEAST, {"task": newest[0]})

    sent_by_size: dict[int, int] = {}
    asked: dict[str, Callable[[], object]] = {}
    for size in SIZES:
        publish(codes[:size])
        with statements(house.database.engine) as sent:
            correct()
        sent_by_size[size] = len(sent)
        asked[f"{size}"] = Prepared(lambda size=size: publish(codes[:size]), correct)
        asked[f"least {size}"] = Prepared(lambda size=size: publish(codes[:size]), least)
    return alternately(asked, rounds, warm=0), sent_by_size


def main(databases: list[str], size: int, rounds: int) -> None:
    tell("aim: as many statements for 10,000 as for 98, and each copy no dearer")
    for database in databases:
        with worlds(database, size) as world:
            medians, sent = measure(world, rounds)
        for many in SIZES:
            cost, least = medians[f"{many}"], medians[f"least {many}"]
            tell(
                f"{database:10} of {many:6} {cost.clock:8.1f} ms ({cost.work:8.1f} of work), each "
                f"{cost.clock / many:.3f} ms ({cost.work / many:.3f}), least {least.clock:7.1f} ms, "
                f"ratio {cost.clock / least.clock:.1f}, {sent[many]} statements"
            )


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        int(sys.argv[2]) if len(sys.argv) > 2 else 49_000,
        int(sys.argv[3]) if len(sys.argv) > 3 else 5,
    )
