"""Logs: one JSON object a line on the error stream, with the request's reference number where there is one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import structlog
from structlog.types import EventDict, WrappedLogger

from klik import speaking

# Never in a log: what people type, and what opens doors.
SECRET = ("password", "secret", "token", "cookie", "authorization")

Mask = Callable[[str], str]


def _without_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    for name in list(event):
        if any(word in name.lower() for word in SECRET):
            event[name] = "***"
    return event


def _masked(mask: Mask, value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _masked(mask, each) for key, each in value.items()}
    return [_masked(mask, each) for each in value] if isinstance(value, list | tuple) else value


def set_up(level: str, mask: Mask, *, plain: bool = False) -> None:
    """Send every logger's lines through structlog; ``plain`` for people at a terminal (the demo).

    ``mask`` goes over every line, an exception's or a library's too (klik.domain.cpr.mask).
    """

    def masked(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        return {name: _masked(mask, value) for name, value in event.items()}

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_secrets,
        structlog.processors.format_exc_info,
    ]
    last: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if plain
        else structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=True)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            masked,
            last,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    speaking.hush()
    handler.addFilter(speaking.Discretion())
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # These two tell of every statement and every tick at INFO.
    for name in ("apscheduler", "alembic", "fontTools", "mail.log"):
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
