"""Reading files in through an importer, a plug-in's or klik's own; a dry run is the import itself, undone."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from klik.domain.rights import Right
from klik.plugins.answers import is_report
from klik.plugins.contributions import Importer, ImportRefusedError, ImportReport
from klik.plugins.manager import plugin_of
from klik.services import auditing, for_plugins, playbook
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.gallery_sheet import reading
from klik.services.work import Work

PATIENCE = 60.0
LARGEST_FILE = 20 * 1024 * 1024
WRONG, UNCHANGED = "forkert", "uændret"
FIELD = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnImporter:
    """klik's own way to read a file in. A plug-in's has its own tables only; this one has the session.

    ``by_people_only``: the command line may not, since somebody must answer for the access it gives.
    """

    key: str
    label: str
    help: str
    read: Callable[[Work, bytes, str, int | None], ImportReport]
    right: Right
    municipal: bool = False
    system: str | None = None
    by_people_only: bool = False


OWN: Mapping[str, OwnImporter] = {
    playbook.KEY: OwnImporter(
        key=playbook.KEY,
        label=playbook.LABEL,
        help=playbook.HELP,
        read=lambda work, content, name, _municipality: playbook.read_in(work, content, name),
        right=Right.PUBLISH,
    ),
    reading.KEY: OwnImporter(
        key=reading.KEY,
        label=reading.LABEL,
        help=reading.HELP,
        read=reading.read_in,
        right=Right.EDIT_ROLES,
        municipal=True,
    ),
    reading.KEY_INVITING: OwnImporter(
        key=reading.KEY_INVITING,
        label=reading.LABEL,
        help=reading.HELP,
        read=reading.read_in_inviting,
        right=Right.MANAGE_PEOPLE,
        municipal=True,
        by_people_only=True,
    ),
}


def offered(work: Work, system: str | None = None) -> tuple[Importer, ...]:
    """The importers the actor may use, of one system or all."""
    return tuple(
        importer
        for importer in work.registry.importers.values()
        if (system is None or importer.system == system) and _may(work, importer)
    )


def kinds(work: Work) -> tuple[str, ...]:
    """The keys of the importers that the actor may use."""
    own = tuple(key for key, importer in OWN.items() if _may(work, importer))
    return (*own, *(key for key, importer in work.registry.importers.items() if _may(work, importer)))


def importer_for(work: Work, key: str) -> Importer | OwnImporter:
    """The importer with this key; raises NotFoundError, or ForbiddenError when the actor may not use it."""
    importer = OWN.get(key) or work.registry.importers.get(key)
    if importer is None:
        raise NotFoundError
    if not _may(work, importer):
        raise ForbiddenError(importer.right)
    return importer


def _may(work: Work, importer: Importer | OwnImporter) -> bool:
    if work.actor is None:
        return not (isinstance(importer, OwnImporter) and importer.by_people_only)
    if importer.municipal and work.actor.municipality_id is None:
        return False
    return work.actor.has(importer.right)


def run(
    work: Work, key: str, content: bytes, name: str, *, keep: bool, municipality: int | None = None
) -> ImportReport:
    """Read the file and report every row; kept only with ``keep`` and when no row is wrong.

    ``municipality`` is for klik's own acts (the command line); a person's is always the person's own. Raises
    RefusedError when the file as a whole cannot be used.
    """
    importer = importer_for(work, key)
    if len(content) > LARGEST_FILE:
        raise RefusedError({FIELD: f"Fil: filen må højst fylde {LARGEST_FILE // 1024 // 1024} MB."})
    code = work.actor.municipality_id if work.actor else municipality
    if importer.municipal and code is None:
        raise RefusedError({FIELD: "Kommune: vælg den kommune, filen gælder."})
    with work.session.begin_nested() as undoable:
        report = _read(work, importer, content, name, code)
        kept = keep and isinstance(report, ImportReport) and not report.count(WRONG)
        if not kept:
            undoable.rollback()
    if isinstance(report, ImportRefusedError):
        raise RefusedError({FIELD: f"Fil: {report}"})
    if report is None:
        raise RefusedError(
            {
                FIELD: f"Fil: udvidelsen {plugin_of(key).upper()} kunne ikke læse filen. "
                "Intet er ændret. Prøv igen senere."
            }
        )
    if kept:
        outcomes = ("ny", "ændret", "uændret", "fjernet")
        auditing.record(
            work, "indlæs", f"import/{key}", {word: report.count(word) for word in outcomes}, code
        )
    return report


def _read(
    work: Work, importer: Importer | OwnImporter, content: bytes, name: str, municipality: int | None
) -> ImportReport | ImportRefusedError | None:
    if isinstance(importer, OwnImporter):
        try:
            return importer.read(work, content, name, municipality)
        except ImportRefusedError as refused:
            return refused
    context = replace(for_plugins.context(work, plugin_of(importer.key)), municipality=municipality)

    def question() -> ImportReport | ImportRefusedError | None:
        try:
            return importer.read(io.BytesIO(content), name, context)
        except ImportRefusedError as refused:
            return refused

    return work.registry.guard.ask(
        f"{importer.key}/fil",
        question,
        None,
        lambda answer: isinstance(answer, ImportRefusedError) or is_report(answer),
        store=context.store,
        patience=PATIENCE,
    )
