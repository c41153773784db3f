"""What municipalities are told about an announced deletion, and whether a mail with it was accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import String, cast, exists, func, literal, or_, select, update

from klik.domain.calendar import days, long_date
from klik.models import Deletion, DeletionItem, Mail, Membership, MunicipalTask, Notice, Person
from klik.services.deleting.progress import held
from klik.services.notices import ledger, recipients, stand_ins
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

ANNOUNCED, POSTPONED, REGRETTED = "sletning-varslet", "sletning-udsat", "sletning-fortrudt"
REMINDER, ASKED, DECIDED = "sletning-rykker", "sletning-bevaring", "sletning-afgoerelse"
# Days before the last day on which those who have not fetched are reminded, the nearest first.
REMINDED = (1, 7, 14, 30)


def path(deletion_id: int) -> str:
    """The page every notice about a deletion leads to; also what finds those notices again."""
    return f"/sletning/{deletion_id}"


def until(deletion: Deletion) -> str:
    """21. december 2026 kl. 23.59.59 dansk tid"""
    return f"{long_date(deletion.last_day)} kl. 23.59.59 dansk tid"


def tasks(count: int) -> str:
    """1 opgave, 12 opgaver"""
    return "1 opgave" if count == 1 else f"{count} opgaver"


@dataclass(frozen=True, slots=True)
class _Matter:
    """How many tasks of one municipality a notice is about, and who hears of it."""

    municipality_id: int
    tasks: int
    recipients: tuple[Recipient, ...]


def announced(work: Work, deletion: Deletion) -> int:
    """Tell every affected municipality; returns how many rows the ledger got."""
    what = f"KOMBIT sletter “{deletion.heading}”."
    todo = (
        f"Gem opgaverne som PDF senest {until(deletion)}, og kvittér med sagsnummeret, "
        "når de ligger i jeres eget system. Skal en opgave blive, så bed om det på siden."
    )
    return _tell(
        work,
        deletion,
        ANNOUNCED,
        "",
        lambda count: f"{_are_deleted(count)} efter {long_date(deletion.last_day)}",
        f"{what} {todo}",
    )


def postponed(work: Work, deletion: Deletion) -> int:
    """Tell that there is more time."""
    _withdraw(work, deletion, (REMINDER,), "Sletningen er udsat")
    return _tell(
        work,
        deletion,
        POSTPONED,
        f"/udsat={deletion.last_day}",
        lambda count: f"Sletning af {tasks(count)} er udsat til efter {long_date(deletion.last_day)}",
        f"KOMBIT har udsat sletningen af “{deletion.heading}”. I kan gemme opgaverne til og med {until(deletion)}.",
    )


def regretted(work: Work, deletion: Deletion) -> int:
    """Tell that the tasks stay; what was not sent yet about the deletion is withdrawn."""
    _withdraw(work, deletion, (ANNOUNCED, POSTPONED, REMINDER), "Sletningen er fortrudt")
    return _tell(
        work,
        deletion,
        REGRETTED,
        "/fortrudt",
        lambda count: f"{tasks(count).capitalize()} slettes alligevel ikke",
        f"KOMBIT har fortrudt sletningen af “{deletion.heading}”. Opgaverne bliver i klik, og I skal ikke gøre noget.",
    )


def asked_to_keep(work: Work, deletion: Deletion, item: DeletionItem) -> int:
    """Tell whoever announced the deletion that a municipality asks to keep a task."""
    announcer = work.session.get(Person, deletion.announced_by) if deletion.announced_by else None
    assert item.hold_until is not None
    if announcer is None or not announcer.active:
        return 0
    to = Recipient(announcer.id, announcer.email, item.municipality_id, "du varslede sletningen")
    draft = NoticeDraft(
        occasion=ASKED,
        dedupe_key=f"sletning={deletion.id}/bevar={item.id}/til={item.hold_until}/{work.now:%Y%m%d%H%M%S}",
        recipient=to,
        heading="En kommune beder om at beholde en opgave",
        sentence=f"Opgaven ønskes bevaret til {long_date(item.hold_until)}. Den slettes ikke, før du har svaret.",
        path=path(deletion.id),
        municipal_task_id=item.municipal_task_id,
        about_day=deletion.last_day,
    )
    return ledger.enqueue(work, [draft])


def hold_decided(work: Work, deletion: Deletion, item: DeletionItem) -> int:
    """Tell the municipality what KOMBIT answered."""
    assert item.hold_until is not None
    task = work.session.get_one(MunicipalTask, item.municipal_task_id)
    name = f"{task.task_number or ''} {task.title}".strip()
    if item.hold_granted:
        heading = f"Opgaven bevares til {long_date(item.hold_until)}"
        sentence = f"KOMBIT har sagt ja til at beholde “{name}” til og med {long_date(item.hold_until)}."
    else:
        heading = f"Opgaven slettes efter {long_date(deletion.last_day)}"
        sentence = f"KOMBIT har sagt nej til at beholde “{name}”. Gem den senest {until(deletion)}."
    stamp = f"svar={item.id}/{work.now:%Y%m%d%H%M%S}"
    return ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=DECIDED,
                dedupe_key=f"sletning={deletion.id}/{stamp}",
                recipient=to,
                heading=heading,
                sentence=sentence,
                path=path(deletion.id),
                municipal_task_id=item.municipal_task_id,
                about_day=deletion.last_day,
            )
            for to in _recipients(work, {task.system_code: {item.municipality_id}})[item.municipality_id]
        ],
    )


def remind(work: Work) -> int:
    """Remind municipalities that have not fetched, 30, 14, 7 and 1 days before; returns the new ledger rows.

    A day that was missed is caught up with until the next one. Nobody is reminded of a step that had already
    passed when the deletion was announced, and tasks KOMBIT keeps are not reminded of.
    """
    told = 0
    running = select(Deletion).where(Deletion.state == "varslet", Deletion.last_day >= work.today)
    for deletion in work.session.scalars(running.order_by(Deletion.id)):
        left = (deletion.last_day - work.today).days
        step = next((step for step in REMINDED if left <= step), None)
        announced_left = (deletion.last_day - replace(work, now=deletion.announced_at).today).days
        if step is None or announced_left <= step:
            continue
        told += _remind_of(work, deletion, left, step)
    return told


def _remind_of(work: Work, deletion: Deletion, left: int, step: int) -> int:
    ending = "i dag er sidste dag" if left == 0 else f"{days(left)} tilbage"
    return _tell(
        work,
        deletion,
        REMINDER,
        f"/rest={step}/dag={deletion.last_day}",
        lambda count: f"{_are_deleted(count)} efter {long_date(deletion.last_day)}: {ending}",
        f"Opgaverne er ikke gemt endnu. Gem dem som PDF senest {until(deletion)}; derefter slettes de.",
        only_waiting=True,
        about_day=deletion.last_day - timedelta(days=step),
    )


def note_notified(work: Work) -> int:
    """Write down which municipalities were told: a mail with their notice was accepted; returns the items.

    A notice that fell back to KOMBIT, because the municipality has nobody, tells the municipality nothing.
    """
    waiting = work.session.scalars(
        select(DeletionItem.deletion_id)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(DeletionItem.notified_at.is_(None), Deletion.state == "varslet")
        .distinct()
    ).all()
    if not waiting:
        return 0
    belongs = exists(
        select(Membership.id).where(
            Membership.person_id == Notice.person_id, Membership.municipality_id == Notice.municipality_id
        )
    )
    accepted = (
        select(func.min(func.coalesce(Mail.sent_at, literal(work.now, Mail.sent_at.type))))
        .join(Notice, Notice.mail_id == Mail.id)
        .where(
            Mail.state == "sent",
            Notice.occasion == ANNOUNCED,
            Notice.path == literal("/sletning/") + cast(DeletionItem.deletion_id, String),
            Notice.municipality_id == DeletionItem.municipality_id,
            or_(Notice.person_id.is_(None), belongs),
        )
        .correlate(DeletionItem)
        .scalar_subquery()
    )
    statement = (
        update(DeletionItem)
        .where(
            DeletionItem.deletion_id.in_(waiting),
            DeletionItem.notified_at.is_(None),
            accepted.is_not(None),
        )
        .values(notified_at=accepted)
        .returning(DeletionItem.id)
    )
    return len(work.session.scalars(statement, execution_options={"synchronize_session": False}).all())


def _are_deleted(count: int) -> str:
    return f"{tasks(count)} slettes"


def _tell(
    work: Work,
    deletion: Deletion,
    occasion: str,
    key: str,
    heading: Callable[[int], str],
    sentence: str,
    *,
    only_waiting: bool = False,
    about_day: date | None = None,
) -> int:
    drafts = [
        NoticeDraft(
            occasion=occasion,
            dedupe_key=f"sletning={deletion.id}/kommune={matter.municipality_id}{key}",
            recipient=to,
            heading=heading(matter.tasks),
            sentence=sentence,
            path=path(deletion.id),
            about_day=about_day or deletion.last_day,
        )
        for matter in _matters(work, deletion, only_waiting)
        for to in matter.recipients
    ]
    return ledger.enqueue(work, drafts)


def _matters(work: Work, deletion: Deletion, only_waiting: bool) -> list[_Matter]:
    statement = (
        select(DeletionItem.municipality_id, MunicipalTask.system_code, func.count())
        .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
        .where(DeletionItem.deletion_id == deletion.id)
        .group_by(DeletionItem.municipality_id, MunicipalTask.system_code)
        .order_by(DeletionItem.municipality_id)
    )
    if only_waiting:
        statement = statement.where(DeletionItem.state == "varslet", ~held(work))
    counts: dict[int, int] = {}
    systems: dict[str | None, set[int]] = {}
    for code, system, count in work.session.execute(statement):
        counts[code] = counts.get(code, 0) + count
        systems.setdefault(system, set()).add(code)
    to = _recipients(work, systems)
    return [_Matter(code, count, to[code]) for code, count in counts.items()]


def _recipients(work: Work, systems: Mapping[str | None, set[int]]) -> Mapping[int, tuple[Recipient, ...]]:
    """Whom a matter of a system goes to by rule, and all administrators; each once a municipality."""
    found: dict[int, dict[int | str, Recipient]] = {}
    for system, codes in systems.items():
        for code, people in recipients.of_municipalities(work, codes, system).items():
            _add(found.setdefault(code, {}), people)
    for code, administrators in stand_ins.administrators_told(work, found).items():
        _add(found[code], administrators)
    return {code: tuple(people.values()) for code, people in found.items()}


def _add(people: dict[int | str, Recipient], more: Iterable[Recipient]) -> None:
    for to in more:
        people.setdefault(to.person_id or to.address.casefold(), to)


def _withdraw(work: Work, deletion: Deletion, occasions: tuple[str, ...], reason: str) -> None:
    work.session.execute(
        update(Notice)
        .where(
            Notice.occasion.in_(occasions),
            Notice.path == path(deletion.id),
            Notice.mail_id.is_(None),
            Notice.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=work.now, withdrawal_reason=reason),
        execution_options={"synchronize_session": False},
    )
