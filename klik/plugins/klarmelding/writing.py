"""Writing on a sheet: each part by who answers for it, nothing where nothing changed, and never over each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, delete, insert, select, update

from klik.plugins import PluginContext
from klik.plugins.klarmelding.criteria import in_force
from klik.plugins.klarmelding.readiness import key_of
from klik.plugins.klarmelding.tables import answers, confirmations, declarations, sheets

LONGEST_NAME, LONGEST_EDITION, LONGEST_REMARK = 120, 20, 500


class SupplierHasSaidError(Exception):
    """The supplier has written its own answer in klik; the municipality does not write over it."""


class ThereAlreadyError(Exception):
    """The municipality has that sheet already."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the municipality says of one interface: "Klarmeldt", its remark, and each criterion with its remark.

    A criterion that is left out is left as it stands.
    """

    ready: bool
    remark: str
    answers: Mapping[int, tuple[bool | None, str]] = field(default_factory=dict)


def make(context: PluginContext, municipality: int, supplier: str, system: str, edition: str) -> int:
    """A new sheet without answers; returns its id, raises ThereAlreadyError."""
    assert context.store is not None
    keys = {
        "municipality_id": municipality,
        "supplier_key": key_of(supplier),
        "system_key": key_of(system),
        "edition": edition,
    }
    if find(context, municipality, supplier, system, edition) is not None:
        raise ThereAlreadyError
    made = insert(sheets).values(
        **keys,
        supplier=supplier,
        system=system,
        published_at=None,
        version=1,
        made_at=context.now,
        changed_at=context.now,
        person=context.person_id,
    )
    return int(context.store.execute(made.returning(sheets.c.id)).scalar_one())


def find(context: PluginContext, municipality: int, supplier: str, system: str, edition: str) -> int | None:
    """The id of the municipality's sheet with these particulars."""
    assert context.store is not None
    found: int | None = context.store.execute(
        select(sheets.c.id).where(
            sheets.c.municipality_id == municipality,
            sheets.c.supplier_key == key_of(supplier),
            sheets.c.system_key == key_of(system),
            sheets.c.edition == edition,
        )
    ).scalar()
    return found


def take(context: PluginContext, sheet_id: int, version: int) -> bool:
    """Raise the sheet's version from the one that was shown; False when somebody else has written since."""
    assert context.store is not None
    changed = context.store.execute(
        update(sheets)
        .where(sheets.c.id == sheet_id, sheets.c.version == version)
        .values(version=version + 1, changed_at=context.now, person=context.person_id)
    )
    return bool(changed.rowcount == 1)


def declare(
    context: PluginContext, sheet_id: int, municipality: int, interface: str, said: str, remark: str | None
) -> bool:
    """What the supplier says of an interface; whether that changed anything. ``remark`` None leaves it as it is.

    Raises SupplierHasSaidError when the municipality would write over the supplier's own.
    """
    by_supplier = context.municipality is None and not context.kombit
    kept = _row(context, declarations, sheet_id, interface)
    before = (kept.said, kept.remark) if kept else ("", "")
    wanted = (said, before[1] if remark is None else remark)
    if before == wanted:
        return False
    if kept is not None and kept.by_supplier and not by_supplier:
        raise SupplierHasSaidError
    values = {
        "said": wanted[0],
        "remark": wanted[1],
        "by_supplier": by_supplier,
        "said_at": context.now,
        "person": context.person_id,
    }
    _keep(context, declarations, kept, values, sheet_id, municipality, interface=interface)
    return True


def confirm(
    context: PluginContext, sheet_id: int, municipality: int, interface: str, given: Confirmed
) -> bool:
    """What the municipality says of an interface; whether that changed anything."""
    assert context.store is not None
    kept = _row(context, confirmations, sheet_id, interface)
    changed = (
        (kept.ready, kept.remark) != (given.ready, given.remark) if kept else given.ready or given.remark
    )
    if changed:
        values = {
            "ready": given.ready,
            "remark": given.remark,
            "confirmed_at": context.now,
            "person": context.person_id,
        }
        _keep(context, confirmations, kept, values, sheet_id, municipality, interface=interface)
    editions = {each.number: each.edition for each in in_force(context.store)[interface]}
    for number, (met, remark) in given.answers.items():
        answered = _answer(context, sheet_id, municipality, interface, number, editions[number], met, remark)
        changed = answered or changed
    return bool(changed)


def _answer(
    context: PluginContext,
    sheet_id: int,
    municipality: int,
    interface: str,
    number: int,
    edition: int,
    met: bool | None,
    remark: str,
) -> bool:
    kept = _row(context, answers, sheet_id, interface, answers.c.criterion == number)
    if kept is None:
        before: tuple[bool | None, str] = (None, "")
    else:
        before = (kept.met if kept.edition == edition else None, kept.remark)
    if before == (met, remark):
        return False
    values = {
        "met": met,
        "remark": remark,
        "edition": edition,
        "answered_at": context.now,
        "person": context.person_id,
    }
    _keep(context, answers, kept, values, sheet_id, municipality, interface=interface, criterion=number)
    return True


def _row(context: PluginContext, table: Table, sheet_id: int, interface: str, *more: Any) -> Any:
    assert context.store is not None
    where = (table.c.sheet_id == sheet_id, table.c.interface == interface, *more)
    return context.store.execute(select(table).where(*where)).first()


def _keep(
    context: PluginContext,
    table: Table,
    kept: Any,
    values: Mapping[str, Any],
    sheet_id: int,
    municipality: int,
    **keys: Any,
) -> None:
    assert context.store is not None
    if kept is None:
        context.store.execute(
            insert(table).values(sheet_id=sheet_id, municipality_id=municipality, **keys, **values)
        )
    else:
        context.store.execute(update(table).where(table.c.id == kept.id).values(**values))


def publish(context: PluginContext, sheet_id: int, *, shown: bool) -> None:
    """Show the sheet to all municipalities, without remarks, or take it back."""
    assert context.store is not None
    context.store.execute(
        update(sheets).where(sheets.c.id == sheet_id).values(published_at=context.now if shown else None)
    )


def remove(context: PluginContext, sheet_id: int) -> None:
    """Take the sheet away with everything on it."""
    assert context.store is not None
    for table in (answers, confirmations, declarations):
        context.store.execute(delete(table).where(table.c.sheet_id == sheet_id))
    context.store.execute(delete(sheets).where(sheets.c.id == sheet_id))
