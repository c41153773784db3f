"""The playbook of one municipality: its wave, countdown, roles and tasks up to the day it takes KY into use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from klik.plugins import (
    Document,
    HolderView,
    Mark,
    MunicipalityView,
    MunicipalTaskView,
    PageLink,
    PluginContext,
    ProgressView,
    Right,
    days,
    long_date,
    page_access,
    search_key,
)
from klik.plugins.ky import preparation, wave_plan
from klik.plugins.ky.areas import OEIR, area_of
from klik.plugins.ky.waves import NAMES

blueprint = Blueprint("ky", __name__, template_folder="templates")
PAGE = "/p/ky/drejebog"
LINK = PageLink(
    address=PAGE,
    label="Drejebog",
    help="Bølge, nedtælling, roller og opgaver frem til idriftsættelsen, på siden og som PDF",
)
# Who works on the ØiR tasks of tasks.toml.
OEIR_ROLES = (
    "oekonomimedarbejder",
    "ky-bogfoering-og-opkraevning",
    "infrastrukturansvarlig",
    "underskriftsberettiget",
)
OPEN = frozenset({"ikke-paabegyndt", "i-gang"})
STATES: Mapping[str, str] = {
    "klar": "Klar",
    "paa-vej": "På vej",
    "ikke-klar": "Ikke klar",
    "ukendt": "Ukendt",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One task as the playbook shows it; ``colour`` is "roed", "gul" or empty."""

    id: int
    name: str
    theme: str
    status: str
    status_name: str
    deadline: str
    distance: str
    colour: str
    local: bool


@dataclass(frozen=True, slots=True)
class Chapter:
    """A phase's tasks by theme, and how many of them are open and late."""

    title: str
    lines: tuple[Line, ...]
    open: int
    late: int


@dataclass(frozen=True, slots=True)
class Seat:
    """A role and who holds it; ``name`` is empty where it is vacant."""

    role: str
    name: str


@dataclass(frozen=True, slots=True)
class Playbook:
    """Everything the page and the PDF show."""

    place: MunicipalityView
    wave: str
    go_live: str
    countdown: str
    mark: Mark
    chapters: tuple[Chapter, ...]
    oeir: Chapter
    seats: tuple[Seat, ...]
    oeir_seats: tuple[Seat, ...]

    @property
    def state(self) -> str:
        """The mark's word: "Klar", "På vej", "Ikke klar" or "Ukendt"."""
        return STATES[self.mark.state]


def distance(deadline: date | None, go_live: date | None) -> str:
    """A deadline in words relative to go-live: "90 dage før", "samme dag", "14 dage efter"."""
    if deadline is None or go_live is None:
        return ""
    count = (go_live - deadline).days
    if count == 0:
        return "samme dag"
    return f"{days(abs(count))} {'før' if count > 0 else 'efter'}"


def made(context: PluginContext, place: MunicipalityView) -> Playbook:
    """The playbook of a municipality the actor may see."""
    assert context.klik is not None
    tasks = context.klik.tasks(preparation.SYSTEM, place.code)
    seats = context.klik.holders(preparation.SYSTEM, place.code)
    return Playbook(
        place=place,
        wave=NAMES.get(place.wave or "", ""),
        go_live=long_date(place.go_live) if place.go_live else "",
        countdown=wave_plan.countdown(place.go_live, context.today),
        mark=_mark(context, place, tasks, seats),
        chapters=_chapters(tasks, place.go_live, context.today),
        oeir=_chapter("ØiR", [task for task in tasks if area_of(task) == OEIR], place.go_live, context.today),
        seats=_seats(each for each in seats if each.role not in OEIR_ROLES),
        oeir_seats=_seats(each for each in seats if each.role in OEIR_ROLES),
    )


def _mark(
    context: PluginContext,
    place: MunicipalityView,
    tasks: Iterable[MunicipalTaskView],
    seats: Iterable[HolderView],
) -> Mark:
    """The same reckoning as the heat map's, from what is at hand: local tasks are the municipality's own business."""
    counted = [task for task in tasks if not task.local and task.phase in preparation.PHASES]
    progress = ProgressView(tasks=len(counted), closed=sum(task.status not in OPEN for task in counted))
    led = any(seat.role == preparation.LEADER and seat.name for seat in seats)
    return preparation.mark(progress if counted else None, led, place.go_live, context.today)


