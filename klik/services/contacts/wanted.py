"""What is asked of the address book: role × system × wave × region × municipality × phase, as an address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select

from klik.domain.rights import Right
from klik.models import Municipality, System, Wave
from klik.services import access
from klik.services.criteria import LONGEST_QUERY, MOST_VALUES, QueryTooLongError, unknown
from klik.services.work import Work

# Not a role of the gallery: whoever is KOMBIT's contact in the phase that the system is in.
CONTACT = "kontakt"
CONTACT_NAME = "KOMBITs kontakt i den fase, systemet er i"
NAMED, PLAIN = "navne", "adresser"


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose, by value: the words people read, in the order they are shown."""

    roles: Mapping[str, str]
    systems: Mapping[str, str]
    waves: Mapping[str, str]
    regions: Mapping[str, str]
    municipalities: Mapping[str, str]
    phases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The choices; an empty one is no restriction. ``everyone``: all who hold the role, not the first one alone.

    ``vacant``: only where nobody holds it. ``form`` is how a mailing list is written.
    """

    roles: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    waves: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    everyone: bool = False
    substitutes: bool = False
    mailboxes: bool = True
    vacant: bool = False
    form: str = NAMED
    remarks: tuple[str, ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """Everything that was asked for, as an address says it."""
        return [
            *((key, value) for key, name in _SEVERAL.items() for value in getattr(self, name)),
            *([("hvem", "alle")] if self.everyone else []),
            *([("stedfortraedere", "ja")] if self.substitutes else []),
            *([] if self.mailboxes else [("postkasser", "nej")]),
            *([("ubesat", "ja")] if self.vacant else []),
            *([("form", self.form)] if self.form != NAMED else []),
        ]

    def query(self, **changes: object) -> str:
        """The query string of the same with some fields changed; "" for nothing."""
        return urlencode(replace(self, **changes).pairs())  # type: ignore[arg-type]


_SEVERAL = {
    "rolle": "roles",
    "system": "systems",
    "bolge": "waves",
    "region": "regions",
    "kommune": "municipalities",
    "fase": "phases",
}
_WORDS = {
    "rolle": "Rollen",
    "system": "Systemet",
    "bolge": "Bølgen",
    "region": "Regionen",
    "kommune": "Kommunen",
    "fase": "Fasen",
}
_ONE = {
    "hvem": ("Valget af modtagere", ("primaer", "alle")),
    "stedfortraedere": ("Valget af stedfortrædere", ("ja", "nej")),
    "postkasser": ("Valget af postkasser", ("ja", "nej")),
    "ubesat": ("Valget af ubesatte", ("ja", "nej")),
    "form": ("Formen", (NAMED, PLAIN)),
}


def choices(work: Work) -> Choices:
    """What the actor can choose among; three statements."""
    access.require(work, Right.READ_ROLES)
    content = work.registry.content
    municipalities = work.session.execute(
        select(Municipality.id, Municipality.name, Municipality.region)
        .where(access.municipalities(work), Municipality.active.is_(True))
        .order_by(Municipality.name_key)
    ).all()
    named = work.session.execute(select(System.code, System.name).order_by(System.name))
    return Choices(
        roles={CONTACT: CONTACT_NAME} | {role.slug: role.name for role in content.roles},
        systems={code: name for code, name in named},
        waves=waves(work),
        regions={region: region for region in sorted({each.region for each in municipalities})},
        municipalities={f"{each.id:03d}": each.name for each in municipalities},
        phases={phase.slug: phase.name for phase in content.phases},
    )


def read(work: Work, query: str) -> tuple[Wanted, Choices]:
    """What a query string asks for, and what there is; what it cannot use is remarked. Raises QueryTooLongError."""
    if len(query) > LONGEST_QUERY:
        raise QueryTooLongError(f"Valget er for langt: højst {LONGEST_QUERY} tegn.")
    typed = [(key, value.strip()) for key, value in parse_qsl(query) if value.strip()]
    offered = choices(work)
    several: dict[str, list[str]] = {name: [] for name in _SEVERAL.values()}
    single: dict[str, str] = {}
    remarks = []
    for key, value in typed:
        if key in _SEVERAL:
            name, known = _SEVERAL[key], getattr(offered, _SEVERAL[key])
            value = value.zfill(3) if key == "kommune" else value
            if value in known and len(several[name]) < MOST_VALUES:
                several[name].append(value)
            elif value not in known:
                remarks.append(unknown(_WORDS[key], value, known))
        elif key in _ONE:
            what, words = _ONE[key]
            if value in words:
                single[key] = value
            else:
                remarks.append(unknown(what, value, words))
        else:
            remarks.append(unknown("Valget", key, (*_SEVERAL, *_ONE)))
    wanted = Wanted(
        **{name: tuple(dict.fromkeys(values)) for name, values in several.items()},
        everyone=single.get("hvem") == "alle",
        substitutes=single.get("stedfortraedere") == "ja",
        mailboxes=single.get("postkasser") != "nej",
        vacant=single.get("ubesat") == "ja",
        form=single.get("form", NAMED),
        remarks=tuple(dict.fromkeys(remarks)),
    )
    return wanted, offered if not wanted.systems else replace(offered, waves=waves(work, wanted.systems))


def waves(work: Work, systems: tuple[str, ...] = ()) -> Mapping[str, str]:
    """The waves of these systems, or of all, each slug once."""
    rows = work.session.execute(
        select(Wave.slug, Wave.name)
        .where(*([Wave.system_code.in_(systems)] if systems else []))
        .order_by(Wave.system_code, Wave.position)
    )
    found: dict[str, str] = {}
    for slug, name in rows:
        found.setdefault(slug, name)
    return found
