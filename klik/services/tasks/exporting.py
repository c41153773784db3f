"""A task taken home: what its PDF holds is collected in one transaction, drawn outside any, noted in another."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from klik.domain.calendar import clock
from klik.domain.markdown import render_markdown
from klik.domain.rights import Right
from klik.services import access, auditing, deleting, documents, views
from klik.services.correcting import deviations, versions
from klik.services.documents import (
    AttachmentLine,
    CommentLine,
    CorrectionLine,
    HistoryLine,
    QuestionLine,
    TaskDocument,
    TextPart,
    TickLine,
)
from klik.services.filestore import FileStore
from klik.services.questions import reading
from klik.services.questions.reading import QuestionView
from klik.services.rendering_pages import LAYOUT
from klik.services.tasks import details as task_details
from klik.services.tasks import history as task_history
from klik.services.tasks import panels
from klik.services.tasks.details import TaskDetails
from klik.services.tasks.panels import ShownPanel
from klik.services.work import Work

# Letters and digits that nobody confuses when they are read aloud or typed from paper.
_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_GROUPS, _CODE_GROUP = 3, 4
LOCAL_NUMBER = "Lokal"


@dataclass(frozen=True, slots=True)
class TaskExport:
    """All that a PDF needs and what is noted about it afterwards; plain values, no rows."""

    document: TaskDocument
    embedded: bytes
    municipal_task_id: int
    municipality_id: int
    task_number: str | None
    content_key: str

    @property
    def file_name(self) -> str:
        """What the file is saved as."""
        return documents.file_name(self.document)


def collect(work: Work, files: FileStore, task_id: int, base_url: str) -> TaskExport:
    """Everything the actor may take home of a task; raises NotFoundError, ForbiddenError. Writes nothing."""
    actor = access.require(work, Right.EXPORT)
    details = task_details.load(work, task_id)
    task = details.task
    shown = panels.task_panels(work, views.municipal_task_views(work, [task])[0])
    document = TaskDocument(
        number=task.task_number or LOCAL_NUMBER,
        title=task.title,
        project=details.project,
        system=details.system,
        municipality=details.municipality,
        municipality_code=f"{task.municipality_id:03d}",
        phase=work.registry.content.phase(task.phase).name,
        theme=work.registry.content.theme(task.theme).name,
        priority=details.priority,
        infrastructure=task.infrastructure,
        start=task.start_date,
        deadline=task.deadline,
        yellow_from=task.yellow_from,
        colour_word=details.colour.label if details.colour else "",
        colour_explanation=details.explanation,
        status=details.status.label,
        not_relevant_reason=task.not_relevant_reason or "",
        completed_on=task.completed_on,
        responsible=details.responsible.words,
        executor=details.executor.words,
        local=details.local,
        task_url=f"{base_url}/opgaver/{task.id}",
        exported_on=work.today,
        exported_by=actor.place,
        identifier="",
        version=_version(details),
        corrections=tuple(
            CorrectionLine(line.number, line.at, line.note) for line in versions.of_copy(work, task).lines
        ),
        deviations=_deviations(work, details),
        texts=(*_texts(details), *_links(details)),
        extra_fields=details.extra_fields,
        panels=tuple(TextPart(panel.title, panel.html) for panel in shown if panel.html is not None),
        checklist=tuple(TickLine(line.text, line.done) for line in details.checklist.lines),
        checklist_progress=details.checklist.words,
        questions=tuple(_question(each) for each in reading.of_task(work, task)),
        comments=tuple(
            CommentLine(
                each.at, f"{each.author}{f', {each.place}' if each.place else ''}", each.text, each.private
            )
            for each in details.comments
        ),
        history=tuple(
            HistoryLine(entry.at, entry.who, entry.sentence)
            for entry in reversed(task_history.history(work, task, own=details.own))
        ),
        attachments=tuple(AttachmentLine(file.name, file.size, file.sha256) for file in details.files),
        omitted=tuple(_omitted(details, shown, files)),
        withdrawn=_withdrawn(details),
    )
    content_key = hashlib.sha256(LAYOUT.encode() + _embedded(details, document)).hexdigest()
    document = replace(document, identifier=code_of(content_key))
    return TaskExport(
        document,
        _embedded(details, document),
        task.id,
        task.municipality_id,
        task.task_number,
        content_key,
    )


def _withdrawn(details: TaskDetails) -> str:
    if details.withdrawn_at is None:
        return ""
    reason = f" Begrundelse: {details.withdrawal_reason}" if details.withdrawal_reason else ""
    return f"KOMBIT trak opgaven tilbage {clock(details.withdrawn_at)}.{reason}"


def _question(asked: QuestionView) -> QuestionLine:
    if asked.answer is not None:
        when = f"Svar fra KOMBIT {clock(asked.answered_at)}" if asked.answered_at else ""
        state = f"{when}, rettet {clock(asked.edited_at)}" if asked.edited_at else when
    elif asked.closed_at is not None:
        why = f" af KOMBIT: {asked.close_reason}" if asked.close_reason else ", taget tilbage"
        state = f"Lukket uden svar{why}"
    else:
        state = "Venter på svar"
    return QuestionLine(asked.asked_at, asked.asker, asked.text, render_markdown(asked.answer or ""), state)


def note(work: Work, export: TaskExport, sha256: str, size: int) -> None:
    """Write down that the actor took the task home, and what it means for a deletion."""
    auditing.record(
        work,
        "eksportér-opgave",
        f"kommuneopgave/{export.municipal_task_id}",
        {"sha256": sha256, "størrelse": size},
        export.municipality_id,
    )
    deleting.note_fetched(work, export.municipal_task_id, sha256)


def code_of(content_key: str) -> str:
    """The code a reader types to find out whether a file is genuine; the same content has the same code."""
    number = int(content_key[:32], 16)
    letters = ""
    for _ in range(_CODE_GROUPS * _CODE_GROUP):
        number, place = divmod(number, len(_CODE_LETTERS))
        letters += _CODE_LETTERS[place]
    return "-".join(letters[start : start + _CODE_GROUP] for start in range(0, len(letters), _CODE_GROUP))


def new_code() -> str:
    """The code a reader types to find the export again: "7KQF-M3ZP-2R8W"."""
    groups = ("".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_GROUP)) for _ in range(_CODE_GROUPS))
    return "-".join(groups)


def _version(details: TaskDetails) -> str:
    """The version the task stands in; later ones that came after it was closed are named too."""
    version, published = details.task.task_version, details.task.task
    if version is None or published is None:
        return ""
    current = published.current_number or version.number
    return (
        str(version.number)
        if current == version.number
        else f"{version.number} (KOMBITs nyeste er {current})"
    )


def _deviations(work: Work, details: TaskDetails) -> tuple[str, ...]:
    if not details.own and not details.sees_people:
        return ()
    return tuple(each.sentence for each in deviations.open_on(work, details.task))


def _texts(details: TaskDetails) -> tuple[TextPart, ...]:
    return tuple(TextPart(heading, render_markdown(text)) for heading, text in details.texts)


def _links(details: TaskDetails) -> Iterator[TextPart]:
    for heading, tasks in (("Forudsætter", details.needs), ("Venter på denne opgave", details.needed_by)):
        if tasks:
            lines = "\n".join(f"- {_escaped(f'{each.number} {each.title}')}" for each in tasks)
            yield TextPart(heading, render_markdown(lines))


def _escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()<>#+-.!|~" else sign for sign in text)


def _omitted(details: TaskDetails, shown: tuple[ShownPanel, ...], files: FileStore) -> Iterator[str]:
    for panel in shown:
        if panel.html is None:
            yield f"Panelet »{panel.title}«, fordi udvidelsen {panel.plugin} ikke svarede."
    if details.files:
        yield "Filernes indhold. De står med navn, størrelse og SHA-256 og hentes hver for sig."
    for file in details.files:
        if not files.path(file.sha256).exists():
            yield f"Filen »{file.name}« mangler på serveren og kan ikke hentes."
    if not details.own:
        yield "Kommunens egne filer og de kommentarer, der kun er for kommunen, samt linjerne på dens tjekliste."


def _embedded(details: TaskDetails, document: TaskDocument) -> bytes:
    """The same as JSON, with texts as the Markdown they were written in."""
    values: dict[str, Any] = asdict(document)
    values["texts"] = [{"heading": heading, "markdown": text} for heading, text in details.texts]
    values["needs"] = [f"{each.number} {each.title}" for each in details.needs]
    values["needed_by"] = [f"{each.number} {each.title}" for each in details.needed_by]
    values["format"] = "klik-opgave/1"
    return json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True, default=_plain).encode()


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
