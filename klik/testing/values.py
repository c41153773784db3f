"""What plug-ins are handed, for tests that call a function alone: every part has a value and can be another."""

from __future__ import annotations

from datetime import date
from typing import Any

from klik.plugins.views import MunicipalityView, MunicipalTaskView, TaskView


def municipality_view(**parts: Any) -> MunicipalityView:
    """Køge, which has not said yet when it takes the system into use."""
    usual = {"code": 259, "name": "Køge Kommune", "region": "Region Sjælland", "wave": None, "go_live": None}
    return MunicipalityView(**usual | parts)


def task_view(**parts: Any) -> TaskView:
    """A task across the systems, published on 21 November 2026."""
    usual = {
        "number": "1.1",
        "title": "Prøveopgave",
        "project": "Prøveprojekt",
        "system": None,
        "phase": "opstart",
        "theme": "projektstyring-og-ledelse",
        "priority": "normal",
        "infrastructure": False,
        "start": None,
        "published_on": date(2026, 11, 21),
        "fields": {},
    }
    return TaskView(**usual | parts)


def municipal_task_view(**parts: Any) -> MunicipalTaskView:
    """The same task in Køge, due on 21 December 2026 and not begun."""
    usual = {
        "id": 1,
        "municipality": 259,
        "municipality_name": "Køge Kommune",
        "number": "1.1",
        "title": "Prøveopgave",
        "project": "Prøveprojekt",
        "system": None,
        "phase": "opstart",
        "theme": "projektstyring-og-ledelse",
        "status": "ikke-paabegyndt",
        "start": None,
        "deadline": date(2026, 12, 21),
        "yellow_from": date(2026, 12, 7),
        "deadline_version": 1,
        "local": False,
        "fields": {},
    }
    return MunicipalTaskView(**usual | parts)
