"""What a plug-in declares: frozen dataclasses that the core collects once at start into the registry.

A key carries the plug-in's own prefix ("ksd.blokerer"), so two plug-ins never meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import ColumnElement, MetaData

from klik.domain.rights import Right
from klik.plugins.context import PluginContext
from klik.plugins.views import FrontView, MunicipalityView, MunicipalTaskView, SystemView, TaskView


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value as it stands in an address or a row, and the words people see."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLink:
    """A page of the plug-in's own that the system's page leads to; shown to those with the right.

    ``address`` begins with ``/p/<plug-in>/``; ``help`` is half a line on what one does there. ``places``: who it is
    for, of "kommune", "kombit" and "leverandoer".
    """

    address: str
    label: str
    help: str = ""
    right: Right = Right.READ_TASKS
    places: tuple[str, ...] = ("kommune", "kombit")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItSystem:
    """An it-system that the plug-in speaks for; ``code`` is its slug in addresses.

    ``waves`` are the waves in which municipalities take it into use, in order; ``klik db upgrade`` makes them.
    """

    code: str
    name: str
    supplier: str
    description: str = ""
    website: str = ""
    waves: tuple[Choice, ...] = ()
    pages: tuple[PageLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTemplate:
    """A text KOMBIT starts a new task from. Texts are Markdown; phase, theme and roles are slugs.

    ``appoints_role``: the role of the gallery that a municipality fills to complete the task ("Udpeg …").
    ``deadline_rule`` is a core rule ("core.date", "core.days-after-publication",
    "core.months-after-publication") or the plug-in's own; ``number`` is proposed, not demanded.
    ``steps`` stand as a numbered list after ``how_to``; a municipality makes its checklist of them with one click.
    """

    key: str
    system: str | None
    title: str
    phase: str
    theme: str
    number: str | None = None
    purpose: str
    description: str = ""
    prerequisites: str = ""
    how_to: str = ""
    result: str = ""
    material: str = ""
    contact: str = ""
    responsible_role: str | None = None
    executor_role: str | None = None
    priority: str = "normal"
    infrastructure: bool = False
    appoints_role: str | None = None
    deadline_rule: str = "core.months-after-publication"
    deadline_parameter: str = "1"
    fields: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraField:
    """A field added to the tasks of one system: in the form, the history, a filter, PDF and Excel.

    With ``choices`` it is a list to choose from, without it is a line of text (at most 500 characters).
    ``municipal`` fields are filled in by each municipality, the others by KOMBIT when publishing. ``check(value)``
    gives a Danish sentence when what KOMBIT typed is wrong. ``warning(value, deadline)`` gives one when a deadline does
    not go with the value; KOMBIT reads it before publishing, with the municipalities it is about.
    """

    key: str
    system: str
    label: str
    help: str = ""
    choices: tuple[Choice, ...] = ()
    municipal: bool = False
    check: Callable[[str], str | None] | None = None
    warning: Callable[[str, date], str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRule:
    """How a deadline comes about for one municipality.

    ``deadline(task, municipality, parameter)`` gives the day, or None when it cannot be said yet (no go-live
    date). ``check(parameter)`` gives a Danish sentence when the parameter is wrong. ``explain(parameter)`` is
    the rule in words. ``yellow_from(start, deadline)`` may be left out: then the installation's rule holds.
    """

    key: str
    label: str
    parameter_label: str
    deadline: Callable[[TaskView, MunicipalityView, str], date | None]
    check: Callable[[str], str | None]
    explain: Callable[[str], str]
    yellow_from: Callable[[date | None, date], date] | None = None


@dataclass(frozen=True, slots=True)
class FilterColumns:
    """The columns a filter may compare: those of the municipality's task, and extra fields by key."""

    task: Any
    field: Callable[[str], ColumnElement[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterQuestion:
    """Who asks and when: ``person_id`` is what ``mig`` means, ``today`` the Danish date.

    ``roles`` are role and system (None: across) of what that person holds today, where ``mig`` is asked for.
    """

    today: date
    person_id: int | None
    columns: FilterColumns
    roles: frozenset[tuple[str, str | None]] = frozenset()


class FilterValueError(Exception):
    """A filter value that means nothing; the text is a Danish sentence that names the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One key of the filter language.

    ``where(values, question)`` gives the condition for all values together ("or" within the key) and raises
    FilterValueError for a value it does not know. ``describe(value)`` gives the words for "Anvendte filtre".
    ``choices`` lists what can be ticked, or nothing for free values. ``kind``: valg, dato, tekst, person.
    """

    key: str
    label: str
    where: Callable[[Sequence[str], FilterQuestion], ColumnElement[bool]]
    describe: Callable[[str], str]
    choices: tuple[Choice, ...] = ()
    kind: str = "valg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel on the task page (``place`` "task"), the system's page ("system") or the front page ("front").

    ``template`` is named below the plug-in's own ``templates`` folder and gets what ``data`` returns (and
    nothing else), so words and dates come ready. ``applies`` says for which task, system or front page it is shown;
    where the template comes out without a word there is nothing to say today, and the panel is left out.
    """

    key: str
    title: str
    place: str
    template: str
    applies: Callable[[MunicipalTaskView | SystemView | FrontView], bool]
    data: Callable[[MunicipalTaskView | SystemView | FrontView, PluginContext], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRule:
    """An occasion to tell people about a task.

    ``due(task)`` gives the Danish day on which it is due, or None. Until the task is closed or ``late_days``
    have gone, a day that was missed is caught up. ``heading`` and ``sentence`` word it for the given day.
    ``repeat_days``: told again that many days after, and so on, while the task is open; 0: once. ``audience`` is
    "task" (its responsible and executor) or "leader" (the municipality's programleder, who is told what nobody
    acted upon). ``at_once``: does not wait for the recipient's daily mail, unless the recipient chose otherwise.
    ``systems``: codes of the systems whose tasks it can be about, so that no others are read; empty for all.
    """

    key: str
    label: str
    due: Callable[[MunicipalTaskView], date | None]
    heading: Callable[[MunicipalTaskView, date], str]
    sentence: Callable[[MunicipalTaskView, date], str]
    late_days: int = 30
    repeat_days: int = 0
    audience: str = "task"
    at_once: bool = False
    systems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel sends: to one address, with the exact bytes of the mail for those that need them.

    ``return_path`` is where a message that comes back is to go, an address of this message's own; the core's mail
    channel takes it. ``text`` is empty for that channel, which takes the bytes.
    """

    address: str
    subject: str
    text: str
    content: bytes
    message_id: str
    return_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a message: ``sent``, ``later`` (try again) or ``refused`` (never), and the answer.

    ``retry_after``: seconds until the way itself is open again, where that (and not the message) was the
    trouble; such a try does not count against the message.
    """

    outcome: str
    reply: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to send. ``send(message, context, in_doubt)`` calls ``in_doubt()`` at the moment after which a
    crash leaves open whether the message went; it runs outside any transaction, in several threads at once.

    ``hang_up()`` is called in a thread that has nothing more to send, where one keeps connections.
    ``lacks(context)`` says in Danish what the operator has not set yet, empty when the channel can send; until then
    its messages wait.
    """

    key: str
    label: str
    send: Callable[[Message, PluginContext, Callable[[], None]], Delivery]
    hang_up: Callable[[], None] | None = None
    lacks: Callable[[PluginContext], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One row of an imported file: ``outcome`` is ny, ændret, uændret, fjernet or forkert; ``text`` says why.

    ``number`` is the row's in the file; 0 for what stands in the tables and not in the file (fjernet).
    """

    number: int
    outcome: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import does or did; a dry run and the import itself give the same one."""

    rows: tuple[ImportRow, ...]
    sentences: tuple[str, ...] = ()

    def count(self, outcome: str) -> int:
        """How many rows have this outcome."""
        return sum(row.outcome == outcome for row in self.rows)


class ImportRefusedError(Exception):
    """A file that cannot be read as a whole; the text is a Danish sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Reads a file into the plug-in's tables. ``read(file, name, context)`` reports every row.

    It always writes: klik undoes it all for a dry run, and when a row is wrong. ``municipal`` ones are for one
    municipality (``context.municipality``). ``system`` names the system on whose page it is offered.
    """

    key: str
    label: str
    help: str
    read: Callable[[BinaryIO, str, PluginContext], ImportReport]
    right: Right = Right.CHANGE_ANY_TASK
    municipal: bool = True
    system: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginTables:
    """The plug-in's own tables, each with its prefix ("ksd_…"), and the folder of its Alembic versions."""

    metadata: MetaData
    versions: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What people can subscribe to ("Driftsmeddelelser for KP"); ``context.klik.tell`` tells those who do.

    ``at_once``: does not wait for the recipient's daily mail, unless the recipient chose otherwise. ``system``: only
    those whose municipality has it, and its own people, are offered it; None: everybody is.
    """

    key: str
    label: str
    help: str = ""
    system: str | None = None
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work of the plug-in's own that klik's worker does as klik itself, once each Danish day ("dag") or hour ("time").

    ``run(context)`` writes through ``context.store`` and tells through ``context.klik``; it may be called again for
    the same period when a worker died, so what it does twice must come out the same.
    """

    key: str
    label: str
    every: str
    run: Callable[[PluginContext], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How one municipality stands: a few words, and "klar", "paa-vej", "ikke-klar" or "ukendt"."""

    text: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How far each municipality is with a system, by the plug-in's own reckoning: a column of KOMBIT's heat map.

    ``values(municipalities, context)`` gives a mark by municipality code; who is left out is "ukendt".
    """

    key: str
    label: str
    system: str
    values: Callable[[Sequence[MunicipalityView], PluginContext], Mapping[int, Mark]]
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a plug-in's page returns to be sent as a PDF: a title, and HTML of headings, text, lists and tables.

    klik puts it on its own paper, with its page numbers and who took it out; ``html`` loses scripts, styles, pictures
    and forms. ``file_name`` ends in ".pdf".
    """

    title: str
    html: str
    file_name: str
    subtitle: str = ""
