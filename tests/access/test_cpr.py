"""P1: a CPR number sent in every field of every form, and in addresses: found in no table, line or file."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from klik import logs
from klik.domain import cpr
from klik.services import free_text
from tests.access import table as tables
from tests.access.objects import filled, ids_of
from tests.access.running import UPLOADS, Probe, Run
from tests.access.table import Row
from tests.access.world import Visitor

DIGITS = ("010190", "1234")
CPR = "-".join(DIGITS)
NEEDLES = (CPR, "".join(DIGITS), " ".join(DIGITS), "010190%2D1234")
# What a page fills in itself, or a secret that must be any text; looked at by nobody who reads klik.
NOT_WRITTEN = {"csrf_token", "idempotency_key", "password", "version"}
# Whose forms are tried: one of each side, the one who may most.
KINDS = ("administrator", "kombit-administrator", "plusbruger", "anonymous")
# Where the writer may say that it is something else; everywhere else a tick of one's own making changes nothing.
TICKED = {
    ("/opgaver/<id:task_id>/kommentarer", "text"),
    ("/opgaver/<id:task_id>/kommentarer/<id:comment_id>/ret", "text"),
    ("/opgaver/<id:task_id>/spoergsmaal", "question"),
    ("/opgaver/<id:task_id>/tjekliste", "text"),
    ("/opgaver/<id:task_id>/tjekliste/<id:item_id>/ret", "text"),
    ("/opgaver/ny", "local_text"),
    ("/opgaver/ny", "title"),
    ("/roller/<slug>/besaet", "note"),
    ("/sletning/<id:deletion_id>/behold", "reason"),
    ("/sletning/<id:deletion_id>/kvittering", "case_number"),
    ("/sletning/<id:deletion_id>/opgaver/<id:item_id>/behold", "reason"),
    ("/spoergsmaal/<id:question_id>/luk", "reason"),
    ("/spoergsmaal/<id:question_id>/svar", "text"),
    ("/udgivelser/<id:task_id>/rettelse", "note"),
}
# Trying the tick at every other field too, and not only where it counts, takes twice as long.
ROUNDS = int(os.environ.get("KLIK_TEST_ROUNDS", "1"))


def sent_by(run: Run, row: Row) -> Visitor | None:
    """Somebody whose form is obeyed."""
    visitors = sorted(
        (each for each in run.world.visitors if each.kind in KINDS and (row.allowed(each))),
        key=lambda each: (KINDS.index(each.kind), str(each.place)),
    )
    return visitors[0] if visitors else None


def forms(run: Run) -> Iterator[tuple[Probe, dict[str, Any], list[str]]]:
    """Every form that is obeyed, as it is sent, and the names of the fields somebody may write in."""
    for row in tables.read().rows:
        visitor = sent_by(run, row) if row.method == "POST" else None
        if visitor is None:
            continue
        own = ids_of(run.world, visitor, row.address).own
        ids = own[-1] if row.where == "last" else own[0]
        probe = Probe(visitor, "POST", row.address, "own", ids, row)
        data = run._form(probe)
        yield probe, data, sorted(set(data) - NOT_WRITTEN | on_page(run, probe))


def on_page(run: Run, probe: Probe) -> set[str]:
    """The text fields of the page's form, also those that are drawn empty."""
    assert probe.row is not None
    if probe.row.page is None:
        return set()
    page = run._send(probe.visitor, "GET", filled(probe.row.page, probe.ids))
    form = BeautifulSoup(page.data, "html.parser").find("form", action=probe.path, method="post")
    if form is None:
        return set()
    kinds = "textarea[name], input[name]:not([type=hidden]):not([type=checkbox]):not([type=radio])"
    return {each["name"] for each in form.select(kinds)} - NOT_WRITTEN


def written(value: Any) -> Any:
    """What is typed instead of a value: words with a number in them, or a file that is named and full of it."""
    if isinstance(value, str) and value in UPLOADS:
        return (io.BytesIO(f"Borger {CPR}\n".encode()), f"liste {CPR}.txt")
    return f"Om borger {CPR} i dag"


def send(run: Run, probe: Probe, data: dict[str, Any]) -> tuple[TestResponse, list[Any]]:
    """Post it; the answer and what it changed. The world is as before."""
    assert run.stored is not None
    response = run._send(probe.visitor, "POST", probe.path, data)
    changes = run.stored.changes()
    if changes:
        run.stored.restore()
    return response, changes


def has_number(value: Any) -> bool:
    """Whether a number stands in it, in any writing."""
    text = str(value)
    return any(needle in text for needle in NEEDLES)


def test_a_number_in_any_field_is_stored_nowhere(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.set_up("DEBUG", cpr.mask)
    handler = logging.getLogger().handlers[0]
    stream = io.StringIO()
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    wrong, asked, ticked = [], 0, set()
    everything = list(forms(run))
    for probe, data, names in everything:
        for name in names:
            response, changes = send(run, probe, data | {name: written(data.get(name, ""))})
            asked += 1
            if has_number(changes):
                wrong.append(f"{probe} {name}: stored in {sorted({table for table, *_ in changes})}")
            if response.status_code >= 500 or has_number(response.headers):
                wrong.append(f"{probe} {name}: {response.status_code} {response.headers}")
    files = [file for file in tmp_path.rglob("*") if file.is_file() and has_number(file.read_bytes())]
    wrong += [f"in the file {file.name}" for file in files]
    for probe, data, names in everything:
        for name in names:
            if ROUNDS > 1 or (probe.address, name) in TICKED:
                tick = {f"{name}{free_text.TICK_ENDING}": "y"}
                _again, changes = send(run, probe, data | {name: written(data.get(name, ""))} | tick)
                if has_number(changes):
                    ticked.add((probe.address, name))
    wrong += [f"logged: {line}" for line in stream.getvalue().splitlines() if has_number(line)]
    with capsys.disabled():
        sys.stdout.write(
            f"\nP1 CPR: {asked} fields of every form, {len(wrong)} stored, logged or kept unasked\n"
        )
    assert not wrong, "\n".join(wrong)
    assert ticked == TICKED, "where the tick stores, and where it should"


def test_a_number_in_an_address_is_taken_out_before_anything_looks_at_it(run: Run) -> None:
    visitor = next(each for each in run.world.visitors if each.kind == "administrator")
    for address in (
        "/opgaver",
        "/opgaver.csv",
        "/personer",
        "/roller",
        "/varsler/mine",
        "/findes-ikke",
        "/log-ind",
    ):
        for needle in (CPR, "".join(DIGITS), "010190+1234", "010190%2D1234", "0101901234%0A"):
            answer = run._send(visitor, "GET", f"{address}?vis=alle&q={needle}")
            assert (answer.status_code, answer.headers["Location"]) == (303, f"{address}?vis=alle"), needle
            assert not has_number(answer.headers) and not has_number(answer.data.decode())
    nested = run._send(visitor, "GET", f"/log-ind?next=%2Fopgaver%3Fq%3D{DIGITS[0]}%252D{DIGITS[1]}")
    assert nested.headers["Location"] == "/log-ind"
    assert run._send(visitor, "GET", "/opgaver?q=sag+0101901234").status_code == 200, "a case number is none"
    answer = run._send(visitor, "POST", f"/opgaver/kolonner?q={CPR}", {"csrf_token": run._token})
    assert answer.status_code == 422
