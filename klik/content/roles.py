"""The descriptions of the role gallery: what each role does, who holds it and when KOMBIT turns to it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from klik.content.keys import Key, choice, markdown, number, several, slug, text, yes_or_no


class RoleScope(StrEnum):
    """What a role is held for: once in the municipality, or once for each system."""

    MUNICIPALITY = "kommune"
    SYSTEM = "system"

    @property
    def label(self) -> str:
        """What people read."""
        return "Tværgående rolle" if self is RoleScope.MUNICIPALITY else "Systemrolle"


class Holders(StrEnum):
    """How many may hold a role at a time, and whether one of them is the primary one."""

    EXACTLY_ONE = "praecis-en"
    ONE_PRIMARY = "en-primaer"
    SEVERAL = "flere"

    @property
    def label(self) -> str:
        """What people read."""
        return _HOLDERS[self]


_HOLDERS = {
    Holders.EXACTLY_ONE: "Præcis én person",
    Holders.ONE_PRIMARY: "Gerne flere, én af dem primær",
    Holders.SEVERAL: "Gerne flere",
}


@dataclass(frozen=True, slots=True)
class RoleDescription:
    """A role of the gallery. Retired: its file is gone, but people still hold it.

    `systems`: codes of the systems it is for, empty for all. `phases`: slugs of the phases in which it should
    be filled. `spoc_phases`: those in which its holder is KOMBIT's first contact for the system. `plus_user`:
    the holder should have the level plusbruger. `shared`: other municipalities may see the primary holder's name.
    `description` is Markdown.
    """

    slug: str
    name: str
    scope: RoleScope
    systems: tuple[str, ...]
    phases: tuple[str, ...]
    holders: Holders
    version: int
    change: str
    summary: str
    description: str
    tasks: tuple[str, ...]
    contact: str
    spoc_phases: tuple[str, ...]
    plus_user: bool
    shared: bool = False
    is_retired: bool = False

    @classmethod
    def retired(cls, slug: str) -> "RoleDescription":
        """Stands in for a role that no file describes any more."""
        return cls(
            slug=slug,
            name=slug,
            scope=RoleScope.SYSTEM,
            systems=(),
            phases=(),
            holders=Holders.SEVERAL,
            version=0,
            change="",
            summary="",
            description="",
            tasks=(),
            contact="",
            spoc_phases=(),
            plus_user=False,
            is_retired=True,
        )

    def is_for(self, system: str) -> bool:
        """Whether the role is held for the system with this code; never for one across the municipality."""
        return self.scope is RoleScope.SYSTEM and (not self.systems or system in self.systems)


ROLE_KEYS = (
    Key("slug", slug),
    Key("navn", text(60)),
    Key("omfang", choice(RoleScope)),
    Key("systemer", several(slug), required=False, default=()),
    Key("faser", several(slug)),
    Key("primaer", choice(Holders)),
    Key("version", number(1, 999)),
    Key("aendring", text(300)),
    Key("resume", text(300)),
    Key("beskrivelse", markdown),
    Key("opgaver", several(text(200))),
    Key("kontakt", text(500, lines=True)),
    Key("spoc_faser", several(slug), required=False, default=()),
    Key("plusbruger", yes_or_no),
    Key("deles", yes_or_no, required=False, default=False),
)


def role_from(values: dict[str, Any]) -> RoleDescription:
    """A role from the values of its file."""
    return RoleDescription(
        slug=values["slug"],
        name=values["navn"],
        scope=values["omfang"],
        systems=values["systemer"],
        phases=values["faser"],
        holders=values["primaer"],
        version=values["version"],
        change=values["aendring"],
        summary=values["resume"],
        description=values["beskrivelse"],
        tasks=values["opgaver"],
        contact=values["kontakt"],
        spoc_phases=values["spoc_faser"],
        plus_user=values["plusbruger"],
        shared=values["deles"],
    )
