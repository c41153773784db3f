"""A Denmark to measure in: 98 municipalities with the same number of tasks, ten people in each, and KOMBIT."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from klik import settings as settings_module
from klik.domain.rights import Level
from klik.domain.texts import search_key, sort_key
from klik.installation import Installation
from klik.models import (
    Membership,
    Municipality,
    MunicipalSystem,
    MunicipalTask,
    Person,
    Project,
    Task,
    TaskVersion,
)
from klik.services import schema
from klik.services.people import passwords, sessions
from klik.services.work import Actor, Work
from klik.settings import Settings
from tests.postgres import PostgresServer

FILLED, DATABASE = "filled", "bench"
MUNICIPALITIES = 98
PEOPLE = 10
SYSTEMS = ("kp", "ksd", "ky")
PORTION = 10_000
PASSWORD = "en lang sætning med heste"
# Of twenty tasks nine are not begun, four in progress, six completed and one not relevant.
STATUSES = ("ikke-paabegyndt",) * 9 + ("i-gang",) * 4 + ("fuldfoert",) * 6 + ("ikke-relevant",)
COMPLETED_WITHIN = 200  # days
TITLES = ("Udpeg systemansvarlig", "Udarbejd jobfunktionsroller", "Bestil snitflader", "Konvertér åbne sager")


@dataclass(frozen=True, slots=True)
class World:
    """A filled installation, and cookies that are signed in: a programleder of Køge, and KOMBIT."""

    house: Installation
    now: datetime
    municipality: int
    manager: Actor
    manager_cookie: str
    kombit: Actor
    kombit_cookie: str


@contextmanager
def worlds(database: str, tasks: int) -> Iterator[World]:
    """A world of ``tasks`` municipal tasks on ``sqlite`` or ``postgresql``; it is gone afterwards.

    With the environment variable KLIK_BENCH_DATA it is kept in that folder and used again: a large world takes
    minutes to fill.
    """
    kept = os.environ.get("KLIK_BENCH_DATA")
    with ExitStack() as left:
        folder = Path(kept) if kept else Path(left.enter_context(temporary_folder()))
        name = f"{database}-{tasks}"
        home = folder / name
        home.mkdir(parents=True, exist_ok=True)
        # As root, PostgreSQL runs as nobody, who must find its folder.
        folder.chmod(0o755)
        if database == "sqlite":
            settings = settings_in(home)
        else:
            server = PostgresServer(home / "server")
            server.start()
            left.callback(server.stop)
            filled = (home / FILLED).exists()
            settings = settings_in(
                home, server.url_of(DATABASE) if filled else server.create_database(DATABASE)
            )
        house = Installation(settings)
        left.callback(house.close)
        schema.upgrade(house.database, house.registry)
        yield _filled(house, home / FILLED, tasks)


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that is gone afterwards."""
    return tempfile.TemporaryDirectory(prefix="klik-bench-")


def settings_in(folder: Path, url: str = "") -> Settings:
    """Settings of an installation in a folder, on SQLite unless an address is given."""
    given = {
        "KLIK_DATA": str(folder),
        "KLIK_SECRET_KEY": "a-secret-key-for-measuring-only-0123456789",
        "KLIK_MAIL_FROM": "klik@klik.example",
    }
    return settings_module.load(given | ({"KLIK_DATABASE_URL": url} if url else {}))


def _filled(house: Installation, mark: Path, tasks: int) -> World:
    """The world, filled unless the mark says it is; two people are signed in anew."""
    now = datetime.now(UTC)
    if not mark.exists():
        with house.writing(now) as work:
            _fill(work, house, tasks)
        if not house.database.sqlite:
            _vacuum(house)
        mark.touch()
    with house.writing(now) as work:
        manager, manager_cookie = _signed_in(work, 1)
        kombit, kombit_cookie = _signed_in(work, MUNICIPALITIES * PEOPLE + 1)
    assert manager.municipality_id is not None
    return World(house, now, manager.municipality_id, manager, manager_cookie, kombit, kombit_cookie)


def _vacuum(house: Installation) -> None:
    """What PostgreSQL's autovacuum does by itself within a minute of a load; SQLite in klik has no such thing."""
    with house.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("set statement_timeout = 0")
        connection.exec_driver_sql("vacuum (analyze, disable_page_skipping)")


