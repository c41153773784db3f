"""Plug-ins that raise, hang, end the program, answer rubbish or change what they are shown: klik goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    column,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
)

from klik.installation import Installation
from klik.models import MunicipalTask, PluginEvent
from klik.plugins import (
    Channel,
    DeadlineRule,
    Delivery,
    Filter,
    ForeignTableError,
    FrontView,
    Importer,
    ImportReport,
    ImportRow,
    MunicipalTaskView,
    NotificationRule,
    Panel,
    PluginStore,
    StoreClosedError,
    SystemView,
)
from klik.plugins.answers import is_day, is_delivery, is_panel, is_report, is_text
from klik.plugins.guard import REST, Guard
from klik.plugins.ksd.tables import reports
from klik.services import deadlines, events, filtering, for_plugins, importing, quarantine
from klik.services.errors import RefusedError
from klik.services.tasks import panels
from klik.settings import Settings
from klik.testing import municipal_task_view
from tests import make
from tests.plugins.rogues import plugin
from tests.plugins.test_ky import KOEGE, TASK, published

HANGS_NO_LONGER = threading.Event()


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """Hanging plug-ins are let go when the test is over."""
    HANGS_NO_LONGER.clear()
    yield
    HANGS_NO_LONGER.set()


def raises(*_: Any) -> Any:
    raise ValueError("a plug-in's own fault")


def leaves(*_: Any) -> Any:
    raise SystemExit(3)


def hangs(*_: Any) -> Any:
    HANGS_NO_LONGER.wait(20)


def rubbish(*_: Any) -> Any:
    return object()


def huge(*_: Any) -> Any:
    return "x" * 10_000_000


def mutates(view: Any, *_: Any) -> Any:
    view.fields["status"] = "fuldfoert"
    return date(2027, 1, 1)


ROGUES = [raises, leaves, hangs, rubbish, huge, mutates]


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def guard() -> Guard:
    return Guard(patience=0.2)


@pytest.mark.parametrize("rogue", ROGUES)
def test_the_core_gets_its_own_answer(guard: Guard, rogue: Callable[..., Any]) -> None:
    assert guard.ask("x.rule", lambda: rogue(TASK), None, is_day) is None
    assert "x.rule" in guard.faults()


def test_a_good_answer_clears_the_fault(guard: Guard) -> None:
    guard.ask("x.rule", raises, None)
    assert guard.ask("x.rule", lambda: 7, None) == 7
    assert guard.faults() == {}


def test_after_three_failures_only_that_contribution_rests_and_is_tried_again() -> None:
    clock, asked = Clock(), []
    guard = Guard(clock=clock)

    def failing() -> None:
        asked.append(1)
        raise ValueError

    for _ in range(5):
        guard.ask("x.rule", failing, None)
    assert len(asked) == 3 and guard.rests("x.rule")
    assert guard.ask("x.other", lambda: 7, None) == 7
    clock.now = REST + 1
    assert not guard.rests("x.rule")
    guard.ask("x.rule", failing, None)
    assert len(asked) == 4 and guard.rests("x.rule")


def test_while_a_call_hangs_no_second_one_is_started(guard: Guard) -> None:
    before = threading.active_count()
    for _ in range(3):
        assert guard.ask("x.rule", hangs, "own") == "own"
    assert threading.active_count() == before + 1


def test_an_answer_that_fights_back_when_looked_at_is_refused(guard: Guard) -> None:
    class Hostile(str):
        def __len__(self) -> int:
            raise SystemExit

    assert guard.ask("x.text", lambda: Hostile("a"), "own", is_text()) == "own"


def test_what_answers_are_taken() -> None:
    assert is_day(date(2026, 1, 1)) and is_day(None)
    assert not is_day(make.NOW) and not is_day(date(1, 1, 1)) and not is_day("2026-01-01")
    assert is_text(5)("Hej") and not is_text(5)("Goddag") and not is_text()("  ") and not is_text()(b"Hej")
    assert is_panel("<p>Hej</p>") and not is_panel("x" * 200_001) and not is_panel({})
    good = Delivery(outcome="sent", reply="250")
    assert is_delivery(good) and not is_delivery(replace(good, outcome="perhaps")) and not is_delivery(None)
    row = ImportRow(number=1, outcome="ny", text="")
    report = ImportReport(rows=(row,))
    assert is_report(report) and not is_report(replace(report, rows=[row]))
    assert not is_report(ImportReport(rows=(replace(row, outcome="new"),)))
    assert not is_report(ImportReport(rows=(row,), sentences=("x" * 5_000,)))
    assert not is_report(ImportReport(rows=(replace(row, text=7),)))


# The plug-in's tables


def test_a_failed_call_leaves_nothing_behind(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        store = for_plugins.context(work, "ksd").store
        assert store is not None

        def half() -> None:
            store.execute(insert(reports).values(municipality=1, day=make.NOW.date(), read_at=make.NOW))
            raise ValueError

        work.registry.guard.ask("ksd.x", half, None, store=store)
        assert work.session.execute(select(reports)).all() == []
        make.person(work.session, "Står stadig")
    with house.reading(make.NOW) as work:
        assert work.session.execute(select(reports)).all() == []


def test_an_accepted_call_is_kept_with_the_callers_transaction(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        store = for_plugins.context(work, "ksd").store
        statement = insert(reports).values(municipality=1, day=make.NOW.date(), read_at=make.NOW)
        work.registry.guard.ask("ksd.x", lambda: store.execute(statement), None, store=store)
    with house.reading(make.NOW) as work:
        assert len(work.session.execute(select(reports)).all()) == 1


def test_a_call_that_was_given_up_never_touches_the_session_again(house: Installation) -> None:
    tried: list[BaseException | None] = []
    over = threading.Event()
    guard = Guard(patience=0.1)
    with house.writing(make.NOW) as work:
        store = for_plugins.context(work, "ksd").store
        statement = insert(reports).values(municipality=1, day=make.NOW.date(), read_at=make.NOW)

        def late() -> None:
            store.execute(statement)
            HANGS_NO_LONGER.wait(20)
            try:
                store.execute(select(reports))
                tried.append(None)
            except BaseException as error:
                tried.append(error)
            over.set()

        assert guard.ask("ksd.x", late, "own", store=store) == "own"
        make.person(work.session, "Skrives bagefter")
        HANGS_NO_LONGER.set()
        assert over.wait(10)
        assert work.session.execute(select(reports)).all() == []
    assert isinstance(tried[0], StoreClosedError)


def test_a_statement_that_never_ends_is_broken_off(house: Installation) -> None:
    from sqlalchemy import func, literal

    guard = Guard(patience=0.2)
    if house.database.sqlite:
        numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.n + 1))
        endless = select(func.count()).select_from(numbers)
    else:
        endless = select(func.pg_sleep(30))
    with house.writing(make.NOW) as work:
        store = for_plugins.context(work, "ksd").store
        started = time.monotonic()
        assert guard.ask("ksd.x", lambda: store.execute(endless), "own", store=store) == "own"
        assert time.monotonic() - started < 10
        make.person(work.session, "Skrives bagefter")
    with house.reading(make.NOW) as work:
        assert work.session.execute(select(reports)).all() == []


def test_no_table_but_its_own_and_no_literal_sql(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        store = PluginStore(work.session, "ky_")
        foreign = Table("people", MetaData(), Column("id", Integer))
        for statement in (
            select(foreign),
            select(reports),
            insert(reports).values(municipality=1),
            select(MunicipalTask.id),
            select(text("1")),
            text("delete from people"),
            select(table("people", column("name"))),
            select(literal_column("(select name from people)")),
        ):
            with pytest.raises(ForeignTableError):
                store.execute(statement)
        own = PluginStore(work.session, "ksd_")
        assert own.execute(select(func.count()).select_from(reports)).scalar() == 0
        assert not own.wrote


# Each kind of call at run time, through the core's own caller


def with_plugin(settings: Settings, **hooks: Callable[..., Any]) -> Installation:
    house = Installation(settings, plugins=[plugin("x", **hooks)])
    house.registry.guard._patience = 0.2
    return house


@pytest.mark.parametrize("rogue", ROGUES)
def test_a_deadline_rule(sqlite_settings: Settings, rogue: Callable[..., Any]) -> None:
    rule = DeadlineRule(
        key="x.rule",
        label="Regel",
        parameter_label="Tal",
        deadline=lambda task, _municipality, _parameter: rogue(task),
        check=rogue,
        explain=rogue,
        yellow_from=rogue,
    )
    house = with_plugin(sqlite_settings, klik_deadline_rules=lambda: (rule,))
    try:
        found = deadlines.deadlines_for(house.registry, "x.rule", "1", TASK, [KOEGE], working_day="uaendret")
        assert found == {KOEGE.code: None}
        house.registry.guard.faults()
        assert TASK.fields == {}
    finally:
        house.close()


@pytest.mark.parametrize("rogue", ROGUES)
def test_a_panel(
    sqlite_settings: Settings, rogue: Callable[..., Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.html").write_text("<p>{{ text }}</p>", "utf-8")

    def data(*arguments: Any) -> Any:
        answer = rogue(*arguments)
        return {"text": answer} if isinstance(answer, str) else answer

    panel = Panel(
        key="x.panel", title="Panel", place="system", template="x.html", applies=lambda _view: True, data=data
    )
    loaded = plugin("x", klik_panels=lambda: (panel,))
    loaded.module.__file__ = str(tmp_path / "x.py")
    house = Installation(sqlite_settings, plugins=[loaded])
    house.registry.guard._patience = 0.2
    try:
        with house.reading(make.NOW) as work:
            (shown,) = panels.system_panels(work, SystemView(code="kp", name="KP", municipality=None))
        assert (shown.title, shown.html) == ("Panel", None)
        assert "x.panel/panel" in house.registry.guard.faults()
    finally:
        house.close()


@pytest.mark.parametrize("rogue", ROGUES)
def test_an_importer(
    sqlite_settings: Settings, rogue: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PATIENCE", 0.2)
    importer = Importer(key="x.file", label="Fil", help="", read=rogue)
    house = with_plugin(sqlite_settings, klik_importers=lambda: (importer,))
    try:
        with house.writing(make.NOW) as work, pytest.raises(RefusedError, match="Intet er ændret"):
            importing.run(work, "x.file", b"a", "a.csv", keep=True, municipality=make.KOEGE)
    finally:
        house.close()


@pytest.mark.parametrize("rogue", [raises, leaves, hangs])
def test_an_event_comes_again_later_and_others_do_not_notice(
    sqlite_settings: Settings, rogue: Callable[..., Any]
) -> None:
    heard: list[int] = []

    def klik_task_published(published: Any, context: Any) -> None:
        rogue(published)

    def hears(published: Any, context: Any) -> None:
        heard.extend(published.municipalities)

    bad = plugin("x", klik_task_published=klik_task_published)
    good = plugin("y", klik_task_published=hears)
    house = Installation(sqlite_settings, plugins=[bad, good])
    house.registry.guard._patience = 0.2
    try:
        with house.writing(make.NOW) as work:
            events.note(work, events.PUBLISHED, published())
            events.note(work, events.PUBLISHED, published("UI 02"))
        assert events.tell_waiting(house, make.NOW) == 2
        assert heard == [make.KOEGE, make.AARHUS] * 2
        with house.reading(make.NOW) as work:
            first, second = work.session.scalars(
                select(PluginEvent).where(PluginEvent.plugin == "x").order_by(PluginEvent.id)
            )
            assert first.attempts == 1 and first.error and first.done_at is None
            assert first.next_attempt_at == make.NOW + timedelta(minutes=1)
            assert second.attempts == 0
    finally:
        house.close()


def test_an_event_that_failed_is_told_when_the_plugin_is_well_again(sqlite_settings: Settings) -> None:
    answers: list[Callable[..., Any]] = [raises, lambda *_: None]

    def klik_task_published(published: Any, context: Any) -> None:
        answers.pop(0)()

    house = Installation(sqlite_settings, plugins=[plugin("x", klik_task_published=klik_task_published)])
    try:
        with house.writing(make.NOW) as work:
            events.note(work, events.PUBLISHED, published())
        told = [events.tell_waiting(house, make.NOW + timedelta(seconds=wait)) for wait in (0, 30, 60, 120)]
        assert told == [0, 0, 1, 0]
    finally:
        house.close()


def test_an_event_of_a_plugin_that_is_gone_waits_a_month(sqlite_settings: Settings) -> None:
    house = Installation(sqlite_settings, plugins=[plugin("x", klik_task_published=raises)])
    with house.writing(make.NOW) as work:
        events.note(work, events.PUBLISHED, published())
    house.close()
    house = Installation(sqlite_settings, plugins=[])
    try:
        assert events.tell_waiting(house, make.NOW) == 0
        assert events.tell_waiting(house, make.NOW + timedelta(days=31)) == 0
        with house.reading(make.NOW) as work:
            row = work.session.scalars(select(PluginEvent)).one()
            assert row.done_at is not None and row.error == "udvidelsen er ikke i brug"
    finally:
        house.close()


# Declarations


@pytest.mark.parametrize(
    ("hook", "answer", "words"),
    [
        ("klik_systems", lambda: ["KP"], "gav str, ikke ItSystem"),
        ("klik_systems", lambda: 7, "TypeError"),
        ("klik_channels", leaves, "SystemExit"),
        (
            "klik_channels",
            lambda: (Channel(key="y.mail", label="Mail", send=raises),),
            "begynder ikke med x.",
        ),
        ("klik_channels", lambda: (Channel(key="x.mail", label="", send=raises),), "mangler et navn"),
        ("klik_channels", lambda: (Channel(key="x.mail", label="Mail", send="no"),), "send kan ikke kaldes"),  # type: ignore[arg-type]
        ("klik_channels", lambda: (Channel(key="x.m", label="M", send=raises),) * 2, "findes allerede"),
        (
            "klik_notification_rules",
            lambda: (
                NotificationRule(
                    key="x.r", label="R", due=raises, heading=raises, sentence=raises, late_days=9999
                ),
            ),
            "late_days",
        ),
    ],
)
def test_a_faulty_declaration_takes_only_its_own_plugin_out(
    sqlite_settings: Settings, hook: str, answer: Callable[..., Any], words: str
) -> None:
    good = plugin("y", klik_channels=lambda: (Channel(key="y.mail", label="Mail", send=raises),))
    house = Installation(sqlite_settings, plugins=[plugin("x", **{hook: answer}), good])
    try:
        states = {info.name: info.state for info in house.registry.plugins}
        assert words in states["x"] and states["y"] == "i drift"
        assert "y.mail" in house.registry.channels
    finally:
        house.close()


@pytest.mark.parametrize(
    "name", ["task", "role", "notice", "municipal", "Task", "plugin", "alembic", "sqlite", "core"]
)
def test_a_name_that_would_open_klik_s_own_tables_is_refused(sqlite_settings: Settings, name: str) -> None:
    good = plugin("y", klik_channels=lambda: (Channel(key="y.mail", label="Mail", send=raises),))
    house = Installation(sqlite_settings, plugins=[plugin(name), good])
    try:
        states = {info.name: info.state for info in house.registry.plugins}
        assert states[name].startswith(f"er ikke taget i brug: navnet {name} er optaget")
        assert states["y"] == "i drift" and "y.mail" in house.registry.channels
    finally:
        house.close()


def test_a_name_that_would_open_another_plugins_tables_is_refused(sqlite_settings: Settings) -> None:
    house = Installation(sqlite_settings, plugins=[plugin("ab_c"), plugin("ab"), plugin("abc")])
    try:
        states = {info.name: info.state for info in house.registry.plugins}
        assert states["ab"] == states["abc"] == "i drift"
        assert states["ab_c"] == (
            "er ikke taget i brug: navnet ab_c kan ikke bruges sammen med udvidelsen ab"
        )
    finally:
        house.close()


@pytest.mark.parametrize("place", ["system", "task", "front"])
def test_what_one_panel_forces_upon_what_it_sees_the_next_does_not_see(
    sqlite_settings: Settings, tmp_path: Path, place: str
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.html").write_text("<p>{{ text }}</p>", "utf-8")

    def forces(view: Any, _context: Any) -> Any:
        if not isinstance(view, FrontView):
            object.__setattr__(view, "title" if isinstance(view, MunicipalTaskView) else "name", "Overtaget")
        if not isinstance(view, MunicipalTaskView):
            object.__setattr__(view.municipality, "name", "Overtaget")
        return {"text": "Mit"}

    def tells(view: Any, _context: Any) -> Any:
        return {"text": repr(view)}

    def with_panel(name: str, data: Callable[..., Any]) -> Any:
        panel = Panel(
            key=f"{name}.panel",
            title="P",
            place=place,
            template="x.html",
            applies=lambda _view: True,
            data=data,
        )
        loaded = plugin(name, klik_panels=lambda: (panel,))
        loaded.module.__file__ = str(tmp_path / "x.py")
        return loaded

    house = Installation(sqlite_settings, plugins=[with_panel("x", forces), with_panel("y", tells)])
    views = {
        "system": SystemView(code="kp", name="KP", municipality=KOEGE),
        "task": municipal_task_view(),
        "front": FrontView(municipality=KOEGE, kombit=False),
    }
    try:
        with house.reading(make.NOW) as work:
            shown = panels.asked(work, list(house.registry.panels.values()), views[place])
        assert "Mit" in (shown[0].html or "")
        assert shown[1].html and "Overtaget" not in shown[1].html and "Overtaget" not in repr(views)
    finally:
        house.close()


def test_a_filter_that_fails_does_not_silence_a_panel_of_the_same_key(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.html").write_text("<p>Virker</p>", "utf-8")
    panel = Panel(
        key="x.samme",
        title="Panelet",
        place="system",
        template="x.html",
        applies=lambda _view: True,
        data=lambda *_: {},
    )
    bad = Filter(key="x.samme", label="Filteret", where=raises, describe=str)
    loaded = plugin("x", klik_panels=lambda: (panel,), klik_filters=lambda: (bad,))
    loaded.module.__file__ = str(tmp_path / "x.py")
    house = Installation(sqlite_settings, plugins=[loaded])
    try:
        with house.reading(make.NOW) as work:
            wanted = filtering.read(house.registry, "x.samme=a")
            for _ in range(4):
                filtering.select_tasks(work, wanted)
            (shown,) = panels.system_panels(work, SystemView(code="kp", name="KP", municipality=None))
            assert shown.html == "<p>Virker</p>"
            (key,) = house.registry.guard.faults()
            assert house.registry.guard.rests(key)
            assert quarantine.words(house.registry, key) == "filteret “Filteret”"
    finally:
        house.close()
