"""What a row of the sheet means: role, system, holder, kind and days, looked up in one municipality's gallery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from klik.content.keys import nearest
from klik.content.roles import RoleDescription, RoleScope
from klik.domain import cpr, mailaddresses
from klik.domain.calendar import parse_date
from klik.domain.errors import InputError
from klik.domain.rights import Level
from klik.domain.texts import search_key
from klik.models import Membership, Person, RoleHolding, System
from klik.plugins.contributions import ImportRefusedError
from klik.services.gallery_sheet import lines
from klik.services.gallery_sheet.lines import Line
from klik.services.holders import HOLDER
from klik.services.people import NewPerson
from klik.services.roles.gallery import Holding
from klik.services.work import Work
from klik.services.workbooks import Row, address

UNKNOWN = "ukendt person"
# Role, system, address in small letters, kind.
Key = tuple[str, str | None, str, str]


class RowError(Exception):
    """What is wrong with a row, in sentences that begin with their cell."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row says, looked up; a field is None where the row says nothing of it."""

    row: Row
    role: RoleDescription
    system: System | None
    person: Person | None
    newcomer: NewPerson | None
    mailbox: str
    kind: str
    primary: bool | None
    valid_from: date | None
    valid_to: date | None
    over: date | None
    confirm: bool
    note: str | None
    known: Line | None

    @property
    def held(self) -> Holding | None:
        """The holding the row is about, where the gallery has it."""
        return self.known.holding if self.known else None

    @property
    def slot(self) -> tuple[str, str | None]:
        """Role and system."""
        return self.role.slug, self.system.code if self.system else None

    @property
    def holder(self) -> str:
        """The person's name or the mailbox."""
        if self.person is not None:
            return self.person.name
        return self.newcomer.name if self.newcomer else self.mailbox

    @property
    def label(self) -> str:
        """ "Systemansvarlig for KP"."""
        where = f" for {self.system.name}" if self.system else ""
        return f"{self.role.name}{where}"


