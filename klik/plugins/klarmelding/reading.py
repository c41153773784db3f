"""A klarmeldingsregneark read: rows found by their headings, wherever they stand; nothing is stored here."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from klik.plugins import ImportRefusedError, find_cpr_numbers, search_key
from klik.plugins.klarmelding.catalogue import Interface, interface_numbered
from klik.plugins.klarmelding.verdict import NO, NOT_RELEVANT, UNSAID, YES

# What stands in the seed's sheet where nobody has written anything: formulas give 0, the version is to be filled in.
PLACEHOLDERS = frozenset({"", "0", "xx.xx", "-", "–"})
_WORDS: Mapping[str, str] = {
    "ja": YES,
    "j": YES,
    "nej": NO,
    "n": NO,
    "ikke relevant": NOT_RELEVANT,
    "ikke-relevant": NOT_RELEVANT,
    "irrelevant": NOT_RELEVANT,
    "ikke oplyst": UNSAID,
    "": UNSAID,
}
Rows = Sequence[Sequence[str]]
Left = deque[tuple[int, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row that cannot be used, and why, as a Danish sentence that never repeats a CPR number."""

    number: int
    text: str


@dataclass(slots=True)
class ReadCriterion:
    """A criterion as it stands in the file."""

    row: int
    number: int
    text: str
    met: bool | None
    remark: str


@dataclass(slots=True)
class ReadLine:
    """What the file says of an interface; None where it says nothing."""

    interface: Interface
    row: int
    said: str | None = None
    supplier_remark: str | None = None
    ready: bool | None = None
    remark: str | None = None
    criteria: list[ReadCriterion] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """The whole file: its particulars, what it says by interface number, and what is wrong with it."""

    supplier: str
    system: str
    place: str
    edition: str
    lines: Mapping[str, ReadLine]
    wrong: tuple[Wrong, ...]


