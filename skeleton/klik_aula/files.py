"""The importer: a CSV or Excel file with the columns Enhed and Klar."""

from klik.plugins import Importer, ImportRefusedError, ImportReport, ImportRow, InputError, clean_text
from klik.plugins.sheets import rows_of
from klik_aula import units


def _read(file, name, context):
    # klik undoes all of it for a dry run, and when a row is wrong: so always write.
    header, *rows = rows_of(file, name) or [()]
    if [cell.casefold() for cell in header[:2]] != ["enhed", "klar"]:
        raise ImportRefusedError("Den første række skal være overskrifterne Enhed og Klar.")
    filled = [(number, row) for number, row in enumerate(rows, start=2) if any(row)]
    return ImportReport(rows=tuple(_row(number, row, context) for number, row in filled))


def _row(number, row, context):
    unit, ready = (*row, "", "")[:2]
    try:
        unit = clean_text(unit, field="Enhed", limit=units.LONGEST_NAME, required=True, tick=False)
    except InputError as error:
        return ImportRow(number=number, outcome="forkert", text=str(error))
    if ready.casefold() not in ("ja", "nej"):
        return ImportRow(number=number, outcome="forkert", text="Klar skal være ja eller nej.")
    outcome = units.note(context, context.municipality, unit, ready.casefold() == "ja")
    return ImportRow(number=number, outcome=outcome, text=unit)


UNITS = Importer(
    key="aula.enheder",
    label="Enheder",
    help="CSV eller Excel med kolonnerne Enhed og Klar (ja eller nej).",
    read=_read,
    system="aula",
)
