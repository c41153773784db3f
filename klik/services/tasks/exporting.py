"""A task taken home: what its PDF holds is collected in one transaction, drawn outside any, noted in another."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from klik.domain import proof_codes
from klik.domain.rights import Right
from klik.services import access, auditing, deleting, documents, views
from klik.services.documents import (
    AttachmentLine,
    CommentLine,
    HistoryLine,
    TaskDocument,
    TextPart,
    TickLine,
)
from klik.services.filestore import FileStore
from klik.services.questions import reading
from klik.services.rendering_pages import LAYOUT
from klik.services.tasks import details as task_details
from klik.services.tasks import document_parts, panels
from klik.services.tasks import history as task_history
from klik.services.tasks.details import TaskDetails
from klik.services.work import Work

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
        task_id=task.id,
        round=task.round,
        deadline_note=document_parts.deadline_note(details),
        deadline_rule=document_parts.deadline_rule(work, details),
        colour_rule=document_parts.colour_rule(work, details),
        suggested_responsible=(details.suggested_responsible or "") if details.sees_people else "",
        suggested_executor=(details.suggested_executor or "") if details.sees_people else "",
        version=document_parts.version(details),
        deletion=tuple(document_parts.deletion(work, details)),
        corrections=document_parts.corrections(work, details),
        deviations=document_parts.open_deviations(work, details),
        texts=tuple(document_parts.texts(details)),
        extra_fields=details.extra_fields,
        panels=tuple(TextPart(panel.title, panel.html) for panel in shown if panel.html is not None),
        checklist=tuple(TickLine(line.text, line.done, line.done_at) for line in details.checklist.lines),
        checklist_progress=details.checklist.words,
        questions=tuple(document_parts.question(each) for each in reading.of_task(work, task)),
        comments=tuple(
            CommentLine(
                each.at,
                f"{each.author}{f', {each.place}' if each.place else ''}",
                each.text,
                each.private,
                each.edited_at,
            )
            for each in details.comments
        ),
        history=tuple(
            HistoryLine(entry.at, entry.who, entry.sentence)
            for entry in reversed(task_history.history(work, task, own=details.own))
        ),
        attachments=tuple(
            AttachmentLine(
                file.name,
                file.size,
                file.sha256,
                file.added_by if file.kombit or details.sees_people else "",
                file.added_at,
            )
            for file in details.files
        ),
        omitted=tuple(document_parts.omitted(details, shown, files)),
        withdrawn=document_parts.withdrawn(details),
    )
    content_key = hashlib.sha256(LAYOUT.encode() + _embedded(details, document)).hexdigest()
    code = proof_codes.of(content_key)
    document = replace(document, identifier=code, verify_url=f"{base_url}/verificer/{code}")
    return TaskExport(
        document,
        _embedded(details, document),
        task.id,
        task.municipality_id,
        task.task_number,
        content_key,
    )


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
