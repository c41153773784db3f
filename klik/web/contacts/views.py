"""Whom KOMBIT turns to: a municipality's contacts system by system, and one system's in every municipality."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, send_file

from klik.domain.rights import Right
from klik.services import access, small_tables, tables
from klik.services.contacts import first, people, vcards, wanted
from klik.services.contacts.first import SystemContacts
from klik.services.contacts.wanted import Choices, Wanted
from klik.services.criteria import QueryTooLongError
from klik.services.small_tables import Value
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.lookups import look_up
from klik.web.roles.views import place
from klik.web.tasks import way

blueprint = Blueprint("contacts", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
VCARD = "text/vcard; charset=utf-8"
HEADINGS = (
    "Kommunekode",
    "Kommune",
    "Region",
    "System",
    "Bølge",
    "Fase nu",
    "Rolle",
    "Kontakt",
    "Mail",
    "Telefon",
    "Stedfortræder",
    "Stedfortræders mail",
    "Sidst bekræftet",
    "Bemærk",
)


def asked(work: Work) -> tuple[Wanted, Choices]:
    """What the address asks for, too long a one is answered with 414; a municipality's people ask of it alone."""
    try:
        found, offered = wanted.read(work, way.address_query())
    except QueryTooLongError:
        abort(414)
    assert work.actor is not None
    if work.actor.municipality_id is not None:
        found = replace(found, municipalities=(), regions=())
    return found, offered


def sent(work: Work, content: bytes, extension: str, kind: str, what: str) -> Any:
    """A file to be saved."""
    name = tables.named(work, extension, what)
    return send_file(io.BytesIO(content), kind, as_attachment=True, download_name=name, max_age=0)


def looked_up(work: Work, kind: str, count: int, found: Wanted) -> None:
    """Note that this many people of a selection were shown or handed out."""
    assert work.actor is not None
    look_up(kind, count, subject=urlencode(found.pairs()), municipality_id=work.actor.municipality_id)


@blueprint.get("/kontakter")
@allow(Right.READ_ROLES)
def index(work: Work) -> Any:
    """A municipality's contacts by system and phase; for KOMBIT without a municipality those of one system."""
    code = place(work)
    if code is None:
        return _system_page(work)
    where, rows = first.of_municipality(work, code)
    look_up("kontakter", sum(not _is_vacant(row) for row in rows), municipality_id=code)
    return render_template(
        "contacts/municipality.html",
        place=where,
        rows=rows,
        phases=work.registry.content.phases,
        vacant=sum(_is_vacant(row) for row in rows),
        now=work.now,
    )


def _system_page(work: Work) -> str:
    found, offered = _one_system(work)
    rows = first.of_systems(work, found)
    looked_up(work, "kontakter", sum(not _is_vacant(row) for row in rows), found)
    return render_template(
        "contacts/system.html",
        wanted=found,
        choices=offered,
        names=" og ".join(offered.systems[code] for code in found.systems) or "alle systemer",
        rows=rows,
        vacant=sum(_is_vacant(row) for row in rows),
        now=work.now,
    )


def _one_system(work: Work) -> tuple[Wanted, Choices]:
    """What is asked for; in all municipalities of one system alone, the first where the address names none."""
    found, offered = asked(work)
    assert work.actor is not None
    if work.actor.kombit and offered.systems and not (found.systems or found.municipalities):
        chosen = replace(found, systems=(next(iter(offered.systems)),))
        return chosen, replace(offered, waves=wanted.waves(work, chosen.systems))
    return found, offered


def _is_vacant(row: SystemContacts) -> bool:
    return row.present.slot is None or row.present.slot.vacant


@blueprint.get("/kontakter.csv")
@allow(Right.EXPORT)
def as_csv(work: Work) -> Any:
    """The contacts now as CSV for a Danish Excel."""
    return sent(work, small_tables.as_csv(HEADINGS, _lines(work)), "csv", CSV, "Kontakter")


@blueprint.get("/kontakter.xlsx")
@allow(Right.EXPORT)
def as_xlsx(work: Work) -> Any:
    """The contacts now as an Excel workbook."""
    content = small_tables.as_xlsx("Kontakter", "Kontakter", work.now, HEADINGS, _lines(work), width=20)
    return sent(work, content, "xlsx", XLSX, "Kontakter")


def _lines(work: Work) -> Iterator[Sequence[Value]]:
    found, _offered = _one_system(work)
    rows = first.of_systems(work, found)
    looked_up(work, "fil", sum(not _is_vacant(row) for row in rows), found)
    for row in rows:
        slot = row.present.slot
        contact = slot.first if slot else None
        stand_in = slot.substitutes[0] if slot and slot.substitutes else None
        confirmed = contact.confirmed_on() if contact else None
        yield (
            f"{row.place.code:03d}",
            row.place.name,
            row.place.region,
            row.name,
            row.standing.wave_name,
            row.present.phase.name,
            slot.role.name if slot else None,
            contact.name if contact else None,
            contact.address if contact else None,
            contact.phone if contact else None,
            stand_in.name if stand_in else None,
            stand_in.address if stand_in else None,
            confirmed.isoformat() if confirmed else None,
            "Ubesat" if contact is None else "Mails kommer retur" if contact.returned else None,
        )


@blueprint.get("/kontakter/personer/<id:membership_id>.vcf")
@allow(Right.EXPORT)
def person(work: Work, membership_id: int) -> Any:
    """One person's vCard, with the roles held today."""
    card = people.card(work, membership_id)
    member = access.colleague(work, membership_id)
    look_up("vcard", 1, municipality_id=member.municipality_id, about_person_id=member.person_id)
    return sent(work, vcards.written([card], work.now), "vcf", VCARD, card.name)
