"""What a plug-in's page says of itself: which right it takes to open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klik.domain.rights import Right

View = Callable[..., Any]


def page_access(right: Right) -> Callable[[View], View]:
    """Declare the right a plug-in's view demands; klik refuses to start with a view that declares none.

    The view is called as ``view(context, **parts of the address)`` with a PluginContext.
    """

    def declare(view: View) -> View:
        view.klik_right = right  # type: ignore[attr-defined]
        return view

    return declare
