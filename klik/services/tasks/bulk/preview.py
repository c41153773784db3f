"""What a bulk change would do: which tasks it changes, and which it leaves and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from klik.models import MunicipalTask
from klik.services import access
from klik.services.errors import RefusedError
from klik.services.tasks import assigning
from klik.services.tasks.bulk import chosen
from klik.services.tasks.bulk.chosen import AskedAhead
from klik.services.tasks.bulk.wanted import FOR_LOCAL, ROLE_INSTEAD, Wanted
from klik.services.tasks.steps import Step, steps_of
from klik.services.tasks.words import NOTHING
from klik.services.work import Work

# Why a task is left: said of one, and of several.
UNKNOWN = ("findes ikke, eller du kan ikke se den", "findes ikke, eller du kan ikke se dem")
WITHDRAWN = ("er trukket tilbage", "er trukket tilbage")
NOT_YOURS = ("må du ikke rette", "må du ikke rette")
SAME = ("har allerede værdien", "har allerede værdien")
NOT_LOCAL = (
    "er KOMBITs opgave, hvor feltet ikke kan rettes",
    "er KOMBITs opgaver, hvor feltet ikke kan rettes",
)
OTHER_SYSTEM = ("hører til et andet system", "hører til et andet system")


@dataclass(frozen=True, slots=True)
class Line:
    """A task that would be changed, its words before and after, and the version they were read at."""

    task: MunicipalTask
    task_id: int
    name: str
    version: int
    steps: tuple[Step, ...]

    @property
    def old(self) -> str:
        """What stands there now."""
        return self.steps[0].old_word or NOTHING

    @property
    def new(self) -> str:
        """What it would become."""
        return self.steps[0].new_word or NOTHING


@dataclass(frozen=True, slots=True)
class Skipped:
    """Tasks that are left for the same reason; those the actor cannot see are counted and not named."""

    count: int
    why: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk change would do. ``changed_since`` differ from what the person was shown."""

    lines: tuple[Line, ...]
    changed_since: tuple[Line, ...]
    skipped: tuple[Skipped, ...]

    @property
    def left(self) -> int:
        """How many tasks are left."""
        return sum(each.count for each in self.skipped)

    def sentence(self) -> str:
        """ "14 rettes, 3 springes over: 2 er trukket tilbage, 1 har allerede værdien"."""
        count = len(self.lines)
        said = f"{_number(count)} rettes" if count else "Ingen rettes"
        if not self.left:
            return f"{said}, ingen springes over."
        reasons = ", ".join(f"{_number(each.count)} {each.why}" for each in self.skipped)
        return f"{said}, {_number(self.left)} springes over: {reasons}."


class StaleError(Exception):
    """Tasks were changed since the person saw them; nothing was stored. ``preview`` shows both values."""

    def __init__(self, preview: Preview) -> None:
        super().__init__(f"{len(preview.changed_since)} tasks were changed since")
        self.preview = preview


def name_of(task: MunicipalTask) -> str:
    """Number and title, as lists of tasks have it."""
    return f"{task.task_number} {task.title}" if task.task_number else task.title


def preview(work: Work, wanted: Wanted, versions: Mapping[int, int], *, lock: bool = False) -> Preview:
    """What the change would do to the tasks of ``versions`` (id to the version the person saw).

    Raises RefusedError where every task refuses for the same reason, naming the field; ForbiddenError.
    """
    access.require_changer(work)
    chosen.require_reasonable(len(versions))
    tasks = chosen.load(work, list(versions), lock=lock)
    asked = AskedAhead(work, tasks.values(), wanted.field)
    role_of = assigning.role_finder(work, wanted.value == ROLE_INSTEAD)
    may_change = access.changeable(work)
    lines: list[Line] = []
    stale: list[Line] = []
    left: dict[tuple[str, str], list[str | None]] = {}
    refusals: list[RefusedError] = []
    with work.session.no_autoflush:
        for task_id, version in versions.items():
            task = tasks.get(task_id)
            if task is None:
                left.setdefault(UNKNOWN, []).append(None)
                continue
            why = _barred(work, task, wanted.field, may_change(task))
            try:
                steps = () if why else tuple(steps_of(work, task, wanted.changes(task, role_of), asked))
                why = why or (None if steps else SAME)
            except RefusedError as refused:
                refusals.append(refused)
                steps, why = (), _refusal(refused)
            if why is not None:
                left.setdefault(why, []).append(name_of(task))
                continue
            line = Line(task, task.id, name_of(task), task.version, steps)
            (lines if version == task.version else stale).append(line)
    if refusals and len(refusals) == len(versions) and len({_refusal(each) for each in refusals}) == 1:
        raise refusals[0]
    return Preview(tuple(lines), tuple(stale), tuple(_skipped(left)))


def _barred(work: Work, task: MunicipalTask, field: str, may_change: bool) -> tuple[str, str] | None:
    if task.withdrawn_at is not None:
        return WITHDRAWN
    if not may_change:
        return NOT_YOURS
    if field in FOR_LOCAL and task.task_id is not None:
        return NOT_LOCAL
    extra = work.registry.extra_fields.get(field)
    return OTHER_SYSTEM if extra is not None and extra.system != task.system_code else None


def _refusal(refused: RefusedError) -> tuple[str, str]:
    words = f"kan ikke rettes ({' '.join(refused.problems.values()).rstrip('.')})"
    return words, words


def _skipped(left: Mapping[tuple[str, str], Sequence[str | None]]) -> list[Skipped]:
    return [
        Skipped(len(names), one if len(names) == 1 else many, tuple(name for name in names if name))
        for (one, many), names in left.items()
    ]


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")
