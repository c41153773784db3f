"""Tasks, waves, late joiners and three-way corrections against a simple oracle, in whatever order they come."""

from __future__ import annotations

import itertools
import shutil
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, update

from klik.domain.deadlines import danish_today
from klik.domain.life import Act
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    Deviation,
    Municipality,
    MunicipalSystem,
    MunicipalTask,
    Project,
    System,
    Task,
    TaskStep,
    TaskVersion,
    Wave,
)
from klik.services import correcting, publishing, waves
from klik.services.correcting import answering
from klik.services.errors import RefusedError
from klik.services.publishing import life, planned, withdrawing
from klik.services.publishing.steps import Press
from klik.services.tasks import changing
from klik.services.tasks.steps import Changes
from klik.services.work import Actor, Work
from tests import make
from tests.conftest import make_settings
from tests.make import HERNING, KOEGE, NOW
from tests.services.publishing_oracle import (
    OPEN,
    PLACES,
    RULES,
    WAVES,
    Copy,
    Oracle,
    Published,
    Rule,
    Written,
)

_worlds = itertools.count(1)


@pytest.fixture
def quick_house(tmp_path: Path, sqlite_template: Path) -> Iterator[Installation]:
    """An installation on SQLite; what each act writes is tested on both in the tests of its own."""
    shutil.copy(sqlite_template, tmp_path / "klik.sqlite")
    installation = Installation(make_settings(tmp_path))
    yield installation
    installation.close()


PLACE = st.sampled_from(PLACES)
WHICH = st.integers(0, 5)
KINDS = st.sampled_from(("system", "b1", "alle", "listed"))
ACTS = (Act.SUBMIT, Act.RETURN, Act.ANNOUNCE, Act.PLAN, Act.UNPLAN, Act.PUBLISH, Act.WITHDRAW)


