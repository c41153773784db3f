"""Publishing: what every municipality gets, that it is all or nothing, and that it happens once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from types import ModuleType

import pytest
from sqlalchemy import event, func, select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    MunicipalTask,
    MunicipalTaskField,
    Notice,
    PluginEvent,
    Project,
    Task,
    TaskLink,
)
from klik.plugins.contributions import Choice, DeadlineRule, ExtraField, ItSystem
from klik.plugins.manager import Loaded, PluginInfo
from klik.plugins.markers import hookimpl
from klik.services import publishing
from klik.services.errors import ConflictError, ForbiddenError, RefusedError
from klik.services.publishing import Draft, RecipientChoice, recipients
from klik.services.publishing.preview import preview
from klik.services.publishing.progress import copy_lines, task_lines
from klik.services.work import Work
from klik.settings import Settings
from tests import make

ALL = RecipientChoice.parse("all")
DRAFT = Draft(
    project="proeve",
    title="Udpeg systemansvarlig",
    phase="forberedelse",
    theme="it-miljoe-og-infrastruktur",
    description="Se vejledningen.",
    responsible_role="systemansvarlig",
    executor_role="superbruger",
    deadline_rule="proeve.regel",
    deadline_parameter="90",
    fields={"proeve.felt": "a"},
)


def _before(task: object, municipality: object, parameter: str) -> date | None:
    """Ninety days before the municipality's own go-live."""
    live = municipality.go_live  # type: ignore[attr-defined]
    return live - timedelta(days=int(parameter)) if live else None


def _plugin(deadline: object = _before) -> Loaded:
    hooks = dict(
        klik_systems=lambda: [ItSystem(code="proeve", name="Prøvesystemet", supplier="KOMBIT")],
        klik_extra_fields=lambda: [
            ExtraField(
                key="proeve.felt",
                system="proeve",
                label="Felt",
                choices=(Choice(value="a", label="A"), Choice(value="b", label="B")),
            )
        ],
        klik_deadline_rules=lambda: [
            DeadlineRule(
                key="proeve.regel",
                label="Før idriftsættelse",
                parameter_label="Dage",
                deadline=deadline,  # type: ignore[arg-type]
                check=lambda parameter: None if parameter.isdigit() else "Dage skal være et helt tal",
                explain=lambda parameter: f"Fristen er {parameter} dage før idriftsættelse",
            )
        ],
        klik_task_published=lambda published, context: None,
    )
    module = ModuleType("proeve")
    module.KLIK_API = (1, 0)  # type: ignore[attr-defined]
    for name, hook in hooks.items():
        setattr(module, name, hookimpl(hook))
    return Loaded("proeve", module, PluginInfo("proeve", "proeve", "1", (), "i drift"))


@contextmanager
def _installed(settings: Settings, deadline: object = _before) -> Iterator[Installation]:
    house = Installation(settings, plugins=[_plugin(deadline)])
    with house.database.writing() as session:
        make.project(session, "proeve", system_code="proeve")
    try:
        yield house
    finally:
        house.close()


@pytest.fixture
def ready(house_settings: Settings) -> Iterator[Installation]:
    """An installation with one plug-in, its system and project, on each database."""
    with _installed(house_settings) as house:
        yield house


def _count(work: Work, what: object, *conditions: object) -> int:
    return work.session.scalar(select(func.count(what)).where(*conditions)) or 0  # type: ignore[arg-type]


