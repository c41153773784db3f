"""The card of a municipality's roles: one A4, readable, with everybody on it, whatever there is to show."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pikepdf
import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from klik.services.contacts import role_card
from klik.services.documents import CardHolder, CardRole, CardSystem, RoleCardDocument
from klik.services.errors import NotFoundError
from klik.services.rendering import Limits, Renderer
from klik.services.work import Work
from tests import make
from tests.make import NOW

# The longest names people have, and the longest that roles and systems have.
NAMES = (
    "Anne-Kathrine Christoffersen Østergaard-Vestergaard",
    "Marie-Louise Kristiansdatter Frederiksen-Thorvaldsen",
    "Christian-Emil Hasselbalch Skovgaard-Mortensen",
)
ROLES = (
    "Projektejer",
    "Projektleder",
    "Gevinstejer",
    "Superbruger",
    "Supportberettiget bruger",
    "Systemadministrator",
    "Systemansvarlig",
    "Medarbejder med økonomiopgaver",
)
ACROSS = (
    "Brugeradministrator",
    "Infrastrukturansvarlig",
    "Infrastrukturejer",
    "KLIK-administrator",
    "KOMBIT-programleder",
    "Organisationsadministrator",
    "Underskriftsberettiget (serviceaftaler)",
)
FLOOR = 5.5  # points; what is quieter than names may be a little smaller
A4 = (841.89, 595.28)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer(children=1, limits=Limits(seconds=60, cpu_seconds=60)) as renderer:
        yield renderer


def card(systems: int, superusers: int = 1) -> RoleCardDocument:
    """A municipality with so many systems of eight roles; one role in nine is vacant."""

    def role(name: str, number: int) -> CardRole:
        vacant, several = number % 9 == 8, superusers if name == "Superbruger" else 1
        holders = tuple(
            CardHolder(
                name=f"{NAMES[number % 3]} K{number:03d}{'abcdef'[place]}",
                standing="primær" if several > 1 and not place else "",
                address="",
                phone="12 34 56 78",
                freshness="aldrig bekræftet" if number % 4 == 0 else "bekræftet for 12 dage siden",
                confirmed="aldrig" if number % 4 == 0 else "10-11-26",
                stale=number % 4 == 0,
                unreachable=number % 17 == 0,
            )
            for place in range(0 if vacant else several)
        )
        return CardRole(name.lower(), name, vacant, vacant and number % 2 == 0, holders)

    return RoleCardDocument(
        municipality="Lyngby-Taarbæk",
        across=tuple(role(name, number) for number, name in enumerate(ACROSS, start=900)),
        systems=tuple(
            CardSystem(
                f"s{place}",
                f"Fælleskommunalt Ydelsessystem {place}",
                tuple(role(name, place * 8 + number) for number, name in enumerate(ROLES)),
            )
            for place in range(systems)
        ),
        vacant=7,
        urgent=3,
        people=40,
        exported_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        exported_by="Mette Holm, Lyngby-Taarbæk",
        identifier="AAAA-BBBB-CCCC",
    )


def text_of(pdf: bytes) -> str:
    """Its words without white space, so that line breaks do not matter."""
    found = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True, timeout=30)
    return re.sub(r"\s", "", found.stdout.decode())


def heights(pdf: bytes) -> list[float]:
    """The height of each word's line in points; a word's box is 1.3 times its letters in IBM Plex Sans."""
    found = subprocess.run(
        ["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True, timeout=30
    ).stdout.decode()
    boxes = re.findall(r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">Østergaard', found)
    return [float(bottom) - float(top) for top, bottom in boxes]


@pytest.mark.parametrize(("systems", "superusers"), [(0, 1), (1, 1), (8, 2), (20, 6)])
def test_it_is_one_page_with_everybody_on_it(
    renderer: Renderer, systems: int, superusers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    document = card(systems, superusers)
    pdf = renderer.role_card_pdf(document)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) == 1
        box = [float(each) for each in opened.pages[0].mediabox]
        assert box[2:] == pytest.approx(A4, abs=0.5)
        assert opened.Root.MarkInfo.Marked
        assert str(opened.Root.Lang) == "da"
    shown = text_of(pdf)
    slots = (*document.across, *(role for system in document.systems for role in system.roles))
    assert shown.count("Ubesat") == sum(role.vacant for role in slots)
    assert shown.count("manglernu") - 1 == sum(role.needed for role in slots)
    for role in slots:
        for each in role.holders[:1]:
            assert each.name.rpartition(" ")[2] in shown
    size = min(heights(pdf), default=0) / 1.3
    assert size == 0 or size >= FLOOR - 0.2
    with capsys.disabled():
        sys.stdout.write(
            f"\ncard: {systems} systems × 8 roles, {superusers} superusers: 1 page, names {size:.1f} pt"
        )


def test_the_card_is_the_gallery(house: Installation) -> None:
    with house.database.writing() as session:
        mette, jens = make.person(session, "Mette Holm"), make.person(session, "Jens Ek")
        make.has_system(session)
        make.holding(session, "superbruger", holder=mette)
        make.holding(session, "superbruger", holder=jens, primary=False)
        make.holding(session, mailbox="kp@koege.example")
        away = make.person(session, "KANARIE", municipality=make.HERNING)
        make.holding(session, holder=away, municipality=make.HERNING)
        make.municipal_task(session, make.task(session, phase="ibrugtagning"))
        work = Work(session, make.actor(session, mette), NOW, house.registry)
        document = role_card.collect(work, make.KOEGE)
        roles = {role.slug: role for role in document.systems[0].roles}
        assert [(each.name, each.standing) for each in roles["superbruger"].holders] == [
            ("Mette Holm", "primær"),
            ("Jens Ek", ""),
        ]
        assert roles["systemansvarlig"].holders[0].name == "kp@koege.example"
        assert roles["systemansvarlig"].holders[0].freshness == "bekræftet i dag"
        assert roles["projektleder"].vacant
        assert roles["projektleder"].needed
        assert document.people == 3
        assert "KANARIE" not in repr(document)
        with pytest.raises(NotFoundError):
            role_card.collect(work, make.HERNING)
        kombit = make.person(session, "Gitte", level=Level.KOMBIT_EDITOR)
        seen = role_card.collect(
            Work(session, make.actor(session, kombit), NOW, house.registry), make.HERNING
        )
        assert "KANARIE" in repr(seen)
