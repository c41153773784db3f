"""The database: one engine an application, a reading and a writing transaction, and the only commit there is."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Executable, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from klik import speaking

# A lock that is held this long is a fault; a person should see a page rather than wait (milliseconds).
BUSY = 10_000
STATEMENT_LIMIT = 60_000
LOCK_LIMIT = 10_000
HASTY = 100  # milliseconds that what can wait waits for a lock
CONNECT_LIMIT = 4  # seconds: the monitoring wants its answer within five


def rows_changed(session: Session, statement: Executable) -> int:
    """Run an update, insert or delete, and say how many rows it was about."""
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


class BusyError(Exception):
    """Somebody else is writing just now."""


class CommitRefusedError(Exception):
    """A plug-in reached for klik's transaction; only klik stores."""


class _Session(Session):
    """A session that no plug-in can commit while it is being asked."""

    def commit(self) -> None:
        """Store; raises CommitRefusedError in a plug-in's call."""
        if key := speaking.called():
            raise CommitRefusedError(key)
        super().commit()


class Queue:
    """First come, first served, among the threads of this process that want to write to SQLite.

    SQLite's own waiters look again every tenth of a second, so a dispatcher that writes in one short
    transaction after the other would keep a person who signs in waiting until the time-out. Who has waited
    that long asks SQLite all the same: the file's lock is what protects the data, this is only manners.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._places: deque[int] = deque()

    @property
    def is_taken(self) -> bool:
        """Whether anybody writes or waits to."""
        return bool(self._places)

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._changed:
            self._places.append(me)
            try:
                self._changed.wait_for(lambda: self._places[0] == me, BUSY / 1000)
            except BaseException:  # Ctrl-C
                self._leave(me)
                raise

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._leave(threading.get_ident())

    def _leave(self, who: int) -> None:
        self._places.remove(who)
        self._changed.notify_all()


class Database:
    """An engine and its two kinds of transaction; SQLite and PostgreSQL behave alike behind it.

    ``reading()`` and ``writing()`` are the edges of a unit of work: leaving the block well commits what was
    written, an exception rolls it back. Services never commit, so they compose.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.sqlite else _postgresql_engine(self.url)
        self._reader = self.engine.execution_options(klik_writes=False)
        self._writer = self.engine.execution_options(klik_writes=True)
        self._hasty = self.engine.execution_options(klik_writes=True, klik_hasty=True)
        self._queue = Queue() if self.sqlite else nullcontext()
        self._here = threading.local()

    @property
    def is_in_use(self) -> bool:
        """Whether this thread has a transaction open."""
        return getattr(self._here, "open", 0) > 0

    @contextmanager
    def _open(self, session: Session) -> Iterator[Session]:
        self._here.open = getattr(self._here, "open", 0) + 1
        try:
            with session:
                yield session
        finally:
            self._here.open -= 1

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking; whatever it changed is rolled back."""
        with self._open(_Session(self._reader, expire_on_commit=False, autoflush=False)) as session:
            try:
                yield session
            finally:
                session.rollback()

    @contextmanager
    def writing(self, *, queued: bool = True) -> Iterator[Session]:
        """A session whose work is stored as a whole when the block ends without an exception.

        ``queued`` false: it stands in no queue, so a block that takes long before it asks for anything keeps nobody.
        """
        session = _Session(self._writer, expire_on_commit=False)
        with self._queue if queued else nullcontext(), self._open(session):
            yield from self._stored(session)

    @contextmanager
    def writing_if_free(self) -> Iterator[Session]:
        """The same for what can wait: raises BusyError or a DBAPIError at once rather than wait for another's lock."""
        if isinstance(self._queue, Queue) and self._queue.is_taken:
            raise BusyError
        with self._queue, self._open(_Session(self._hasty, expire_on_commit=False)) as session:
            if not self.sqlite:
                session.connection().exec_driver_sql(f"set local lock_timeout = '{HASTY}ms'")
            yield from self._stored(session)

    def _stored(self, session: Session) -> Iterator[Session]:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise

    def leave_no_trace(self, tables: Iterable[str]) -> bool:
        """After an erasure: empty SQLite's write-ahead log, or vacuum the tables on PostgreSQL; outside transactions.

        SQLite zeroes what is deleted in the file (``secure_delete``), but its log holds the pages as they were
        until it is cut off. False when a reader kept it from that; the next call does it.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not self.sqlite:
                for table in tables:
                    connection.exec_driver_sql(f"vacuum {table}")
                return True
            raw = connection.connection.driver_connection
            assert raw is not None
            with self._queue:
                return raw.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _sqlite_engine(url: Any) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY / 1000, "check_same_thread": False},
        hide_parameters=True,  # faults are logged, and what people typed must not be
    )

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late for IMMEDIATE, so klik says BEGIN itself.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "cell_size_check=ON",
            "mmap_size=0",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A plain BEGIN that reads and then writes fails at once when another writes, whatever the time-out.
        options = connection.get_execution_options()
        if options.get("klik_hasty"):
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("klik_writes", True) else "BEGIN")
        finally:
            if options.get("klik_hasty"):
                connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY}")

    return engine


def _postgresql_engine(url: Any) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=8,
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_LIMIT,
            "options": f"-c statement_timeout={STATEMENT_LIMIT} -c lock_timeout={LOCK_LIMIT} "
            "-c idle_in_transaction_session_timeout=120000 -c timezone=UTC",
        },
    )
