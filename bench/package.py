"""The PDFs of many tasks: by one child and by two, for the first time and again, and after one task was changed.

Run from the root of the checkout: `python -m bench.package [sqlite|postgresql] [tasks] [rounds]`.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import insert, select

from bench.measuring import statements, tell
from bench.pdf import Cost, cost
from bench.world import World, worlds
from klik.models import Comment, MunicipalTask, TaskChange
from klik.services.keeping import Keep
from klik.services.rendering import Renderer
from klik.services.tasks import drawn
from tests.services.rendering_samples import COMMENTS

WORLD = 49_000


class Package:
    """So many tasks of one municipality, each with comments and history."""

    def __init__(self, world: World, tasks: int) -> None:
        self._world = world
        house = world.house
        with house.writing(world.now) as work:
            chosen = select(MunicipalTask.id).where(MunicipalTask.municipality_id == world.municipality)
            self.ids = list(work.session.scalars(chosen.order_by(MunicipalTask.id).limit(tasks)))
            here = [{"municipality_id": world.municipality, "municipal_task_id": each} for each in self.ids]
            person = world.manager.person_id
            work.session.execute(
                insert(Comment),
                [
                    each | {"author_id": person, "at": world.now, "text": text}
                    for each in here
                    for text in COMMENTS
                ],
            )
            change = {
                "at": world.now,
                "person_id": person,
                "field": "status",
                "old": "a",
                "new": "b",
                "via": "",
            }
            work.session.execute(insert(TaskChange), [each | change for each in here for _ in range(5)])

    def draw(self) -> None:
        """All of them, as whoever exports them does it."""
        world = self._world
        answers = list(drawn.tasks(world.house, world.manager, world.now, self.ids))
        if any(isinstance(each, drawn.Undrawn) for each in answers) or len(answers) != len(self.ids):
            raise RuntimeError("not every task was drawn")

    def forget(self, children: int) -> None:
        """Everything that was drawn or collected is gone; so many children are warm."""
        house = self._world.house
        house.kept = Keep()
        with suppress(FileNotFoundError):
            shutil.rmtree(house.archive.folder)
        if "renderer" in house.__dict__:
            house.renderer.close()
        house.__dict__["renderer"] = Renderer(children=children)
        ids, self.ids = self.ids, self.ids[-2 * children :]
        self.draw()
        shutil.rmtree(house.archive.folder)
        house.kept, self.ids = Keep(), ids

    def change_one(self) -> None:
        """Somebody writes a comment."""
        world = self._world
        with world.house.writing(world.now + timedelta(seconds=1)) as work:
            row = {"municipality_id": world.municipality, "municipal_task_id": self.ids[0]}
            comment = {"author_id": world.manager.person_id, "at": world.now, "text": "Ny"}
            work.session.execute(insert(Comment).values(row | comment))


def main(database: str, tasks: int, rounds: int) -> None:
    """In turn: one child, two children, again with both, again after a change, again in a process that kept nothing."""
    tell(f"{database}, {tasks} tasks, load {os.getloadavg()[0]:.1f}")
    found: dict[str, list[Cost]] = {}
    with worlds(database, WORLD) as world:
        package = Package(world, tasks)

        def note(name: str, what: Callable[[], object]) -> None:
            with statements(world.house.database.engine) as sent:
                found.setdefault(name, []).append(cost(what))
            last = found[name][-1]
            tell(f"  {name}: clock {last.clock:.0f} ms, work {last.work:.0f} ms, {len(sent)} statements")

        for _ in range(rounds):
            package.forget(1)
            note("one child", package.draw)
            package.forget(2)
            note("two children", package.draw)
            note("again", package.draw)
            package.change_one()
            note("one changed", package.draw)
            world.house.kept = Keep()
            note("nothing kept", package.draw)
    for name, base in (
        ("two children", "one child"),
        ("again", "two children"),
        ("one changed", "two children"),
        ("nothing kept", "two children"),
    ):
        clock = [one.clock / other.clock for one, other in zip(found[name], found[base], strict=True)]
        work = [one.work / other.work for one, other in zip(found[name], found[base], strict=True)]
        tell(
            f"{name} / {base}: clock {statistics.median(clock):.3f} ({min(clock):.3f}-{max(clock):.3f}), "
            f"work {statistics.median(work):.3f} ({min(work):.3f}-{max(work):.3f})"
        )
    tell(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        given[0] if given else "sqlite",
        int(given[1]) if given[1:] else 300,
        int(given[2]) if given[2:] else 3,
    )
