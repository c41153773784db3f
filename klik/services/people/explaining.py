"""Why somebody can or cannot do a thing, in a sentence, and what would change it.

The answer is always that of the functions that decide elsewhere, asked with the person as the one who acts. The reason
is found by asking them once more with one thing changed: another level, a named executor, a task that stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from klik.domain.rights import Level, Right
from klik.models import Membership, MunicipalTask, Person, System
from klik.services import access
from klik.services.errors import NotFoundError
from klik.services.keeping import NOTHING_KEPT
from klik.services.notices import recipients
from klik.services.overview import IN_FORCE, is_open
from klik.services.people import acting, directory
from klik.services.people.acts import BY_RIGHT, Act, Answer
from klik.services.work import Actor, Work

MOST_TASKS = 500


@dataclass(frozen=True, slots=True)
class Changer:
    """One of a municipality's people, and whether this person can change a task."""

    membership_id: int
    name: str
    level: Level
    answer: Answer


@dataclass(frozen=True, slots=True)
class _Supposed:
    """A task as it is, or as it would be."""

    municipality_id: Any
    system_code: Any
    responsible_id: Any
    responsible_role: Any
    executor_id: Any
    executor_role: Any
    withdrawn_at: Any

    @classmethod
    def of(cls, task: MunicipalTask) -> _Supposed:
        return cls(
            task.municipality_id,
            task.system_code,
            task.responsible_id,
            task.responsible_role,
            task.executor_id,
            task.executor_role,
            task.withdrawn_at,
        )


def explain(
    work: Work, membership_id: int, task_id: int | None = None, system: str | None = None
) -> tuple[Answer, ...]:
    """Every act that can be asked about with what is chosen; raises NotFoundError for what the asker may not see.

    Acts on a task are left out without one, being told of a system's tasks without a system.
    """
    member = access.membership(work, membership_id)
    task = access.municipal_task(work, task_id) if task_id is not None else None
    found = work.session.get(System, system) if system else None
    if system and found is None:
        raise NotFoundError
    theirs = _as(work, member)
    answers = [_sign_in(member, theirs)]
    if task is not None:
        answers += [
            _see(theirs, member, task),
            _change(theirs, member, task),
            _comment(theirs, member, task),
        ]
    if found is not None and member.municipality_id is not None:
        answers.append(_hear(work, member, found))
    answers += [_by_right(theirs, member, act) for act in BY_RIGHT]
    return tuple(answers)


def changers(work: Work, task_id: int) -> tuple[MunicipalTask, tuple[Changer, ...]]:
    """Each active person of the task's municipality and whether they can change it, those who can first.

    Raises NotFoundError for a task the asker may not see, ForbiddenError for who may not see people.
    """
    access.require(work, Right.READ_ROLES)
    task = access.municipal_task(work, task_id)
    people = directory.listed(work, task.municipality_id)
    members = {
        member.id: member
        for member in work.session.scalars(
            select(Membership).where(
                Membership.id.in_([each.membership_id for each in people if each.active])
            )
        )
    }
    actors = acting.actors(work, members)
    found = [
        Changer(
            each.membership_id,
            each.name,
            each.level,
            _change(_acting(work, actors.get(each.membership_id)), members[each.membership_id], task),
        )
        for each in people
        if each.membership_id in members
    ]
    return task, tuple(sorted(found, key=lambda each: not each.answer.may))


def tasks_to_ask_about(work: Work, member: Membership) -> Sequence[MunicipalTask]:
    """The open tasks of the person's municipality that the asker may see, by number and title."""
    if member.municipality_id is None:
        return ()
    return work.session.scalars(
        select(MunicipalTask)
        .where(
            MunicipalTask.municipality_id == member.municipality_id, access.visible(work), is_open(), IN_FORCE
        )
        .order_by(MunicipalTask.task_number, MunicipalTask.id)
        .limit(MOST_TASKS)
    ).all()


def _as(work: Work, member: Membership) -> Work | None:
    return _acting(work, acting.actors(work, [member.id]).get(member.id))


def _acting(work: Work, actor: Actor | None) -> Work | None:
    return replace(work, actor=actor, kept=NOTHING_KEPT) if actor is not None else None


