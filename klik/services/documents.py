"""What a PDF shows: frozen plain values, nothing that knows a database, a request or a clock.

The services fill these in; `rendering` draws them. Text is shown as given; only `TextPart.html` is markup.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from klik.services.burn_up import BurnUp

DANISH_ZONE = ZoneInfo("Europe/Copenhagen")
TITLE_LENGTH_IN_FILE_NAME = 60
_DANISH_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa"})


@dataclass(frozen=True, slots=True)
class TextPart:
    """A headed piece of text, for example "Formål"; `html` is Markdown already turned into safe HTML."""

    heading: str
    html: str


@dataclass(frozen=True, slots=True)
class CommentLine:
    """One comment; `private` marks a note only the municipality itself may read."""

    at: datetime
    author: str
    text: str
    private: bool = False
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """A question to KOMBIT; `html` is the answer as safe HTML, empty while there is none, `state` says so in words."""

    asked_at: datetime
    asker: str
    text: str
    html: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class TickLine:
    """A line of the task's checklist."""

    text: str
    done: bool
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """A correction of KOMBIT's that the task has got: the version it led to, what KOMBIT wrote of it, what changed.

    ``html`` is safe HTML with what was removed and added.
    """

    number: int
    at: datetime
    note: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened to the task, as a Danish sentence."""

    at: datetime
    who: str
    sentence: str


@dataclass(frozen=True, slots=True)
class AttachmentLine:
    """A file that belongs to the task; `size` in bytes, `sha256` as 64 hexadecimal digits."""

    name: str
    size: int
    sha256: str
    added_by: str = ""
    added_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskDocument:
    """Everything the PDF of one municipal task shows.

    Dates are dates, instants aware datetimes (shown in Danish time); an empty string or None means
    "not set" and is shown as such. `omitted` holds one Danish sentence for each thing that could not be
    included: it is written into the PDF. `withdrawn` says when and why KOMBIT took the task back.
    `identifier` is what the reader quotes to find this export again, `verify_url` where. `colour_rule` says when
    the task is green, yellow and red, `deadline_rule` how KOMBIT set the deadline, `deadline_note` why there is
    none or that it is the municipality's own. `deletion` are sentences about an announced deletion.
    """

    number: str
    title: str
    project: str
    system: str
    municipality: str
    municipality_code: str
    phase: str
    theme: str
    priority: str
    infrastructure: bool
    start: date | None
    deadline: date | None
    yellow_from: date | None
    colour_word: str
    colour_explanation: str
    status: str
    not_relevant_reason: str
    completed_on: date | None
    responsible: str
    executor: str
    local: bool
    task_url: str
    exported_on: date
    exported_by: str
    identifier: str
    version: str = ""
    corrections: tuple[CorrectionLine, ...] = ()
    deviations: tuple[str, ...] = ()
    texts: tuple[TextPart, ...] = ()
    extra_fields: tuple[tuple[str, str], ...] = ()
    panels: tuple[TextPart, ...] = ()
    checklist: tuple[TickLine, ...] = ()
    checklist_progress: str = ""
    questions: tuple[QuestionLine, ...] = ()
    comments: tuple[CommentLine, ...] = ()
    history: tuple[HistoryLine, ...] = ()
    attachments: tuple[AttachmentLine, ...] = ()
    omitted: tuple[str, ...] = ()
    withdrawn: str = ""
    verify_url: str = ""
    task_id: int | None = None
    round: int = 1
    deadline_note: str = ""
    deadline_rule: str = ""
    colour_rule: str = ""
    suggested_responsible: str = ""
    suggested_executor: str = ""
    deletion: tuple[str, ...] = ()

    @property
    def exported_at(self) -> datetime:
        """Noon of the day, so that the same content of a day is the same file."""
        return datetime.combine(self.exported_on, time(12), UTC)


@dataclass(frozen=True, slots=True)
class ListDocument:
    """A whole list as a PDF: `criteria` says in words what was filtered, `rows` hold one value per column.

    Values are shown as text; dates and None are allowed. A value that is one of the colour words is shown
    with its symbol.
    """

    title: str
    criteria: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | date | None, ...], ...]
    exported_at: datetime
    exported_by: str
    identifier: str
    municipality: str = ""
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeetingLine:
    """A task in the mødepakke: what is to be said of it, its deadline, and its colour in a word (or none)."""

    number: str
    title: str
    colour: str
    what: str
    day: date | None


@dataclass(frozen=True, slots=True)
class MeetingChart:
    """A project's burn-up and what it promises; ``deciding`` are at most four tasks in words."""

    slug: str
    name: str
    sentence: str
    deciding: tuple[str, ...]
    drawing: BurnUp


