"""The impact of a correction before it is published: the same plan that is carried out, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from klik.domain.status import Status
from klik.domain.texts import sort_key
from klik.services import access, correcting
from klik.services.correcting.deviations import central_word
from klik.services.correcting.differences import Difference, differences
from klik.services.correcting.plan import CopyPlan, Fate, Plan
from klik.services.publishing.field_words import FieldWarning, field_warnings
from klik.services.publishing.text import Draft, extra_fields
from klik.services.tasks.assigning import Assignee, namer
from klik.services.tasks.words import FIELDS, day_word
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class DeviationAhead:
    """A field where a municipality's own value will stay, in words."""

    label: str
    central_old: str
    central_new: str
    local: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactLine:
    """What happens in one municipality; the deadline is before and after."""

    municipal_task_id: int
    municipality: str
    fate: Fate
    status: Status
    status_after: str
    reopened: bool
    deadline: date | None
    deadline_after: date | None
    deviations: tuple[DeviationAhead, ...]

    @property
    def moves(self) -> bool:
        """Whether the deadline moves."""
        return self.deadline != self.deadline_after


@dataclass(frozen=True, slots=True)
class Impact:
    """The whole correction before it is made; ``lines`` in Danish order of the municipalities.

    ``field_warnings`` are what plug-ins say of the deadlines afterwards, where the correction reaches.
    """

    number: int
    lines: tuple[ImpactLine, ...]
    differences: tuple[Difference, ...]
    field_warnings: tuple[FieldWarning, ...]

    def count(self, fate: Fate) -> int:
        """How many municipalities share a fate."""
        return Counter(line.fate for line in self.lines)[fate]

    def of(self, fate: Fate) -> tuple[ImpactLine, ...]:
        """The municipalities that share a fate."""
        return tuple(line for line in self.lines if line.fate is fate)

    @property
    def completed(self) -> tuple[ImpactLine, ...]:
        """Those that could be opened again, or are."""
        return tuple(line for line in self.lines if line.status is Status.COMPLETED)

    @property
    def moves(self) -> tuple[tuple[date | None, date | None, int], ...]:
        """From, to and how many: every move of a deadline."""
        moves = Counter((line.deadline, line.deadline_after) for line in self.lines if line.moves)
        return tuple(
            (was, now, count)
            for (was, now), count in sorted(
                moves.items(), key=lambda pair: (pair[0][0] or date.max, pair[0][1] or date.max)
            )
        )

    @property
    def deviating(self) -> tuple[ImpactLine, ...]:
        """The municipalities where a deviation arises."""
        return tuple(line for line in self.lines if line.deviations)


def of(work: Work, task_id: int, draft: Draft, note: str, *, reopen: Collection[int] | None = ()) -> Impact:
    """What ``correct`` would do with the same words; nothing is written. Raises RefusedError as it does."""
    task = access.published_task(work, task_id)
    plan = correcting.planned(work, task, draft, note, reopen=reopen)
    who = _names(work, plan)
    lines = sorted(
        (_line(work, each, who) for each in plan.copies), key=lambda line: sort_key(line.municipality)
    )
    current = next(each for each in plan.earlier.values() if each.number == task.current_number)
    reached = [line for line in lines if line.fate is not Fate.UNCHANGED]
    warnings = field_warnings(
        work,
        extra_fields(work, task.project),
        draft.fields,
        {line.municipal_task_id: line.deadline_after for line in reached},
        {line.municipal_task_id: line.municipality for line in reached},
    )
    return Impact(plan.version.number, tuple(lines), differences(work, current, plan.version), warnings)


def _line(work: Work, plan: CopyPlan, who: Callable[[Assignee], str]) -> ImpactLine:
    copy, after = plan.copy, plan.value("deadline")
    assert after is None or isinstance(after, date)
    return ImpactLine(
        municipal_task_id=copy.id,
        municipality=copy.municipality,
        fate=plan.fate,
        status=Status(copy.status),
        status_after=str(plan.value("status")),
        reopened=plan.reopened,
        deadline=copy.deadline,
        deadline_after=after,
        deviations=tuple(
            DeviationAhead(
                FIELDS[each.field],
                central_word(work, each.field, each.central_old),
                central_word(work, each.field, each.central_new),
                day_word(copy.deadline) if each.field == "deadline" else who(copy.assignee(each.field)),
            )
            for each in plan.deviations
        ),
    )


def _names(work: Work, plan: Plan) -> Callable[[Assignee], str]:
    return namer(
        work,
        [
            each.copy.assignee(arising.field)
            for each in plan.copies
            for arising in each.deviations
            if arising.field != "deadline"
        ],
    )
