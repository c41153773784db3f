"""What municipalities and KOMBIT are told of an announced deletion when somebody does something about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select, update

from klik.domain.calendar import days, long_date
from klik.models import Deletion, DeletionItem, Municipality, MunicipalTask, Notice, Person
from klik.services.deleting import recipients as deletion_recipients
from klik.services.deleting.progress import HOLD_NOTICE_DAYS
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

ANNOUNCED, POSTPONED, REGRETTED = "sletning-varslet", "sletning-udsat", "sletning-fortrudt"
REMINDER, NUDGE = "sletning-rykker", "sletning-opfordring"
ASKED, DECIDED, HOLD_ENDS = "sletning-bevaring", "sletning-afgoerelse", "sletning-ophoerer"
MISSED, PACKAGE_ENDS = "sletning-passeret", "sletning-pakke"


def path(deletion_id: int) -> str:
    """The page every notice about a deletion leads to; also what finds those notices again."""
    return f"/sletning/{deletion_id}"


def until(deletion: Deletion) -> str:
    """21. december 2026 kl. 23.59.59 dansk tid"""
    return f"{long_date(deletion.last_day)} kl. 23.59.59 dansk tid"


def tasks(count: int) -> str:
    """1 opgave, 12 opgaver"""
    return "1 opgave" if count == 1 else f"{count} opgaver"


def are_deleted(count: int) -> str:
    """1 opgave slettes, 12 opgaver slettes"""
    return f"{tasks(count)} slettes"


@dataclass(frozen=True, slots=True)
class Matter:
    """How many tasks of one municipality a notice is about, and who hears of it."""

    municipality_id: int
    tasks: int
    recipients: tuple[Recipient, ...]


def announced(work: Work, deletion: Deletion, codes: Collection[int] | None = None, again: str = "") -> int:
    """Tell every affected municipality, or only those of ``codes`` and their own people; returns the new rows.

    ``again`` is put on the key when those who were told already are to be told once more.
    """
    todo = (
        f"Hent opgaverne senest {until(deletion)}, og kvittér med sagsnummeret, "
        "når de ligger i jeres eget system. Skal en opgave blive, så bed om det på siden."
    )
    if deletion.last_day < work.today:
        todo = (
            f"Sidste dag var {long_date(deletion.last_day)}, men varslet er ikke nået frem til jer før nu. "
            "Hent opgaverne med det samme; klik gemmer også en pakke med dem, før de slettes."
        )
    return tell(
        work,
        deletion,
        ANNOUNCED,
        again,
        lambda count: f"{are_deleted(count)} efter {long_date(deletion.last_day)}",
        f"KOMBIT sletter “{deletion.heading}”. {todo}",
        codes=codes,
    )


def postponed(work: Work, deletion: Deletion) -> int:
    """Tell that there is more time."""
    withdraw(work, deletion, (REMINDER, NUDGE, MISSED), "Sletningen er udsat")
    return tell(
        work,
        deletion,
        POSTPONED,
        f"/udsat={deletion.last_day}",
        lambda count: f"Sletning af {tasks(count)} er udsat til efter {long_date(deletion.last_day)}",
        f"KOMBIT har udsat sletningen af “{deletion.heading}”. I kan hente opgaverne til og med {until(deletion)}.",
    )


def regretted(work: Work, deletion: Deletion) -> int:
    """Tell that the tasks stay; what was not sent yet about the deletion is withdrawn."""
    occasions = (ANNOUNCED, POSTPONED, REMINDER, NUDGE, MISSED, HOLD_ENDS)
    withdraw(work, deletion, occasions, "Sletningen er fortrudt")
    return tell(
        work,
        deletion,
        REGRETTED,
        "/fortrudt",
        lambda count: f"{tasks(count).capitalize()} slettes alligevel ikke",
        f"KOMBIT har fortrudt sletningen af “{deletion.heading}”. Opgaverne bliver i klik, og I skal ikke gøre noget.",
    )


def asked_to_keep(work: Work, deletion: Deletion, items: Sequence[DeletionItem]) -> int:
    """Tell whoever announced the deletion that a municipality asks to keep tasks: one notice a request."""
    announcer = work.session.get(Person, deletion.announced_by) if deletion.announced_by else None
    first = items[0]
    assert first.hold_until is not None
    if announcer is None or not announcer.active:
        return 0
    place = work.session.get_one(Municipality, first.municipality_id).name
    one = len(items) == 1
    draft = NoticeDraft(
        occasion=ASKED,
        dedupe_key=f"sletning={deletion.id}/bevar={first.id}/til={first.hold_until}/{work.now:%Y%m%d%H%M%S}",
        recipient=Recipient(announcer.id, announcer.email, first.municipality_id, "du varslede sletningen"),
        heading=f"{place} beder om at beholde {tasks(len(items))}",
        sentence=f"{'Opgaven ønskes' if one else 'De ønskes'} bevaret til {long_date(first.hold_until)}. "
        f"{'Den' if one else 'De'} slettes ikke, før du har svaret.",
        path=path(deletion.id),
        municipal_task_id=first.municipal_task_id if one else None,
        about_day=deletion.last_day,
    )
    return ledger.enqueue(work, [draft])


def hold_decided(work: Work, deletion: Deletion, items: Sequence[DeletionItem]) -> int:
    """Tell each municipality what KOMBIT answered: one notice a municipality and answer."""
    rows = {
        task.id: task
        for task in work.session.scalars(
            select(MunicipalTask).where(MunicipalTask.id.in_([each.municipal_task_id for each in items]))
        )
    }
    groups: dict[tuple[int, bool, date | None], list[DeletionItem]] = {}
    for item in items:
        key = (item.municipality_id, bool(item.hold_granted), item.hold_until)
        groups.setdefault(key, []).append(item)
    systems: dict[str | None, set[int]] = {}
    for item in items:
        systems.setdefault(rows[item.municipal_task_id].system_code, set()).add(item.municipality_id)
    to = deletion_recipients.of_systems(work, systems)
    drafts = []
    for group in groups.values():
        names = [_name(rows[item.municipal_task_id]) for item in group]
        heading, sentence = _answer(work.today, deletion, group[0], names)
        drafts += [
            NoticeDraft(
                occasion=DECIDED,
                dedupe_key=f"sletning={deletion.id}/svar={group[0].id}/{work.now:%Y%m%d%H%M%S}",
                recipient=recipient,
                heading=heading,
                sentence=sentence,
                path=path(deletion.id),
                municipal_task_id=group[0].municipal_task_id if len(group) == 1 else None,
                about_day=deletion.last_day,
            )
            for recipient in to[group[0].municipality_id]
        ]
    return ledger.enqueue(work, drafts)


def _name(task: MunicipalTask) -> str:
    return f"{task.task_number or ''} {task.title}".strip()


MOST_NAMED = 3


def _answer(today: date, deletion: Deletion, item: DeletionItem, names: Sequence[str]) -> tuple[str, str]:
    assert item.hold_until is not None
    one = len(names) == 1
    named = ", ".join(f"“{name}”" for name in names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        named = f"{named} og {len(names) - MOST_NAMED} til"
    what = "Opgaven" if one else tasks(len(names))
    if item.hold_granted:
        return (
            f"{what} bevares til {long_date(item.hold_until)}",
            f"KOMBIT har sagt ja til at beholde {named} til og med {long_date(item.hold_until)}.",
        )
    fetch = f"Hent {'den' if one else 'dem'} senest {until(deletion)}."
    if deletion.last_day < today:
        fetch = (
            f"Sidste dag er passeret; {'den' if one else 'de'} slettes tidligst om {days(HOLD_NOTICE_DAYS)}."
        )
    heading = f"{what} slettes efter {long_date(deletion.last_day)}"
    return heading, f"KOMBIT har sagt nej til at beholde {named}. {fetch}"


def tell(
    work: Work,
    deletion: Deletion,
    occasion: str,
    key: str,
    heading: Callable[[int], str],
    sentence: str,
    *,
    only: ColumnElement[bool] | None = None,
    codes: Collection[int] | None = None,
    about_day: date | None = None,
) -> int:
    """Enter a notice to everybody of every affected municipality; ``only`` narrows the items it counts.

    With ``codes`` only these municipalities' own people are told, and KOMBIT in nobody's place.
    """
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
        for matter in matters(work, deletion, only, codes)
        for to in matter.recipients
    ]
    return ledger.enqueue(work, drafts)


def matters(
    work: Work,
    deletion: Deletion,
    only: ColumnElement[bool] | None = None,
    codes: Collection[int] | None = None,
) -> list[Matter]:
    """Each affected municipality with its tasks and recipients."""
    statement = (
        select(DeletionItem.municipality_id, MunicipalTask.system_code, func.count())
        .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
        .where(DeletionItem.deletion_id == deletion.id)
        .group_by(DeletionItem.municipality_id, MunicipalTask.system_code)
        .order_by(DeletionItem.municipality_id)
    )
    if only is not None:
        statement = statement.where(only)
    if codes is not None:
        statement = statement.where(DeletionItem.municipality_id.in_(codes))
    counts: dict[int, int] = {}
    systems: dict[str | None, set[int]] = {}
    for code, system, count in work.session.execute(statement):
        counts[code] = counts.get(code, 0) + count
        systems.setdefault(system, set()).add(code)
    if not counts:
        return []
    to: Mapping[int, tuple[Recipient, ...]] = deletion_recipients.of_systems(work, systems)
    if codes is not None:
        to = deletion_recipients.own_only(work, to)
    return [Matter(code, count, to[code]) for code, count in counts.items()]


def withdraw(work: Work, deletion: Deletion, occasions: tuple[str, ...], reason: str) -> None:
    """Take back what is not in any mail yet."""
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
