"""A driftsside that a plug-in puts together of its own name: tables, pages, files, topics, job and panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint
from markupsafe import Markup
from sqlalchemy import MetaData, Table

from klik.plugins import (
    Importer,
    ImportReport,
    Job,
    PageLink,
    Panel,
    PluginContext,
    PluginStore,
    Right,
    SystemView,
    Topic,
)
from klik.plugins.driftsside import ending, entries, files, pages, tables
from klik.plugins.driftsside.entries import Entry
from klik.plugins.driftsside.nouns import BY_SLUG, ERROR, MESSAGE, NEWS, NOUNS, OPEN, RELEASE, SOLVED, Noun
from klik.plugins.driftsside.values import values_of

SENTENCES = {
    MESSAGE.slug: "Ny driftsmeddelelse for {system}.",
    ERROR.slug: "Ny kendt fejl i {system}.",
    NEWS.slug: "Nyhed om {system}.",
    RELEASE.slug: "Releaseplanen for {system} er ændret.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownError:
    """A known error as others see it. ``workaround`` is empty when there is none or it has ended."""

    id: int
    number: str
    title: str
    component: str
    criticality: str
    solved: bool
    expected: date | None
    workaround: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Driftsside:
    """The driftsside of a system: ``plugin`` is the plug-in's name, its tables' prefix too, ``system`` a code.

    ``metadata`` is the plug-in's own: the six tables join it, and a migration of its own calls ``create_tables``.
    ``intro`` is a sentence on its front page, ``known_errors_intro`` one above the known errors.
    """

    plugin: str
    system: str
    name: str
    metadata: MetaData = field(default_factory=MetaData)
    intro: str = ""
    known_errors_intro: str = ""
    tables: Mapping[str, Table] = field(init=False, repr=False)
    blueprint: Blueprint = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", tables.make(self.plugin, self.metadata))
        object.__setattr__(self, "blueprint", pages.blueprint(self))

    def address(self, shown: str, **more: str) -> str:
        """Where a part of the page is: ``address("fejl", nr="12")``."""
        asked = ({} if shown == pages.FRONT else {"vis": shown}) | more
        return f"/p/{self.plugin}/drift" + (f"?{urlencode(asked)}" if asked else "")

    @property
    def page_link(self) -> PageLink:
        """The door on the system's page (ItSystem.pages)."""
        return PageLink(
            address=f"/p/{self.plugin}/drift",
            label="Driftsside",
            help="Driftsmeddelelser, kendte fejl, nyheder og releases",
            places=("kommune", "kombit", "leverandoer"),
        )

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What people can subscribe to."""
        return tuple(
            Topic(
                key=f"{self.plugin}.{noun.topic}",
                label=f"{noun.heading} for {self.name}",
                help="Også når en workaround ophører." if noun is ERROR else "",
                system=self.system,
                at_once=noun is MESSAGE,
            )
            for noun in NOUNS
            if noun.topic
        )

    @property
    def job(self) -> Job:
        """Daily: workarounds end with their release."""
        return Job(
            key=f"{self.plugin}.ophoer",
            label=f"Workarounds i {self.name}, der ophører med en release",
            every="dag",
            run=self._end_workarounds,
        )

    @property
    def importers(self) -> tuple[Importer, ...]:
        """A list a noun, for KOMBIT."""
        return tuple(
            Importer(
                key=f"{self.plugin}.{noun.slug}",
                label=f"{noun.heading} for {self.name}",
                help=files.help_text(noun),
                read=partial(self._read, noun),
                right=Right.PUBLISH,
                municipal=False,
                system=self.system,
            )
            for noun in NOUNS
        )

    def panel(self, template: str) -> Panel:
        """The newest on the system's page; ``template`` is the plug-in's own and holds ``{{ html }}``."""
        return Panel(
            key=f"{self.plugin}.driftsside",
            title="Seneste driftsmeddelelser og kendte fejl",
            place="system",
            template=template,
            applies=lambda view: isinstance(view, SystemView) and view.code == self.system,
            # Everything in it is escaped where it is made.
            data=lambda _view, context: {"html": Markup(pages.panel_html(self, context))},
        )

    def search(
        self, store: PluginStore, words: str, *, most: int = 20, solved: bool = True
    ) -> tuple[KnownError, ...]:
        """Known errors that have some of the words, those with the most first; without solved ones if so asked."""
        found = entries.alike(store, self.tables, words, most=most, solved=solved)
        return tuple(
            KnownError(
                id=each.id,
                number=each.number or "",
                title=each.title,
                component=each.component,
                criticality=each.criticality_label,
                solved=each.state == SOLVED,
                expected=each.solve_on,
                workaround="" if each.ended_on else each.workaround or "",
                address=self.address(ERROR.slug, nr=str(each.id)),
            )
            for each in found
        )

    def add(self, context: PluginContext, noun: Noun, values: Mapping[str, Any]) -> int:
        """Store a new entry, and tell those who subscribe; its id."""
        number = entries.add(context, self.tables, noun, values)
        if noun.topic:
            sentence = SENTENCES[noun.slug].format(system=self.name)
            self._tell(context, noun, f"{noun.slug}/{number}", values["title"], sentence, nr=str(number))
        return number

    def change(
        self, context: PluginContext, noun: Noun, entry: Entry, version: int, values: Mapping[str, Any]
    ) -> None:
        """Store what was changed; those who subscribe are told when it is solved."""
        entries.change(context, self.tables, noun, entry, version, values)
        if entry.state == OPEN and values.get("state") == SOLVED:
            heading, sentence = f"Løst: {values['title']}", f"{noun.one.capitalize()} i {self.name} er løst."
            key = f"{noun.slug}/{entry.id}/loest/{version}"
            self._tell(context, noun, key, heading, sentence, nr=str(entry.id))

    def fill(self, context: PluginContext, given: Mapping[str, list[Mapping[str, str]]]) -> None:
        """For the demo: entries by noun's slug, each by its parts' names; days are "+14", ``oprettet`` is days ago."""
        assert context.store is not None
        for slug in (RELEASE.slug, *(noun.slug for noun in NOUNS if noun is not RELEASE)):
            for typed in given.get(slug, []):
                names = entries.by_key(entries.releases(context.store, self.tables))
                noun = BY_SLUG[slug]
                values = values_of(noun, _dated(context, noun, typed), names)
                when = context.now - timedelta(days=int(typed.get("oprettet", "0")))
                entries.add(context, self.tables, noun, values, when)
        self._end_workarounds(context)

    def _end_workarounds(self, context: PluginContext) -> None:
        ending.end_workarounds(
            context,
            self.tables,
            f"{self.plugin}.{ERROR.topic}",
            lambda error_id: self.address(ERROR.slug, nr=str(error_id)),
        )

    def _read(self, noun: Noun, file: Any, name: str, context: PluginContext) -> ImportReport:
        report = files.read(file, name, context, self.tables, noun)
        # One message for the whole file: nobody wants 96 mails.
        if noun.topic and (count := report.count("ny")) and not report.count("forkert"):
            heading = f"{count} {'ny' if count == 1 else 'nye'} {noun.one if count == 1 else noun.many}"
            sentence = f"{heading} for {self.name} er indlæst."
            self._tell(context, noun, f"{noun.slug}/indlaest/{context.now.isoformat()}", heading, sentence)
        return report

    def _tell(
        self, context: PluginContext, noun: Noun, key: str, heading: str, sentence: str, **more: str
    ) -> None:
        assert context.klik is not None
        address = self.address(noun.slug, **more)
        context.klik.tell(f"{self.plugin}.{noun.topic}", key, heading[:200], sentence, address)


def _dated(context: PluginContext, noun: Noun, typed: Mapping[str, str]) -> Mapping[str, str]:
    days = {part.name for part in noun.parts if part.kind == "dag"} & typed.keys()
    return {**typed, **{name: str(context.today + timedelta(days=int(typed[name]))) for name in days}}
