"""An announcement in two municipalities and what KOMBIT and they do about it; shared by the tests of its rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import DeletionItem, Mail, Notice, Person
from klik.services import deleting
from klik.services.deleting import Draft, Selection
from klik.services.deleting import progress as deletion_progress
from klik.services.work import Actor
from tests import make
from tests.make import HERNING, KOEGE, NOW, TODAY

KEY = "11111111-2222-3333-4444-555555555555"


class Ground:
    """KP with three tasks in Køge and Herning; KOMBIT's administrator, and people in both."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        with house.database.writing() as session:
            self.project = make.project(session, "kp")
            self.versions = [make.task(session, f"Opgave {n}", number=f"MI {n:02d}") for n in (1, 2, 3)]
            self.task_ids = [version.task_id for version in self.versions]
            self.koege = [make.municipal_task(session, version).id for version in self.versions]
            self.herning = [
                make.municipal_task(session, version, municipality=HERNING, status=Status.COMPLETED).id
                for version in self.versions
            ]
            self.local = make.municipal_task(session, local=True, title="Vores egen").id
            self.people: dict[str, Person] = {}
            self.actors: dict[str, Actor] = {}
            for name, level, place in (
                ("kombit", Level.KOMBIT_ADMINISTRATOR, None),
                ("koege", Level.PLUS_USER, KOEGE),
                ("koege-administrator", Level.ADMINISTRATOR, KOEGE),
                ("koege-reader", Level.READER, KOEGE),
                ("herning", Level.ADMINISTRATOR, HERNING),
                ("supplier", Level.SUPPLIER, None),
            ):
                row = make.person(session, name, level=level, municipality=place)
                self.people[name], self.actors[name] = row, make.actor(session, row)

    def writing(self, who: str | None = "kombit", now: datetime = NOW) -> Any:
        return self.house.writing(now, self.actors[who] if who else None)

    def announce(self, key: str | None = KEY, now: datetime = NOW, **changes: Any) -> int:
        with self.writing(now=now) as work:
            return deleting.announce(work, draft(**changes), key)

    def due(self, now: datetime) -> int:
        with self.house.reading(now) as work:
            return deletion_progress.due(work).tasks

    def items(self, municipality: int | None = None) -> list[DeletionItem]:
        statement = select(DeletionItem).order_by(DeletionItem.id)
        return self._rows(
            statement.where(DeletionItem.municipality_id == municipality) if municipality else statement
        )

    def notices(self, occasion: str) -> list[Notice]:
        return self._rows(select(Notice).where(Notice.occasion == occasion).order_by(Notice.id))

    def _rows(self, statement: Any) -> list[Any]:
        with self.house.database.reading() as session:
            rows = list(session.scalars(statement))
            session.expunge_all()
            return rows

    def send(self, notice: Notice, state: str = "sent", at: datetime = NOW) -> None:
        """As delivery would: a mail that carries the notice, in this state."""
        with self.house.database.writing() as session:
            mail = Mail(
                message_id=f"<{notice.id}-{state}@klik.example>",
                channel="core.mail",
                address=notice.address,
                subject=notice.heading,
                content=b"",
                state=state,
                next_attempt_at=NOW,
                created_at=NOW,
                expires_at=NOW,
                sent_at=at if state == "sent" else None,
            )
            session.add(mail)
            session.flush()
            session.execute(update(Notice).where(Notice.id == notice.id).values(mail_id=mail.id))


def draft(**changes: Any) -> Draft:
    facts: dict[str, Any] = {
        "heading": "KP-opgaver fra 2024",
        "last_day": TODAY + timedelta(days=30),
        "legal_basis": "Bekendtgørelse om kassation",
        "decided_by": "KOMBITs arkivansvarlige",
        "decided_on": TODAY,
        "selection": Selection(project="kp"),
    }
    return Draft(**(facts | changes))
