"""Holdings against an oracle of plain Python: whatever order people act in while days pass.

At every moment: a role for exactly one has at most one holder a day, a role with one primary has exactly one where
anybody holds it, substitutes stand there in their period and nowhere else, the rows say what everybody is told, and
the gallery of any day, past or to come, is the oracle's. KLIK_TEST_ROUNDS raises the number of lives.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, Notice, RoleHolding
from klik.services import holders
from klik.services.errors import RefusedError
from klik.services.roles import gallery as role_gallery
from klik.services.roles import history as role_history
from klik.services.roles import holdings, succession
from klik.services.roles.holdings import Filling
from klik.services.work import Actor
from tests import make

LIVES = int(os.environ.get("KLIK_TEST_ROUNDS", "6"))
STEPS = 18
EXACTLY_ONE, ONE_PRIMARY, SEVERAL = "praecis-en", "en-primaer", "flere"
ROLES = {
    ("kombit-programleder", None): EXACTLY_ONE,
    ("systemansvarlig", "kp"): ONE_PRIMARY,
    ("superbruger", "kp"): SEVERAL,
}
PLACES = st.sampled_from(sorted(ROLES, key=str))
BOXES = ("pension@koege.example", "post@koege.example")
WHO = st.one_of(st.integers(0, 3), st.sampled_from(BOXES))
DAYS = st.integers(-6, 6)
LENGTHS = st.one_of(st.none(), st.integers(0, 8))
ONE_DAY = timedelta(days=1)


@dataclass
class Entry:
    """A line of the oracle's book."""

    id: int
    who: int | str
    substitute: bool
    first: date
    last: date | None
    confirmed: date
    chosen: bool = False

    def on(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def shares(self, first: date, last: date | None) -> bool:
        return (self.last is None or self.last >= first) and (last is None or self.first <= last)


@dataclass
class Book:
    """What the oracle knows of one role: its rule, and who was written down."""

    rule: str
    entries: list[Entry] = field(default_factory=list)

    def holders(self, day: date) -> list[Entry]:
        return [each for each in self.entries if not each.substitute and each.on(day)]

    def substitutes(self, day: date) -> list[Entry]:
        return [each for each in self.entries if each.substitute and each.on(day)]

    def primary(self, day: date) -> Entry | None:
        """Who was chosen and is there; else, where the role wants one, who has been there longest."""
        there = self.holders(day)
        chosen = [each for each in there if each.chosen]
        if chosen or self.rule == SEVERAL:
            return chosen[0] if chosen else None
        return min(there, key=lambda each: (each.first, each.id), default=None)

    def choose(self, entry: Entry | None) -> None:
        for each in self.entries:
            each.chosen = each is entry

    def settle(self, today: date) -> None:
        """Whoever is primary by the rule stays it when somebody else comes."""
        if self.rule == ONE_PRIMARY:
            self.choose(self.primary(today))

    def fill(
        self, today: date, who: int | str, first: date, last: date | None, primary: bool, substitute: bool
    ) -> Callable[[int], None] | None:
        """What the book becomes with a new line, or None where it must be refused."""
        if last is not None and last < first:
            return None
        alongside = [each for each in self.entries if each.shares(first, last)]
        own = [each for each in alongside if each.who == who]
        held = [each for each in alongside if not each.substitute]
        if substitute:
            if last is None or primary or own:
                return None
            return lambda number: self.entries.append(Entry(number, who, True, first, last, today))
        if any(not each.substitute for each in own):
            return None
        is_there = first <= today and (last is None or last >= today)
        gone: list[Entry] = []
        if self.rule == EXACTLY_ONE:
            gone = [each for each in held if each.first == first and first >= today]
            if any(each.first >= first for each in held if each not in gone):
                return None
        elif primary and first > today and self._chosen_among(held, today):
            return None

        def write(number: int) -> None:
            for each in gone:
                self.entries.remove(each)
            for each in held:
                if self.rule == EXACTLY_ONE and each not in gone:
                    each.last = first - ONE_DAY
            for each in own:
                if each.first < first:
                    each.last = first - ONE_DAY
                elif each.first >= today:
                    self.entries.remove(each)
            new = Entry(number, who, False, first, last, today)
            self.entries.append(new)
            if primary and (is_there or (self.rule == SEVERAL and first > today)):
                self.choose(new)
            self.settle(today)

        return write

    def _chosen_among(self, held: list[Entry], today: date) -> bool:
        primary = self.primary(today)
        return any(each.chosen or each is primary for each in held)


class Town(RuleBasedStateMachine):
    house: ClassVar[Installation]
    actor: ClassVar[Actor]
    people: ClassVar[list[int]]

    @initialize()
    def an_empty_gallery(self) -> None:
        with self.house.database.writing() as session:
            for table in (Notice, Mail, RoleHolding):
                session.execute(delete(table))
        self.day = make.TODAY
        self.books = {place: Book(rule) for place, rule in ROLES.items()}

    @property
    def now(self) -> datetime:
        return make.NOW + (self.day - make.TODAY)

    def _try(self, act: Callable[[Any], Any]) -> tuple[bool, Any]:
        try:
            with self.house.writing(self.now, self.actor) as work:
                return True, act(work)
        except RefusedError:
            return False, None

    def _written(self, book: Book) -> list[Entry]:
        return [each for each in book.entries if each.last is None or each.last >= self.day]

    @rule(place=PLACES, who=WHO, start=DAYS, length=LENGTHS, primary=st.booleans(), stands_in=st.booleans())
    def fill(
        self,
        place: tuple[str, str | None],
        who: int | str,
        start: int,
        length: int | None,
        primary: bool,
        stands_in: bool,
    ) -> None:
        first = self.day + timedelta(days=start)
        last = None if length is None else first + timedelta(days=length)
        book = self.books[place]
        book.settle(self.day)
        write = book.fill(self.day, who, first, last, primary, stands_in)
        filling = Filling(
            role=place[0],
            system=place[1],
            person_id=self.people[who] if isinstance(who, int) else None,
            mailbox=who if isinstance(who, str) else "",
            valid_from=first,
            valid_to=last,
            primary=primary,
            kind="stedfortraeder" if stands_in else "indehaver",
        )
        done, number = self._try(lambda work: holdings.fill(work, filling).id)
        assert done is (write is not None), (filling, book)
        if write:
            write(number)

    @rule(place=PLACES, which=st.integers(0, 9), after=DAYS)
    def end(self, place: tuple[str, str | None], which: int, after: int) -> None:
        book, last = self.books[place], self.day + timedelta(days=after)
        if not (there := self._written(book)):
            return
        entry = there[which % len(there)]
        done, _ = self._try(lambda work: holdings.end(work, entry.id, last))
        assert done is (entry.first <= last and (entry.last is None or last <= entry.last))
        if done:
            book.settle(self.day)
            entry.last = last
            book.settle(self.day)

    @rule(place=PLACES, which=st.integers(0, 9))
    def take_back(self, place: tuple[str, str | None], which: int) -> None:
        book = self.books[place]
        if not (there := self._written(book)):
            return
        entry = there[which % len(there)]
        done, _ = self._try(lambda work: holdings.take_back(work, entry.id))
        assert done is (entry.first >= self.day)
        if done:
            book.entries.remove(entry)
            book.settle(self.day)

    @rule(place=PLACES, which=st.integers(0, 9))
    def make_primary(self, place: tuple[str, str | None], which: int) -> None:
        book = self.books[place]
        if not (there := self._written(book)):
            return
        entry = there[which % len(there)]
        done, _ = self._try(lambda work: holdings.make_primary(work, entry.id))
        assert done is (not entry.substitute and entry.first <= self.day)
        if done and book.rule != EXACTLY_ONE:
            book.choose(entry)

    @rule(place=PLACES, which=st.integers(0, 9))
    def confirm(self, place: tuple[str, str | None], which: int) -> None:
        if there := self._written(self.books[place]):
            entry = there[which % len(there)]
            done, _ = self._try(lambda work: holdings.confirm(work, entry.id))
            assert done
            entry.confirmed = self.day

    @rule(days=st.integers(1, 4), worker_is_up=st.booleans())
    def days_pass(self, days: int, worker_is_up: bool) -> None:
        for _ in range(days):
            self.day += ONE_DAY
            if worker_is_up:
                for book in self.books.values():
                    book.settle(self.day)
                with self.house.writing(self.now) as work:
                    succession.hand_on(work)

    @invariant()
    def who_is_told_today(self) -> None:
        with self.house.reading(self.now, self.actor) as work:
            held = holders.of_roles(work, [make.KOEGE], {role for role, _system in ROLES})
            for (role, _system), book in self.books.items():
                found = held.get((make.KOEGE, role), [])
                assert [each.primary for each in found if each.primary] == [True] * bool(
                    book.primary(self.day)
                )
                told = {
                    (self._who(each.person_id, each.address), each.primary, each.substitute) for each in found
                }
                first = book.primary(self.day)
                assert told == {(each.who, each is first, False) for each in book.holders(self.day)} | {
                    (each.who, False, True) for each in book.substitutes(self.day)
                }, (role, book)
                if book.rule != SEVERAL and book.holders(self.day):
                    assert first is not None
                if book.rule == EXACTLY_ONE:
                    assert len(book.holders(self.day)) <= 1

    @invariant()
    def the_gallery_of_any_day(self) -> None:
        for distance in (-30, -7, -2, -1, 0, 1, 5):
            day = self.day + timedelta(days=distance)
            with self.house.reading(self.now, self.actor) as work:
                shown = {
                    (slot.role.slug, slot.system): slot
                    for slot in role_gallery.of(work, make.KOEGE, day).slots
                }
                for place, book in self.books.items():
                    slot = shown[place]
                    assert sorted(each.id for each in slot.holders) == [
                        each.id for each in sorted(book.holders(day), key=lambda each: each.id)
                    ], (place, day, book)
                    assert {each.id for each in slot.substitutes} == {
                        each.id for each in book.substitutes(day)
                    }
                    assert slot.vacant is not bool(book.holders(day))
                    if book.rule == EXACTLY_ONE:
                        assert len(slot.holders) <= 1
                    if distance == 0:
                        first = book.primary(day)
                        assert [each.id for each in slot.holders if each.primary] == (
                            [first.id] if first else []
                        )
                        assert {each.id for each in slot.coming} == {
                            each.id for each in book.entries if each.first > day
                        }
                        for each in slot.holders:
                            assert each.confirmed_on() == next(
                                one.confirmed for one in book.entries if one.id == each.id
                            )

    @invariant()
    def the_rows_and_the_history(self) -> None:
        with self.house.reading(self.now, self.actor) as work:
            rows = {row.id: row for row in work.session.scalars(select(RoleHolding))}
            assert rows.keys() == {each.id for book in self.books.values() for each in book.entries}
            for (role, _system), book in self.books.items():
                told = {each.holding.id: each for each in role_history.of(work, make.KOEGE, role)}
                assert told.keys() == {each.id for each in book.entries}
                for entry in book.entries:
                    row, line = rows[entry.id], told[entry.id]
                    assert (row.valid_from, row.valid_to) == (entry.first, entry.last)
                    assert line.filled is not None and line.filled.name == "Karen Kjær"
                    assert not (row.is_primary and entry.substitute)
                chosen = [each for each in book.holders(self.day) if rows[each.id].is_primary]
                assert len(chosen) <= 1, (role, book)

    def _who(self, person_id: int | None, address: str) -> int | str:
        return self.people.index(person_id) if person_id is not None else address


def test_who_holds_what_is_as_the_oracle_says(house: Installation) -> None:
    with house.database.writing() as session:
        karen = make.person(session, "Karen Kjær", level=Level.ADMINISTRATOR)
        people = [make.person(session, name) for name in ("Mette Holm", "Jens Dahl", "Eva Juhl", "Ali Krog")]
        make.has_system(session, code="kp")
        Town.actor, Town.people = make.actor(session, karen), [each.id for each in people]
    Town.house = house
    run_state_machine_as_test(
        Town,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        ),
    )
    print(f"Gallery: {LIVES} lives of {STEPS} acts, holders and history of every day as the oracle says")  # noqa: T201 - the figure is what the run is for
