"""The importer of klarmeldingsregneark: what a municipality's file changes in klik, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from klik.plugins import (
    Importer,
    ImportRefusedError,
    ImportReport,
    ImportRow,
    InputError,
    PluginContext,
    clean_text,
    search_key,
)
from klik.plugins.klarmelding import writing
from klik.plugins.klarmelding.catalogue import interfaces
from klik.plugins.klarmelding.criteria import Criterion
from klik.plugins.klarmelding.readiness import Line, load, names_of_places
from klik.plugins.klarmelding.reading import ReadCriterion, ReadLine, ReadSheet, read_sheets
from klik.plugins.klarmelding.tables import sheets
from klik.plugins.klarmelding.verdict import NO, SAID, YES
from klik.plugins.klarmelding.writing import Confirmed, SupplierHasSaidError
from klik.plugins.sheets import sheets_of


def read(file: BinaryIO, name: str, context: PluginContext) -> ImportReport:
    """Make the municipality's sheet what the file says; what the file does not name is left alone."""
    if context.store is None or context.municipality is None:
        raise ImportRefusedError("Vælg den kommune, arket gælder.")
    found = read_sheets(sheets_of(file, name))
    supplier, system, edition = _particulars(found, context)
    sheet_id = writing.find(context, context.municipality, supplier, system, edition)
    made = sheet_id is None
    if sheet_id is None:
        sheet_id = writing.make(context, context.municipality, supplier, system, edition)
    sheet = load(context, sheets.c.id == sheet_id)[0]
    rows = [ImportRow(number=each.number, outcome="forkert", text=each.text) for each in found.wrong]
    rows += [
        _line(context, sheet_id, context.municipality, found.lines[number], sheet.line(number))
        for number in interfaces()
        if number in found.lines
    ]
    if any(row.outcome != "uændret" for row in rows) and not made:
        writing.take(context, sheet_id, sheet.version)
    sentences = [
        f"{'Nyt ark' if made else 'Arket findes'}: {supplier}, {system}"
        + (f", version {edition}" if edition else "")
    ]
    after = load(context, sheets.c.id == sheet_id)[0]
    sentences += _remarks(found, after.lines)
    return ImportReport(rows=tuple(rows), sentences=tuple(sentences))


def _particulars(found: ReadSheet, context: PluginContext) -> tuple[str, str, str]:
    """Supplier, system and version, fit to be stored; raises ImportRefusedError."""
    assert context.municipality is not None
    own = names_of_places(context)[context.municipality]
    if found.place and _town(found.place) != _town(own):
        raise ImportRefusedError(f"Arket gælder en anden pilotkommune end {own}. Indlæs kun jeres eget ark.")
    for value, heading in ((found.supplier, "LEVERANDØR"), (found.system, "SYSTEM")):
        if not value:
            raise ImportRefusedError(f"Arkets forside mangler {heading}.")
    try:
        supplier = clean_text(found.supplier, field="LEVERANDØR", limit=writing.LONGEST_NAME, tick=False)
        system = clean_text(found.system, field="SYSTEM", limit=writing.LONGEST_NAME, tick=False)
        edition = clean_text(found.edition, field="Version", limit=writing.LONGEST_EDITION, tick=False)
    except InputError as error:
        raise ImportRefusedError(str(error)) from error
    return supplier, system, edition


def _town(name: str) -> str:
    return search_key(name).removesuffix(" kommune").removesuffix(" regionskommune").removesuffix("s")


def _line(context: PluginContext, sheet_id: int, place: int, read_line: ReadLine, before: Line) -> ImportRow:
    number = read_line.interface.number
    changes = list(_changes(read_line, before))
    try:
        texts = [read_line.remark, read_line.supplier_remark, *(each.remark for each in read_line.criteria)]
        for text in texts:
            clean_text(text or "", field="Bemærkninger", limit=writing.LONGEST_REMARK, tick=False)
        if read_line.said is not None:
            writing.declare(context, sheet_id, place, number, read_line.said, read_line.supplier_remark)
        writing.confirm(context, sheet_id, place, number, _confirmed(read_line, before))
    except SupplierHasSaidError:
        text = (
            f"{number}: leverandøren har selv skrevet {SAID[before.said]} i klik. "
            "Ret arket, eller bed leverandøren rette."
        )
        return ImportRow(number=read_line.row, outcome="forkert", text=text)
    except InputError as error:
        return ImportRow(number=read_line.row, outcome="forkert", text=f"{number}: {error}")
    wrong = _other_wording(read_line, before)
    if wrong:
        return ImportRow(number=read_line.row, outcome="forkert", text=f"{number}: {wrong}")
    outcome = "uændret" if not changes else "ændret" if _is_known(before) else "ny"
    return ImportRow(
        number=read_line.row,
        outcome=outcome,
        text=f"{number} {read_line.interface.name}: {', '.join(changes) or 'som det står'}",
    )


