"""What stands on a driftsside (seed 000): messages, known errors, releases, news, the year wheel and guides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from klik.plugins import MONTHS, Choice

LONGEST_LINE, LONGEST_TEXT = 200, 4_000
OPEN, SOLVED = "i-gang", "loest"
STATES = (Choice(value=OPEN, label="I gang"), Choice(value=SOLVED, label="Løst"))
# Seed 000, the support case's four; the slide prints a B at "Lav" by mistake, its checklist D.
CRITICALITIES = (
    Choice(value="A", label="A · Kritisk"),
    Choice(value="B", label="B · Høj"),
    Choice(value="C", label="C · Medium"),
    Choice(value="D", label="D · Lav"),
)
# Words that files use for the choices beside their labels.
OTHER_WORDS: Mapping[str, str] = {
    "aaben": OPEN,
    "åben": OPEN,
    "igangværende": OPEN,
    "ny": OPEN,
    "lukket": SOLVED,
    "afsluttet": SOLVED,
    "kritisk": "A",
    "høj": "B",
    "medium": "C",
    "mellem": "C",
    "lav": "D",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that is written about a noun; ``kind`` is linje, tekst, dag, valg, release or adresse.

    ``name`` is its word in forms and JSON, ``label`` in pages and a file's heading, ``other_names`` further headings.
    """

    name: str
    column: str
    label: str
    kind: str = "linje"
    limit: int = LONGEST_LINE
    required: bool = False
    choices: tuple[Choice, ...] = ()
    help: str = ""
    other_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """A kind of entry. ``slug`` stands in addresses, ``table`` after the plug-in's prefix in its table's name.

    ``topic``: the end of the topic's key that people subscribe to, empty where nobody is told. ``key``: the part that
    a file's row is recognised by, "titel" where it is empty.
    """

    slug: str
    table: str
    one: str
    many: str
    parts: tuple[Part, ...]
    new: str = "ny"
    topic: str = ""
    key: str = "titel"
    importable: bool = True

    @property
    def heading(self) -> str:
        """The noun as a heading: "Kendte fejl"."""
        return self.many[0].upper() + self.many[1:]


TITLE = Part(name="titel", column="title", label="Titel", required=True)
COMPONENT = Part(
    name="komponent", column="component", label="Komponent", limit=60, help="Den del af systemet, det gælder."
)
SOLVE_ON = Part(
    name="forventet",
    column="solve_on",
    label="Forventet løst",
    kind="dag",
    limit=20,
    other_names=("Planlagt løsningsdato", "Løsningsdato"),
)
STATE = Part(
    name="tilstand",
    column="state",
    label="Status",
    kind="valg",
    limit=20,
    choices=STATES,
    other_names=("Tilstand",),
)


def _text(label: str, *others: str, name: str = "tekst", column: str = "text") -> Part:
    return Part(
        name=name, column=column, label=label, kind="tekst", limit=LONGEST_TEXT, other_names=tuple(others)
    )


MESSAGE = Noun(
    slug="driftsmeddelelser",
    table="messages",
    one="driftsmeddelelse",
    many="driftsmeddelelser",
    parts=(
        Part(
            name="titel",
            column="title",
            label="Titel",
            required=True,
            other_names=("Driftsmeddelelser", "Driftsmeddelelse"),
        ),
        COMPONENT,
        _text("Tekst", "Beskrivelse"),
        SOLVE_ON,
        STATE,
    ),
    topic="driftsmeddelelser",
)
ERROR = Noun(
    slug="fejl",
    table="errors",
    one="kendt fejl",
    many="kendte fejl",
    parts=(
        Part(
            name="nummer",
            column="number",
            label="Nummer",
            limit=40,
            help="Leverandørens nummer på fejlen, hvis den har et.",
            other_names=("Id", "Fejl-id"),
        ),
        Part(
            name="titel",
            column="title",
            label="Titel",
            required=True,
            other_names=("Fejlbeskeder", "Fejlbesked"),
        ),
        COMPONENT,
        _text("Beskrivelse", "Tekst"),
        Part(
            name="kritikalitet",
            column="criticality",
            label="Kritikalitet",
            kind="valg",
            limit=20,
            choices=(Choice(value="", label="Ikke vurderet"), *CRITICALITIES),
        ),
        SOLVE_ON,
        STATE,
        Part(
            name="workaround",
            column="workaround",
            label="Workaround",
            kind="tekst",
            limit=LONGEST_TEXT,
            help="Hvordan kommunen kommer uden om fejlen, indtil den er løst.",
        ),
        Part(
            name="release",
            column="until_release",
            label="Workaround gælder til release",
            kind="release",
            help="Når releasen kommer, får abonnenterne besked om, at workaround'en ophører.",
            other_names=("Release", "Gælder til release", "Løses i release"),
        ),
    ),
    topic="kendte-fejl",
    key="nummer",
)
RELEASE = Noun(
    slug="releases",
    table="releases",
    one="release",
    many="releases",
    parts=(
        Part(
            name="titel",
            column="title",
            label="Release",
            required=True,
            limit=60,
            other_names=("Titel", "Navn"),
        ),
        Part(
            name="dato",
            column="released_on",
            label="Dato",
            kind="dag",
            limit=20,
            required=True,
            other_names=("Releasedato",),
        ),
        _text("Indhold", "Tekst", "Beskrivelse"),
    ),
    topic="releases",
)
NEWS = Noun(
    slug="nyheder",
    table="news",
    one="nyhed",
    many="nyheder",
    parts=(TITLE, COMPONENT, _text("Tekst", "Beskrivelse")),
    topic="nyheder",
)
WHEEL = Noun(
    slug="aarshjul",
    table="wheel",
    one="punkt i årshjulet",
    many="årshjul",
    new="nyt",
    parts=(
        Part(
            name="maaned",
            column="month",
            label="Måned",
            kind="valg",
            limit=20,
            required=True,
            choices=tuple(
                Choice(value=str(number), label=name) for number, name in enumerate(MONTHS, start=1)
            ),
        ),
        TITLE,
        _text("Tekst", "Beskrivelse"),
    ),
)
GUIDE = Noun(
    slug="vejledninger",
    table="guides",
    one="vejledning",
    many="vejledninger",
    parts=(
        TITLE,
        Part(name="formaal", column="text", label="Formål", kind="tekst", limit=LONGEST_TEXT),
        Part(
            name="adresse",
            column="link",
            label="Adresse",
            kind="adresse",
            limit=300,
            help="Hvor dokumentet ligger. Begynder med https://",
        ),
    ),
)
NOUNS = (MESSAGE, ERROR, NEWS, RELEASE, WHEEL, GUIDE)
BY_SLUG: Mapping[str, Noun] = {noun.slug: noun for noun in NOUNS}
