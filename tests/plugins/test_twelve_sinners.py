"""Twelve bad plug-ins in every hook (X1): pages stay up, nothing leaks, klik's own answer serves, and it comes back."""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import MetaData, delete, func, select

from klik import jobs, speaking
from klik.app import create_app
from klik.cli import PluginCommands
from klik.content import loading
from klik.content.loading import Content
from klik.content.roles import RoleScope
from klik.demo import plugins as demo_plugins
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, Person, PluginEvent, PluginFault
from klik.plugins import Choice, ExtraField, ItSystem, PluginTables, Topic, manager
from klik.plugins.guard import REST
from klik.plugins.manager import Loaded, Registry
from klik.plugins.views import ChangeView, PublishedView
from klik.services import contributions, events, importing, plugin_jobs, schema
from klik.services.notices import channels, delivery
from klik.settings import Settings
from klik.web import plugin_pages
from tests import make
from tests.client import Browser, filled
from tests.conftest import careless
from tests.plugins import sinner
from tests.plugins.rogues import plugin
from tests.plugins.sinner import DEEDS, HOOKS, SECRET
from tests.plugins.test_ky import TASK

CANARY = "Aarhus' egen hemmelighed"
TYPED = {
    "title": "Udpeg systemansvarlig",
    "theme": "it-miljoe-og-infrastruktur",
    "phase": "forberedelse",
    "description": "Beskrivelsen.",
    "deadline_rule": "x.regel",
    "deadline_parameter": "1",
    "recipients": "kommuner",
    "extra_0": "abc",
    "municipalities": ["259"],
    "trin": "forhaandsvis",
}
# Hooks whose contributions are only values: what can go wrong goes wrong where they are declared, at start.
VALUES = ("klik_systems", "klik_roles", "klik_task_types", "klik_extra_fields", "klik_topics", "klik_tables")
KEYS = {
    "klik_deadline_rules": ("x.regel", "x.regel/ordlyd", "x.regel/gul"),
    "klik_filters": ("x.filter/filter", "x.filter/udtryk"),
    "klik_panels": ("x.panel-task/panel", "x.panel-system/panel", "x.panel-front/panel"),
    "klik_notification_rules": ("x.paamind/dag",),
    "klik_channels": ("x.kanal/afsendelse",),
    "klik_importers": ("x.fil/fil",),
    "klik_jobs": ("x.job/arbejde",),
    "klik_measures": ("x.maal/maal",),
    "klik_commands": ("x.kommando/goer",),
    "klik_blueprints": ("x.side//p/x/",),
    "klik_task_published": ("x.klik_task_published",),
    "klik_municipal_task_changed": ("x.klik_municipal_task_changed",),
    "klik_demo": ("x.klik_demo",),
}
# They cost nobody else anything, so they are tried each time.
NEVER_REST = ("klik_blueprints", "klik_commands")
RETURNS_NOTHING = (
    "klik_jobs",
    "klik_commands",
    "klik_task_published",
    "klik_municipal_task_changed",
    "klik_demo",
)
# What is no fault: where nothing is to be returned nobody looks at it, and some may answer "I cannot say".
HARMLESS = {
    *((hook, deed) for hook in RETURNS_NOTHING for deed in (sinner.wrong_type, sinner.huge, sinner.nothing)),
    ("klik_notification_rules", sinner.nothing),
    ("klik_commands", sinner.mutates),
    ("klik_commands", sinner.foreign),
    ("klik_commands", sinner.hangs),  # a person at a terminal can end it
    ("klik_commands", sinner.leaves),  # a command may say with what it ends
    # Nothing is declared; of systems that is a fault, since x's other contributions name one.
    *((hook, deed) for hook in VALUES[1:] for deed in (sinner.nothing, sinner.mutates)),
}


