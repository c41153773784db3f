"""``klik serve``: gunicorn with the settings' application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from klik import logs
from klik.cli import data_option, load_settings, wrong_settings
from klik.domain import cpr
from klik.settings import Settings

if TYPE_CHECKING:
    from flask import Flask


class _PassingLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines go the way of all others, as JSON."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.propagate = True


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, told what to do by arguments instead of a file of its own."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings, self._options = settings, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        from klik.app import create_app

        return create_app(self._settings)


@click.command("serve")
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Adresse og port, eller unix:/sti.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Antal processer.")
@click.option(
    "--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="Tråde i hver proces."
)
@data_option
@click.pass_context
def command(context: click.Context, bind: str, workers: int, threads: int) -> None:
    """Server siderne med gunicorn, bag en omvendt proxy."""
    settings = load_settings(context)
    logs.set_up(settings.log_level, cpr.mask)
    # Not before the settings are known to be right, which must be told at once.
    from klik.app import create_app
    from klik.content.loading import ContentErrors

    try:
        create_app(settings).extensions["klik"].close()  # every fault before the first process is started
    except ContentErrors as error:
        raise wrong_settings(error.problems) from error
    options = {
        "bind": bind,
        "workers": workers,
        "threads": threads,
        "timeout": 60,
        "graceful_timeout": 30,
        "max_requests": 20_000,
        "max_requests_jitter": 2_000,
        "accesslog": None,
        "errorlog": None,
        "logger_class": _PassingLogger,
        "control_socket_disable": True,
        "forwarded_allow_ips": "127.0.0.1,::1",
    }
    _Server(settings, options).run()
