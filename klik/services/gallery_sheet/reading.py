"""Reading a filled-in gallery: each row is a holder to begin, to end, to make primary or to confirm, or nothing new.

A row is known again by role, system, holder and kind, and by the day it begins where there are several. What does not
stand in the file is left as it is: a role is ended by writing its last day. Everything is done through
``klik.services.roles.holdings``, so that its rules hold, and nothing that was is written over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from klik.domain.calendar import long_date, short_date
from klik.domain.rights import Right
from klik.models import Municipality, Person, RoleHolding
from klik.plugins.contributions import ImportRefusedError, ImportReport, ImportRow
from klik.services import access, people
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.gallery_sheet import lines
from klik.services.gallery_sheet.meaning import Meaning, RowError, Wanted
from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.people import acting
from klik.services.roles import holdings
from klik.services.roles.holdings import Filling
from klik.services.work import Work
from klik.services.workbooks import Row, rows_of

KEY, KEY_INVITING = "rollegalleri", "rollegalleri-med-adgang"
LABEL = "rollegalleri"
HELP = (
    "Kommunens rollegalleri i Excel: hent det, udfyld de ledige rækker, og indlæs det igen. Det, der ikke står "
    "i filen, bliver, som det er; en rolle slutter, når der står en dag under “Til”. Er der en fejl i en række, "
    "indlæses intet."
)
# Which column a refusal of a service is about.
_COLUMNS = {
    "person": lines.ADDRESS,
    "email": lines.ADDRESS,
    "name": lines.NAME,
    "phone": lines.PHONE,
    "mailbox": lines.MAILBOX,
    "valid_from": lines.FROM,
    "valid_to": lines.TO,
    "last_day": lines.TO,
    "kind": lines.KIND,
    "primary": lines.PRIMARY,
    "note": lines.NOTE,
}


def read_in(
    work: Work, content: bytes, name: str, municipality_id: int | None = None, *, invite: bool = False
) -> ImportReport:
    """Make the gallery what the file says, row by row; the caller undoes it all where a row is wrong.

    ``invite``: people whom the municipality does not know are given access as Bruger. Raises ImportRefusedError for
    a file that cannot be used at all, ForbiddenError.
    """
    if work.actor is None:
        place = work.session.get(Municipality, municipality_id or 0)
        if place is None:
            raise ForbiddenError(Right.EDIT_ROLES)
        work = replace(work, actor=acting.administrator_of(place, "klik"))
    actor = access.require(work, Right.EDIT_ROLES)
    assert actor.municipality_id is not None
    return _Reading(work, actor.municipality_id, content, name, invite=invite).report()


def read_in_inviting(
    work: Work, content: bytes, name: str, municipality_id: int | None = None
) -> ImportReport:
    """The same, and people whom the municipality does not know are given access."""
    return read_in(work, content, name, municipality_id, invite=True)


class _Reading:
    """One file on its way in."""

    def __init__(self, work: Work, municipality_id: int, content: bytes, name: str, *, invite: bool) -> None:
        head, *self.rows = rows_of(content, name, lines.SHAPE) or (None,)
        if head is None or not self.rows:
            raise ImportRefusedError(
                "Arket er tomt: der skal være en række med overskrifter og en række for hver indehaver."
            )
        self.work = work
        self.meaning = Meaning(work, municipality_id, head, invite=invite)
        self.outcomes: dict[int, ImportRow] = {}
        self.invited: dict[str, Person] = {}

    def report(self) -> ImportReport:
        """Every row's outcome, in the order of the file."""
        wanted = [found for row in self.rows if (found := self._read(row)) is not None]
        # A role ends before its next holder begins, and the new primary is chosen before the old one is asked about.
        for step in (self._end, self._begin, self._raise, self._settle):
            wanted = [each for each in wanted if self._done(each, step)]
        sentences = []
        if many := len(self.meaning.unknown):
            who = "1 person" if many == 1 else f"{many} personer"
            sentences.append(f"{who} i filen har ikke adgang til klik i kommunen.")
        if many := len(self.invited):
            who = "1 person" if many == 1 else f"{many} personer"
            sentences.append(f"{who} får adgang som Bruger og en mail med et link.")
        return ImportReport(
            rows=tuple(self.outcomes[number] for number in sorted(self.outcomes)), sentences=tuple(sentences)
        )

    def _read(self, row: Row) -> Wanted | None:
        try:
            found = self.meaning.wanted(row)
        except RowError as error:
            self._say(row, "forkert", str(error))
            return None
        if isinstance(found, str):
            self._say(row, "uændret", found)
            return None
        return found

    def _done(self, each: Wanted, step: Callable[[Wanted], None]) -> bool:
        """Whether the step held; what a wrong row began is undone, so that the rows after it are read without it."""
        row = each.row
        try:
            with self.work.session.begin_nested():
                step(each)
        except RowError as error:
            problem = str(error)
        except RefusedError as error:
            problem = " ".join(self._refused(row, *one) for one in error.problems.items())
        except NotFoundError:
            problem = f"{self.meaning.at(row, lines.ROLE)}: rollen hører ikke til systemet."
        else:
            return True
        if each.newcomer is not None:
            self.invited.pop(each.newcomer.email.casefold(), None)
        self._say(row, "forkert", problem)
        return False

    def _refused(self, row: Row, key: str, sentence: str) -> str:
        return f"{self.meaning.at(row, _COLUMNS.get(key, lines.ROLE))}: {sentence}"

    def _say(self, row: Row, outcome: str, text: str) -> None:
        before = self.outcomes.get(row.number)
        if before is not None and outcome == "uændret":
            return
        if before is not None and before.outcome == outcome == "ændret":
            text = f"{before.text}; {text.partition(': ')[2]}"
        self.outcomes[row.number] = ImportRow(number=row.number, outcome=outcome, text=text[:4_000])

    def _end(self, each: Wanted) -> None:
        """The last day of a known holding; an empty cell never takes one away."""
        held = each.held
        if held is None or each.valid_to in (None, held.valid_to):
            return
        holdings.end(self.work, held.id, each.valid_to)
        self._say(each.row, "ændret", f"{each.label}: {each.holder} slutter {short_date(each.valid_to)}")

    def _begin(self, each: Wanted) -> None:
        """A holder whom the gallery does not have."""
        if each.held is not None:
            return
        if each.over is not None and each.valid_to in (None, each.over):
            self._say(each.row, "uændret", f"{each.label}: {each.holder} sluttede {long_date(each.over)}")
            return
        person = self._let_in(each) if each.newcomer is not None else each.person
        holding = holdings.fill(
            self.work,
            Filling(
                role=each.role.slug,
                system=each.system.code if each.system else None,
                person_id=person.id if person else None,
                mailbox=each.mailbox,
                primary=bool(each.primary),
                valid_from=each.valid_from,
                valid_to=each.valid_to,
                kind=each.kind,
                note=each.note or "",
            ),
        )
        word = {HOLDER: "indehaver", SUBSTITUTE: "stedfortræder"}[each.kind]
        more = ", og personen får adgang som Bruger" if each.newcomer else ""
        start = short_date(holding.valid_from)
        self._say(each.row, "ny", f"{each.label}: {each.holder} som {word} fra {start}{more}")

    def _let_in(self, each: Wanted) -> Person:
        assert each.newcomer is not None
        key = each.newcomer.email.casefold()
        if key not in self.invited:
            try:
                self.invited[key] = people.invite(self.work, each.newcomer).person
            except RefusedError as error:
                if not error.problems.keys() & {"address_is_right", "existing_is_right", "email"}:
                    raise
                raise RowError(
                    f"{self.meaning.at(each.row, lines.ADDRESS)}: adressen skal ses efter. Giv {each.newcomer.name} "
                    "adgang på siden Personer, og indlæs filen igen."
                ) from error
        return self.invited[key]

    def _raise(self, each: Wanted) -> None:
        """Who is primary from now on."""
        held = each.held
        if held is None or not each.primary or held.primary or self._is_over(held.id):
            return
        holdings.make_primary(self.work, held.id)
        self._say(each.row, "ændret", f"{each.label}: {each.holder} er primær")

    def _settle(self, each: Wanted) -> None:
        """Whoever is no longer primary, notes, confirmed rows, and all that is as it was."""
        held = each.held
        if held is None:
            return
        stored = self.work.session.get_one(RoleHolding, held.id)
        over = self._is_over(held.id)
        if each.primary is False and held.primary and not over:
            if stored.is_primary or each.slot not in self.meaning.primaries:
                raise RowError(
                    f"{self.meaning.at(each.row, lines.PRIMARY)}: rollen skal have én primær. Skriv Ja ved en anden."
                )
            self._say(each.row, "ændret", f"{each.label}: {each.holder} er ikke længere primær")
        if each.valid_to is None and stored.valid_to is not None and stored.valid_to != held.valid_to:
            ends = short_date(stored.valid_to)
            self._say(
                each.row, "ændret", f"{each.label}: {each.holder} slutter {ends}, fordi en anden overtager"
            )
        if each.note is not None and each.note != " ".join((held.note or "").split()) and not over:
            holdings.write_note(self.work, held.id, each.note)
            self._say(each.row, "ændret", f"{each.label}: noten er ændret")
        if each.confirm and not over:
            holdings.confirm(self.work, held.id)
            self._say(each.row, "ændret", f"{each.label}: {each.holder} er bekræftet i dag")
        kept = f", slutter {short_date(held.valid_to)}" if held.valid_to and each.valid_to is None else ""
        self._say(each.row, "uændret", f"{each.label}: {each.holder}{kept}")

    def _is_over(self, holding_id: int) -> bool:
        stored = self.work.session.get_one(RoleHolding, holding_id)
        return stored.valid_to is not None and stored.valid_to < self.work.today