class PublishingLife(Oracle, RuleBasedStateMachine):
    """A system of its own for each run, so that runs do not meet."""

    house: ClassVar[Installation]
    redaktoerer: ClassVar[tuple[Actor, Actor]]
    people: ClassVar[dict[int, Actor]]

    @initialize(first=st.integers(-30, 120), second=st.integers(-30, 200))
    def begin(self, first: int, second: int) -> None:
        number = next(_worlds)
        self.system, self.project = f"s{number}", f"p{number}"
        self.now: datetime = NOW
        self.tasks: list[Published] = []
        self.written: list[Written] = []
        self.waves = {
            slug: self.today + timedelta(days=far) for slug, far in zip(WAVES, (first, second), strict=True)
        }
        self.placed: dict[int, tuple[str | None, date | None]] = {KOEGE: ("b1", None), HERNING: ("b2", None)}
        with self.house.database.writing() as session:
            session.add(System(code=self.system, name=self.system, supplier="Netcompany"))
            session.flush()
            session.add(Project(slug=self.project, name=self.project, system_code=self.system))
            for position, (slug, day) in enumerate(self.waves.items()):
                session.add(
                    Wave(system_code=self.system, slug=slug, name=slug, position=position, go_live=day)
                )
            session.flush()
            self.wave_ids = dict(
                session.execute(select(Wave.slug, Wave.id).where(Wave.system_code == self.system)).all()
            )
            for code, (slug, _own) in self.placed.items():
                session.add(
                    MunicipalSystem(
                        municipality_id=code, system_code=self.system, wave_id=self.wave_ids[slug or ""]
                    )
                )

    def _pick(self, which: int) -> Published:
        return self.tasks[which % len(self.tasks)]

    # What people do

    @precondition(lambda self: len(self.tasks) < 4)
    @rule(wanted=RULES, kind=KINDS)
    def publish(self, wanted: Rule, kind: str) -> None:
        wanted = self.dated(wanted)
        choice, codes = self.choice(kind), self.codes(kind)
        if not codes:
            return
        with self.house.writing(self.now, self.redaktoerer[0]) as work:
            found = publishing.recipients(work, choice, self.project)
            assert list(found) == codes
            draft = self.draft("Opgave 1", wanted)
            task_id = publishing.publish(work, draft, found, choice=choice).task_id
        self.published(task_id, kind, wanted)

    @precondition(lambda self: len(self.tasks) + len(self.written) < 5)
    @rule(wanted=RULES, kind=KINDS)
    def write(self, wanted: Rule, kind: str) -> None:
        wanted = self.dated(wanted)
        with self.house.writing(self.now, self.redaktoerer[0]) as work:
            draft = self.draft("Opgave 1", wanted)
            task_id = publishing.save_draft(work, draft, None, self.choice(kind))
        self.written.append(Written(task_id, kind, wanted))

    @precondition(lambda self: self.written)
    @rule(which=WHICH, act=st.sampled_from(ACTS), who=st.integers(0, 1), days=st.integers(1, 50))
    def take(self, which: int, act: Act, who: int, days: int) -> None:
        """A redaktør presses any button; what the oracle refuses is refused, and changes nothing."""
        task, at = self.written[which % len(self.written)], self.now + timedelta(days=days)
        allowed = self.allowed(task, act, who, at)
        try:
            with self.house.writing(self.now, self.redaktoerer[who]) as work:
                life.do(work, act, task.id, Press(), note="Begrundelsen", at=at)
        except RefusedError:
            assert not allowed, (act, task)
        else:
            assert allowed, (act, task)
            self.act(task, act, who, at)

    @precondition(lambda self: self.tasks)
    @rule(
        which=WHICH,
        wanted=RULES,
        twice=st.booleans(),
        reopen=st.sampled_from((None, "one", "none")),
        later=st.integers(0, 20),
    )
    def correct(self, which: int, wanted: Rule, twice: bool, reopen: str | None, later: int) -> None:
        # On another day than the copies came: what counts from publication counts from theirs.
        self.days_pass(later)
        task, wanted = self._pick(which), self.dated(wanted)
        if task.withdrawn:
            return
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{task.id}/{task.version}"))
        draft = self.draft(f"Opgave {task.version + 1}", wanted)
        done = [code for code in sorted(task.copies) if task.copies[code].status == Status.COMPLETED.value]
        again = done if reopen is None else done[: reopen == "one"]
        for _ in range(1 + twice):
            with self.house.writing(self.now, self.redaktoerer[0]) as work:
                ids = None if reopen is None else self._ids(work, task, again)
                correcting.correct(
                    work, task.id, draft, "Fristen er ændret", key, version=task.version, reopen=ids
                )
        task.rules.append(wanted)
        for code, copy in task.copies.items():
            if code in again:
                copy.status = Status.IN_PROGRESS.value
            if copy.status in OPEN:
                self.follow(task, code, copy)
            if code in again:
                self.date_anew(task, code, copy)

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH, code=PLACE, far=st.integers(0, 60))
    def own_deadline(self, which: int, code: int, far: int) -> None:
        task = self._pick(which)
        copy = task.copies.get(code)
        if copy is None or copy.withdrawn:
            return
        day = self.today + timedelta(days=far)
        self._change(task, code, Changes(deadline=day))
        self.set_deadline(copy, day, own=True)

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH, code=PLACE)
    def back_to_the_rule(self, which: int, code: int) -> None:
        task = self._pick(which)
        copy = task.copies.get(code)
        if copy is None or copy.withdrawn:
            return
        self._change(task, code, Changes(deadline=None))
        if copy.own:
            day = self.central(task.rules[copy.version - 1], code, copy.given)
            self.set_deadline(copy, day, own=False)

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH, code=PLACE, status=st.sampled_from(list(Status)))
    def set_status(self, which: int, code: int, status: Status) -> None:
        task = self._pick(which)
        copy = task.copies.get(code)
        if copy is None or copy.withdrawn:
            return
        reason = "Vi har ikke systemet" if status is Status.NOT_RELEVANT else None
        self._change(task, code, Changes(status=status, not_relevant_reason=reason))
        was, copy.status = copy.status, status.value
        if was not in OPEN and status.value in OPEN:
            self.follow(task, code, copy)
            self.date_anew(task, code, copy)

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH, code=PLACE, follow=st.booleans())
    def answer(self, which: int, code: int, follow: bool) -> None:
        task = self._pick(which)
        copy = task.copies.get(code)
        if copy is None or copy.withdrawn or copy.deviation is None:
            return
        with self.house.writing(self.now, self.people[code]) as work:
            row = work.session.scalars(self._deviations(task, code)).one()
            answering.answer(
                work, row.municipal_task_id, row.id, row.version, "foelg" if follow else "behold"
            )
        copy.deviation = None
        if follow:
            day = self.central(task.rules[copy.version - 1], code, copy.given)
            self.set_deadline(copy, day, own=False)

    @rule(slug=st.sampled_from(WAVES), far=st.integers(-30, 200))
    def move_wave(self, slug: str, far: int) -> None:
        day = self.today + timedelta(days=far)
        with self.house.writing(self.now, self.redaktoerer[0]) as work:
            row = work.session.get_one(Wave, self.wave_ids[slug])
            waves.carry_out(work, self.system, waves.NewGoLive(row.id, day, row.version))
        touched = [code for code, (wave, own) in self.placed.items() if wave == slug and own is None]
        before = self.all_central(touched)
        self.waves[slug] = day
        self.go_live_moved(before)

    @rule(code=PLACE, slug=st.sampled_from((*WAVES, None)), far=st.none() | st.integers(-30, 200))
    def place(self, code: int, slug: str | None, far: int | None) -> None:
        """Move a municipality to a wave, give it a day of its own, or give it the system."""
        own = self.today + timedelta(days=far) if far is not None else None
        with self.house.writing(self.now, self.redaktoerer[0]) as work:
            row = work.session.scalar(self._placing(code))
            waves.carry_out(
                work,
                self.system,
                waves.Placing(code, self.wave_ids[slug] if slug else None, own, row.version if row else None),
            )
        before = self.all_central([code])
        self.placed[code] = (slug, own)
        self.go_live_moved(before)
        for task in self.tasks:
            if task.withdrawn or code in task.copies or not self.covers(task.choice, code):
                continue
            day = self.central(task.rules[-1], code, self.today)
            late = day is not None and day < self.today
            task.copies[code] = Copy(self.today, task.version, None if late else day, info=late)

    @rule(code=PLACE)
    def leave(self, code: int) -> None:
        if code not in self.placed:
            return
        with self.house.writing(self.now, self.redaktoerer[0]) as work:
            row = work.session.scalars(self._placing(code)).one()
            waves.carry_out(work, self.system, waves.Leaving(code, row.version))
        del self.placed[code]

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH)
    def withdraw(self, which: int) -> None:
        task = self._pick(which)
        if task.withdrawn:
            return
        with self.house.writing(self.now, self.redaktoerer[0]) as work:
            withdrawing.withdraw(work, task.id, "Opgaven er overflødig", Press())
        task.withdrawn = True
        for copy in task.copies.values():
            copy.withdrawn = True

    @rule(count=st.integers(1, 40))
    def days_pass(self, count: int) -> None:
        self.now += timedelta(days=count)
        planned.publish_all(self.house, self.now)
        self.time_has_come()

    # What is said about both

    def _change(self, task: Published, code: int, changes: Changes) -> None:
        with self.house.writing(self.now, self.people[code]) as work:
            row = work.session.scalars(
                select(MunicipalTask).where(
                    MunicipalTask.task_id == task.id, MunicipalTask.municipality_id == code
                )
            ).one()
            changing.change(work, row.id, row.version, changes)

    def _ids(self, work: Work, task: Published, codes: list[int]) -> list[int]:
        mine = MunicipalTask.task_id == task.id, MunicipalTask.municipality_id.in_(codes)
        return list(work.session.scalars(select(MunicipalTask.id).where(*mine)))

    def _placing(self, code: int):  # type: ignore[no-untyped-def]
        return select(MunicipalSystem).where(
            MunicipalSystem.municipality_id == code, MunicipalSystem.system_code == self.system
        )

    def _deviations(self, task: Published, code: int):  # type: ignore[no-untyped-def]
        return (
            select(Deviation)
            .join(MunicipalTask, MunicipalTask.id == Deviation.municipal_task_id)
            .where(
                MunicipalTask.task_id == task.id,
                MunicipalTask.municipality_id == code,
                Deviation.settled_at.is_(None),
            )
        )

    @invariant()
    def the_database_says_the_same(self) -> None:
        for task in getattr(self, "tasks", []):
            with self.house.database.reading() as session:
                rows = session.execute(
                    select(MunicipalTask, TaskVersion.number, Deviation)
                    .join(TaskVersion, TaskVersion.id == MunicipalTask.task_version_id)
                    .outerjoin(
                        Deviation,
                        (Deviation.municipal_task_id == MunicipalTask.id) & Deviation.settled_at.is_(None),
                    )
                    .where(MunicipalTask.task_id == task.id)
                ).all()
                found = {row.municipality_id: _seen(row, number, open_one) for row, number, open_one in rows}
                yellow = [(row.deadline, row.yellow_from) for row, _number, _open in rows]
            assert len(found) == len(rows)
            assert found == task.copies
            assert all((day is None) == (first is None) for day, first in yellow)
            assert all(first <= day for day, first in yellow if day)

    @invariant()
    def what_is_written_stands_where_it_should_and_nobody_has_it(self) -> None:
        with self.house.database.reading() as session:
            for mine in getattr(self, "written", []):
                task = session.get_one(Task, mine.id)
                found = (
                    task.state,
                    task.announced_at is not None,
                    task.publish_at,
                    task.publish_problem is not None,
                )
                assert found == (mine.state.value, mine.announced, mine.publish_at, mine.failed)
                count = select(func.count()).select_from(TaskStep).where(TaskStep.task_id == mine.id)
                assert session.scalar(count) == mine.steps
                assert not session.scalar(select(MunicipalTask.id).where(MunicipalTask.task_id == mine.id))


def _seen(row: MunicipalTask, number: int, open_one: Deviation | None) -> Copy:
    return Copy(
        given=danish_today(row.created_at),
        version=number,
        deadline=row.deadline,
        info=row.for_information,
        status=row.status,
        own=row.deadline_is_own,
        withdrawn=row.withdrawn_at is not None,
        deviation=_days(open_one) if open_one else None,
    )


def _days(row: Deviation) -> tuple[date | None, date | None]:
    old, new = (date.fromisoformat(each) if each else None for each in (row.central_old, row.central_new))
    return old, new


def test_whatever_happens_in_whatever_order(quick_house: Installation) -> None:
    with quick_house.database.writing() as session:
        session.execute(update(Municipality).where(Municipality.id.not_in(PLACES)).values(active=False))
        ida, bo = (
            make.actor(session, make.person(session, name, level=Level.KOMBIT_EDITOR))
            for name in ("Ida Krog", "Bo Dahl")
        )
        people = {
            code: make.actor(session, make.person(session, level=Level.ADMINISTRATOR, municipality=code))
            for code in PLACES
        }
    PublishingLife.house, PublishingLife.redaktoerer, PublishingLife.people = quick_house, (ida, bo), people
    run_state_machine_as_test(
        PublishingLife,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
