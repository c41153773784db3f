"""Whether the matrix would notice: every condition of the door taken away in turn, every right in turn."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from klik.domain.rights import RIGHTS, Right
from klik.services.keeping import Keep
from klik.web import base
from tests.access import table as tables
from tests.access.mutants import all_mutants
from tests.access.running import Findings, Probe, Run
from tests.access.world import HERNING, World

pytestmark = pytest.mark.hard
UNSEEN_FILE = Path(__file__).with_name("unseen.txt")
# Where a function of the door is used; elsewhere its bug cannot show.
ADDRESSES = {
    "published_task": r"/udgivelser",
    "municipal_file": r"/opgaver/.*filer",
    "task_file": r"kombits-filer",
    "own_comment": r"kommentarer",
    "membership": r"/personer|/roller",
    "municipality": r"/overblik/kommuner",
    "memberships": r"/personer|/roller",
    "member": r"/roller|/ret$|/ny$",
    "holdings": r"/roller|/personer",
    "holding_to_change": r"/roller",
    "own_bulk_change": r"/opgaver/rettelser",
    "saved_filters": r"/filtre|/opgaver$",
    "saved_filter": r"/filtre",
    "own_saved_filter": r"/filtre",
    "shared_by_us": r"/filtre",
    "filter_to_share": r"/filtre",
    "filter_to_open_with": r"/filtre",
    "notices": r"/varsler|^/$|<id:task_id>$",
    "deletion": r"/sletning",
    "deletion_items": r"/sletning|^/$",
    "deletion_item": r"/sletning",
    "export": r"/eksport",
    "exports": r"/eksport",
    "checklist_item": r"/tjekliste",
    "may_ask": r"/opgaver/.*spoergsmaal",
    "visible_questions": r"/opgaver/<id:task_id>$|/spoergsmaal",
    "own_question": r"/opgaver/.*spoergsmaal",
    "question_to_answer": r"^/spoergsmaal",
    "calendar_feed": r"/kalender",
}
TASKS = r"/opgaver|/systemer|^/$"


def unseen() -> dict[str, str]:
    """Bugs that no request can show, and why."""
    lines = [line for line in UNSEEN_FILE.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return dict(line.split(" -- ", 1) for line in lines)


def probes(run: Run, pattern: str) -> list[Probe]:
    """What is asked of a bug: Køge's and the central visitors' own and others' objects."""
    return [
        probe
        for probe in run.probes(tables.read())
        if re.search(pattern, probe.address)
        and probe.kind in ("own", "other", "closed", "by role", "missing")
        and probe.visitor.place != HERNING
        and not probe.visitor.out
        and not probe.address.endswith((".pdf", ".xlsx", ".ics"))
        and not probe.variant.startswith(("?", "no", "mass"))
    ]


def notices(run: Run, pattern: str) -> bool:
    """Whether the matrix finds anything; it stops at the first."""
    run.found = Findings()
    for probe in probes(run, pattern):
        run.ask(probe)
        if run.found.all:
            return True
    return False


def test_the_matrix_finds_every_condition_taken_away(
    run: Run, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    mutants, missed = all_mutants(), []
    assert len(mutants) > 60
    assert not notices(run, r"^/opgaver/<id:task_id>$"), run.found.all[:5]
    for mutant in mutants:
        with mutant.planted():
            # What was worked out before the bug was planted would hide it.
            run.app.extensions["klik"].kept = Keep()
            if not notices(run, ADDRESSES.get(mutant.function, TASKS)):
                missed.append(mutant.name)
    excused = unseen()
    with capsys.disabled():
        possible = len(mutants) - len(excused)
        sys.stdout.write(f"\nS1 planted bugs in the door: found {len(mutants) - len(missed)}/{possible}\n")
    assert sorted(set(missed) - excused.keys()) == [], "the matrix does not see these bugs"
    assert sorted(excused.keys() - set(missed)) == [], "found after all: take them out of unseen.txt"


def narrowed(app: Flask) -> Iterator[str]:
    """Pages behind a right that not every level carries."""
    common = frozenset[Right]().union(*RIGHTS.values()).intersection(*RIGHTS.values())
    for rule in app.url_map.iter_rules():
        right = getattr(app.view_functions[rule.endpoint], "klik_access", "open")
        if right != base.OPEN and Right(right) not in common and "GET" in (rule.methods or ()):
            if rule.rule.endswith((".pdf", ".xlsx", ".ics")):
                continue  # the same right as the CSV, and slow to draw
            yield rule.endpoint


def test_the_matrix_finds_every_right_taken_away(
    app: Flask, run: Run, world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    address = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    found, locked_twice = 0, []
    for endpoint in narrowed(app):
        view = app.view_functions[endpoint]
        app.view_functions[endpoint] = base.access(Right.SIGNED_IN)(view.__wrapped__)  # type: ignore[attr-defined]
        try:
            pattern = f"^{re.escape(address[endpoint])}$"
            if notices(run, pattern):
                found += 1
            else:
                locked_twice.append(endpoint)  # the service asks for the right too: nothing changed
        finally:
            app.view_functions[endpoint] = view
    with capsys.disabled():
        sys.stdout.write(f"\nS1 planted bugs in the rights: found {found}/{found}")
        sys.stdout.write(f", and {len(locked_twice)} doors have a second lock\n")
    assert found > 10
    assert len(locked_twice) < found
