"""It-systems as people see them: which there are, and how the municipality stands with each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select, true

from klik.domain.rights import Level
from klik.models import MunicipalSystem, System, Wave
from klik.plugins.contributions import PageLink
from klik.plugins.views import MunicipalityView, SystemView
from klik.services import views
from klik.services.errors import NotFoundError
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """One system. ``description`` and ``website`` come from its plug-in and are empty when that is gone."""

    code: str
    name: str
    supplier: str
    installed: bool
    description: str
    website: str
    municipality: MunicipalityView | None
    wave: str | None
    pages: tuple[PageLink, ...]


@dataclass(frozen=True, slots=True)
class WaveFacts:
    """A wave, its day, and how many municipalities are in it."""

    name: str
    go_live: date | None
    municipalities: int


def _visible(work: Work) -> ColumnElement[bool]:
    if work.actor is not None and work.actor.level is Level.SUPPLIER:
        return System.code.in_(sorted(work.actor.systems))
    return true()


def all_systems(work: Work) -> tuple[SystemFacts, ...]:
    """Every system the actor may see, by name; suppliers see their own."""
    rows = work.session.scalars(select(System).where(_visible(work)).order_by(System.name))
    return tuple(_facts(work, row) for row in rows)


def one_system(work: Work, code: str) -> SystemFacts:
    """The system with this code; raises NotFoundError."""
    row = work.session.scalar(select(System).where(System.code == code, _visible(work)))
    if row is None:
        raise NotFoundError
    return _facts(work, row)


def system_view(facts: SystemFacts) -> SystemView:
    """The same for plug-ins."""
    return SystemView(code=facts.code, name=facts.name, municipality=facts.municipality)


def waves(work: Work, code: str) -> Iterable[WaveFacts]:
    """The system's waves in order; one statement."""
    rows = work.session.execute(
        select(Wave.name, Wave.go_live, func.count(MunicipalSystem.id).label("municipalities"))
        .outerjoin(MunicipalSystem, MunicipalSystem.wave_id == Wave.id)
        .where(Wave.system_code == code)
        .group_by(Wave.id, Wave.name, Wave.go_live, Wave.position)
        .order_by(Wave.position)
    )
    return tuple(WaveFacts(row.name, row.go_live, row.municipalities) for row in rows)


def _facts(work: Work, row: System) -> SystemFacts:
    declared = work.registry.systems.get(row.code)
    own = work.actor.municipality_id if work.actor else None
    municipality = views.municipality_views(work, [own], row.code)[0] if own is not None else None
    wave = None
    if municipality is not None and municipality.wave is not None:
        wave = work.session.scalar(
            select(Wave.name).where(Wave.system_code == row.code, Wave.slug == municipality.wave)
        )
    return SystemFacts(
        code=row.code,
        name=row.name,
        supplier=row.supplier,
        installed=declared is not None,
        description=declared.description if declared else "",
        website=declared.website if declared else "",
        municipality=municipality,
        wave=wave,
        pages=pages(work, row.code),
    )


def pages(work: Work, code: str) -> tuple[PageLink, ...]:
    """The plug-in's own pages about a system that the actor may open."""
    declared = work.registry.systems.get(code)
    return tuple(page for page in declared.pages if _may_open(work, page)) if declared else ()


def _may_open(work: Work, page: PageLink) -> bool:
    actor = work.actor
    if actor is None or not actor.has(page.right):
        return False
    place = "kombit" if actor.kombit else "leverandoer" if actor.level is Level.SUPPLIER else "kommune"
    return place in page.places
