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
        target = self.path(sha256)
        if target.exists():
            return sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f".tmp-{secrets.token_hex(8)}"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes, checked against their hash; raises MissingFileError."""
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise MissingFileError(sha256) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise MissingFileError(sha256)
        return content