class Clock:
    """The guard's clock, moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Site:
    """One installation with x and y, and people who look at it."""

    house: Installation
    mette: Browser
    gitte: Browser
    clock: Clock
    task: int
    route: int
    form: dict[str, Any]
    folder: Path
    lines: list[str]
    day: time_machine.Traveller
    turn: int = 0
    shown: int = 0
    down: int = 0
    leaks: int = 0

    def get(self, who: Browser, path: str, expect: int = 200) -> str:
        """A page; whether it is up and tells nobody's secret is counted."""
        who.response = who._client.get(path, buffered=True)
        return self._looked_at(who, expect)

    def post(self, who: Browser, path: str, data: dict[str, Any], expect: int = 200) -> str:
        who.response = who._client.post(
            path, data=data | {"csrf_token": self.form["csrf_token"]}, buffered=True
        )
        return self._looked_at(who, expect)

    def _looked_at(self, who: Browser, expect: int) -> str:
        shown = who.response.get_data(as_text=True) if who.response.mimetype == "text/html" else ""
        self.shown += 1
        self.down += who.response.status_code != expect
        self.leaks += SECRET in shown or (who is self.mette and CANARY in shown)
        assert who.response.status_code == expect, (who.response.request.path, who.response.status_code)
        return shown

    def next_moment(self) -> datetime:
        """Now; each turn is another for jobs that are done once."""
        self.turn += 1
        return jobs.wall_clock()

    def rest_is_over(self) -> None:
        """Five minutes go by, for the guard and for everybody."""
        self.clock.now += REST + 1
        self.day.shift(timedelta(seconds=REST + 1))


@pytest.fixture
def _moved() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(make.NOW, tick=True) as day:
        yield day


@pytest.fixture
def site(
    tmp_path: Path,
    sqlite_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    _moved: time_machine.Traveller,
) -> Iterator[Site]:
    monkeypatch.setattr(importing, "PATIENCE", 0.1)
    monkeypatch.setattr(plugin_jobs, "PATIENCE", 0.1)
    monkeypatch.setattr(demo_plugins, "PATIENCE", 0.1)
    monkeypatch.setattr(plugin_pages, "PATIENCE", 0.1)
    monkeypatch.setattr(manager, "PATIENCE_AT_START", 0.3)
    app = create_app(sqlite_settings, [sinner.sinner(tmp_path), sinner.neighbour(tmp_path)])
    house: Installation = app.extensions["klik"]
    careless(house.database)
    schema.upgrade(house.database, house.registry)
    clock = Clock()
    house.registry.guard._clock, house.registry.guard._patience = clock, 0.1
    with house.writing(make.NOW) as work:
        session = work.session
        make.has_system(session, make.KOEGE, "x")
        project = make.project(session, "x", system_code="x")
        mette = make.person(session, "Mette Holm", email="mette@koege.example")
        task = make.municipal_task(session, in_project=project, responsible=mette).id
        make.municipal_task(session, in_project=project, municipality=make.AARHUS, title=CANARY)
        admin = make.person(session, "Gitte", level=Level.KOMBIT_ADMINISTRATOR, email="gitte@kombit.example")
        acting = replace(work, actor=make.actor(session, admin))
        route = channels.add(acting, "x.kanal", "x", ["udgivet"]).id
    mette, gitte = (Browser(app).sign_in(email) for email in ("mette@koege.example", "gitte@kombit.example"))
    page = filled(gitte.get("/udgivelser/ny?projekt=x").find("form", attrs={"action": "/udgivelser"}))
    lines: list[str] = []
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(speaking.Discretion())
    handler.emit = lambda record: lines.append(logging.Formatter().format(record))  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        yield Site(house, mette, gitte, clock, task, route, page | TYPED, tmp_path, lines, _moved)
    finally:
        logging.getLogger().removeHandler(handler)
        sinner.released.set()
        house.close()


def preview(site: Site) -> str:
    return site.post(site.gitte, "/udgivelser", site.form)


def listed(site: Site) -> str:
    return site.get(site.mette, "/opgaver?x.filter=a")


