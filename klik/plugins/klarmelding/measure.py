"""Snitflader bekræftet: how many of the demanded interfaces each municipality has confirmed, for the heat map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from klik.plugins import Mark, Measure, MunicipalityView, PluginContext
from klik.plugins.klarmelding.readiness import is_supplier, load
from klik.plugins.klarmelding.tables import agreements, demands

SYSTEM = "infrastruktur"


def values(municipalities: Sequence[MunicipalityView], context: PluginContext) -> Mapping[int, Mark]:
    """ "4 af 7" by municipality; who has listed no demands is left out, and suppliers are told nothing of anybody."""
    if context.store is None or is_supplier(context):
        return {}
    asked = {each.code for each in municipalities}
    if context.municipality is not None:
        asked &= {context.municipality}
    rows = context.store.execute(
        select(
            agreements.c.municipality_id,
            agreements.c.supplier_key,
            agreements.c.system_key,
            demands.c.interface,
        ).join_from(agreements, demands, demands.c.agreement_id == agreements.c.id)
    ).all()
    ready = _confirmed(context) if rows else frozenset()
    total: dict[int, int] = {}
    met: dict[int, int] = {}
    for row in rows:
        place = row.municipality_id
        if place in asked:
            total[place] = total.get(place, 0) + 1
            found = (place, row.supplier_key, row.system_key, row.interface) in ready
            met[place] = met.get(place, 0) + found
    return {place: _mark(met[place], total[place]) for place in total}


def _confirmed(context: PluginContext) -> frozenset[tuple[int, str, str, str]]:
    newest: dict[tuple[int, str, str], frozenset[str]] = {}
    for sheet in load(context):
        key = (sheet.municipality, sheet.supplier_key, sheet.system_key)
        ready = frozenset(line.interface.number for line in sheet.lines if line.verdict.ready)
        newest.setdefault(key, ready)
    return frozenset((*key, number) for key, numbers in newest.items() for number in numbers)


def _mark(met: int, total: int) -> Mark:
    state = "klar" if met == total else "paa-vej" if met else "ikke-klar"
    return Mark(text=f"{met} af {total}", state=state)


MEASURE = Measure(
    key="klarmelding.bekraeftet",
    label="Snitflader bekræftet",
    system=SYSTEM,
    values=values,
    help="Hvor mange af de snitflader, kommunens aftaler under SKI 02.19 kræver, kommunen selv har bekræftet.",
)
