"""What the demo "sent": the mails its catcher kept. Registered by ``klik demo`` only."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from klik.services.errors import NotFoundError
from klik.services.work import Work
from klik.web.base import access, installation
from klik.web.newsletters.sending import MAIL_POLICY

blueprint = Blueprint("demo", __name__)
NAME = re.compile(r"[0-9]+-[0-9a-f]+")
SHOWN = 200
# Whose mails most want to see first.
BOXES = (
    "programleder@koege.example",
    "plusbruger@koege.example",
    "administrator@koege.example",
    "administrator@kombit.example",
    "redaktoer@kombit.example",
)


def folder(data: Path) -> Path:
    """Where the catcher keeps its mails."""
    return data / "post"


@blueprint.get("/demo/post")
@access(None)
def index(_work: Work) -> Any:
    """The newest mails first, of one recipient if asked; open to everyone, since the demo's people are invented."""
    to = request.args.get("til", "").strip().casefold()[:320]
    files = sorted(
        folder(installation().settings.data).glob("*.eml"), key=lambda file: file.name, reverse=True
    )
    if to:
        files = [file for file in files if to in _head(file)]
    mails = [_line(file) for file in files[:SHOWN]]
    return render_template("demo/index.html", mails=mails, total=len(files), to=to, boxes=BOXES)


@blueprint.get("/demo/post/<name>")
@access(None)
def show(_work: Work, name: str) -> Any:
    """One mail as text."""
    file = _file(name)
    message = _read(file)
    body = message.get_body(preferencelist=("plain", "html"))
    return render_template(
        "demo/show.html",
        mail=_line(file),
        body=body.get_content() if body else "",
        has_html=message.get_body(preferencelist=("html",)) is not None,
    )


@blueprint.get("/demo/post/<name>/mail")
@access(None)
def mail(_work: Work, name: str) -> Response:
    """One mail as a mail program shows it."""
    body = _read(_file(name)).get_body(preferencelist=("html",))
    if body is None:
        raise NotFoundError
    response = make_response(body.get_content())
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def _file(name: str) -> Path:
    file = folder(installation().settings.data) / f"{name}.eml"
    if not NAME.fullmatch(name) or not file.is_file():
        raise NotFoundError
    return file


def _head(file: Path) -> str:
    """Whom the mail was for: the catcher writes it first."""
    with file.open("rb") as content:
        return content.readline(1000).decode("utf-8", "replace").casefold()


def _read(file: Path) -> EmailMessage:
    return email.message_from_bytes(file.read_bytes(), policy=email.policy.default)  # type: ignore[return-value]


def _line(file: Path) -> dict[str, Any]:
    message = _read(file)
    return {
        "name": file.stem,
        "to": ", ".join(message.get_all("X-Demo-Recipient", [])),
        "subject": str(message.get("Subject", "")),
        "at": datetime.fromtimestamp(int(file.stem.partition("-")[0]) / 1e9, UTC),
    }
