"""Every hook is documented as it is, called by the core, really implemented by us, and tested; the checks can fail."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from klik.plugins import hookspecs

ROOT = Path(__file__).parents[2]
OURS = ("klik.plugins.kp", "klik.plugins.ksd", "klik.plugins.ky")
# What the core says where it uses a hook: an attribute of the registry, or a name of its own.
CALLS: Mapping[str, tuple[str, ...]] = {
    "klik_systems": ("registry.systems",),
    "klik_roles": ("registry.roles",),
    "klik_task_types": ("registry.task_types",),
    "klik_extra_fields": ("registry.extra_fields", "registry.fields_of"),
    "klik_deadline_rules": ("registry.deadline_rules",),
    "klik_filters": ("registry.filters",),
    "klik_panels": ("registry.panels",),
    "klik_notification_rules": ("registry.notification_rules",),
    "klik_topics": ("registry.topics",),
    "klik_channels": ("registry.channels",),
    "klik_importers": ("registry.importers",),
    "klik_jobs": ("registry.jobs",),
    "klik_measures": ("registry.measures",),
    "klik_tables": ("registry.tables",),
    "klik_commands": ("pages_and_commands",),
    "klik_blueprints": ("pages_and_commands",),
    "klik_task_published": ("events.PUBLISHED",),
    "klik_municipal_task_changed": ("events.CHANGED",),
    "klik_demo": ("manager.DEMO",),
}
# Where its behaviour is tested: at least one test that goes through the core with one of our plug-ins.
TESTS: Mapping[str, str] = {
    "klik_systems": "test_ky.py::test_the_upgrade_makes_kys_waves",
    "klik_roles": "test_kp.py::test_kps_own_role_stands_in_the_gallery_and_is_remembered_without_kp",
    "klik_task_types": "test_kp.py::test_kp_has_the_eighteen_real_tasks_by_number",
    "klik_extra_fields": "test_fields.py::test_the_field_is_shown_filtered_and_exported",
    "klik_deadline_rules": "test_ky.py::test_the_deadline_counts_back_from_the_municipalitys_own_go_live",
    "klik_filters": "test_fields.py::test_the_field_is_shown_filtered_and_exported",
    "klik_panels": "test_ky.py::test_readiness_stands_on_the_systems_page",
    "klik_notification_rules": "test_ky.py::test_the_reminder_is_told_once",
    "klik_topics": "test_topics.py::test_everybody_who_subscribes_is_told_once_however_often_it_runs",
    "klik_channels": "test_kp.py::test_the_message_is_posted_signed_and_without_the_address",
    "klik_importers": "test_ksd.py::test_a_person_reads_a_report_in_on_the_pages",
    "klik_jobs": "test_jobs.py::test_a_job_is_done_once_for_each_danish_day",
    "klik_measures": "test_measures.py::test_readiness_is_a_column_with_sums_for_each_wave",
    "klik_tables": "test_installed.py::test_plugin_tables_have_their_own_versions_and_match_their_models",
    "klik_commands": "test_installed.py::test_its_tables_commands_and_pages_work",
    "klik_blueprints": "test_ksd.py::test_municipalities_do_not_see_or_change_each_other",
    "klik_task_published": "test_ky.py::test_readiness_is_counted_from_events_told_once_or_twice",
    "klik_municipal_task_changed": "test_ky.py::test_a_late_and_older_change_does_not_win",
    "klik_demo": "test_jobs.py::test_the_demo_is_filled_by_each_plugin_once_and_one_that_fails_costs_only_itself",
}


def hooks() -> dict[str, str]:
    """Every hook with its signature as it is written."""
    found = {}
    for node in ast.parse(inspect.getsource(hookspecs)).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
    return found


def documentation_problems(page: str, wanted: Mapping[str, str]) -> list[str]:
    """Hooks that the page leaves out, words differently, gives no example of, or invents."""
    sections = dict(re.findall(r"^## (klik_\w+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    problems = [f"{name} is no hook" for name in sections if name not in wanted]
    for name, signature in wanted.items():
        blocks = re.findall(r"^```python\n(.*?)^```$", sections.get(name, ""), re.M | re.S)
        if not blocks or blocks[0].strip() != signature:
            problems.append(f"{name} is not written as {signature}")
        elif not any(f"def {name}(" in block or "# klik " in block for block in blocks[1:]):
            problems.append(f"{name} has no example")
    return problems


def uses(source: str) -> set[str]:
    """Every "registry.x", "events.X" and plain name a module uses when it runs."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, "attr", None) or getattr(node.value, "id", None)
            found.add(f"{owner}.{node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
    return found


def uncalled(sources: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Hooks no module of the core uses."""
    used = set().union(*(uses(source) for source in sources))
    return [name for name in wanted if not used & set(CALLS.get(name, ()))]


def core_sources() -> list[str]:
    return [
        file.read_text("utf-8")
        for file in (ROOT / "klik").rglob("*.py")
        if "plugins" not in file.relative_to(ROOT / "klik").parts[:1] and file.name != "testing.py"
    ]


def untested(names: Iterable[str], tests: Mapping[str, str]) -> list[str]:
    """Hooks whose test does not exist or checks nothing."""
    problems = []
    for name in names:
        file, _, function = tests.get(name, "").partition("::")
        path = ROOT / "tests" / "plugins" / file
        tree = ast.parse(path.read_text("utf-8")) if file and path.is_file() else ast.parse("")
        body = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function), None)
        if body is None or not any(isinstance(node, ast.Assert) for node in ast.walk(body)):
            problems.append(name)
    return problems


def test_the_page_says_what_the_code_says() -> None:
    assert len(hooks()) == 19
    assert documentation_problems((ROOT / "docs/hooks.md").read_text("utf-8"), hooks()) == []


def test_every_hook_is_called_by_the_core() -> None:
    sources = core_sources()
    assert len(sources) > 50
    assert set(CALLS) == set(hooks())
    assert uncalled(sources, hooks()) == []


@pytest.mark.parametrize("name", sorted(hooks()))
def test_every_hook_is_implemented_by_one_of_ours(name: str) -> None:
    assert [module for module in OURS if hasattr(importlib.import_module(module), name)]


def test_every_hook_has_a_behaviour_test() -> None:
    assert untested(hooks(), TESTS) == []


def test_the_checks_can_fail() -> None:
    page = (ROOT / "docs/hooks.md").read_text("utf-8")
    for before, after, words in (
        ("## klik_filters", "## klik_sieves", "klik_sieves is no hook"),
        ("def klik_systems() ->", "def klik_systems(app) ->", "klik_systems is not written as"),
        ("def klik_tables():\n", "def tables():\n", "klik_tables has no example"),
    ):
        assert before in page
        found = documentation_problems(page.replace(before, after), hooks())
        assert any(words in problem for problem in found), (words, found)
    assert uncalled(["registry = None\nwork.registry.systems"], ["klik_systems", "klik_panels"]) == [
        "klik_panels"
    ]
    # A comment or a name that is only alike is no call.
    assert uncalled(
        ["# registry.panels\nother.panels\nx = pages_and_commands"], ["klik_panels", "klik_commands"]
    )
    assert untested(["klik_new"], {}) == ["klik_new"]
    assert untested(["klik_new"], {"klik_new": "test_ky.py::test_that_is_not_there"}) == ["klik_new"]
    assert untested(["klik_new"], {"klik_new": "test_ky.py::note"}) == ["klik_new"]
