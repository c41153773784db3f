"""How dates, numbers and texts are written on a page: Jinja filters with Danish words."""

from __future__ import annotations

import re
from datetime import date, datetime

from babel.numbers import format_decimal
from flask import Flask
from markupsafe import Markup, escape

from klik.domain import calendar
from klik.domain.deadlines import danish_today
from klik.domain.markdown import render_markdown

# The last part of a long compound: System|administrator, Infrastruktur|ansvarlig.
_SEAM = re.compile(r"(?<=\w{5})(?:administrator|ansvarlig|medarbejder|ejer|leder)\b")


def number(value: float) -> str:
    """12345 → "12.345"."""
    if isinstance(value, int):
        # A list shows dozens of counts, and Babel takes fifty times as long.
        return f"{value:,}".replace(",", ".")
    return format_decimal(value, locale="da_DK")


def file_size(size: int) -> str:
    """Bytes in the unit people use: "12,4 MB"."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    digits = "#,##0" if unit == "B" or amount >= 100 else "#,##0.#"
    return f"{format_decimal(amount, format=digits, locale='da_DK')} {unit}"


def plural(count: int, one: str, many: str) -> str:
    """ "1 opgave", "12 opgaver"."""
    return f"{number(count)} {one if count == 1 else many}"


def markdown(text: str) -> Markup:
    """Markdown as safe HTML (limits and allow-list: klik.domain.markdown)."""
    return Markup(render_markdown(text))


def long_date(day: date) -> str:
    """21. november 2026."""
    return calendar.long_date(day)


def clock(moment: datetime) -> str:
    """21. november 2026 kl. 07.00, Danish time."""
    return calendar.clock(moment)


def danish_day(moment: datetime) -> str:
    """21. november 2026: the day it was in Denmark."""
    return calendar.long_date(danish_today(moment))


def seams(name: str) -> str:
    """A name of a role with soft hyphens at its seams, so that a narrow column breaks it where a Dane would."""
    return _SEAM.sub("\u00ad\\g<0>", name)


def mail_seams(address: str) -> Markup:
    """A mail address that a narrow column breaks before its @, not in the middle of a word."""
    name, at, domain = address.rpartition("@")
    return escape(name) + Markup("<wbr>") + escape(at + domain) if at else escape(address)


def set_up(app: Flask) -> None:
    """Give every template the filters."""
    app.jinja_env.filters.update(
        number=number,
        file_size=file_size,
        plural=plural,
        markdown=markdown,
        long_date=long_date,
        short_date=calendar.short_date,
        week=calendar.week,
        relative=calendar.relative,
        clock=clock,
        danish_day=danish_day,
        seams=seams,
        mail_seams=mail_seams,
    )