class _Reading:
    """One file on its way; rows are numbered within their own sheet of the file."""

    def __init__(self) -> None:
        self.particulars: dict[str, str] = {}
        self.lines: dict[str, ReadLine] = {}
        self.wrong: list[Wrong] = []
        self.seen_front = False

    def line(self, interface: Interface, row: int) -> ReadLine:
        return self.lines.setdefault(interface.number, ReadLine(interface, row))

    def read(self, rows: Rows) -> None:
        left: Left = deque(enumerate(rows, start=1))
        current: Interface | None = None
        remark = ""
        while left:
            number, row = left.popleft()
            keys = [_key(cell) for cell in row]
            first = keys[0] if keys else ""
            if "leverandoer" in keys and ("system" in keys or "pilotkommune" in keys):
                self._particulars(keys, left.popleft()[1] if left else ())
            elif first.startswith("snitflade"):
                self._front(keys, left)
            elif first.startswith("samlet vurdering"):
                values = left.popleft()[1] if left else ()
                remark = " ".join(_cell(values, _place(keys, "bemaerkning")).split())
            elif first == "integration" and len(row) > 1:
                current = interface_numbered(row[1])
                if current is None:
                    text = f"Integrationen “{_shown(row[1])}” findes ikke i regnearket v. 1."
                    self.wrong.append(Wrong(number, text))
                else:
                    self.line(current, number).remark = remark
                remark = ""
            elif first in ("nr.", "nr") and current is not None:
                self._criteria(keys, left, current)

    def _particulars(self, keys: Sequence[str], values: Sequence[str]) -> None:
        for word in ("leverandoer", "system", "pilotkommune", "version"):
            value = _cell(values, _place(keys, word))
            if value.casefold() not in PLACEHOLDERS:
                self.particulars.setdefault(word, value)

    def _front(self, keys: Sequence[str], left: Left) -> None:
        """The rows of interfaces, until a row that is none."""
        self.seen_front = True
        said_at, ready_at = _place(keys, "leverandoerens selvangivelse"), _place(keys, "klarmeldt")
        remark_at = _place(keys, "leverandoerens bemaerkning")
        while left:
            number, row = left[0]
            interface = interface_numbered(_cell(row, 0))
            if interface is None and any(row) and not _key(row[0]).startswith(("sf", "ce")):
                return
            left.popleft()
            if not any(row):
                continue
            if interface is None:
                text = f"Snitfladen “{_shown(row[0])}” findes ikke i regnearket v. 1."
                self.wrong.append(Wrong(number, text))
                continue
            line = self.line(interface, number)
            if line.ready is not None or line.said is not None:
                self.wrong.append(Wrong(number, f"{interface.number} står også i række {line.row}."))
                continue
            line.row = number
            if said_at is not None:
                line.said = self._said(number, _cell(row, said_at), interface)
            if ready_at is not None:
                written = _cell(row, ready_at)
                line.ready = bool(self._yes(number, written, f"Klarmeldt for {interface.number}"))
            if remark_at is not None:
                line.supplier_remark = " ".join(_cell(row, remark_at).split())

    def _criteria(self, keys: Sequence[str], left: Left, interface: Interface) -> None:
        """The numbered criteria, until a row that is none."""
        met_at, text_at = _place(keys, "klarmelding"), _place(keys, "klarmeldingskriterium")
        remark_at = _place(keys, "bemaerkning")
        line = self.line(interface, 0)
        while left:
            number, row = left[0]
            digits = _cell(row, 0).strip(". ")
            is_number = digits.isascii() and digits.isdecimal() and len(digits) <= 3
            if any(row) and not is_number:
                return
            left.popleft()
            if is_number:
                what = f"{interface.number} kriterium {digits}"
                line.criteria.append(
                    ReadCriterion(
                        row=number,
                        number=int(digits),
                        text=_cell(row, text_at),
                        met=self._yes(number, _cell(row, met_at), what),
                        remark=" ".join(_cell(row, remark_at).split()),
                    )
                )

    def _said(self, number: int, written: str, interface: Interface) -> str | None:
        word = _WORDS.get(written.casefold().strip())
        if word is None:
            self.wrong.append(
                Wrong(
                    number,
                    f"{interface.number}: selvangivelsen “{_shown(written)}” er hverken Ja, Nej eller Ikke relevant.",
                )
            )
        return word

    def _yes(self, number: int, written: str, what: str) -> bool | None:
        word = _WORDS.get(written.casefold().strip())
        if word not in (YES, NO, UNSAID):
            self.wrong.append(Wrong(number, f"{what}: “{_shown(written)}” er hverken Ja eller Nej."))
        return {YES: True, NO: False}.get(word or "")


def read_sheets(pages: Mapping[str, Rows]) -> ReadSheet:
    """The file's sheets as one klarmelding; raises ImportRefusedError for another kind of file."""
    reading = _Reading()
    for title, rows in pages.items():
        _refuse_cpr(title, rows)
        reading.read(rows)
    if not reading.seen_front:
        raise ImportRefusedError(
            "Filen er ikke et klarmeldingsregneark: der er ingen række med SNITFLADE NUMMER, INTEGRATIONER, "
            "Leverandørens selvangivelse og Klarmeldt."
        )
    given = reading.particulars
    return ReadSheet(
        supplier=given.get("leverandoer", ""),
        system=given.get("system", ""),
        place=given.get("pilotkommune", ""),
        edition=given.get("version", ""),
        lines=reading.lines,
        wrong=tuple(reading.wrong),
    )


def _refuse_cpr(title: str, rows: Rows) -> None:
    for number, row in enumerate(rows, start=1):
        if any(find_cpr_numbers(cell) for cell in (title, *row)):
            where = f"i arket {title}, " if title and not find_cpr_numbers(title) else ""
            raise ImportRefusedError(
                f"Filen rummer noget, der ligner et CPR-nummer: {where}række {number}. "
                "Fjern det; klik gemmer ingen CPR-numre."
            )


def _key(cell: str) -> str:
    return search_key(cell).replace("ø", "oe").replace("æ", "ae")


def _place(keys: Sequence[str], word: str) -> int | None:
    """The column with this heading, exactly or by its beginning."""
    for place, key in enumerate(keys):
        if key == word:
            return place
    return next((place for place, key in enumerate(keys) if key.startswith(word)), None)


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""


def _shown(text: str) -> str:
    return text[:30]
