"""Which municipalities a KLIK-opgave goes to: all, those with the system, a list, a wave, a region, all but some."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from klik.content.keys import nearest
from klik.domain.texts import slug
from klik.models import Municipality, MunicipalSystem, Project, Wave
from klik.services.errors import RefusedError
from klik.services.work import Work

ALL, WITH_SYSTEM, LISTED, WAVES, REGIONS, ALL_EXCEPT = (
    "alle",
    "system",
    "kommuner",
    "boelge",
    "region",
    "undtagen",
)
KINDS = (WITH_SYSTEM, ALL, LISTED, WAVES, REGIONS, ALL_EXCEPT)
FIELD = "recipients"
_WORDS = {
    "all": WITH_SYSTEM,
    "system": WITH_SYSTEM,
    "alle": ALL,
    "boelge": WAVES,
    "bølge": WAVES,
    "region": REGIONS,
    "undtagen": ALL_EXCEPT,
}


@dataclass(frozen=True, slots=True)
class RecipientChoice:
    """A choice of municipalities: ``kind`` is one of ``KINDS``; ``values`` are codes, wave slugs or regions.

    A wave is "ky/b1", or "b1" for the project's own system. A region is its name or slug
    ("region-sjaelland", "sjaelland").
    """

    kind: str
    values: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> RecipientChoice:
        """Read "all", "alle", "101,147", "bølge:ky/b1", "region:Sjælland" or "undtagen:101"; raises RefusedError.

        "all" is everyone who has the project's system, "alle" every municipality.
        """
        word, colon, rest = text.strip().partition(":")
        values = tuple(part.strip() for part in (rest if colon else word).split(",") if part.strip())
        kind = _WORDS.get(word.strip().casefold())
        if kind in (ALL, WITH_SYSTEM) and not colon:
            return cls(kind)
        if kind in (WAVES, REGIONS, ALL_EXCEPT) and values:
            return cls(kind, values)
        if not colon and values and all(value.isdigit() for value in values):
            return cls(LISTED, values)
        raise _refused(
            f"“{text[:60]}” kan ikke læses. Skriv all, alle, 101,147, bølge:ky/b1, region:Sjælland "
            "eller undtagen:101."
        )

    def words(self) -> str:
        """The choice as ``parse`` reads it; empty where municipalities are to be named and none are."""
        if self.kind in (ALL, WITH_SYSTEM):
            return self.kind
        named = ",".join(self.values)
        prefix = {WAVES: "bølge:", REGIONS: "region:", ALL_EXCEPT: "undtagen:"}.get(self.kind, "")
        return f"{prefix}{named}" if named else ""


def recipients(work: Work, choice: RecipientChoice, project: str) -> tuple[int, ...]:
    """The codes the choice comes to, ascending; ``project`` (slug) says which system is meant.

    Raises RefusedError with one sentence for whatever is unknown, and when nobody is left.
    """
    found = work.session.scalar(select(Project).where(Project.slug == project))
    system = found.system_code if found else None
    rows = work.session.execute(
        select(Municipality.id, Municipality.region)
        .where(Municipality.active.is_(True))
        .order_by(Municipality.id)
    )
    regions = dict(rows.all())
    if choice.kind == ALL:
        codes = set(regions)
    elif choice.kind == WITH_SYSTEM:
        codes = _with_system(work, system) & set(regions) or set(regions)
    elif choice.kind == LISTED:
        codes = _listed(choice.values, regions)
    elif choice.kind == ALL_EXCEPT:
        codes = set(regions) - _listed(choice.values, regions)
    elif choice.kind == WAVES:
        codes = _in_waves(work, choice.values, system) & set(regions)
    elif choice.kind == REGIONS:
        names = _regions(choice.values, set(regions.values()))
        codes = {code for code, region in regions.items() if region in names}
    else:
        raise _refused("vælg, hvem opgaven skal udgives til.")
    if not codes:
        raise _refused("der er ingen kommuner tilbage. Vælg mindst én.")
    return tuple(sorted(codes))


def _refused(sentence: str) -> RefusedError:
    return RefusedError({FIELD: f"Modtagere: {sentence}"})


def _with_system(work: Work, system: str | None) -> set[int]:
    """Everyone with the system; nobody where no municipality is noted to have one at all."""
    if system is None:
        return set()
    return set(
        work.session.scalars(
            select(MunicipalSystem.municipality_id).where(MunicipalSystem.system_code == system)
        )
    )


def _listed(values: Iterable[str], known: Iterable[int]) -> set[int]:
    there = {str(code): code for code in known}
    wanted = [value.strip() for value in values]
    if strangers := [value for value in wanted if value not in there]:
        listed = ", ".join(stranger[:20] for stranger in strangers[:10])
        raise _refused(
            f"der er ingen kommune med koden {listed}."
            if len(strangers) == 1
            else f"der er ingen kommuner med koderne {listed}."
        )
    return {there[value] for value in wanted}


def _in_waves(work: Work, values: Iterable[str], system: str | None) -> set[int]:
    rows = work.session.execute(select(Wave.system_code, Wave.slug, Wave.id))
    known = {f"{code}/{word}": wave_id for code, word, wave_id in rows}
    wanted = [value if "/" in value else f"{system or ''}/{value}" for value in values]
    for value in wanted:
        if value not in known:
            hint = nearest(value, known) if known else "Der er ingen bølger endnu."
            raise _refused(f"bølgen “{value[:60]}” kendes ikke. {hint}")
    return set(
        work.session.scalars(
            select(MunicipalSystem.municipality_id).where(
                MunicipalSystem.wave_id.in_([known[value] for value in wanted])
            )
        )
    )


def _regions(values: Iterable[str], known: set[str]) -> set[str]:
    by_slug = {slug(name): name for name in known}
    by_slug |= {slug(name.removeprefix("Region ")): name for name in known}
    names = set()
    for value in values:
        name = by_slug.get(slug(value))
        if name is None:
            raise _refused(f"regionen “{value[:60]}” kendes ikke. {nearest(value, known)}")
        names.add(name)
    return names
