"""Reading a whole drejebog in: one row a task, which becomes a draft or changes one, all of them or none.

A row is known again by its number, or without one by its title in the project; so the same file read in twice
changes nothing. What is published, announced or planned is never touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import select

from klik.content.keys import nearest
from klik.domain.errors import InputError
from klik.domain.life import State
from klik.domain.tasknumbers import TaskNumber, TaskNumberError
from klik.domain.texts import search_key
from klik.models import Project, Task, TaskLink, TaskVersion
from klik.plugins.contributions import ImportRefusedError, ImportReport, ImportRow, TaskTemplate
from klik.services.errors import RefusedError
from klik.services.playbook.columns import FIELD, REQUIRED, CellError, Column, columns
from klik.services.playbook.sheet import SHAPE
from klik.services.publishing import links
from klik.services.publishing.audience import RecipientChoice, recipients
from klik.services.publishing.drafts import (
    change_draft,
    draft_of,
    locked_project,
    require_publisher,
    save_draft,
)
from klik.services.publishing.text import Draft, check, tidied
from klik.services.work import Work
from klik.services.workbooks import Row, address, rows_of

KEY = "core.drejebog"
LABEL = "drejebog"
HELP = (
    "En Excel-fil med én række for hver opgave. Rækkerne bliver til kladder; opgaver, der allerede er udgivet, "
    "røres ikke. Er der en fejl i en række, indlæses intet."
)
MOST_SENTENCES = 50
# What a template says of a task, besides the fields of its system; its steps stand in `how_to`.
_OF_TEMPLATE = frozenset(each.name for each in fields(TaskTemplate)) - {
    "key",
    "system",
    "number",
    "fields",
    "steps",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """A task there is before the file is read in."""

    id: int
    number: str
    title: str
    state: State
    key: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a row says the task should be, and the task it is about when there is one."""

    row: Row
    draft: Draft
    known: _Known | None
    choice: RecipientChoice | None = None


