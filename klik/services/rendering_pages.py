"""A document turned into the HTML page that is printed: the templates and the cleaning of text in them."""

import hashlib
import html
import re
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path

import jinja2
import nh3
from babel.dates import format_date, format_datetime
from markupsafe import Markup

from klik import paths
from klik.domain.calendar import week
from klik.services import qr_code, rendering_signs
from klik.services.documents import (
    ListDocument,
    MeetingDocument,
    PageDocument,
    RoleCardDocument,
    TaskDocument,
    TextPart,
    danish_time,
)

TEMPLATES = paths.PACKAGE / "templates" / "pdf"
ROWS_PER_TABLE = 50  # one long table costs worse than linearly
ROWS_PER_PART = 500  # and so does a long document, which takes 0.2 MB of memory a row
PLAIN_LINE_LENGTH = 1_000
MOST_PLAIN_LINES = 1_000
SHORTEST_COLUMN, LONGEST_COLUMN = 7, 32  # characters
PRINTABLE_TAGS = (
    {
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "code",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "hr",
        "i",
        "ins",
        "kbd",
    }
    | {"li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "u", "ul"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
)
PRINTABLE_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "th": {"scope"}}
PRINTABLE_SCHEMES = {"http", "https", "mailto"}
COLOUR_CLASSES = {"rød": "red", "gul": "yellow", "grøn": "green", "fuldført": "done"}
_PICTURES = re.compile(r"<(?:img|svg|picture|object|embed|video|audio|canvas|iframe)\b", re.IGNORECASE)
_LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_HEADING = re.compile(r"<(/?)h([1-6])\b")
_BLOCK_END = re.compile(r"</(?:p|div|li|tr|h[1-6]|pre|blockquote|dd|dt)>|<br\s*/?>|<hr\s*/?>", re.IGNORECASE)
_CELL_END = re.compile(r"</t[dh]>", re.IGNORECASE)
# As much as fits, up to a space when there is one.
_PLAIN_PIECE = re.compile(rf".{{1,{PLAIN_LINE_LENGTH}}}(?:\s|$)|.{{{PLAIN_LINE_LENGTH}}}|.+", re.DOTALL)
# Control characters have no glyph and are not allowed in the document's XML metadata.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


def _layout() -> str:
    """A word for how a page looks: another engine, template or style sheet gives another."""
    files = sorted(TEMPLATES.iterdir())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files))
    return f"{metadata.version('weasyprint')}/{digest.hexdigest()[:16]}"


LAYOUT = _layout()


class Pages:
    """Makes the printed HTML of a task or a list, in the full layout or the plain one."""

    def __init__(self, templates: Path = TEMPLATES) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            day=danish_day,
            short_day=danish_short_day,
            moment=danish_moment,
            universal=universal_moment,
            size=danish_size,
            printable=printable,
            paragraphs=paragraphs,
            colour_class=colour_class,
            plain_lines=plain_lines,
            qr_code=qr_code.drawing,
            marked_changes=marked_changes,
        )
        self.stylesheet = (templates / "print.css").read_text(encoding="utf-8")

    def task(self, document: TaskDocument, embedded_name: str = "") -> str:
        return self._task_page("task.html", document, embedded_name)

    def task_in_plain_layout(self, document: TaskDocument, embedded_name: str = "") -> str:
        return self._task_page("task_plain.html", document, embedded_name)

    def _task_page(self, template: str, document: TaskDocument, embedded_name: str) -> str:
        values = {
            "omitted": (*document.omitted, *_pictures_left_out(document)),
            "embedded_name": embedded_name,
            "facts": task_facts(document),
            "rules": task_rules(document),
        }
        page = self._page(template, document, **values, signs="")
        signs = rendering_signs.sentence(rendering_signs.beyond_typeface(page))
        return self._page(template, document, **values, signs=signs) if signs else page

    def list(self, document: ListDocument) -> list[str]:
        """The pages of a list: one, or when it is long one for each part, to be joined with ``list_number``."""
        rows, shares = document.rows, column_shares(document)
        parts = [rows[start : start + ROWS_PER_PART] for start in range(0, len(rows), ROWS_PER_PART)] or [()]
        return [
            self._page(
                "list.html",
                document,
                omitted=document.omitted,
                tables=[
                    part[start : start + ROWS_PER_TABLE] for start in range(0, len(part), ROWS_PER_TABLE)
                ],
                shares=shares,
                whole=len(parts) == 1,
                first=place == 1,
                last=place == len(parts),
            )
            for place, part in enumerate(parts, start=1)
        ]

    def list_number(self, document: ListDocument) -> str:
        """An empty page with its number, to be drawn for each page of a list in parts."""
        return self._page("list_number.html", document)

    def list_in_plain_layout(self, document: ListDocument) -> str:
        return self._page("list_plain.html", document, omitted=document.omitted)

    def meeting(self, document: MeetingDocument, *, with_charts: bool = True) -> str:
        shortened = bool(document.urgent_unlisted or document.changed_unlisted)
        omitted = (
            *(["De lange lister er afkortet; resten står i klik."] if shortened else []),
            *([] if with_charts else ["Graferne kunne ikke tegnes."]),
        )
        return self._page("meeting.html", document, omitted=omitted, with_charts=with_charts)

    def page(self, document: PageDocument) -> str:
        left_out = ("Siden har billeder; dem viser klik.",) if _PICTURES.search(document.html) else ()
        return self._page("page.html", document, omitted=left_out)

    def role_card(self, document: RoleCardDocument, size: str = "") -> str:
        """The card; without a ``size`` whoever draws it finds the one that fits on one page."""
        return self._page("role_card.html", document, omitted=(), size=size)

    def _page(
        self,
        template: str,
        document: TaskDocument | ListDocument | MeetingDocument | PageDocument | RoleCardDocument,
        **values: object,
    ) -> str:
        return _without_unprintable(
            self._environment.get_template(template).render(document=document, **values)
        )


