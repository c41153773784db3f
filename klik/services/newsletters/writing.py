"""Newsletters while they are written: begun, changed, copied; never over what somebody else stored meanwhile."""

from __future__ import annotations

from klik.domain.rights import Right
from klik.models import Newsletter, Person
from klik.services import access, auditing
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.newsletters import audience as chosen
from klik.services.newsletters import letter
from klik.services.newsletters.audience import Audience
from klik.services.newsletters.letter import Words
from klik.services.work import Work

DRAFT, PLANNED, SENT = "kladde", "planlagt", "sendt"
STATES = {DRAFT: "Kladde", PLANNED: "Planlagt", SENT: "Sendt"}
COPY = "Kopi af "


def begin(work: Work, words: Words, audience: Audience) -> Newsletter:
    """Store a new draft; raises RefusedError naming each field."""
    actor = access.require(work, Right.PUBLISH)
    row = Newsletter(
        state=DRAFT,
        created_by=actor.person_id,
        changed_by=actor.person_id,
        created_at=work.now,
        **_checked(work, words, audience),
    )
    work.session.add(row)
    work.session.flush()
    auditing.record(work, "nyhedsbrev-opret", f"nyhedsbrev/{row.id}")
    return row


def save(work: Work, letter_id: int, version: int, words: Words, audience: Audience) -> Newsletter:
    """Change a draft drawn with this version; raises RefusedError, and ConflictError when it was changed since."""
    row = to_change(work, letter_id)
    if row.version != version:
        raise _conflict(work, row, words, audience)
    for name, value in _checked(work, words, audience).items():
        setattr(row, name, value)
    row.changed_by = access.require(work, Right.PUBLISH).person_id
    work.session.flush()
    auditing.record(work, "nyhedsbrev-ret", f"nyhedsbrev/{row.id}")
    return row


def copy(work: Work, letter_id: int) -> Newsletter:
    """A new draft with the same text and readers."""
    row = held(work, letter_id)
    words = Words((COPY + row.subject.removeprefix(COPY))[: letter.SUBJECT_LIMIT], row.body)
    return begin(work, words, Audience.parse(row.audience))


def held(work: Work, letter_id: int) -> Newsletter:
    """The newsletter, for those who write them; held until the transaction ends. Raises NotFoundError."""
    access.require(work, Right.PUBLISH)
    row = work.session.get(Newsletter, letter_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError
    return row


def to_change(work: Work, letter_id: int) -> Newsletter:
    """The same while it is a draft; raises RefusedError for one that is planned or sent."""
    row = held(work, letter_id)
    check_open(row)
    return row


def check_open(row: Newsletter) -> None:
    """Raise RefusedError for a letter that is planned or sent."""
    if row.state == PLANNED:
        raise RefusedError({"": "Nyhedsbrevet er planlagt. Træk det tilbage, før du retter det."})
    if row.state == SENT:
        raise RefusedError({"": "Nyhedsbrevet er sendt og kan ikke rettes. Lav en kopi i stedet."})


def words_of(row: Newsletter) -> Words:
    """What is stored."""
    return Words(row.subject, row.body)


def _checked(work: Work, words: Words, audience: Audience) -> dict[str, str]:
    found = letter.problems(words)
    try:
        chosen.check(work, audience)
    except RefusedError as error:
        found |= error.problems
    if found:
        raise RefusedError(found)
    tidy = letter.cleaned(words)
    return {"subject": tidy.subject, "body": tidy.body, "audience": audience.words()}


def _conflict(work: Work, row: Newsletter, words: Words, audience: Audience) -> ConflictError:
    pairs = [
        (letter.SUBJECT, words.subject.strip(), row.subject),
        (letter.BODY, words.body.strip().replace("\r\n", "\n"), row.body),
    ]
    if audience != Audience.parse(row.audience):
        pairs.append(("Modtagere", "Dit valg i formularen", "Et andet valg"))
    differences = tuple(Difference(label, mine, theirs) for label, mine, theirs in pairs if mine != theirs)
    who = work.session.get(Person, row.changed_by) if row.changed_by else None
    return ConflictError(row.version, differences, who.name if who else None)
