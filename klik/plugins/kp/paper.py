"""A case as text to paste into MinSupport's form, and as HTML for paper: the fields in the form's order (seed 000)."""

from __future__ import annotations

import re
from datetime import date

from markupsafe import Markup, escape

from klik.plugins.kp.cases import Case
from klik.plugins.kp.choices import KINDS, SUPPORT, criticality_words
from klik.plugins.kp.keys import REPLACEMENT

HEADINGS = (
    "Hvilken handling medførte fejlen?",
    "Hvad forventede du, der skete?",
    "Opleves fejlen på andre sager?",
)
_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-–•*])\s+")


def fields_of(case: Case) -> tuple[tuple[str, str], ...]:
    """MinSupport's fields by name; what klik does not hold says where it is filled in."""
    kind = KINDS[case.kind]
    return (
        ("Sagstype", kind.in_min_support),
        *((("Support type", case.support_kind),) if case.kind == SUPPORT else ()),
        ("Titel", case.title),
        ("Komponent", case.component or "Ikke valgt"),
        ("Kritikalitet", criticality_words(case.criticality)),
        ("Bruger e-mail", REPLACEMENT),
        ("Bruger telefonnummer", REPLACEMENT),
        ("CPR", REPLACEMENT if case.about_citizen else "Sagen er ikke relateret til en borger"),
        ("Sags-ID", case.case_key or "Ikke angivet"),
        ("Opgavens brugervendte nøgle", case.task_key or "Sagen er ikke relateret til en opgave"),
        (
            "Disp. dato for udbetaling",
            _day(case.payment_on) if case.payment_on else "Fejlen påvirker ikke en borgers udbetaling",
        ),
    )


def description(case: Case) -> str:
    """The field Beskrivelse: the three headings, the action as numbered steps."""
    parts = [HEADINGS[0]]
    parts += [f"{number}. {line}" for number, line in enumerate(lines_of(case.steps), 1)]
    if case.tried:
        parts += ["", "Det har vi prøvet:", *(f"- {line}" for line in lines_of(case.tried))]
    if case.technical:
        parts += ["", "Teknisk fejl:", *case.technical.splitlines()]
    parts += ["", HEADINGS[1], *case.expected.splitlines()]
    parts += ["", HEADINGS[2], *case.elsewhere.splitlines()]
    return "\n".join(parts)


def as_text(case: Case) -> str:
    """The whole case, a field a line, then the description; ends with a line break."""
    fields = "\n".join(f"{name}: {value}" for name, value in fields_of(case))
    return f"{fields}\n\nBeskrivelse:\n\n{description(case)}\n"


def as_html(case: Case) -> str:
    """The same for paper."""
    rows = Markup("").join(
        Markup("<tr><th>{}</th><td>{}</td></tr>").format(name, value) for name, value in fields_of(case)
    )
    steps = Markup("").join(Markup("<li>{}</li>").format(line) for line in lines_of(case.steps))
    html = Markup("<table>{}</table><h2>{}</h2><ol>{}</ol>").format(rows, HEADINGS[0], steps)
    if case.tried:
        tried = Markup("").join(Markup("<li>{}</li>").format(line) for line in lines_of(case.tried))
        html += Markup("<h3>Det har vi prøvet</h3><ul>{}</ul>").format(tried)
    if case.technical:
        html += Markup("<h3>Teknisk fejl</h3><p>{}</p>").format(_broken(case.technical))
    html += Markup("<h2>{}</h2><p>{}</p>").format(HEADINGS[1], _broken(case.expected))
    html += Markup("<h2>{}</h2><p>{}</p>").format(HEADINGS[2], _broken(case.elsewhere))
    return str(html)


def lines_of(text: str) -> tuple[str, ...]:
    """The lines that say something, without the writer's own numbers and bullets."""
    return tuple(bare for line in text.splitlines() if (bare := _MARK.sub("", line).strip()))


def _day(day: date) -> str:
    return day.strftime("%d-%m-%Y")


def _broken(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.splitlines())