def _fill(work: Work, house: Installation, tasks: int) -> None:
    session = work.session
    codes = list(session.scalars(select(Municipality.id).order_by(Municipality.id)))
    assert len(codes) == MUNICIPALITIES
    projects = _projects(session, codes)
    _people(work, codes)
    versions = _tasks(work, projects, tasks // MUNICIPALITIES)
    if house.database.sqlite:
        _copies(work, versions, codes)
        return
    with _in_bulk(session):
        _copies(work, versions, codes)
    _count_on(session)


def _projects(session: Session, codes: list[int]) -> list[dict[str, Any]]:
    projects = [
        {"id": number, "slug": code, "name": f"{code.upper()}-implementering", "system_code": code}
        for number, code in enumerate(SYSTEMS, 1)
    ]
    session.execute(insert(Project), projects)
    session.execute(
        insert(MunicipalSystem),
        [{"municipality_id": place, "system_code": code} for place in codes for code in SYSTEMS],
    )
    return projects


def _people(work: Work, codes: list[int]) -> None:
    """Person 1 is the programleder of the first municipality, person 981 an editor of KOMBIT's."""
    homes = [place for place in codes for _ in range(PEOPLE)]
    people, memberships = [], []
    for number, home in enumerate([*homes, None], 1):
        level = Level.KOMBIT_EDITOR if home is None else Level.PLUS_USER if number % PEOPLE else Level.READER
        if home is not None and number % PEOPLE == 1:
            level = Level.ADMINISTRATOR
        name = f"Mette Holm Nielsen {number}"
        people.append(
            {
                "id": number,
                "name": name,
                "name_key": sort_key(name),
                "email": f"person{number}@klik.example",
                "email_key": f"person{number}@klik.example",
                "created_at": work.now,
            }
        )
        memberships.append(
            {
                "person_id": number,
                "municipality_id": home,
                "level": level.value,
                "organisation": None if home else "KOMBIT",
                "since": work.today,
            }
        )
    work.session.execute(insert(Person), people)
    work.session.execute(insert(Membership), memberships)


def _tasks(work: Work, projects: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """So many KLIK-opgaver, each in one version; returns what a copy takes over."""
    content = work.registry.content
    tasks, versions, copied = [], [], []
    for number in range(1, count + 1):
        project = projects[number % len(projects)]
        title = f"{TITLES[number % len(TITLES)]} til {project['name']} {number}"
        task_number = f"MI {number:02d}"
        start = work.today + timedelta(days=number * 37 % 330 - 200)
        shared = {
            "title": title,
            "phase": content.phases[number % len(content.phases)].slug,
            "theme": content.themes[number % len(content.themes)].slug,
            "priority": ("normal", "hoej", "lav")[number % 3],
            "search_key": search_key(f"{task_number} {title}"),
            "start_date": start,
            "created_at": work.now,
        }
        tasks.append(
            {
                "id": number,
                "project_id": project["id"],
                "task_number": task_number,
                "state": "udgivet",
                "current_number": 1,
                "created_at": work.now,
                "published_at": work.now - timedelta(days=60),
                "recipient_count": MUNICIPALITIES,
            }
        )
        versions.append(
            shared
            | dict.fromkeys(
                ("purpose", "description", "prerequisites", "how_to", "result", "material", "contact"),
                "Kommunen skal have det på plads, før systemet tages i brug.",
            )
            | {
                "id": number,
                "task_id": number,
                "number": 1,
                "deadline_rule": "core.date",
                "deadline_parameter": (start + timedelta(days=60)).isoformat(),
            }
        )
        copied.append(
            shared
            | {
                "task_id": number,
                "task_version_id": number,
                "project_id": project["id"],
                "system_code": project["system_code"],
                "task_number": task_number,
                "number_key": sort_key(task_number),
                "title_key": sort_key(title),
            }
        )
    work.session.execute(insert(Task), tasks)
    work.session.execute(insert(TaskVersion), versions)
    return copied


def _copies(work: Work, versions: list[dict[str, Any]], codes: list[int]) -> None:
    """Every municipality's copy of every task, with deadlines and statuses of its own.

    The last municipality's come from here; the others' are made of them by the database, in the order of
    publishing: a municipality's tasks lie scattered among those of the others.
    """
    last = len(codes) - 1
    rows = [version | _own(work, version, last, codes[last]) for version in versions]
    for first in range(0, len(rows), PORTION):
        work.session.execute(insert(MunicipalTask.__table__), rows[first : first + PORTION])
    copied = ", ".join(versions[0])
    places = ", ".join(f"({place}, {code})" for place, code in enumerate(codes[:last]))
    statuses = " ".join(f"when {number} then '{status}'" for number, status in enumerate(STATUSES))
    sqlite = work.session.get_bind().dialect.name == "sqlite"
    day = "date(start_date, '+' || ({}) || ' days')" if sqlite else "start_date + ({})"
    ago = f"(number * 13 + place) % {COMPLETED_WITHIN}"
    completed = (
        f"date(:today, '-' || ({ago}) || ' days')"
        if sqlite
        else f"cast(:today as date) - cast({ago} as integer)"
    )
    work.session.execute(
        text(
            f"""
            with places (place, code) as (values {places}), copies as (
              select {copied}, task_id as number, place, code,
                case (task_id * 7 + place * 11 + task_id / 20) % {len(STATUSES)} {statuses} end as state
              from municipal_tasks cross join places where municipality_id = :template
            )
            insert into municipal_tasks ({copied}, municipality_id, status, deadline, yellow_from, completed_on,
              responsible_id, responsible_role, executor_id, changed_at, version, local_text, infrastructure,
              deadline_version, deadline_is_own)
            select {copied}, code, state, {day.format("60 + place * 7 % 30")}, {day.format("46 + place * 7 % 30")},
              case when state = 'fuldfoert' then {completed} end,
              case when number % 4 > 0 then place * {PEOPLE} + number % {PEOPLE} + 1 end,
              case when number % 4 = 0 then 'superbruger' end,
              case when number % 3 > 0 then place * {PEOPLE} + number * 3 % {PEOPLE} + 1 end,
              created_at, 1, '', false, 1, false
            from copies order by number, place
            """
        ),
        {"template": codes[last], "today": work.today.isoformat()},
    )


@contextmanager
def _in_bulk(session: Session) -> Iterator[None]:
    """Fill PostgreSQL as a restored backup would: keys are not checked again, indexes are made afterwards."""
    session.execute(text("set local statement_timeout = 0"))
    session.execute(text("set local session_replication_role = replica"))
    session.execute(text("set local maintenance_work_mem = '512MB'"))
    indexes = session.execute(
        text(
            "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index "
            "where indrelid = 'municipal_tasks'::regclass and not indisunique"
        )
    ).all()
    for name, _definition in indexes:
        session.execute(text(f"drop index {name}"))
    yield
    for _name, definition in indexes:
        session.execute(text(definition))
    session.execute(text("set local session_replication_role = origin"))


def _own(work: Work, version: dict[str, Any], place: int, code: int) -> dict[str, Any]:
    """What is a municipality's own of a copy; the same rules stand in SQL above."""
    number = version["task_id"]
    deadline = version["start_date"] + timedelta(days=60 + place * 7 % 30)
    # Multiplied by primes, so that status goes with neither the phase nor the municipality.
    status = STATUSES[(number * 7 + place * 11 + number // 20) % len(STATUSES)]
    completed_on = work.today - timedelta(days=(number * 13 + place) % COMPLETED_WITHIN)
    return {
        "municipality_id": code,
        "status": status,
        "deadline": deadline,
        "yellow_from": deadline - timedelta(days=14),
        "completed_on": completed_on if status == "fuldfoert" else None,
        "responsible_id": place * PEOPLE + number % PEOPLE + 1 if number % 4 else None,
        "responsible_role": None if number % 4 else "superbruger",
        "executor_id": place * PEOPLE + number * 3 % PEOPLE + 1 if number % 3 else None,
        "executor_role": None,
        "changed_at": work.now,
    }


def _count_on(session: Session) -> None:
    """Let the sequences of PostgreSQL go on after the ids that were given."""
    for table in ("people", "projects", "tasks", "task_versions"):
        session.execute(
            text(f"select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))")
        )


def _signed_in(work: Work, person_id: int) -> tuple[Actor, str]:
    person = work.session.get(Person, person_id)
    assert person is not None
    person.password_hash = passwords.hash_password(PASSWORD)
    cookie = sessions.sign_in(work, person.email, PASSWORD, "127.0.0.1", "bench")
    work.session.flush()
    found = sessions.find(work.session, cookie, work.now)
    assert found is not None
    return found.actor, cookie
