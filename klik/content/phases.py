"""Phases and themes of KOMBIT's implementation model (names: seed 003; definitions: klik's own words)."""

from dataclasses import dataclass
from typing import Any

from klik.content.keys import ContentValueError, Key, markdown, number, several, slug, text
from klik.domain.tasknumbers import TaskNumber, TaskNumberError

LAST_NUMBER = 99


@dataclass(frozen=True, slots=True)
class Phase:
    """A stage of an implementation; `number` is its order. Retired: its file is gone, old tasks name it."""

    slug: str
    number: int
    name: str
    definition: str
    typical_tasks: tuple[str, ...]
    is_retired: bool = False

    @classmethod
    def retired(cls, slug: str) -> "Phase":
        """Stands in for a phase that no file describes any more; sorts last."""
        return cls(slug, LAST_NUMBER, slug, "", (), is_retired=True)


@dataclass(frozen=True, slots=True)
class Theme:
    """What a task contributes to; `prefix` begins its task numbers (MI in MI 15), empty when retired."""

    slug: str
    name: str
    prefix: str
    definition: str
    typical_tasks: tuple[str, ...]
    is_retired: bool = False

    @classmethod
    def retired(cls, slug: str) -> "Theme":
        """Stands in for a theme that no file describes any more."""
        return cls(slug, slug, "", "", (), is_retired=True)


def _prefix(value: Any) -> str:
    short = text(4)(value)
    try:
        return TaskNumber(short, 1).prefix
    except TaskNumberError:
        raise ContentValueError(f"“{short}” skal være to til fire store bogstaver, fx “MI”.") from None


PHASE_KEYS = (
    Key("slug", slug),
    Key("nummer", number(1, LAST_NUMBER - 1)),
    Key("navn", text(60)),
    Key("definition", markdown),
    Key("typiske_opgaver", several(text(200))),
)
THEME_KEYS = (
    Key("slug", slug),
    Key("navn", text(60)),
    Key("praefiks", _prefix),
    Key("definition", markdown),
    Key("typiske_opgaver", several(text(200))),
)


def phase_from(values: dict[str, Any]) -> Phase:
    """A phase from the values of its file."""
    return Phase(
        slug=values["slug"],
        number=values["nummer"],
        name=values["navn"],
        definition=values["definition"],
        typical_tasks=values["typiske_opgaver"],
    )


def theme_from(values: dict[str, Any]) -> Theme:
    """A theme from the values of its section."""
    return Theme(
        slug=values["slug"],
        name=values["navn"],
        prefix=values["praefiks"],
        definition=values["definition"],
        typical_tasks=values["typiske_opgaver"],
    )
