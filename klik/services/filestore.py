"""Bytes on disk under their own SHA-256: written whole or not at all, and never changed."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


class MissingFileError(Exception):
    """The file is not there, or its bytes are no longer those its name promises."""


class FileStore:
    """A folder of files addressed by content: ``ab/abcdef…``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where the file with this hash is or would be."""
        return self.folder / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        """Store the bytes durably and return their SHA-256; storing the same twice costs nothing."""
        sha256 = hashlib.sha256(content).hexdigest()
        if self._is_here(sha256):
            return sha256
        temporary = self.temporary()
        try:
            temporary.write_bytes(content)
            self._move_in(temporary, sha256)
        finally:
            temporary.unlink(missing_ok=True)
        return sha256

    def temporary(self) -> Path:
        """The name of a new file in the store, to be written and taken in; left-over ones are swept after a day."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f".tmp-{secrets.token_hex(8)}"

    def take(self, temporary: Path) -> str:
        """Store a temporary file of the store's own durably, whatever its size, and return its SHA-256."""
        sha256 = self.digest(temporary)
        self._move_in(temporary, sha256)
        return sha256

    @staticmethod
    def digest(path: Path) -> str:
        """The SHA-256 of a file as it is on disk now."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _is_here(self, sha256: str) -> bool:
        # Its time is new now, so that a sweeper that looks at it this moment leaves it alone.
        try:
            os.utime(self.path(sha256))
        except FileNotFoundError:
            return False
        return True

    def _move_in(self, temporary: Path, sha256: str) -> None:
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True)
        _sync(temporary)
        temporary.replace(target)
        _sync(target.parent)
        _sync(self.folder)

    def get(self, sha256: str) -> bytes:
        """The bytes, checked against their hash; raises MissingFileError."""
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise MissingFileError(sha256) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise MissingFileError(sha256)
        return content


def _sync(path: Path) -> None:
    place = os.open(path, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