def test_everyone_gets_a_copy_with_the_own_deadline_and_holder(ready: Installation) -> None:
    with ready.writing(make.NOW) as work:
        session = work.session
        anna = make.person(session, "Anna Bech", email="anna@klik.example")
        gone = make.person(session, "Bo Dam", municipality=make.HERNING, active=False)
        make.holding(session, holder=anna, system_code="proeve")
        make.holding(session, "superbruger", mailbox="it@koege.example", system_code=None)
        make.holding(session, holder=gone, municipality=make.HERNING, system_code="proeve")
        make.has_system(session, make.KOEGE, "proeve", go_live=date(2027, 6, 1))
        make.has_system(session, make.HERNING, "proeve")
        codes = recipients(work, ALL, "proeve")
        assert codes == (make.KOEGE, make.HERNING)
        ahead = preview(work, DRAFT, codes)
        published = publishing.publish(work, DRAFT, codes)
    assert ahead.first == ahead.last == date(2027, 3, 3)
    assert (ahead.undated, ahead.vacant, ahead.number) == (("Herning",), ("Herning",), "MI 01")
    assert ahead.notices == published.notices
    with ready.reading(make.NOW) as work:
        copies = {copy.municipality_id: copy for copy in work.session.scalars(select(MunicipalTask)).all()}
        koege, herning = copies[make.KOEGE], copies[make.HERNING]
        assert (koege.deadline, koege.yellow_from) == (date(2027, 3, 3), date(2027, 2, 17))
        assert (koege.responsible_id, koege.responsible_role) == (anna.id, None)
        assert (koege.executor_id, koege.executor_role) == (None, "superbruger")
        assert (herning.deadline, herning.responsible_id) == (None, None)
        assert herning.responsible_role == "systemansvarlig"
        assert (koege.task_number, koege.title, koege.version) == ("MI 01", DRAFT.title, 1)
        assert _count(work, MunicipalTaskField.value, MunicipalTaskField.value == "a") == 2
        told = work.session.scalars(select(Notice).where(Notice.municipality_id == make.KOEGE)).one()
        assert told.path == f"/opgaver/{koege.id}"
        assert told.sentence.endswith("Fristen er 3. marts 2027.")
        assert told.dedupe_key == f"udgivet/task={published.task_id}/kommune=259/p{anna.id}"
        assert _count(work, AuditEntry.id, AuditEntry.action == "publish") == 1
        assert _count(work, PluginEvent.id, PluginEvent.event == "klik_task_published") == 1


def test_somebody_in_two_municipalities_hears_of_both(ready: Installation) -> None:
    with ready.writing(make.NOW) as work:
        make.person(work.session, level=Level.KOMBIT_ADMINISTRATOR)
        published = publishing.publish(work, DRAFT, (101, 147))
        paths = work.session.scalars(select(Notice.path)).all()
    assert published.notices == len(set(paths)) == 2


def test_the_number_of_statements_does_not_grow(ready: Installation) -> None:
    with ready.database.writing() as session:
        for code in recipients(Work(session, None, make.NOW, ready.registry), ALL, "proeve"):
            make.person(session, municipality=code)
    counts = []
    for codes in ((101, 147), recipients_of(ready)):
        seen: list[str] = []

        def note(_c: object, _k: object, statement: str, *_more: object, seen: list[str] = seen) -> None:
            seen.append(statement)

        with ready.writing(make.NOW) as work:
            event.listen(ready.database.engine, "before_cursor_execute", note)
            published = publishing.publish(work, DRAFT, codes)
        event.remove(ready.database.engine, "before_cursor_execute", note)
        assert published.municipalities == published.notices == len(codes)
        counts.append(len(seen))
    assert counts[0] == counts[1], counts
    assert counts[1] < 40


def recipients_of(house: Installation) -> tuple[int, ...]:
    """All 98."""
    with house.reading(make.NOW) as work:
        return recipients(work, ALL, "proeve")


@pytest.mark.parametrize("fault", ["error", "rubbish"])
def test_a_rule_that_fails_gives_no_deadline_but_everyone_a_copy(
    house_settings: Settings, fault: str
) -> None:
    def broken(_task: object, municipality: object, _parameter: str) -> object:
        if fault == "error":
            raise ZeroDivisionError
        return "i morgen"

    with _installed(house_settings, broken) as house, house.writing(make.NOW) as work:
        publishing.publish(work, DRAFT, (101, 147))
        assert work.session.scalars(select(MunicipalTask.deadline)).all() == [None, None]
        assert "proeve.regel" in house.registry.guard.faults()


WRONG = {
    "project": ({"project": "proev"}, "Projekt: “proev” kendes ikke. Mente du “proeve”?"),
    "title": ({"title": " "}, "Titel skal udfyldes."),
    "phase": ({"phase": "opstrt"}, "Fase: “opstrt” kendes ikke. Mente du “opstart”?"),
    "theme": ({"theme": ""}, "Tema skal vælges."),
    "number": ({"number": "GV 01"}, "begynder numrene med MI"),
    "priority": ({"priority": "vild"}, "Prioritet: “vild” kendes ikke"),
    "responsible_role": ({"responsible_role": "kejser"}, "Ansvarlig rolle: “kejser” kendes ikke"),
    "result": (
        {"result": "a\n\nRing til 010190-1234"},
        "Resultat ser ud til at indeholde et CPR-nummer i linje 3",
    ),
    "how_to": (
        {"how_to": "| a |\n|--|\n" + "| b |\n" * 201},
        "Sådan løses opgaven: tabellerne har 202 rækker",
    ),
    "deadline_rule": ({"deadline_rule": "proeve.rgel"}, "Mente du “proeve.regel”?"),
    "deadline_parameter": ({"deadline_parameter": "x"}, "Dage skal være et helt tal"),
    "fields.proeve.felt": ({"fields": {"proeve.felt": "c"}}, "Felt: “c” kan ikke vælges"),
    "fields.x": ({"fields": {"x": "c"}}, "Feltet “x” findes ikke"),
    "needs": ({"needs": ("MI 99",)}, "projektet har ingen opgave med nummeret MI 99"),
    "template": ({"template": "x"}, "Skabelonen “x” findes ikke længere."),
}


