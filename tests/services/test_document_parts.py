"""What is collected for a task's PDF about its rules and its deletion, and what changes the code of its content."""

from datetime import timedelta

import pytest

from klik.domain import proof_codes
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Deletion, DeletionItem, MunicipalTask
from klik.services.tasks import exporting
from klik.services.tasks.exporting import TaskExport
from klik.services.work import Actor
from tests import make
from tests.make import NOW, TODAY

Scene = tuple[Actor, Actor, int]


@pytest.fixture
def scene(house: Installation) -> Scene:
    """Mette of Køge, Kaja of KOMBIT, and a task of Køge's."""
    with house.writing(NOW) as work:
        me = make.actor(work.session, make.person(work.session, "Mette Holm"))
        kombit = make.person(
            work.session, "Kaja Kombitsen", level=Level.KOMBIT_ADMINISTRATOR, municipality=None
        )
        task = make.municipal_task(work.session, deadline=TODAY + timedelta(days=30))
        return me, make.actor(work.session, kombit), task.id


def _collected(house: Installation, actor: Actor, task_id: int) -> TaskExport:
    with house.reading(NOW, actor) as work:
        return exporting.collect(work, house.files, task_id, "https://klik.example")


def _change(house: Installation, task_id: int, **values: object) -> None:
    with house.writing(NOW) as work:
        row = work.session.get_one(MunicipalTask, task_id)
        for name, value in values.items():
            setattr(row, name, value)


def test_the_rules_of_dates_and_colours_are_told(house: Installation, scene: Scene) -> None:
    me, _kombit, task_id = scene
    _change(house, task_id, deadline=TODAY.replace(year=2027, month=1, day=8), yellow_from=TODAY, round=2)
    document = _collected(house, me, task_id).document
    yellow = f"{TODAY.day}. november {TODAY.year}"
    assert document.colour_rule == f"Grøn indtil {yellow}, derefter gul; rød fra 9. januar 2027"
    assert document.deadline_rule.startswith("Fristen er")
    assert (document.round, document.task_id, document.deadline_note) == (2, task_id, "")
    _change(house, task_id, deadline_is_own=True)
    assert _collected(house, me, task_id).document.deadline_note == "kommunens egen"
    _change(house, task_id, deadline=None, yellow_from=None, for_information=True)
    document = _collected(house, me, task_id).document
    assert (document.deadline_note, document.colour_rule) == ("Til orientering", "")
    _change(house, task_id, for_information=False)
    assert _collected(house, me, task_id).document.deadline_note == "Ingen deadline"


def test_an_announced_deletion_is_told_and_taking_it_home_changes_nothing(
    house: Installation, scene: Scene
) -> None:
    me, kombit, task_id = scene
    before = _collected(house, me, task_id)
    with house.writing(NOW) as work:
        deletion = Deletion(
            state="varslet",
            last_day=TODAY + timedelta(days=40),
            heading="KP er i drift.",
            legal_basis="Aftalen § 7.",
            decided_by="KOMBIT",
            decided_on=TODAY,
            announced_at=NOW,
        )
        work.session.add(deletion)
        work.session.flush()
        item = DeletionItem(
            deletion_id=deletion.id,
            municipality_id=make.KOEGE,
            municipal_task_id=task_id,
            state="varslet",
            hold_reason="Vi har en klagesag.",
            hold_until=TODAY + timedelta(days=90),
        )
        work.session.add(item)
        work.session.flush()
        item_id = item.id
    announced = _collected(house, me, task_id)
    told = " ".join(announced.document.deletion)
    for words in (
        "at opgaven slettes: KP er i drift. Sidste dag er",
        "Kassationshjemmel: Aftalen § 7. Besluttet",
    ):
        assert words in told
    assert "Vi har en klagesag. KOMBIT har ikke svaret endnu." in told
    assert announced.content_key != before.content_key
    with house.writing(NOW) as work:
        item = work.session.get_one(DeletionItem, item_id)
        item.state, item.fetched_at, item.fetched_sha256 = "hentet", NOW, "0" * 64
    assert _collected(house, me, task_id).content_key == announced.content_key
    with house.writing(NOW) as work:
        item = work.session.get_one(DeletionItem, item_id)
        item.state, item.case_number, item.hold_granted = "kvitteret", "26/4711", True
    told = " ".join(_collected(house, me, task_id).document.deletion)
    assert "sagsnummer 26/4711" in told
    assert "KOMBIT har sagt ja." in told
    assert _collected(house, kombit, task_id).document.deletion


def test_the_code_on_the_page_is_where_it_is_proven(house: Installation, scene: Scene) -> None:
    me, _kombit, task_id = scene
    export = _collected(house, me, task_id)
    code = proof_codes.of(export.content_key)
    assert export.document.verify_url == f"https://klik.example/verificer/{code}"
    assert export.document.identifier == code
    assert _collected(house, me, task_id).embedded == export.embedded
    assert any(sentence.startswith("Varslerne om opgaven") for sentence in export.document.omitted)
