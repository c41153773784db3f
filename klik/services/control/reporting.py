"""The day's account of the control: stored, put into words, shown, and mailed to KOMBIT's administrators."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from klik.domain.calendar import in_denmark, long_date
from klik.domain.working_days import day_off
from klik.models import ControlReport
from klik.services.control import heartbeat
from klik.services.control.findings import Findings
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.occasions import occasion_label
from klik.services.notices.recipients import Recipient, kombit
from klik.services.work import Work

OCCASION = "kontrol"
PAGE = "/varsler#kontrol"
MORNING = 7, 30
SHOWN = 14  # days
REASON = "administrator hos KOMBIT"
PLACES = ("expected", "sent", "waiting", "doubtful", "failed", "returned", "withdrawn", "missing")
BROKEN, SILENT = "ødelagte", "tavse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The counts of a pass or of a day, and their words; ``sent`` is without those that came back.

    ``broken`` are rows in a state that cannot be, by what was wrong; they are mended.
    """

    expected: int
    sent: int
    waiting: int
    doubtful: int
    failed: int
    returned: int
    withdrawn: int
    missing: int
    nobody: int
    broken: Mapping[str, int]
    silent: Sequence[str] = ()

    @property
    def well(self) -> bool:
        """Whether it adds up, and nobody is silent."""
        return not (self.missing or self.failed or self.nobody or self.broken or self.silent)

    @property
    def short(self) -> str:
        """ "412 skulle, 412 afsendt, 3 retur, 0 mangler": a mail that came back was sent, too."""
        parts = [f"{_number(self.expected)} skulle", f"{_number(self.sent + self.returned)} afsendt"]
        parts += [
            f"{_number(count)} {word}"
            for count, word in (
                (self.waiting, "venter"),
                (self.doubtful, "uvis" if self.doubtful == 1 else "uvisse"),
                (self.failed, "afvist"),
                (self.returned, "retur"),
                (self.withdrawn, "trukket tilbage"),
            )
            if count
        ]
        return ", ".join([*parts, f"{_number(self.missing)} mangler"])

    @property
    def remarks(self) -> Sequence[str]:
        """What was wrong and what was done about it, each without its full stop."""
        said = []
        if self.missing:
            said.append(f"{self.missing} er nu skrevet ind og bliver sendt")
        said += [f"{_rows(count)} {words}" for words, count in self.broken.items()]
        if self.nobody:
            said.append(f"{self.nobody} har ingen modtager")
        return [*said, *(each.rstrip(".") for each in self.silent)]

    @property
    def sentence(self) -> str:
        """The account, and the remarks."""
        return f"{'. '.join([self.short, *self.remarks])}."


def _rows(count: int) -> str:
    return "1 række" if count == 1 else f"{_number(count)} rækker"


def _number(count: int) -> str:
    """ "3.827", as people write it."""
    return f"{count:,}".replace(",", ".")


def account_of(found: Findings, silent: Sequence[str] = ()) -> Account:
    """The counts of one pass."""
    broken: dict[str, int] = {}
    for each in found.broken:
        broken[each.words] = broken.get(each.words, 0) + len(each.ids)
    return Account(
        **{place: found.count(place) for place in PLACES},
        nobody=found.nobody,
        broken=broken,
        silent=tuple(silent),
    )


def store(work: Work, found: Findings, silent: Sequence[str] = ()) -> ControlReport:
    """Write the day's row: the counts as they are now, and everything that was found missing or broken today."""
    now = account_of(found, silent)
    # A missing row that was found is entered, so the next pass counts it as waiting; the day remembers it.
    row = work.session.scalar(select(ControlReport).where(ControlReport.day == work.today).with_for_update())
    before = _details(row) if row else {}
    broken = dict(before.get(BROKEN, {}))
    for words, count in now.broken.items():
        broken[words] = broken.get(words, 0) + count
    details = {
        "anledninger": {
            occasion: {place: getattr(tally, place) for place in PLACES}
            for occasion, tally in sorted(found.tallies.items())
            if tally.expected
        },
        BROKEN: broken,
        SILENT: list(silent),
    }
    if row is None:
        row = ControlReport(day=work.today, missing=0)
        work.session.add(row)
    for place in PLACES:
        setattr(row, place, getattr(now, place) + (row.missing if place == "missing" else 0))
    row.nobody, row.at = now.nobody, work.now
    row.details = json.dumps(details, ensure_ascii=False)
    work.session.flush()
    return row


