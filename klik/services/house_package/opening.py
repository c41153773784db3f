"""Opening a package: nothing is believed before every byte agrees with the manifest."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from klik.services import packing
from klik.services.errors import RefusedError
from klik.services.house_package.tables import TABLES
from klik.services.house_package.values import PLAIN
from klik.services.house_package.writing import DATA, FORMAT, NAME

LARGEST = 20 * 1024**3
LARGEST_TABLE = 512 * 1024**2
MOST_MEMBERS = 200_000
# A package is stored as it is; one that somebody packed anew may be smaller, but not by this much.
MOST_TIMES_SMALLER = 200
_PIECE = 1024 * 1024
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)
_KIND, _, _VERSION = FORMAT.rpartition("/")


@dataclass(frozen=True, slots=True)
class Opened:
    """A package whose every byte agrees with its manifest."""

    municipality: int
    place: str
    sha256: str
    tables: Mapping[str, list[PLAIN]]
    _package: zipfile.ZipFile = field(repr=False)
    _paths: Mapping[str, str] = field(repr=False)

    def has(self, sha256: str) -> bool:
        """Whether a file with this hash is in the package."""
        return sha256 in self._paths

    def file(self, sha256: str) -> bytes:
        """The bytes of a file; raises KeyError for one that is not in the package."""
        return self._package.read(self._paths[sha256])


def refused(sentence: str) -> RefusedError:
    """The package as a whole cannot be used."""
    return RefusedError({"file": f"Pakken er ikke læst ind. {sentence}"})


@contextmanager
def opened(path: Path, told: Callable[[int, int], None] = lambda _done, _all: None) -> Iterator[Opened]:
    """Open and check a package; ``told`` hears how many bytes of how many are checked. Raises RefusedError."""
    with ExitStack() as closing:
        try:
            package = closing.enter_context(zipfile.ZipFile(path))
            found = _checked(package, path, told)
        except _DAMAGE as error:
            raise refused("Filen er beskadiget eller ingen ZIP-fil.") from error
        yield found


def _checked(package: zipfile.ZipFile, path: Path, told: Callable[[int, int], None]) -> Opened:
    members = _members(package, path.stat().st_size)
    manifest = _manifest(package, members)
    _version(package, members)
    wanted = {line["path"]: line for line in manifest}
    if len(wanted) != len(manifest):
        raise refused("Manifestet nævner den samme fil to gange.")
    extra = set(members) - set(wanted) - {packing.MANIFEST, packing.CHECKSUMS}
    if extra:
        raise refused(f"Filen »{min(extra)[:200]}« står ikke i manifestet.")
    if absent := set(wanted) - set(members):
        raise refused(f"Filen »{min(absent)[:200]}« mangler.")
    whole, done = sum(info.file_size for info in members.values()), 0
    paths: dict[str, str] = {}
    for name, line in wanted.items():
        if members[name].file_size != line["size"] or _hash(package, members[name]) != line["sha256"]:
            raise refused(
                f"Filen »{name[:200]}« er ikke, som manifestet siger; pakken er beskadiget eller ændret."
            )
        paths.setdefault(line["sha256"], name)
        done += members[name].file_size
        told(done, whole)
    house = _json(package, members, NAME)
    code, place = house.get("municipality"), house.get("place")
    if not isinstance(code, int) or isinstance(code, bool) or not isinstance(place, str):
        raise refused(f"{NAME} siger ikke, hvilken kommune pakken er fra.")
    tables = {table.name: _table(package, members, table.name) for table in TABLES}
    together = hashlib.sha256(
        "".join(sorted(f"{line['sha256']} {line['path']}\n" for line in manifest)).encode()
    )
    return Opened(code, place, together.hexdigest(), tables, package, paths)


def _members(package: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    infos = package.infolist()
    if len(infos) > MOST_MEMBERS:
        raise refused(f"Den har {len(infos)} filer og må højst have {MOST_MEMBERS}.")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename
        if info.is_dir():
            continue
        if (
            name.startswith(("/", "\\"))
            or "\\" in name
            or ":" in name.split("/")[0]
            or ".." in name.split("/")
        ):
            raise refused("Den indeholder en sti, der peger ud af pakken.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise refused("Den indeholder en genvej i stedet for en fil.")
        if info.flag_bits & 0x1:
            raise refused("Den er beskyttet med en adgangskode.")
        if name in members:
            raise refused(f"Filen »{name[:200]}« er der to gange.")
        members[name] = info
    whole = sum(info.file_size for info in members.values())
    if whole > LARGEST:
        raise refused(
            f"Den fylder {whole // 1024**3} GB pakket ud og må højst fylde {LARGEST // 1024**3} GB."
        )
    if whole > size * MOST_TIMES_SMALLER + _PIECE:
        raise refused("Den fylder langt mere pakket ud, end en pakke kan.")
    return members


def _manifest(package: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> list[dict[str, Any]]:
    if packing.MANIFEST not in members:
        raise refused(f"Der er intet {packing.MANIFEST}; filen er ikke en pakke fra klik.")
    found = _json(package, members, packing.MANIFEST)
    lines = found.get("files")
    if found.get("format") != packing.FORMAT or not isinstance(lines, list):
        raise refused("Manifestet er af en anden slags eller en nyere version, end dette klik kender.")
    for line in lines:
        if not (
            isinstance(line, dict)
            and isinstance(line.get("path"), str)
            and isinstance(line.get("size"), int)
            and isinstance(line.get("sha256"), str)
        ):
            raise refused("Manifestet er beskadiget.")
    return lines


def _version(package: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> None:
    if NAME not in members:
        raise refused("Det er en pakke med opgaver og ikke en kommunes hele indhold; kun det kan læses ind.")
    kind, _, version = str(_json(package, members, NAME).get("format")).rpartition("/")
    if kind != _KIND or not version.isdigit():
        raise refused(f"{NAME} er af en slags, dette klik ikke kender.")
    if int(version) > int(_VERSION):
        raise refused(
            f"Den er af version {version}; dette klik kender til og med version {_VERSION}. Opdatér klik."
        )


def _hash(package: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    found = hashlib.sha256()
    with package.open(info) as file:
        for piece in _pieces(file, info.file_size):
            found.update(piece)
    return found.hexdigest()


def _pieces(file: IO[bytes], size: int) -> Iterator[bytes]:
    # What a member says it fills unpacked is a promise; no more than that is ever unpacked.
    left = size
    while left > 0 and (piece := file.read(min(_PIECE, left))):
        left -= len(piece)
        yield piece


def _json(package: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str) -> dict[str, Any]:
    if name not in members:
        raise refused(f"Filen »{name}« mangler.")
    if members[name].file_size > LARGEST_TABLE:
        raise refused(f"Filen »{name}« er for stor.")
    try:
        found = json.loads(package.read(members[name]))
    except (ValueError, RecursionError):
        raise refused(f"Filen »{name}« kan ikke læses som JSON.") from None
    if not isinstance(found, dict):
        raise refused(f"Filen »{name}« har et andet indhold end ventet.")
    return found


def _table(package: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str) -> list[PLAIN]:
    path = f"{DATA}/{name}.json"
    rows = _json(package, members, path).get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refused(f"Filen »{path}« har et andet indhold end ventet.")
    return rows
