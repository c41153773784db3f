"""What the life of tasks, waves, late joiners and corrections should come to, reckoned the simple way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from klik.domain.deadlines import danish_today
from klik.domain.life import Act, State, leads_to
from klik.services.publishing import Draft, RecipientChoice
from tests.make import AARHUS, HERNING, KOEGE, LAESOE

PLACES = (KOEGE, HERNING, AARHUS, LAESOE)
WAVES = ("b1", "b2")
OPEN = ("ikke-paabegyndt", "i-gang")
DATE, BEFORE, AFTER = "core.date", "core.days-before-go-live", "core.days-after-publication"


@dataclass(frozen=True)
class Rule:
    """A deadline rule as it is written: ``days`` from today, from go-live, or from when the task came."""

    key: str
    days: int
    day: date | None = None

    @property
    def parameter(self) -> str:
        return self.day.isoformat() if self.day else str(self.days)


RULES = st.builds(Rule, st.sampled_from((DATE, BEFORE, AFTER)), st.integers(1, 90))


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


@dataclass
class Written:
    """What the oracle knows of a task that is not published: its last words, and where in its life it is."""

    id: int
    kind: str
    rule: Rule
    state: State = State.DRAFT
    announced: bool = False
    submitted_by: int | None = None
    publish_at: datetime | None = None
    failed: bool = False
    steps: int = 0


class Oracle:
    """A country of four municipalities and a system with two waves; every act says what it comes to."""

    system: str
    project: str
    now: datetime
    tasks: list[Published]
    written: list[Written]
    waves: dict[str, date]
    placed: dict[int, tuple[str | None, date | None]]

    @property
    def today(self) -> date:
        return danish_today(self.now)

    def go_live(self, code: int) -> date | None:
        wave, own = self.placed.get(code, (None, None))
        return own or (self.waves[wave] if wave else None)

    def central(self, of: Rule, code: int, given: date) -> date | None:
        if of.key == DATE:
            return of.day
        if of.key == AFTER:
            return given + timedelta(days=of.days)
        go_live = self.go_live(code)
        return go_live - timedelta(days=of.days) if go_live else None

    def dated(self, wanted: Rule) -> Rule:
        return (
            Rule(DATE, wanted.days, self.today + timedelta(days=wanted.days))
            if wanted.key == DATE
            else wanted
        )

    def follow(self, task: Published, code: int, copy: Copy) -> None:
        """An open copy gets the current version."""
        old = self.central(task.rules[copy.version - 1], code, copy.given)
        new = self.central(task.rules[-1], code, copy.given)
        copy.version = task.version
        self.moved(copy, old, new)

    def moved(self, copy: Copy, old: date | None, new: date | None) -> None:
        if old == new:
            return
        if copy.own:
            copy.deviation = (old, new) if copy.deadline != new else None
        elif copy.info and (new is None or new < self.today):
            return
        else:
            copy.deadline, copy.info = new, False

    def date_anew(self, task: Published, code: int, copy: Copy) -> None:
        """What was closed did not move with its wave; open again, it has what the rule gives now."""
        if not copy.own and not copy.info:
            copy.deadline = self.central(task.rules[-1], code, copy.given)

    def set_deadline(self, copy: Copy, day: date | None, *, own: bool) -> None:
        if day != copy.deadline:
            copy.deadline, copy.own, copy.deviation = day, own, None
            copy.info = False

    def draft(self, title: str, wanted: Rule) -> Draft:
        """What KOMBIT writes."""
        return Draft(
            project=self.project,
            title=title,
            phase="forberedelse",
            theme="it-miljoe-og-infrastruktur",
            description=f"Teksten om {title}.",
            deadline_rule=wanted.key,
            deadline_parameter=wanted.parameter,
        )

    def choice(self, kind: str) -> RecipientChoice:
        """A kind of recipients as klik takes it."""
        return {
            "system": RecipientChoice("system"),
            "alle": RecipientChoice("alle"),
            "b1": RecipientChoice("boelge", (f"{self.system}/b1",)),
            "listed": RecipientChoice("kommuner", (str(KOEGE), str(LAESOE))),
        }[kind]

    def codes(self, kind: str) -> list[int]:
        """Whom a kind of recipients comes to today."""
        return {
            "system": sorted(self.placed) or sorted(PLACES),
            "alle": sorted(PLACES),
            "b1": sorted(code for code, (wave, _own) in self.placed.items() if wave == "b1"),
            "listed": [KOEGE, LAESOE],
        }[kind]

    def published(self, task_id: int, kind: str, of: Rule) -> None:
        """Everyone concerned has a copy from today."""
        task = Published(task_id, self.choice(kind), [of])
        for code in self.codes(kind):
            task.copies[code] = Copy(self.today, 1, self.central(of, code, self.today))
        self.tasks.append(task)

    def sound(self, task: Written, day: date) -> bool:
        """Whether the task can go out on this day: somebody is concerned, and its deadline is still to come."""
        return bool(self.codes(task.kind)) and not (task.rule.day and task.rule.day < day)

    def allowed(self, task: Written, act: Act, person: int, at: datetime) -> bool:
        """Whether a redaktør's act is taken; ``at`` is the moment of a plan."""
        if leads_to(act, task.state) is None:
            return False
        outward = act in (Act.ANNOUNCE, Act.PLAN, Act.PUBLISH)
        if outward and task.state is State.FOR_APPROVAL and task.submitted_by == person:
            return False
        day = danish_today(at) if act is Act.PLAN else self.today
        return self.sound(task, day) if outward or act is Act.SUBMIT else True

    def act(self, task: Written, act: Act, person: int, at: datetime) -> None:
        """Take an act that is allowed."""
        task.steps += 1
        task.state = leads_to(act, task.state) or task.state
        if act is Act.SUBMIT:
            task.submitted_by = person
        if act is Act.ANNOUNCE:
            task.announced = True
        if act in (Act.PLAN, Act.UNPLAN):
            task.publish_at, task.failed = (at if act is Act.PLAN else None), False
        if act is Act.UNPLAN and task.announced:
            task.steps, task.state = task.steps + 1, State.ANNOUNCED
        if act is Act.PUBLISH:
            self.written.remove(task)
            self.published(task.id, task.kind, task.rule)

    def time_has_come(self) -> None:
        """What is planned goes out, or stays with a reason."""
        for task in list(self.written):
            if task.state is State.PLANNED and not task.failed and task.publish_at <= self.now:  # type: ignore[operator]
                if self.sound(task, self.today):
                    self.act(task, Act.PUBLISH, 0, self.now)
                else:
                    task.failed = True

    def covers(self, choice: RecipientChoice, code: int) -> bool:
        if choice.kind == "boelge":
            return self.placed[code][0] == "b1"
        return choice.kind in ("system", "alle")

    def all_central(self, codes: list[int]) -> dict[tuple[int, int], date | None]:
        return {
            (place, code): self.central(
                task.rules[task.copies[code].version - 1], code, task.copies[code].given
            )
            for place, task in enumerate(self.tasks)
            for code in codes
            if code in task.copies
        }

    def go_live_moved(self, before: dict[tuple[int, int], date | None]) -> None:
        for (place, code), old in before.items():
            task = self.tasks[place]
            copy = task.copies[code]
            if copy.withdrawn or copy.status not in OPEN:
                continue
            self.moved(copy, old, self.central(task.rules[copy.version - 1], code, copy.given))
