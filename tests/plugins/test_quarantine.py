"""What one process has seen of a plug-in rests in every process, survives a restart, and comes back."""

from __future__ import annotations

import logging
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, select

from klik import speaking
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Notice, PluginFault
from klik.plugins.guard import REST, Guard
from klik.services import quarantine
from tests import make
from tests.client import Browser

KEY = "ky.foer-idriftsaettelse"
SECRET = "kanariefugl-4711"


def fails(house: Installation, times: int = 1, key: str = KEY) -> None:
    """The contribution is asked so often inside a transaction, as pages and jobs do."""
    with house.reading(make.NOW) as work:
        for _ in range(times):
            assert work.registry.guard.ask(key, lambda: 1 / 0, "klik's own") == "klik's own"


def learns(house: Installation, seconds: float = 0) -> None:
    with house.reading(make.NOW + timedelta(seconds=seconds)) as work:
        quarantine.catch_up(work)


@contextmanager
def another(house: Installation) -> Iterator[Installation]:
    """Another process of the same installation."""
    other = Installation(house.settings)
    try:
        yield other
    finally:
        other.close()


def rows(house: Installation) -> list[PluginFault]:
    with house.reading(make.NOW) as work:
        found = list(work.session.scalars(select(PluginFault)))
        work.session.expunge_all()
        return found


def test_what_rests_in_one_process_rests_in_all_and_after_a_restart(house: Installation) -> None:
    fails(house, 3)
    with another(house) as other:
        assert not other.registry.guard.rests(KEY)
        learns(other, 10)
        assert other.registry.guard.rests(KEY) and not other.registry.guard.rests("ky.andet")
        assert other.registry.guard.ask(KEY, lambda: "svar", "klik's own") == "klik's own"


def test_three_processes_with_a_failure_each_make_three(house: Installation) -> None:
    for _ in range(3):
        with another(house) as other:
            fails(other)
    (row,) = rows(house)
    assert (row.plugin, row.failures, row.fault) == ("ky", 3, "ZeroDivisionError")
    assert row.rests_until == make.NOW + timedelta(seconds=REST)


def test_after_the_rest_it_is_tried_again_and_one_good_answer_mends_it_everywhere(
    house: Installation,
) -> None:
    fails(house, 3)
    with another(house) as other:
        learns(other, REST + 1)
        assert not other.registry.guard.rests(KEY)
        with other.reading(make.NOW + timedelta(seconds=REST + 1)) as work:
            assert work.registry.guard.ask(KEY, lambda: "svar", "klik's own") == "svar"
    (row,) = rows(house)
    assert row.mended_at == make.NOW + timedelta(seconds=REST + 1) and row.rests_until is None
    assert house.registry.guard.rests(KEY)
    learns(house, REST + 2)
    assert not house.registry.guard.rests(KEY) and house.registry.guard.faults() == {}
    fails(house)
    (row,) = rows(house)
    assert (row.failures, row.mended_at, row.rests_until) == (1, None, None)


def test_still_bad_after_the_rest_it_rests_again_and_never_for_good(house: Installation) -> None:
    fails(house, 3)
    for hours in range(1, 4):
        with another(house) as other:
            with other.reading(make.NOW + timedelta(hours=hours)) as work:
                quarantine.catch_up(work)
                assert not work.registry.guard.rests(KEY)
                work.registry.guard.ask(KEY, lambda: 1 / 0, None)
            assert other.registry.guard.rests(KEY)
    (row,) = rows(house)
    assert row.failures == 6 and row.rests_until == make.NOW + timedelta(hours=3, seconds=REST)


def test_a_page_never_rests_and_kombit_is_told_when_it_is_tried_again(house: Installation) -> None:
    with house.database.writing() as session:
        make.person(session, "Gitte", level=Level.KOMBIT_ADMINISTRATOR, email="gitte@kombit.example")
    fails(house, 3, "ky.side//p/ky/drejebog")
    (row,) = rows(house)
    assert row.failures == 3 and row.rests_until is None
    with house.reading(make.NOW) as work:
        (told,) = work.session.scalars(select(Notice.sentence))
        (fault,) = quarantine.listed(work)
    assert told == (
        "Siden /p/ky/drejebog fejlede (ZeroDivisionError). Prøves igen, næste gang nogen åbner siden. "
        "Resten af udvidelsen virker."
    )
    assert (fault.rests_until, fault.again) == (None, "næste gang nogen åbner siden")


def test_what_went_wrong_at_a_start_is_over_when_the_next_goes_well(house: Installation) -> None:
    fails(house, 1, "ky.klik_blueprints")
    with another(house) as other:
        learns(other)  # it does not register pages, so it cannot tell
        assert rows(house)[0].mended_at is None
    with another(house) as other:
        other.registry.guard.began("ky.klik_blueprints")
        for seconds in (0, 1):
            learns(other, seconds)
    assert rows(house)[0].mended_at is not None


