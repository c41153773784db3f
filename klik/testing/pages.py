"""A plug-in's pages, asked for by every kind of person, with every form on them sent empty, filled and wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from sqlalchemy import select
from werkzeug.routing import IntegerConverter, Map, Rule
from wtforms import Form as AnyForm
from wtforms import StringField, TextAreaField
from wtforms.fields.core import UnboundField

from klik.plugins.forms import CleanText
from klik.testing.browsing import Page, PluginBrowser
from klik.testing.site import PluginSite

WHO = ("laeser", "plusbruger", "kombit", "leverandoer", "")
FILTERS = "laeser"
# When the demo has filled the tables, those who see the most of them are enough.
WITH_ROWS = ("plusbruger", "kombit")
CPR = "010190-1234"


def right_problems(site: PluginSite) -> list[str]:
    """Pages that klik does not take into use: they say no right, or reach others than their own."""
    guard = site.app.extensions["klik"].registry.guard
    return [
        f"its pages are not taken into use; each must say which right it takes (klik.plugins.page_access): {fault}"
        for key, fault in guard.faults().items()
        if key.endswith(".klik_blueprints")
    ]


def form_problems(module: ModuleType) -> list[str]:
    """Fields of text in the plug-in's forms that nothing cleans: they would store CPR numbers."""
    own = (form for form in _below(AnyForm) if f"{form.__module__}.".startswith(f"{module.__name__}."))
    return [
        f"{form.__name__}.{name} takes words without CleanText, so a CPR number would be stored"
        for form in own
        for name in sorted(dir(form))
        if _takes_words(field := getattr(form, name)) and not _cleans(field)
    ]


def _below(form: type) -> Iterator[type]:
    for each in form.__subclasses__():
        yield each
        yield from _below(each)


def _takes_words(field: Any) -> bool:
    return isinstance(field, UnboundField) and field.field_class in (StringField, TextAreaField)


def _cleans(field: UnboundField) -> bool:
    given = [*field.args[1:2], field.kwargs.get("validators") or ()]
    return any(isinstance(validator, CleanText) for validators in given for validator in validators)


def problems(site: PluginSite, who: Sequence[str] = WHO) -> list[str]:
    """Pages that fail, pages strangers get, contributions that fail on klik's pages, and CPR numbers stored."""
    found: list[str] = []
    for kind in who:
        browser = site.browser(kind)
        for address in (*_klik_addresses(site, kind), *_addresses(site, "GET")):
            page = browser.get(address, expect=None)
            found += _page_problems(kind, "GET", page)
            if "/p/" in address:
                found += _sent(kind, page, browser)
        for address in _addresses(site, "POST"):
            found += _page_problems(kind, "POST", browser.post(address, expect=None))
    faults = site.app.extensions["klik"].registry.guard.faults()
    found += [f"{key} failed on klik's own pages: {fault}" for key, fault in faults.items()]
    return [*found, *_stored_numbers(site)]


def _page_problems(kind: str, method: str, page: Page) -> list[str]:
    who = kind or "a stranger"
    if page.status >= 500:
        return [f"{method} {page.address} answered {page.status} to {who}; the log has the error"]
    if not kind and page.status == 200 and page.address.startswith("/p/"):
        return [f"{method} {page.address} is shown to a stranger"]
    return []


def _sent(kind: str, page: Page, browser: PluginBrowser) -> Iterator[str]:
    """The page's own forms: as they stand, with words, and with what looks like a CPR number."""
    for form in page.forms:
        if form.method != "post" or "/p/" not in (form.action or page.address):
            continue
        address = form.action or page.address
        for words in ("", "Prøve", CPR, "x" * 70_000):
            values = form.values | dict.fromkeys(form.words, words)
            yield from _page_problems(kind, "POST", browser.post(address, values, expect=None))


def _klik_addresses(site: PluginSite, kind: str) -> list[str]:
    """klik's pages with panels, links and topics of the plug-in; its filters, once."""
    registry = site.house.registry
    own = [each for key, each in registry.filters.items() if key.startswith(f"{site.name}.")]
    chosen = [f"/opgaver?{each.key}={each.choices[0].value if each.choices else 'x'}" for each in own]
    return ["/", *(f"/systemer/{code}" for code in registry.systems), *(chosen if kind == FILTERS else ())]


def _addresses(site: PluginSite, method: str) -> list[str]:
    rules = site.app.url_map.iter_rules()
    return [
        _filled(site.app.url_map, rule, method)
        for rule in rules
        if rule.endpoint.startswith(f"p-{site.name}.") and method in (rule.methods or ())
    ]


def _filled(addresses: Map, rule: Rule, method: str) -> str:
    parts = {
        name: 1 if isinstance(rule._converters[name], IntegerConverter) else "x" for name in rule.arguments
    }
    return addresses.bind("localhost").build(rule.endpoint, parts, method=method)


def _stored_numbers(site: PluginSite) -> Iterator[str]:
    digits = re.sub(r"\D", "", CPR)
    with site.house.database.reading() as session:
        for tables in site.house.registry.tables.values():
            for table in tables.metadata.sorted_tables:
                for row in session.execute(select(table)):
                    if any(digits in re.sub(r"[-\s]", "", str(value)) for value in row):
                        yield f"{table.name} holds a CPR number that was typed on a page"
