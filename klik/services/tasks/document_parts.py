"""The parts of a task's PDF that are not shown as they are stored: corrections, questions, rules, the deletion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from markupsafe import escape
from sqlalchemy import select

from klik.domain.calendar import clock, long_date
from klik.domain.markdown import render_markdown
from klik.domain.passages import ADDED, REMOVED, Words
from klik.models import Deletion, DeletionItem
from klik.services.correcting import deviations, versions
from klik.services.correcting.differences import Difference
from klik.services.deadlines import explanation, yellow_note
from klik.services.documents import CorrectionLine, QuestionLine, TextPart
from klik.services.filestore import FileStore
from klik.services.questions.reading import QuestionView
from klik.services.tasks.details import TaskDetails
from klik.services.tasks.panels import ShownPanel
from klik.services.work import Work

_MARKS = {ADDED: "ins", REMOVED: "del"}


def version(details: TaskDetails) -> str:
    """The version the task stands in; later ones that came after it was closed are named too."""
    standing, published = details.task.task_version, details.task.task
    if standing is None or published is None:
        return ""
    newest = published.current_number or standing.number
    return (
        str(standing.number)
        if newest == standing.number
        else f"{standing.number} (KOMBITs nyeste er {newest})"
    )


def corrections(work: Work, details: TaskDetails) -> tuple[CorrectionLine, ...]:
    """The corrections of KOMBIT's that the task has got, each with what it changed."""
    return tuple(
        CorrectionLine(
            line.number, line.at, line.note, "".join(_difference(each) for each in line.differences)
        )
        for line in versions.of_copy(work, details.task).lines
    )


def _difference(difference: Difference) -> str:
    paragraphs = [" ".join(_words(run) for run in paragraph) for paragraph in difference.paragraphs]
    first = f"<p><strong>{escape(difference.label)}:</strong> {paragraphs[0] if paragraphs else ''}</p>"
    return first + "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs[1:])


def _words(run: Words) -> str:
    mark = _MARKS.get(run.kind)
    text = str(escape(run.text))
    return f"<{mark}>{text}</{mark}>" if mark else text


def open_deviations(work: Work, details: TaskDetails) -> tuple[str, ...]:
    """Where the municipality has not answered KOMBIT yet, in sentences."""
    if not details.own and not details.sees_people:
        return ()
    return tuple(each.sentence for each in deviations.open_on(work, details.task))


def withdrawn(details: TaskDetails) -> str:
    """When and why KOMBIT took the task back, or nothing."""
    if details.withdrawn_at is None:
        return ""
    reason = f" Begrundelse: {details.withdrawal_reason}" if details.withdrawal_reason else ""
    return f"KOMBIT trak opgaven tilbage {clock(details.withdrawn_at)}.{reason}"


def question(asked: QuestionView) -> QuestionLine:
    """A question with its answer, and how far it is."""
    if asked.answer is not None:
        when = f"Svar fra KOMBIT {clock(asked.answered_at)}" if asked.answered_at else ""
        state = f"{when}, rettet {clock(asked.edited_at)}" if asked.edited_at else when
    elif asked.closed_at is not None:
        why = f" af KOMBIT: {asked.close_reason}" if asked.close_reason else ", taget tilbage"
        state = f"Lukket uden svar{why}"
    else:
        state = "Venter på svar"
    return QuestionLine(asked.asked_at, asked.asker, asked.text, render_markdown(asked.answer or ""), state)


def texts(details: TaskDetails) -> Iterator[TextPart]:
    """The task's texts, then the tasks it waits for and those that wait for it."""
    for heading, text in details.texts:
        yield TextPart(heading, render_markdown(text))
    for heading, tasks in (("Forudsætter", details.needs), ("Venter på denne opgave", details.needed_by)):
        if tasks:
            lines = "".join(f"<li>{escape(f'{each.number} {each.title}')}</li>" for each in tasks)
            yield TextPart(heading, f"<ul>{lines}</ul>")


def deadline_note(details: TaskDetails) -> str:
    """What the page says beside the deadline."""
    task = details.task
    if task.for_information:
        return "Til orientering"
    if task.deadline is None:
        return "Ingen deadline"
    return "kommunens egen" if task.deadline_is_own and not details.local else ""


def deadline_rule(work: Work, details: TaskDetails) -> str:
    """How KOMBIT set the deadline, as a sentence; nothing for a local task."""
    standing = details.task.task_version
    if standing is None:
        return ""
    return explanation(
        work.registry, standing.deadline_rule, standing.deadline_parameter, standing.working_day
    )


def colour_rule(work: Work, details: TaskDetails) -> str:
    """ "Gul fra 20. november, rød fra 5. december 2026": the days on which the colour changes while it is open."""
    task = details.task
    if task.deadline is None or task.yellow_from is None:
        return ""
    standing = task.task_version
    note = yellow_note(work.registry, standing.deadline_rule) if standing else ""
    yellow, red = task.yellow_from, task.deadline + timedelta(days=1)
    words = f"Grøn indtil {_day(yellow, red)}, derefter gul; rød fra {long_date(red)}"
    return f"{words} ({note})" if note else words


def _day(day: date, other: date) -> str:
    """The day, without its year when the other has the same."""
    return long_date(day).removesuffix(f" {day.year}") if day.year == other.year else long_date(day)


def deletion(work: Work, details: TaskDetails) -> Iterator[str]:
    """What was announced of deleting the task; nothing that changes because it is taken home."""
    if details.deletion is None:
        return
    item, announced = work.session.execute(
        select(DeletionItem, Deletion)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(
            Deletion.id == details.deletion.deletion_id,
            DeletionItem.municipal_task_id == details.task.id,
            DeletionItem.municipality_id == details.task.municipality_id,
        )
    ).one()
    yield (
        f"KOMBIT varslede {clock(announced.announced_at)}, at opgaven slettes: {_bare(announced.heading)}. "
        f"Sidste dag er {long_date(announced.last_day)}."
    )
    yield (
        f"Kassationshjemmel: {_bare(announced.legal_basis)}. "
        f"Besluttet af {announced.decided_by} {long_date(announced.decided_on)}."
    )
    if item.hold_reason:
        answer = {
            None: "KOMBIT har ikke svaret endnu",
            True: "KOMBIT har sagt ja",
            False: "KOMBIT har sagt nej",
        }
        until = f" til {long_date(item.hold_until)}" if item.hold_until else ""
        yield f"Kommunen har bedt om at beholde opgaven{until}: {_bare(item.hold_reason)}. {answer[item.hold_granted]}."
    if item.case_number:
        yield f"Kommunen har lagt opgaven i sit ESDH-system, sagsnummer {item.case_number}."


def _bare(text: str) -> str:
    return text.strip().removesuffix(".")


def omitted(details: TaskDetails, shown: tuple[ShownPanel, ...], files: FileStore) -> Iterator[str]:
    """A sentence for each thing that hangs on the task and is not in the PDF."""
    for panel in shown:
        if panel.html is None:
            yield f"Panelet »{panel.title}«, fordi udvidelsen {panel.plugin} ikke svarede."
    if details.files:
        yield (
            "Filernes indhold. Filerne står med navn, størrelse og SHA-256; i en pakke ligger de i mappen »filer«."
        )
    for file in details.files:
        if not files.path(file.sha256).exists():
            yield f"Filen »{file.name}« mangler på serveren og kan ikke hentes."
    if not details.own:
        yield "Kommunens egne filer og de kommentarer, der kun er for kommunen, samt linjerne på dens tjekliste."
    yield "Varslerne om opgaven: hvem der har fået mails og påmindelser, og hvornår den enkelte sidst så opgaven."
