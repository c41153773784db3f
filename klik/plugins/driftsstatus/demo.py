"""The demo's status: the seed's two tables placed so that they end last month, its incident, and one that is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from klik.plugins import PluginContext, PluginStore
from klik.plugins.driftsstatus.figures import DENMARK, RED, YELLOW, before, distance, moved, same_day
from klik.plugins.driftsstatus.importing import AreaRow, parse
from klik.plugins.driftsstatus.status import SYSTEMS
from klik.plugins.driftsstatus.tables import areas, figures, incidents, months
from klik.plugins.sheets import rows_of

LAST = "2020-09"
REMARKS: Mapping[str, tuple[int, str]] = {
    "serviceplatformen": (
        3,
        (
            "Den brugeroplevede driftsstabilitet var tilfredsstillende.\n"
            "Infrastruktur og applikationer var tilgængelige hele måneden, og det samme var kildesystemerne.\n"
            "Antallet af servicekald ligger, hvor det var ventet."
        ),
    ),
    "stoettesystemer": (
        1,
        (
            "Den brugeroplevede driftsstabilitet var ikke tilfredsstillende.\n"
            "En væsentlig hændelse på Organisation gav udetid, så SLA-målet ikke blev nået.\n"
            "Svartiderne for Klassifikation og Organisation er på det aftalte niveau."
        ),
    ),
}


def fill(context: PluginContext) -> None:
    """Everything, instead of what is there."""
    store = context.store
    assert store is not None
    for table in (incidents, figures, months):
        store.execute(delete(table))
    last = before(context.today)
    for system in SYSTEMS:
        _table(store, system, distance(LAST, last))
        windows, remarks = REMARKS[system]
        words = {"system": system, "month": last, "windows": windows, "remarks": remarks, "version": 1}
        store.execute(insert(months).values(words))
    store.execute(insert(incidents), [_outage(store, last), _open(store, context.now)])


def _table(store: PluginStore, system: str, by: int) -> None:
    ids = dict(store.execute(select(areas.c.name, areas.c.id).where(areas.c.system == system)).all())
    path = Path(__file__).with_name(f"{system}.csv")
    with path.open("rb") as file:
        found, _said = parse(rows_of(file, path.name))
    rows = [
        {"area": ids[row.name], "month": moved(month, by), "value": value}
        for row in found
        if isinstance(row, AreaRow)
        for month, value in row.figures.items()
    ]
    store.execute(insert(figures), rows)


def _area(store: PluginStore, name: str) -> int:
    return int(store.execute(select(areas.c.id).where(areas.c.name == name)).scalar_one())


def _outage(store: PluginStore, month: str) -> dict[str, Any]:
    evening = datetime.combine(same_day(month, 29), time(19, 50), DENMARK).astimezone(UTC)
    morning = datetime.combine(same_day(month, 29) + timedelta(days=1), time(7, 45), DENMARK).astimezone(UTC)
    return {
        "area": _area(store, "KO - applikation"),
        "heading": "Nedbrud på Organisation",
        "colour": RED,
        "starts_at": evening,
        "ends_at": morning,
        "seen": "Organisation kunne ikke bruges.",
        "cause": "To servere løb tør for hukommelse, fordi den cache, der giver bedre svartider, ikke slettede data.",
        "mend": "De to servere blev genstartet. Indtil fejlen er rettet, genstartes de forebyggende.",
        "solution": "Koden rettes, så hukommelsen ryddes løbende. Procedurerne for lignende fejl strammes op.",
        "planned_on": same_day(moved(month, 1), 16),
        "solved": "planlagt",
        "version": 1,
        "person": None,
    }


def _open(store: PluginStore, now: datetime) -> dict[str, Any]:
    return {
        "area": _area(store, "Adgangsstyring - applikation"),
        "heading": "Login er langsomt",
        "colour": YELLOW,
        "starts_at": (now - timedelta(hours=3)).astimezone(UTC),
        "ends_at": None,
        "seen": "Nogle brugere venter op til et minut, når de logger på. Systemerne virker, når man er inde.",
        "cause": "",
        "mend": "",
        "solution": "",
        "planned_on": None,
        "solved": "ikke-planlagt",
        "version": 1,
        "person": None,
    }
