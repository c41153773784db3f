"""The frame around every page, the error pages, the style sheet and the vendor list."""

import re
from types import SimpleNamespace

import pytest
from flask import render_template_string
from jinja2 import TemplateRuntimeError

from tests.web.frame import PACKAGE, bare_app, render, render_page, words

ERROR_CODES = (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)


# The frame


def test_the_frame_needs_no_context_at_all() -> None:
    page = render("<p>Tekst</p>").find_parent("html")
    assert page.title.get_text() == "Prøve – klik"
    assert page.find("nav") is None
    assert page.find("a", href="/log-ind") is not None
    assert page.find("meta", attrs={"name": "csrf-token"}) is None


def test_the_frame_shows_who_is_signed_in_menu_countdown_notices_and_flashes() -> None:
    page = render(
        "",
        flashes=(("success", "Opgaven er gemt."),),
        actor=SimpleNamespace(name="Mette <b>Holm", level_label="Programleder", place="Køge Kommune"),
        menu=[
            SimpleNamespace(label="Forside", href="/", active=False),
            SimpleNamespace(label="Opgaver", href="/opgaver", active=True),
        ],
        notices=[("warning", "Et panel hviler.")],
        countdown=SimpleNamespace(text="Sletning om 19 dage: 12 opgaver.", href="/sletning"),
        request_id="7F3K-92QD",
    ).find_parent("html")
    assert "Mette <b>Holm Køge Kommune · Programleder" in words(page.header)
    assert page.find("form", action="/log-ud")["method"] == "post"
    assert [a.get_text() for a in page.nav.find_all("a", attrs={"aria-current": "page"})] == ["Opgaver"]
    assert "Gennemført: Opgaven er gemt." in words(page)
    assert "Advarsel: Et panel hviler." in words(page)
    assert page.find("a", href="/sletning") is not None
    assert "7F3K-92QD" in words(page.footer)
    assert {"/was", "/hjaelp"} <= {a["href"] for a in page.footer.find_all("a")}


def test_single_key_shortcuts_are_off_until_asked_for() -> None:
    assert not render("").find_parent("body").has_attr("data-shortcuts")
    assert render("", shortcuts=True).find_parent("body").has_attr("data-shortcuts")


def test_a_page_without_a_title_does_not_render() -> None:
    with bare_app().test_request_context("/"), pytest.raises(TemplateRuntimeError, match="'title'"):
        render_template_string('{% extends "base.html" %}{% block content %}x{% endblock %}')


@pytest.mark.parametrize("code", ERROR_CODES)
def test_an_error_page_says_what_happened_what_was_kept_and_what_to_do(code: int) -> None:
    page = render_page(f"errors/{code}.html", request_id="7F3K-92QD")
    assert [h2.get_text() for h2 in page.main.find_all("h2")] == ["Hvad er bevaret?", "Hvad kan du gøre?"]
    assert "Referencenummer: 7F3K-92QD" in words(page.main)
    assert page.main.li


def test_the_error_pages_are_told_apart_by_their_titles() -> None:
    titles = {render_page(f"errors/{code}.html").title.get_text() for code in ERROR_CODES}
    assert len(titles) == len(ERROR_CODES)


def test_a_more_exact_message_comes_first() -> None:
    page = render_page("errors/413.html", message="Filen må højst fylde 20 MB.")
    assert page.main.p.get_text() == "Filen må højst fylde 20 MB."


# The style sheet and the vendor list

CSS = (PACKAGE / "static/klik.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio, 1 to 21."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [
        ("ink", "ground", 7),
        ("quiet", "ground", 4.5),
        ("brand", "brand-light", 7),
        ("link", "ground", 4.5),
        ("red-ink", "red-ground", 7),
        ("yellow-ink", "yellow-ground", 7),
        ("green-ink", "green-ground", 7),
        ("red", "red-ground", 3),
        ("yellow", "yellow-ground", 3),
        ("green", "green-ground", 3),
        ("line-strong", "ground", 3),
        ("focus", "ground", 3),
    ],
)
def test_colours_have_contrast(ink: str, ground: str, least: float) -> None:
    colours = dict(re.findall(r"--klik-([a-z-]+): (#[0-9a-f]{6});", CSS))
    assert contrast(colours[ink], colours[ground]) >= least


def test_the_vendor_list_holds_every_file_the_pages_ask_for() -> None:
    listed = {
        line.split(" -> ")[1]
        for line in (PACKAGE.parent / "package-vendor.txt").read_text(encoding="utf-8").splitlines()
        if " -> " in line and not line.startswith("#")
    }
    base = (PACKAGE / "templates/base.html").read_text(encoding="utf-8")
    wanted = set(re.findall(r'url\("vendor/([^"]+)"\)', CSS)) | set(
        re.findall(r"filename='vendor/([^']+)'", base)
    )
    assert len(wanted) >= 7
    assert wanted <= listed


def test_klik_s_own_files_in_the_frame_exist() -> None:
    base = (PACKAGE / "templates/base.html").read_text(encoding="utf-8")
    own = [name for name in re.findall(r"filename='([^']+)'", base) if not name.startswith("vendor/")]
    assert len(own) == 4
    assert [name for name in own if not (PACKAGE / "static" / name).is_file()] == []
