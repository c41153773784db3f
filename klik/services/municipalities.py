"""The 98 municipalities by official code, name and region."""

from __future__ import annotations

import csv

from sqlalchemy import select
from sqlalchemy.orm import Session

from klik import paths
from klik.domain.texts import sort_key
from klik.models import Municipality


def note(session: Session) -> None:
    """Make a row for each municipality that has none; names and regions follow the file."""
    known = {row.id: row for row in session.scalars(select(Municipality))}
    with (paths.PACKAGE / "municipalities.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            code = int(line["code"])
            row = known.get(code)
            if row is None:
                row = Municipality(id=code, name="", name_key="", region="")
                session.add(row)
            if (row.name, row.region) != (line["name"], line["region"]):
                row.name, row.name_key, row.region = line["name"], sort_key(line["name"]), line["region"]