@pytest.mark.parametrize("field", WRONG)
def test_each_problem_is_told_and_stops_it(sqlite_settings: Settings, field: str) -> None:
    changes, sentence = WRONG[field]
    with _installed(sqlite_settings) as house, house.writing(make.NOW) as work:
        problems = publishing.check(work, replace(DRAFT, **changes))
        assert sentence in problems[field], problems
        with pytest.raises(RefusedError):
            publishing.publish(work, replace(DRAFT, **changes), (101,))
        assert _count(work, Task.id) == 0
        assert publishing.check(work, DRAFT) == {}


def test_all_problems_come_at_once(ready: Installation) -> None:
    together = replace(DRAFT, title="", number="x", phase="x", deadline_parameter="x", needs=("MI 99",))
    with ready.reading(make.NOW) as work:
        assert set(publishing.check(work, together)) == {
            "title",
            "number",
            "phase",
            "deadline_parameter",
            "needs",
        }


def test_a_date_in_the_past_or_before_the_start(ready: Installation) -> None:
    late = replace(DRAFT, deadline_rule="core.date", deadline_parameter="20-11-2026")
    with ready.reading(make.NOW) as work:
        assert (
            "20. november 2026 er allerede overskredet" in publishing.check(work, late)["deadline_parameter"]
        )
        today = replace(late, deadline_parameter="21-11-2026", start=date(2026, 11, 22))
        assert set(publishing.check(work, today)) == {"start"}
        assert publishing.check(work, replace(today, start=None)) == {}


def test_numbers_are_given_kept_and_never_taken_twice(ready: Installation) -> None:
    with ready.writing(make.NOW) as work:
        first = publishing.publish(work, replace(DRAFT, number="mi7"), (101,))
        assert "MI 07 er allerede brugt" in publishing.check(work, replace(DRAFT, number="MI 07"))["number"]
        second = publishing.publish(work, replace(DRAFT, needs=("MI 07",)), (101,))
        numbers = work.session.scalars(select(Task.task_number).order_by(Task.id)).all()
        assert numbers == ["MI 07", "MI 08"]
        link = work.session.scalars(select(TaskLink)).one()
        assert (link.task_id, link.needs_task_id) == (second.task_id, first.task_id)


def test_a_draft_is_changed_until_it_is_published(ready: Installation) -> None:
    with ready.writing(make.NOW) as work:
        task_id = publishing.save_draft(work, replace(DRAFT, needs=()))
        assert _count(work, MunicipalTask.id) == 0
    with ready.writing(make.NOW) as work:
        changed = replace(publishing.draft_of(work, task_id), title="Udpeg en anden", fields={})
        publishing.change_draft(work, task_id, changed, 1)
    with ready.writing(make.NOW) as work:
        with pytest.raises(ConflictError):
            publishing.change_draft(work, task_id, changed, 1)
        assert publishing.draft_of(work, task_id) == changed
        published = publishing.publish(work, changed, (101,), task_id=task_id)
        assert published.task_id == task_id
        # Whoever publishes the same words after another sees the other's result; other words are refused.
        assert publishing.publish(work, changed, (101, 147), task_id=task_id).repeated
        with pytest.raises(RefusedError, match="allerede udgivet"):
            publishing.publish(work, replace(changed, title="Noget andet"), (101,), task_id=task_id)


def test_nobody_but_kombit_publishes(ready: Installation) -> None:
    with ready.writing(make.NOW) as work:
        stranger = make.actor(work.session, make.person(work.session, level=Level.ADMINISTRATOR))
        for act in (
            lambda: publishing.publish(replace(work, actor=stranger), DRAFT, (101,)),
            lambda: publishing.save_draft(replace(work, actor=stranger), DRAFT),
            lambda: task_lines(replace(work, actor=stranger)),
            lambda: copy_lines(replace(work, actor=stranger), 1),
        ):
            with pytest.raises(ForbiddenError):
                act()