@dataclass(frozen=True, slots=True)
class PageDocument:
    """A plug-in's page on klik's paper; ``html`` is printed without scripts, styles, pictures and forms."""

    title: str
    subtitle: str
    sender: str
    html: str
    exported_at: datetime
    exported_by: str
    identifier: str


@dataclass(frozen=True, slots=True)
class MeetingDocument:
    """The mødepakke: two pages before a meeting about a municipality's tasks.

    ``since`` is the day looked back to. ``decisions`` are headings with their lines and how many more there are.
    """

    municipality: str
    since: date
    urgent: tuple[MeetingLine, ...]
    urgent_unlisted: int
    changed: tuple[MeetingLine, ...]
    changed_unlisted: int
    decisions: tuple[tuple[str, tuple[MeetingLine, ...], int], ...]
    charts: tuple[MeetingChart, ...]
    exported_at: datetime
    exported_by: str
    identifier: str


@dataclass(frozen=True, slots=True)
class CardHolder:
    """Who holds a role: ``standing`` is "primær", "stedfortræder" or empty.

    ``freshness`` is when it was last confirmed, "bekræftet for 12 dage siden", and ``confirmed`` the same as a day.
    """

    name: str
    standing: str
    address: str
    phone: str
    freshness: str
    confirmed: str
    stale: bool
    unreachable: bool
    membership_id: int | None = None


@dataclass(frozen=True, slots=True)
class CardRole:
    """A role on the card; ``needed``: nobody holds it although open tasks need it now."""

    slug: str
    name: str
    vacant: bool
    needed: bool
    holders: tuple[CardHolder, ...]


@dataclass(frozen=True, slots=True)
class CardSystem:
    """A system and its roles on the card."""

    code: str
    name: str
    roles: tuple[CardRole, ...]


@dataclass(frozen=True, slots=True)
class RoleCardDocument:
    """A municipality's roles on one page: across systems on top, then a card a system."""

    municipality: str
    across: tuple[CardRole, ...]
    systems: tuple[CardSystem, ...]
    vacant: int
    urgent: int
    people: int
    exported_at: datetime
    exported_by: str
    identifier: str


def file_name(document: TaskDocument) -> str:
    """The name to save a task's PDF under: project, number, title, municipality and date, ASCII only.

    Example: `KP-MI-15_Udarbejd-jobfunktionsroller_Koege_2026-11-26.pdf`. The date is the Danish date of
    the export.
    """
    task = "-".join(part for part in (_slug(document.project).upper(), _slug(document.number)) if part)
    title = _cut_at_word(_slug(document.title), TITLE_LENGTH_IN_FILE_NAME)
    day = document.exported_on.isoformat()
    parts = (task, title, _slug(document.municipality), day)
    return "_".join(part for part in parts if part) + ".pdf"


def danish_time(instant: datetime) -> datetime:
    """The instant on a Danish clock; refuses a datetime without a zone (ValueError)."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone, got {instant!r}")
    return instant.astimezone(DANISH_ZONE)


def _slug(text: str) -> str:
    spelled = unicodedata.normalize("NFKC", text).translate(_DANISH_LETTERS)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")


def _cut_at_word(slug: str, longest: int) -> str:
    if len(slug) <= longest:
        return slug
    head, _, _ = slug[: longest + 1].rpartition("-")
    return head or slug[:longest]
