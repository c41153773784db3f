"""Tasks, waves, late joiners and three-way corrections against a simple oracle, in whatever order they come."""

from __future__ import annotations

import itertools
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
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
from sqlalchemy import select, update

from klik.domain.deadlines import danish_today
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
    TaskVersion,
    Wave,
)
from klik.services import correcting, publishing, waves
from klik.services.correcting import answering
from klik.services.publishing import Draft, RecipientChoice, withdrawing
from klik.services.publishing.steps import Press
from klik.services.tasks import changing
from klik.services.tasks.steps import Changes
from klik.services.work import Actor
from tests import make
from tests.conftest import make_settings
from tests.make import AARHUS, HERNING, KOEGE, LAESOE, NOW

PLACES = (KOEGE, HERNING, AARHUS, LAESOE)
WAVES = ("b1", "b2")
OPEN = ("ikke-paabegyndt", "i-gang")
DATE, BEFORE, AFTER = "core.date", "core.days-before-go-live", "core.days-after-publication"
_worlds = itertools.count(1)


@pytest.fixture
def quick_house(tmp_path: Path, sqlite_template: Path) -> Iterator[Installation]:
    """An installation on SQLite; what each act writes is tested on both in the tests of its own."""
    shutil.copy(sqlite_template, tmp_path / "klik.sqlite")
    installation = Installation(make_settings(tmp_path))
    yield installation
    installation.close()


@dataclass(frozen=True)
class Rule:
    """A deadline rule as it is written: ``days`` from today, from go-live, or from when the task came."""

    key: str
    days: int
    day: date | None = None

    @property
    def parameter(self) -> str:
        return self.day.isoformat() if self.day else str(self.days)


@dataclass
class Copy:
    """What the oracle knows of one municipality's copy."""

    given: date
    version: int
    deadline: date | None
    info: bool = False
    status: str = "ikke-paabegyndt"
    own: bool = False
    withdrawn: bool = False
    deviation: tuple[date | None, date | None] | None = None


@dataclass
class Published:
    """What the oracle knows of one task: the rule of each version, whom it is for, and its copies."""

    id: int
    choice: RecipientChoice
    rules: list[Rule]
    withdrawn: bool = False
    copies: dict[int, Copy] = field(default_factory=dict)

    @property
    def version(self) -> int:
        return len(self.rules)


RULES = st.builds(Rule, st.sampled_from((DATE, BEFORE, AFTER)), st.integers(1, 90))
PLACE = st.sampled_from(PLACES)
WHICH = st.integers(0, 5)


