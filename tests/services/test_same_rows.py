"""Screen, Excel, CSV, calendar and PDF hold the same tasks, whatever is asked."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import icalendar
import openpyxl
from sqlalchemy import select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Membership, MunicipalTask, Person
from klik.services import calendar_feeds, filtering, list_document, tables
from tests import make
from tests.client import Browser
from tests.make import NOW, TODAY

WHO = (Level.PLUS_USER, Level.READER, Level.KOMBIT_EDITOR)
QUESTIONS = 6


def _filter(chance: random.Random) -> str:
    choices = (
        "deadline=roed",
        "deadline=gul",
        "deadline=groen",
        "status=ikke-paabegyndt",
        "status=fuldfoert",
        "fuldfoerte=ja",
        "fase=opstart",
        "q=opgave",
        "deadline=idag..idag%2B20",
        "aendret=ja",
        "ansvarlig=ingen",
        "prioritet=hoej",
    )
    order = chance.choice(("", "sorter=titel", "sorter=-deadline", "sorter=nummer"))
    return "&".join(filter(None, (*chance.sample(choices, chance.randrange(3)), order)))


def _made(house: Installation) -> dict[Level, str]:
    chance = random.Random(3)
    with house.writing(NOW) as work:
        session = work.session
        people = {level: make.person(session, level=level) for level in WHO}
        for number in range(40):
            day = chance.choice([None, -30, -1, 0, 1, 14, 15, 60])
            row = make.municipal_task(
                session,
                title=f"Opgave nr. {number} =x",
                municipality=chance.choice([make.KOEGE, make.KOEGE, make.HERNING]),
                deadline=None if day is None else TODAY + timedelta(days=day),
                status=chance.choice(list(Status)),
                local=chance.random() < 0.2,
            )
            if row.task_id and chance.random() < 0.1:
                row.withdrawn_at = NOW
        return {level: person.email for level, person in people.items()}


def test_the_same_rows_everywhere(house: Installation, browser: Callable[..., Browser]) -> None:
    mails = _made(house)
    chance = random.Random(8)
    place = tables.COLUMNS.index("Opgave-id")
    rows_seen = 0
    for level, mail in mails.items():
        window = browser().sign_in(mail)
        for _ in range(QUESTIONS):
            query = _filter(chance) or "fuldfoerte=nej"
            page = window.get(f"/opgaver?{query}&pr_side=200")
            shown = [int(row["id"].removeprefix("opgave-")) for row in page.select("tr[id^=opgave-]")]
            lines = csv.reader(
                io.StringIO(window.download(f"/opgaver.csv?{query}").decode("utf-8-sig")), delimiter=";"
            )
            assert [int(line[place]) for line in list(lines)[1:]] == shown, (level, query)
            sheet = openpyxl.load_workbook(io.BytesIO(window.download(f"/opgaver.xlsx?{query}"))).active
            assert [row[place].value for row in list(sheet.iter_rows())[1:]] == shown, (level, query)
            calendar = icalendar.Calendar.from_ical(window.download(f"/opgaver.ics?{query}"))
            days = {
                int(str(event["UID"]).partition("@")[0].removeprefix("opgave-"))
                for event in calendar.walk("VEVENT")
                if event["STATUS"] == "CONFIRMED"
            }
            with house.reading(NOW) as work:
                member = work.session.execute(
                    select(Membership.id, Person.id).join(Person).where(Person.email == mail)
                ).one()
                dated = set(
                    work.session.scalars(
                        select(MunicipalTask.id).where(
                            MunicipalTask.deadline.is_not(None), MunicipalTask.withdrawn_at.is_(None)
                        )
                    )
                )
                actor = make.actor(work.session, work.session.get_one(Person, member[1]))
            assert days == set(shown) & dated, (level, query)
            with house.writing(datetime.now(UTC), actor) as work:
                criteria = filtering.read(work.registry, query)
                selection = filtering.select_tasks(work, criteria)
                titles = list_document.collect(work, selection).rows
                feed, secret = calendar_feeds.make(work, "x", criteria)
                told = {day.row.id for day in calendar_feeds.fetch(work, secret).days}
                calendar_feeds.revoke(work, feed.id)
                opened = set(
                    work.session.scalars(
                        select(MunicipalTask.id).where(
                            MunicipalTask.status.in_(("ikke-paabegyndt", "i-gang"))
                        )
                    )
                )
            names = [row.select_one("a").text for row in page.select("tr[id^=opgave-]")]
            assert [row[1] for row in titles] == names, (level, query)
            assert told == set(shown) & dated & opened, (level, query)
            rows_seen += len(shown)
    assert rows_seen > 100
