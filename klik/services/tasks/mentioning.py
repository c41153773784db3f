"""Who can be named in a comment, and the one notice each of them gets.

Named can be the people of the task's municipality, and KOMBIT's in a comment that KOMBIT may read. The notice holds
none of the comment's words: the account of notices is read by more people than the comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import or_, select, update

from klik.domain import mentions
from klik.domain.mentions import Mentionable
from klik.domain.rights import Level
from klik.models import Comment, Membership, MunicipalTask, Notice, Person
from klik.services.access import MENTION
from klik.services.errors import RefusedError
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

REASON = "nævnt i en kommentar"
NO_LONGER = "personen er ikke længere nævnt i kommentaren"
_KOMBIT = tuple(level.value for level in Level if level.scope == "kombit")


def people(work: Work, task: MunicipalTask) -> tuple[Mentionable, ...]:
    """Whom a comment on this task can name, by name; a local task is unknown to KOMBIT."""
    here = Membership.municipality_id == task.municipality_id
    central = Membership.level.in_(_KOMBIT)
    rows = work.session.execute(
        select(Person.id, Person.name, Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Person.active.is_(True),
            Membership.active.is_(True),
            here if task.task_id is None else or_(here, central),
        )
        .distinct()
        .order_by(Person.name, Person.id)
    )
    return mentions.mentionables((row.id, row.name, row.email) for row in rows)


def stored(work: Work, task: MunicipalTask, typed: str, *, private: bool, before: str = "") -> str:
    """The typed text as it is stored; raises RefusedError ("text") for a name that cannot be meant here.

    ``before`` is the comment's earlier text: whoever it names stays named under today's name.
    """
    known = {each.id: each for each in people(work, task)}
    for person_id, name in names(work, [before]).items():
        known.setdefault(person_id, Mentionable(person_id, name, name))
    try:
        text = mentions.to_stored(typed, known.values())
    except mentions.AmbiguousMentionError as error:
        raise RefusedError({"text": f"Kommentar: {error}"}) from error
    if private:
        _refuse_strangers(work, task, set(mentions.mentioned(text)) - set(mentions.mentioned(before)))
    return text


def _refuse_strangers(work: Work, task: MunicipalTask, wanted: set[int]) -> None:
    strangers = wanted - at_home(work, task.municipality_id, wanted)
    if strangers:
        named = ", ".join(sorted(_names(work, strangers).values()))
        raise RefusedError(
            {
                "text": f"Kommentar: {named} er ikke fra jeres kommune og kan ikke læse en kommentar, "
                "der kun er for kommunen. Fjern navnet, eller del kommentaren med KOMBIT."
            }
        )


def at_home(work: Work, municipality_id: int, wanted: Iterable[int]) -> set[int]:
    """Which of these people are active in the municipality."""
    people = sorted(wanted)
    if not people:
        return set()
    return set(
        work.session.scalars(
            select(Membership.person_id).where(
                Membership.municipality_id == municipality_id,
                Membership.active.is_(True),
                Membership.person_id.in_(people),
            )
        )
    )


def names(work: Work, texts: Sequence[str]) -> Mapping[int, str]:
    """The names, as they are today, of everybody these stored texts name."""
    wanted = {person for text in texts for person in mentions.mentioned(text)}
    return _names(work, wanted) if wanted else {}


def _names(work: Work, wanted: Iterable[int]) -> dict[int, str]:
    rows = work.session.execute(select(Person.id, Person.name).where(Person.id.in_(sorted(wanted))))
    return {person_id: name for person_id, name in rows}


def written(work: Work, task: MunicipalTask, text: str) -> str:
    """A stored text as it is typed, for the form that changes it."""
    forms = dict(names(work, [text])) | {each.id: each.written for each in people(work, task)}
    return mentions.to_written(text, forms)


def tell(work: Work, task: MunicipalTask, comment: Comment, before: str = "") -> int:
    """Tell whoever is named now and was not before; take back what waits for those no longer named."""
    now, earlier = set(mentions.mentioned(comment.text)), set(mentions.mentioned(before))
    if gone := earlier - now:
        take_back(work, comment.id, gone)
    wanted = now - earlier
    if not wanted or work.actor is None:
        return 0
    home = at_home(work, task.municipality_id, wanted)
    name = f"{task.task_number} {task.title}" if task.task_number else task.title
    rows = work.session.execute(
        select(Person.id, Person.email).where(Person.id.in_(sorted(wanted)), Person.active.is_(True))
    )
    return ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=MENTION,
                dedupe_key=_about(comment.id),
                recipient=Recipient(person_id, address, task.municipality_id, REASON),
                heading=f"{work.actor.name} har nævnt dig: {name}",
                sentence=f"{work.actor.name}, {work.actor.place}, har nævnt dig i en kommentar på opgaven “{name}”.",
                path=f"/opgaver/{task.id}#kommentar-{comment.id}",
                municipal_task_id=task.id,
                task_id=task.task_id,
            )
            for person_id, address in rows
            if person_id in home or not comment.private
        ],
    )


def take_back(work: Work, comment_id: int, people_gone: Iterable[int] | None = None) -> None:
    """Withdraw what is not sent yet of a comment that is gone, or of those it no longer names."""
    waiting = [
        Notice.occasion == MENTION,
        Notice.dedupe_key.startswith(f"{_about(comment_id)}/", autoescape=True),
        Notice.mail_id.is_(None),
        Notice.withdrawn_at.is_(None),
    ]
    if people_gone is not None:
        waiting.append(Notice.person_id.in_(sorted(people_gone)))
    work.session.execute(
        update(Notice).where(*waiting).values(withdrawn_at=work.now, withdrawal_reason=NO_LONGER)
    )


def _about(comment_id: int) -> str:
    return f"{MENTION}/comment={comment_id}"