def _is_known(before: Line) -> bool:
    return before.said_on is not None or before.confirmed_on is not None or bool(before.answers)


def _confirmed(read_line: ReadLine, before: Line) -> Confirmed:
    """What the file says over what stands; an empty answer says nothing."""
    known = {each.number: each for each in before.criteria}
    return Confirmed(
        ready=before.said_ready if read_line.ready is None else read_line.ready,
        remark=before.remark if read_line.remark is None else read_line.remark,
        answers={
            each.number: (each.met, each.remark)
            for each in read_line.criteria
            if each.number in known and (each.met is not None or each.remark)
        },
    )


def _changes(read_line: ReadLine, before: Line) -> Iterator[str]:
    if read_line.said is not None and read_line.said != before.said:
        yield f"selvangivelse {SAID[before.said]} → {SAID[read_line.said]}"
    if read_line.supplier_remark is not None and read_line.supplier_remark != before.supplier_remark:
        yield "leverandørens bemærkning"
    wanted = _confirmed(read_line, before)
    if wanted.ready != before.said_ready:
        yield f"klarmeldt {_yes(before.said_ready)} → {_yes(wanted.ready)}"
    if wanted.remark != before.remark:
        yield "bemærkninger"
    held = {each.number: before.answer(each) for each in before.criteria}
    for number, (met, remark) in wanted.answers.items():
        if met != held[number].met:
            yield f"kriterium {number} {_yes(held[number].met)} → {_yes(met)}"
        if remark != held[number].remark:
            yield f"bemærkning til kriterium {number}"


def _yes(met: bool | None) -> str:
    return {True: SAID[YES], False: SAID[NO], None: "ikke besvaret"}[met]


def _other_wording(read_line: ReadLine, before: Line) -> str:
    """A criterion in the file that is worded otherwise than KOMBIT's: its answer would be to another question."""
    known = {each.number: each for each in before.criteria}
    for each in read_line.criteria:
        if each.number in known and each.text and not _same(known[each.number], each):
            return (
                f"kriterium {each.number} lyder anderledes end i klik. Hent arket på ny, og overfør svarene."
            )
    return ""


def _same(ours: Criterion, theirs: ReadCriterion) -> bool:
    return "".join(search_key(ours.text).split()) == "".join(search_key(theirs.text).split())


def _remarks(found: ReadSheet, after: tuple[Line, ...]) -> list[str]:
    """What the reader should know of the file that no row says."""
    sentences = []
    for line in after:
        read_line = found.lines.get(line.interface.number)
        if read_line is None:
            continue
        number = line.interface.number
        known = {each.number for each in line.criteria}
        strangers = [each for each in read_line.criteria if each.number not in known]
        if strangers:
            sentences.append(
                f"{number}: arket har {len(strangers)} {'kriterium' if len(strangers) == 1 else 'kriterier'}, "
                "som KOMBIT ikke har skrevet i klik. Svarene på dem er ikke læst."
            )
        if line.said_ready and not line.verdict.ready:
            reason = line.verdict.reason
            sentences.append(
                f"{number}: arket siger klarmeldt, men {reason[:1].lower()}{reason[1:]}. Samlet vurdering er Nej."
            )
    return sentences


SHEET = Importer(
    key="klarmelding.ark",
    label="Klarmeldingsregneark",
    help="KOMBITs klarmeldingsregneark v. 1 som Excel: forsiden med LEVERANDØR, SYSTEM, PILOTKOMMUNE og Version, og et "
    "ark for hver integration. Findes arket i forvejen, rettes kun det, filen siger anderledes. Svar, der er tomme i "
    "filen, bliver stående.",
    read=read,
    system="infrastruktur",
)
