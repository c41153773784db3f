"""A municipality beside others like it: the median and the middle half of at least five, never a name.

Nothing of the municipality itself goes into the others' numbers, so changing one's own tells nothing about them;
and there is one group for each project, because two overlapping groups would tell about those in one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from klik.domain.status import Status
from klik.models import Municipality, MunicipalSystem, MunicipalTask, Project, Wave
from klik.services.overview import IN_FORCE, count_of
from klik.services.work import Work

FEWEST = 5
# Inhabitants from which a municipality counts as the next size.
SIZES = (30_000, 60_000, 100_000)
_SIZE_WORDS = (
    "kommuner med under 30.000 indbyggere",
    "kommuner med 30.000 til 60.000 indbyggere",
    "kommuner med 60.000 til 100.000 indbyggere",
    "kommuner med over 100.000 indbyggere",
)


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Whole per cent: the middle half of the others lies from ``low`` to ``high``."""

    low: int
    median: int
    high: int


@dataclass(frozen=True, slots=True)
class Compared:
    """One phase: the own per cent, and the others'; None where fewer than five others have tasks in it."""

    phase: str
    own: int
    others: Quartiles | None
    count: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A project's phases beside a group of others, named as in "i B2" or "i Region Sjælland"."""

    group: str
    phases: tuple[Compared, ...]


def by_project(work: Work) -> Mapping[str, Comparison]:
    """The comparison for each project the actor's municipality has tasks of; four statements. Nobody else's."""
    actor = work.actor
    if actor is None or actor.municipality_id is None:
        return {}
    home = work.session.get_one(Municipality, actor.municipality_id)
    places = work.session.execute(
        select(Municipality.id, Municipality.region, Municipality.inhabitants).where(
            Municipality.active.is_(True)
        )
    ).all()
    waves = _waves(work)
    shares = _shares(work, home.id)
    found = {}
    for (slug, system), phases in shares.items():
        having = {code for cells in phases.values() for code in cells}
        name, others = _group(home, places, waves.get(system or "", {}), having)
        order = {phase.slug: phase.number for phase in work.registry.content.phases}
        found[slug] = Comparison(
            name,
            tuple(
                _compared(phase, cells, home.id, others)
                for phase, cells in sorted(phases.items(), key=lambda pair: order.get(pair[0], 99))
                if home.id in cells
            ),
        )
    return found


def quartiles(values: Iterable[int]) -> Quartiles | None:
    """Of at least five whole numbers, by linear interpolation, rounded; None of fewer."""
    ordered = sorted(values)
    if len(ordered) < FEWEST:
        return None

    def at(quarter: int) -> int:
        place, rest = divmod((len(ordered) - 1) * quarter, 4)
        after = ordered[min(place + 1, len(ordered) - 1)]
        # Rounded half up, in whole numbers all the way.
        return (ordered[place] * (4 - rest) + after * rest + 2) // 4

    return Quartiles(at(1), at(2), at(3))


def _compared(phase: str, cells: Mapping[int, int], home: int, others: set[int]) -> Compared:
    values = [cells[code] for code in others if code in cells]
    return Compared(phase, cells[home], quartiles(values), len(values))


def _group(
    home: Municipality,
    places: Sequence[tuple[int, str, int | None]],
    waves: Mapping[int, str],
    having: set[int],
) -> tuple[str, set[int]]:
    """The first group with enough others that have tasks; the last one tried where none has."""
    tried = [(name, (codes & having) - {home.id}) for name, codes in _groups(home, places, waves)]
    return next((each for each in tried if len(each[1]) >= FEWEST), tried[-1])


def _groups(
    home: Municipality, places: Sequence[tuple[int, str, int | None]], waves: Mapping[int, str]
) -> Iterable[tuple[str, set[int]]]:
    """The groups to try in turn: the same wave, the same size, the same region."""
    if home.id in waves:
        wave = waves[home.id]
        yield wave, {code for code, name in waves.items() if name == wave}
    if home.inhabitants is not None:
        size = _size(home.inhabitants)
        alike = {code for code, _region, number in places if number is not None and _size(number) == size}
        yield _SIZE_WORDS[size], alike
    yield home.region, {code for code, region, _number in places if region == home.region}


def _size(inhabitants: int) -> int:
    return sum(inhabitants >= limit for limit in SIZES)


def _waves(work: Work) -> Mapping[str, Mapping[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for system, code, name in work.session.execute(
        select(MunicipalSystem.system_code, MunicipalSystem.municipality_id, Wave.name).join(
            Wave, Wave.id == MunicipalSystem.wave_id
        )
    ):
        found.setdefault(system, {})[code] = name
    return found


def _shares(work: Work, home: int) -> Mapping[tuple[str, str | None], Mapping[str, Mapping[int, int]]]:
    """Each municipality's per cent by project and phase, of KOMBIT's tasks in the newest round only."""
    task = MunicipalTask
    ours = select(task.project_id).where(task.municipality_id == home, IN_FORCE, task.task_id.is_not(None))
    rows = work.session.execute(
        select(
            Project.slug,
            Project.system_code,
            task.phase,
            task.municipality_id,
            func.count(),
            count_of(task.status == Status.COMPLETED.value),
        )
        .join(Project, Project.id == task.project_id)
        .where(
            task.project_id.in_(ours),
            task.round == Project.round,
            task.task_id.is_not(None),
            task.erased_at.is_(None),
            IN_FORCE,
            task.status != Status.NOT_RELEVANT.value,
        )
        .group_by(Project.slug, Project.system_code, task.phase, task.municipality_id)
    )
    found: dict[tuple[str, str | None], dict[str, dict[int, int]]] = {}
    for slug, system, phase, code, total, completed in rows:
        found.setdefault((slug, system), {}).setdefault(phase, {})[code] = completed * 100 // total
    return found
