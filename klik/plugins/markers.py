"""The two pluggy markers; a plug-in imports ``hookimpl`` from ``klik.plugins``."""

from __future__ import annotations

import pluggy

PROJECT = "klik"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
