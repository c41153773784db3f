"""A KLIK-opgave written as a TOML file, with Danish keys (docs/examples/publish.toml)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import tomli_w

from klik.content.files import read_file
from klik.content.keys import ContentValueError, Key, nearest, read_table, yes_or_no
from klik.domain.calendar import parse_date
from klik.services.errors import RefusedError
from klik.services.publishing.audience import WITH_SYSTEM, RecipientChoice
from klik.services.publishing.text import Draft

EVERYONE = RecipientChoice(WITH_SYSTEM)


@dataclass(frozen=True, slots=True)
class DraftFile:
    """What a file says as far as it could be read, and what is wrong with it: (key, Danish sentence)."""

    draft: Draft
    recipients: RecipientChoice
    problems: tuple[tuple[str, str], ...]


def _string(value: Any) -> str:
    if type(value) is not str:
        raise ContentValueError("skal være en tekst i anførselstegn.")
    return value


def _day(value: Any) -> date:
    if type(value) is date:
        return value
    if type(value) is str:
        return parse_date(value)
    raise ContentValueError("skal være en dato, fx 2026-12-21.")


def _deadline(value: Any) -> tuple[str, str]:
    """The rule and its parameter: a date, {dage = 30}, {maaneder = 1} or {regel = "…", vaerdi = "…"}."""
    if not isinstance(value, dict):
        if isinstance(value, datetime) or not isinstance(value, date | str):
            raise ContentValueError(
                'skal være en dato, fx 2026-12-21, eller { dage = 30 }, { maaneder = 1 } eller { regel = "…", '
                'vaerdi = "…" }.'
            )
        return "core.date", _day(value).isoformat()
    known = ("dage", "maaneder", "regel", "vaerdi")
    if strangers := sorted(set(value) - set(known)):
        raise ContentValueError(f"“{strangers[0]}” kendes ikke. {nearest(strangers[0], known)}")
    match value:
        case {"dage": count, **rest} if not rest:
            return "core.days-after-publication", _count(count)
        case {"maaneder": count, **rest} if not rest:
            return "core.months-after-publication", _count(count)
        case {"regel": str(rule), "vaerdi": parameter, **rest} if not rest:
            return rule, parameter if type(parameter) is str else _count(parameter)
    raise ContentValueError("skriv enten dage, maaneder, eller både regel og vaerdi.")


def _count(value: Any) -> str:
    if type(value) is not int:
        raise ContentValueError("antallet skal være et helt tal uden anførselstegn.")
    return str(value)


def _recipients(value: Any) -> RecipientChoice:
    if type(value) is list and value and all(type(code) in (int, str) for code in value):
        value = ",".join(str(code) for code in value)
    if type(value) is not str:
        raise ContentValueError("skal være en tekst, fx “all”, eller en liste af kommunekoder.")
    try:
        return RecipientChoice.parse(value)
    except RefusedError as error:
        raise ContentValueError(str(error)) from error


def _needs(value: Any) -> tuple[str, ...]:
    """How many there may be is told with everything else that is wrong with the draft."""
    if type(value) is not list or any(type(each) is not str for each in value):
        raise ContentValueError('skal være en liste af opgavenumre, fx ["MI 15", "MI 18"].')
    return tuple(value)


def _fields(value: Any) -> Mapping[str, str]:
    if type(value) is not dict:
        raise ContentValueError("skal være et afsnit, [felter], med én linje for hvert felt.")
    # "ksd.snitflade" without quotation marks is a table in a table to TOML.
    flat: dict[str, str] = {}
    for name, found in value.items():
        for key, text in found.items() if isinstance(found, dict) else [(None, found)]:
            if type(text) is not str:
                raise ContentValueError(f"feltet “{key or name}” skal være en tekst i anførselstegn.")
            flat[f"{name}.{key}" if key else name] = text
    return flat


KEYS = (
    Key("titel", _string),
    Key("projekt", _string),
    Key("fase", _string),
    Key("tema", _string),
    Key("nummer", _string, False),
    Key("formaal", _string, False, ""),
    Key("beskrivelse", _string, False, ""),
    Key("forudsaetninger", _string, False, ""),
    Key("saadan", _string, False, ""),
    Key("resultat", _string, False, ""),
    Key("materiale", _string, False, ""),
    Key("kontakt", _string, False, ""),
    Key("ansvarlig_rolle", _string, False),
    Key("udfoerer_rolle", _string, False),
    Key("udpeger", _string, False),
    Key("prioritet", _string, False, "normal"),
    Key("infrastruktur", yes_or_no, False, False),
    Key("start", _day, False),
    Key("deadline", _deadline),
    Key("arbejdsdag", _string, False, "uaendret"),
    Key("modtagere", _recipients, False, EVERYONE),
    Key("felter", _fields, False, {}),
    Key("forudsaetter", _needs, False, ()),
    Key("skabelon", _string, False),
)
# The draft's field → the file's key, for what is found wrong after the reading.
KEY_OF = {
    "title": "titel",
    "project": "projekt",
    "phase": "fase",
    "theme": "tema",
    "number": "nummer",
    "purpose": "formaal",
    "description": "beskrivelse",
    "prerequisites": "forudsaetninger",
    "how_to": "saadan",
    "result": "resultat",
    "material": "materiale",
    "contact": "kontakt",
    "responsible_role": "ansvarlig_rolle",
    "executor_role": "udfoerer_rolle",
    "appoints_role": "udpeger",
    "priority": "prioritet",
    "infrastructure": "infrastruktur",
    "start": "start",
    "deadline_rule": "deadline",
    "deadline_parameter": "deadline",
    "working_day": "arbejdsdag",
    "fields": "felter",
    "needs": "forudsaetter",
    "template": "skabelon",
    "recipients": "modtagere",
}
_DEADLINE = ("deadline_rule", "deadline_parameter")


def read_draft(path: Path) -> DraftFile:
    """The draft a file holds, with every problem; a file that cannot be read at all is one problem."""
    table = read_file(path)
    if isinstance(table, str):
        return DraftFile(Draft(project="", title="", phase="", theme=""), EVERYONE, (("", table),))
    values, problems = read_table(table, KEYS)
    given = dict.fromkeys(("project", "title", "phase", "theme"), "") | {
        name: values[key]
        for name, key in KEY_OF.items()
        if key in values and name not in (*_DEADLINE, "recipients")
    }
    if "deadline" in values:
        given |= dict(zip(_DEADLINE, values["deadline"], strict=True))
    return DraftFile(Draft(**given), values.get("modtagere", EVERYONE), tuple(problems))


def write_draft(draft: Draft, recipients: RecipientChoice | None = None) -> str:
    """The draft as the text of a file that ``read_draft`` reads as the same draft; what is empty is left out."""
    table: dict[str, Any] = {}
    for name, key in KEY_OF.items():
        if name in (*_DEADLINE, "recipients", "fields"):
            continue
        value = getattr(draft, name)
        if value not in _LEFT_OUT.get(name, (None, "", ())):
            table[key] = list(value) if isinstance(value, tuple) else value
    table["deadline"] = _written_deadline(draft.deadline_rule, draft.deadline_parameter)
    if recipients is not None:
        table["modtagere"] = recipients.words()
    if draft.fields:
        table["felter"] = dict(draft.fields)
    # Over several lines a carriage return would come back as a line break.
    lines = not any("\r" in text for text in _texts(table))
    return tomli_w.dumps(table, multiline_strings=lines)


def _texts(table: Mapping[str, Any]) -> Iterator[str]:
    for value in table.values():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, str):
            yield value


# What reads in again as the same when it is not written at all.
_LEFT_OUT: Mapping[str, tuple[Any, ...]] = {
    "title": (),
    "project": (),
    "phase": (),
    "theme": (),
    "number": (None,),
    "responsible_role": (None,),
    "executor_role": (None,),
    "appoints_role": (None,),
    "template": (None,),
    "priority": ("normal",),
    "working_day": ("uaendret",),
    "infrastructure": (False,),
}
_COUNTED = {"core.days-after-publication": "dage", "core.months-after-publication": "maaneder"}


def _written_deadline(rule: str, parameter: str) -> Any:
    if rule == "core.date":
        try:
            day = date.fromisoformat(parameter)
        except ValueError:
            day = None
        if day is not None and day.isoformat() == parameter:
            return day
    if rule in _COUNTED and parameter.isascii() and parameter.isdigit() and parameter == str(int(parameter)):
        return {_COUNTED[rule]: int(parameter)}
    return {"regel": rule, "vaerdi": parameter}
