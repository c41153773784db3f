"""Everything a municipality has, ordered on "Dine udtræk": its administrator's alone, proven, and read in again."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import DeletionItem, Export, ExportProof, Membership, MunicipalTask
from klik.services import exports, house_package
from klik.services.errors import ForbiddenError, NotFoundError
from klik.services.tasks.drawn import UNREADABLE
from klik.services.work import Actor
from tests import make
from tests.make import NOW


@pytest.fixture
def karen(house: Installation) -> Actor:
    """Køge's administrator; Køge has two tasks and Herning one."""
    with house.writing(NOW) as work:
        for number in range(2):
            make.municipal_task(work.session, local=True, title=f"Opgave {number}")
        make.municipal_task(work.session, title="Herningsk", municipality=make.HERNING)
        return make.actor(work.session, make.person(work.session, "Karen", level=Level.ADMINISTRATOR))


def _ordered(house: Installation, actor: Actor) -> int:
    with house.writing(NOW, actor) as work:
        return exports.order(work, exports.HOUSE).id


def _run(house: Installation) -> int:
    return exports.run_waiting(house, _folder(house), lambda: NOW, 0)


def _folder(house: Installation) -> Path:
    return exports.folder_in(house.settings.data)


def _row(house: Installation, export_id: int) -> Export:
    with house.database.reading() as session:
        found = session.get_one(Export, export_id)
        session.expunge(found)
        return found


def test_it_is_made_proven_fetched_and_read_in_again(house: Installation, karen: Actor) -> None:
    export_id = _ordered(house, karen)
    assert _row(house, export_id).total == 2 and _run(house) == 1
    export, path = _row(house, export_id), exports.path_of(_folder(house), export_id)
    assert (export.state, export.done, export.error) == ("faerdig", 2, None)
    assert (export.file_name or "").startswith(
        "Hele kommunens indhold"
    ) and b"Herningsk" not in path.read_bytes()
    with house.writing(NOW, karen) as work:
        exports.note_fetched(work, _folder(house), export_id)
        assert exports.in_words(work, exports.contents_of(export)) == ("Alt, hvad kommunen har i klik",)
        proof = work.session.scalars(select(ExportProof).where(ExportProof.kind == "pakke")).one()
        assert (proof.sha256, proof.tasks) == (hashlib.sha256(path.read_bytes()).hexdigest(), 2)
        assert proof.code == exports.inventory(path, exports.HOUSE).code
        assert work.session.scalars(select(DeletionItem)).all() == []
    with house_package.opened(path) as opened, house.writing(NOW) as work:
        report = house_package.read_in(work, house.files, opened, keep=True)
    assert (report.wrong, report.new, report.tables["opgaver"].there) == ([], 0, 2)


def test_nobody_else_orders_or_fetches_it(house: Installation, karen: Actor) -> None:
    with house.writing(NOW) as work:
        others = [
            make.actor(
                work.session, make.person(work.session, level=level, email=f"{level.value}@klik.example")
            )
            for level in Level
            if level is not Level.ADMINISTRATOR
        ]
    for actor in others:
        with pytest.raises(ForbiddenError):
            _ordered(house, actor)
    with house.writing(NOW, karen) as work, pytest.raises(NotFoundError):
        exports.order(work, exports.HOUSE, deletion_id=1)
    made, late = _ordered(house, karen), _ordered(house, karen)
    assert _run(house) == 1
    with house.writing(NOW) as work:
        work.session.execute(
            update(Membership).where(Membership.id == karen.membership_id).values(level=Level.PLUS_USER.value)
        )
    assert _run(house) == 1
    assert (_row(house, late).state, _row(house, late).error) == (
        "fejlet",
        "Du har ikke længere adgang til at lave udtræk.",
    )
    for actor in (replace(karen, level=Level.PLUS_USER), replace(karen, municipality_id=make.HERNING)):
        with house.reading(NOW, actor) as work:
            with pytest.raises(NotFoundError):
                exports.fetch(work, _folder(house), made)
            assert not any(there for _export, there in exports.receipts(work, _folder(house)))
    with house.reading(NOW, karen) as work:
        assert exports.fetch(work, _folder(house), made)


def test_a_task_that_cannot_be_drawn_is_named_in_the_manifest(house: Installation, karen: Actor) -> None:
    with house.writing(NOW) as work:
        task = work.session.scalars(select(MunicipalTask).where(MunicipalTask.title == "Opgave 0")).one()
        task.priority, task_id = "en-prioritet-ingen-kender", task.id
    export_id = _ordered(house, karen)
    assert _run(house) == 1
    with zipfile.ZipFile(exports.path_of(_folder(house), export_id)) as package:
        assert json.loads(package.read("manifest.json"))["missing"] == [f"Opgave {task_id}: {UNREADABLE}"]
        assert sum(name.endswith(".pdf") for name in package.namelist()) == 1
