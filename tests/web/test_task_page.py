"""The task page: who sees and may do what, and that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]


def test_first(house: Installation, browser: Open) -> None:
    with house.writing(make.NOW) as work:
        me = make.person(work.session)
        task = make.municipal_task(work.session).id
        email = me.email
    page = browser().sign_in(email).get(f"/opgaver/{task}")
    assert "Udarbejd" in page.h1.text