def _chapters(tasks: Sequence[MunicipalTaskView], go_live: date | None, today: date) -> tuple[Chapter, ...]:
    phases = dict.fromkeys(task.phase_name for task in tasks)
    return tuple(
        _chapter(phase, [task for task in tasks if task.phase_name == phase], go_live, today)
        for phase in phases
    )


def _chapter(title: str, tasks: Sequence[MunicipalTaskView], go_live: date | None, today: date) -> Chapter:
    lines = [_line(task, go_live, today) for task in sorted(tasks, key=_order)]
    return Chapter(
        title,
        tuple(lines),
        sum(line.status in OPEN for line in lines),
        sum(line.colour == "roed" for line in lines),
    )


def _order(task: MunicipalTaskView) -> tuple[str, date, str]:
    return search_key(task.theme_name), task.deadline or date.max, task.number or ""


def _line(task: MunicipalTaskView, go_live: date | None, today: date) -> Line:
    return Line(
        id=task.id,
        name=f"{task.number} {task.title}" if task.number else task.title,
        theme=task.theme_name,
        status=task.status,
        status_name=task.status_name,
        deadline=long_date(task.deadline) if task.deadline else "",
        distance=distance(task.deadline, go_live),
        colour=_colour(task, today),
        local=task.local,
    )


def _colour(task: MunicipalTaskView, today: date) -> str:
    if task.status not in OPEN or task.deadline is None:
        return ""
    if task.deadline < today:
        return "roed"
    return "gul" if task.yellow_from is not None and task.yellow_from <= today else ""


def _seats(found: Iterable[HolderView]) -> tuple[Seat, ...]:
    names: dict[str, list[str]] = {}
    for each in found:
        names.setdefault(each.role_name, [])
        if each.name:
            names[each.role_name].append(f"{each.name} (primær)" if each.primary else each.name)
    return tuple(Seat(role, ", ".join(held)) for role, held in names.items())


def _chosen(context: PluginContext) -> MunicipalityView | None:
    """The actor's own municipality, or the one KOMBIT chose in the address; None where none is."""
    assert context.klik is not None
    asked = request.args.get("kommune", "")
    code = context.municipality if not context.kombit else int(asked) if _is_code(asked) else None
    return next((each for each in context.klik.municipalities("ky") if each.code == code), None)


def _is_code(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3


def _check_door(context: PluginContext) -> None:
    """Suppliers have no business with who does what in a municipality."""
    if context.municipality is None and not context.kombit:
        abort(404)


@blueprint.get("/drejebog")
@page_access(Right.READ_TASKS)
def show(context: PluginContext) -> Any:
    """The playbook; KOMBIT chooses whose."""
    _check_door(context)
    assert context.klik is not None
    place = _chosen(context)
    asked = request.args.get("kommune", "")
    places = context.klik.municipalities("ky") if context.kombit else ()
    return render_template(
        "ky/playbook.html",
        book=made(context, place) if place else None,
        places=places,
        plan=wave_plan.lines(context, places) if place is None else (),
        chosen=place.code if place else None,
        unknown=asked[:60] if context.kombit and asked and place is None else "",
        waves=NAMES,
        may_move=context.kombit and context.has(Right.PUBLISH),
        kombit=context.kombit,
    )


@blueprint.get("/drejebog.pdf")
@page_access(Right.READ_TASKS)
def as_pdf(context: PluginContext) -> Document | Response:
    """The same on paper; KOMBIT without a municipality is sent to choose one."""
    _check_door(context)
    place = _chosen(context)
    if place is None:
        return redirect(PAGE, 303)
    book = made(context, place)
    wave = f"Bølge: {book.wave}, " if book.wave else ""
    return Document(
        title=f"Drejebog for KY: {place.name}",
        subtitle=f"{wave}{'tages i brug ' + book.go_live if book.go_live else 'dagen er ikke fastsat'}",
        html=render_template("ky/playbook_paper.html", book=book),
        file_name=f"Drejebog KY {place.name} {context.today.isoformat()}.pdf",
    )
