"""The page checker: what must hold for every page klik sends, whatever it shows."""

import re
from collections import Counter
from collections.abc import Iterator

import html5lib
from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.builder._html5lib import HTML5TreeBuilder

ENGLISH_STOCK_WORDS = (
    "Add",
    "Back",
    "Bad Request",
    "Cancel",
    "Choose",
    "Close",
    "Delete",
    "Edit",
    "Error",
    "Forbidden",
    "Home",
    "Internal Server Error",
    "Invalid",
    "Loading",
    "Log in",
    "Log out",
    "Method Not Allowed",
    "Next",
    "No results",
    "Not Found",
    "Not a valid",
    "Page not found",
    "Previous",
    "Required",
    "Save",
    "Search",
    "Submit",
    "This field is required",
    "Too Many Requests",
    "Unauthorized",
    "Yes",
)
_ENGLISH = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, ENGLISH_STOCK_WORDS)) + r")(?![\w-])")
_LEFTOVERS = re.compile(
    r"\bNone\b|\{\{|\}\}|\{%|%\}|\bUndefined\b|<(?:bound|built-in|function|generator|\w+\.\w+ object)"
)
_UNLABELLED_TYPES = {"hidden", "submit", "button", "reset", "image"}
_TITLE_END = " – klik"
# A page that was looked at and is sent again is not looked at again; only its form's own secret may differ.
_TOKEN = re.compile(
    r'(?<=name="csrf_token" value=")[\w.-]+(?=")|(?<=name="csrf-token" content=")[\w.-]+(?=")'
)
_flawless: set[tuple[bool, str]] = set()


def check_page(response_bytes: bytes, *, url: str) -> BeautifulSoup:
    """Return the parsed page; AssertionError lists every problem found, one a line."""
    return _check(response_bytes, url, whole=True)


def check_fragment(response_bytes: bytes, *, url: str) -> BeautifulSoup:
    """The same for a piece of a page that htmx swaps in: everything but title, language, h1 and skip link."""
    return _check(response_bytes, url, whole=False)


def _check(response_bytes: bytes, url: str, *, whole: bool) -> BeautifulSoup:
    source = response_bytes.decode("utf-8")
    # html5lib would move a lone table row out of its table, so a fragment keeps its tags as written.
    page, problems = _parsed(source) if whole else (BeautifulSoup(source, "html.parser"), _markup(source))
    verdict = whole, _TOKEN.sub("some", source)
    if not problems and verdict in _flawless:
        return page
    problems += _ids(page)
    if whole:
        problems += [*_document(page), *_references(page)]
    for look in (_labels, _forms, _inline_code, _text, _images, _tables, _links, _headings):
        problems += look(page)
    assert not problems, f"{url}: {len(problems)} problem(s)\n" + "\n".join(f"- {each}" for each in problems)
    _flawless.add(verdict)
    return page


def _with(page: BeautifulSoup | Tag, *names: str, having: str = "") -> list[Tag]:
    """The tags with one of these names, or any name, that have the attribute; find_all is dear with either."""
    return [
        tag
        for tag in page.find_all(True)
        if (not names or tag.name in names) and (not having or having in tag.attrs)
    ]


def _name(tag: Tag) -> str:
    start = " ".join(f'{key}="{tag[key]}"' for key in ("id", "name", "href", "class") if tag.has_attr(key))
    return f"<{tag.name} {start}>".replace(" >", ">")


class _Builder(HTML5TreeBuilder):
    """Builds the page and keeps the parser, which knows what was wrong: a page is parsed once, not twice."""

    parser: html5lib.HTMLParser

    def feed(self, markup: str) -> None:  # type: ignore[override]
        """Parse the whole page."""
        self.parser = html5lib.HTMLParser(tree=self.create_treebuilder)
        self.underlying_builder.parser = self.parser
        self.parser.parse(markup)
        self.underlying_builder.parser = None


def _parsed(source: str) -> tuple[BeautifulSoup, list[str]]:
    builder = _Builder()
    page = BeautifulSoup(source, builder=builder)
    return page, _complaints(builder.parser)


def _markup(source: str) -> list[str]:
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"))
    # A row is only a row inside a table body.
    inside = "tbody" if re.match(r"\s*<tr\b", source) else "tr" if re.match(r"\s*<t[dh]\b", source) else "div"
    parser.parseFragment(source, container=inside)
    return _complaints(parser)


