"""``klik check``: what must always hold in the database, in the files, and in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from klik.models import StoredFile
from klik.services import auditing
from klik.services.filestore import FileStore, MissingFileError

FILE = Path(__file__).with_name("invariants.sql")
PART = re.compile(r"^-- name: (?P<name>\S+)\n-- says: (?P<says>[^\n]+)\n(?P<sql>.*?);$", re.M | re.S)
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Invariant:
    """A query that lists what breaks a promise, and the promise broken in Danish."""

    name: str
    says: str
    sql: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken invariant: what is wrong, and where (at most twenty places named)."""

    name: str
    says: str
    count: int
    where: tuple[str, ...]

    def __str__(self) -> str:
        more = "" if self.count <= len(self.where) else f" og {self.count - len(self.where)} andre"
        return f"{self.says}: {', '.join(self.where)}{more}"


def all_invariants() -> tuple[Invariant, ...]:
    """Every query of invariants.sql."""
    return tuple(Invariant(**part.groupdict()) for part in PART.finditer(FILE.read_text("utf-8")))


def faults(session: Session, files: FileStore | None) -> Iterator[Fault]:
    """Everything that is not as it must be; with ``files`` each stored file is read and hashed."""
    for invariant in all_invariants():
        rows = [str(row) for row in session.scalars(text(invariant.sql))]
        if rows:
            yield Fault(invariant.name, invariant.says, len(rows), tuple(rows[:SHOWN]))
    broken = [f"nr. {found.number} {found.fault}" for found in auditing.breaks(session)]
    if broken:
        yield Fault("audit-chain", "Revisionssporet hænger ikke sammen", len(broken), tuple(broken[:SHOWN]))
    if files is not None:
        lost = [sha for sha in session.scalars(select(StoredFile.sha256)) if not _whole(files, sha)]
        if lost:
            yield Fault(
                "files", "Filen mangler eller er ændret", len(lost), tuple(sha[:12] for sha in lost[:SHOWN])
            )


def _whole(files: FileStore, sha256: str) -> bool:
    try:
        files.get(sha256)
    except MissingFileError:
        return False
    return True
