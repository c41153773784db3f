"""The package of Køge, taken from the world of 98 municipalities: every canary in it is Køge's to read."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from klik.installation import Installation
from klik.models import Person
from tests import make
from tests.access.world import CANARY, World
from tests.conftest import make_settings
from tests.make import KOEGE, NOW
from tests.services.house_world import Filled, tables_only


def test_nothing_of_anybody_else_is_taken_along(
    world: World, world_template: tuple[Path, World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(world_template[0], folder)
    house = Installation(make_settings(folder))
    visitor = next(each for each in world.visitors if (each.kind, each.place) == ("administrator", KOEGE))
    with house.reading(NOW) as work:
        person = work.session.scalars(select(Person).where(Person.id == visitor.person_id)).one()
        actor = make.actor(work.session, person)
    package = tables_only(Filled(house, actor), tmp_path / "hus.zip")
    house.close()
    found: set[tuple[int, str, int]] = set()
    with zipfile.ZipFile(package) as opened:
        for name in opened.namelist():
            for code, table, row in CANARY.findall(opened.read(name).decode()):
                found.add((int(code), table.casefold(), int(row)))
    leaks = {each for each in found if not world.may_read(visitor, *each)}
    # Who is not of Køge stands by name alone.
    leaks |= {each for each in found if each[0] not in (0, KOEGE) and each[1] != "people"}
    assert leaks == set()
    assert {"municipal_tasks", "comments", "task_changes", "people", "task_versions"} <= {
        each[1] for each in found
    }
    with capsys.disabled():
        sys.stdout.write(f"\nwhole house: {len(found)} canaries in the package of Køge, 0 leaks\n")
