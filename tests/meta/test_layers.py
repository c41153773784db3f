"""klik's imports only go down. The rules are in layer_rules; here they meet klik, and known sinners."""

from pathlib import Path

import pytest

from tests.meta.layer_rules import problems_in

ROOT = Path(__file__).parents[2]
PLUGINS = ("klik.plugins", "klik.plugins.driftsside", "klik.plugins.ksd", "klik.plugins.ky")


def read_klik() -> tuple[dict[str, str], set[str]]:
    """Every module of klik by its full name, and which of them are packages."""
    sources, packages = {}, set()
    for file in sorted((ROOT / "klik").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        # Migrations are numbered files that Alembic reads, not modules.
        if "migrations" in parts:
            continue
        name = ".".join(parts).removesuffix(".__init__")
        sources[name] = file.read_text(encoding="utf-8")
        if file.name == "__init__.py":
            packages.add(name)
    return sources, packages


def test_klik_keeps_to_its_layers() -> None:
    problems = problems_in(*read_klik())
    assert not problems, "\n" + "\n".join(str(problem) for problem in problems)


def test_all_of_klik_is_looked_at() -> None:
    sources, packages = read_klik()
    assert {"klik", "klik.domain", "klik.plugins", "klik.services", "klik.web", "klik.models"} <= packages
    assert {"klik.paths", "klik.cli"} <= set(sources)
    # Each module, one at a time: a sin planted in it is seen there.
    for name, source in sources.items():
        planted = source + "\nimport klik.__main__\nsession.commit()\n"
        seen = {problem.line for problem in problems_in({name: planted}, packages)}
        assert seen & {planted.count("\n") - 1, planted.count("\n")}, name


SINNERS = [
    (
        "klik.plugins.ky",
        "from klik.plugins.driftsside.kit import Driftsside",
        "a plug-in imports klik.plugins.driftsside.kit",
    ),
    (
        "klik.plugins.driftsside",
        "from klik.services import tasks",
        "a plug-in imports klik.services.tasks",
    ),
    ("klik.domain.status", "from klik.models.task import Task", "layer models above it"),
    ("klik.domain.status", "import klik.services.tasks", "layer services above it"),
    ("klik.domain.status", "from klik import web", "layer web above it"),
    ("klik.domain.status", "from ..models import task", "layer models above it"),
    ("klik.domain.status", "def late():\n    from klik.db import session", "layer db above it"),
    ("klik.domain.status", "if TYPE_CHECKING:\n    from klik.db import session", "layer db above it"),
    ("klik.domain.status", "from sqlalchemy import select", "sqlalchemy in the domain"),
    ("klik.settings", "from klik.domain import status", "layer domain above it"),
    ("klik.plugins.manager", "import klik.models", "layer models above it"),
    ("klik.models.task", "from klik.services import tasks", "layer services above it"),
    ("klik.db", "from klik.services import tasks", "layer services above it"),
    ("klik.services.tasks", "from klik.web import forms", "layer web above it"),
    ("klik.services.tasks", "from klik import jobs", "layer jobs above it"),
    ("klik.web.forms", "from klik import app", "layer app above it"),
    ("klik.jobs", "import klik.worker", "layer worker above it"),
    ("klik.worker", "import klik.__main__", "layer __main__ above it"),
    ("klik.services.tasks", "from flask import g", "flask below the web"),
    ("klik.worker", "def late():\n    import flask_login", "flask_login below the web"),
    ("klik.services.tasks", "session.commit()", ".commit outside klik/db.py"),
    ("klik.plugins.ksd", "finish = session.commit", ".commit outside klik/db.py"),
    (
        "klik.services.tasks.exporting",
        "import weasyprint",
        "weasyprint outside klik.services.rendering_engine",
    ),
    (
        "klik.services.rendering_child",
        "import weasyprint",
        "weasyprint outside klik.services.rendering_engine",
    ),
    ("klik.services.tasks", "import klik.installation", "layer installation above it"),
    ("klik.demo.story", "from klik.web import base", "layer web above it"),
    ("klik.web.base", "import klik.commands.demo", "layer commands above it"),
    (
        "klik.web.tasks.views",
        "from weasyprint import HTML",
        "weasyprint outside klik.services.rendering_engine",
    ),
    ("klik.services.tasks", "import datetime\ndatetime.datetime.now()", "datetime.now below the edge"),
    ("klik.models.task", "Column(default=datetime.utcnow)", "datetime.utcnow below the edge"),
    ("klik.domain.status", "from datetime import date as day\nday.today()", "day.today below the edge"),
    ("klik.plugins.ksd", "date.today()", "date.today below the edge"),
    ("klik.services.tasks", "from klik.plugins.ksd import rules", "is named outside klik.plugins.ksd"),
    ("klik.plugins.manager", "BUILT_IN = ['klik.plugins.ksd']", "is named in a text outside it"),
    ("klik.plugins.ky", "from klik.plugins.ksd import rules", "is named outside klik.plugins.ksd"),
    ("klik.plugins.ksd", "from klik.services import tasks", "a plug-in imports klik.services.tasks"),
    ("klik.plugins.ksd", "from klik.domain import status", "a plug-in imports klik.domain.status"),
    (
        "klik.plugins.ksd",
        "from klik.plugins.manager import Manager",
        "a plug-in imports klik.plugins.manager",
    ),
    ("klik.plugins.ksd.rules", "import klik.settings", "a plug-in imports klik.settings"),
    ("klik.services.utils", "", "says nothing"),
    ("klik.web.common.views", "", "says nothing"),
    ("klik.drawer", "", "belongs to no layer"),
]


@pytest.mark.parametrize(("module", "source", "what"), SINNERS)
def test_a_sin_is_seen_named_and_its_remedy_told(module: str, source: str, what: str) -> None:
    problems = [problem for problem in problems_in({module: source}, PLUGINS) if what in str(problem)]
    assert len(problems) == 1
    file = module.replace(".", "/") + ("/__init__.py" if module in PLUGINS else ".py")
    line = max(source.count("\n") + 1, 1)
    assert str(problems[0]).startswith(f"{file}:{line}: ")
    assert problems[0].remedy in str(problems[0])


INNOCENTS = [
    ("klik.plugins.ky", "from klik.plugins.driftsside import Driftsside"),
    (
        "klik.services.tasks",
        "from klik.domain import status\nfrom klik.models.task import Task\nimport klik.db",
    ),
    ("klik.services.tasks", "import klik.paths, klik.settings\nfrom klik import __version__"),
    (
        "klik.domain.status",
        "from klik.domain.calendar import week\nfrom datetime import date\ndate(2026, 11, 21)",
    ),
    ("klik.content.roles", "from klik.plugins import Role"),
    ("klik.db", "session.commit()"),
    ("klik.app", "import flask\nfrom datetime import datetime\ndatetime.now()"),
    ("klik.jobs", "from datetime import datetime\ndatetime.now()"),
    ("klik.services.tasks", "from sqlalchemy import func\nfunc.now()\nwork.now"),
    ("klik.services.rendering_engine", "import weasyprint"),
    ("klik.plugins.context", "self._savepoint.commit()"),
    ("klik.commands.demo", "from klik.cli import problem\nimport klik.installation"),
    ("klik.plugins.ksd", "import flask\nfrom klik.plugins import hook\nfrom klik.plugins.ksd import rules"),
    ("klik.plugins.ksd", "from . import rules\nfrom .rules import deadline"),
    ("klik.plugins.ksd.rules", "from .. import hook"),
]


@pytest.mark.parametrize(("module", "source"), INNOCENTS)
def test_an_innocent_goes_free(module: str, source: str) -> None:
    assert problems_in({module: source}, PLUGINS) == []


def test_a_circle_within_a_layer_is_seen_once_with_all_its_members() -> None:
    circle = {
        "klik.services.tasks": "from klik.services import people",
        "klik.services.people": "def late():\n    from klik.services.roles import holder",
        "klik.services.roles": "import klik.services.tasks",
        "klik.services.alone": "from klik.services.tasks import task",
    }
    (problem,) = problems_in(circle)
    assert "klik.services.people, klik.services.roles, klik.services.tasks" in problem.what
    assert "alone" not in problem.what


def test_imports_for_type_checkers_make_no_circle() -> None:
    models = {
        "klik.models.task": "if TYPE_CHECKING:\n    from klik.models.man import Man",
        "klik.models.man": "from klik.models.task import Task",
    }
    assert problems_in(models) == []
