"""Klarmelding's part of the world: in each of the two municipalities a sheet of either supplier, and what is bought."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert, update
from sqlalchemy.orm import Session

from klik.domain.texts import search_key

# The supplier that the world's own visitor belongs to, and another.
SUPPLIERS = {"netcompany": "Netcompany", "other": "Fjord Omsorg"}
STEERING: Mapping[str, str] = {
    "klarmelding_criteria": "interface",
    "klarmelding_agreements": "supplier supplier_key system_key",
    "klarmelding_demands": "interface",
    "klarmelding_sheets": "supplier supplier_key system_key edition",
    "klarmelding_declarations": "interface said",
    "klarmelding_confirmations": "interface",
    "klarmelding_answers": "interface",
}


def fill(
    session: Session, table: Callable[[str], Table], made: Any, places: tuple[int, ...], now: datetime
) -> None:
    """Make the rows; ``made`` is the world that remembers which they are."""

    def add(name: str, **values: Any) -> int:
        found = session.execute(insert(table(f"klarmelding_{name}")).values(**values))
        return int(found.inserted_primary_key[0])

    changed = {"version": 1, "changed_at": now, "person": None}
    for place in places:
        for word, supplier in SUPPLIERS.items():
            of = {
                "municipality_id": place,
                "supplier": supplier,
                "supplier_key": supplier.casefold(),
                "system": "x",
                "system_key": "eoj",
            }
            agreement = add("agreements", **of, bought_on=None, questions="x", **changed)
            add("demands", agreement_id=agreement, municipality_id=place, interface="SF0810", due=None)
            sheet = add("sheets", **of, edition="01.00", published_at=None, made_at=now, **changed)
            made.ids[f"klarmelding {word}", place] = sheet
            on = {
                "sheet_id": sheet,
                "municipality_id": place,
                "interface": "SF0810",
                "person": None,
                "remark": "x",
            }
            declared = add("declarations", **on, said="ja", by_supplier=False, said_at=now)
            add("confirmations", **on, ready=False, confirmed_at=now)
            add("answers", **on, criterion=2, edition=1, met=False, answered_at=now)
            if word == "netcompany":
                made.of_supplier |= {("klarmelding_sheets", sheet), ("klarmelding_declarations", declared)}
            # What is bought of whom is the municipality's own.
            made.at_home.add(("klarmelding_agreements", agreement))
    add(
        "criteria",
        interface="SF1470",
        number=1,
        text="x",
        withdrawn=False,
        edition=1,
        changed_at=now,
        person=None,
    )


def name_supplier(session: Session, table: Callable[[str], Table], organisation: str) -> None:
    """The visitor's supplier is known by what its membership is called once the world is marked."""
    for name in ("klarmelding_sheets", "klarmelding_agreements"):
        rows = table(name)
        session.execute(
            update(rows)
            .where(rows.c.supplier == SUPPLIERS["netcompany"])
            .values(supplier_key=search_key(organisation))
        )


def is_own_word(world: Any, kind: str, table: str, row: Mapping[str, Any]) -> bool:
    """Whether a supplier writes its own word: on a municipality's sheet, and only on one of its own name."""
    sheet = {"klarmelding_sheets": row.get("id"), "klarmelding_declarations": row.get("sheet_id")}.get(table)
    return kind == "leverandoer" and ("klarmelding_sheets", sheet) in world.of_supplier
