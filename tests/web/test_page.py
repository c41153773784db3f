"""The page checker finds each fault it promises to find, and none in a good page."""

import pytest

from tests.web.page import check_fragment, check_page

GOOD = """<!doctype html>
<html lang="da"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Opgaver – klik</title><link rel="stylesheet" href="/static/klik.css"></head>
<body><a href="#indhold">Gå til indhold</a><main id="indhold"><h1>Opgaver</h1>
<form action="/filtre" method="post"><input type="hidden" name="csrf_token" value="abc">
<label for="navn">Navn</label><input id="navn" name="navn"><button>Gem</button></form>
<img src="/static/klik.svg" alt="klik">
<table><caption>Roller</caption><thead><tr><th scope="col">Rolle</th></tr></thead>
<tbody><tr><td>Projektleder</td></tr></tbody></table>
<details><summary>Mere</summary><p>Tekst om slettede opgaver</p></details>
</main></body></html>"""

FAULTS = {
    "misnested markup": ("</main>", "</section></main>", "end-tag"),
    "no doctype": ("<!doctype html>\n", "", "doctype"),
    "another language": ('lang="da"', 'lang="en"', "should be da"),
    "no title words": ("Opgaver – klik", " – klik", "the title"),
    "title without klik": ("Opgaver – klik", "Opgaver", "the title"),
    "title ends twice": ("Opgaver – klik", "Opgaver – klik – klik", "ends twice"),
    "two h1": ("<table>", "<h1>Igen</h1><table>", "exactly one h1"),
    "two mains": ("<table>", "<main><p>x</p></main><table>", "exactly one main"),
    "duplicate id": ("<table>", '<p id="navn">x</p><table>', '"navn" stands 2 times'),
    "dangling reference": ('id="navn"', 'id="navn" aria-describedby="hjaelp"', "points at nothing"),
    "dangling anchor": ("#indhold", "#intet", "points at nothing"),
    "no label": ('<label for="navn">Navn</label>', "", "has no label"),
    "empty label": (">Navn<", "><", "has no label"),
    "empty button": ("<button>Gem</button>", "<button></button>", "has no text"),
    "fieldset without legend": ("<table>", "<fieldset><p>x</p></fieldset><table>", "no legend"),
    "details without summary": ("<summary>Mere</summary>", "", "no summary"),
    "no csrf token": ('<input type="hidden" name="csrf_token" value="abc">', "", "csrf_token"),
    "empty csrf token": ('value="abc"', 'value=""', "csrf_token"),
    "csrf token in a GET form": ('method="post"', 'method="get"', "address of a GET form"),
    "no action": ('action="/filtre"', "", "no action"),
    "unknown method": ('method="post"', 'method="delete"', "does not know"),
    "None in text": ("Projektleder", "None", "'None'"),
    "None in an address": ("/filtre", "/filtre/None", "'None'"),
    "template leftover": ("Projektleder", "{{ rolle }}", "'{{'"),
    "undefined": ("Projektleder", "Undefined", "'Undefined'"),
    "a method printed": ("Projektleder", "&lt;bound method", "'<bound'"),
    "an object printed": ("Projektleder", "&lt;klik.Role object at 0x1&gt;", "leftover"),
    "English button": (">Gem<", ">Save<", "English 'Save'"),
    "English spoken": ("<button>", '<button aria-label="Search">', "English 'Search'"),
    "style attribute": ("<p>", '<p style="color:red">', "inline attribute style"),
    "style element": ("<table>", "<style>p{}</style><table>", "inline style"),
    "inline script": ("<table>", "<script>1</script><table>", "inline script"),
    "handler": ("<button>", '<button onclick="x()">', "inline attribute onclick"),
    "htmx handler": ("<button>", '<button hx-on:click="x()">', "inline attribute hx-on"),
    "javascript address": ("#indhold", "javascript:x()", "javascript:"),
    "another site": ("/static/klik.css", "https://cdn.example/klik.css", "another site"),
    "image without alt": (' alt="klik"', "", "has no alt"),
    "unnamed svg": ("<table>", "<svg></svg><table>", "neither hidden nor named"),
    "no caption": ("<caption>Roller</caption>", "", "no caption"),
    "no scope": (' scope="col"', "", "no scope"),
    "no th": ('<th scope="col">Rolle</th>', "<td>Rolle</td>", "no th"),
    "empty link": (">Gå til indhold<", "><", "has no text"),
    "link to nowhere": ("#indhold", "#", "leads nowhere"),
    "heading jump": ("<table>", "<h3>Roller</h3><table>", "followed by h3"),
}


def test_a_good_page_passes_and_is_returned_parsed() -> None:
    assert check_page(GOOD.encode(), url="/opgaver").h1.get_text() == "Opgaver"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    old, new, message = FAULTS[fault]
    broken = GOOD.replace(old, new, 1)
    assert broken != GOOD
    with pytest.raises(AssertionError) as caught:
        check_page(broken.encode(), url="/opgaver")
    assert message in str(caught.value)
    assert str(caught.value).startswith("/opgaver: 1 problem")


def test_text_in_another_language_may_be_english() -> None:
    page = GOOD.replace("<td>Projektleder", '<td lang="en">Delete')
    check_page(page.encode(), url="/opgaver")


@pytest.mark.parametrize("piece", ['<tr id="a"><td>1</td></tr>', "<td>1</td>", "<p>Gemt</p>"])
def test_a_good_fragment_passes(piece: str) -> None:
    check_fragment(piece.encode(), url="/opgaver/1/status")


@pytest.mark.parametrize(
    "piece",
    [
        "<tr><td>None</td></tr>",
        '<tr><th scope="col"></th></tr>',
        "<p></div>",
        '<form method="post" action="/x"></form>',
    ],
)
def test_a_bad_fragment_is_found(piece: str) -> None:
    with pytest.raises(AssertionError):
        check_fragment(piece.encode(), url="/opgaver/1/status")