class PublishingLife(RuleBasedStateMachine):
    """A system of its own for each run, so that runs do not meet."""

    house: ClassVar[Installation]
    kombit: ClassVar[Actor]
    people: ClassVar[dict[int, Actor]]

    @initialize(first=st.integers(-30, 120), second=st.integers(-30, 200))
    def begin(self, first: int, second: int) -> None:
        number = next(_worlds)
        self.system, self.project = f"s{number}", f"p{number}"
        self.now: datetime = NOW
        self.tasks: list[Published] = []
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

    @property
    def today(self) -> date:
        return danish_today(self.now)

    # What the oracle reckons

    def _go_live(self, code: int) -> date | None:
        wave, own = self.placed.get(code, (None, None))
        return own or (self.waves[wave] if wave else None)

    def _central(self, of: Rule, code: int, given: date) -> date | None:
        if of.key == DATE:
            return of.day
        if of.key == AFTER:
            return given + timedelta(days=of.days)
        go_live = self._go_live(code)
        return go_live - timedelta(days=of.days) if go_live else None

    def _rule(self, wanted: Rule) -> Rule:
        return (
            Rule(DATE, wanted.days, self.today + timedelta(days=wanted.days))
            if wanted.key == DATE
            else wanted
        )

    def _follow(self, task: Published, code: int, copy: Copy) -> None:
        """An open copy gets the current version."""
        old = self._central(task.rules[copy.version - 1], code, copy.given)
        new = self._central(task.rules[-1], code, copy.given)
        copy.version = task.version
        self._moved(copy, old, new)

    def _moved(self, copy: Copy, old: date | None, new: date | None) -> None:
        if old == new:
            return
        if copy.own:
            copy.deviation = (old, new) if copy.deadline != new else None
        elif copy.info and (new is None or new < self.today):
            return
        else:
            copy.deadline, copy.info = new, False

    def _set_deadline(self, copy: Copy, day: date | None, *, own: bool) -> None:
        if day != copy.deadline:
            copy.deadline, copy.own, copy.deviation = day, own, None
            copy.info = False

    def _pick(self, which: int) -> Published:
        return self.tasks[which % len(self.tasks)]

    def _draft(self, title: str, wanted: Rule) -> Draft:
        return Draft(
            project=self.project,
            title=title,
            phase="forberedelse",
            theme="it-miljoe-og-infrastruktur",
            description=f"Teksten om {title}.",
            deadline_rule=wanted.key,
            deadline_parameter=wanted.parameter,
        )

    # What people do

    @precondition(lambda self: len(self.tasks) < 4)
    @rule(wanted=RULES, kind=st.sampled_from(("system", "b1", "alle", "listed")))
    def publish(self, wanted: Rule, kind: str) -> None:
        wanted = self._rule(wanted)
        choice = {
            "system": RecipientChoice("system"),
            "alle": RecipientChoice("alle"),
            "b1": RecipientChoice("boelge", (f"{self.system}/b1",)),
            "listed": RecipientChoice("kommuner", (str(KOEGE), str(LAESOE))),
        }[kind]
        codes = {
            "system": sorted(self.placed),
            "alle": sorted(PLACES),
            "b1": sorted(code for code, (wave, _own) in self.placed.items() if wave == "b1"),
            "listed": [KOEGE, LAESOE],
        }[kind]
        if not codes:
            return
        with self.house.writing(self.now, self.kombit) as work:
            found = publishing.recipients(work, choice, self.project)
            assert list(found) == codes
            draft = self._draft("Opgave 1", wanted)
            task_id = publishing.publish(work, draft, found, choice=choice).task_id
        task = Published(task_id, choice, [wanted])
        for code in codes:
            task.copies[code] = Copy(self.today, 1, self._central(wanted, code, self.today))
        self.tasks.append(task)

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH, wanted=RULES, twice=st.booleans())
    def correct(self, which: int, wanted: Rule, twice: bool) -> None:
        task, wanted = self._pick(which), self._rule(wanted)
        if task.withdrawn:
            return
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{task.id}/{task.version}"))
        draft = self._draft(f"Opgave {task.version + 1}", wanted)
        for _ in range(1 + twice):
            with self.house.writing(self.now, self.kombit) as work:
                correcting.correct(work, task.id, draft, "Fristen er ændret", key, version=task.version)
        task.rules.append(wanted)
        for code, copy in task.copies.items():
            if copy.status in OPEN:
                self._follow(task, code, copy)

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH, code=PLACE, far=st.integers(0, 60))
    def own_deadline(self, which: int, code: int, far: int) -> None:
        task = self._pick(which)
        copy = task.copies.get(code)
        if copy is None or copy.withdrawn:
            return
        day = self.today + timedelta(days=far)
        self._change(task, code, Changes(deadline=day))
        self._set_deadline(copy, day, own=True)

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH, code=PLACE)
    def back_to_the_rule(self, which: int, code: int) -> None:
        task = self._pick(which)
        copy = task.copies.get(code)
        if copy is None or copy.withdrawn:
            return
        self._change(task, code, Changes(deadline=None))
        if copy.own:
            day = self._central(task.rules[copy.version - 1], code, copy.given)
            self._set_deadline(copy, day, own=False)

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
            self._follow(task, code, copy)
            if not copy.own and not copy.info:
                # What was closed did not move with its wave; open again, it has what the rule gives now.
                copy.deadline = self._central(task.rules[-1], code, copy.given)

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
            day = self._central(task.rules[copy.version - 1], code, copy.given)
            self._set_deadline(copy, day, own=False)

    @rule(slug=st.sampled_from(WAVES), far=st.integers(-30, 200))
    def move_wave(self, slug: str, far: int) -> None:
        day = self.today + timedelta(days=far)
        with self.house.writing(self.now, self.kombit) as work:
            row = work.session.get_one(Wave, self.wave_ids[slug])
            waves.carry_out(work, self.system, waves.NewGoLive(row.id, day, row.version))
        touched = [code for code, (wave, own) in self.placed.items() if wave == slug and own is None]
        before = self._all_central(touched)
        self.waves[slug] = day
        self._go_live_moved(before)

    @rule(code=PLACE, slug=st.sampled_from((*WAVES, None)), far=st.none() | st.integers(-30, 200))
    def place(self, code: int, slug: str | None, far: int | None) -> None:
        """Move a municipality to a wave, give it a day of its own, or give it the system."""
        own = self.today + timedelta(days=far) if far is not None else None
        with self.house.writing(self.now, self.kombit) as work:
            row = work.session.scalar(self._placing(code))
            waves.carry_out(
                work,
                self.system,
                waves.Placing(code, self.wave_ids[slug] if slug else None, own, row.version if row else None),
            )
        before = self._all_central([code])
        self.placed[code] = (slug, own)
        self._go_live_moved(before)
        for task in self.tasks:
            if task.withdrawn or code in task.copies or not self._covers(task.choice, code):
                continue
            day = self._central(task.rules[-1], code, self.today)
            late = day is not None and day < self.today
            task.copies[code] = Copy(self.today, task.version, None if late else day, info=late)

    @rule(code=PLACE)
    def leave(self, code: int) -> None:
        if code not in self.placed:
            return
        with self.house.writing(self.now, self.kombit) as work:
            row = work.session.scalars(self._placing(code)).one()
            waves.carry_out(work, self.system, waves.Leaving(code, row.version))
        del self.placed[code]

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH)
    def withdraw(self, which: int) -> None:
        task = self._pick(which)
        if task.withdrawn:
            return
        with self.house.writing(self.now, self.kombit) as work:
            withdrawing.withdraw(work, task.id, "Opgaven er overflødig", Press())
        task.withdrawn = True
        for copy in task.copies.values():
            copy.withdrawn = True

    @rule(count=st.integers(1, 40))
    def days_pass(self, count: int) -> None:
        self.now += timedelta(days=count)

    # What is said about both

    def _change(self, task: Published, code: int, changes: Changes) -> None:
        with self.house.writing(self.now, self.people[code]) as work:
            row = work.session.scalars(
                select(MunicipalTask).where(
                    MunicipalTask.task_id == task.id, MunicipalTask.municipality_id == code
                )
            ).one()
            changing.change(work, row.id, row.version, changes)

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

    def _covers(self, choice: RecipientChoice, code: int) -> bool:
        if choice.kind == "boelge":
            return self.placed[code][0] == "b1"
        return choice.kind in ("system", "alle")

    def _all_central(self, codes: list[int]) -> dict[tuple[int, int], date | None]:
        return {
            (place, code): self._central(
                task.rules[task.copies[code].version - 1], code, task.copies[code].given
            )
            for place, task in enumerate(self.tasks)
            for code in codes
            if code in task.copies
        }

    def _go_live_moved(self, before: dict[tuple[int, int], date | None]) -> None:
        for (place, code), old in before.items():
            task = self.tasks[place]
            copy = task.copies[code]
            if copy.withdrawn or copy.status not in OPEN:
                continue
            self._moved(copy, old, self._central(task.rules[copy.version - 1], code, copy.given))

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
        kombit = make.actor(session, make.person(session, level=Level.KOMBIT_EDITOR))
        people = {
            code: make.actor(session, make.person(session, level=Level.ADMINISTRATOR, municipality=code))
            for code in PLACES
        }
    PublishingLife.house, PublishingLife.kombit, PublishingLife.people = quick_house, kombit, people
    run_state_machine_as_test(
        PublishingLife,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
