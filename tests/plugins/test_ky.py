"""KY: deadlines before go-live, the reminder, and readiness from events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Notice
from klik.plugins import ChangeView, MunicipalityView, MunicipalTaskView, PublishedView, TaskView
from klik.plugins.ky.go_live import BEFORE_GO_LIVE
from klik.plugins.ky.readiness import Readiness, counts
from klik.plugins.ky.reminder import BEFORE_GO_LIVE as REMINDER
from klik.services import deadlines, events, for_plugins, systems, views
from klik.services.notices import scanning
from tests import make
from tests.client import Browser

GO_LIVE = date(2027, 3, 1)
KOEGE = MunicipalityView(code=259, name="Køge", region="Sjælland", wave="b1", go_live=GO_LIVE)
TASK = TaskView(
    number="UI 01",
    title="Kortlæg snitflader",
    project="ky",
    system="ky",
    phase="forberedelse",
    theme="ud-indfasning",
    priority="normal",
    infrastructure=True,
    start=None,
    published_on=make.TODAY,
    fields={},
)


def test_the_deadline_counts_back_from_the_municipalitys_own_go_live(house: Installation) -> None:
    key = "ky.foer-idriftsaettelse"
    without = replace(KOEGE, code=751, go_live=None)
    sixty = deadlines.deadlines_for(house.registry, key, "60", TASK, [KOEGE, without], working_day="uaendret")
    assert sixty == {259: date(2026, 12, 31), 751: None}
    assert deadlines.deadlines_for(house.registry, key, "0", TASK, [KOEGE], working_day="uaendret") == {
        259: GO_LIVE
    }
    assert house.registry.guard.faults() == {}


def test_each_municipality_of_a_wave_may_have_its_own_day(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        wave = make.wave(work.session, "b1", go_live=GO_LIVE)
        make.has_system(work.session, make.KOEGE, "ky", wave=wave)
        make.has_system(work.session, make.AARHUS, "ky", wave=wave, go_live=date(2027, 4, 5))
        found = views.municipality_views(work, [make.KOEGE, make.AARHUS, make.LAESOE], "ky")
    days = {each.code: BEFORE_GO_LIVE.deadline(TASK, each, "30") for each in found}
    assert days == {
        make.KOEGE: date(2027, 1, 30),
        make.AARHUS: date(2027, 3, 6),
        make.LAESOE: None,
    }


def test_yellow_comes_a_month_ahead_but_not_before_the_start() -> None:
    assert BEFORE_GO_LIVE.yellow_from is not None
    assert BEFORE_GO_LIVE.yellow_from(None, GO_LIVE) == GO_LIVE - timedelta(days=30)
    assert BEFORE_GO_LIVE.yellow_from(date(2027, 2, 20), GO_LIVE) == date(2027, 2, 20)


@pytest.mark.parametrize("parameter", ["", "-1", "1,5", "731", "ti", "١٢", "99999"])
def test_a_wrong_number_of_days_is_named(parameter: str) -> None:
    assert "0 til 730" in (BEFORE_GO_LIVE.check(parameter) or "")


def test_the_rule_is_explained_in_words() -> None:
    assert BEFORE_GO_LIVE.check("60") is None
    assert [BEFORE_GO_LIVE.explain(days) for days in ("0", "1", "60")] == [
        "Samme dag som kommunen tager KY i brug.",
        "1 dag før kommunen tager KY i brug.",
        "60 dage før kommunen tager KY i brug.",
    ]


def test_every_task_type_has_a_deadline_the_rule_takes(house: Installation) -> None:
    types = [each for each in house.registry.task_types.values() if each.system == "ky"]
    assert len(types) >= 5
    for each in types:
        rule = house.registry.deadline_rules[each.deadline_rule]
        assert rule.check(each.deadline_parameter) is None


def task_view(house: Installation, **changes: object) -> MunicipalTaskView:
    with house.writing(make.NOW) as work:
        wave = make.wave(work.session, "b1", go_live=GO_LIVE)
        make.has_system(work.session, make.KOEGE, "ky", wave=wave)
        project = make.project(work.session, "ky", system_code="ky")
        row = make.municipal_task(work.session, in_project=project, title="Kortlæg snitflader")
        (view,) = views.municipal_task_views(work, [row])
    return replace(view, **changes)


def test_the_reminder_is_due_a_month_before_go_live(house: Installation) -> None:
    view = task_view(house)
    day = REMINDER.due(view)
    assert day == GO_LIVE - timedelta(days=30)
    assert REMINDER.heading(view, day) == "30 dage til idriftsættelse: Kortlæg snitflader"
    assert "Køge tager KY i brug 1. marts 2027" in REMINDER.sentence(view, day)
    for changes in (
        {"phase": "ibrugtagning"},
        {"status": Status.COMPLETED.value},
        {"go_live": None},
        {"system": "kp"},
    ):
        assert REMINDER.due(replace(view, **changes)) is None


def test_the_reminder_is_told_once(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        make.has_system(work.session, make.KOEGE, "ky", go_live=make.TODAY + timedelta(days=30))
        project = make.project(work.session, "ky", system_code="ky")
        person = make.person(work.session)
        make.municipal_task(
            work.session, in_project=project, responsible=person, deadline=make.TODAY + timedelta(days=300)
        )
    for _ in range(2):
        with house.writing(make.NOW) as work:
            scanning.scan_deadlines(work)
    with house.reading(make.NOW) as work:
        (notice,) = work.session.scalars(select(Notice).where(Notice.occasion == REMINDER.key))
        assert notice.person_id == person.id
        assert notice.heading.startswith("30 dage til idriftsættelse")
    assert house.registry.guard.faults() == {}


def published(number: str = "UI 01", codes: tuple[int, ...] = (make.KOEGE, make.AARHUS)) -> PublishedView:
    return PublishedView(task=replace(TASK, number=number), municipalities=codes, at=make.NOW)


def changed(new: str, *, task: int = 7, minutes: int = 0) -> ChangeView:
    return ChangeView(
        task=task,
        municipality=make.KOEGE,
        system="ky",
        field="status",
        old="I gang",
        new=new,
        at=make.NOW + timedelta(minutes=minutes),
    )


def note(house: Installation, *facts: PublishedView | ChangeView) -> None:
    with house.writing(make.NOW) as work:
        for fact in facts:
            name = events.PUBLISHED if isinstance(fact, PublishedView) else events.CHANGED
            events.note(work, name, fact)


def readiness(house: Installation) -> tuple[Readiness, ...]:
    with house.reading(make.NOW) as work:
        store = for_plugins.context(work, "ky").store
        assert store is not None
        return counts(store)


def test_readiness_is_counted_from_events_told_once_or_twice(house: Installation) -> None:
    facts = (published(), published("UI 02"), changed("Fuldført"))
    note(house, *facts, *facts)
    assert readiness(house) == ()
    assert events.tell_waiting(house, make.NOW) == 6
    assert readiness(house) == (Readiness(make.KOEGE, 2, 1), Readiness(make.AARHUS, 2, 0))
    assert events.tell_waiting(house, make.NOW) == 0


def test_a_late_and_older_change_does_not_win(house: Installation) -> None:
    note(house, published(), changed("Fuldført", minutes=5), changed("I gang", minutes=1))
    events.tell_waiting(house, make.NOW)
    assert readiness(house)[0] == Readiness(make.KOEGE, 1, 1)
    note(house, changed("I gang", minutes=9))
    events.tell_waiting(house, make.NOW)
    assert readiness(house)[0] == Readiness(make.KOEGE, 1, 0)


def test_other_systems_tasks_are_not_counted(house: Installation) -> None:
    other = replace(published(), task=replace(TASK, system="kp"))
    note(house, other, replace(changed("Fuldført"), system="kp"))
    events.tell_waiting(house, make.NOW)
    assert readiness(house) == ()


def test_readiness_stands_on_the_systems_page(house: Installation, browser: Callable[..., Browser]) -> None:
    note(house, published(), changed("Ikke relevant"))
    events.tell_waiting(house, make.NOW)
    with house.writing(make.NOW) as work:
        make.has_system(work.session, make.KOEGE, "ky", wave=make.wave(work.session, go_live=GO_LIVE))
        own = make.person(work.session).email
        kombit = make.person(work.session, level=Level.KOMBIT_EDITOR).email
        supplier = make.person(work.session, level=Level.SUPPLIER, systems=("ky",)).email
        stranger = make.person(work.session, level=Level.SUPPLIER, systems=("kp",)).email
    page = browser().sign_in(own).get("/systemer/ky").get_text(" ")
    assert "1 af 1 opgave for KY er afsluttet." in page and "1. marts 2027" in page
    page = browser().sign_in(kombit).get("/systemer/ky").get_text(" ")
    assert "1 af 2 opgaver" in page and "2 kommuner har fået opgaver." in page
    page = browser().sign_in(supplier).get("/systemer/ky").get_text(" ")
    assert "vises for kommuner og KOMBIT" in page
    browser().sign_in(stranger).get("/systemer/ky", expect=404)


def test_the_upgrade_makes_kys_waves(house: Installation) -> None:
    with house.reading(make.NOW) as work:
        assert [wave.name for wave in systems.waves(work, "ky")] == ["Pilot", "B1", "B2", "B3"]
