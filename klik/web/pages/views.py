"""Pages that are mostly text: help and the accessibility statement."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from klik.services.people import personal_data
from klik.services.work import Work
from klik.web.base import access

blueprint = Blueprint("pages", __name__)


@blueprint.get("/hjaelp")
@access(None)
def help(work: Work) -> Any:
    """The user's guide on one page, for everyone."""
    return render_template("pages/help.html", content=work.registry.content)


@blueprint.get("/was")
@access(None)
def was(_work: Work) -> Any:
    """The accessibility statement (webtilgængelighedsloven)."""
    return render_template("pages/was.html")


@blueprint.get("/persondata")
@access(None)
def personal(_work: Work) -> Any:
    """What klik knows of people, why, for how long and who sees it (GDPR articles 13 and 30)."""
    return render_template("pages/privacy.html", kinds=personal_data.KINDS)
