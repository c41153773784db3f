"""A file that is only looked at while it comes in: hashed, never stored, not even in a temporary file."""

from __future__ import annotations

from typing import IO, Any, cast

from flask import Request

from klik.services import verifying
from klik.services.verifying import Fingerprint

PATH = "/verificer"
# The rest of the form beside the file.
_FORM = 64 * 1024


class Passing:
    """What a file part is written to: its bytes go through the fingerprint and are gone."""

    def __init__(self) -> None:
        self.print_of = Fingerprint()

    def write(self, chunk: bytes) -> int:
        """Look at the next bytes."""
        self.print_of.update(bytes(chunk))
        return len(chunk)

    def seek(self, _place: int, _whence: int = 0) -> int:
        """There is nothing to go back to."""
        return 0

    def read(self, _size: int = -1) -> bytes:
        """Nothing is left of it."""
        return b""

    def close(self) -> None:
        """Nothing is open."""


class VerifyingRequest(Request):
    """A request whose file, on the page that verifies, passes by; everywhere else it is as usual."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self._passes:
            self.max_content_length = verifying.LARGEST + _FORM

    @property
    def _passes(self) -> bool:
        return self.method == "POST" and self.path == PATH

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if self._passes:
            return cast(IO[bytes], Passing())
        return super()._get_file_stream(total_content_length, content_type, filename, content_length)