def panels(site: Site) -> str:
    shown = [
        site.get(site.mette, f"/opgaver/{site.task}"),
        site.get(site.gitte, "/systemer/x"),
        site.get(site.mette, "/"),
    ]
    good = sinner.told["deed"] is None
    for page in shown:
        assert "Y virker" in page, "the neighbour's panel is missing"
        assert (
            "X virker" if good else "Udvidelsen X svarede ikke. Resten af siden er, som den skal være."
        ) in page
    return "".join(shown)


def reminders(site: Site) -> str:
    jobs.scan_deadlines(site.house, site.next_moment())
    return ""


def sending(site: Site) -> str:
    now = site.next_moment()
    with site.house.writing(now) as work:
        admin = work.session.scalars(select(Person).where(Person.email_key == "gitte@kombit.example")).one()
        channels.try_out(replace(work, actor=make.actor(work.session, admin)), site.route)
    started = time.monotonic()
    delivery.deliver(
        site.house.writing,
        lambda: now + timedelta(seconds=time.monotonic() - started),
        jobs.sender(site.house),
        jobs.open_channels(site.house),
        patience=0.3,
    )
    with site.house.writing(now) as work:
        site.leaks += any(SECRET in (reply or "") for reply in work.session.scalars(select(Mail.reply)))
        work.session.execute(Mail.__table__.update().values(state="failed"))
    return ""


def reading(site: Site) -> str:
    good = sinner.told["deed"] is None
    data = {"file": (io.BytesIO(b"a;b"), "a.csv"), "act": "proev"}
    shown = site.post(site.gitte, "/admin/import/x.fil", data, expect=200 if good else 422)
    assert good or "udvidelsen X kunne ikke læse filen" in shown
    return shown


def working(site: Site) -> str:
    jobs.run_of_plugin(site.house, "x.job", site.next_moment(), f"{site.turn}")
    return ""


def measured(site: Site) -> str:
    return site.get(site.gitte, "/overblik?system=x")


def commanded(site: Site) -> str:
    (commands,) = (
        found for name, _pages, found in manager.pages_and_commands(site.house.registry) if name == "x"
    )
    group = PluginCommands("x", commands=commands)
    done = CliRunner().invoke(group, ["goer"], obj={"installation": site.house}, prog_name="x")
    printed = sinner.told["deed"] is sinner.prints  # what a command prints is for who gave it
    site.leaks += SECRET in done.output and not printed and sinner.told["deed"] is not sinner.leaves
    assert done.exit_code in (0, 1) and not isinstance(done.exception, ValueError)
    return done.output


def own_page(site: Site) -> str:
    good = sinner.told["deed"] is None
    shown = site.get(site.gitte, "/p/x/", expect=200 if good else 500)
    assert ("X virker" if good else "Udvidelsen X kunne ikke vise siden") in shown
    return shown


def _told(site: Site, event: str, facts: Any) -> str:
    now = site.next_moment()
    with site.house.writing(now) as work:
        work.session.execute(delete(PluginEvent))
        events.note(work, event, facts)
    events.tell_waiting(site.house, now)
    return ""


def published(site: Site) -> str:
    return _told(site, events.PUBLISHED, PublishedView(task=TASK, municipalities=(259,), at=make.NOW))


def changed(site: Site) -> str:
    facts = ChangeView(
        task=site.task, municipality=259, system="x", field="status", old="a", new="b", at=make.NOW
    )
    return _told(site, events.CHANGED, facts)


def fill_the_demo(site: Site) -> str:
    with site.house.writing(make.NOW) as work:
        demo_plugins.fill(work)
    return ""


POKES: dict[str, Callable[[Site], str]] = {
    "klik_deadline_rules": preview,
    "klik_filters": listed,
    "klik_panels": panels,
    "klik_notification_rules": reminders,
    "klik_channels": sending,
    "klik_importers": reading,
    "klik_jobs": working,
    "klik_measures": measured,
    "klik_commands": commanded,
    "klik_blueprints": own_page,
    "klik_task_published": published,
    "klik_municipal_task_changed": changed,
    "klik_demo": fill_the_demo,
}