def _name(member: Membership) -> str:
    return member.person.name


def _out(member: Membership, act: Act) -> Answer:
    return Answer(
        act,
        False,
        f"{_name(member)} har ikke længere adgang til klik her.",
        "Åbn adgangen igen på personens side.",
    )


def _sign_in(member: Membership, theirs: Work | None) -> Answer:
    if theirs is None:
        return _out(member, Act.SIGN_IN)
    if member.person.password_hash is None:
        return Answer(
            Act.SIGN_IN,
            False,
            f"{_name(member)} har ikke valgt en adgangskode endnu.",
            "Send invitationen igen fra personens side.",
        )
    return Answer(Act.SIGN_IN, True, f"{_name(member)} har adgangen {_level(theirs)} og en adgangskode.")


def _level(theirs: Work) -> str:
    assert theirs.actor is not None
    return theirs.actor.level.label


def _sees(theirs: Work, task: MunicipalTask) -> bool:
    try:
        access.municipal_task(theirs, task.id)
    except NotFoundError:
        return False
    return True


def _see(theirs: Work | None, member: Membership, task: MunicipalTask) -> Answer:
    if theirs is None:
        return _out(member, Act.SEE_TASK)
    if _sees(theirs, task):
        return Answer(
            Act.SEE_TASK, True, f"{_name(member)} har adgangen {_level(theirs)} og ser opgaven på listen."
        )
    return _unseen(theirs, member, task, Act.SEE_TASK)


def _unseen(theirs: Work, member: Membership, task: MunicipalTask, act: Act) -> Answer:
    assert theirs.actor is not None
    if theirs.actor.level.scope == "municipality":
        return Answer(
            act,
            False,
            f"Opgaven er en anden kommunes, og {_name(member)} ser kun sin egen.",
            "Giv personen adgang i den kommune, opgaven hører til.",
        )
    if task.task_id is None:
        return Answer(act, False, "Opgaven er kommunens egen, og den ser kun kommunen selv.")
    return Answer(
        act,
        False,
        f"Opgaven hører ikke til et system, {_name(member)} har ansvar for.",
        "Sæt kryds ved systemet på personens side.",
    )


def _change(theirs: Work | None, member: Membership, task: MunicipalTask) -> Answer:
    if theirs is None:
        return _out(member, Act.CHANGE_TASK)
    if not _sees(theirs, task):
        return _unseen(theirs, member, task, Act.CHANGE_TASK)
    it, name = _Supposed.of(task), _name(member)
    if access.may_change(theirs, it):
        return Answer(Act.CHANGE_TASK, True, _why_change(theirs, member, it))
    standing = replace(it, withdrawn_at=None)
    if it.withdrawn_at is not None and access.may_change(theirs, standing):
        return Answer(
            Act.CHANGE_TASK, False, "KOMBIT har trukket opgaven tilbage, så ingen kan ændre den mere."
        )
    assert theirs.actor is not None
    if theirs.actor.municipality_id is None:
        return Answer(
            Act.CHANGE_TASK,
            False,
            f"{name} er {_level(theirs)}, og kun kommunens egne ændrer kommunens opgave.",
        )
    named = access.may_change(theirs, replace(standing, executor_id=member.person_id))
    level = _least(
        theirs, lambda other: access.may_change(other, replace(standing, responsible_id=0, executor_id=0))
    )
    why = (
        f"{name} er {_level(theirs)} og hverken ansvarlig eller udfører for opgaven."
        if named
        else f"{name} er {_level(theirs)} og kan kun læse."
    )
    ways = [f"gør {name} til udfører" if named else "", f"giv adgangen {level.label}" if level else ""]
    return Answer(Act.CHANGE_TASK, False, why, _sentence(ways))


def _why_change(theirs: Work, member: Membership, it: _Supposed) -> str:
    name = _name(member)
    if access.may_change(theirs, replace(it, responsible_id=0, executor_id=0)):
        return f"{name} er {_level(theirs)} og kan ændre alle kommunens opgaver."
    if member.person_id == it.responsible_id:
        return f"{name} er ansvarlig for opgaven."
    if member.person_id == it.executor_id:
        return f"{name} er udfører på opgaven."
    return f"{name} har den rolle, opgaven er givet til."


