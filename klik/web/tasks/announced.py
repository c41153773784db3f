"""The page of tasks that KOMBIT has announced."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from klik.domain.rights import Right
from klik.services.publishing import announced
from klik.services.work import Work
from klik.web.base import access

blueprint = Blueprint("announced", __name__)


@blueprint.get("/opgaver/kommende")
@access(Right.READ_TASKS)
def show(work: Work) -> Any:
    """What is coming, why, when, and how long there will be."""
    return render_template("tasks/announced.html", coming=announced.coming(work))
