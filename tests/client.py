"""The one page client: fetches as a browser would, keeps cookies, and checks every page it gets."""

from __future__ import annotations

import re
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.test import TestResponse

from tests import make
from tests.web.page import check_page

TOKEN = re.compile(rb'(?:name="csrf_token" value|name="csrf-token" content)="([^"]+)"')


class Browser:
    """A signed-out browser; ``sign_in`` goes through the real form. ``response`` is the last answer."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._client = app.test_client()
        self.response: TestResponse

    def get(self, path: str, *, expect: int = 200, follow: bool = True) -> BeautifulSoup:
        """Fetch a page, following redirects; the status must be the expected one and the page flawless."""
        self.response = self._client.get(path, follow_redirects=follow, buffered=True)
        return self._looked_at(path, expect)

    def post(
        self, path: str, data: dict[str, Any] | None = None, *, expect: int = 200, follow: bool = True
    ) -> BeautifulSoup:
        """Send a form with its CSRF token, as the page's own button would."""
        form = dict(data or {})
        if "csrf_token" not in form:
            form["csrf_token"] = self.token()
        self.response = self._client.post(path, data=form, follow_redirects=follow, buffered=True)
        return self._looked_at(path, expect)

    def submit(self, page: BeautifulSoup, action: str, *, expect: int = 200, **changes: Any) -> BeautifulSoup:
        """Send the form on ``page`` whose action is ``action``, with everything it holds and some changes."""
        form = page.find("form", attrs={"action": action, "method": "post"})
        assert form is not None, f"no POST form with action {action}"
        return self.post(action, filled(form) | changes, expect=expect)

    def download(self, path: str, *, expect: int = 200) -> bytes:
        """Fetch something that is no page."""
        self.response = self._client.get(path, buffered=True)
        assert self.response.status_code == expect, (
            path,
            self.response.status_code,
            self.response.text[:400],
        )
        return self.response.data

    def sign_in(self, email: str, password: str = make.PASSWORD) -> Browser:
        """Through the form, as a person would."""
        page = self.get("/log-ind?next=/was")
        self.submit(page, "/log-ind", email=email, password=password)
        assert self.response.request.path == "/was", "signing in failed"
        return self

    def token(self) -> str:
        """A valid CSRF token of this browser, from a page that has one."""
        pages = (self._client.get(path, follow_redirects=True).data for path in ("/was", "/log-ind"))
        found = next((token for page in pages if (token := TOKEN.search(page))), None)
        assert found is not None, "no page has a CSRF token"
        return found[1].decode()

    def _looked_at(self, path: str, expect: int) -> BeautifulSoup:
        assert self.response.status_code == expect, (
            path,
            self.response.status_code,
            self.response.text[:2000],
        )
        if self.response.mimetype != "text/html" or not self.response.data:
            return BeautifulSoup("", "html5lib")
        if self.response.is_json or 300 <= self.response.status_code < 400:
            return BeautifulSoup(self.response.data, "html5lib")
        return check_page(self.response.data, url=path)


def filled(form: Any) -> dict[str, Any]:
    """What a browser would send of a form as it stands."""
    data: dict[str, Any] = {}
    fields = "input[name], textarea[name], select[name]"
    inside = form.select(fields)
    # A browser also sends what stands elsewhere and names the form.
    page = list(form.parents)[-1] if form.get("id") else form
    named = [field for field in page.select(fields) if form.get("id") and field.get("form") == form["id"]]
    for field in [*inside, *(field for field in named if all(field is not each for each in inside))]:
        name, kind = field["name"], field.get("type", "")
        if kind in ("checkbox", "radio") and not field.has_attr("checked"):
            continue
        if kind in ("submit", "button", "file"):
            continue
        if field.name == "select":
            chosen = [option for option in field.select("option") if option.has_attr("selected")]
            first = field.select_one("option")
            options = chosen or ([first] if first and not field.has_attr("multiple") else [])
            values = [option.get("value", option.text) for option in options]
            if not values:
                continue
            value: Any = values if len(values) > 1 else values[0]
        elif field.name == "textarea":
            value = field.text.removeprefix("\n")
        else:
            value = field.get("value", "on" if kind == "checkbox" else "")
        if name in data:
            data[name] = [*(data[name] if isinstance(data[name], list) else [data[name]]), value]
        else:
            data[name] = value
    return data
