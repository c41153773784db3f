"""How far a municipality is with preparing for KY: ready, on the way or not, for KOMBIT's heat map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from klik.plugins import Mark, Measure, MunicipalityView, PluginContext, ProgressView

SYSTEM = "ky"
LEADER = "projektleder"
# What must be done before the municipality takes KY into use.
PHASES = ("opstart", "forberedelse")
# With less than this to go and less than half done, one is no longer on the way.
LATE = timedelta(days=30)


def mark(progress: ProgressView | None, led: bool, go_live: date | None, today: date) -> Mark:
    """How one municipality stands: ready is every task of the preparation closed and a project leader in place."""
    if progress is None:
        return Mark(text="ingen opgaver udgivet" + ("" if led else ", ingen projektleder"), state="ukendt")
    text = f"{progress.closed} af {progress.tasks} løst" + ("" if led else ", ingen projektleder")
    if progress.closed == progress.tasks and led:
        return Mark(text=text, state="klar")
    soon = go_live is not None and go_live - today < LATE
    behind = not progress.closed or (soon and progress.closed * 2 < progress.tasks)
    return Mark(text=text, state="ikke-klar" if behind or not led else "paa-vej")


def marks(municipalities: Sequence[MunicipalityView], context: PluginContext) -> Mapping[int, Mark]:
    """How each of the municipalities stands, by code."""
    assert context.klik is not None
    progress = context.klik.progress(SYSTEM, PHASES)
    led = context.klik.filled(SYSTEM, LEADER)
    return {
        each.code: mark(progress.get(each.code), each.code in led, each.go_live, context.today)
        for each in municipalities
    }


MEASURE = Measure(
    key="ky.parathed",
    label="Parathed",
    system=SYSTEM,
    values=marks,
    help="Klar er en kommune, der har løst alle opgaver i opstart og forberedelse og har en projektleder. "
    "Ikke klar er en kommune uden projektleder, uden en eneste løst opgave eller med under halvdelen løst, når der "
    "er mindre end 30 dage til idriftsættelsen.",
)
