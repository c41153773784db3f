"""Nothing runs by the local clock: what is due is asked of the database, in UTC, once a minute."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "klik"
LOCAL_ZONES = frozenset({"Europe/Copenhagen", "Europe/Berlin", "CET", "CEST"})


def problems(source: str) -> list[str]:
    """Cron triggers, schedulers and jobs that follow a local clock, by line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            if any("cron" in name.lower() or name in ("sched", "schedule", "tzlocal") for name in names):
                found.append(f"line {node.lineno}: imports a clock of its own")
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = {word.arg: word.value for word in node.keywords}
        if called in ("add_job", "scheduled_job", "modify_job", "reschedule_job"):
            # add_job(function, trigger) but scheduled_job(trigger).
            place = 0 if called == "scheduled_job" else 1
            trigger = given.get("trigger", node.args[place] if len(node.args) > place else None)
            if not (isinstance(trigger, ast.Constant) and trigger.value == "interval"):
                found.append(f"line {node.lineno}: {called} by something else than an interval")
            if {"hour", "day_of_week", "day", "month"} & set(given):
                found.append(f"line {node.lineno}: {called} at an hour of the day")
        if called.endswith("Scheduler") and called[0].isupper() and not _is_utc(given.get("timezone")):
            found.append(f"line {node.lineno}: {called} without timezone UTC")
        if called.endswith("Trigger") and _zone_of(given.get("timezone")) in LOCAL_ZONES:
            found.append(f"line {node.lineno}: {called} in a local time zone")
    return found


def _zone_of(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.Call) and value.args:
        value = value.args[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _is_utc(value: ast.expr | None) -> bool:
    named = value.id if isinstance(value, ast.Name) else getattr(value, "attr", None)
    return _zone_of(value) == "UTC" or named == "UTC"


def test_klik_schedules_by_interval_and_in_utc() -> None:
    sources = {file: file.read_text("utf-8") for file in ROOT.rglob("*.py")}
    assert any("add_job(" in source and "Scheduler(" in source for source in sources.values())
    found = {file.name: problems(source) for file, source in sources.items() if problems(source)}
    assert found == {}


@pytest.mark.parametrize(
    ("sin", "said"),
    [
        ("scheduler.add_job(tick, 'cron', hour=2)", "by something else than an interval"),
        ("scheduler.add_job(tick, 'interval', minutes=1, hour=2)", "at an hour of the day"),
        ("scheduler.add_job(tick, trigger=when)", "by something else than an interval"),
        ("@scheduler.scheduled_job('cron', hour=7)\ndef job(): ...", "by something else than an interval"),
        ("BackgroundScheduler()", "without timezone UTC"),
        ("BlockingScheduler(timezone='Europe/Copenhagen')", "without timezone UTC"),
        ("IntervalTrigger(minutes=1, timezone=ZoneInfo('Europe/Copenhagen'))", "in a local time zone"),
        ("from apscheduler.triggers.cron import CronTrigger", "a clock of its own"),
    ],
)
def test_sins_are_seen(sin: str, said: str) -> None:
    assert any(said in problem for problem in problems(sin)), problems(sin)
    assert problems("BackgroundScheduler(timezone='UTC').add_job(tick, 'interval', seconds=60)") == []