class Meaning:
    """One file's rows against one municipality's gallery; with ``invite`` unknown people are newcomers."""

    def __init__(self, work: Work, municipality_id: int, head: Row, *, invite: bool) -> None:
        self.place = _headings(head)
        self.work, self.municipality_id, self.invite = work, municipality_id, invite
        self.gallery, found = lines.of(work, municipality_id)
        self.lines: dict[Key, list[Line]] = defaultdict(list)
        for line in found:
            if line.holding is not None:
                held = line.holding
                self.lines[line.slot.role.slug, line.slot.system, held.address.casefold(), held.kind].append(
                    line
                )
        self.vacant = {(line.slot.role.slug, line.slot.system) for line in found if line.holding is None}
        described = work.registry.content.roles
        roles = {role.slug: role for role in (*described, *(line.slot.role for line in found))}
        self.roles = {search_key(word): role for role in roles.values() for word in (role.name, role.slug)}
        systems = work.session.scalars(select(System)).all()
        self.systems = {search_key(word): each for each in systems for word in (each.name, each.code)}
        self.people, self.named = self._people()
        self.over = self._over()
        self.taken: dict[object, int] = {}
        self.primaries: dict[tuple[str, str | None], Row] = {}
        self.unknown: set[str] = set()

    def _people(self) -> tuple[Mapping[str, Person], Mapping[str, list[Person]]]:
        rows = self.work.session.scalars(
            select(Person)
            .join(Membership, Membership.person_id == Person.id)
            .where(
                Membership.municipality_id == self.municipality_id,
                Membership.active.is_(True),
                Person.active.is_(True),
            )
        ).all()
        named: dict[str, list[Person]] = defaultdict(list)
        for person in rows:
            named[search_key(person.name)].append(person)
        # Somebody who left may still stand in the gallery, and is no stranger to it.
        ids = {line.holding.person_id for found in self.lines.values() for line in found if line.holding}
        held = self.work.session.scalars(
            select(Person).where(Person.id.in_(sorted(each for each in ids if each)))
        )
        return {person.email_key: person for person in (*held, *rows)}, named

    def _over(self) -> Mapping[tuple[Key, date], date]:
        """The last day of each holding that is over, by what a row knows it by and its first day."""
        rows = self.work.session.execute(
            select(RoleHolding, func.coalesce(Person.email_key, func.lower(RoleHolding.mailbox)))
            .outerjoin(Person, Person.id == RoleHolding.person_id)
            .where(
                RoleHolding.municipality_id == self.municipality_id, RoleHolding.valid_to < self.work.today
            )
            .order_by(RoleHolding.id)
        )
        return {
            ((each.role, each.system_code, key, each.kind), each.valid_from): each.valid_to
            for each, key in rows
        }

    def at(self, row: Row, column: str) -> str:
        """The cell as Excel calls it, or the row where the file has no such column."""
        place = self.place.get(column)
        return address(place, row.number) if place is not None else f"Række {row.number}"

    def cell(self, row: Row, column: str) -> str | None:
        """What stands there with single spaces; None where the file has no such column."""
        place = self.place.get(column)
        if place is None:
            return None
        return " ".join(row.cells[place].split()) if place < len(row.cells) else ""

    def wanted(self, row: Row) -> Wanted | str:
        """What the row says; a role that nobody is named for is a sentence of its own. Raises RowError."""
        if problems := [
            f"{address(place, row.number)}: {sentence}"
            for place, sentence in row.problems
            if place in self.place.values()
        ]:
            raise RowError(" ".join(problems))
        self._refuse_numbers(row)
        self._refuse_elsewhere(row)
        role, system = self._role(row)
        name, mail, mailbox = (
            self.cell(row, column) or "" for column in (lines.NAME, lines.ADDRESS, lines.MAILBOX)
        )
        if not (name or mail or mailbox):
            return self._nobody(row, role, system)
        kind = self._kind(row)
        if mailbox and (name or mail):
            raise RowError(
                f"{self.at(row, lines.MAILBOX)}: en række har enten en person eller en fællespostkasse, ikke begge."
            )
        person, newcomer = (None, None) if mailbox else self._person(row, name, mail)
        email = self._mail(row, lines.MAILBOX, mailbox or (person.email if person else mail))
        key: Key = (role.slug, system.code if system else None, email.casefold(), kind)
        start, end = self._day(row, lines.FROM), self._day(row, lines.TO)
        known = self._known(key, start)
        first = self.taken.setdefault(
            known.holding.id if known and known.holding else (key, start), row.number
        )
        if first != row.number:
            raise RowError(f"{self.at(row, lines.ROLE)}: indehaveren står også i række {first}.")
        primary = self._yes_or_no(row, lines.PRIMARY)
        if primary:
            slot = (role.slug, system.code if system else None)
            other = self.primaries.setdefault(slot, row)
            if other is not row and not self._is_apart(row, other):
                raise RowError(
                    f"{self.at(row, lines.PRIMARY)}: der står også Ja i række {other.number}. Kun én kan være primær."
                )
        return Wanted(
            row,
            role,
            system,
            person,
            newcomer,
            email if mailbox else "",
            kind,
            primary,
            start,
            end,
            self.over.get((key, start)) if start else None,
            self._confirms(row, known),
            self.cell(row, lines.NOTE),
            known,
        )

    def _is_apart(self, row: Row, other: Row) -> bool:
        """Two primaries are no contradiction where one's period ends before the other's begins."""
        mine = (self._day(row, lines.FROM), self._day(row, lines.TO))
        its = (self._day(other, lines.FROM), self._day(other, lines.TO))
        return bool((mine[1] and its[0] and mine[1] < its[0]) or (its[1] and mine[0] and its[1] < mine[0]))

    def _refuse_numbers(self, row: Row) -> None:
        for column in self.place:
            if cpr.find(self.cell(row, column) or ""):
                raise RowError(
                    f"{self.at(row, column)}: ser ud til at indeholde et CPR-nummer. Slet det; det må ikke stå i klik."
                )

    def _refuse_elsewhere(self, row: Row) -> None:
        place = self.cell(row, lines.PLACE)
        if place and search_key(place) != search_key(self.gallery.municipality):
            raise RowError(
                f"{self.at(row, lines.PLACE)}: rækken er for {place[:60]}, og filen indlæses for "
                f"{self.gallery.municipality}."
            )

    def _role(self, row: Row) -> tuple[RoleDescription, System | None]:
        typed, system_typed = self.cell(row, lines.ROLE) or "", self.cell(row, lines.SYSTEM) or ""
        if not typed:
            raise RowError(f"{self.at(row, lines.ROLE)}: Rolle skal udfyldes.")
        role = self.roles.get(search_key(typed))
        if role is None:
            hint = nearest(typed, [each.name for each in self.work.registry.content.roles])
            raise RowError(f"{self.at(row, lines.ROLE)}: rollen “{typed[:60]}” kendes ikke. {hint}".strip())
        system = self.systems.get(search_key(system_typed)) if system_typed else None
        if system_typed and system is None:
            hint = nearest(system_typed, [each.name for each in self.systems.values()])
            raise RowError(
                f"{self.at(row, lines.SYSTEM)}: systemet “{system_typed[:60]}” kendes ikke. {hint}".strip()
            )
        if role.scope is RoleScope.MUNICIPALITY and system is not None and not role.is_retired:
            raise RowError(f"{self.at(row, lines.SYSTEM)}: {role.name} er tværgående. Lad System være tom.")
        if role.scope is RoleScope.SYSTEM and system is None and not role.is_retired:
            raise RowError(f"{self.at(row, lines.SYSTEM)}: {role.name} skal have et system.")
        if system is not None and not role.is_retired and not role.is_for(system.code):
            raise RowError(f"{self.at(row, lines.ROLE)}: {role.name} findes ikke for {system.name}.")
        return role, system

    def _nobody(self, row: Row, role: RoleDescription, system: System | None) -> str:
        where = f" for {system.name}" if system else ""
        more = [c for c in (lines.KIND, lines.FROM, lines.TO, lines.NOTE) if self.cell(row, c)]
        if more:
            raise RowError(
                f"{self.at(row, lines.NAME)}: skriv, hvem der har rollen: en mailadresse eller en fællespostkasse."
            )
        standing = "ledig" if (role.slug, system.code if system else None) in self.vacant else "ikke ændret"
        return f"{role.name}{where}: {standing}"

    def _kind(self, row: Row) -> str:
        typed = search_key(self.cell(row, lines.KIND) or "")
        kinds = {"": HOLDER} | {search_key(label): kind for kind, label in lines.KINDS.items()}
        if typed not in kinds:
            raise RowError(f"{self.at(row, lines.KIND)}: Som skal være Indehaver eller Stedfortræder.")
        return kinds[typed]

    def _person(self, row: Row, name: str, mail: str) -> tuple[Person | None, NewPerson | None]:
        if not mail:
            same = self.named.get(search_key(name), [])
            if len(same) > 1:
                raise RowError(
                    f"{self.at(row, lines.NAME)}: flere i kommunen hedder {name[:60]}. Skriv mailadressen."
                )
            if not same:
                raise RowError(
                    f"{self.at(row, lines.NAME)}: {name[:60]} har ikke adgang til klik i kommunen. "
                    "Skriv også mailadressen, så personen kan få adgang."
                )
            return same[0], None
        email = self._mail(row, lines.ADDRESS, mail)
        person = self.people.get(email.casefold())
        if person is not None:
            self._refuse_other_facts(row, person, name)
            return person, None
        if not name:
            raise RowError(f"{self.at(row, lines.NAME)}: skriv navnet på {email}.")
        self.unknown.add(email.casefold())
        if not self.invite:
            raise RowError(
                f"{self.at(row, lines.ADDRESS)}: {email} har ikke adgang til klik i kommunen ({UNKNOWN}). "
                "Giv personen adgang først, eller sæt kryds ved at give adgang sammen med filen."
            )
        phone = self.cell(row, lines.PHONE) or ""
        return None, NewPerson(
            name=name, email=email, phone=phone, level=Level.USER, municipality_id=self.municipality_id
        )

    def _refuse_other_facts(self, row: Row, person: Person, name: str) -> None:
        if name and search_key(name) != search_key(person.name):
            raise RowError(
                f"{self.at(row, lines.NAME)}: {person.email} hører til {person.name}. "
                "Ret navnet på personens egen side, eller ret rækken."
            )
        phone = self.cell(row, lines.PHONE)
        if phone and phone.replace(" ", "") != (person.phone or "").replace(" ", ""):
            raise RowError(f"{self.at(row, lines.PHONE)}: telefon rettes på personens egen side i klik.")

    def _mail(self, row: Row, column: str, typed: str) -> str:
        try:
            return mailaddresses.normalise(typed)
        except InputError as error:
            raise RowError(f"{self.at(row, column)}: {error}") from error

    def _day(self, row: Row, column: str) -> date | None:
        typed = self.cell(row, column)
        if not typed:
            return None
        try:
            return parse_date(typed)
        except InputError as error:
            raise RowError(f"{self.at(row, column)}: {column}: {error}") from error

    def _yes_or_no(self, row: Row, column: str) -> bool | None:
        typed = self.cell(row, column)
        answers = {"": None, "nej": False, "ja": True}
        if search_key(typed or "") not in answers:
            raise RowError(f"{self.at(row, column)}: {column} skal være Ja eller Nej.")
        return answers[search_key(typed or "")]

    def _confirms(self, row: Row, known: Line | None) -> bool:
        typed = self.cell(row, lines.CONFIRMED)
        if not typed or known is None:
            return False
        if search_key(typed) == "ja":
            return True
        day = self._day(row, lines.CONFIRMED)
        assert known.holding is not None
        if day == known.holding.confirmed_on():
            return False
        if day == self.work.today:
            return True
        raise RowError(
            f"{self.at(row, lines.CONFIRMED)}: skriv Ja for at bekræfte rollen i dag, eller lad cellen stå."
        )

    def _known(self, key: Key, start: date | None) -> Line | None:
        found = self.lines.get(key, [])
        same = [line for line in found if line.holding and line.holding.valid_from == start]
        if same:
            return same[0]
        return found[0] if start is None and len(found) == 1 else None


def _headings(head: Row) -> dict[str, int]:
    known = {heading.casefold(): heading for heading in lines.HEADINGS}
    found: dict[str, int] = {}
    for place, cell in enumerate(head.cells):
        typed = " ".join(cell.split())
        if not typed:
            continue
        heading = known.get(typed.casefold())
        if heading is None:
            hint = nearest(typed, lines.HEADINGS)
            raise ImportRefusedError(
                f"{address(place, head.number)}: kolonnen “{typed[:60]}” kendes ikke. {hint}".strip()
            )
        if heading in found:
            raise ImportRefusedError(
                f"{address(place, head.number)}: kolonnen “{heading}” står der to gange."
            )
        found[heading] = place
    if missing := [heading for heading in lines.REQUIRED if heading not in found]:
        raise ImportRefusedError(
            f"Arket mangler kolonnen “{missing[0]}”. Hent rollegalleriet i klik, og brug det som skabelon."
        )
    return found
