"""KOMBIT's page of a system: its waves in order, who is in each, who has no wave, and who has not the system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, select

from klik.models import Municipality, MunicipalSystem, System, Wave
from klik.services.errors import NotFoundError
from klik.services.publishing.drafts import require_publisher
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Placed:
    """A municipality with the system; ``own`` is its own go-live, which goes before the wave's."""

    code: int
    name: str
    own: date | None


@dataclass(frozen=True, slots=True)
class WaveLine:
    """A wave (None: those in none) and its municipalities by name."""

    id: int | None
    slug: str | None
    name: str
    go_live: date | None
    municipalities: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class SystemWaves:
    """A system's waves in order; ``without_wave`` have the system, ``without_system`` have not."""

    code: str
    name: str
    waves: tuple[WaveLine, ...]
    without_wave: tuple[Placed, ...]
    without_system: tuple[Placed, ...]

    @property
    def municipalities(self) -> int:
        """How many have the system."""
        return len(self.without_wave) + sum(len(wave.municipalities) for wave in self.waves)


def of_system(work: Work, code: str) -> SystemWaves:
    """The whole of it in three statements; raises NotFoundError and ForbiddenError."""
    require_publisher(work)
    system = work.session.get(System, code)
    if system is None:
        raise NotFoundError
    waves = work.session.scalars(
        select(Wave).where(Wave.system_code == code).order_by(Wave.position, Wave.id)
    ).all()
    rows = work.session.execute(
        select(
            Municipality.id,
            Municipality.name,
            MunicipalSystem.id,
            MunicipalSystem.wave_id,
            MunicipalSystem.go_live,
        )
        .outerjoin(
            MunicipalSystem,
            and_(MunicipalSystem.municipality_id == Municipality.id, MunicipalSystem.system_code == code),
        )
        .where(Municipality.active.is_(True))
        .order_by(Municipality.name_key)
    )
    groups: dict[int | None, list[Placed]] = defaultdict(list)
    without_system: list[Placed] = []
    for municipality, name, has, wave_id, own in rows:
        (groups[wave_id] if has else without_system).append(Placed(municipality, name, own))
    return SystemWaves(
        system.code,
        system.name,
        tuple(
            WaveLine(wave.id, wave.slug, wave.name, wave.go_live, tuple(groups[wave.id])) for wave in waves
        ),
        tuple(groups[None]),
        tuple(without_system),
    )


def all_systems(work: Work) -> Sequence[System]:
    """Every system by name, for those who publish."""
    require_publisher(work)
    return work.session.scalars(select(System).order_by(System.name)).all()


def wave_of(work: Work, code: str, wave_id: int) -> Wave:
    """One of the system's waves; raises NotFoundError."""
    require_publisher(work)
    found = work.session.scalar(select(Wave).where(Wave.id == wave_id, Wave.system_code == code))
    if found is None:
        raise NotFoundError
    return found


def place_of(work: Work, code: str, municipality: int) -> tuple[Municipality, MunicipalSystem | None]:
    """A municipality, and its row of the system when it has it; raises NotFoundError."""
    require_publisher(work)
    found = work.session.get(Municipality, municipality)
    if found is None or work.session.get(System, code) is None:
        raise NotFoundError
    return found, work.session.scalar(
        select(MunicipalSystem).where(
            MunicipalSystem.municipality_id == municipality, MunicipalSystem.system_code == code
        )
    )
