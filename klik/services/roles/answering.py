"""Answers to "Er det stadig dig?": yes confirms; a new person and nobody are proposals for an administrator."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from klik.domain import mailaddresses
from klik.domain.errors import InputError
from klik.models import Person, RoleAnswer, RoleHolding
from klik.services import auditing, free_text, people
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices import still_you
from klik.services.roles import asking, rounds
from klik.services.roles.asking import Asked, Question
from klik.services.roles.holdings import NOTE_LIMIT
from klik.services.work import Work

YES, SOMEBODY_NEW, NOBODY = "ja", "ny", "tom"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered about one role; name and mail belong to a new person only."""

    kind: str
    name: str = ""
    email: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What a press did: roles confirmed, and proposals passed on."""

    confirmed: int = 0
    proposed: int = 0

    @property
    def sentence(self) -> str:
        """What is said afterwards."""
        said = []
        if self.confirmed:
            said.append(
                "1 rolle er bekræftet" if self.confirmed == 1 else f"{self.confirmed} roller er bekræftet"
            )
        if self.proposed:
            count = "1 svar er sendt" if self.proposed == 1 else f"{self.proposed} svar er sendt"
            said.append(f"{count} til kommunens KLIK-administrator")
        return f"Tak. {' og '.join(said)}." if said else "Tak. Det var svaret i forvejen."


def answer(work: Work, asked: Asked, answers: Mapping[int, Answer]) -> Done:
    """Take answers about one's own roles, by holding; the same answer once more changes nothing.

    Raises NotFoundError for a role that is not the holder's today, and RefusedError with keys like "navn-12".
    """
    own = {each.id: each for each in asking.questions(work, asked, locked=True)}
    if answers.keys() - own.keys():
        raise NotFoundError
    clean = _checked(own, answers)
    confirmed = proposed = 0
    for number, given in clean.items():
        if given.kind == YES:
            confirmed += _confirm(work, asked, own[number])
        else:
            proposed += _propose(work, asked, own[number], given)
    return Done(confirmed, proposed)


def confirm_all(work: Work, asked: Asked, shown: Collection[int]) -> Done:
    """Say yes to those of the roles shown that still wait for an answer; what is somebody else's by now is left."""
    own = [each for each in asking.questions(work, asked, locked=True) if each.open and each.id in shown]
    return Done(confirmed=sum(_confirm(work, asked, each) for each in own))


def _confirm(work: Work, asked: Asked, question: Question) -> bool:
    if not question.open and question.proposal is None and not question.overdue:
        return False
    row = question.proposal
    if row is None:
        work.session.add(_row(work, asked, question, Answer(YES)))
    else:
        # Thought better of: nobody has acted on it yet.
        row.answer, row.answered_at = YES, work.now
        row.proposed_name = row.proposed_email = row.note = None
    question.holding.confirmed_at = work.now
    work.session.flush()
    note(work, "rolle-bekraeft", question.holding)
    return True


def _propose(work: Work, asked: Asked, question: Question, given: Answer) -> bool:
    row = question.proposal
    wanted = (given.kind, given.name or None, given.email or None, given.note or None)
    if row is not None and (row.answer, row.proposed_name, row.proposed_email, row.note) == wanted:
        return False
    if row is None:
        row = _row(work, asked, question, given)
        work.session.add(row)
    row.answer, row.proposed_name, row.proposed_email, row.note = wanted
    row.answered_at = work.now
    work.session.flush()
    note(work, f"rolle-svar-{given.kind}", question.holding)
    still_you.tell_proposed(work, row, question.holding, _holder_name(work, question.holding))
    return True


def _row(work: Work, asked: Asked, question: Question, given: Answer) -> RoleAnswer:
    return RoleAnswer(
        municipality_id=asked.municipality_id,
        role_holding_id=question.id,
        round=rounds.of(work.today).slug,
        answer=given.kind,
        person_id=asked.person_id,
        answered_at=work.now,
    )


def _holder_name(work: Work, holding: RoleHolding) -> str:
    person = work.session.get(Person, holding.person_id) if holding.person_id else None
    return person.name if person else holding.mailbox or ""


def _checked(own: Mapping[int, Question], answers: Mapping[int, Answer]) -> Mapping[int, Answer]:
    problems: dict[str, str] = {}
    clean = {}
    for number, given in answers.items():
        name = own[number].name
        if given.kind not in (YES, SOMEBODY_NEW, NOBODY):
            problems[f"svar-{number}"] = f"{name}: vælg ja, ny person eller ingen."
            continue
        new = given.kind == SOMEBODY_NEW
        note = (
            ""
            if given.kind == YES
            else clean_text(given.note, f"{name}, note", NOTE_LIMIT, f"note-{number}", problems)
        )
        clean[number] = Answer(
            given.kind,
            clean_text(
                given.name, f"{name}, navn", people.NAME_LIMIT, f"navn-{number}", problems, required=True
            )
            if new
            else "",
            _address(given.email, f"{name}, mailadresse", f"mail-{number}", problems) if new else "",
            note,
        )
    if problems:
        raise RefusedError(problems)
    return clean


def clean_text(
    typed: str, label: str, limit: int, key: str, problems: dict[str, str], *, required: bool = False
) -> str:
    """One line of text as it is stored; what is wrong with it goes into ``problems`` under ``key``, in Danish."""
    try:
        return free_text.clean(typed, field=label, limit=limit, required=required, tick=False)
    except InputError as error:
        problems[key] = str(error)
        return ""


def _address(typed: str, label: str, key: str, problems: dict[str, str]) -> str:
    if not typed.strip():
        problems[key] = f"{label} skal udfyldes."
        return ""
    try:
        address = mailaddresses.normalise(typed)
        free_text.refuse_cpr(address, field=label, tick=False)
    except free_text.CprError as error:
        problems[key] = str(error)
        return ""
    except InputError as error:
        problems[key] = f"{label}: {error}"
        return ""
    return address


def note(work: Work, action: str, holding: RoleHolding) -> None:
    """Write down an act on a holding."""
    facts = {"rolle": holding.role, "system": holding.system_code, "person": holding.person_id}
    auditing.record(work, action, f"role-holding/{holding.id}", facts, holding.municipality_id)
