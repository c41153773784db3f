"""The filter language as it is promised, line by line, on a few tasks one can follow by eye."""

from __future__ import annotations

from datetime import timedelta

import pytest

from klik.domain.status import Status
from klik.installation import Installation
from klik.services import filtering, listing
from tests import make

PROMISED = (
    *(
        "projekt",
        "system",
        "kommune",
        "bolge",
        "region",
        "runde",
        "fase",
        "tema",
        "deadline",
        "prioritet",
        "status",
        "startdato",
    ),
    *("slutdato", "ansvarlig", "udfoerer", "infrastruktur", "fuldfoerte", "nummer", "q", "aendret"),
)
DAY = timedelta(days=1)

# Query, and the titles it must give ("1" … "6" are the tasks below).
LINES = (
    # A repeated key means "or", different keys mean "and".
    ("status=ikke-paabegyndt&status=i-gang", "12345"),
    ("status=i-gang", "2"),
    ("deadline=roed&deadline=gul", "12"),
    ("deadline=roed&deadline=gul&status=i-gang", "2"),
    ("projekt=kp&projekt=ky", "12345"),
    ("projekt=ky", "3"),
    ("system=ky", "3"),
    # Colours, and those without a deadline.
    ("deadline=roed", "1"),
    ("deadline=gul", "2"),
    ("deadline=groen", "34"),
    ("deadline=ingen", "5"),
    # Closed tasks are hidden until they are asked for.
    ("", "12345"),
    ("fuldfoerte=nej", "12345"),
    ("fuldfoerte=ja", "1234567"),
    ("status=fuldfoert", "6"),
    ("status=ikke-relevant", "7"),
    # A date, ranges closed and open, relative dates; "+" in an address that nobody escaped is a plus too.
    ("deadline=2026-11-20", "1"),
    ("deadline=20-11-2026", "1"),
    ("deadline=2026-11-01..2026-11-30", "12"),
    ("deadline=..2026-11-30", "12"),
    ("deadline=2026-11-30..", "34"),
    ("deadline=idag%2B3", "2"),
    ("deadline=idag+3", "2"),
    ("deadline=idag..idag%2B40", "23"),
    ("deadline=idag..idag+40", "23"),
    ("deadline=idag-7..idag", "1"),
    ("deadline=idag-1&deadline=idag%2B3", "12"),
    ("startdato=2026-11-10", "2"),
    ("startdato=..idag", "2"),
    ("slutdato=idag&fuldfoerte=ja", "6"),
    # Who.
    ("ansvarlig=mig", "1"),
    ("ansvarlig=ingen", "2345"),
    ("ansvarlig=mig&ansvarlig=ingen", "12345"),
    ("udfoerer=mig", "2"),
    ("udfoerer=ingen", "1345"),
    # Numbers, however they are written; a prefix alone is all of its numbers.
    ("nummer=MI+15", "1"),
    ("nummer=mi15", "1"),
    ("nummer=MI-15", "1"),
    ("nummer=MI", "12"),
    ("nummer=M", ""),
    # Free text over title, number and text: case, accents and å/aa are alike, æ and ø are letters of their own.
    ("q=aarhus", "3"),
    ("q=ÅRHUS", "3"),
    ("q=a%CC%8Arhus", "3"),
    ("q=Aabenraa", "4"),
    ("q=åbenrå", "4"),
    ("q=ærø", "5"),
    ("q=ÆRØ", "5"),
    ("q=aero", ""),
    ("q=VF+07", "3"),
    ("q=brug+århus", "3"),
    ("q=beskrivelsen", "12345"),
    ("q=100%25", "2"),
    ("q=_", ""),
    ("q=aarhus&q=ærø", "35"),
    ("infrastruktur=ja", "4"),
    ("infrastruktur=nej", "1235"),
    ("prioritet=hoej", "4"),
    ("fase=opstart", "3"),
    ("tema=gevinster-og-vaerdier", "5"),
    ("kommune=259", "12345"),
    ("aendret=ja", "12345"),
    ("aendret=nej", ""),
)


@pytest.fixture
def filled(house: Installation):  # type: ignore[no-untyped-def]
    """Seven tasks in Køge, and who looks at them."""
    with house.writing(make.NOW) as work:
        session, today = work.session, make.TODAY
        me = make.person(session)

        def task(title: str, number: str, **more):  # type: ignore[no-untyped-def]
            of_version = ("in_project", "phase", "theme", "priority", "infrastructure")
            version = make.task(
                session, title, number=number, **{key: more.pop(key) for key in of_version if key in more}
            )
            make.municipal_task(session, version, **more)

        ky = make.project(session, "ky", system_code="ky")
        task("1 Rød", "MI 15", deadline=today - DAY, responsible=me)
        task(
            "2 Gul 100% klar",
            "MI 16",
            deadline=today + 3 * DAY,
            status=Status.IN_PROGRESS,
            start=today - 11 * DAY,
            executor=me,
        )
        task("3 Brugere i Århus", "VF 07", deadline=today + 40 * DAY, in_project=ky, phase="opstart")
        task(
            "4 Aabenraa",
            "VF 08",
            deadline=today + 90 * DAY,
            infrastructure=True,
            priority="hoej",
            start=today + 5 * DAY,
        )
        task("5 Ærø", "GV 01", deadline=None, theme="gevinster-og-vaerdier")
        task("6 Færdig", "PL 01", status=Status.COMPLETED)
        task("7 Uden betydning", "PL 02", status=Status.NOT_RELEVANT)
        actor = make.actor(session, me)
    with house.reading(make.NOW, actor) as work:
        yield work


def test_every_promised_key_is_there(house: Installation) -> None:
    assert [key for key in PROMISED if key not in house.registry.filters] == []
    assert "ksd.blokerer" in house.registry.filters, "a plug-in's filter stands beside the core's"


def test_every_line_means_what_it_says(filled) -> None:  # type: ignore[no-untyped-def]
    wrong = []
    for query, titles in LINES:
        selection = filtering.select_tasks(filled, filtering.read(filled.registry, query))
        found = "".join(sorted(row.title[0] for row in listing.every_row(filled, selection)))
        if found != titles or selection.remarks:
            wrong.append((query, titles, found, selection.remarks))
    assert wrong == []


def test_what_is_unknown_is_named_and_the_rest_applies(filled) -> None:  # type: ignore[no-untyped-def]
    for query in ("deadline=roed&ukendt=1", "deadline=roed&status=halvt", "deadline=roed&tema=nedlagt"):
        selection = filtering.select_tasks(filled, filtering.read(filled.registry, query))
        assert [row.title for row in listing.every_row(filled, selection)] == ["1 Rød"]
        assert len(selection.remarks) == 1 and "findes ikke og er ikke brugt" in selection.remarks[0]
