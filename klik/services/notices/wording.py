"""The words of a mail that carries notices: its lines in their order, what sums it up, subject, text and page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from klik.domain.deadlines import Colour
from klik.services.notices.mails import LONGEST_SUBJECT, Rendered, one_line, render

MOST_LINES = 50
TOMORROW = "i morgen"


class Part(Enum):
    """What a line is about, in the order in which a mail shows it."""

    RED = "roed"
    SOON = "snart"
    YELLOW = "gul"
    NEWS = "nyt"
    OTHER = "andet"


@dataclass(frozen=True, slots=True)
class Line:
    """One notice in a mail. ``colour`` is the task's today, None for what is no open task.

    ``rows`` are further lines of its own, a task each, and ``tasks`` those with a page of their own;
    ``stop`` is where a mail that was asked for is ended.
    ``title`` stands in a list instead of the heading, which is worded to stand alone. ``actions`` are links that
    do one thing, a label and an address each. ``late`` says when it should have been sent.
    """

    heading: str
    sentence: str
    reason: str
    url: str
    colour: Colour | None
    rows: tuple[str, ...] = ()
    tasks: tuple[tuple[str, str], ...] = ()
    stop: str | None = None
    part: Part = Part.OTHER
    title: str | None = None
    late: str | None = None
    actions: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What the line is called in a list."""
        return self.title or self.heading


@dataclass(frozen=True, slots=True)
class Section:
    """The notices about one municipality, the most urgent first; without a name: about none in particular."""

    municipality: str | None
    lines: tuple[Line, ...]

    def parts(self, soon: str) -> Iterator[tuple[str, tuple[Line, ...]]]:
        """Each heading with its lines; ``soon`` says when those that are next become red."""
        titles = _TITLES | {Part.SOON: f"Bliver røde {soon}"}
        for part in Part:
            lines = tuple(line for line in self.lines if line.part is part)
            if lines:
                yield titles[part], lines


_TITLES: Mapping[Part, str] = {
    Part.RED: "Røde",
    Part.YELLOW: "Gule",
    Part.NEWS: "Nyt",
    Part.OTHER: "Andet",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail is to say. ``soon``: when the next tasks become red ("i morgen", "senest mandag").

    ``shared``: it goes to a mailbox, behind which nobody has an inbox or choices of their own.
    ``outside``: to an address that is nobody's in klik, not yet or no longer.
    """

    sections: tuple[Section, ...]
    soon: str = TOMORROW
    shared: bool = False
    outside: bool = False

    @property
    def lines(self) -> list[Line]:
        """All lines, in order."""
        return [line for section in self.sections for line in section.lines]


def subject(letter: Letter) -> str:
    """ "klik: 2 røde og 3 gule opgaver i Køge"; a single notice gives its own heading."""
    lines = letter.lines
    if len(lines) == 1:
        return one_line(lines[0].heading)[:LONGEST_SUBJECT]
    return one_line(f"klik: {summary(letter)}{_where(letter.sections)}")[:LONGEST_SUBJECT]


def summary(letter: Letter) -> str:
    """ "2 røde og 3 gule opgaver, 1 bliver rød i morgen samt 1 andet varsel"."""
    lines = letter.lines

    def tasks(part: Part) -> int:
        return len({line.url for line in lines if line.part is part})

    red, soon, yellow = tasks(Part.RED), tasks(Part.SOON), tasks(Part.YELLOW)
    news = sum(line.part is Part.NEWS for line in lines)
    others = sum(line.part is Part.OTHER for line in lines)
    colours = [
        f"{count} {one if count == 1 else many}"
        for count, one, many in ((red, "rød", "røde"), (yellow, "gul", "gule"))
        if count
    ]
    said = []
    if colours:
        said.append(f"{' og '.join(colours)} {'opgave' if (yellow or red) == 1 else 'opgaver'}")
    if soon:
        said.append(f"{soon} bliver {'rød' if soon == 1 else 'røde'} {letter.soon}")
    if news:
        said.append(f"{news} {'nyhed' if news == 1 else 'nyheder'}")
    if others:
        which = "" if not said else "andet " if others == 1 else "andre "
        said.append(f"{others} {which}{'varsel' if others == 1 else 'varsler'}")
    return " samt ".join(part for part in (", ".join(said[:-1]), said[-1]) if part)


def _where(sections: Sequence[Section]) -> str:
    names = [section.municipality for section in sections if section.municipality]
    if not names:
        return ""
    return f" i {names[0]}" if len(names) == 1 else f" i {len(names)} kommuner"


def notices_mail(letter: Letter, base_url: str) -> Rendered:
    """The mail that carries notices; at most fifty are written out, the rest stand behind the link."""
    lines = letter.lines
    shown = letter if len(lines) <= MOST_LINES else replace(letter, sections=_first(letter.sections))
    single = lines[0] if len(lines) == 1 else None
    return render(
        "varsler",
        subject=subject(letter),
        summary=f"{summary(letter)}.",
        late=sum(line.late is not None for line in lines),
        letter=shown,
        single=single,
        more=max(0, len(lines) - MOST_LINES),
        inbox=f"{base_url}/varsler/mine",
        choices=f"{base_url}/varsler/indstillinger",
        base_url=base_url,
    )


def _first(sections: Iterable[Section]) -> tuple[Section, ...]:
    """As many lines as a mail writes out, of the first sections."""
    left, shown = MOST_LINES, []
    for section in sections:
        if left > 0:
            shown.append(replace(section, lines=section.lines[:left]))
        left -= len(section.lines)
    return tuple(shown)
