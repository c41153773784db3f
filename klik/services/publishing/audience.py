"""Which municipalities a KLIK-opgave goes to: all, those with the system, a list, a wave, a region, all but some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from klik.content.keys import nearest
from klik.domain.municipality_names import Understood, listed, understand
from klik.domain.texts import slug
from klik.models import Municipality, MunicipalSystem, Project, System, Wave
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
# What can be narrowed to those who have the system.
NARROWED = (LISTED, WAVES, REGIONS, ALL_EXCEPT)
FIELD = "recipients"
MOST_STRANGERS = 10
_WORDS = {
    "all": WITH_SYSTEM,
    "system": WITH_SYSTEM,
    "alle": ALL,
    "kommuner": LISTED,
    "boelge": WAVES,
    "bølge": WAVES,
    "region": REGIONS,
    "undtagen": ALL_EXCEPT,
}
_SHOWN = {WAVES: "bølge"}
_ONLY_SYSTEM = "system+"


@dataclass(frozen=True, slots=True)
class RecipientChoice:
    """A choice of municipalities: ``kind`` is one of ``KINDS``; ``values`` are codes or names, waves or regions.

    A wave is "ky/b1", or "b1" for the project's own system. A region is its name or slug
    ("region-sjaelland", "sjaelland"). ``only_system`` leaves out those who do not have the project's system.
    """

    kind: str
    values: tuple[str, ...] = ()
    only_system: bool = False

    @classmethod
    def parse(cls, text: str) -> RecipientChoice:
        """Read "all", "alle", "101,147", "bølge:ky/b1", "region:Sjælland" or "undtagen:101"; raises RefusedError.

        "all" is everyone who has the project's system, "alle" every municipality; "kommuner:Køge,Læsø" takes
        names, and "system+region:Sjælland" only those of the region who have the system.
        """
        bare = text.strip()
        only_system = bare.casefold().startswith(_ONLY_SYSTEM)
        word, colon, rest = bare[len(_ONLY_SYSTEM) if only_system else 0 :].partition(":")
        values = tuple(part.strip() for part in (rest if colon else word).split(",") if part.strip())
        kind = _WORDS.get(word.strip().casefold())
        if kind in (ALL, WITH_SYSTEM) and not colon and not only_system:
            return cls(kind)
        if kind in NARROWED and colon and values:
            return cls(kind, values, only_system)
        if not colon and values and all(value.isdigit() for value in values):
            return cls(LISTED, values, only_system)
        raise _refused(
            f"“{text[:60]}” kan ikke læses. Skriv all, alle, 101,147, kommuner:Køge, bølge:ky/b1, "
            "region:Sjælland eller undtagen:101."
        )

    def words(self) -> str:
        """The choice as ``parse`` reads it, and as a task keeps it; empty where nobody is named yet."""
        start = _ONLY_SYSTEM if self.only_system else ""
        if self.kind in (ALL, WITH_SYSTEM):
            return self.kind
        if not self.values:
            return ""
        if self.kind == LISTED and all(value.isdigit() for value in self.values):
            return start + ",".join(self.values)
        return f"{start}{_SHOWN.get(self.kind, self.kind)}:{','.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Place:
    """An active municipality's name and region."""

    name: str
    region: str


def recipients(work: Work, choice: RecipientChoice, project: str) -> tuple[int, ...]:
    """The codes the choice comes to, ascending; ``project`` (slug) says which system is meant.

    Raises RefusedError with one sentence for whatever is unknown, and when nobody is left.
    """
    codes = _chosen(work, choice, project)
    if not codes:
        raise _refused("der er ingen kommuner tilbage. Vælg mindst én.")
    return tuple(sorted(codes))


def covers(work: Work, choice: RecipientChoice, project: str, code: int) -> bool:
    """Whether a municipality is among those chosen, as things stand now; what cannot be read covers nobody."""
    try:
        return code in _chosen(work, choice, project)
    except RefusedError:
        return False


def excepts(choice: RecipientChoice, code: int, places: Mapping[int, Place]) -> bool:
    """Whether a choice of all but some leaves the municipality out; what cannot be read leaves everybody out."""
    try:
        return code not in places or code in _listed(choice.values, places)
    except RefusedError:
        return True


