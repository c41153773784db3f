"""One item's life against a simple oracle: whatever order people, KOMBIT, the clock and raw SQL act in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Deletion, DeletionItem, MunicipalTask, Notice
from klik.services import access, deleting
from klik.services.deleting import Draft, Selection, archiving, erasing, sanity
from klik.services.deleting import progress as deletion_progress
from klik.services.errors import RefusedError
from klik.services.work import Actor
from tests import make
from tests.conftest import make_settings
from tests.make import KOEGE, NOW, TODAY

ORDER = ("varslet", "hentet", "kvitteret", "arkiveret", "slettet")
DAYS = st.integers(-3, 40)


@pytest.fixture
def quick_house(tmp_path: Path, sqlite_template: Path) -> Iterator[Installation]:
    """An installation on SQLite; the triggers themselves are tested on both in test_deleting."""
    shutil.copy(sqlite_template, tmp_path / "klik.sqlite")
    installation = Installation(make_settings(tmp_path))
    yield installation
    installation.close()


class Life(RuleBasedStateMachine):
    """The oracle: a state, a last day, whether it runs, and until when it is kept."""

    house: ClassVar[Installation]
    kombit: ClassVar[Actor]
    koege: ClassVar[Actor]

    @initialize()
    def announced(self) -> None:
        with self.house.database.writing() as session:
            version = make.task(session)
            self.task_id = make.municipal_task(session, version).id
        draft = Draft(
            heading="Opgaver",
            last_day=TODAY + timedelta(days=30),
            legal_basis="Hjemmel",
            decided_by="Arkivet",
            decided_on=TODAY,
            selection=Selection(task_ids=(version.task_id,)),
        )
        self.now, self.day = NOW, TODAY
        with self.house.writing(self.now, self.kombit) as work:
            self.deletion_id = deleting.announce(work, draft, None)
        with self.house.database.reading() as session:
            self.item_id = session.execute(
                text("select id from deletion_items where deletion_id = :id"), {"id": self.deletion_id}
            ).scalar_one()
        self.state, self.runs, self.last_day = "varslet", True, TODAY + timedelta(days=30)
        self.told = self.taken = False
        self.asked: date | None = None
        self.granted: bool | None = None
        self.ends_told: dict[date, datetime] = {}
        self.answered_at = NOW - timedelta(days=365)

    def _try(self, actor: Actor, act: Any) -> bool:
        try:
            with self.house.writing(self.now, actor) as work:
                act(work)
        except RefusedError:
            return False
        return True

    def _item(self, work: Any) -> DeletionItem:
        return access.deletion_item(work, self.deletion_id, self.item_id)

    @rule(days=st.integers(1, 20))
    def some_days_pass(self, days: int) -> None:
        self.time_passes(days)

    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.day += timedelta(days=days)

    @rule(after=st.integers(0, 1))
    def the_last_day_comes_or_ends(self, after: int) -> None:
        days = (self.last_day - self.day).days + after
        if days > 0:
            self.time_passes(days)

    @rule()
    def fetched(self) -> None:
        self._try(self.koege, lambda work: deleting.note_fetched(work, self.task_id, "0" * 64))
        if self.runs and self.state == "varslet":
            self.state, self.taken = "hentet", True
        elif self.state in ("arkiveret", "slettet"):
            self.taken = True

    @rule()
    def receipted(self) -> None:
        done = self._try(self.koege, lambda work: deleting.receipt(work, self.deletion_id, "2026-1"))
        assert done is (self.runs and (self.taken or self.state in ("hentet", "kvitteret")))
        if done and self.state == "hentet":
            self.state = "kvitteret"

    @rule(days=DAYS)
    def postponed(self, days: int) -> None:
        new = self.last_day + timedelta(days=days)
        done = self._try(self.kombit, lambda work: deleting.postpone(work, self.deletion_id, new))
        assert done is (self.runs and new > self.last_day and new >= self.day)
        if done:
            self.last_day = new

    @rule()
    def regretted(self) -> None:
        done = self._try(self.kombit, lambda work: deleting.regret(work, self.deletion_id))
        assert done is (self.runs and self.state not in ("arkiveret", "slettet"))
        if done:
            self.runs = False

    @rule(days=DAYS)
    def asked_to_keep(self, days: int) -> None:
        until = self.last_day + timedelta(days=days)
        done = self._try(
            self.koege, lambda work: deleting.ask_to_keep(work, self._item(work), "Klagesag", until)
        )
        kept = self.asked if self.granted and self.asked else self.last_day
        early = self.runs and self.state not in ("arkiveret", "slettet")
        early = early and self.day <= max(self.last_day, kept)
        assert done is (early and until > self.last_day and until >= self.day)
        if done:
            self.asked, self.granted = until, None

    @rule(granted=st.booleans())
    def answered(self, granted: bool) -> None:
        done = self._try(self.kombit, lambda work: deleting.decide_hold(work, self._item(work), granted))
        open_ = self.runs and self.asked is not None and self.state not in ("arkiveret", "slettet")
        in_time = self.asked is not None and self.asked > self.last_day and self.asked >= self.day
        assert done is (open_ and (in_time or not granted))
        if done:
            self.granted, self.answered_at = granted, self.now

    @rule()
    def told_that_the_hold_ends(self) -> None:
        if self.asked is None or self.asked in self.ends_told:
            return
        self.ends_told[self.asked] = self.now
        with self.house.database.writing() as session:
            session.add(
                Notice(
                    dedupe_key=f"{self.deletion_id}/{self.asked}",
                    occasion="sletning-ophoerer",
                    channel="core.mail",
                    municipality_id=KOEGE,
                    person_id=self.koege.person_id,
                    address="koege@klik.example",
                    reason="",
                    heading="",
                    sentence="",
                    path=f"/sletning/{self.deletion_id}",
                    about_day=self.asked,
                    created_at=self.now,
                    due_at=self.now,
                    read_at=self.now,
                )
            )

    @rule()
    def told_by_mail(self) -> None:
        with self.house.database.writing() as session:
            session.get_one(DeletionItem, self.item_id).notified_at = self.now
        self.told = True

    @rule(new=st.sampled_from(ORDER), proven=st.booleans())
    def raw_sql_sets_the_state(self, new: str, proven: bool) -> None:
        stamp = self._stamp(self.now)
        proof = f", archive_sha256 = 'x', archive_size = 1, archived_at = '{stamp}'" if proven else ""
        try:
            with self.house.database.writing() as session:
                session.execute(
                    text(f"update deletion_items set state = :new{proof} where id = :id"),
                    {"new": new, "id": self.item_id},
                )
        except DatabaseError:
            return
        old, self.state = self.state, new
        steps = ORDER.index(new) - ORDER.index(old)
        assert steps >= 0
        assert new != "arkiveret" or old == "arkiveret" or (self.told and not self._kept())
        assert new != "slettet" or old == "slettet", "not without the task itself"

    @rule(late=st.integers(-1, 62), skipped=st.booleans())
    def raw_sql_erases(self, late: int, skipped: bool) -> None:
        """As the worker would, or without reading the archive file again, or so many seconds after it."""
        erased = self.now + timedelta(seconds=late)
        read = "null" if skipped else f"'{self._stamp(self.now)}'"
        statements = (
            f"update deletion_items set verified_at = {read} where id = {self.item_id}",
            (
                "update municipal_tasks set title = 'Slettet opgave', local_text = '', search_key = '',"
                f" erased_at = '{self._stamp(erased)}' where id = {self.task_id}"
            ),
            (
                f"update deletion_items set state = 'slettet', erased_at = '{self._stamp(erased)}'"
                f" where id = {self.item_id}"
            ),
        )
        try:
            with self.house.database.writing() as session:
                for statement in statements:
                    session.execute(text(statement))
        except DatabaseError:
            return
        assert self.state == "arkiveret"
        assert self.runs
        assert not skipped
        assert 0 <= late <= 60
        assert danish_today(erased) > self.last_day
        self.state = "slettet"

    @staticmethod
    def _stamp(moment: datetime) -> str:
        return f"{moment:%Y-%m-%d %H:%M:%S.%f}"

    @rule(days=st.integers(-40, -1))
    def raw_sql_moves_the_day_earlier(self, days: int) -> None:
        with pytest.raises(DatabaseError), self.house.database.writing() as session:
            session.execute(
                text("update deletions set last_day = :day where id = :id"),
                {"day": (self.last_day + timedelta(days=days)).isoformat(), "id": self.deletion_id},
            )

    def _kept(self) -> bool:
        """What the database itself refuses to archive."""
        return self.asked is not None and (self.granted is None or (self.granted and self.asked >= self.day))

    def _held(self) -> bool:
        """What klik leaves alone: also for two weeks after the answer was no, or the notice that a yes ends."""
        return self.asked is not None and (
            self.granted is None
            or (self.granted and (self.asked >= self.day or not self.back()))
            or (self.granted is False and self.answered_at > self.now - timedelta(days=14))
        )

    @rule()
    def the_worker_runs(self) -> None:
        """Some of what is in the state arkiveret has no file behind it here; it is archived anew."""
        # Whoever has taken something home has been told, mail or not (decision of reliability D4).
        self.told = self.told or (self.runs and self.taken)
        with self.house.writing(self.now) as work:
            sanity.confirm(work, self.day)
        done = erasing.delete_due(self.house, lambda: self.now, 60)
        # With a clock that stands, what is archived anew in the moment it was archived in waits for the next run.
        item = self._now()
        due = self.runs and self.last_day < self.day and self.told and not self._held()
        if self.state != "slettet":
            assert item.state == self.state or (due and item.state in ("arkiveret", "slettet"))
            if due and item.state != "slettet":
                assert done.waiting == 1
                assert item.problem
        self.state = item.state
        if self.state == "slettet":
            self.runs = False if self._deletion_done() else self.runs

    def _now(self) -> DeletionItem:
        with self.house.database.reading() as session:
            item = session.get_one(DeletionItem, self.item_id)
            session.expunge(item)
            return item

    def _deletion_done(self) -> bool:
        with self.house.database.reading() as session:
            return session.get_one(Deletion, self.deletion_id).state == "afsluttet"

    @invariant()
    def the_account_and_the_oracle_agree(self) -> None:
        with self.house.reading(self.now) as work:
            deletion = work.session.get_one(Deletion, self.deletion_id)
            account = deleting.standing(work, deletion).municipalities[0]
            item = work.session.get_one(DeletionItem, self.item_id)
            due = self.runs and self.last_day < self.day and self.state != "slettet" and not self._held()
            mine = archiving.due(work, self.item_id)
            assert bool(mine) is (due and self.told)
            of_this = deletion_progress.due(work).tasks
            assert item.state == self.state
            assert deletion.last_day == self.last_day
            assert (deletion.state == "varslet") is self.runs
            counts = (account.announced, account.fetched, account.receipted, account.archived, account.erased)
            assert dict(zip(ORDER, counts, strict=True))[self.state] == 1
            assert sum(counts) == 1
            erased = work.session.get_one(MunicipalTask, self.task_id).erased_at is not None
            assert erased is (self.state == "slettet")
            assert of_this == int(due)

    def back(self) -> bool:
        """Whether two weeks have passed since they were told that the hold ends, or the last day is later anyway."""
        assert self.asked is not None
        told = self.ends_told.get(self.asked)
        return self.last_day >= self.asked or (told is not None and told <= self.now - timedelta(days=14))

    def teardown(self) -> None:
        # What is due is counted over all announcements, so each example leaves none running.
        with self.house.database.writing() as session:
            session.execute(text("update deletions set state = 'fortrudt' where state = 'varslet'"))


def test_one_items_life_is_as_the_oracle_says(quick_house: Installation) -> None:
    with quick_house.database.writing() as session:
        kombit = make.person(session, "Karen", level=Level.KOMBIT_ADMINISTRATOR, municipality=None)
        koege = make.person(session, "Mette", level=Level.PLUS_USER)
        Life.kombit, Life.koege = make.actor(session, kombit), make.actor(session, koege)
    Life.house = quick_house
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        ),
    )
