"""Whether a file was made by klik and is as it was: answered from the proofs, which hold none of its content.

Whoever has the code or the file is told what it is, never a title, a person or a word of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from sqlalchemy import func, select

from klik.domain import proof_codes
from klik.domain.deadlines import danish_today
from klik.models import DeletionItem, ExportProof, Municipality, MunicipalTask
from klik.services import access
from klik.services.errors import NotFoundError
from klik.services.people import sessions
from klik.services.work import Work

LARGEST = 50 * 1024 * 1024
TRIES_PER_ADDRESS = 60
# As many as are worth showing of what a changed file says it is.
_MOST_CODES = 5
_OVERLAP = 32
_PDF = b"%PDF-"


class Verdict(Enum):
    """What is known of a file or a code."""

    GENUINE = "ægte"
    KNOWN_CODE = "kendt kode"
    CHANGED = "ændret"
    UNKNOWN = "ukendt"


@dataclass(frozen=True, slots=True)
class Proven:
    """A file as it was when it was exported. ``task_id`` only for whoever may follow it to the task."""

    code: str
    sha256: str
    size: int | None
    pages: int | None
    package: bool
    tasks: int
    what: str
    municipality: str
    exported_by: str
    exported_at: datetime
    erased_on: date | None
    task_id: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict and the files it is about; ``sha256`` and ``size`` are of the file that was handed in."""

    verdict: Verdict
    proofs: tuple[Proven, ...] = ()
    sha256: str = ""
    size: int = 0


class Fingerprint:
    """What is kept of a file while it streams by: its hash, its size, and the codes that stand in its bytes.

    Nothing of the file is stored or parsed: it is hashed, and looked through for letters that make up a code.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._tail = b""
        self._head = b""
        self._codes: dict[str, None] = {}
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """The next bytes."""
        self._hash.update(chunk)
        self.size += len(chunk)
        if len(self._head) < len(_PDF):
            self._head += chunk[: len(_PDF) - len(self._head)]
        window = self._tail + chunk
        for found in proof_codes.IN_BYTES.finditer(window):
            if len(self._codes) < _MOST_CODES:
                self._codes[found[0].decode("ascii")] = None
        self._tail = window[-_OVERLAP:]

    @property
    def sha256(self) -> str:
        """Of everything so far."""
        return self._hash.hexdigest()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that stand in a PDF, each once. A package holds the codes of others' files and has none itself."""
        return tuple(self._codes) if self._head == _PDF else ()


def require_few_tries(work: Work, address: str) -> None:
    """Raise TooManyAttemptsError when this address asked about too much that klik does not know, just now."""
    sessions.refuse_too_many(work, _subject(address), TRIES_PER_ADDRESS)


def note_try(work: Work, address: str) -> None:
    """Remember that the address asked in vain, or handed in a file."""
    sessions.note_try(work, _subject(address))


def _subject(address: str) -> str:
    return f"verificer:{address}"


def by_code(work: Work, code: str) -> Answer:
    """What is known of a code in its printed form."""
    proofs = _proofs(work, code=code)
    return Answer(Verdict.KNOWN_CODE if proofs else Verdict.UNKNOWN, proofs)


def by_file(work: Work, print_of: Fingerprint, code: str | None = None) -> Answer:
    """Whether a file is as it was exported; a ``code`` typed beside it is believed before those in its bytes."""
    facts = {"sha256": print_of.sha256, "size": print_of.size}
    if exact := _proofs(work, sha256=print_of.sha256):
        return Answer(Verdict.GENUINE, exact, **facts)  # type: ignore[arg-type]
    for each in (code,) if code else print_of.codes:
        if alike := _proofs(work, code=each):
            return Answer(Verdict.CHANGED, alike, **facts)  # type: ignore[arg-type]
    return Answer(Verdict.UNKNOWN, (), **facts)  # type: ignore[arg-type]


def _proofs(work: Work, *, code: str | None = None, sha256: str | None = None) -> tuple[Proven, ...]:
    erased = (
        select(func.max(DeletionItem.erased_at))
        .where(DeletionItem.municipal_task_id == ExportProof.municipal_task_id)
        .scalar_subquery()
    )
    rows = work.session.execute(
        select(
            ExportProof,
            Municipality.name,
            func.coalesce(MunicipalTask.erased_at, erased).label("erased_at"),
        )
        .outerjoin(Municipality, Municipality.id == ExportProof.municipality_id)
        .outerjoin(MunicipalTask, MunicipalTask.id == ExportProof.municipal_task_id)
        .where(ExportProof.code == code if code is not None else ExportProof.sha256 == sha256)
        .order_by(ExportProof.exported_at, ExportProof.id)
    )
    return tuple(_proven(work, proof, name or "", erased_at) for proof, name, erased_at in rows)


def _proven(work: Work, proof: ExportProof, municipality: str, erased_at: datetime | None) -> Proven:
    package = proof.kind == "pakke"
    return Proven(
        code=proof.code,
        sha256=proof.sha256,
        size=proof.size,
        pages=proof.pages,
        package=package,
        tasks=proof.tasks,
        what=_what(proof, package),
        municipality=municipality,
        exported_by=proof.exported_by or municipality,
        exported_at=proof.exported_at,
        erased_on=danish_today(erased_at) if erased_at else None,
        task_id=_followable(work, proof.municipal_task_id),
    )


def _what(proof: ExportProof, package: bool) -> str:
    if package:
        return f"Pakke med {'1 opgave' if proof.tasks == 1 else f'{proof.tasks} opgaver'}"
    if proof.task_number is None:
        return f"Lokal opgave i {proof.project}" if proof.project else "Lokal opgave"
    number, project = proof.task_number, proof.project or ""
    return number if not project or number.startswith(f"{project} ") else f"{project} {number}"


def _followable(work: Work, task_id: int | None) -> int | None:
    if task_id is None or work.actor is None:
        return None
    try:
        return access.municipal_task(work, task_id).id
    except NotFoundError:
        return None
