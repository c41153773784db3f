"""What KOMBIT can change of a system's waves, and how the municipalities stand before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from klik.domain.calendar import EARLIEST, LATEST, long_date, short_date
from klik.models import Municipality, MunicipalSystem, System, Wave
from klik.plugins.views import MunicipalityView
from klik.services import views
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.work import Work

NO_DAY = "Ikke fastsat"
NO_WAVE = "Ingen bølge"


@dataclass(frozen=True, slots=True)
class NewGoLive:
    """Another go-live of a wave; ``version`` is the wave's as the page showed it."""

    wave_id: int
    go_live: date | None
    version: int


@dataclass(frozen=True, slots=True)
class Placing:
    """A municipality's wave and its own go-live (None: the wave's); without ``version`` it gets the system now."""

    municipality_id: int
    wave_id: int | None
    go_live: date | None
    version: int | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """A municipality that has the system no longer."""

    municipality_id: int
    version: int


Change = NewGoLive | Placing | Leaving


@dataclass(frozen=True, slots=True)
class Standing:
    """A municipality before and after the change."""

    before: MunicipalityView
    after: MunicipalityView


@dataclass(frozen=True, slots=True)
class Target:
    """The rows a change is about, and the municipalities it touches."""

    system: System
    change: Change
    wave: Wave | None
    row: MunicipalSystem | None
    standings: tuple[Standing, ...]


def target(work: Work, code: str, change: Change) -> Target:
    """Find what the change is about; raises NotFoundError, RefusedError, and ConflictError for an old version."""
    system = work.session.get(System, code)
    if system is None:
        raise NotFoundError
    if not isinstance(change, Leaving):
        _check_day(change.go_live)
    if isinstance(change, NewGoLive):
        return _of_wave(work, system, change)
    return _of_municipality(work, system, change)


def store(work: Work, found: Target) -> None:
    """Write the change itself down; its consequences are the plan's."""
    change, row = found.change, found.row
    if isinstance(change, NewGoLive):
        assert found.wave is not None
        found.wave.go_live = change.go_live
    elif isinstance(change, Leaving):
        work.session.delete(row)
    else:
        if row is None:
            row = MunicipalSystem(municipality_id=change.municipality_id, system_code=found.system.code)
            work.session.add(row)
        row.wave_id, row.go_live = change.wave_id, change.go_live
    work.session.flush()


def _check_day(day: date | None) -> None:
    if day is not None and not EARLIEST <= day <= LATEST:
        raise RefusedError(
            {"go_live": f"Tages i brug skal ligge fra {short_date(EARLIEST)} til {short_date(LATEST)}."}
        )


def _of_wave(work: Work, system: System, change: NewGoLive) -> Target:
    wave = _wave(work, system, change.wave_id)
    if wave is None:
        raise NotFoundError
    if wave.version != change.version:
        raise ConflictError(wave.version, (_difference(change.go_live, wave.go_live),))
    rows = work.session.execute(
        select(MunicipalSystem.municipality_id, MunicipalSystem.go_live).where(
            MunicipalSystem.wave_id == wave.id
        )
    ).all()
    # Who has a go-live of its own is not moved with the wave.
    follows = [code for code, own in rows if own is None]
    return Target(
        system,
        change,
        wave,
        None,
        tuple(
            Standing(view, replace(view, go_live=change.go_live))
            for view in views.municipality_views(work, follows, system.code)
        ),
    )


def _of_municipality(work: Work, system: System, change: Placing | Leaving) -> Target:
    municipality = work.session.get(Municipality, change.municipality_id)
    if municipality is None:
        raise NotFoundError
    row = work.session.scalar(
        select(MunicipalSystem).where(
            MunicipalSystem.municipality_id == municipality.id, MunicipalSystem.system_code == system.code
        )
    )
    _check_version(row, change)
    (before,) = views.municipality_views(work, [municipality.id], system.code)
    if isinstance(change, Leaving):
        after, wave = replace(before, wave=None, go_live=None), None
    else:
        wave = _wave(work, system, change.wave_id)
        if change.wave_id is not None and wave is None:
            raise RefusedError({"wave": "Bølge: vælg en af systemets egne bølger."})
        after = replace(
            before,
            wave=wave.slug if wave else None,
            go_live=change.go_live or (wave.go_live if wave else None),
        )
    return Target(system, change, wave, row, (Standing(before, after),))


def _check_version(row: MunicipalSystem | None, change: Placing | Leaving) -> None:
    if row is None and change.version is not None:
        raise ConflictError(0, (Difference("Har systemet", "Ja", "Nej"),))
    if row is not None and row.version != change.version:
        mine = change.go_live if isinstance(change, Placing) else None
        raise ConflictError(row.version, (_difference(mine, row.go_live),))


def _wave(work: Work, system: System, wave_id: int | None) -> Wave | None:
    if wave_id is None:
        return None
    return work.session.scalar(select(Wave).where(Wave.id == wave_id, Wave.system_code == system.code))


def _difference(mine: date | None, theirs: date | None) -> Difference:
    return Difference("Tages i brug", day_words(mine), day_words(theirs))


def day_words(day: date | None) -> str:
    """A go-live as people read it."""
    return long_date(day) if day else NO_DAY


def codes(found: Target) -> Sequence[int]:
    """The municipalities the change touches."""
    return [standing.before.code for standing in found.standings]
