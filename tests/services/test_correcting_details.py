"""What a correction does to plug-in fields, links and roles, and how a corrected task reads in its PDF."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTask, MunicipalTaskField, TaskChange, TaskVersionField
from klik.services import correcting, publishing
from klik.services.correcting import impact
from klik.services.publishing import Draft
from klik.services.rendering import Renderer
from klik.services.tasks import changing, details, exporting
from klik.services.tasks.changing import Changes
from tests import make
from tests.make import AARHUS, HERNING, KOEGE
from tests.services.correcting_world import (
    FINISHED,
    HOUR,
    NEW_DAY,
    NOT_STARTED,
    OWN_DEADLINE,
    STARTED,
    Scene,
    scene,
)
from tests.services.test_rendering import squeezed, text_of

FIELD = "ksd.blokerer"
PLACES = (KOEGE, HERNING, AARHUS)


@pytest.fixture
def at_work(house: Installation) -> Scene:
    return scene(house)


def _fields(house: Installation, task_id: int) -> dict[int, str]:
    with house.reading(make.NOW) as work:
        rows = work.session.execute(
            select(MunicipalTask.municipality_id, MunicipalTaskField.value)
            .join(MunicipalTaskField, MunicipalTaskField.municipal_task_id == MunicipalTask.id)
            .where(MunicipalTask.task_id == task_id, MunicipalTaskField.field == FIELD)
        )
        return dict(rows.all())


@pytest.mark.parametrize(
    ("old", "new"),
    [("brev", "udbetaling"), ("brev", None), (None, "udbetaling")],
    ids=["other", "none", "first"],
)
def test_a_plugins_field_follows_where_the_copy_does(
    house: Installation, old: str | None, new: str | None
) -> None:
    with house.database.writing() as session:
        make.project(session, "ksd", system_code="ksd")
        editor = make.actor(session, make.person(session, level=Level.KOMBIT_EDITOR))
        leader = make.actor(session, make.person(session, municipality=HERNING))
        for code in PLACES:
            make.has_system(session, code, "ksd")
    draft = Draft(
        project="ksd",
        title="Kontrollér sagerne",
        phase="forberedelse",
        theme="it-miljoe-og-infrastruktur",
        fields={FIELD: old} if old else {},
    )
    with house.writing(make.NOW, editor) as work:
        task_id = publishing.publish(work, draft, PLACES).task_id
        done = work.session.scalars(
            select(MunicipalTask).where(MunicipalTask.municipality_id == HERNING)
        ).one()
        closed = (done.id, done.version)
    with house.writing(make.NOW + HOUR, leader) as work:
        changing.change(work, *closed, Changes(status=Status.COMPLETED))
    corrected = replace(draft, fields={FIELD: new} if new else {})
    with house.reading(make.NOW + HOUR, editor) as work:
        ahead = impact.of(work, task_id, corrected, "Feltet er rettet.")
        assert [each.label for each in ahead.differences] == ["Blokerer i KSD"]
    with house.writing(make.NOW + 2 * HOUR, editor) as work:
        correcting.correct(work, task_id, corrected, "Feltet er rettet.", version=1)
    kept = {HERNING: old} if old else {}
    assert _fields(house, task_id) == kept | ({KOEGE: new, AARHUS: new} if new else {})
    with house.reading(make.NOW) as work:
        stored = work.session.scalars(
            select(TaskVersionField.value).order_by(TaskVersionField.task_version_id)
        )
        assert list(stored) == [each for each in (old, new) if each]


def test_an_untouched_copy_goes_to_who_holds_the_new_role(at_work: Scene) -> None:
    with at_work.house.database.writing() as session:
        holders = {}
        for code in (NOT_STARTED, STARTED, FINISHED):
            person = make.person(session, f"Superbruger {code}", municipality=code)
            make.holding(session, "superbruger", holder=person, municipality=code, system_code=None)
            holders[code] = person.id
    before = at_work.copies()
    at_work.correct(responsible_role="superbruger")
    after = at_work.copies()
    for code in (NOT_STARTED, STARTED):
        assert (after[code].responsible_id, after[code].responsible_role) == (holders[code], None)
    # Where nobody holds it, the role itself stands; what is closed stays with who did it.
    assert (after[OWN_DEADLINE].responsible_id, after[OWN_DEADLINE].responsible_role) == (None, "superbruger")
    assert after[FINISHED].responsible_id == before[FINISHED].responsible_id
    with at_work.house.reading(make.NOW) as work:
        told = work.session.scalars(
            select(TaskChange.new).where(
                TaskChange.field == "responsible", TaskChange.municipality_id == NOT_STARTED
            )
        ).all()
        assert len(told) == 1 and f"Superbruger {NOT_STARTED}" in (told[0] or "")


def test_links_are_corrected_and_the_municipalities_see_the_new_ones(at_work: Scene) -> None:
    with at_work.house.writing(make.NOW, at_work.editor) as work:
        plain = replace(publishing.draft_of(work, at_work.task_id), number=None, needs=())
        first, second = (
            publishing.publish(work, replace(plain, title=title), [NOT_STARTED]).task_id
            for title in ("Den første", "Den anden")
        )
        numbers = [publishing.draft_of(work, each).number for each in (first, second)]
    for hour, needs in ((48, numbers[:1]), (60, numbers[1:]), (72, [])):
        done = at_work.correct(hour=hour, needs=tuple(needs), note="Rækkefølgen er ændret.")
        assert (done.following, done.marked, done.unchanged) == (3, 1, 2)
        with at_work.house.reading(make.NOW, at_work.leaders[NOT_STARTED]) as work:
            shown = details.load(work, at_work.copies()[NOT_STARTED].id)
            assert [each.number for each in shown.needs] == needs
            assert list(publishing.draft_of(work, at_work.task_id).needs) == needs


def test_the_pdf_of_a_corrected_task_says_what_was_corrected(at_work: Scene) -> None:
    at_work.correct(
        deadline_parameter=NEW_DAY.isoformat(),
        title="Udpeg en systemansvarlig",
        note="Leverandøren er forsinket.",
    )
    texts = {}
    with Renderer() as renderer:
        for code in (OWN_DEADLINE, FINISHED):
            with at_work.house.reading(make.NOW + 50 * HOUR, at_work.leaders[code]) as work:
                copy = at_work.copies()[code]
                export = exporting.collect(work, at_work.house.files, copy.id, "https://klik.example")
            texts[code] = squeezed(text_of(renderer.task_pdf(export.document, export.embedded)))
    own, finished = texts[OWN_DEADLINE], texts[FINISHED]
    assert squeezed("Udpeg en systemansvarlig") in own
    assert squeezed("Leverandøren er forsinket.") in own
    assert (
        squeezed(
            "KOMBIT ændrede deadline 1. december 2026 → 15. december 2026. "
            "Jeres eget valg, 10. december 2026, er bevaret."
        )
        in own
    )
    # Completed before the correction: its own words and version, and that there is a newer one.
    assert squeezed("1 (KOMBITs nyeste er 2)") in finished
    assert squeezed("Leverandøren er forsinket.") not in finished
    assert squeezed("Udpeg systemansvarlig") in finished
