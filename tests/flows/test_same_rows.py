"""Whatever is asked, the screen, CSV, Excel, the calendar and the PDF hold the same tasks in one order."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import icalendar
import openpyxl
import pytest
from sqlalchemy import update

from klik.domain.deadlines import danish_today
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTask, MunicipalTaskField
from klik.services import tables
from klik.settings import Settings
from tests import make
from tests.flows.site import Site, Visitor, served
from tests.flows.test_journeys import printed
from tests.sink import running_sink

pytestmark = pytest.mark.hard
METTE = "mette@koege.example"
TASKS = 60
# {}: a day three weeks ago. The second figure is how many tasks the question finds at least.
QUESTIONS = (
    ("fuldfoerte=ja", 40),
    ("fuldfoerte=ja&sorter=status&sorter=-deadline&sorter=titel", 40),
    ("fuldfoerte=nej&sorter=-ansvarlig&sorter=prioritet&sorter=-titel", 20),
    ("q=%C3%A6blegr%C3%B8d+%C3%A5r&sorter=titel", 4),
    ("q=AEBLE&sorter=-titel", 0),
    ("ksd.blokerer=udbetaling&ksd.blokerer=brev&fuldfoerte=ja", 5),
    ("vis_som={}&sorter=titel", 10),
    ("siden={}&fuldfoerte=nej&sorter=-deadline", 1),
    ("deadline=roed&deadline=gul&ansvarlig=mig&ansvarlig=ingen", 3),
    ("deadline=idag-30..idag%2B30&status=i-gang&status=ikke-paabegyndt&grupper=status", 5),
)


@pytest.fixture
def site(house_settings: Settings) -> Iterator[Site]:
    fill(house_settings)
    with running_sink() as sink, served(house_settings, sink) as site:
        yield site


def fill(settings: Settings) -> None:
    """Sixty tasks in Køge of every kind, half of them older than the day that is looked back to."""
    chance, now = random.Random(11), datetime.now(UTC)
    today = danish_today(now)
    house = Installation(settings)
    with house.writing(now) as work:
        session = work.session
        mette = make.person(session, "Mette Ømann", email=METTE)
        others = [make.person(session, name) for name in ("Åse Aa", "Bo Zebra")]
        ksd = make.project(session, "ksd", system_code="ksd")
        for number in range(TASKS):
            words = chance.choice(["Æblegrød hvert år", "Ørkenens dag", "Ansvar & aftaler", "Åbent hus"])
            days = chance.choice([None, -40, -30, -1, 0, 1, 9, 30, 31, 200])
            row = make.municipal_task(
                session,
                title=f"{words} nr{number:02d}",
                in_project=ksd if number % 3 else None,
                municipality=make.HERNING if number % 10 == 9 else make.KOEGE,
                deadline=None if days is None else today + timedelta(days=days),
                status=chance.choice([*Status, Status.NOT_STARTED]),
                responsible=chance.choice([None, mette, *others]) if number % 10 != 9 else None,
                local=number % 5 == 0,
            )
            if number % 3:
                value = chance.choice(["udbetaling", "brev", "afgoerelse"])
                session.add(
                    MunicipalTaskField(
                        municipality_id=row.municipality_id,
                        municipal_task_id=row.id,
                        field="ksd.blokerer",
                        value=value,
                    )
                )
        made = now - timedelta(days=60)
        session.execute(
            update(MunicipalTask)
            .where(MunicipalTask.id % 2 == 0)
            .values(created_at=made, changed_at=made)
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(MunicipalTask)
            .where(MunicipalTask.id % 2 == 1)
            .values(created_at=now - timedelta(days=5))
            .execution_options(synchronize_session=False)
        )
    house.close()


def shown(window: Visitor, query: str) -> dict[int, tuple[str, bool]]:
    """What the pages of the list hold in order: the title by id, and whether there is a deadline."""
    found: dict[int, tuple[str, bool]] = {}
    for number in range(1, 9):
        page = window.get(f"/opgaver?{query}&pr_side=25&side={number}")
        rows = page.select("tr[id^=opgave-]")
        here = {
            int(str(row["id"]).removeprefix("opgave-")): (
                row.select_one("th a").get_text(strip=True),  # type: ignore[union-attr]
                row.select_one("td[data-label=Deadline] time") is not None,
            )
            for row in rows
        }
        assert not here.keys() & found.keys(), f"{query}: a task stands on two pages"
        found |= here
        if page.select_one("a[rel=next]") is None:
            return found
    raise AssertionError("there is no last page")


def test_the_same_rows_in_the_same_order_everywhere(site: Site) -> None:
    window = site.visitor().sign_in(METTE)
    day = (danish_today(datetime.now(UTC)) - timedelta(days=21)).isoformat()
    place = tables.COLUMNS.index("Opgave-id")
    for question, least in QUESTIONS:
        query = question.format(day)
        rows = shown(window, query)
        assert len(rows) >= least, query
        ids = list(rows)
        text = window.download(f"/opgaver.csv?{query}").decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
        assert [int(line[place]) for line in table[1:]] == ids, query
        sheet = openpyxl.load_workbook(io.BytesIO(window.download(f"/opgaver.xlsx?{query}"))).active
        assert sheet is not None
        assert [line[place] for line in list(sheet.iter_rows(values_only=True))[1:]] == ids, query
        events = icalendar.Calendar.from_ical(window.download(f"/opgaver.ics?{query}")).walk("VEVENT")
        dated = [int(str(each["UID"]).partition("@")[0].removeprefix("opgave-")) for each in events]
        assert dated == [each for each in ids if rows[each][1]], query
        numbers = re.findall(r"nr\d\d", printed(window.download(f"/opgaver.pdf?{query}")))
        assert numbers == [title[-4:] for title, _dated in rows.values()], query