def test_a_fault_of_what_is_gone_or_long_past_is_not_listed(house: Installation) -> None:
    fails(house, 1)
    fails(house, 1, "borte.panel/panel")
    with house.reading(make.NOW) as work:
        assert [fault.plugin for fault in quarantine.listed(work)] == ["KY"]
    with house.reading(make.NOW + quarantine.KEPT + timedelta(seconds=1)) as work:
        assert quarantine.listed(work) == []


def test_nothing_is_written_inside_the_callers_transaction(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        work.registry.guard.ask(KEY, lambda: 1 / 0, None)
        with house.reading(make.NOW):
            pass
        assert work.session.scalar(select(PluginFault.id)) is None
    assert len(rows(house)) == 1


def test_while_another_writes_nobody_waits_and_it_is_written_later(
    house: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(house, 1)
    moved = [0.0]
    monkeypatch.setattr(house.registry.guard, "_clock", lambda: moved[0])
    if house.database.sqlite:
        held: Any = sqlite3.connect(house.settings.data / "klik.sqlite", isolation_level=None)
        held.execute("begin immediate")
    else:
        held = house.database.engine.connect()
        held.exec_driver_sql("lock table plugin_faults in exclusive mode")
    fails(house, 2)
    held.rollback()
    held.close()
    assert rows(house)[0].failures == 1
    moved[0] = quarantine.AGAIN + 1
    with house.reading(make.NOW):
        pass
    assert rows(house)[0].failures == 3


def test_nobody_notices_that_the_database_refuses_to_note_it(house: Installation) -> None:
    with house.database.writing() as session:
        session.connection().exec_driver_sql("drop table plugin_faults")
    fails(house, 3)
    assert house.registry.guard.rests(KEY)


@time_machine.travel(make.NOW, tick=False)
def test_no_page_asks_one_time_more(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.database.writing() as session:
        make.person(session, email="mette@koege.example", level=Level.PLUS_USER)
    mette = browser().sign_in("mette@koege.example")
    engine = mette.app.extensions["klik"].database.engine
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, text, *_: asked.append(text))

    def faults_read() -> int:
        asked.clear()
        mette.get("/opgaver")
        return sum("plugin_faults.contribution" in text for text in asked)

    assert faults_read() == 0
    fails(house, 3)
    assert [faults_read() for _ in range(3)] == [1, 0, 0]
    assert mette.app.extensions["klik"].registry.guard.rests(KEY)


def test_kombit_is_told_once_a_day_for_each_contribution(house: Installation) -> None:
    with house.database.writing() as session:
        make.person(session, "Gitte", level=Level.KOMBIT_ADMINISTRATOR, email="gitte@kombit.example")
        make.person(session, "Karen", level=Level.KOMBIT_EDITOR, email="karen@kombit.example")
    fails(house, 2)
    for hours in (0, 1, 24):
        with another(house) as other, other.reading(make.NOW + timedelta(hours=hours)) as work:
            quarantine.catch_up(work)
            work.registry.guard.ask(KEY, lambda: 1 / 0, None)
    with house.reading(make.NOW) as work:
        told = list(work.session.scalars(select(Notice).order_by(Notice.id)))
        work.session.expunge_all()
    assert [(notice.occasion, notice.address) for notice in told] == [
        (quarantine.OCCASION, "gitte@kombit.example")
    ] * 2
    assert "KY" in told[0].heading and told[0].path == "/drift"


def test_what_it_says_in_an_exception_prints_or_logs_stands_nowhere(
    house: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    handler = logging.StreamHandler()
    handler.emit = lambda record: lines.append(logging.Formatter().format(record))  # type: ignore[method-assign]
    handler.addFilter(speaking.Discretion())
    monkeypatch.setattr(sys, "stdout", speaking.Mouth(sys.stdout))
    monkeypatch.setattr(sys, "stderr", speaking.Mouth(sys.stderr))
    logging.getLogger().addHandler(handler)

    def tells() -> None:
        sys.stdout.write(SECRET)
        sys.stderr.write(SECRET)
        logging.getLogger("ksd").warning("%s", SECRET)
        raise ValueError(SECRET)

    try:
        with house.reading(make.NOW) as work:
            work.registry.guard.ask("ksd.x", tells, None)
            sys.stdout.write("klik's own words")
    finally:
        logging.getLogger().removeHandler(handler)
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err + "".join(lines)
    assert "klik's own words" in shown.out
    assert any("ksd.x logged at" in line for line in lines)
    assert any("ValueError" in line and "tells" in line for line in lines)
    assert rows(house)[0].fault == "ValueError"


def test_a_name_that_is_data_is_not_repeated(house: Installation) -> None:
    guard = Guard()
    strange = type(f"{SECRET} x", (Exception,), {})

    def tells() -> None:
        raise strange

    guard.ask("x.y", tells, None)
    assert guard.faults() == {"x.y": "ukendt fejl"}