def refused(site: Site) -> str:
    good = sinner.told["deed"] in (None, sinner.nothing)
    shown = site.post(site.gitte, "/udgivelser", site.form, expect=200 if good else 422)
    assert good or "Fristreglen “X-regel” svarer ikke." in shown
    return shown


def worded(site: Site) -> str:
    sinner.told["due"] = make.NOW.date()
    try:
        return reminders(site)
    finally:
        sinner.told["due"] = None


def ready(site: Site) -> str:
    jobs.open_channels(site.house)
    return site.get(site.gitte, "/varsler/kanaler")


# What a contribution is asked besides what it is for: its guard's key, and who asks.
LESSER: dict[str, tuple[str, Callable[[Site], str]]] = {
    "klik_deadline_rules/parameter": ("x.regel/parameter", refused),
    "klik_notification_rules/ord": ("x.paamind/ord", worded),
    "klik_channels/lacks": ("x.kanal/lacks", ready),
    "klik_extra_fields/vaerdi": ("x.felt/vaerdi", preview),
    "klik_extra_fields/advarsel": ("x.felt/advarsel", preview),
}
SAYS_NOTHING_IS_WRONG = ("x.regel/parameter", "x.felt/vaerdi", "x.felt/advarsel")


def known(site: Site) -> dict[str, PluginFault]:
    """The faults that last, as every process and the operations page know them."""
    with site.house.reading(make.NOW) as work:
        rows = work.session.scalars(select(PluginFault).where(PluginFault.mended_at.is_(None))).all()
        work.session.expunge_all()
    return {row.contribution: row for row in rows}


def forget(site: Site) -> None:
    """Every case begins with a plug-in nobody has anything against."""
    guard = site.house.registry.guard
    for _ in range(200):
        if not any(guard.hangs(key) for key in list(guard.faults())):
            break
        time.sleep(0.01)
    site.clock.now += REST + 1
    with site.house.writing(make.NOW) as work:
        work.session.execute(delete(PluginFault))
    guard.news()
    guard.learn({}, 0)


def built(content: Content, *plugins: Loaded) -> Registry:
    core = contributions.core(content, None, "klik@klik.example", ())
    return manager.build(content, yellow_days=14, core=core, plugins=plugins)


def declared(site: Site, hook: str, deed: Callable[..., Any]) -> str:
    """The registry made anew while the hook sins: what the plug-in's state says, and that its neighbour is well."""
    told = dict(sinner.told)
    registry = built(site.house.registry.content, sinner.sinner(site.folder), sinner.neighbour(site.folder))
    assert told == sinner.told
    states = {info.name: info.state for info in registry.plugins}
    assert states["y"] == "i drift" and "y.panel-task" in registry.panels
    assert SECRET not in states["x"]
    if (hook, deed) in HARMLESS:
        assert states["x"] == "i drift"
    else:
        assert states["x"].startswith("er ikke taget i brug: ") and "x.panel-task" not in registry.panels
        assert registry.deadline_rules.keys() == {
            key for key in registry.deadline_rules if key.startswith("core.")
        }
    return states["x"]


sinning = contextmanager(sinner.sins)


