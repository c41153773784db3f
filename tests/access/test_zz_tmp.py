from dataclasses import replace

from tests.access import table as tables
from tests.access.running import Run
from tests.access.test_matrix import report


def test_mine(run: Run, capsys):
    table = tables.read()
    rows = [r for r in table.rows if r.address.startswith("/roller")]
    table = replace(table, rows=tuple(rows))
    for probe in run.probes(table):
        run.ask(probe)
    report(run, capsys)
    idle = [row.name for row in table.rows if row.changes and row.name not in run.found.changed]
    assert not idle, idle
