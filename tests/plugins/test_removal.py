"""Any plug-in of ours taken out and put back: klik runs, its tasks are read and taken home, its rows stay."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from klik.app import create_app
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalTaskField, TaskVersion, TaskVersionField
from klik.plugins.contributions import ExtraField
from klik.plugins.manager import DEMO, Registry
from klik.services import deadlines, for_plugins, schema, systems
from klik.services.work import Work
from klik.settings import Settings
from klik.testing.site import compiled_templates
from tests import make
from tests.client import Browser
from tests.plugins.installed import names

MOST_TASKS = 3
# What differs by database is klik's own and the same for every plug-in, so one with tables and a field stands for all.
WITH_POSTGRESQL = ("ksd", "postgresql")


@pytest.mark.parametrize(
    ("name", "house_settings"),
    [*((name, "sqlite") for name in names()), WITH_POSTGRESQL],
    indirect=["house_settings"],
)
def test_klik_runs_without_it_and_it_goes_on_where_it_was(name: str, house: Installation) -> None:
    assert len(names()) >= 3
    with house.writing(make.NOW) as work:
        tasks = with_tasks(work, name)
        emails = {
            kind: make.person(work.session, level=level, municipality=place, systems=codes).email
            for kind, level, place, codes in (
                ("plusbruger", Level.PLUS_USER, make.KOEGE, ()),
                ("kombit", Level.KOMBIT_ADMINISTRATOR, None, ()),
                ("leverandoer", Level.SUPPLIER, None, tuple(own_systems(work.registry, name))),
            )
        }
    fill(house, name)
    before = rows(house, name)
    if DEMO in hooks_of(house.registry, name):
        assert any(before.values()), f"{DEMO} of {name} wrote nothing"
    without = replace(house.settings, disabled_plugins=frozenset({name}))
    with started(without) as (app, other):
        assert name not in {plugin.name for plugin in other.registry.hooks.loaded}
        assert schema.differences(other.database, other.registry) == []
        reads_its_tasks(app, other, name, tasks, emails)
    assert rows(house, name) == before
    with started(house.settings) as (app, again):
        assert rows(again, name) == before
        goes_on(app, again, name, tasks, emails)


def own(items: Mapping[str, Any], name: str) -> list[Any]:
    """What one plug-in declares of one kind."""
    return [item for key, item in items.items() if key.startswith(f"{name}.")]


def own_systems(registry: Registry, name: str) -> list[str]:
    (plugin,) = (each for each in registry.hooks.loaded if each.name == name)
    return [system.code for system in registry.hooks.declared(plugin, "klik_systems")]


def hooks_of(registry: Registry, name: str) -> tuple[str, ...]:
    return next(info.hooks for info in registry.plugins if info.name == name)


def with_tasks(work: Work, name: str) -> dict[int, str]:
    """Tasks as the plug-in's templates would make them, with a value in each of its fields: title by id."""
    found = {}
    registry = work.registry
    templates = own(registry.task_types, name)
    # Those with a rule of the plug-in's own first: they are the ones that lose most.
    templates.sort(key=lambda each: not each.deadline_rule.startswith(f"{name}."))
    for template in templates[:MOST_TASKS]:
        project = make.project(work.session, template.system or "faelles", system_code=template.system)
        version = make.task(
            work.session, template.title, in_project=project, phase=template.phase, theme=template.theme
        )
        version.deadline_rule, version.deadline_parameter = (
            template.deadline_rule,
            template.deadline_parameter,
        )
        copy = make.municipal_task(work.session, version)
        for field in registry.fields_of(template.system):
            where = {"field": field.key, "value": value_of(field)}
            if field.municipal:
                work.session.add(
                    MunicipalTaskField(
                        municipal_task_id=copy.id, municipality_id=copy.municipality_id, **where
                    )
                )
            else:
                work.session.add(TaskVersionField(task_version_id=version.id, **where))
        found[copy.id] = template.title
    for code in own_systems(registry, name):
        make.has_system(work.session, make.KOEGE, code)
    return found


def value_of(field: ExtraField) -> str:
    return field.choices[0].value if field.choices else "Prøve"


def fill(house: Installation, name: str) -> None:
    with house.writing(make.NOW) as work:
        context = for_plugins.context(work.as_system(), name)
        work.registry.hooks.tell(name, DEMO, context=context)


def rows(house: Installation, name: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the plug-in's tables."""
    tables = house.registry.tables.get(name)
    if tables is None:
        return {}
    with house.database.reading() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in tables.metadata.sorted_tables
        }


@contextmanager
def started(settings: Settings) -> Iterator[tuple[Flask, Installation]]:
    """klik as it starts with these settings, upgraded."""
    house = Installation(settings)
    schema.upgrade(house.database, house.registry)
    app = create_app(settings)
    app.jinja_env.bytecode_cache = compiled_templates()
    try:
        yield app, house
    finally:
        app.extensions["klik"].close()
        house.close()


def reads_its_tasks(
    app: Flask, house: Installation, name: str, tasks: dict[int, str], emails: dict[str, str]
) -> None:
    """Without the plug-in."""
    with house.reading(make.NOW) as work:
        rules = work.session.scalars(select(TaskVersion)).all()
        for version in rules:
            assert deadlines.explanation(work.registry, version.deadline_rule, version.deadline_parameter)
        gone = [each.code for each in systems.all_systems(work) if not each.installed]
    assert gone or not tasks
    user, kombit = Browser(app).sign_in(emails["plusbruger"]), Browser(app).sign_in(emails["kombit"])
    for code in gone:
        for browser in (user, kombit, Browser(app).sign_in(emails["leverandoer"])):
            assert "ikke i brug" in browser.get(f"/systemer/{code}").get_text(" ")
        listed = user.get(f"/opgaver?system={code}").get_text(" ")
        assert all(title in listed for title in tasks.values())
        lines = user.download(f"/opgaver.csv?system={code}").decode("utf-8-sig")
        assert all(title in lines for title in tasks.values())
        book = openpyxl.load_workbook(io.BytesIO(user.download(f"/opgaver.xlsx?system={code}")))
        assert book.worksheets[0].max_row > len(tasks)
        kombit.get(f"/overblik?system={code}")
    for task_id, title in tasks.items():
        assert title in user.get(f"/opgaver/{task_id}").get_text(" ")
    user.get(f"/p/{name}/", expect=404)
    kombit.get("/drift")
    for browser in (user, kombit):
        browser.get("/")


def goes_on(
    app: Flask, house: Installation, name: str, tasks: dict[int, str], emails: dict[str, str]
) -> None:
    """With the plug-in again."""
    (info,) = (info for info in house.registry.plugins if info.name == name)
    assert info.state == "i drift"
    browser = Browser(app).sign_in(emails["plusbruger"])
    for code in own_systems(house.registry, name):
        page = browser.get(f"/systemer/{code}")
        assert "ikke i brug" not in page.get_text(" ")
        for link in page.select(f'a[href^="/p/{name}/"]'):
            browser.get(link["href"])
    for task_id, title in tasks.items():
        shown = browser.get(f"/opgaver/{task_id}").get_text(" ")
        assert title in shown
        labels = [field.label for field in own(house.registry.extra_fields, name)]
        assert all(label in shown for label in labels)
    assert app.extensions["klik"].registry.guard.faults() == {}
