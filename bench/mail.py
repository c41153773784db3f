"""Mail: notices entered by one publish, made into mails, and handed over to a sink, beside a bare smtplib loop.

Run from the root of the checkout: `python -m bench.mail [sqlite|postgresql|both] [people in each municipality]`;
98 municipalities, 20 people in each unless told (1,000 is the full size: 98,000 notices). The sink is a process of
its own, and the same for both; the floor sends the same bytes over one connection and stores nothing.
"""

from __future__ import annotations

import multiprocessing
import smtplib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import Engine, event, func, insert, select, text, update

from bench.measuring import cost, statements, tell
from bench.world import World, worlds
from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, Membership, Municipality, Person
from klik.services import publishing
from klik.services.notices import delivery
from klik.services.publishing import Draft
from klik.settings import SmtpAddress


def _sink(tell_port: Connection) -> None:
    """Take everything, say yes at once; any number of connections."""
    server = socket.create_server(("127.0.0.1", 0), backlog=50)
    tell_port.send(server.getsockname()[1])
    while True:
        connection, _ = server.accept()
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(OSError), connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 sink\r\n")
        while line := lines.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                connection.sendall(b"354 go\r\n")
                while lines.readline() != b".\r\n":
                    pass
            elif verb == b"QUIT":
                return
            connection.sendall(b"250 ok\r\n")


@contextmanager
def sink() -> Iterator[SmtpAddress]:
    """A sink for the length of the block."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_sink, args=(there,), daemon=True)
    process.start()
    try:
        yield SmtpAddress("127.0.0.1", here.recv())
    finally:
        process.terminate()


def timed(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    return cost(work).clock / 1_000


def memory() -> int:
    """The most that this process has held, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


@contextmanager
def transactions(engine: Engine) -> Iterator[list[None]]:
    """One entry for each commit while the block runs."""
    stored: list[None] = []

    def note(_connection: object) -> None:
        stored.append(None)

    event.listen(engine, "commit", note)
    try:
        yield stored
    finally:
        event.remove(engine, "commit", note)


def fill(world: World, people: int) -> list[int]:
    """So many more plus users in each municipality; the codes of all."""
    with world.house.writing(world.now) as work:
        codes = list(work.session.scalars(select(Municipality.id).order_by(Municipality.id)))
        first = (work.session.scalar(select(func.max(Person.id))) or 0) + 1
        # Those that the world has would be told too, and the figure would not be a round one.
        local = Membership.municipality_id.is_not(None)
        work.session.execute(update(Membership).where(local).values(level=Level.USER.value))
        new, members = [], []
        for number, (code, person) in enumerate(
            ((code, person) for code in codes for person in range(people)), first
        ):
            # People of every municipality have the same names, so that by address their mail servers alternate.
            address = f"p{person}@by{code}.example"
            name = f"Person {number}"
            new.append(
                {
                    "id": number,
                    "name": name,
                    "name_key": name.casefold(),
                    "email": address,
                    "email_key": address,
                    "created_at": work.now,
                }
            )
            level = Level.PLUS_USER.value
            members.append(
                {"person_id": number, "municipality_id": code, "level": level, "since": work.today}
            )
        for table, rows in ((Person, new), (Membership, members)):
            work.session.execute(insert(table.__table__), rows)  # type: ignore[arg-type]
        return codes


def publish(world: World, codes: list[int]) -> int:
    """Publish one task to all; how many notices that made."""
    house = world.house
    with house.reading(world.now) as work:
        content = work.registry.content
    draft = Draft(
        project="kp",
        title="Udpeg systemansvarlig",
        phase=content.phases[0].slug,
        theme=content.themes[0].slug,
        description="Kommunen skal have det på plads, før systemet tages i brug.",
        responsible_role="systemansvarlig",
        executor_role="superbruger",
    )
    with house.writing(jobs.wall_clock(), world.kombit) as work:
        return publishing.publish(work, draft, codes, "bench-mail").notices


def bare(relay: SmtpAddress, mails: list[tuple[str, bytes]]) -> None:
    """The least it can cost: the same bytes over one connection, and nothing noted."""
    with smtplib.SMTP(relay.host, relay.port) as client:
        for address, content in mails:
            client.sendmail("klik@klik.example", [address], content)


def plan(house: Installation) -> str:
    """How the database finds the oldest mail that is due."""
    explain = "explain query plan" if house.database.sqlite else "explain"
    statement = text(
        f"{explain} select id from mails where state = 'pending' and next_attempt_at <= :now "
        "and channel in ('core.mail') order by next_attempt_at limit 24"
    )
    with house.database.reading() as session:
        rows = session.execute(statement, {"now": jobs.wall_clock()}).all()
    return "; ".join(str(row[-1]).strip() for row in rows)


def measure(world: World, people: int) -> list[str]:
    """The lines to print."""
    codes = fill(world, people)
    entering = time.perf_counter()
    count = publish(world, codes)
    entering = time.perf_counter() - entering
    with sink() as relay:
        house = Installation(replace(world.house.settings, smtp=relay))
        sender = jobs.sender(house)
        began_with = memory()
        with statements(house.database.engine) as asked:
            composing = cost(lambda: delivery.compose_all(house.writing, jobs.wall_clock, sender))
        with house.database.reading() as session:
            ready = session.scalar(select(func.count()).where(Mail.state == "pending")) or 0
            some = session.execute(select(Mail.address, Mail.content).limit(2_000)).all()
        found = plan(house)
        floor = timed(lambda: bare(relay, [(address, content) for address, content in some])) / len(some)
        with statements(house.database.engine) as sent, transactions(house.database.engine) as stored:
            draining = cost(lambda: jobs.send_due(house, jobs.wall_clock))
        with house.database.reading() as session:
            done = session.scalar(select(func.count()).where(Mail.state == "sent")) or 0
        again = timed(lambda: bare(relay, [(address, content) for address, content in some])) / len(some)
        house.close()
    assert count == ready == done == people * len(codes), (count, ready, done)
    floor = (floor + again) / 2
    return [
        f"{count:,} notices entered by one publish in {entering:.1f} s ({entering / count * 1000:.2f} ms each)",
        (
            f"made into mails in {composing.clock / 1000:.1f} s ({composing.clock / count:.2f} ms each, of work "
            f"{composing.work / count:.2f}; {len(asked) / count:.2f} statements each)"
        ),
        (
            f"handed over in {draining.clock / 1000:.1f} s ({draining.clock / count:.2f} ms each, of work "
            f"{draining.work / count:.2f}, {count / draining.clock * 1000:.0f} a second; {len(sent) / count:.2f} "
            f"statements and {len(stored) / count:.2f} transactions each), "
            f"{draining.clock / 1000 / count / floor:.1f} x a bare smtplib loop ({floor * 1000:.2f} ms each)"
        ),
        f"memory: {began_with} MiB before, at most {memory()}",
        f"the oldest that is due: {found}",
    ]


def main(databases: list[str], people: int) -> None:
    tell("no target in design; once is the promise, and 98 municipalities are served within minutes")
    for database in databases:
        with worlds(database, 980) as world:
            for line in measure(world, people):
                tell(f"{database:10} {line}")


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        int(sys.argv[2]) if len(sys.argv) > 2 else 20,
    )
