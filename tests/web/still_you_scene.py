"""Somebody asked "Er det stadig dig?": what the tests of the question and of its answers share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bs4 import BeautifulSoup
from sqlalchemy import func, select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, Notice, RoleAnswer, RoleHolding
from klik.services.notices import actions, ledger, still_you
from klik.services.roles import rounds
from tests import make
from tests.client import Browser, filled
from tests.make import HERNING, KOEGE

DAY = timedelta(days=1)
BOX = "it@koege.example"
OWN = "/roller/bekraeft"
ANSWERS = "/roller/svar"


@dataclass(frozen=True)
class Scene:
    """Jens with three roles and a mailbox with one, asked this morning; Anne is the administrator."""

    house: Installation
    now: datetime
    jens: int
    bo: int
    holdings: tuple[int, ...]
    of_box: int

    def notice(self, person: int | None, place: int = KOEGE) -> Notice:
        with self.house.reading(self.now) as work:
            row = work.session.scalars(
                select(Notice).where(
                    Notice.occasion == still_you.OCCASION,
                    Notice.person_id == person if person else Notice.person_id.is_(None),
                    Notice.municipality_id == place,
                )
            ).one()
            work.session.expunge(row)
            return row

    def token(
        self, person: int | None = 0, purpose: str = actions.CONFIRM_ROLES, when: datetime | None = None
    ) -> str:
        notice = self.notice(self.jens if person == 0 else person)
        return actions.token(self.house.settings.secret_key, purpose, notice, when or self.now)

    def link(self, person: int | None = 0) -> str:
        return f"/bekraeft/{self.token(person)}"

    def confirmed(self) -> set[int]:
        with self.house.reading(self.now) as work:
            rows = work.session.scalars(select(RoleHolding).where(RoleHolding.confirmed_at >= self.now - DAY))
            return {row.id for row in rows}

    def answers(self) -> list[tuple[int, str, str | None, str | None, str | None]]:
        with self.house.reading(self.now) as work:
            rows = work.session.scalars(select(RoleAnswer).order_by(RoleAnswer.id))
            return [
                (row.role_holding_id, row.answer, row.proposed_name, row.proposed_email, row.settled_as)
                for row in rows
            ]

    def facts(self) -> tuple[object, ...]:
        """All that a link could change."""
        with self.house.reading(self.now) as work:
            session = work.session
            return (
                session.execute(
                    select(
                        RoleHolding.id, RoleHolding.version, RoleHolding.confirmed_at, RoleHolding.valid_to
                    )
                ).all(),
                session.scalar(select(func.count(RoleAnswer.id))),
                session.scalar(select(func.count(AuditEntry.id))),
                session.scalar(select(func.count(Notice.id))),
            )

    def change(self, model: type, where: object, **values: object) -> None:
        with self.house.database.writing() as session:
            session.execute(update(model).where(where).values(**values))  # type: ignore[arg-type]


def asked(house: Installation) -> Scene:
    now = datetime.now(UTC)
    with house.writing(now) as work:
        session = work.session
        make.person(session, "Anne Lind", level=Level.ADMINISTRATOR, email="anne@koege.example")
        jens = make.person(session, "Jens Holm", level=Level.READER, email="jens@koege.example")
        bo = make.person(session, "Bo Krog", level=Level.USER, email="bo@koege.example")
        rows = [
            make.holding(session, role, holder=jens)
            for role in ("systemansvarlig", "superbruger", "systemejer")
        ]
        rows.append(make.holding(session, "projektleder", mailbox=BOX, system_code=None))
        away = make.person(session, "Ulla", level=Level.USER, municipality=HERNING)
        rows.append(make.holding(session, holder=away, municipality=HERNING))
        begins = rounds.of(work.today).begins
        for row in rows:
            row.valid_from, row.confirmed_at = begins - 200 * DAY, now - 300 * DAY
        session.flush()
        assert ledger.enqueue(work, still_you.lacking(work)) == 3
        return Scene(house, now, jens.id, bo.id, tuple(row.id for row in rows[:3]), rows[3].id)


def words(page: BeautifulSoup) -> str:
    return " ".join(page.find("main").get_text(" ").split())  # type: ignore[union-attr]


def submit_all(visitor: Browser, page: BeautifulSoup, address: str) -> BeautifulSoup:
    form = page.select_one("form.still-you-all")
    assert form is not None
    button = form.select_one("button")
    assert button is not None
    return visitor.post(address, filled(form) | {str(button["name"]): str(button["value"])})
