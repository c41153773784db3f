"""The list page against the least a page can cost: the same rows, one prepared statement, a bare Flask table.

Run from the root of the checkout: `python -m bench.list [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import flask
from sqlalchemy import TextClause, text

from bench.measuring import Cost, alternately, serving, statements, tell
from bench.world import World, worlds
from klik.app import create_app
from klik.db import Database
from klik.domain.deadlines import danish_today

FILTER = "/opgaver?deadline=roed&deadline=gul&status=ikke-paabegyndt"
TARGETS = {"one municipality": 2.0, "KOMBIT, all 98": 3.0}
ROWS = """
    select task.id, task.task_number, task.title, project.name as project, municipality.name as municipality,
           task.phase, task.theme, task.status, task.deadline, task.yellow_from,
           responsible.name as responsible, executor.name as executor
    from municipal_tasks task
    join projects project on project.id = task.project_id
    join municipalities municipality on municipality.id = task.municipality_id
    left join people responsible on responsible.id = task.responsible_id
    left join people executor on executor.id = task.executor_id
    where task.status = 'ikke-paabegyndt' and task.withdrawn_at is null and task.erased_at is null
      and (task.deadline < :today or task.yellow_from <= :today)
      {of}
    order by task.deadline, task.number_key, task.id
    limit 50
    """
ROWS_OF_ONE = text(ROWS.format(of="and task.municipality_id = :municipality"))
ROWS_OF_ALL = text(ROWS.format(of=""))
TABLE = """<!doctype html><html lang="da"><head><title>Opgaver</title></head><body><h1>Opgaver</h1><table>
<tr><th>Opgave</th>
<th>Deadline</th><th>Status</th><th>Ansvarlig</th><th>Udfører</th><th>Fase</th><th>Kommune</th></tr>
{% for row in rows %}<tr><th><a href="/opgaver/{{ row.id }}">{{ row.task_number }} {{ row.title }}</a>
{{ row.project }}</th><td>{{ row.deadline }}</td><td>{{ row.status }}</td><td>{{ row.responsible or "" }}</td>
<td>{{ row.executor or "" }}</td>
<td>{{ row.phase }} {{ row.theme }}</td><td>{{ row.municipality }}</td></tr>
{% endfor %}</table></body></html>"""


def bare(database: Database, today: date, statement: TextClause, given: Mapping[str, Any]) -> flask.Flask:
    """The floor: nobody signs in, nothing is counted, nothing is escaped but by Jinja."""
    app = flask.Flask("bare")
    table = app.jinja_env.from_string(TABLE)

    @app.get("/")
    def index() -> str:
        with database.reading() as session:
            rows = session.connection().execute(statement, {"today": today.isoformat()} | given)
            return table.render(rows=rows)

    return app


@dataclass(frozen=True, slots=True)
class Found:
    """What a reader's page and its floor cost, and how many statements klik's page took."""

    klik: Cost
    floor: Cost
    statements: int


def compare(world: World, rounds: int) -> dict[str, Found]:
    """klik's page and the floor, asked alternately, for each reader."""
    database = world.house.database
    app = create_app(world.house.settings)
    engine = app.extensions["klik"].database.engine
    found = {}
    readers = {
        "one municipality": (world.manager_cookie, ROWS_OF_ONE, {"municipality": world.municipality}),
        "KOMBIT, all 98": (world.kombit_cookie, ROWS_OF_ALL, {}),
    }
    for name, (cookie, statement, given) in readers.items():
        floor = bare(database, danish_today(world.now), statement, given)
        with serving(app, cookie) as klik, serving(floor) as least:
            klik(FILTER)
            with statements(engine) as sent:
                page = klik(FILTER)
            assert page.count(b'id="opgave-') == least("/").count(b"<tr><th><a") == 50
            asked = {"klik": partial(klik, FILTER), "floor": partial(least, "/")}
            costs = alternately(asked, rounds)
        asks = sum(not each.startswith("BEGIN") for each in sent)
        found[name] = Found(costs["klik"], costs["floor"], asks)
    app.extensions["klik"].close()
    return found


def main(databases: list[str], sizes: list[int], rounds: int) -> None:
    tell(
        f"{'':28}{'':18}{'by the clock':^26}{'work of this process':^26}",
        f"{'':12}{'tasks':>10}  {'reader':18}{'klik':>8}{'floor':>8}{'ratio':>8}{'klik':>10}{'floor':>8}"
        f"{'ratio':>8}{'target':>8}  statements",
    )
    for database in databases:
        first: dict[str, Found] = {}
        for size in sizes:
            with worlds(database, size) as world:
                for name, found in compare(world, rounds).items():
                    klik, floor = found.klik, found.floor
                    growth = (
                        f"  {klik.clock / first[name].klik.clock:.2f} x the first" if name in first else ""
                    )
                    first.setdefault(name, found)
                    tell(
                        f"{database:12}{size:>10,}  {name:18}{klik.clock:8.1f}{floor.clock:8.1f}"
                        f"{klik.clock / floor.clock:8.1f}{klik.work:10.1f}{floor.work:8.1f}"
                        f"{klik.work / floor.work:8.1f}{TARGETS[name]:8.1f}  {found.statements}{growth}"
                    )


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        [int(size) for size in sys.argv[2].split(",")] if len(sys.argv) > 2 else [49_000],
        int(sys.argv[3]) if len(sys.argv) > 3 else 60,
    )
