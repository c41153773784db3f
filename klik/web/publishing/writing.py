"""What the form asks while a KLIK-opgave is written: how the text reads, and which number is free; and it as TOML."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.domain.tasknumbers import TaskNumberError
from klik.domain.texts import file_name
from klik.services import access as door
from klik.services import publishing
from klik.services.publishing import Draft, RecipientChoice, beginnings, files, links
from klik.services.publishing.file import write_draft
from klik.services.publishing.text import PARTS, text_problems
from klik.services.work import Work
from klik.web import forms
from klik.web.base import access
from klik.web.publishing.forms import DraftForm, number_typed

blueprint = Blueprint("writing", __name__)
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """The text as far as it is written, what the server would say to it, and the circles its links make."""

    text: Mapping[str, str] | None
    problems: tuple[str, ...]
    circles: tuple[str, ...]


@blueprint.post("/udgivelser/laes")
@access(Right.PUBLISH)
def read(work: Work) -> Any:
    """The text as a municipality will read it; nothing is stored."""
    forms.stores_nothing()
    reading = _reading(work, request.form)
    return render_template("publishing/reading.html", reading=reading, parts=PARTS)


@blueprint.get("/udgivelser/nummer")
@access(Right.PUBLISH)
def number(work: Work) -> Any:
    """The next free number of a theme, as a sentence."""
    return proposal(work, request.args)


@blueprint.get("/udgivelser/<id:task_id>.toml")
@access(Right.PUBLISH)
def as_toml(work: Work, task_id: int) -> Response:
    """The task as the file that ``klik publish`` reads."""
    task = door.published_task(work, task_id)
    draft = publishing.draft_of(work, task_id)
    choice = RecipientChoice.parse(task.recipients) if task.recipients else None
    return send_file(
        io.BytesIO(write_draft(draft, choice).encode()),
        "application/toml; charset=utf-8",
        as_attachment=True,
        download_name=file_name(f"{task.task_number} {draft.title}", "toml"),
        max_age=0,
    )


def writing_names(work: Work, form: DraftForm) -> dict[str, Any]:
    """What the form's template needs besides the form."""
    typed = {name: field.data for name, field in form._fields.items() if isinstance(field.data, str)}
    source = number_typed(form.files_from.data)
    return {
        "reading": _reading(work, typed),
        "proposal": proposal(work, typed),
        "unsaved": request.method == "POST",
        "copied_files": len(files.of(work, source)) if source else 0,
    }


def beginnings_names(work: Work) -> dict[str, Any]:
    """What the page "Ny fra…" needs: templates and earlier tasks that hold what was looked for."""
    text = request.args.get("q", "")[:LONGEST_SEARCH].strip()
    tasks, more = beginnings.earlier(work, text)
    return {
        "text": text,
        "templates": beginnings.templates(work, text),
        "systems": work.registry.systems,
        "tasks": tasks,
        "more": more,
    }


def proposal(work: Work, typed: Mapping[str, str]) -> str:
    """ "Næste ledige nummer i temaet er MI 04." The number a stored draft has in the theme is told instead."""
    theme = work.registry.content.theme(typed.get("theme", ""))
    if theme.is_retired:
        return ""
    task_id = number_typed(typed.get("task_id"))
    if task_id:
        kept = door.published_task(work, task_id).task_number
        if kept.split(" ")[0] == theme.prefix:
            return f"Kladden har nummeret {kept} og beholder det."
    draft = Draft(project=typed.get("project", ""), title="", phase="", theme=theme.slug)
    try:
        free = publishing.proposed_number(work, draft)
    except TaskNumberError as error:
        return str(error)
    return f"Næste ledige nummer i temaet er {free}." if free else ""


def _reading(work: Work, typed: Mapping[str, str]) -> Reading:
    texts = {part: typed.get(part) or "" for part in PARTS}
    # A title not written yet is no fault in the text.
    draft = Draft(project="", title=typed.get("title") or "-", phase="", theme="", **texts)
    needs = (typed.get("needs") or "").split(",")
    return Reading(
        text=texts if any(text.strip() for text in texts.values()) else None,
        problems=tuple(sentence for _name, sentence in text_problems(draft)),
        circles=links.circles(work, number_typed(typed.get("task_id")), needs),
    )
