"""Publishing to the 98: milliseconds, statements, and what each further municipality costs.

Against the least it can cost: one `insert … select` of the copies alone. Run from the root of the checkout:
`python -m bench.publish [sqlite|postgresql|both] [tasks] [rounds]`.
"""

from __future__ import annotations

import itertools
import sys
from datetime import UTC, datetime

from sqlalchemy import select, text

from bench.measuring import Cost, alternately, statements, tell
from bench.world import World, worlds
from klik.models import Municipality
from klik.services import publishing
from klik.services.publishing import Draft

TARGET = 100.0
LEAST = text(
    """
    insert into municipal_tasks (municipality_id, project_id, title, title_key, search_key, number_key,
      local_text, phase, theme, priority, status, version, created_at, changed_at)
    select municipality.id, task.project_id, task.title, task.title_key, task.search_key, task.number_key,
      '', task.phase, task.theme, task.priority, 'ikke-paabegyndt', 1, task.created_at, task.changed_at
    from municipalities municipality, (select * from municipal_tasks order by id limit 1) task
    """
)


def measure(world: World, rounds: int) -> tuple[dict[str, Cost], int, int]:
    """Medians of publishing to all, to one, and of the bare insert; the statements and notices of the first."""
    house = world.house
    with house.reading(world.now) as work:
        codes = list(work.session.scalars(select(Municipality.id)))
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

    def least() -> None:
        with house.writing(datetime.now(UTC)) as work:
            work.session.execute(LEAST)

    with statements(house.database.engine) as sent:
        notices = publish(codes)
    asked = {"all": lambda: publish(codes), "one": lambda: publish(codes[:1]), "least": least}
    return alternately(asked, rounds), len(sent), notices


def main(databases: list[str], size: int, rounds: int) -> None:
    tell(f"target: at most {TARGET:.0f} ms to the 98; least: one insert … select of the copies alone")
    for database in databases:
        with worlds(database, size) as world:
            medians, sent, notices = measure(world, rounds)
        everyone, one, least = (medians[name].clock for name in ("all", "one", "least"))
        tell(
            f"{database:12} to 98 {everyone:6.1f} ms, to 1 {one:6.1f} ms, each further "
            f"{(everyone - one) / 97:.2f} ms, least {least:5.1f} ms, ratio {everyone / least:.1f}, "
            f"{sent} statements, {notices} notices"
        )


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        int(sys.argv[2]) if len(sys.argv) > 2 else 49_000,
        int(sys.argv[3]) if len(sys.argv) > 3 else 20,
    )
