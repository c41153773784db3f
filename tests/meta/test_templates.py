"""Every template compiles, every page has a title of its own, every mail a subject of one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import DictLoader, Environment, StrictUndefined, TemplateSyntaxError, meta, nodes

from klik.app import create_app
from klik.services.notices import mails
from klik.services.rendering_pages import Pages
from tests.conftest import make_settings

ROOT = Path(__file__).parents[2] / "klik"
FOLDERS = sorted(folder for folder in ROOT.rglob("templates") if folder.is_dir())
FILES = sorted(file for folder in FOLDERS for file in folder.rglob("*") if file.suffix in (".html", ".txt"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """klik with its filters, globals and StrictUndefined."""
    built = create_app(make_settings(tmp_path_factory.mktemp("templates")))
    built.extensions["klik"].close()
    return built


def test_all_templates_are_looked_at() -> None:
    assert len(FILES) > 50 and len(FOLDERS) >= 4


def syntax_problem(environment: Environment, source: str) -> str | None:
    """Why the source does not compile: its syntax, or a filter or test that nobody made."""
    try:
        environment.compile(source)
    except TemplateSyntaxError as error:
        return str(error.message)
    return None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_template_compiles(app: Flask, file: Path) -> None:
    part = file.relative_to(ROOT).parts[1]
    # PDFs and mails are not drawn by Flask.
    environments = {"pdf": Pages()._environment, "mail": mails._environment()}
    environment = environments.get(part, app.jinja_env)
    assert environment.undefined is StrictUndefined
    assert syntax_problem(environment, file.read_text("utf-8")) is None


def test_what_does_not_compile_is_seen(app: Flask) -> None:
    assert syntax_problem(app.jinja_env, "{% if x %}") is not None
    assert "no_such_filter" in (syntax_problem(app.jinja_env, "{{ x|no_such_filter }}") or "")


def untitled(sources: Mapping[str, str]) -> list[str]:
    """Pages (what extends base.html, over however many steps) without a block title that holds something."""
    environment = Environment(loader=DictLoader(dict(sources)))
    trees = {name: environment.parse(source) for name, source in sources.items()}
    extended = {
        name: [
            each.template.value
            for each in tree.find_all(nodes.Extends)
            if isinstance(each.template, nodes.Const)
        ]
        for name, tree in trees.items()
    }
    children = {parent for parents in extended.values() for parent in parents}
    found = []
    for name in trees:
        chain = [name]
        while parent := next(iter(extended[chain[-1]]), None):
            if parent not in trees:
                break
            chain.append(parent)
        if chain[-1] != "base.html" or len(chain) == 1 or name in children:
            continue
        blocks = [
            block
            for each in chain[:-1]
            for block in trees[each].find_all(nodes.Block)
            if block.name == "title"
        ]
        if not any(block.body for block in blocks):
            found.append(name)
    return found


def test_every_page_has_a_title() -> None:
    sources = {
        str(file.relative_to(folder)): file.read_text("utf-8")
        for folder in FOLDERS
        for file in folder.rglob("*.html")
    }
    pages = [name for name, source in sources.items() if 'extends "base.html"' in source]
    assert len(pages) > 20
    assert untitled(sources) == []
    planted = sources | {"new.html": '{% extends "base.html" %}{% block content %}x{% endblock %}'}
    assert untitled(planted) == ["new.html"]
    planted |= {"new.html": '{% extends "base.html" %}{% block title %}{% endblock %}'}
    assert untitled(planted) == ["new.html"]


def unknown_names(environment: Environment, source: str, given: set[str]) -> set[str]:
    """Names a self-contained template uses that nothing gives it."""
    tree = environment.parse(source)
    # Jinja counts a name set inside an if as undeclared.
    stored = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    return meta.find_undeclared_variables(tree) - given - stored - set(environment.globals)


def test_macros_use_only_what_they_are_given(app: Flask) -> None:
    macros = sorted((ROOT / "templates" / "macros").glob("*.html"))
    assert len(macros) >= 10
    for file in macros:
        # Imported without context: nothing of the page reaches into a macro.
        assert unknown_names(app.jinja_env, file.read_text("utf-8"), set()) <= GLOBALS, file.name
    assert unknown_names(app.jinja_env, "{% macro x(a) %}{{ a }}{{ b }}{% endmacro %}", set()) == {"b"}


# What Flask and its extensions put into every template.
GLOBALS = {"csrf_token", "request", "url_for", "config", "get_flashed_messages"}


def subject_problem(folder: Path) -> str | None:
    """Why a mail's folder has no subject of one line."""
    file = folder / "subject.txt"
    if not file.is_file():
        return f"{folder.name}: no subject.txt"
    lines = re.sub(r"\{#.*?#\}", "", file.read_text("utf-8"), flags=re.DOTALL).strip("\n").splitlines()
    if len(lines) != 1 or not lines[0].strip():
        return f"{folder.name}: subject.txt has {len(lines)} lines, not one"
    return None


def test_every_mail_has_a_subject_of_one_line(tmp_path: Path) -> None:
    mails = [folder for folder in (ROOT / "templates" / "mail").iterdir() if folder.is_dir()]
    assert mails
    assert [subject_problem(folder) for folder in mails if subject_problem(folder)] == []
    assert [
        name for folder in mails for name in ("body.txt", "body.html") if not (folder / name).is_file()
    ] == []
    planted = tmp_path / "ny"
    planted.mkdir()
    assert subject_problem(planted) == "ny: no subject.txt"
    (planted / "subject.txt").write_text("En linje\nEn til\n")
    assert subject_problem(planted) == "ny: subject.txt has 2 lines, not one"
