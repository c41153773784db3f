"""Writing down that somebody leaves, changing it, and thinking better of it; nothing else happens before the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from klik.domain.calendar import long_date
from klik.domain.errors import InputError
from klik.domain.rights import Level, Right
from klik.models import Departure, DepartureHeir, Membership, Person
from klik.services import access, auditing, free_text
from klik.services.departures import completing
from klik.services.departures.plan import Heirs
from klik.services.errors import ConflictError, Difference, ForbiddenError, NotFoundError, RefusedError
from klik.services.work import Work

NOTE_LIMIT = 1_000
MOST_BACK, MOST_AHEAD = timedelta(days=366), timedelta(days=731)
NOBODY = "Ingen"


@dataclass(frozen=True, slots=True)
class Wanted:
    """From which day somebody is gone, the note to those who take over, and who they are by what they take over.

    The keys are "rolle/<role>/<system or ->", "stedfortraeder/…", "opgaver", "opgaver/<project's id>" and "filtre";
    None: nobody.
    """

    last_day: date
    note: str
    heirs: Heirs


def leaver(work: Work, membership_id: int) -> Membership:
    """Somebody of the actor's own municipality; raises NotFoundError, and ForbiddenError for KOMBIT."""
    actor = access.require(work, Right.MANAGE_PEOPLE)
    if actor.municipality_id is None:
        raise ForbiddenError(Right.MANAGE_PEOPLE)
    return access.membership(work, membership_id)


def announced(work: Work, member: Membership) -> Departure | None:
    """The departure that is written down and neither done nor regretted."""
    return work.session.scalar(
        select(Departure).where(
            Departure.person_id == member.person_id,
            Departure.municipality_id == member.municipality_id,
            Departure.completed_at.is_(None),
            Departure.regretted_at.is_(None),
        )
    )


def announce(work: Work, membership_id: int, wanted: Wanted, version: int) -> Departure:
    """Write the departure down, or change it; done at once where the last day is over.

    ``version`` is the departure's as the page showed it, 0 for none. Raises NotFoundError, ForbiddenError,
    ConflictError, and RefusedError (keys last_day, note, person, and an heir's key).
    """
    member = leaver(work, membership_id)
    # Of two who announce at once the second waits here, and is told what the first one wrote.
    work.session.refresh(member, with_for_update=True)
    note = _refuse_wrong(work, member, wanted)
    departure = announced(work, member)
    _refuse_old(work, departure, version, wanted)
    assert work.actor is not None and member.municipality_id is not None
    if departure is None:
        departure = Departure(
            municipality_id=member.municipality_id,
            person_id=member.person_id,
            last_day=wanted.last_day,
            created_by=work.actor.person_id,
            created_at=work.now,
        )
        work.session.add(departure)
    departure.last_day, departure.note = wanted.last_day, note or None
    flag_modified(departure, "last_day")
    departure.heirs = [
        DepartureHeir(municipality_id=member.municipality_id, what=what, person_id=heir)
        for what, heir in sorted(wanted.heirs.items())
    ]
    try:
        work.session.flush()
    except IntegrityError as error:
        raise ConflictError(1, (Difference("Fratrædelse", "ny", "allerede skrevet ind"),)) from error
    auditing.record(
        work,
        "fratraedelse-skriv",
        f"fratraedelse/{departure.id}",
        {"person": member.person_id, "sidste_dag": wanted.last_day, "arvinger": _ids(wanted.heirs)},
        member.municipality_id,
    )
    if wanted.last_day < work.today:
        completing.complete(work, departure)
    return departure


def regret(work: Work, membership_id: int, version: int) -> None:
    """It does not come to it: nothing has happened yet. Raises NotFoundError, ForbiddenError, ConflictError."""
    member = leaver(work, membership_id)
    work.session.refresh(member, with_for_update=True)
    departure = announced(work, member)
    if departure is None:
        raise NotFoundError
    _refuse_old(work, departure, version, None)
    departure.regretted_at = work.now
    work.session.flush()
    auditing.record(
        work,
        "fratraedelse-fortryd",
        f"fratraedelse/{departure.id}",
        {"person": member.person_id},
        member.municipality_id,
    )


def heirs_of(departure: Departure) -> dict[str, int | None]:
    """Who takes over what, as it is written down."""
    return {heir.what: heir.person_id for heir in departure.heirs}


def stays_alone(work: Work, member: Membership, last_day: date) -> bool:
    """Whether the municipality would have no administrator after the day; those who leave by then do not count."""
    if member.level != Level.ADMINISTRATOR.value or not member.active:
        return False
    leaves = exists().where(
        Departure.person_id == Membership.person_id,
        Departure.municipality_id == Membership.municipality_id,
        Departure.completed_at.is_(None),
        Departure.regretted_at.is_(None),
        Departure.last_day <= last_day,
    )
    return completing.administrators_besides(work, member, ~leaves) == 0


def alone_words(name: str) -> str:
    """Why the only administrator cannot go, and what to do."""
    return (
        f"{name} er kommunens eneste administrator, og nogen skal kunne give adgang bagefter. "
        "Gør først en anden til administrator under Personer."
    )


def _refuse_wrong(work: Work, member: Membership, wanted: Wanted) -> str:
    problems: dict[str, str] = {}
    if not (member.active and member.person.active):
        problems["person"] = f"{member.person.name} har ikke adgang længere. Åbn adgangen igen først."
    if not work.today - MOST_BACK <= wanted.last_day <= work.today + MOST_AHEAD:
        problems["last_day"] = (
            f"Sidste dag: skal ligge mellem {long_date(work.today - MOST_BACK)} "
            f"og {long_date(work.today + MOST_AHEAD)}."
        )
    elif wanted.last_day < work.today and work.actor and work.actor.person_id == member.person_id:
        problems["last_day"] = "Sidste dag: din egen kan tidligst være i dag."
    elif stays_alone(work, member, wanted.last_day):
        problems["person"] = alone_words(member.person.name)
    try:
        note = free_text.clean(wanted.note, field="Besked", limit=NOTE_LIMIT, lines=True)
    except InputError as error:
        note, problems["note"] = "", str(error)
    for what, heir in wanted.heirs.items():
        if heir is None:
            continue
        if heir == member.person_id or access.member(work, heir, member.municipality_id or 0) is None:
            problems[what] = "Vælg en anden aktiv medarbejder i kommunen på listen."
    if problems:
        raise RefusedError(problems)
    return note


def _refuse_old(work: Work, departure: Departure | None, version: int, wanted: Wanted | None) -> None:
    stands = departure.version if departure else 0
    if version == stands:
        return
    mine = long_date(wanted.last_day) if wanted else "fortrydes"
    theirs = long_date(departure.last_day) if departure else "fortrudt eller gennemført"
    who = (
        work.session.scalar(select(Person.name).where(Person.id == departure.created_by))
        if departure
        else None
    )
    raise ConflictError(stands, (Difference("Sidste dag", mine, theirs),), who)


def _ids(heirs: Mapping[str, int | None]) -> list[int]:
    return sorted({heir for heir in heirs.values() if heir is not None})
