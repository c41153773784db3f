"""The shape of a drejebog's workbook."""

from __future__ import annotations

from klik.services import workbooks

MOST_ROWS = 1_000
SHEET = "Opgaver"
SHAPE = workbooks.Shape(SHEET, MOST_ROWS, "opgave", "drejebogen")
