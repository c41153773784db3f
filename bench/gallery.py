"""KOMBIT's matrix of vacant roles against its floor: the single statement for its numbers, and nothing else.

98 municipalities with 20 systems, all of them with open tasks, and 30 roles of which four in five are held. Run from
the root of the checkout: `python -m bench.gallery [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Select, insert, literal, null, select, union_all

from bench.list import change, told
from bench.measuring import Cost, Prepared, alternately, serving, statements, tell
from bench.world import World, worlds
from klik.app import create_app
from klik.content.roles import RoleScope
from klik.models import Municipality, MunicipalSystem, RoleHolding, System
from klik.services.roles import matrix, vacancies
from klik.services.roles.vacancies import NOBODY
from klik.services.work import Work

ROLES, SYSTEMS, TARGET = 30, 20, 3.0
STATES = {
    "again": "nothing changed since somebody looked: what the tasks ask for was kept, who holds what was not",
    "changed": "the first look after a task was changed: everything is read anew",
}
_SUM = re.compile(rb"([\d.]+) af ([\d.]+) er ubesat")


@dataclass(frozen=True, slots=True)
class Found:
    """What the page costs in each state, beside the floor, and how many statements it takes."""

    costs: Mapping[str, Cost]
    floor: Cost
    statements: Mapping[str, int]


def many_roles(content: Any) -> Any:
    """The content with thirty roles: the shipped ones, and more of the kinds there are."""
    roles = list(content.roles)
    for number in range(ROLES - len(roles)):
        like = roles[number % len(content.roles)]
        roles.append(replace(like, slug=f"{like.slug}-{number}", name=f"{like.name} {number}"))
    return replace(content, roles=tuple(replace(role, systems=()) for role in roles))


def fill(work: Work, roles: Any) -> None:
    """Twenty systems everywhere, and holders by a fixed pattern."""
    session = work.session
    codes = list(session.scalars(select(Municipality.id).order_by(Municipality.id)))
    known = set(session.scalars(select(System.code)))
    systems = sorted(known)[:3] + [f"system-{number}" for number in range(SYSTEMS - min(3, len(known)))]
    new = [code for code in systems if code not in known]
    session.execute(
        insert(System), [{"code": code, "name": code.capitalize(), "supplier": "Leverandør"} for code in new]
    )
    rows = [{"municipality_id": code, "system_code": system} for code in codes for system in new]
    session.execute(insert(MunicipalSystem), rows)
    held = []
    for place, code in enumerate(codes):
        for number, role in enumerate(roles):
            for turn, system in enumerate([None] if role.scope is RoleScope.MUNICIPALITY else systems):
                if (place * 7 + number * 3 + turn) % 5:
                    held.append(
                        {
                            "municipality_id": code,
                            "role": role.slug,
                            "system_code": system,
                            "person_id": place * 10 + turn % 10 + 1,
                            "is_primary": True,
                            "valid_from": work.today - timedelta(days=90),
                            "kind": "indehaver",
                        }
                    )
    for start in range(0, len(held), 5_000):
        session.execute(insert(RoleHolding), held[start : start + 5_000])


def single(work: Work) -> Any:
    """Everything the matrix is counted from, in one statement."""
    needed = vacancies.needs_statement(work).subquery()  # type: ignore[attr-defined]
    held: Select[Any] = vacancies.held_statement(work)  # type: ignore[assignment]
    rows = held.subquery()
    columns = list(rows.c)
    return union_all(
        select(*needed.c),
        select(columns[0], literal("rolle"), *columns[1:], null()),
    )


def floor(world: World, make: Callable[[Work], Any]) -> int:
    """The statement alone, its rows read."""
    with world.house.reading(world.now, world.kombit) as work:
        return len(work.session.execute(make(work)).all())


def compare(world: World, rounds: int) -> Found:
    """klik's page and the floor, asked alternately."""
    app = create_app(world.house.settings)
    registry = app.extensions["klik"].registry
    for registered in (registry, world.house.registry):
        object.__setattr__(registered, "content", many_roles(registered.content))
    with world.house.writing(world.now) as work:
        fill(work, work.registry.content.roles)
    if not world.house.database.sqlite:
        with world.house.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.exec_driver_sql("vacuum analyze")
    with world.house.reading(world.now, world.kombit) as work:
        made = single(work)
    with serving(app, world.kombit_cookie) as klik:
        page = klik("/roller")
        found = _SUM.findall(page)[0]
        assert tuple(int(each.replace(b".", b"")) for each in found) == counted(world), found
        ask = partial(klik, "/roller")
        asked = {"again": ask, "changed": Prepared(partial(change, world), ask)}
        sent = {}
        for state, one in asked.items():
            if isinstance(one, Prepared):
                one.before()
            with statements(app.extensions["klik"].database.engine) as each:
                ask()
            sent[state] = sum(not statement.startswith("BEGIN") for statement in each)
        costs = alternately(
            asked | {"floor": lambda: floor(world, lambda _work: made)}, rounds, warm=2, before=ask
        )
    app.extensions["klik"].close()
    least = costs.pop("floor")
    return Found(costs, least, sent)


def counted(world: World) -> tuple[int, int]:
    """Vacant and all slots, counted slot by slot without the matrix."""
    with world.house.reading(world.now, world.kombit) as work:
        needs, held = vacancies.needs(work), vacancies.held_by(work)
        vacant = slots = 0
        for code, theirs in needs.items():
            for role in work.registry.content.roles:
                for system in vacancies.slots_of(role, theirs.systems):
                    slots += 1
                    vacant += system not in held.get(code, {}).get(role.slug, NOBODY).systems
        assert matrix.all_together(work).slots == slots
        return vacant, slots


def main(databases: list[str], sizes: list[int], rounds: int) -> None:
    for state, meaning in STATES.items():
        tell(f"{state:8} {meaning}")
    tell(
        f"{'':43}{'by the clock':^25}{'work of this process':^25}",
        f"{'':12}{'tasks':>10}{'state':>9}{'statements':>12}{'klik':>9}{'floor':>8}{'ratio':>8}"
        f"{'klik':>9}{'floor':>8}{'ratio':>8}  {'target':>6}",
    )
    for database in databases:
        for size in sizes:
            with worlds(database, size) as world:
                found = compare(world, rounds)
                for state, klik in found.costs.items():
                    tell(
                        f"{database:12}{size:>10,}{state:>9}{found.statements[state]:>12}"
                        f"{told(klik, found.floor)}  {TARGET:>6}"
                    )


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        [int(size) for size in sys.argv[2].split(",")] if len(sys.argv) > 2 else [49_000],
        int(sys.argv[3]) if len(sys.argv) > 3 else 20,
    )
