"""The list page against the least a page can cost: the same rows, one prepared statement, a bare Flask table.

Run from the root of the checkout: `python -m bench.list [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import itertools
import re
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
    "again": "the same address again, nothing changed: counts, words and drawn rows were kept",
    "other": "another order or page of the same filter, which somebody has seen before, nothing changed",
    "new": "a filter that nobody has asked for before: its numbers, choices and news are worked out",
    "changed": "the first look after a task of the municipality was changed: so are those of all filters on the page",
}
# The tasks in their order, on klik's page and on the bare one.
_ROW = re.compile(rb'<tr id="opgave-(\d+)"')
_BARE_ROW = re.compile(rb'<tr><th><a href="/opgaver/(\d+)"')
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
<th>Deadline</th><th>Status</th><th>Ansvarlig</th><th>Udfører</th><th>Fase og tema</th>
{% if several %}<th>Kommune</th>{% endif %}</tr>
{% for row in rows %}<tr><th><a href="/opgaver/{{ row.id }}">{{ row.task_number }} {{ row.title }}</a>
{{ row.project }}</th><td>{{ row.deadline }}</td><td>{{ row.status }}</td><td>{{ row.responsible or "" }}</td>
<td>{{ row.executor or "" }}</td>
<td>{{ row.phase }} {{ row.theme }}</td>{% if several %}<td>{{ row.municipality }}</td>{% endif %}</tr>
{% endfor %}</table></body></html>"""


def bare(database: Database, today: date, statement: TextClause, given: Mapping[str, Any]) -> flask.Flask:
    """The floor: nobody signs in, nothing is counted; the same rows in the same columns, escaped by Jinja."""
    app = flask.Flask("bare")
    table = app.jinja_env.from_string(TABLE)

    @app.get("/")
    def index() -> str:
        with database.reading() as session:
            rows = session.connection().execute(statement, {"today": today.isoformat()} | given)
            return table.render(rows=rows, several=not given)

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
    """Other orders and pages of the same list, in turn."""
    return itertools.cycle(
        f"{FILTER}&{part}" for part in ("sorter=-deadline", "side=2", "sorter=ansvarlig", "side=3")
    )


def new_addresses() -> Iterator[str]:
    """Ever new filters that find the same tasks: those that start after some day long ago."""
    first = date(2000, 1, 1).toordinal()
    return (f"{FILTER}&startdato={date.fromordinal(first + number)}.." for number in itertools.count())


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
            shown, bare_rows = _ROW.findall(page), _BARE_ROW.findall(least("/"))
            assert shown == bare_rows and len(shown) == 50
            others, news = other_addresses(), new_addresses()
            asked = {
                "again": partial(klik, FILTER),
                "other": lambda klik=klik, others=others: klik(next(others)),
                "new": lambda klik=klik, news=news: klik(next(news)),
                "changed": Prepared(partial(change, world), partial(klik, FILTER)),
            }
            sent = {}
            for state, ask in asked.items():
                if isinstance(ask, Prepared):
                    ask.before()
                with statements(engine) as each:
                    ask()
                sent[state] = sum(not statement.startswith("BEGIN") for statement in each)
            costs = alternately(
                asked | {"floor": partial(least, "/")}, rounds, warm=4, before=partial(klik, FILTER)
            )
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
