"""How each kind of file is made: tables row by row, packages task by task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from klik.domain import proof_codes, texts
from klik.domain.deadlines import danish_today
from klik.services import filtering, house_package, past, tables
from klik.services.documents import ListDocument
from klik.services.exports import contents, indexing
from klik.services.exports.contents import Contents
from klik.services.exports.gathering import Entry, House, gather
from klik.services.exports.indexing import INDEX_NAME, READ_ME, TASKS_NAME
from klik.services.exports.kinds import HOUSE
from klik.services.exports.merging import Merged
from klik.services.exports.states import ImpossibleError
from klik.services.packing import Member, Package
from klik.services.rendering import RenderingError
from klik.services.work import Actor

BEAT = 0.5  # seconds between two looks whether the file is still wanted, while something long is drawn
_Result = TypeVar("_Result")
_HEAD, _FOOT = b'{"format": "klik-opgaver/1", "tasks": [\n', b"\n]}\n"


@dataclass(frozen=True, slots=True)
class Order:
    """A file to be made: for whom, of what, as of when; ``told`` hears how many tasks are done and may stop it."""

    house: House
    actor: Actor
    now: datetime
    asked: Contents
    told: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it: the name to save it under; of a package also what its proof says."""

    name: str
    tasks: int = 0
    content_key: str = ""
    code: str = ""


def make(order: Order, target: Path) -> Made:
    """Write the file. Raises ImpossibleError with what to tell, and whatever ``told`` raises."""
    return MAKERS[order.asked.kind](order, target)


def _table(order: Order, target: Path) -> Made:
    kind, asked = order.asked.kind, order.asked
    with order.house.reading(order.now, order.actor) as work:
        if asked.task_ids:
            with target.open("wb") as file:
                tables.WRITERS[kind](work, contents.selection(work, asked), file, order.told)
            return Made(tables.named(work, kind))
        with past.asked(work, filtering.read(work.registry, asked.query)) as standing:
            selection = filtering.select_tasks(standing.work, standing.criteria)
            with target.open("wb") as file:
                tables.WRITERS[kind](standing.work, selection, file, order.told)
            what = tables.PAST_WHAT if standing.day else tables.WHAT
            return Made(tables.named(standing.work, kind, what))


def _package(order: Order, target: Path) -> Made:
    """A folder a task, then the index, everything as one JSON, the text to read first and the manifest."""
    spool = target.with_name(f"{target.name}-data")
    entries: list[Entry] = []
    try:
        with Package(target) as package, spool.open("wb") as data:
            data.write(_HEAD)
            for gathered in gather(order.house, order.actor, order.now, order.asked, order.told):
                if gathered.folder is not None:
                    package.add(gathered.folder)
                    data.write(b",\n" if data.tell() > len(_HEAD) else b"")
                    data.write(gathered.data)
                entries.append(gathered.entry)
            data.write(_FOOT)
            data.close()
            made = _described(order, entries, "")
            package.put(Member(INDEX_NAME, _index(order, entries, made.code)))
            package.put(Member(TASKS_NAME, opened=partial(spool.open, "rb")))
            base_url = order.house.settings.base_url
            note = indexing.read_me(entries, made.code, order.actor, order.now, base_url)
            package.put(Member(READ_ME, note))
            for sentence in indexing.lacks(entries):
                package.lack(sentence)
            package.finish(**indexing.facts(entries, made.code))
        return made
    finally:
        spool.unlink(missing_ok=True)


def _merged(order: Order, target: Path) -> Made:
    """The index and every task's PDF in one document to read and to print."""
    entries: list[Entry] = []
    document = Merged()
    for gathered in gather(order.house, order.actor, order.now, order.asked, order.told):
        if gathered.folder is not None:
            document.add(f"{gathered.entry.number} {gathered.entry.title}".strip(), gathered.content)
        entries.append(gathered.entry)
    made = _described(order, entries, " samlet (ikke arkivformat)")
    manifest = indexing.manifest(entries, made.code)
    title = made.name.removesuffix(".pdf")
    _beating(
        order, entries, partial(document.write, target, title, _index(order, entries, made.code), manifest)
    )
    return made


def _house(order: Order, target: Path) -> Made:
    """Everything the municipality has, to be read in elsewhere."""
    written = house_package.write(order.house, order.actor, order.now, target, order.told)
    day = danish_today(order.now).isoformat()
    name = texts.file_name(f"Hele kommunens indhold {order.actor.place} {day}", "zip")
    return Made(name, written.tasks, written.content_key, written.code)


def _described(order: Order, entries: list[Entry], form: str) -> Made:
    """The name of a package and what its proof says; raises ImpossibleError when nothing could be packed."""
    packed = [entry for entry in entries if entry.pdf]
    if not packed:
        raise ImpossibleError(
            "Ingen af opgaverne kunne hentes: de findes ikke længere, eller du har ikke længere adgang til dem."
        )
    what = "Opgaver til sletning" if order.asked.deletion_id is not None else "Opgaver"
    day = danish_today(order.now).isoformat()
    name = texts.file_name(f"{what}{form} {order.actor.place} {day}", order.asked.kind)
    key = indexing.content_key(order.asked.kind, order.actor.place, day, entries)
    return Made(name, len(packed), key, proof_codes.of(key))


def _index(order: Order, entries: list[Entry], code: str) -> bytes:
    with order.house.reading(order.now, order.actor) as work:
        words = contents.in_words(work, order.asked)
    document: ListDocument = indexing.index(words, entries, code, order.actor, order.asked.ordered_at)
    try:
        return _beating(order, entries, partial(order.house.renderer.list_pdf, document))
    except RenderingError as problem:
        raise ImpossibleError(f"Oversigten over pakken kunne ikke laves. {problem}") from problem


def _beating(order: Order, entries: list[Entry], act: Callable[[], _Result]) -> _Result:
    """What ``act`` returns, while ``told`` is asked whether the file is still wanted."""
    pool = ThreadPoolExecutor(1, "klik-export")
    try:
        acting = pool.submit(act)
        while not futures.wait([acting], BEAT).done:
            order.told(len(entries))
        return acting.result()
    finally:
        # Whoever is told that the file is unwanted does not wait for the drawing: it is thrown away.
        pool.shutdown(wait=False)


MAKERS: Mapping[str, Callable[[Order, Path], Made]] = {
    "xlsx": _table,
    "csv": _table,
    "zip": _package,
    "pdf": _merged,
    HOUSE: _house,
}