def _details(row: ControlReport) -> dict[str, Any]:
    return json.loads(row.details)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the account as people read it."""

    day: date
    at: datetime
    account: Account
    occasions: Sequence[tuple[str, int]] = ()


def days(work: Work, most: int = SHOWN) -> list[Day]:
    """The last days, newest first."""
    rows = work.session.scalars(
        select(ControlReport)
        .where(ControlReport.day > work.today - timedelta(days=most))
        .order_by(ControlReport.day.desc())
    )
    return [_day(work, row) for row in rows]


def latest(work: Work) -> Day | None:
    """The last day that has an account."""
    row = work.session.scalar(select(ControlReport).order_by(ControlReport.day.desc()).limit(1))
    return _day(work, row) if row else None


def _day(work: Work, row: ControlReport) -> Day:
    details = _details(row)
    account = Account(
        **{place: getattr(row, place) for place in PLACES},
        nobody=row.nobody,
        broken=details.get(BROKEN, {}),
        silent=details.get(SILENT, ()),
    )
    occasions = [
        (occasion_label(work.registry, occasion), counts["expected"])
        for occasion, counts in details.get("anledninger", {}).items()
    ]
    return Day(row.day, row.at, account, occasions)


def tell(work: Work, found: Findings, row: ControlReport, silent: Sequence[str] = ()) -> int:
    """Mail KOMBIT's administrators: the account on the morning of a working day, and at once what is new and wrong.

    The same finding is told once a day. Gives the new rows of the ledger.
    """
    local = in_denmark(work.now)
    day = _day(work, row)
    drafts = []
    if (local.hour, local.minute) >= MORNING and day_off(work.today) is None:
        drafts += _drafts(
            work,
            f"regnskab/{work.today}",
            f"Kontrol {long_date(work.today)}: {day.account.short}",
            f"Den supplerende kontrol har regnet efter. {day.account.sentence}",
        )
    for finding, heading, sentence in _wrong(work, found, silent):
        drafts += _drafts(work, f"{finding}/{work.today}", heading, sentence)
    return ledger.enqueue(work, drafts)


def _wrong(work: Work, found: Findings, silent: Sequence[str]) -> list[tuple[str, str, str]]:
    wrong = []
    account = account_of(found)
    if account.missing:
        count = account.missing
        wrong.append(
            (
                "mangler",
                f"Kontrol: {count} {'varsel manglede' if count == 1 else 'varsler manglede'}",
                f"{'Det' if count == 1 else 'De'} var ikke skrevet ind, men er det nu og bliver sendt.",
            )
        )
    if account.broken:
        said = ". ".join(f"{_rows(count)} {words}" for words, count in account.broken.items())
        wrong.append(("ødelagt", "Kontrol: rækker i regnskabet var i uorden", f"{said}. Det er rettet."))
    if account.failed > _failed_before(work):
        wrong.append(
            (
                "afvist",
                f"Kontrol: {account.failed} {'varsel' if account.failed == 1 else 'varsler'} er afvist",
                "Modtagerens mailserver vil ikke have dem. Se dem under Varsler, og send dem igen, når årsagen er væk.",
            )
        )
    if account.nobody:
        count = account.nobody
        wrong.append(
            (
                "ingen",
                f"Kontrol: {count} {'opgave' if count == 1 else 'opgaver'} uden modtager",
                "Ingen kan få varsler om dem, heller ikke hos KOMBIT. Giv kommunen en plusbruger eller administrator.",
            )
        )
    wrong += [(f"tavs-{each.split()[0].casefold()}", f"Kontrol: {each}", each) for each in silent]
    return wrong


def _failed_before(work: Work) -> int:
    """How many were refused by the end of the last day before: what was told then is not told again."""
    return (
        work.session.scalar(
            select(ControlReport.failed)
            .where(ControlReport.day < work.today)
            .order_by(ControlReport.day.desc())
            .limit(1)
        )
        or 0
    )


def _drafts(work: Work, about: str, heading: str, sentence: str) -> list[NoticeDraft]:
    return [
        NoticeDraft(
            occasion=OCCASION,
            dedupe_key=f"{OCCASION}/{about}",
            recipient=Recipient(one.person_id, one.address, None, REASON),
            heading=heading,
            sentence=sentence,
            path=PAGE,
            about_day=work.today,
        )
        for one in kombit(work)
    ]


@dataclass(frozen=True, slots=True)
class Block:
    """The control as the page of notices shows it: the last days, and what is silent now."""

    days: Sequence[Day]
    warnings: Sequence[str]


def block(work: Work) -> Block:
    """The last two weeks."""
    missed = heartbeat.control_silence(work)
    return Block(days(work), [missed] if missed else [])


@dataclass(frozen=True, slots=True)
class Line:
    """The control in one line, for a front page; ``warnings`` say what is wrong, a sentence each."""

    words: str
    well: bool
    warnings: Sequence[str] = ()


def line(work: Work) -> Line:
    """ "Kontrol 07.30: 412 skulle, 412 afsendt, 3 retur"."""
    silent = heartbeat.silences(work)
    if missed := heartbeat.control_silence(work):
        silent = [missed, *silent]
    day = latest(work)
    if day is None:
        return Line("Kontrol: har ikke kørt endnu", not silent, silent)
    local = in_denmark(day.at)
    when = f"{local:%H.%M}" if day.day == work.today else f"{long_date(day.day)} kl. {local:%H.%M}"
    # What was silent at the last pass may have come back since; what is silent now is said as it is now.
    account = replace(day.account, silent=())
    said = [*(f"{words}." for words in account.remarks), *silent]
    return Line(f"Kontrol {when}: {account.short}", account.well and not silent, said)