def _comment(theirs: Work | None, member: Membership, task: MunicipalTask) -> Answer:
    if theirs is None:
        return _out(member, Act.COMMENT)
    if not _sees(theirs, task):
        return _unseen(theirs, member, task, Act.COMMENT)
    name = _name(member)
    if access.may_comment(theirs, task):
        return Answer(Act.COMMENT, True, f"{name} er {_level(theirs)} og kan skrive kommentarer.")
    if task.withdrawn_at is not None:
        return Answer(Act.COMMENT, False, "KOMBIT har trukket opgaven tilbage, så den kan ikke kommenteres.")
    level = _least(theirs, lambda other: access.may_comment(other, task))
    return Answer(
        Act.COMMENT,
        False,
        f"{name} er {_level(theirs)} og kan ikke skrive kommentarer.",
        _sentence([f"giv adgangen {level.label}" if level else ""]),
    )


def _by_right(theirs: Work | None, member: Membership, act: Act) -> Answer:
    if theirs is None:
        return _out(member, act)
    assert theirs.actor is not None
    name, right = _name(member), BY_RIGHT[act]
    if theirs.actor.has(right):
        return Answer(act, True, f"Det giver adgangen {_level(theirs)}.")
    level = _least(theirs, lambda other: other.actor is not None and other.actor.has(right))
    if level is None:
        whose = "KOMBIT" if theirs.actor.municipality_id is not None else "kommunens egne"
        return Answer(act, False, f"{name} er {_level(theirs)}, og det kan kun {whose}.")
    return Answer(act, False, f"{name} er {_level(theirs)}.", _sentence([f"giv adgangen {level.label}"]))


def _hear(work: Work, member: Membership, system: System) -> Answer:
    name, code = _name(member), member.municipality_id
    assert code is not None
    told = recipients.of_municipalities(work.as_system(), [code], system.code)[code]
    mine = next((each for each in told if each.person_id == member.person_id), None)
    if mine is not None and mine.bounces:
        return Answer(
            Act.HEAR,
            False,
            f"{name} skulle have besked om nye opgaver for {system.name}, men mails til adressen kommer retur.",
            "Ret mailadressen på personens side.",
        )
    if mine is not None:
        return Answer(
            Act.HEAR, True, f"{name} får besked om nye opgaver for {system.name} som {mine.reason}."
        )
    theirs = _as(work, member)
    if theirs is None:
        return _out(member, Act.HEAR)
    others = _names(work, [each.person_id for each in told])
    went = f" Beskeden går til {others}." if others else ""
    if Level(member.level) is Level.PLUS_USER:
        followed = {link.system_code for link in member.systems}
        why = (
            f"{name} er Plusbruger, men følger ikke {system.name}."
            if followed
            else f"{name} er Plusbruger uden valgte systemer, og andre følger {system.name}."
        )
        return Answer(Act.HEAR, False, why + went, f"Sæt kryds ved {system.name} på personens side.")
    return Answer(
        Act.HEAR,
        False,
        f"{name} er {_level(theirs)}, og besked om nye opgaver går til plusbrugere." + went,
        f"Giv adgangen {Level.PLUS_USER.label}, og sæt kryds ved {system.name}.",
    )


def _names(work: Work, ids: Sequence[int | None]) -> str:
    wanted = [each for each in ids if each is not None]
    names = work.session.scalars(
        select(Person.name).where(Person.id.in_(wanted)).order_by(Person.name_key)
    ).all()
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} og {names[-1]}"


def _least(theirs: Work, may: Any) -> Level | None:
    """The lowest level of the same kind of place with which the person could; None where none could."""
    actor = theirs.actor
    assert actor is not None
    for level in reversed(Level):
        if level.scope == actor.level.scope and may(replace(theirs, actor=replace(actor, level=level))):
            return level
    return None


def _sentence(ways: Sequence[str]) -> str:
    text = ", eller ".join(way for way in ways if way)
    return f"{text[:1].upper()}{text[1:]}." if text else ""