def _chosen(work: Work, choice: RecipientChoice, project: str) -> set[int]:
    places = places_of(work)
    system = work.session.scalar(select(Project.system_code).where(Project.slug == project))
    everyone = set(places)
    if choice.kind == ALL:
        codes = everyone
    elif choice.kind == WITH_SYSTEM:
        codes = _with_system(work, system) & everyone or everyone
    elif choice.kind == LISTED:
        codes = _listed(choice.values, places)
    elif choice.kind == ALL_EXCEPT:
        codes = everyone - _listed(choice.values, places)
    elif choice.kind == WAVES:
        codes = _in_waves(work, choice.values, system) & everyone
    elif choice.kind == REGIONS:
        names = _regions(choice.values, {place.region for place in places.values()})
        codes = {code for code, place in places.items() if place.region in names}
    else:
        raise _refused("vælg, hvem opgaven skal udgives til.")
    return codes & _with_system(work, system) if choice.only_system else codes


def read_list(work: Work, text: str) -> Understood:
    """What a pasted list of codes and names comes to among the active municipalities; one statement."""
    return understand(text, {code: place.name for code, place in places_of(work).items()})


def in_words(work: Work, choice: RecipientChoice, project: str | None = None) -> str:
    """ "Alle undtagen Køge og Læsø"; ``project`` (slug) gives the system its name.

    What is unknown by now stands as it was written.
    """
    system = _system_name(work, project)
    having = f"har {system}" if system else "har projektets system"
    places = places_of(work)
    if choice.kind == ALL or (choice.kind == WITH_SYSTEM and project and not system):
        return "Alle kommuner"
    if choice.kind == WITH_SYSTEM:
        return f"Alle, der {having}"
    if choice.kind == WAVES:
        words = f"Bølge {listed(_wave_names(work, choice.values))}"
    elif choice.kind == REGIONS:
        regions = {slug(place.region): place.region for place in places.values()}
        words = listed(
            regions.get(slug(value)) or regions.get(f"region-{slug(value)}") or value
            for value in choice.values
        )
    else:
        names = {str(code): place.name for code, place in places.items()}
        words = listed(names.get(value, value) for value in choice.values)
        if choice.kind == ALL_EXCEPT:
            words = f"Alle undtagen {words}"
    return f"{words}, kun dem, der {having}" if choice.only_system else words


def _system_name(work: Work, project: str | None) -> str | None:
    return work.session.scalar(
        select(System.name).join(Project, Project.system_code == System.code).where(Project.slug == project)
    )


def _wave_names(work: Work, values: Iterable[str]) -> list[str]:
    rows = work.session.execute(select(Wave.system_code, Wave.slug, Wave.name))
    names = {f"{code}/{word}": name for code, word, name in rows}
    return [names.get(value, value) for value in values]


def places_of(work: Work) -> dict[int, Place]:
    """The active municipalities by code; one statement."""
    rows = work.session.execute(
        select(Municipality.id, Municipality.name, Municipality.region)
        .where(Municipality.active.is_(True))
        .order_by(Municipality.id)
    )
    return {code: Place(name, region) for code, name, region in rows}


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


def _listed(values: Iterable[str], places: Mapping[int, Place]) -> set[int]:
    understood = understand("\n".join(values), {code: place.name for code, place in places.items()})
    if understood.strangers:
        raise RefusedError({FIELD: strangers_sentence(understood)})
    return set(understood.codes)


def strangers_sentence(understood: Understood) -> str:
    """What could not be understood, each name with what was probably meant; at most ten of them."""
    codes = [stranger.text for stranger in understood.strangers if stranger.text.isdigit()]
    names = [stranger for stranger in understood.strangers if not stranger.text.isdigit()]
    sentences = [stranger.sentence for stranger in names[:MOST_STRANGERS]]
    if codes:
        shown = ", ".join(code[:20] for code in codes[:MOST_STRANGERS])
        one = len(codes) == 1
        sentences.insert(
            0, f"der er ingen kommune{'' if one else 'r'} med kode{'n' if one else 'rne'} {shown}."
        )
    if more := len(names[MOST_STRANGERS:]) + len(codes[MOST_STRANGERS:]):
        sentences.append(f"Og {more} til.")
    return f"Modtagere: {' '.join(sentences)}"


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