def test_progress_is_counted_by_status_and_colour(ready: Installation) -> None:
    with ready.writing(make.NOW) as work:
        boss = make.actor(work.session, make.person(work.session, level=Level.KOMBIT_EDITOR))
        draft = replace(DRAFT, deadline_rule="core.date", deadline_parameter="2026-12-01")
        published = publishing.publish(work, draft, (101, 147, 151, 153))
        first, second, third, _fourth = work.session.scalars(select(MunicipalTask)).all()
        first.status = Status.COMPLETED.value
        second.status = Status.NOT_RELEVANT.value
        for late in (first, second, third):
            late.deadline = late.yellow_from = make.TODAY - timedelta(days=1)
        work.session.flush()
        line = task_lines(replace(work, actor=boss))[0]
        assert (line.municipalities, line.completed, line.open, line.red) == (4, 1, 2, 1)
        assert len(copy_lines(replace(work, actor=boss), published.task_id)) == 4


def test_twenty_double_presses_publish_twenty_times(house_settings: Settings) -> None:
    """Two threads, one key: 98 copies, one audit row, and both hear the same result."""
    with _installed(house_settings) as house:
        codes = recipients_of(house)
        for _round in range(20):
            key = str(uuid.uuid4())
            start = threading.Barrier(2)
            results: list[object] = []

            def press(
                key: str = key, start: threading.Barrier = start, results: list[object] = results
            ) -> None:
                start.wait()
                try:
                    with house.writing(make.NOW) as work:
                        results.append(publishing.publish(work, DRAFT, codes, key))
                except Exception as fault:
                    results.append(fault)

            threads = [threading.Thread(target=press) for _press in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert results[0] == results[1] and isinstance(results[0], publishing.Published), results
        with house.reading(make.NOW) as work:
            assert _count(work, MunicipalTask.id) == 20 * 98
            assert _count(work, AuditEntry.id, AuditEntry.action == "publish") == 20


def test_two_different_presses_at_once_get_two_numbers(house_settings: Settings) -> None:
    with _installed(house_settings) as house:
        faults: list[Exception] = []

        def press(start: threading.Barrier) -> None:
            start.wait()
            try:
                with house.writing(make.NOW) as work:
                    publishing.publish(work, DRAFT, (101,), str(uuid.uuid4()))
            except Exception as fault:
                faults.append(fault)

        for _round in range(10):
            start = threading.Barrier(2)
            threads = [threading.Thread(target=press, args=(start,)) for _press in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert faults == []
        with house.reading(make.NOW) as work:
            assert len(set(work.session.scalars(select(Task.task_number)).all())) == 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("101,147", (101, 147)),
        ("147", (147,)),
        ("bølge:proeve/b1", (make.KOEGE,)),
        ("boelge:b1", (make.KOEGE,)),
        ("all", (make.KOEGE, make.HERNING)),
    ],
)
def test_who_it_is_for(sqlite_settings: Settings, text: str, expected: tuple[int, ...]) -> None:
    with _installed(sqlite_settings) as house, house.writing(make.NOW) as work:
        wave = make.wave(work.session, "b1", "proeve")
        make.has_system(work.session, make.KOEGE, "proeve", wave=wave)
        make.has_system(work.session, make.HERNING, "proeve")
        assert recipients(work, RecipientChoice.parse(text), "proeve") == expected
        assert len(recipients(work, RecipientChoice.parse("alle"), "proeve")) == 98
        assert len(recipients(work, RecipientChoice.parse("undtagen:101"), "proeve")) == 97
        assert len(recipients(work, RecipientChoice.parse("region:sjælland"), "proeve")) == 17


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "kan ikke læses"),
        ("101;147", "kan ikke læses"),
        ("999", "ingen kommune med koden 999"),
        ("998,999", "ingen kommuner med koderne 998, 999"),
        ("bølge:b9", "bølgen “proeve/b9” kendes ikke"),
        ("region:Fyn", "regionen “Fyn” kendes ikke"),
    ],
)
def test_who_it_cannot_be_for(sqlite_settings: Settings, text: str, sentence: str) -> None:
    with _installed(sqlite_settings) as house, house.reading(make.NOW) as work:
        with pytest.raises(RefusedError, match=sentence):
            recipients(work, RecipientChoice.parse(text), "proeve")
        assert work.session.scalars(select(Project.slug)).all() == ["proeve"]
