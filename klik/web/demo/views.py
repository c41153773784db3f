"""What the demo "sent": the mails its catcher kept. Registered by ``klik demo`` only."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from flask import Blueprint, render_template

from klik.services.errors import NotFoundError
from klik.services.work import Work
from klik.web.base import access, installation

blueprint = Blueprint("demo", __name__)
NAME = re.compile(r"[0-9]+-[0-9a-f]+")
SHOWN = 200


def folder(data: Path) -> Path:
    """Where the catcher keeps its mails."""
    return data / "post"


@blueprint.get("/demo/post")
@access(None)
def index(_work: Work) -> Any:
    """The newest mails first; open to everyone, since the demo's people are invented."""
    files = sorted(
        folder(installation().settings.data).glob("*.eml"), key=lambda file: file.name, reverse=True
    )
    mails = [_line(file) for file in files[:SHOWN]]
    return render_template("demo/index.html", mails=mails, total=len(files))


@blueprint.get("/demo/post/<name>")
@access(None)
def show(_work: Work, name: str) -> Any:
    """One mail as text."""
    file = folder(installation().settings.data) / f"{name}.eml"
    if not NAME.fullmatch(name) or not file.is_file():
        raise NotFoundError
    message = _read(file)
    body = message.get_body(preferencelist=("plain", "html"))
    return render_template("demo/show.html", mail=_line(file), body=body.get_content() if body else "")


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
