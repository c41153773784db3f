"""What an administrator does about answers to "Er det stadig dig?": carries out, dismisses, confirms for others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from klik.content.roles import Holders
from klik.domain import texts
from klik.domain.rights import Right
from klik.models import Person, RoleAnswer, RoleHolding
from klik.services import access, people
from klik.services.errors import RefusedError
from klik.services.notices import still_you
from klik.services.people import NewPerson, directory
from klik.services.roles import answering, asking, holdings, rounds
from klik.services.roles.answering import SOMEBODY_NEW
from klik.services.roles.holdings import NOTE_LIMIT, Filling
from klik.services.work import Work

DONE, DISMISSED, LAPSED = "udfoert", "afvist", "bortfaldet"
ONE_DAY = timedelta(days=1)
OVER = "Svaret er allerede afgjort, eller rollen er afsluttet."


@dataclass(frozen=True, slots=True)
class Proposal:
    """One that waits for the administrator; ``member`` is set when the proposed person has access already."""

    row: RoleAnswer
    holding: RoleHolding
    holder: str
    what: str
    member: Person | None


def proposals(work: Work) -> list[Proposal]:
    """What holders of the actor's municipality proposed and nobody has settled, oldest first."""
    actor = access.require(work, Right.EDIT_ROLES)
    standing = rounds.standing(work, RoleHolding.municipality_id == actor.municipality_id)
    by_id = {each.holding.id: each for each in standing}
    systems = asking.system_names(work)
    rows = sorted(rounds.pending(work, by_id).values(), key=lambda row: (row.answered_at, row.id))
    return [
        Proposal(
            row,
            by_id[row.role_holding_id].holding,
            by_id[row.role_holding_id].name,
            asking.role_words(work, by_id[row.role_holding_id].holding, systems),
            _member(work, row),
        )
        for row in rows
    ]


def proposal(work: Work, answer_id: int) -> Proposal:
    """One of them; raises NotFoundError, and RefusedError when somebody has settled it."""
    row = access.role_answer(work, answer_id)
    found = next((each for each in proposals(work) if each.row.id == row.id), None)
    if found is None:
        raise RefusedError({"": OVER})
    return found


def _member(work: Work, row: RoleAnswer) -> Person | None:
    person = directory.by_address(work, row.proposed_email or "") if row.answer == SOMEBODY_NEW else None
    return access.member(work, person.id, row.municipality_id) if person else None


def needs_access(work: Work, answer_id: int) -> bool:
    """Whether the proposed person must be given access before the proposal can be carried out."""
    found = proposal(work, answer_id)
    return found.row.answer == SOMEBODY_NEW and found.member is None


def wants_plus_user(work: Work, found: Proposal) -> bool:
    """Whether the role's holder must be plusbruger to be told of new tasks (seed 003)."""
    return work.registry.content.role(found.holding.role).plus_user


def carry_out(work: Work, answer_id: int) -> str:
    """End the holding today and give the role to the proposed member from tomorrow; the sentence to say.

    Raises NotFoundError, and RefusedError: settled already, or (key person) the person has no access yet.
    """
    found = proposal(work, answer_id)
    person = found.member
    if found.row.answer == SOMEBODY_NEW and person is None:
        raise RefusedError(
            {"person": f"{found.row.proposed_name} har ikke adgang til klik i kommunen. Giv adgang først."}
        )
    holding, system = found.holding, found.holding.system_code
    primary = holding.is_primary
    holdings.end(work, holding.id, work.today)
    said = f"{found.holder} er ikke længere {found.what} fra i morgen."
    if person is not None and not _has_it(work, holding, person):
        several = work.registry.content.role(holding.role).holders is not Holders.EXACTLY_ONE
        holdings.fill(
            work,
            Filling(
                role=holding.role,
                system=system,
                person_id=person.id,
                primary=primary and several,
                valid_from=work.today + ONE_DAY,
            ),
        )
        said = f"{person.name} er {found.what} fra i morgen i stedet for {found.holder}."
    _settle(work, found, DONE)
    return said


def invite_and_carry_out(work: Work, answer_id: int, new: NewPerson) -> str:
    """Give the proposed person access first; raises what inviting and carrying out raise."""
    found = proposal(work, answer_id)
    member = people.invite(work, new)
    found.row.proposed_name, found.row.proposed_email = member.person.name, member.person.email
    work.session.flush()
    return carry_out(work, answer_id)


