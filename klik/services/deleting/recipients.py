"""Who in a municipality hears of a deletion, and who of them a mail reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select

from klik.models import Membership, Notice, Person
from klik.services.notices import recipients, stand_ins
from klik.services.notices.recipients import Recipient
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told in one municipality: by name those a mail reaches there, and those it does not.

    KOMBIT is told where there is nobody; that tells the municipality nothing, so KOMBIT stands in neither.
    """

    reached: tuple[str, ...] = ()
    bouncing: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Why nobody is reached: "Mails til Jens Holm kommer retur"; empty when somebody is."""
        if self.reached:
            return ""
        if not self.bouncing:
            return "Kommunen har hverken plusbruger, administrator eller programleder"
        return f"Mails til {' og '.join(self.bouncing)} kommer retur"


def of_municipality() -> ColumnElement[bool]:
    """Notices that went to somebody of the municipality they are about, or to one of its mailboxes."""
    belongs = exists(
        select(Membership.id).where(
            Membership.person_id == Notice.person_id, Membership.municipality_id == Notice.municipality_id
        )
    )
    return or_(Notice.person_id.is_(None), belongs)


def of_systems(work: Work, systems: Mapping[str | None, set[int]]) -> Mapping[int, tuple[Recipient, ...]]:
    """Whom a matter of each system goes to by rule, and all administrators; each once a municipality."""
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


def told(work: Work, systems: Mapping[str | None, set[int]]) -> Mapping[int, Told]:
    """The same by name, split into whom a mail reaches in the municipality and whom it does not."""
    found = of_systems(work, systems)
    names, home = _names(work, found.values()), _own(work, found)
    result = {}
    for code, people in found.items():
        own = [to for to in people if to.person_id is None or (code, to.person_id) in home]
        result[code] = Told(
            tuple(names.get(to.person_id, to.address) for to in own if not to.bounces),
            tuple(names.get(to.person_id, to.address) for to in own if to.bounces),
        )
    return result


def own_only(work: Work, found: Mapping[int, tuple[Recipient, ...]]) -> Mapping[int, tuple[Recipient, ...]]:
    """The recipients without those who are not of the municipality itself."""
    home = _own(work, found)
    return {
        code: tuple(to for to in people if to.person_id is None or (code, to.person_id) in home)
        for code, people in found.items()
    }


def _names(work: Work, groups: Iterable[Iterable[Recipient]]) -> Mapping[int | None, str]:
    people = {to.person_id for group in groups for to in group} - {None}
    return dict(work.session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())  # type: ignore[arg-type]


def _own(work: Work, found: Mapping[int, tuple[Recipient, ...]]) -> set[tuple[int | None, int]]:
    people = {to.person_id for group in found.values() for to in group} - {None}
    rows = work.session.execute(
        select(Membership.municipality_id, Membership.person_id).where(
            and_(Membership.person_id.in_(people), Membership.municipality_id.in_(list(found)))
        )
    )
    return {(code, person) for code, person in rows}