def _complaints(parser: html5lib.HTMLParser) -> list[str]:
    return [
        f"line {line}: {error} {details or ''}".rstrip() for (line, _column), error, details in parser.errors
    ]


def _document(page: BeautifulSoup) -> Iterator[str]:
    html = page.find("html")
    if html.get("lang") != "da":
        yield f'<html lang="{html.get("lang")}"> should be da'
    title = page.title.get_text().strip() if page.title else ""
    if not title.endswith(_TITLE_END) or not title.removesuffix(_TITLE_END).strip():
        yield f'the title "{title}" should be words of its own and end with "{_TITLE_END}"'
    if title.removesuffix(_TITLE_END).endswith(_TITLE_END):
        yield f'the title "{title}" ends twice'
    headings = [each.get_text(" ", strip=True) for each in page.find_all("h1")]
    if len(headings) != 1 or not headings[0]:
        yield f"exactly one h1 with words is needed, found {headings}"
    if len(page.find_all("main")) != 1:
        yield "exactly one main is needed"
    if page.find("meta", attrs={"name": "viewport"}) is None:
        yield "meta viewport is missing"


def _ids(page: BeautifulSoup) -> Iterator[str]:
    ids = Counter(tag["id"] for tag in _with(page, having="id"))
    yield from (f'id "{each}" stands {count} times' for each, count in ids.items() if count > 1)
    yield from (f"empty id on {_name(tag)}" for tag in _with(page, having="id") if not tag["id"])


def _references(page: BeautifulSoup) -> Iterator[str]:
    ids = {tag["id"] for tag in _with(page, having="id")}
    for attribute in ("aria-describedby", "aria-labelledby", "aria-controls", "for", "form", "headers"):
        for tag in _with(page, having=attribute):
            value = tag[attribute]
            for each in value if isinstance(value, list) else value.split():
                if each not in ids:
                    yield f'{_name(tag)}: {attribute}="{each}" points at nothing'
    for link in _with(page, "a", having="href"):
        if len(link["href"]) > 1 and link["href"][0] == "#" and link["href"][1:] not in ids:
            yield f"{_name(link)} points at nothing"


def _labels(page: BeautifulSoup) -> Iterator[str]:
    labelled = {label.get("for") for label in page.find_all("label") if label.get_text(strip=True)} - {None}
    for control in _with(page, "input", "select", "textarea"):
        wrapping = control.find_parent("label")
        named = (
            control.get("id") in labelled
            or control.get("aria-label", "").strip()
            or control.get("aria-labelledby")
            or (wrapping is not None and wrapping.get_text(strip=True))
        )
        if control.get("type", "").lower() not in _UNLABELLED_TYPES and not named:
            yield f"{_name(control)} has no label"
    for button in page.find_all("button"):
        if not button.get_text(strip=True) and not button.get("aria-label", "").strip():
            yield f"{_name(button)} has no text"
    for fieldset in page.find_all("fieldset"):
        legend = fieldset.find("legend", recursive=False)
        if legend is None or not legend.get_text(strip=True):
            yield f"{_name(fieldset)} has no legend"
    for details in page.find_all("details"):
        summary = details.find("summary", recursive=False)
        if summary is None or not summary.get_text(strip=True):
            yield f"{_name(details)} has no summary"


def _forms(page: BeautifulSoup) -> Iterator[str]:
    for form in page.find_all("form"):
        if not form.get("action", "").strip():
            yield f"{_name(form)} has no action"
        tokens = form.find_all("input", attrs={"name": "csrf_token"})
        method = form.get("method", "get").lower()
        if method not in ("get", "post"):
            yield f"{_name(form)}: a browser does not know the method {method}"
        # A link from a mail acts without a session; the signed token it came with stands in the form.
        signed = form.find("input", attrs={"name": "token", "type": "hidden"})
        if method == "post" and signed and not tokens and form.get("action", "").endswith(signed["value"]):
            continue
        if method == "post" and (len(tokens) != 1 or not tokens[0].get("value")):
            yield f"{_name(form)} {form.get('action')}: a POST form needs one csrf_token, found {len(tokens)}"
        if method == "get" and tokens:
            yield f"{_name(form)} {form.get('action')}: csrf_token would end in the address of a GET form"


