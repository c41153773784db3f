"""KOMBIT's matrix of vacant roles: the page, and the same as a file."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, render_template, send_file

from klik.domain.rights import Right
from klik.services import tables
from klik.services.roles import matrix as role_matrix
from klik.services.roles.matrix import FILTERS, Matrix
from klik.services.work import Work
from klik.web.base import access
from klik.web.lookups import look_up
from klik.web.tasks.way import address_query

blueprint = Blueprint("role_matrix", __name__)
ADDRESS = "/roller"
MOST_PAIRS = 200
_FILES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def page(work: Work) -> str:
    """The matrix as the address asks for it."""
    drawn = _read(work)
    look_up("matrix", drawn.total.slots - drawn.total.vacant, subject=urlencode(list(drawn.wanted.pairs())))
    shown = list(drawn.wanted.pairs())
    # Only what has a field of its own above the table can be kept by it; a second value stands as a chip.
    return render_template(
        "roles/matrix.html",
        matrix=drawn,
        fields=FILTERS,
        chips=[(_words(drawn, pair), _without(drawn, pair)) for pair in shown],
        hidden=[pair for key in FILTERS for pair in shown if pair[0] == key and len(drawn.wanted[key]) > 1],
        query=urlencode(shown),
    )


@blueprint.get("/roller/matrix.csv")
@access(Right.PUBLISH)
def as_csv(work: Work) -> Any:
    """The rows and numbers of the page as CSV for a Danish Excel."""
    drawn = _read(work)
    return _take_out(work, drawn, "csv", role_matrix.as_csv(drawn))


@blueprint.get("/roller/matrix.xlsx")
@access(Right.PUBLISH)
def as_xlsx(work: Work) -> Any:
    """The rows and numbers of the page as an Excel workbook."""
    drawn = _read(work)
    return _take_out(work, drawn, "xlsx", role_matrix.as_xlsx(work, drawn))


def _take_out(work: Work, drawn: Matrix, kind: str, content: bytes) -> Any:
    """Hand the matrix out as a file: the one place where it leaves klik."""
    look_up("fil", drawn.total.slots - drawn.total.vacant, subject=urlencode(list(drawn.wanted.pairs())))
    name = tables.named(work, kind, "Ubesatte roller")
    return send_file(io.BytesIO(content), _FILES[kind], as_attachment=True, download_name=name, max_age=0)


def _read(work: Work) -> Matrix:
    try:
        pairs = parse_qsl(address_query(), max_num_fields=MOST_PAIRS)
    except ValueError:
        pairs = []
    return role_matrix.read(work, pairs)


def _words(drawn: Matrix, pair: tuple[str, str]) -> str:
    key, value = pair
    return f"{FILTERS[key]}: {drawn.choices[key][value]}"


def _without(drawn: Matrix, pair: tuple[str, str]) -> str:
    rest = urlencode([each for each in drawn.wanted.pairs() if each != pair])
    return f"{ADDRESS}?{rest}" if rest else ADDRESS
