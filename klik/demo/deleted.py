"""The deletion that is over in the demo: one fetched in time, one forgot, one keeps a task, and the rest is gone.

The real machine draws, packs, proves and erases, as of the days on which it would have happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from klik.demo.people import KOEGE, Staff
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Deletion, DeletionItem, Membership, MunicipalTask, Person
from klik.services import deleting, publishing
from klik.services.deleting import archiving, erasing, sweeping
from klik.services.deleting.archiving import WaitingError
from klik.services.publishing import Draft
from klik.services.rendering import RenderingError
from klik.services.tasks import changing, commenting, drawn
from klik.services.work import Actor, Work

HERNING, AARHUS = 657, 751
PLACES = (KOEGE, HERNING, AARHUS)
HEADING = "Monopolbrud: opgaver fra forprojektet"
# Days before today.
PUBLISHED, ANNOUNCED, ASKED, ANSWERED, FETCHED, LAST_DAY = 420, 40, 30, 28, 20, 1
Member = Callable[[Work, Staff, str, Level], Actor]


@dataclass(frozen=True, slots=True)
class _Old:
    """A task of the pilot study."""

    title: str
    purpose: str
    description: str
    result: str


TASKS = (
    _Old(
        "Kortlæg kommunens it-systemer på ydelsesområdet",
        "Forprojektet skal vide, hvilke systemer der skal afløses.",
        "Skriv hvert system på listen med leverandør, kontraktens udløb og de systemer, det udveksler data med.",
        "Listen er sendt til forprojektet.",
    ),
    _Old(
        "Udpeg deltagere til forprojektets arbejdsgrupper",
        "Arbejdsgrupperne skal have fagfolk fra kommunerne med fra begyndelsen.",
        "Find en fagperson til hver arbejdsgruppe, og aftal tiden med den nærmeste leder.",
        "Deltagerne er meldt til forprojektet.",
    ),
)


def announce(work: Work, staff: Mapping[int, Staff], editor: Actor, member: Member) -> None:
    """Two tasks that three municipalities completed, and their deletion announced with yesterday as its last day."""
    then = replace(work, now=work.now - timedelta(days=PUBLISHED), actor=editor)
    ids = [
        publishing.publish(
            then,
            Draft(
                project="monopolbrud",
                title=old.title,
                phase="opstart",
                theme="projektstyring-og-ledelse",
                purpose=old.purpose,
                description=old.description,
                result=old.result,
                deadline_rule="core.date",
                deadline_parameter=(then.today + timedelta(days=40)).isoformat(),
            ),
            PLACES,
        ).task_id
        for old in TASKS
    ]
    for code in PLACES:
        done = replace(
            work,
            now=then.now + timedelta(days=30),
            actor=member(work, staff[code], "programleder", Level.PLUS_USER),
        )
        _complete(done, code, ids)
    when = replace(work, now=work.now - timedelta(days=ANNOUNCED), actor=editor)
    draft = deleting.Draft(
        heading=HEADING,
        last_day=work.today - timedelta(days=LAST_DAY),
        legal_basis="Bevarings- og kassationsbestemmelser for fælleskommunale projekter: forprojektet er afsluttet",
        decided_by="Gitte Lyngholm, KOMBIT",
        decided_on=when.today - timedelta(days=7),
        selection=deleting.Selection(task_ids=tuple(ids)),
    )
    deleting.announce(when, draft, None)


def _complete(work: Work, code: int, task_ids: Sequence[int]) -> None:
    rows = work.session.execute(
        select(MunicipalTask.id, MunicipalTask.version).where(
            MunicipalTask.municipality_id == code, MunicipalTask.task_id.in_(task_ids)
        )
    ).all()
    for task_id, version in rows:
        changing.change(work, task_id, version, changing.Changes(status=Status.COMPLETED))
        commenting.add(work, task_id, "Sendt til forprojektet i dag.")


def answer(work: Work, staff: Mapping[int, Staff], editor: Actor, member: Member) -> None:
    """Everybody was told, and Aarhus keeps one task until the spring."""
    deleting.note_notified(work)
    deletion = _deletion(work)
    item_id = work.session.scalars(
        select(DeletionItem.id)
        .where(DeletionItem.deletion_id == deletion.id, DeletionItem.municipality_id == AARHUS)
        .order_by(DeletionItem.id)
    ).first()
    assert item_id is not None
    asks = replace(
        work,
        now=work.now - timedelta(days=ASKED),
        actor=member(work, staff[AARHUS], "administrator", Level.ADMINISTRATOR),
    )
    reason = "Listen bruges i et udbud, som først er afgjort til foråret"
    deleting.ask_to_keep_all(asks, deletion.id, [item_id], reason, work.today + timedelta(days=120))
    says = replace(work, now=work.now - timedelta(days=ANSWERED), actor=editor)
    deleting.decide_holds(says, deletion.id, [item_id], granted=True)


def _deletion(work: Work) -> Deletion:
    return work.session.scalars(select(Deletion).where(Deletion.heading == HEADING)).one()


def carry_out(house: Installation, now: datetime) -> None:
    """Herning fetches, the last day passes, and this morning all that is not kept is archived and erased.

    Where no PDF can be made nothing is erased, and the page says why; the worker tries again.
    """
    _fetch(house, now - timedelta(days=FETCHED))
    with house.reading(now) as work:
        due = archiving.due(work)
    for item_id in due:
        try:
            erasing.delete(house, lambda: now, item_id)
        except WaitingError as error:
            with house.writing(now) as work:
                work.session.get_one(DeletionItem, item_id).problem = str(error)
    sweeping.remove_discarded(house, now)


def _fetch(house: Installation, at: datetime) -> None:
    with house.reading(at) as work:
        person = work.session.scalars(
            select(Person).where(Person.email == "administrator@herning.example")
        ).one()
        member = work.session.scalars(select(Membership).where(Membership.person_id == person.id)).one()
        herning = Actor(
            person.id, member.id, person.name, person.email, Level.ADMINISTRATOR, HERNING, "", frozenset()
        )
        deletion_id = _deletion(work).id
        ids = work.session.scalars(
            select(DeletionItem.municipal_task_id)
            .where(DeletionItem.deletion_id == deletion_id, DeletionItem.municipality_id == HERNING)
            .order_by(DeletionItem.id)
        ).all()
    try:
        taken = {task_id: drawn.task(house, herning, at, task_id).sha256 for task_id in ids}
    except RenderingError:
        return
    with house.writing(at, herning) as work:
        deleting.note_fetched_all(work, taken)
        deleting.receipt(work, deletion_id, "2026-4417")
