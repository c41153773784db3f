"""Render pieces of template in klik's frame, without the rest of klik."""

from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from flask import Flask, flash, render_template, render_template_string
from jinja2 import StrictUndefined

import klik
from tests.web.page import check_page

PACKAGE = Path(klik.__file__).parent
MACROS = sorted(path.stem for path in (PACKAGE / "templates/macros").glob("*.html"))
_IMPORTS = "".join(f'{{% import "macros/{noun}.html" as {noun} %}}' for noun in MACROS)


@cache
def bare_app() -> Flask:
    app = Flask("klik", root_path=str(PACKAGE))
    app.secret_key = "frame"
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals["csrf_token"] = lambda: "token"
    return app


def render(piece: str, *, flashes: tuple[tuple[str, str], ...] = (), **context: object) -> Tag:
    """Put a piece of template under a heading in the frame, check the whole page, return its main part."""
    source = (
        f'{{% extends "base.html" %}}{_IMPORTS}{{% block title %}}Prøve{{% endblock %}}'
        f"{{% block content %}}{{{{ headings.heading('Prøve') }}}}{piece}{{% endblock %}}"
    )
    with bare_app().test_request_context("/"):
        for kind, text in flashes:
            flash(text, kind)
        html = render_template_string(source, **context)
    return check_page(html.encode(), url=piece[:60]).main


def render_piece(piece: str, **context: object) -> str:
    """A piece of template alone, as htmx gets it."""
    with bare_app().test_request_context("/"):
        return render_template_string(_IMPORTS + piece, **context)


def render_page(template: str, **context: object) -> BeautifulSoup:
    """Render a whole template, check it, return it parsed."""
    with bare_app().test_request_context("/"):
        html = render_template(template, **context)
    return check_page(html.encode(), url=template)


def words(tag: Tag) -> str:
    """The visible text with single blanks."""
    return " ".join(tag.get_text(" ").split())
