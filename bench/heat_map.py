"""The map of municipalities and phases against its floor: the single best statement for its numbers, and nothing else.

Run from the root of the checkout: `python -m bench.heat_map [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import text

from bench.list import change, told
from bench.measuring import Cost, Prepared, alternately, serving, statements, tell
from bench.world import World, worlds
from klik.app import create_app
from klik.domain.deadlines import danish_today

ALL, ONE = "/overblik", "/overblik?projekt=kp"
STATES = {
    "again": "nothing changed since somebody looked: the numbers were kept",
    "changed": "the first look after a task of a municipality was changed: all is counted anew",
    "project": "the same of one project",
    "pace": "with the last weeks and each municipality's forecast, after a change",
}
TARGET = 3.0
FLOOR = """
    select municipality_id, phase, count(*),
           sum(case when status = 'fuldfoert' then 1 else 0 end),
           sum(case when status in ('ikke-paabegyndt', 'i-gang') and deadline < :today then 1 else 0 end),
           sum(case when status in ('ikke-paabegyndt', 'i-gang') and deadline >= :today
                     and yellow_from <= :today then 1 else 0 end)
    from municipal_tasks
    where task_id is not null and erased_at is null and withdrawn_at is null
      and status <> 'ikke-relevant' {of}
    group by municipality_id, phase
    """
FLOOR_OF_ALL = text(FLOOR.format(of=""))
FLOOR_OF_ONE = text(FLOOR.format(of="and project_id = 1"))
_CELL = re.compile(rb"af (\d+)</span></a>")


@dataclass(frozen=True, slots=True)
class Found:
    """What the page costs in each state, beside its own floor, and how many statements it takes."""

    costs: Mapping[str, Cost]
    floors: Mapping[str, Cost]
    statements: Mapping[str, int]


def floor(world: World, statement: object) -> bytes:
    """The numbers alone."""
    today = danish_today(world.now).isoformat()
    with world.house.database.reading() as session:
        rows = session.connection().execute(statement, {"today": today}).all()  # type: ignore[call-overload]
    return str(sum(row[2] for row in rows)).encode()


def compare(world: World, rounds: int) -> Found:
    """klik's page and the floor, asked alternately."""
    app = create_app(world.house.settings)
    engine = app.extensions["klik"].database.engine
    with serving(app, world.kombit_cookie) as klik:
        # The sum of all cells stands in the last one, and it is the floor's.
        assert _CELL.findall(klik(ALL))[-1] == floor(world, FLOOR_OF_ALL)
        assert _CELL.findall(klik(ONE))[-1] == floor(world, FLOOR_OF_ONE)
        changed = partial(change, world)
        asked = {
            "again": partial(klik, ALL),
            "changed": Prepared(changed, partial(klik, ALL)),
            "project": Prepared(changed, partial(klik, ONE)),
            "pace": Prepared(changed, partial(klik, f"{ALL}?tempo=ja")),
        }
        sent = {}
        for state, ask in asked.items():
            if isinstance(ask, Prepared):
                ask.before()
            with statements(engine) as each:
                ask()
            sent[state] = sum(not statement.startswith("BEGIN") for statement in each)
        floors = {"all": partial(floor, world, FLOOR_OF_ALL), "one": partial(floor, world, FLOOR_OF_ONE)}
        costs = alternately(asked | floors, rounds, warm=2, before=partial(klik, ALL))
    app.extensions["klik"].close()
    every, one = costs.pop("all"), costs.pop("one")
    return Found(costs, {state: one if state == "project" else every for state in costs}, sent)


def main(databases: list[str], sizes: list[int], rounds: int) -> None:
    for state, meaning in STATES.items():
        tell(f"{state:8} {meaning}")
    tell(
        f"{'':43}{'by the clock':^25}{'work of this process':^25}",
        f"{'':12}{'tasks':>10}{'state':>9}{'statements':>12}{'klik':>9}{'floor':>8}{'ratio':>8}"
        f"{'klik':>9}{'floor':>8}{'ratio':>8}  {'target':>6}  growth beside the floor's",
    )
    for database in databases:
        first: dict[str, tuple[Cost, Cost]] = {}
        for size in sizes:
            with worlds(database, size) as world:
                found = compare(world, rounds)
                for state, klik in found.costs.items():
                    least = found.floors[state]
                    start, start_floor = first.setdefault(state, (klik, least))
                    # Both grow with the rows that are counted; the page must not grow faster than the statement.
                    growth = klik.clock / start.clock / (least.clock / start_floor.clock)
                    tell(
                        f"{database:12}{size:>10,}{state:>9}{found.statements[state]:>12}"
                        f"{told(klik, least)}  {TARGET:>6}  {growth:.2f}"
                    )


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        [int(size) for size in sys.argv[2].split(",")] if len(sys.argv) > 2 else [245_000],
        int(sys.argv[3]) if len(sys.argv) > 3 else 20,
    )
