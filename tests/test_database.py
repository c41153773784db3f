"""Who writes when several threads want to."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from klik.db import Database


def test_who_waits_comes_before_who_was_just_there(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'klik.sqlite'}")
    stopped, busy = threading.Event(), threading.Event()
    turns = 0

    def write_without_a_pause() -> None:
        nonlocal turns
        while not stopped.is_set():
            with database.writing() as session:
                session.execute(text("select 1"))
                turns += 1
                time.sleep(0.03)
            busy.set()

    other = threading.Thread(target=write_without_a_pause)
    other.start()
    try:
        for _ in range(10):
            busy.wait()
            time.sleep(0.01)  # now the other one is in the middle of it
            before = turns
            with database.writing() as session:
                session.execute(text("select 1"))
                assert turns <= before + 1
            busy.clear()
    finally:
        stopped.set()
        other.join()
        database.close()


def test_a_transaction_that_fails_lets_the_next_one_in(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'klik.sqlite'}")
    for _ in range(2):
        with pytest.raises(RuntimeError), database.writing():
            raise RuntimeError
    started = time.monotonic()
    with database.writing() as session:
        session.execute(text("select 1"))
        assert time.monotonic() - started < 5
    database.close()


def test_what_sqlite_has_stored_survives_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'klik.sqlite'}")
    with database.reading() as session:
        assert session.scalar(text("pragma synchronous")) == 2, "FULL: the fixtures alone do without"
        assert session.scalar(text("pragma journal_mode")) == "wal"
    database.close()
