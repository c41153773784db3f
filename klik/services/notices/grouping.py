"""Which line a notice becomes in a mail, and in which order the lines stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from klik.domain.calendar import weekday
from klik.domain.deadlines import Colour, colour
from klik.domain.mail_hours import mail_day
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import MunicipalTask, Notice
from klik.plugins.manager import CORE, plugin_of
from klik.services import access
from klik.services.notices import checking, mails, reminders, scanning, taking_over, task_recipients
from klik.services.notices.checking import Facts
from klik.services.notices.mails import Sender
from klik.services.notices.recipients import Recipient
from klik.services.notices.wording import TOMORROW, Letter, Line, Part, Section
from klik.services.views import municipal_task_views
from klik.services.work import Work

FILTERS = "/filtre"
NEWS = frozenset(
    {
        "udgivet",
        "annonceret",
        "trukket-tilbage",
        "tildelt",
        "overdraget",
        taking_over.OCCASION,
        "rettet",
        "frist-flyttet",
        "opgaver-tilkommet",
        "plusbruger",
        "ny-rolle",
    }
)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Soon:
    """A task that turns red before its person's next mail, and why it is told to them."""

    task: MunicipalTask
    line: Line


def next_day(work: Work) -> date:
    """The day of the next mails after today's."""
    return mail_day(work.today + ONE_DAY)


def soon_words(work: Work) -> str:
    """ "i morgen", or over days off "senest mandag"."""
    day = next_day(work)
    return TOMORROW if day == work.today + ONE_DAY else f"senest {weekday(day)}"


def soon_red(
    work: Work, sender: Sender, notices: Iterable[Notice], facts: Facts
) -> Mapping[int, Sequence[Soon]]:
    """For each person with a reminder, their tasks that turn red before the next mail; a few statements for all."""
    people = {
        notice.person_id for notice in notices if notice.person_id and checking.is_reminder(work, notice)
    }
    codes = {code for person_id in people for code in facts.places.get(person_id, ())}
    if not codes:
        return {}
    tasks = work.session.scalars(
        select(MunicipalTask)
        .where(
            MunicipalTask.municipality_id.in_(codes),
            MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
            MunicipalTask.deadline >= work.today,
            MunicipalTask.deadline < next_day(work),
        )
        .order_by(MunicipalTask.deadline, MunicipalTask.id)
    ).all()
    if not tasks:
        return {}
    views = {view.id: view for view in municipal_task_views(work, tasks)}
    told = task_recipients.of_tasks(work, tasks)
    found: dict[int, list[Soon]] = defaultdict(list)
    rule = work.registry.notification_rules[reminders.DAY_BEFORE]
    for task in tasks:
        view = views[task.id]
        for person in told[task.id]:
            if person.person_id in people:
                line = _soon_line(
                    task, rule.heading(view, work.today), rule.sentence(view, work.today), person, sender
                )
                found[person.person_id].append(Soon(task, line))
    return found


def _soon_line(task: MunicipalTask, heading: str, sentence: str, person: Recipient, sender: Sender) -> Line:
    return Line(
        heading=mails.one_line(heading),
        sentence=sentence,
        reason=person.reason,
        url=f"{sender.base_url}/opgaver/{task.id}",
        colour=Colour.YELLOW,
        part=Part.SOON,
        title=_name(task),
    )


def letter(
    work: Work,
    sender: Sender,
    notices: Sequence[Notice],
    facts: Facts,
    soon: Sequence[Soon] = (),
    actions: Mapping[int, tuple[tuple[str, str], ...]] | None = None,
) -> Letter:
    """All that one recipient is to be told, a section for each municipality.

    ``soon`` are their tasks that turn red before the next mail; those with a notice of their own are left out.
    ``actions`` are the links that act, by the notice's id.
    """
    own = {notice.municipal_task_id for notice in notices if checking.is_reminder(work, notice)}
    ranked: dict[str | None, list[tuple[tuple[date, int], Line]]] = defaultdict(list)
    for notice in notices:
        place = facts.names.get(notice.municipality_id or 0)
        line = _line(work, sender, notice, facts, (actions or {}).get(notice.id, ()))
        ranked[place].append((_rank(notice, facts), line))
    for each in soon:
        if each.task.id not in own:
            place = facts.names.get(each.task.municipality_id)
            ranked[place].append(((each.task.deadline or date.max, 0), each.line))
    order = {part: number for number, part in enumerate(Part)}
    return Letter(
        tuple(
            Section(
                place,
                tuple(
                    line for _, line in sorted(ranked[place], key=lambda each: (order[each[1].part], each[0]))
                ),
            )
            for place in sorted(ranked, key=lambda name: (name is None, name or ""))
        ),
        soon_words(work),
        shared=notices[0].person_id is None,
        outside=all(each.person_id is None and each.municipality_id is None for each in notices),
    )


def _rank(notice: Notice, facts: Facts) -> tuple[date, int]:
    task = facts.tasks.get(notice.municipal_task_id or 0)
    return (task.deadline if task and task.deadline else date.max), notice.id


def _name(task: MunicipalTask) -> str:
    return mails.one_line(f"{task.task_number} {task.title}" if task.task_number else task.title)


def _part(work: Work, notice: Notice, task: MunicipalTask | None, shade: Colour | None) -> Part:
    if task is None or shade is None:
        is_news = notice.occasion in NEWS or notice.occasion in work.registry.topics
        return Part.NEWS if is_news else Part.OTHER
    if shade is Colour.RED:
        return Part.RED
    if task.deadline is not None and work.today <= task.deadline < next_day(work):
        return Part.SOON
    return Part.YELLOW if shade is Colour.YELLOW else Part.OTHER


def _line(
    work: Work, sender: Sender, notice: Notice, facts: Facts, actions: tuple[tuple[str, str], ...]
) -> Line:
    asked_for = notice.occasion == access.OWN_OCCASION
    reminder = checking.is_reminder(work, notice)
    task = facts.tasks.get(notice.municipal_task_id or 0)
    shade = (
        colour(Status(task.status), task.deadline, task.yellow_from, work.today)
        if task and reminder
        else None
    )
    # Only a mail about a filter holds tasks, a line each; other words are left as they are.
    words, *rows = notice.sentence.split("\n") if asked_for else [notice.sentence]
    tasks: tuple[tuple[str, str], ...] = ()
    if notice.occasion == taking_over.OCCASION:
        words, rows, found = taking_over.read(notice.sentence)
        tasks = tuple((name, f"{sender.base_url}{path}") for name, path in found)
    sentence, late = scanning.without_lateness(words)
    return Line(
        heading=mails.one_line(notice.heading),
        sentence=sentence,
        reason=notice.reason,
        url=f"{sender.base_url}{notice.path}",
        colour=shade,
        rows=tuple(rows),
        tasks=tasks,
        stop=f"{sender.base_url}{FILTERS}" if asked_for else None,
        part=_part(work, notice, task, shade),
        title=_name(task) if task and reminder and plugin_of(notice.occasion) == CORE else None,
        late=late,
        actions=actions,
    )
