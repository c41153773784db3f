"""A browser for the tests of plug-ins: it fetches pages of klik as a person, and sends the forms on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient


@dataclass(slots=True)
class PageForm:
    """A form on a page: where it goes, what it holds as it stands, and which fields take words."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What klik answered; ``text`` is the page's words with single spaces between them."""

    address: str
    status: int
    content: bytes
    text: str
    forms: tuple[PageForm, ...]

    def form(self, action: str | None = None) -> PageForm:
        """The form that is sent to ``action``, else the first that goes to a plug-in's page."""
        for each in self.forms:
            if each.method == "post" and (each.action == action or (not action and "/p/" in each.action)):
                return each
        raise AssertionError(
            f"{self.address} has no form that is sent to {action or 'a page of the plug-in'}"
        )


class PluginBrowser:
    """Somebody's browser. An answer with another status than the expected one is an AssertionError."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self._known_token = ""

    def get(self, address: str, *, expect: int | None = 200) -> Page:
        """Fetch a page, following redirects; ``expect`` None takes any status."""
        return self._page(address, self._client.get(address, follow_redirects=True, buffered=True), expect)

    def post(self, address: str, values: dict[str, Any] | None = None, *, expect: int | None = 200) -> Page:
        """Send values with a valid token, as a form of klik would."""
        sent = dict(values or {})
        sent.setdefault("csrf_token", self._token())
        response = self._client.post(address, data=sent, follow_redirects=True, buffered=True)
        return self._page(address, response, expect)

    def submit(
        self, page: Page, action: str | None = None, *, expect: int | None = 200, **changes: Any
    ) -> Page:
        """Send the form on the page (``Page.form``) with all it holds and some changes."""
        form = page.form(action)
        return self.post(form.action or page.address, form.values | changes, expect=expect)

    def _token(self) -> str:
        if not self._known_token:
            forms = self.get("/was", expect=None).forms
            self._known_token = next(
                (each.values["csrf_token"] for each in forms if "csrf_token" in each.values), ""
            )
        return self._known_token

    def _page(self, address: str, response: Any, expect: int | None) -> Page:
        reader = _Reader()
        if response.mimetype == "text/html":
            reader.feed(response.text)
        page = Page(
            response.request.path,
            response.status_code,
            response.data,
            " ".join(" ".join(reader.words).split()),
            tuple(reader.forms),
        )
        assert expect is None or page.status == expect, f"{address} answered {page.status}: {page.text[:500]}"
        return page


class _Reader(HTMLParser):
    """Collects the words and the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[PageForm] = []
        self._inside: PageForm | None = None
        self._silent = False
        self._select: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("script", "style", "title"):
            self._silent = True
        elif tag == "form":
            self._inside = PageForm(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._inside)
        elif self._inside is not None:
            self._control(tag, given, self._inside)

    def _control(self, tag: str, given: dict[str, str], form: PageForm) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in form.values:
                form.values[self._select] = given.get("value", "")
        elif tag == "textarea" and name:
            self._area = name
            form.values[name] = ""
            form.words.append(name)
        elif tag == "input" and name and kind not in ("submit", "button", "file"):
            if kind in ("checkbox", "radio"):
                if "checked" in given:
                    form.values[name] = given.get("value", "on")
                return
            form.values[name] = given.get("value", "")
            if kind in ("text", "search"):
                form.words.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "title"):
            self._silent = False
        elif tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area and self._inside is not None:
            self._inside.values[self._area] += data.removeprefix("\n")
        elif not self._silent:
            self.words.append(data)