def _has_it(work: Work, holding: RoleHolding, person: Person) -> bool:
    """Whether the person holds the same role already, beside the one who gives it up."""
    others = rounds.standing(
        work,
        RoleHolding.municipality_id == holding.municipality_id,
        RoleHolding.role == holding.role,
        RoleHolding.person_id == person.id,
    )
    return any(each.holding.system_code == holding.system_code for each in others)


def dismiss(work: Work, answer_id: int, note: str) -> None:
    """Let the holder go on, and tell them why; raises NotFoundError and RefusedError (key begrundelse)."""
    found = proposal(work, answer_id)
    problems: dict[str, str] = {}
    words = answering.clean_text(note, "Begrundelse", NOTE_LIMIT, "begrundelse", problems)
    if problems:
        raise RefusedError(problems)
    _settle(work, found, DISMISSED)
    person = work.session.get(Person, found.holding.person_id) if found.holding.person_id else None
    address = person.email if person else found.holding.mailbox or ""
    still_you.tell_dismissed(work, found.row, found.holding, address, words)


def _settle(work: Work, found: Proposal, how: str) -> None:
    actor = access.require(work, Right.EDIT_ROLES)
    _close(work, found.row, found.holding, how, actor.person_id)


def lapse(work: Work) -> int:
    """Settle proposals about holdings that ended by other means; how many. Run as time passes; two statements."""
    waiting = {
        row.role_holding_id: (row, holding)
        for row, holding in work.session.execute(
            select(RoleAnswer, RoleHolding)
            .join(RoleHolding, RoleHolding.id == RoleAnswer.role_holding_id)
            .where(RoleAnswer.answer.in_(rounds.PROPOSALS), RoleAnswer.settled_at.is_(None))
            .order_by(RoleAnswer.id)
        )
    }
    if not waiting:
        return 0
    stand = {each.holding.id for each in rounds.standing(work, RoleHolding.id.in_(sorted(waiting)))}
    over = [waiting[number] for number in sorted(waiting.keys() - stand)]
    for row, holding in over:
        _close(work, row, holding, LAPSED, None)
    return len(over)


def _close(work: Work, row: RoleAnswer, holding: RoleHolding, how: str, person_id: int | None) -> None:
    row.settled_at, row.settled_by, row.settled_as = work.now, person_id, how
    # What was proposed is of no more use: whoever took over stands in the gallery.
    row.proposed_name = row.proposed_email = row.note = None
    work.session.flush()
    answering.note(work, f"rolle-svar-{how}", holding)


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Roles that nobody has confirmed in the round, of one person or of one system."""

    name: str
    ids: tuple[int, ...]
    roles: tuple[str, ...]


def unconfirmed(work: Work) -> tuple[list[Unconfirmed], list[Unconfirmed]]:
    """What the actor's municipality lacks in the round: by holder, and by system."""
    actor = access.require(work, Right.EDIT_ROLES)
    systems = asking.system_names(work)
    found = rounds.unanswered(work, RoleHolding.municipality_id == actor.municipality_id)
    words = {each.holding.id: asking.role_words(work, each.holding, systems) for each in found}
    by_holder: dict[tuple[str, str], list[tuple[int, str]]] = {}
    by_system: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for each in found:
        number, code = each.holding.id, each.holding.system_code
        what = f"{words[number][:1].upper()}{words[number][1:]}"
        by_holder.setdefault((each.name, each.address), []).append((number, what))
        if code:
            by_system.setdefault((systems.get(code, code), code), []).append(
                (number, f"{work.registry.content.role(each.holding.role).name}: {each.name}")
            )
    return _grouped(by_holder), _grouped(by_system)


def _grouped(found: Mapping[tuple[str, str], list[tuple[int, str]]]) -> list[Unconfirmed]:
    return [
        Unconfirmed(name, tuple(number for number, _ in rows), tuple(words for _, words in rows))
        for (name, _), rows in sorted(
            found.items(), key=lambda item: (texts.sort_key(item[0][0]), item[0][1])
        )
    ]


def confirm_for_others(work: Work, shown: Collection[int]) -> int:
    """Confirm roles of others that still wait, as the administrator; how many. Raises NotFoundError."""
    for number in sorted(shown):
        access.holding_to_change(work, number)
    actor = access.require(work, Right.EDIT_ROLES)
    waiting = rounds.unanswered(
        work, RoleHolding.municipality_id == actor.municipality_id, RoleHolding.id.in_(sorted(shown))
    )
    for each in waiting:
        holdings.confirm(work, each.holding.id)
    return len(waiting)
