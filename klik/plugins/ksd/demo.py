"""What the demo shows of KSD: eight weeks of reports from most municipalities, some of them silent for too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from klik.plugins import PluginContext
from klik.plugins.ksd import reports
from klik.plugins.ksd.catalogue import is_limit, types_named
from klik.plugins.ksd.r23 import OpenTask

WEEKS = 8
# Title, months since it was due, and how many there are in a municipality of middling size.
TYPICAL = (
    ("Ansøgning om tidlig refusion", 0, 64),
    ("Ansøgning om tidlig refusion", 1, 31),
    ("Ansøgning om tidlig refusion", 5, 8),
    ("Kontroller sag - bremsende", 0, 40),
    ("Kontroller sag - bremsende", 2, 17),
    ("Timeløn kan ikke beregnes ud fra oplysninger eIndkomst", 0, 36),
    ("Oplysningsskema - anden årsag", 0, 29),
    ("Oplysningsskema - anden årsag", 3, 6),
    ("Bemærkninger til underretningsbrev", 1, 22),
    ("Manglende kontrol", 9, 5),
    ("Manglende kontrol", 14, 3),
    ("Mulig konfliktende ydelser - Feriekonto", 0, 12),
    ("Mulig konfliktende ydelser - Feriekonto", 1, 5),
    ("Fleksjob før 1/1/2013 sygemeldes", 0, 6),
    ("Fleksjob før 1/1/2013 sygemeldes", 13, 2),
    ("Økonomisk mellemværende", 0, 4),
    ("Grænseværdi overskredet", 0, 5),
    ("Anmeldelse modtaget for sent", 0, 21),
    ("Kontroller sag - ikke bremsende", 1, 18),
)


def fill(context: PluginContext) -> None:
    """Put the reports in the plug-in's tables; what is there already stays."""
    assert context.store is not None and context.klik is not None
    known = reports.newest(context.store)
    for number, place in enumerate(context.klik.municipalities("ksd")):
        # Every ninth has never read one in, every seventh not for three weeks.
        if number % 9 == 4 or place.code in known:
            continue
        silent = 3 if number % 7 == 5 else 0
        size = 0.35 + (place.code * 37 % 100) / 60
        for weeks in range(WEEKS - 1, silent - 1, -1):
            day = _read_on(context.today, weeks)
            at = context.now - (context.today - day)
            tasks = tuple(_tasks(day, size, 1 + weeks * (0.10 - (place.code % 5) * 0.03)))
            reports.keep(context.store, place.code, day, _morning(at), tasks)


def _read_on(today: date, weeks: int) -> date:
    """The last Friday before today, so many weeks back: there is time until Monday afternoon."""
    since_friday = (today.weekday() - 4) % 7 or 7
    return today - timedelta(days=since_friday, weeks=weeks)


def _morning(at: datetime) -> datetime:
    return at.replace(hour=8, minute=12, second=0, microsecond=0)


def _tasks(day: date, size: float, pace: float) -> Iterator[OpenTask]:
    for row, (title, months, usual) in enumerate(TYPICAL, start=2):
        count = round(usual * size * max(0.2, pace))
        if count:
            named = types_named(title)
            blocks = named[0].blocks if named else "graensevaerdi" if is_limit(title) else "ingen"
            yield OpenTask(row, _month(day, months), title, blocks, count)


def _month(day: date, before: int) -> str:
    months = day.year * 12 + day.month - 1 - before
    return f"{months // 12}-{months % 12 + 1:02d}"