class _RowError(Exception):
    """Problems of one row as sentences that begin with their cell."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))


class _Reading:
    """One file on its way in."""

    def __init__(self, work: Work, content: bytes, name: str) -> None:
        self.work = work
        head, *self.rows = rows_of(content, name, SHAPE) or (None,)
        if head is None or not self.rows:
            raise ImportRefusedError(
                "Arket er tomt: der skal være en række med overskrifter og en række for hver opgave."
            )
        self.columns = _headings(head, columns(work))
        self.place = {column.name: place for place, column in self.columns.items()}
        self.outcomes: dict[int, ImportRow] = {}
        self.stored: dict[int, int] = {}
        self.known: dict[str, list[_Known]] = {}
        self.taken: dict[tuple[str, str], int] = {}
        self.new: defaultdict[str, set[str]] = defaultdict(set)
        self.reached: dict[tuple[RecipientChoice, str], str] = {}

    def report(self) -> ImportReport:
        wanted = [found for row in self.rows if (found := self._tried(row, self._wanted))]
        later = [each for each in wanted if self._tried(each.row, lambda _row, each=each: self._store(each))]
        for each in later:
            self._tried(each.row, lambda _row, each=each: self._link(each))
        return ImportReport(
            rows=tuple(self.outcomes[number] for number in sorted(self.outcomes)), sentences=self._circles()
        )

    def _tried(self, row: Row, step: Any) -> Any:
        try:
            return step(row)
        except _RowError as error:
            self._say(row, "forkert", str(error))
        except RefusedError as error:
            self._say(row, "forkert", " ".join(self._at(row, *problem) for problem in error.problems.items()))
        return None

    def _say(self, row: Row, outcome: str, text: str) -> None:
        self.outcomes[row.number] = ImportRow(number=row.number, outcome=outcome, text=text[:4_000])

    def _at(self, row: Row, name: str, sentence: str) -> str:
        place = self.place.get(name)
        return f"{address(place, row.number) if place is not None else f'Række {row.number}'}: {sentence}"

    def _wanted(self, row: Row) -> _Wanted:
        values, problems = self._values(row)
        if problems:
            raise _RowError(*problems)
        project = values["project"]
        if not project:
            raise _RowError(self._at(row, "project", "Projekt skal vælges."))
        self._from_template(row, project, values)
        choice = self._choice(row, project, values)
        known = self._find(row, project, values)
        self._only_once(row, project, values, known)
        if known is None:
            base = Draft(project=project, title="", phase="", theme="")
        else:
            base = draft_of(self.work, known.id)
            same_theme = values["theme"] == base.theme
            values["number"] = values.get("number") or (base.number if same_theme else None)
        extra = dict(base.fields) | {
            name.removeprefix(FIELD): value for name, value in values.items() if name.startswith(FIELD)
        }
        plain = {name: value for name, value in values.items() if not name.startswith(FIELD)}
        draft = replace(base, **plain, fields={key: value for key, value in extra.items() if value})
        return _Wanted(row, draft, known, choice)

    def _from_template(self, row: Row, project: str, values: dict[str, Any]) -> None:
        """What the row leaves open is taken from the template it names."""
        template = self.work.registry.task_types.get(values.get("template") or "")
        if template is None:
            return
        draft = Draft.from_template(template, project)
        filled = {
            column.name
            for place, column in self.columns.items()
            if place < len(row.cells) and row.cells[place].strip()
        }
        open_names = _OF_TEMPLATE - filled
        values |= {name: getattr(draft, name) for name in open_names}
        values |= {FIELD + key: value for key, value in draft.fields.items() if FIELD + key not in filled}

    def _choice(self, row: Row, project: str, values: dict[str, Any]) -> RecipientChoice | None:
        """Whom the row is for, when it says so; each choice is tried once."""
        choice: RecipientChoice | None = values.pop("recipients", None)
        if choice is not None and (choice, project) not in self.reached:
            try:
                recipients(self.work, choice, project)
                self.reached[choice, project] = ""
            except RefusedError as error:
                self.reached[choice, project] = " ".join(error.problems.values())
        if choice is not None and (problem := self.reached[choice, project]):
            raise _RowError(self._at(row, "recipients", problem))
        return choice

    def _values(self, row: Row) -> tuple[dict[str, Any], list[str]]:
        wrong = {place: sentence for place, sentence in row.problems if place in self.columns}
        problems = [f"{address(place, row.number)}: {sentence}" for place, sentence in wrong.items()]
        values: dict[str, Any] = {}
        for place, column in self.columns.items():
            try:
                values[column.name] = column.value(row.cells[place] if place < len(row.cells) else "")
            except CellError as error:
                problems.append(f"{address(place, row.number)}: {error}")
        return values, problems

    def _find(self, row: Row, project: str, values: Mapping[str, Any]) -> _Known | None:
        if project not in self.known:
            locked_project(self.work, project)
            self.known[project] = _tasks_of(self.work, project)
        if values.get("number"):
            try:
                number = str(TaskNumber.parse(values["number"]))
            except TaskNumberError as error:
                raise _RowError(self._at(row, "number", f"Nummer: {error}")) from error
            return next((each for each in self.known[project] if each.number == number), None)
        title = search_key(values["title"])
        same = [each for each in self.known[project] if each.key == title]
        drafts = [each for each in same if each.state is State.DRAFT] or same
        if len(drafts) > 1:
            numbers = ", ".join(each.number for each in drafts[:5])
            raise _RowError(
                self._at(
                    row, "title", f"Titel: flere opgaver hedder sådan ({numbers}). Skriv nummeret på rækken."
                )
            )
        return drafts[0] if drafts else None

    def _only_once(self, row: Row, project: str, values: Mapping[str, Any], known: _Known | None) -> None:
        number = str(TaskNumber.parse(values["number"])) if values.get("number") else ""
        identity = known.number if known else number or f"titel {search_key(values['title'])}"
        first = self.taken.setdefault((project, identity), row.number)
        if first != row.number:
            name = "number" if number else "title"
            raise _RowError(self._at(row, name, f"Opgaven står også i række {first}."))

    def _store(self, wanted: _Wanted) -> _Wanted | None:
        """Store the row as far as its links have somewhere to go; gives it back when some have not yet."""
        known, draft, row = wanted.known, wanted.draft, wanted.row
        if known is not None and known.state is not State.DRAFT:
            self._leave(wanted, known)
            return None
        if known is not None:
            self.stored[row.number] = known.id
            return wanted  # compared when every row of the file is there to be needed
        there = {each.number for each in self.known[draft.project]} | self.new[draft.project]
        needs = tuple(need for need in draft.needs if _is_known(need, there))
        task_id = save_draft(self.work, replace(draft, needs=needs), None, wanted.choice)
        self.stored[row.number] = task_id
        number = self.work.session.get_one(Task, task_id).task_number
        self.new[draft.project].add(number)
        self._say(row, "ny", f"{number} {draft.title}")
        return wanted if needs != draft.needs else None

    def _leave(self, wanted: _Wanted, known: _Known) -> None:
        state = known.state.label.lower()
        if self._is_same(wanted, known):
            self._say(wanted.row, "uændret", f"{known.number} {known.title} ({state})")
            return
        place = self.place.get("number")
        name = "number" if place is not None and wanted.row.cells[place] else "title"
        raise _RowError(
            self._at(
                wanted.row,
                name,
                f"{known.number} er {state} og ændres ikke herfra. Ret opgaven på dens egen side, eller slet rækken.",
            )
        )

    def _link(self, wanted: _Wanted) -> None:
        """Change the stored draft where the row says something else, its links included."""
        known, row = wanted.known, wanted.row
        if known is not None and self._is_same(wanted, known):
            self._say(row, "uændret", f"{known.number} {known.title}")
            return
        task_id = self.stored[row.number]
        if problems := check(self.work, wanted.draft, task_id):
            raise RefusedError(problems)
        task = self.work.session.get_one(Task, task_id)
        change_draft(self.work, task_id, wanted.draft, task.version, wanted.choice)
        if known is not None:
            self._say(row, "ændret", f"{task.task_number} {wanted.draft.title}")

    def _is_same(self, wanted: _Wanted, known: _Known) -> bool:
        try:
            draft = tidied(wanted.draft)
        except InputError:
            return False
        now = draft_of(self.work, known.id)
        if wanted.choice is not None:
            stored = self.work.session.get_one(Task, known.id).recipients
            if stored != wanted.choice.words():
                return False
        return replace(draft, needs=tuple(sorted(draft.needs))) == replace(
            now, needs=tuple(sorted(now.needs))
        )

    def _circles(self) -> tuple[str, ...]:
        found: dict[frozenset[str], str] = {}
        # What needs nothing stands in no circle.
        needing = set(self.work.session.scalars(select(TaskLink.task_id).distinct()))
        for task_id in sorted(needing.intersection(self.stored.values())):
            for circle in links.circles(self.work, task_id, draft_of(self.work, task_id).needs):
                found.setdefault(frozenset(circle.split(links.ARROW)), circle)
        return tuple(
            f"Opgaverne venter på hinanden: {circle}." for circle in list(found.values())[:MOST_SENTENCES]
        )


def read_in(work: Work, content: bytes, name: str) -> ImportReport:
    """Make the drafts what the file says, row by row; the caller undoes it all where a row is wrong.

    Raises ImportRefusedError for a file that cannot be used at all, ForbiddenError.
    """
    require_publisher(work)
    return _Reading(work, content, name).report()


def _headings(head: Row, known: tuple[Column, ...]) -> dict[int, Column]:
    by_heading = {column.heading.casefold(): column for column in known}
    found: dict[int, Column] = {}
    for place, cell in enumerate(head.cells):
        heading = " ".join(cell.split())
        if not heading:
            continue
        column = by_heading.get(heading.casefold())
        if column is None:
            hint = nearest(heading, [each.heading for each in known])
            raise ImportRefusedError(
                f"{address(place, head.number)}: kolonnen “{heading[:60]}” kendes ikke. {hint}"
            )
        if column in found.values():
            raise ImportRefusedError(
                f"{address(place, head.number)}: kolonnen “{column.heading}” står der to gange."
            )
        found[place] = column
    there = {column.name for column in found.values()}
    if missing := [
        column.heading for column in known if column.name in REQUIRED and column.name not in there
    ]:
        raise ImportRefusedError(f"Arket mangler kolonnen “{missing[0]}”. Brug den tomme skabelon.")
    return found


def _tasks_of(work: Work, project: str) -> list[_Known]:
    rows = work.session.execute(
        select(Task.id, Task.task_number, TaskVersion.title, Task.state)
        .join(TaskVersion, (TaskVersion.task_id == Task.id) & (TaskVersion.number == Task.current_number))
        .join(Project, Project.id == Task.project_id)
        .where(Project.slug == project)
        .order_by(Task.id)
    )
    return [
        _Known(task_id, number, title, State(state), search_key(title))
        for task_id, number, title, state in rows
    ]


def _is_known(need: str, numbers: set[str]) -> bool:
    try:
        return str(TaskNumber.parse(need)) in numbers
    except TaskNumberError:
        return True  # refused as the form refuses it
