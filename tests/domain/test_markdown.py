"""Markdown: nothing dangerous comes out, nothing is lost."""

import html
import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.markdown import check_markdown, render_markdown
from klik.domain.texts import TextError

TABLE = "| a | b |\n|---|---|\n"


def test_a_task_text():
    rendered = render_markdown(
        "# Formål\n\nFordi **alle** skal med.\n\n## Sådan\n\n1. Først\n2. Så\n\n" + TABLE + "| 1 | ~~2~~ |\n"
    )
    soup = BeautifulSoup(rendered, "html.parser")
    assert [tag.name for tag in soup.find_all(re.compile("h[1-6]"))] == ["h3", "h4"]
    assert soup.strong.text == "alle"
    assert [item.text for item in soup.find_all("li")] == ["Først", "Så"]
    assert soup.td.text == "1"
    assert soup.s.text == "2"


@pytest.mark.parametrize("levels", [(1, 2), (2, 3), (1, 6), (5, 6), (1, 2, 3, 4, 5, 6)])
def test_headings_follow_from_h3_without_a_gap(levels):
    rendered = render_markdown("\n\n".join("#" * level + " x" for level in levels))
    found = [int(level) for level in re.findall(r"<h(\d)>", rendered)]
    assert found == [min(3 + place, 6) for place in range(len(levels))]


PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=//evil.example></iframe>",
    "<style>*{display:none}</style>",
    "<!-- skjult -->",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/\\evil.example)",
    "[x](/log-ud)",
    "<javascript:alert(1)>",
    "[x]\n\n[x]: javascript:alert(1)",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example/"onmouseover="alert(1))',
    '```"><script>alert(1)</script>\nx\n```',
    "# <h1>Overskrift</h1>",
    "<form action=//evil.example><button>x</button></form>",
    "<a href='https://a.example' onclick='x()'>x</a>",
    "| <b onclick=x()>a</b> |\n|---|\n| b |",
    "<https://a.example/?q=<script>>",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_dangerous_comes_out(payload):
    soup = BeautifulSoup(render_markdown(payload), "html.parser")
    assert not soup.find(["script", "img", "svg", "iframe", "style", "form", "button", "h1", "h2"])
    for tag in soup.find_all(True):
        assert set(tag.attrs) <= {"href", "title", "rel", "start"}
        assert tag.get("href", "https://").startswith(("http://", "https://", "mailto:"))


@pytest.mark.parametrize("payload", [p for p in PAYLOADS if "]: " not in p])
def test_what_is_not_allowed_is_shown_as_it_was_typed(payload):
    shown = BeautifulSoup(render_markdown(payload), "html.parser").text
    for word in ("evil.example", "javascript:alert", "skjult", "onerror"):
        if word in payload and not payload.startswith("!["):
            assert word in shown


def test_a_picture_becomes_a_link_and_keeps_its_words():
    soup = BeautifulSoup(render_markdown("![Skærmbillede](https://kombit.dk/x.png)"), "html.parser")
    assert soup.a.text == "Skærmbillede"
    assert soup.a["href"] == "https://kombit.dk/x.png"


def test_links_say_nothing_about_where_they_came_from():
    assert 'rel="noopener noreferrer nofollow"' in render_markdown("[x](https://kombit.dk)")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x " * 10_001, r"Beskrivelse: teksten fylder 20\.002 tegn, højst 20\.000"),
        ("x" * 2_001, r"et ord fylder 2\.001 tegn, højst 2\.000"),
        (TABLE + "| 1 | 2 |\n" * 200, "tabellerne har 201 rækker, højst 200"),
        ("|" + "a|" * 400 + "\n|" + "-|" * 400 + "\n" + "|\n" * 20, r"tabellerne har 8\.\d+ felter"),
        ("> " * 21 + "x", "mere end 20 niveauer"),
        ("".join("  " * level + "- x\n" for level in range(12)), "mere end 20 niveauer"),
        (">" * 1_900 + "x", "mere end 20 niveauer"),
    ],
)
def test_too_much_is_refused_with_the_measure_and_shown_whole(text, told):
    with pytest.raises(TextError, match=told):
        check_markdown(text, "Beskrivelse")
    shown = BeautifulSoup(render_markdown(text), "html.parser").text
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    "text",
    [
        "x " * 10_000,
        "x" * 2_000,
        TABLE + "| 1 | 2 |\n" * 199,
        "> " * 19 + "x",
        "".join("  " * level + "- x\n" for level in range(9)),
        "```\naldrig lukket",
        "",
    ],
)
def test_the_limits_themselves_are_allowed(text):
    check_markdown(text, "Beskrivelse")
    shown = BeautifulSoup(render_markdown(text), "html.parser").text
    assert shown.count("x") == text.count("x")


@given(
    st.lists(
        st.sampled_from(["> ", "- ", "1. ", "  ", "*", "**", "[", "](", ")", "`", "\n", "ord", "<", "|"])
    )
)
def test_words_are_never_lost(parts):
    text = "".join(parts)
    shown = html.unescape(render_markdown(text))
    if "](" not in text and "|" not in text:
        assert shown.count("ord") == text.count("ord")
    assert "<script" not in shown