def printable(markup: str) -> Markup:
    """Markup reduced to what a printed page can show: no styles, scripts, pictures or forms.

    Headings become h3 and below without a jump, and links carry their address in print.
    """
    cleaned = nh3.clean(
        _without_unprintable(markup),
        tags=PRINTABLE_TAGS,
        attributes=PRINTABLE_ATTRIBUTES,
        url_schemes=PRINTABLE_SCHEMES,
        link_rel=None,
    )
    levels = sorted({int(level) for _, level in _HEADING.findall(cleaned)})
    printed = {str(level): min(3 + place, 6) for place, level in enumerate(levels)}
    cleaned = _HEADING.sub(lambda match: f"<{match[1]}h{printed[match[2]]}", cleaned)
    return Markup(_LINK.sub(_spelled_out, cleaned))


def _without_unprintable(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _spelled_out(link: re.Match[str]) -> str:
    """The link with its address after it; both lead there. Markup inside a link would be a link outside the tags."""
    address, label = link[1], _TAG.sub("", link[2])
    shown = address.removeprefix("mailto:")
    anchor = f'<a href="{address}" title="{address}">{label}</a>'
    if label.strip() in (shown, address):
        return anchor
    return f'{anchor} <a class="address" href="{address}" title="{address}">({shown})</a>'


def column_shares(document: ListDocument) -> list[float]:
    """How many per cent of the width each column gets: by the usual length of its values, within bounds."""
    wanted = []
    for place, column in enumerate(document.columns):
        lengths = sorted(
            len(danish_short_day(v) if isinstance(v, date) else v or "") for v in _cells(document, place)
        )
        usual = lengths[len(lengths) * 9 // 10] if lengths else 0
        # Bold letters are wider, and a heading is never broken.
        wanted.append(min(max(usual + 2, len(column) + 3, SHORTEST_COLUMN), LONGEST_COLUMN))
    return [round(100 * width / sum(wanted), 2) for width in wanted]


def _cells(document: ListDocument, place: int) -> list[str | date | None]:
    return [row[place] for row in document.rows]


def plain_lines(text: str, markup: bool = False) -> list[str]:
    """Text as short lines without any markup, for the plain layout.

    A line is at most 1,000 characters, since one endless line is itself what breaks a layout; more than
    1,000 lines are run together with ¶ between them.
    """
    text = _without_unprintable(text)
    if markup:
        text = str(printable(text))  # spells the links out
        text = _BLOCK_END.sub(lambda match: match[0] + "\n", _CELL_END.sub(r" | \g<0>", text))
        text = html.unescape(nh3.clean(text, tags=set(), link_rel=None))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_PLAIN_LINES:
        lines = [" ¶ ".join(lines)]
    return [piece.strip() for line in lines for piece in _PLAIN_PIECE.findall(line)]


def marked_changes(markup: str) -> str:
    """Removed and added words with a word before them, for where they cannot be struck out or underlined."""
    return markup.replace("<del>", "<del>[fjernet:] ").replace("<ins>", "<ins>[føjet til:] ")


def paragraphs(text: str) -> list[list[str]]:
    """Typed text as paragraphs of lines."""
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    return [block.split("\n") for block in blocks if block.strip()]


def task_facts(document: TaskDocument) -> list[tuple[str, str]]:
    """What stands in pairs at the top of a task, label and words."""
    return [
        ("Ansvarlig", _with_suggestion(document.responsible, document.suggested_responsible)),
        ("Udfører", _with_suggestion(document.executor, document.suggested_executor)),
        ("Fase", _round(document.phase or "Ikke angivet", document.round)),
        ("Startdato", danish_day(document.start)),
        ("Tema", document.theme or "Ikke angivet"),
        ("Deadline", _deadline(document)),
        ("Prioritet", document.priority or "Ikke angivet"),
        ("Gul fra", danish_day(document.yellow_from)),
        ("STS/Infrastruktur", "Ja" if document.infrastructure else "Nej"),
        ("Slutdato", danish_day(document.completed_on, "Ikke fuldført")),
        ("Projekt", document.project),
        ("It-system", document.system or "Intet bestemt system"),
        ("Kommune", f"{document.municipality} ({document.municipality_code})"),
        ("Opgavetype", "Lokal opgave" if document.local else "Opgave fra KOMBIT"),
        *([("Version", document.version)] if document.version else []),
        *([("Opgave-id", str(document.task_id))] if document.task_id is not None else []),
        *((label, value or "Ikke angivet") for label, value in document.extra_fields),
    ]


def task_rules(document: TaskDocument) -> list[tuple[str, str]]:
    """The rules behind the task's dates, label and words."""
    rules = (("Fristregel", document.deadline_rule), ("Farveregel", document.colour_rule))
    return [(label, words) for label, words in rules if words]


def _with_suggestion(assigned: str, suggested: str) -> str:
    shown = assigned or "Ingen"
    return f"{shown}. KOMBIT foreslår: {suggested}" if suggested and suggested not in shown else shown


def _round(phase: str, number: int) -> str:
    return f"{phase}, runde {number}" if number > 1 else phase


def _deadline(document: TaskDocument) -> str:
    if document.deadline is None:
        return document.deadline_note or "Ikke angivet"
    note = f" ({document.deadline_note})" if document.deadline_note else ""
    return f"{danish_day(document.deadline)}, {week(document.deadline)}{note}"


def danish_day(value: date | str | None, missing: str = "Ikke angivet") -> str:
    """A date as "21. november 2026"; text as it is; nothing as "Ikke angivet"."""
    if isinstance(value, datetime):
        value = danish_time(value).date()
    if isinstance(value, date):
        return format_date(value, "d. MMMM y", locale="da")
    return value or missing


def danish_short_day(value: date | None) -> str:
    """A date as "21. nov. 2026" for the cells of a list; nothing as nothing."""
    return format_date(value, "d. MMM y", locale="da") if value else ""


def danish_moment(instant: datetime) -> str:
    """An instant as "21. november 2026 kl. 09.14" in Danish time."""
    return format_datetime(danish_time(instant).replace(tzinfo=None), "d. MMMM y 'kl.' HH.mm", locale="da")


def universal_moment(instant: datetime) -> str:
    """An instant as PDF metadata has it: UTC, whole seconds, "2026-11-26T08:14:00+00:00"."""
    return instant.astimezone(UTC).replace(microsecond=0).isoformat()


def danish_size(number_of_bytes: int) -> str:
    """A size as "812 byte", "14 kB" or "2,3 MB"."""
    if number_of_bytes < 1_000:
        return f"{number_of_bytes} byte"
    if number_of_bytes < 1_000_000:
        return f"{round(number_of_bytes / 1_000)} kB"
    return f"{number_of_bytes / 1_000_000:.1f} MB".replace(".", ",")


def colour_class(word: object) -> str:
    """The style of a colour word ("Rød" → red), empty when the word is none."""
    return COLOUR_CLASSES.get(word.casefold(), "") if isinstance(word, str) else ""


def _pictures_left_out(document: TaskDocument) -> tuple[str, ...]:
    parts: tuple[TextPart, ...] = (*document.texts, *document.panels)
    return tuple(
        f"Billeder i afsnittet »{part.heading}« er ikke med i PDF-filen."
        for part in parts
        if _PICTURES.search(part.html)
    )
