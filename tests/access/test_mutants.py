"""Whether the matrix would notice: every condition of the door taken away in turn, every right in turn."""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from klik.domain.rights import RIGHTS, Right
from klik.services.keeping import Keep
from klik.web import base
from tests.access import table as tables
from tests.access.mutants import all_mutants
from tests.access.running import SEED, Findings, Probe, Run
from tests.access.world import HERNING

pytestmark = pytest.mark.hard
UNSEEN_FILE = Path(__file__).with_name("unseen.txt")
# Where a function of the door is used; elsewhere its bug cannot show.
ADDRESSES = {
    "published_task": r"/udgivelser",
    "known_tasks": r"^/opgaver/<id:task_id>$",
    "may_comment": r"kommentarer|^/opgaver/<id:task_id>$",
    "visible_comments": r"kommentarer|^/opgaver/<id:task_id>$",
    "municipal_file": r"/opgaver/.*filer",
    "task_file": r"kombits-filer",
    "own_comment": r"kommentarer",
    "membership": r"/personer|/roller",
    "municipalities": r"/overblik|/opgaver|^/$",
    "municipality": r"/overblik/kommuner",
    "memberships": r"/personer|/roller",
    "gallery_lookups": r"/personer/opslag",
    "colleague": r"/kontakter/personer",
    "member": r"/roller|/ret$|/ny$",
    "holdings": r"/roller|/personer",
    "holding_to_change": r"/roller",
    "role_answer": r"/roller/svar",
    "own_bulk_change": r"/opgaver/rettelser",
    "saved_filters": r"/filtre|/opgaver$",
    "saved_filter": r"/filtre",
    "own_saved_filter": r"/filtre",
    "shared_by_us": r"/filtre",
    "filter_to_share": r"/filtre",
    "filter_to_open_with": r"/filtre",
    "notices": r"/varsler|^/$|<id:task_id>$",
    "erased_task": r"^/opgaver/<id:task_id>$",
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
# An excuse is looked into with this many questions of each address, method and kind of ids.
EXCUSED_ROUNDS = 1


def unseen() -> dict[str, str]:
    """Bugs that no request can show, and why."""
    lines = [line for line in UNSEEN_FILE.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return dict(line.split(" -- ", 1) for line in lines)


class Asked:
    """What is asked of a bug: Køge's and the central visitors' own and others' objects, each kind of question early."""

    def __init__(self, run: Run) -> None:
        everything = [
            probe
            for probe in run.probes(tables.read())
            if probe.kind in ("own", "other", "closed", "by role", "missing")
            and probe.visitor.place != HERNING
            and not probe.visitor.out
            and not probe.address.endswith((".pdf", ".xlsx", ".ics"))
            and not probe.variant.startswith(("?", "no", "mass"))
        ]
        random.Random(SEED).shuffle(everything)
        asked_before: Counter[tuple[str, str, str]] = Counter()
        rounds = []
        for probe in everything:
            key = (probe.method, probe.address, probe.kind)
            rounds.append((asked_before[key], probe))
            asked_before[key] += 1
        self._rounds = sorted(rounds, key=lambda each: each[0])

    def of(self, pattern: str, rounds: int | None = None) -> Iterator[Probe]:
        """Those of some addresses; with ``rounds`` only so many of each address, method and kind of ids."""
        for number, probe in self._rounds:
            if (rounds is None or number < rounds) and re.search(pattern, probe.address):
                yield probe


@pytest.fixture
def asked(run: Run) -> Asked:
    """Every question, put together once."""
    return Asked(run)


def first_wrong(run: Run, probes: Iterable[Probe]) -> Probe | None:
    """The first question that is answered wrongly."""
    run.found = Findings()
    for probe in probes:
        run.ask(probe)
        if run.found.all:
            return probe
    return None


def check_without(run: Run, probe: Probe) -> None:
    """What is wrong without the bug too would make every bug look found."""
    assert first_wrong(run, [probe]) is None, run.found.all[:5]


def test_the_matrix_finds_every_condition_taken_away(
    run: Run, asked: Asked, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    mutants, missed, excused = all_mutants(), [], unseen()
    assert len(mutants) > 120
    for mutant in mutants:
        pattern = ADDRESSES.get(mutant.function, TASKS)
        probes = asked.of(pattern, EXCUSED_ROUNDS if mutant.name in excused else None)
        with mutant.planted():
            # What was worked out, or drawn, without the bug would hide it, and the other way round.
            run.app.extensions["klik"].kept = Keep()
            run.forget_forms()
            wrong = first_wrong(run, probes)
        run.app.extensions["klik"].kept = Keep()
        run.forget_forms()
        if wrong is None:
            missed.append(mutant.name)
        else:
            check_without(run, wrong)
    with capsys.disabled():
        found, possible = len(mutants) - len(missed), len(mutants) - len(excused.keys() & set(missed))
        sys.stdout.write(f"\nS1 planted bugs in the door: found {found}/{possible}\n")
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
    app: Flask, run: Run, asked: Asked, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    address = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    found, locked_twice = 0, []
    for endpoint in narrowed(app):
        view = app.view_functions[endpoint]
        app.view_functions[endpoint] = base.access(Right.SIGNED_IN)(view.__wrapped__)  # type: ignore[attr-defined]
        try:
            pattern = f"^{re.escape(address[endpoint])}$"
            if first_wrong(run, asked.of(pattern)):
                found += 1
            else:
                # The service asks for the right too: those who lack it were refused all the same.
                locked_twice.append(endpoint)
                assert any(run.expected(probe) <= {403, 404} for probe in asked.of(pattern)), endpoint
        finally:
            app.view_functions[endpoint] = view
    with capsys.disabled():
        sys.stdout.write(f"\nS1 planted bugs in the rights: found {found}/{found}")
        sys.stdout.write(f", and {len(locked_twice)} doors have a second lock\n")
    assert found > 10
