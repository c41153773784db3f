"""S1, S2, S4, S9: every address, method, kind of visitor and kind of id, and not one canary out of place."""

from __future__ import annotations

import sys

import pytest
from flask import Flask

from tests.access import table as tables
from tests.access.running import Run, sample
from tests.access.world import World

SAMPLE = 1_500


def test_table_and_application_agree(app: Flask, world: World) -> None:
    problems = tables.problems(app, tables.read(), world.visitors)
    assert not problems, "\n" + "\n".join(problems)


def test_a_part_of_the_matrix(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for probe in sample(run.probes(tables.read()), SAMPLE):
        run.ask(probe)
    report(run, capsys)


@pytest.mark.hard
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
