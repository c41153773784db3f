"""The list page against the least a page can cost: the same rows, one prepared statement, a bare Flask table.

Run from the root of the checkout: `python -m bench.list [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import flask
from sqlalchemy import TextClause, text

from bench.measuring import Cost, Prepared, alternately, serving, statements, tell
from bench.world import World, worlds
from klik.app import create_app
from klik.db import Database
from klik.domain.deadlines import danish_today

FILTER = "/opgaver?deadline=roed&deadline=gul&status=ikke-paabegyndt"
STATES = {
    "seen": "the same page again, nothing changed since: it was kept whole, and is handed out",
    "other": "another address of the same list, nothing changed: rows read and page drawn, counts and words kept",
    "changed": "the first look after a task of the municipality was changed: rows, counts and page anew",
}
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


# Whatever is changed in a municipality moves its stamp, so that everything of its is worked out anew.
CHANGE = text(
    "update municipal_tasks set version = version + 1 where id = "
    "(select max(id) from municipal_tasks where municipality_id = :municipality)"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a reader's page costs in three states of the data (``STATES``).

    ``floor`` is asked in turn with both; then the statements of each page.
    """

    costs: Mapping[str, Cost]
    floor: Cost
    statements: Mapping[str, int]


def other_addresses() -> Iterator[str]:
    """Ever new addresses of the same list: a value that stands twice means no more than one."""
    return (FILTER + "&status=ikke-paabegyndt" * times for times in itertools.count(1))


def change(world: World) -> None:
    """Something of the municipality is changed, by somebody else."""
    with world.house.database.writing() as session:
        session.execute(CHANGE, {"municipality": world.municipality})


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
            page = klik(FILTER)
            assert page.count(b'id="opgave-') == least("/").count(b"<tr><th><a") == 50
            others = other_addresses()
            asked = {
                "seen": partial(klik, FILTER),
                "other": lambda klik=klik, others=others: klik(next(others)),
                "changed": Prepared(partial(change, world), partial(klik, FILTER)),
            }
            sent = {}
            for state, ask in asked.items():
                if isinstance(ask, Prepared):
                    ask.before()
                with statements(engine) as each:
                    ask()
                sent[state] = sum(not statement.startswith("BEGIN") for statement in each)
            # After a change the page has been drawn anew when it is next asked for.
            costs = alternately(asked | {"floor": partial(least, "/")}, rounds, before=partial(klik, FILTER))
        found[name] = Found(costs, costs.pop("floor"), sent)
    app.extensions["klik"].close()
    return found


def main(databases: list[str], sizes: list[int], rounds: int) -> None:
    for state, meaning in STATES.items():
        tell(f"{state:8} {meaning}")
    tell(
        f"{'':63}{'by the clock':^25}{'work of this process':^25}",
        f"{'':12}{'tasks':>10}  {'reader':18}{'data':>8}{'statements':>12} {'klik':>9}{'floor':>8}{'ratio':>8}"
        f"{'klik':>9}{'floor':>8}{'ratio':>8}  {'target':>6}  growth of both",
    )
    for database in databases:
        first: dict[str, Cost] = {}
        for size in sizes:
            with worlds(database, size) as world:
                for name, found in compare(world, rounds).items():
                    for state, klik in found.costs.items():
                        start = first.setdefault(f"{name} {state}", klik)
                        tell(
                            f"{database:12}{size:>10,}  {name:18}{state:>8}{found.statements[state]:>12} "
                            f"{told(klik, found.floor)}  {TARGETS[name]:>6}  "
                            f"{klik.clock / start.clock:.2f} {klik.work / start.work:.2f}"
                        )


def told(klik: Cost, floor: Cost) -> str:
    """Both ways of measuring, each with its ratio."""
    return "".join(
        f"{ours:9.1f}{least:8.1f}{ours / least:8.2f}"
        for ours, least in ((klik.clock, floor.clock), (klik.work, floor.work))
    )


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        [int(size) for size in sys.argv[2].split(",")] if len(sys.argv) > 2 else [49_000],
        int(sys.argv[3]) if len(sys.argv) > 3 else 60,
    )
