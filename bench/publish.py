"""Publishing to 98, 1,000 and 10,000 municipalities: milliseconds, statements, and the cost of each recipient.

Against the least it can cost: one `insert … select` of as many copies alone. Run from the root of the checkout:
`python -m bench.publish [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import func, insert, select, text

from bench.measuring import Cost, alternately, statements, tell
from bench.world import PEOPLE, World, worlds
from klik.domain.rights import Level
from klik.models import Membership, Municipality, Person
from klik.services import publishing
from klik.services.publishing import Draft

TARGET = 100.0
SIZES = (98, 1_000, 10_000)
FIRST_CODE = 10_000
LEAST = text(
    """
    insert into municipal_tasks (municipality_id, project_id, title, title_key, search_key, number_key,
      local_text, phase, theme, priority, status, version, created_at, changed_at)
    select municipality.id, task.project_id, task.title, task.title_key, task.search_key, task.number_key,
      '', task.phase, task.theme, task.priority, 'ikke-paabegyndt', 1, task.created_at, task.changed_at
    from (select id from municipalities order by id limit :size) municipality,
      (select * from municipal_tasks order by id limit 1) task
    """
)


def settle(world: World, count: int) -> list[int]:
    """Make so many municipalities in all, each new one with a plus user, and return their codes."""
    with world.house.writing(world.now) as work:
        codes = list(work.session.scalars(select(Municipality.id).order_by(Municipality.id)))
        first = work.session.scalar(select(func.max(Person.id))) or 0
        new = range(FIRST_CODE + len(codes), FIRST_CODE + count)
        if not new:
            return codes
        places, people, memberships = [], [], []
        for number, code in enumerate(new, first + 1):
            address = f"person{number}@klik.example"
            name = f"Kommune {code}"
            places.append({"id": code, "name": name, "name_key": name.casefold(), "region": "Region Nord"})
            people.append(
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
            memberships.append(
                {"person_id": number, "municipality_id": code, "level": level, "since": work.today}
            )
        for table, rows in ((Municipality, places), (Person, people), (Membership, memberships)):
            work.session.execute(insert(table.__table__), rows)  # type: ignore[arg-type]
        return [*codes, *new]


def measure(world: World, rounds: int) -> tuple[dict[str, Cost], dict[int, int]]:
    """Medians of publishing to each size and to one, and of the bare inserts; the statements by size."""
    house = world.house
    codes = settle(world, SIZES[-1])
    with house.reading(world.now) as work:
        content = work.registry.content
    draft_numbers = itertools.count(1)

    def publish(recipients: list[int]) -> int:
        number = next(draft_numbers)
        draft = Draft(
            project="kp",
            title=f"Udpeg systemansvarlig nr. {number}",
            phase=content.phases[0].slug,
            theme=content.themes[0].slug,
            description="Kommunen skal have det på plads, før systemet tages i brug.",
            responsible_role="systemansvarlig",
            executor_role="superbruger",
        )
        with house.writing(datetime.now(UTC), world.kombit) as work:
            return publishing.publish(work, draft, recipients, f"bench-{number}").notices

    def least(size: int) -> None:
        with house.writing(datetime.now(UTC)) as work:
            work.session.execute(LEAST, {"size": size})

    sent_by_size: dict[int, int] = {}
    asked: dict[str, Callable[[], object]] = {"1": lambda: publish(codes[:1])}
    for size in SIZES:
        with statements(house.database.engine) as sent:
            publish(codes[:size])
        sent_by_size[size] = len(sent)
        asked[f"{size}"] = lambda size=size: publish(codes[:size])
        asked[f"least {size}"] = lambda size=size: least(size)
    return alternately(asked, rounds, warm=1), sent_by_size


def main(databases: list[str], size: int, rounds: int) -> None:
    tell(f"target: at most {TARGET:.0f} ms to the 98, and each recipient at 10,000 no dearer than at 98")
    tell(f"the 98 have {PEOPLE} people each, the others one; least: one insert … select of the copies alone")
    for database in databases:
        with worlds(database, size) as world:
            medians, sent = measure(world, rounds)
        for many in SIZES:
            cost, least = medians[f"{many}"], medians[f"least {many}"]
            tell(
                f"{database:10} to {many:6} {cost.clock:8.1f} ms ({cost.work:8.1f} of work), each "
                f"{cost.clock / many:.3f} ms ({cost.work / many:.3f}), least {least.clock:7.1f} ms, "
                f"ratio {cost.clock / least.clock:.1f}, {sent[many]} statements"
            )
        tell(f"{database:10} to      1 {medians['1'].clock:8.1f} ms")


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        int(sys.argv[2]) if len(sys.argv) > 2 else 49_000,
        int(sys.argv[3]) if len(sys.argv) > 3 else 5,
    )
