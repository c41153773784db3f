"""The PostgreSQL server of the tests: one for all, closed to others, gone afterwards."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy

from tests.postgres import is_running, running_server


def ask(url: str, question: str) -> object:
    """The single value that the question has for an answer."""
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.scalar(sqlalchemy.text(question))
    finally:
        engine.dispose()


def test_a_superuser_gets_a_utf8_server_that_no_network_reaches(postgres_url: str) -> None:
    assert postgres_url.startswith("postgresql+psycopg://")
    assert ask(postgres_url, "show server_encoding") == "UTF8"
    assert ask(postgres_url, "show listen_addresses") == ""
    assert ask(postgres_url, "select usesuper from pg_user where usename = current_user") is True
    folder = Path(str(ask(postgres_url, "show data_directory"))).parent
    assert folder.stat().st_mode & 0o077 == 0


def test_a_fresh_database_is_empty_every_time(fresh_postgres_database: Callable[[str], str]) -> None:
    tables = "select count(*) from pg_tables where schemaname = 'public'"
    engine = sqlalchemy.create_engine(fresh_postgres_database("fresh"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create table left_behind (name text)"))
    engine.dispose()
    assert ask(fresh_postgres_database("fresh"), tables) == 0
    with pytest.raises(ValueError, match="database name"):
        fresh_postgres_database("x; drop database postgres")


@pytest.mark.parametrize(("fsync", "shown"), [(True, "on"), (False, "off")])
def test_a_server_of_ones_own_survives_a_crash_and_leaves_nothing(fsync: bool, shown: str) -> None:
    with running_server(fsync=fsync) as server:
        assert ask(server.url, "show fsync") == shown
        url = server.create_database("kept")
        server.stop(mode="immediate")
        server.start()
        assert ask(url, "select current_database()") == "kept"
        process = int((server.data / "postmaster.pid").read_text().split()[0])
        assert is_running(process)
    assert not server.folder.exists()
    assert not is_running(process)


def test_workers_share_one_server_that_ends_with_the_last_of_them(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from tests.postgres import shared_server\n"
        "with shared_server(pathlib.Path(sys.argv[1])) as server:\n"
        "    print(server.folder, flush=True); sys.stdin.readline()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    folders = {worker.stdout.readline().strip() for worker in workers if worker.stdout}
    assert len(folders) == 1
    folder = Path(folders.pop())
    # One is killed: it cannot say goodbye, and the server must end all the same.
    workers[0].kill()
    workers[0].wait()
    assert folder.exists()
    for worker in workers[1:]:
        worker.communicate("\n")
        assert worker.returncode == 0
    workers[0].communicate()
    assert not folder.exists()