def test_twelve_sinners_in_every_hook(
    site: Site,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert set(POKES) | set(VALUES) == set(HOOKS) and set(KEYS) == set(POKES)
    # Not in the fixture: pytest puts its own streams in place between a test's setup and the test.
    monkeypatch.setattr(sys, "stdout", speaking.Mouth(sys.stdout))
    monkeypatch.setattr(sys, "stderr", speaking.Mouth(sys.stderr))
    cases, problems = 0, []
    for hook in HOOKS:
        for deed in DEEDS:
            cases += 1
            with sinning(hook, deed, site.house):
                if hook in VALUES:
                    declared(site, hook, deed)
                    continue
                POKES[hook](site)
                faults = set(known(site)) & set(KEYS[hook])
                if bool(faults) == ((hook, deed) in HARMLESS):
                    problems.append(f"{hook}, {deed.__name__}: {faults or 'no fault is known'}")
            leaked = [line[:200] for line in site.lines if SECRET in line]
            if leaked or site.leaks:
                problems.append(f"{hook}, {deed.__name__} leaks: {leaked}, {site.leaks}")
            site.lines.clear()
            forget(site)
    assert not problems, "\n".join(problems)
    with site.house.reading(make.NOW) as work:
        assert not work.session.scalar(select(func.count()).where(Person.name == "Overtaget"))
    told = capsys.readouterr()
    site.leaks += SECRET in told.out + told.err
    line = f"X1 {site.shown} pages: 12 × {len(HOOKS)} = {cases} cases, {site.down} pages down, {site.leaks} leaks"
    record_property("X1", line)
    with capsys.disabled():
        (sys.__stdout__ or sys.stdout).write(f"\n{line}\n")
    assert (cases, site.down, site.leaks) == (228, 0, 0), line


def test_each_rests_after_three_failures_and_comes_back(site: Site) -> None:
    for hook, keys in KEYS.items():
        with sinning(hook, sinner.raises, site.house):
            for _ in range(4):
                POKES[hook](site)
            found = known(site)
            resting = [key for key in keys if key in found]
            assert resting, hook
            for key in resting if hook not in NEVER_REST else ():
                assert site.house.registry.guard.rests(key) and found[key].failures == 3, key
            page = site.get(site.gitte, "/drift")
            again = "Prøves igen, næste gang nogen" if hook in NEVER_REST else "Holder pause; prøves igen"
            assert "X: " in page and again in page and "fejlede (ValueError)" in page, hook
        site.rest_is_over()
        POKES[hook](site)
        if hook != "klik_commands":
            assert not known(site), hook
            assert "Virker igen siden" in site.get(site.gitte, "/drift"), hook
        forget(site)
        # Not before the forms were shown: a form from the future is refused.
        site.day.move_to(make.NOW + timedelta(minutes=2))


def test_twelve_sinners_in_what_is_asked_besides(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", speaking.Mouth(sys.stdout))
    monkeypatch.setattr(sys, "stderr", speaking.Mouth(sys.stderr))
    for hook, (key, poke) in LESSER.items():
        for deed in DEEDS:
            with sinning(hook, deed, site.house):
                poke(site)
                harmless = deed is sinner.nothing and key in SAYS_NOTHING_IS_WRONG
                assert (key in known(site)) != harmless, (hook, deed.__name__)
            assert not [line for line in site.lines if SECRET in line], (hook, deed.__name__)
            site.lines.clear()
            forget(site)
        poke(site)
        assert key not in known(site), hook
    assert (site.down, site.leaks) == (0, 0)


ODD = "</h2><script>alert(1)</script>%s🐛" + "å" * 140


def test_labels_that_are_none_are_refused_where_they_are_declared(
    tmp_path: Path, sqlite_settings: Settings
) -> None:
    content = loading.load(sqlite_settings.phases_dir, sqlite_settings.roles_dir)
    for text in (object(), None, 7, b"x", "", " ", "x" * 10_000_000, "x" * 201):
        for made in (
            plugin("z", klik_topics=lambda text=text: (Topic(key="z.emne", label=text),)),
            plugin("z", klik_systems=lambda text=text: (ItSystem(code="z", name=text, supplier="Z"),)),
            plugin(
                "z",
                klik_task_types=lambda text=text: (replace(sinner._template(), key="z.type", title=text),),
            ),
            plugin(
                "z",
                klik_extra_fields=lambda text=text: (ExtraField(key="z.felt", system="x", label=text),),
            ),
        ):
            states = {info.name: info.state for info in built(content, sinner.sinner(tmp_path), made).plugins}
            assert states["z"].startswith("er ikke taget i brug: "), (made.info.hooks, text)
            assert states["x"] == "i drift"


def test_values_that_are_odd_but_allowed_are_shown_as_they_are(
    tmp_path: Path, sqlite_settings: Settings
) -> None:
    """The six hooks of which klik only shows values, on the pages that show them."""
    template = replace(sinner._template(), key="z.type", system="z", title=ODD, purpose=ODD)
    tables = PluginTables(metadata=MetaData(), versions=tmp_path)
    content = loading.load(sqlite_settings.phases_dir, sqlite_settings.roles_dir)
    role = replace(
        next(each for each in content.roles if each.scope is RoleScope.SYSTEM),
        slug="z-rolle",
        name=ODD,
        systems=("z",),
    )
    odd = plugin(
        "z",
        klik_systems=lambda: (ItSystem(code="z", name=ODD, supplier=ODD, description=ODD * 20),),
        klik_roles=lambda: (role,),
        klik_task_types=lambda: (template,),
        klik_extra_fields=lambda: (
            ExtraField(
                key="z.felt", system="z", label=ODD, help=ODD, choices=(Choice(value=ODD, label=ODD),)
            ),
        ),
        klik_topics=lambda: (Topic(key="z.emne", label=ODD, help=ODD, system="z"),),
        klik_tables=lambda: (tables,),
    )
    app = create_app(sqlite_settings, [odd, sinner.neighbour(tmp_path)])
    house: Installation = app.extensions["klik"]
    careless(house.database)
    try:
        assert {info.name: info.state for info in house.registry.plugins} == {"y": "i drift", "z": "i drift"}
        schema.upgrade(house.database, house.registry)
        with house.writing(make.NOW) as work:
            make.has_system(work.session, make.KOEGE, "z")
            project = make.project(work.session, "z", system_code="z")
            task = make.municipal_task(work.session, in_project=project).id
            make.person(work.session, "Mette Holm", email="mette@koege.example")
            make.person(work.session, "G", level=Level.KOMBIT_ADMINISTRATOR, email="gitte@kombit.example")
        with time_machine.travel(make.NOW, tick=True):
            mette, gitte = (
                Browser(app).sign_in(who) for who in ("mette@koege.example", "gitte@kombit.example")
            )
            for who, path in (
                (mette, "/varsler/emner"),
                (mette, f"/opgaver/{task}"),
                (mette, "/systemer/z"),
                (mette, "/roller/z-rolle?system=z"),
                (gitte, "/udgivelser/ny?projekt=z&skabelon=z.type"),
            ):
                page = who.get(path)
                assert "<script>alert" not in who.response.get_data(as_text=True), path
                assert "å" * 140 in page.text, path
    finally:
        house.close()


def test_every_page_is_up_while_everything_sins(site: Site) -> None:
    pages = (
        (site.mette, "/"),
        (site.mette, "/opgaver"),
        (site.mette, "/opgaver?x.filter=a&x.felt=b"),
        (site.mette, f"/opgaver/{site.task}"),
        (site.mette, "/systemer/x"),
        (site.mette, "/varsler"),
        (site.gitte, "/"),
        (site.gitte, "/overblik?system=x"),
        (site.gitte, "/udgivelser"),
        (site.gitte, "/admin/import/x.fil"),
        (site.gitte, "/drift"),
    )
    for deed in (sinner.raises, sinner.hangs):
        with sinning("alle", deed, site.house):
            for who, path in pages:
                site.get(who, path)
            jobs.run(site.house, "tell-plugins", site.next_moment(), f"{site.turn}")
        forget(site)
    with sinning("alle", sinner.raises, site.house):
        assert site.mette.download(f"/opgaver/{site.task}.pdf").startswith(b"%PDF")
    assert (site.down, site.leaks) == (0, 0)