def _inline_code(page: BeautifulSoup) -> Iterator[str]:
    yield from (f"inline {tag.name} element" for tag in page.find_all("style"))
    yield from (
        "inline script" for tag in page.find_all("script", src=False) if tag.get("type") != "application/json"
    )
    for tag in page.find_all(True):
        for attribute in tag.attrs:
            if attribute == "style" or re.match(r"on[a-z]|hx-on", attribute):
                yield f"{_name(tag)} has the inline attribute {attribute}"
        for attribute in ("href", "src", "action"):
            if str(tag.get(attribute, "")).strip().lower().startswith("javascript:"):
                yield f"{_name(tag)} has a javascript: address"
    for tag in _with(page, "script", "link", "img", "iframe", "source"):
        if re.match(r"(?:https?:)?//", tag.get("src") or tag.get("href") or ""):
            yield f"{_name(tag)} is fetched from another site"


def _text(page: BeautifulSoup) -> Iterator[str]:
    root = page.body or page
    visible = list(_visible(root, _in_another_language(root)))
    spoken = [
        tag[attribute]
        for tag in root.find_all(True)
        for attribute in (
            "aria-label",
            "alt",
            "title",
            "placeholder",
            "data-label",
            "value",
            "href",
            "action",
        )
        if isinstance(tag.get(attribute), str)
    ]
    for text in [*(text for text, _foreign in visible), *spoken]:
        if found := _LEFTOVERS.search(text):
            yield f"leftover {found[0]!r} in {text.strip()[:80]!r}"
    danish = [text for text, foreign in visible if not foreign]
    for text in [*danish, *(tag["aria-label"] for tag in _with(root, having="aria-label"))]:
        if found := _ENGLISH.search(text):
            yield f"English {found[0]!r} in {text.strip()[:80]!r}"


def _visible(tag: Tag, foreign: bool) -> Iterator[tuple[str, bool]]:
    """Each text that is shown, and whether it is said to be in another language than Danish."""
    for child in tag.children:
        if type(child) is NavigableString:
            yield child, foreign
        elif isinstance(child, Tag) and child.name not in ("script", "style", "template"):
            yield from _visible(child, child["lang"] != "da" if child.has_attr("lang") else foreign)


def _in_another_language(tag: Tag) -> bool:
    holder = tag if tag.has_attr("lang") else tag.find_parent(lang=True)
    return holder is not None and holder["lang"] != "da"


def _images(page: BeautifulSoup) -> Iterator[str]:
    yield from (f"{_name(tag)} {tag.get('src')} has no alt" for tag in page.find_all("img", alt=False))
    for tag in page.find_all("svg"):
        named = tag.find("title") or tag.get("aria-label") or tag.get("aria-labelledby")
        if tag.get("aria-hidden") != "true" and not named:
            yield f"{_name(tag)} is neither hidden nor named"


def _tables(page: BeautifulSoup) -> Iterator[str]:
    for table in page.find_all("table"):
        caption = table.find("caption")
        if caption is None or not caption.get_text(strip=True):
            yield f"{_name(table)} has no caption"
        if table.find("th") is None:
            yield f"{_name(table)} has no th"
    for head in page.find_all("th"):
        if not head.get("scope"):
            yield f"th {head.get_text(strip=True)!r} has no scope"
        if not head.get_text(strip=True):
            yield f"{_name(head)} has no words"


def _links(page: BeautifulSoup) -> Iterator[str]:
    for link in page.find_all("a"):
        words = link.get_text(strip=True) or link.get("aria-label", "").strip()
        if not words and not any(image.get("alt") for image in link.find_all("img")):
            yield f"{_name(link)} has no text"
        if not link.get("href", "").strip() or link["href"] == "#":
            yield f"link {words!r} leads nowhere"


def _headings(page: BeautifulSoup) -> Iterator[str]:
    level = 0
    for heading in _with(page, "h1", "h2", "h3", "h4", "h5", "h6"):
        if not heading.get_text(strip=True):
            yield f"{_name(heading)} is empty"
        if level and int(heading.name[1]) > level + 1:
            yield f"h{level} is followed by {heading.name} {heading.get_text(strip=True)[:40]!r}"
        level = int(heading.name[1])
