"""Logs: one JSON object a line on the error stream, with the request's reference number where there is one."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.types import EventDict, WrappedLogger

from klik.domain import cpr

# Never in a log: what people type, and what opens doors.
SECRET = ("password", "secret", "token", "cookie", "authorization")


def _without_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    for name in list(event):
        if any(word in name.lower() for word in SECRET):
            event[name] = "***"
    return event


def _without_cpr_numbers(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Whatever line it stands in, an exception's or a library's too: a CPR number is never logged."""
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return cpr.mask(value)
    if isinstance(value, dict):
        return {key: _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list | tuple) else value


def set_up(level: str, *, plain: bool = False) -> None:
    """Send every logger's lines through structlog; ``plain`` for people at a terminal (the demo)."""
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
            _without_cpr_numbers,
            last,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # These two tell of every statement and every tick at INFO.
    for name in ("apscheduler", "alembic", "fontTools", "mail.log"):
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
