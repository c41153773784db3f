"""S1, S2, S4, S9: every address, method, kind of visitor and kind of id, and not one canary out of place."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from flask import Flask

from klik.domain.rights import Level
from tests.access import table as tables
from tests.access.objects import UnknownObjectsError, ids_of
from tests.access.running import Run, sample
from tests.access.world import LEVELS, World

SAMPLE = 1_500


def test_table_and_application_agree(app: Flask, world: World) -> None:
    problems = tables.problems(app, tables.read(), world.visitors)
    assert not problems, "\n" + "\n".join(problems)


def test_a_part_of_the_matrix(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for probe in sample(run.probes(tables.read()), SAMPLE):
        run.ask(probe)
    report(run, capsys)


@pytest.mark.hard
@pytest.mark.timeout(2700)  # A hundred thousand requests: a quarter of an hour beside other work.
def test_the_whole_matrix(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    table = tables.read()
    for probe in run.probes(table):
        run.ask(probe)
    report(run, capsys)
    idle = [row.name for row in table.rows if row.changes and row.name not in run.found.changed]
    assert not idle, f"no visitor's form was obeyed, so nothing is proven: {idle}"


def report(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nS1 access matrix: {run.found.requests} requests, {len(run.found.leaks)} leaks\n")
    wrong = run.found.all
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong[:400])


def test_a_missing_row_is_named_with_its_fix(app: Flask, world: World) -> None:
    table = tables.read()
    app.add_url_rule("/plantet/<id:planted_id>", "planted", lambda planted_id: "x", methods=["POST"])
    assert tables.problems(app, table, world.visitors[1:]) == [
        "POST /plantet/<id:planted_id>: no row. Add who gets it to [rows] in tests/access_matrix.toml.",
        "anonymous: no visitor of this kind. Make one in tests/access/world.py.",
    ]
    fewer = replace(table, kinds=table.kinds - {"laeser"})
    assert (
        "laeser: the table does not know it. Add it to [kinds] in tests/access_matrix.toml."
        in tables.problems(app, fewer, world.visitors)
    )
    gone = replace(table.rows[0], address="/findes-ikke")
    more = replace(table, rows=(*table.rows, gone))
    assert any(
        "GET /findes-ikke: no such route" in each for each in tables.problems(app, more, world.visitors)
    )
    with pytest.raises(
        UnknownObjectsError, match=r"Add a function for '/plantet/<id:planted_id>' to OBJECTS"
    ):
        ids_of(world, world.visitors[1], "/plantet/<id:planted_id>")
    assert {LEVELS[kind] for kind in LEVELS} == set(Level), "a level without a visitor"
