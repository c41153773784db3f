"""klik as it is installed: its processes, started for a test, and a browser that asks them over HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, Request, build_opener

from werkzeug.wrappers import Response

from klik.settings import Settings
from tests.client import Browser
from tests.sink import Sink, wait_until

ROOT = Path(__file__).parent.parent.parent
STARTING = 240.0  # seconds; the demo's story is long, and imports are slow on a machine with other work


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(settings: Settings, sink: Sink, base_url: str = "") -> dict[str, str]:
    """What a process of this installation is started with."""
    chosen = {
        "KLIK_DATA": str(settings.data),
        "KLIK_DATABASE_URL": settings.database_url,
        "KLIK_SECRET_KEY": settings.secret_key,
        "KLIK_MAIL_FROM": settings.mail_from,
        "KLIK_SMTP_URL": sink.url,
    }
    return os.environ | chosen | ({"KLIK_BASE_URL": base_url} if base_url else {})


def start(environ: Mapping[str, str], *arguments: str, output: IO[str] | int = subprocess.PIPE) -> Any:
    """A process of ``klik`` with these arguments; what it says goes to ``output``."""
    return subprocess.Popen(
        [sys.executable, "-m", "klik", *arguments],
        env=dict(environ),
        cwd=ROOT,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(environ: Mapping[str, str], *arguments: str, expect: int = 0, seconds: float = STARTING) -> str:
    """What ``klik`` prints, or complains of; it must end with the expected code."""
    done = subprocess.run(
        [sys.executable, "-m", "klik", *arguments],
        env=dict(environ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == expect, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout if expect == 0 else done.stderr


class Answer(Response):
    """An answer as the page client wants it, with the address it came from at last."""

    def __init__(self, body: bytes, status: int, headers: HTTPMessage, url: str) -> None:
        super().__init__(body, status, list(headers.items()))
        self.request = Asked(urlsplit(url).path)

    @property
    def text(self) -> str:
        """The body as text, which werkzeug gives its test client only."""
        return self.get_data(as_text=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer answered."""

    path: str


class _Staying(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        """Follow nothing."""


class Wire:
    """Asks a server over HTTP and keeps its cookies; stands where the page client has Flask's own client."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.cookies = CookieJar()
        cookies = HTTPCookieProcessor(self.cookies)
        self._following: OpenerDirector = build_opener(cookies)
        self._staying: OpenerDirector = build_opener(cookies, _Staying)

    def get(self, path: str, *, follow_redirects: bool = False, buffered: bool = True) -> Answer:
        """Fetch, always to the end; no redirect is followed unless told."""
        return self._ask(path, None, follow_redirects)

    def post(
        self, path: str, *, data: Mapping[str, Any], follow_redirects: bool = False, buffered: bool = True
    ) -> Answer:
        """Send a form."""
        return self._ask(path, urlencode(data, doseq=True).encode(), follow_redirects)

    def _ask(self, path: str, body: bytes | None, follow: bool) -> Answer:
        request = Request(self.base_url + path, data=body)
        opener = self._following if follow else self._staying
        try:
            with opener.open(request, timeout=60) as found:
                return Answer(found.read(), found.status, found.headers, found.url)
        except HTTPError as refusal:
            with refusal:
                return Answer(refusal.read(), refusal.code, refusal.headers, refusal.url)


class Visitor(Browser):
    """The page client over real HTTP."""

    def __init__(self, base_url: str) -> None:
        self.wire = Wire(base_url)
        self._client = self.wire  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Site:
    """A running installation: gunicorn at ``url``, commands through ``klik``, mail into ``sink``."""

    url: str
    settings: Settings
    sink: Sink

    def visitor(self) -> Visitor:
        """A new browser, signed out."""
        return Visitor(self.url)

    def klik(self, *arguments: str, expect: int = 0) -> str:
        """A command in a process of its own."""
        return run(self.environ, *arguments, expect=expect)

    @property
    def environ(self) -> dict[str, str]:
        """What its processes are started with."""
        return environment(self.settings, self.sink, self.url)


def answers(url: str) -> bool:
    """Whether somebody listens there and says it is alive."""
    try:
        with build_opener().open(f"{url}/sundhed", timeout=5) as found:
            return bool(found.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def served(settings: Settings, sink: Sink) -> Iterator[Site]:
    """``klik serve`` on these settings, stopped at the end; it must stop with 0."""
    port = free_port()
    site = Site(f"http://127.0.0.1:{port}", settings, sink)
    with (settings.data / "serve.log").open("w+") as log:
        server = start(site.environ, "serve", "--bind", f"127.0.0.1:{port}", output=log)
        try:
            wait_until(lambda: server.poll() is not None or answers(site.url), STARTING)
            yield site
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(40)
            log.seek(0)
            said = log.read()
    assert server.returncode == 0, said
    assert "Traceback" not in said, said


def links(text: str) -> list[str]:
    """Every address in a mail's text."""
    return re.findall(r"https?://[^\s<>]+", text)
