"""``klik demo``: everything in one process, filled with the real content, with nothing to set up."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click
import waitress
from sqlalchemy import select

from klik import logs
from klik import settings as settings_module
from klik.cli import wrong_settings
from klik.commands.database import make_secret
from klik.demo import deleted, people, story
from klik.demo.mailbox import Catcher
from klik.domain import cpr
from klik.installation import Installation
from klik.models import Person
from klik.services import schema
from klik.settings import Settings, SettingsError
from klik.worker import Worker

ACCOUNTS = (
    ("KOMBIT", "administrator@kombit.example, redaktoer@kombit.example"),
    ("Leverandør", "leverandoer@netcompany.example"),
    ("Køge", "administrator@, programleder@, plusbruger@, bruger@ og laeser@koege.example"),
    ("Herning, Aarhus, Læsø", "de samme med herning.example, aarhus.example og laesoe.example"),
)


@click.command("demo")
@click.option(
    "--port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Porten på 127.0.0.1."
)
@click.option(
    "--data",
    default="demo-data",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Mappen med demoens data.",
)
@click.option("--fresh", is_flag=True, help="Slet demoens data, og begynd forfra.")
def command(port: int, data: Path, fresh: bool) -> None:
    """Start klik med 98 kommuner, rigtige opgaver og opdigtede medarbejdere."""
    data = data.absolute()
    if fresh and data.exists():
        _refuse_foreign(data)
        shutil.rmtree(data)
    try:
        data.mkdir(parents=True, exist_ok=True)
        (data / MARK).touch()
    except OSError as error:
        raise wrong_settings([settings_module.unwritable(data)]) from error
    make_secret(data)
    from klik.web.demo.views import folder  # every page of klik: not for `klik --help`

    catcher = Catcher(folder(data))
    catcher.start()
    try:
        settings = _settings(data, port, catcher.url)
        _fill(settings)
        _run(settings, port)
    finally:
        catcher.stop()


MARK = "klik-demo"


def _refuse_foreign(data: Path) -> None:
    if not (data / MARK).exists():
        raise click.UsageError(f"{data} er ikke lavet af klik demo, og slettes derfor ikke.")


def _settings(data: Path, port: int, smtp_url: str) -> Settings:
    chosen = {
        "KLIK_DATA": str(data),
        "KLIK_BASE_URL": f"http://127.0.0.1:{port}",
        "KLIK_SMTP_URL": smtp_url,
        "KLIK_MAIL_FROM": "klik@demo.example",
    }
    # Other commands find the same catcher and address through the data folder.
    lines = "".join(f"{name}={value}\n" for name, value in chosen.items() if name != "KLIK_DATA")
    settings_module.local_file(data).write_text(lines, "utf-8")
    try:
        return settings_module.load(
            chosen | {name: value for name, value in os.environ.items() if name != "KLIK_DATA"}
        )
    except SettingsError as error:
        raise wrong_settings(error.problems) from error


def _fill(settings: Settings) -> None:
    house = Installation(settings)
    try:
        schema.upgrade(house.database, house.registry)
        now = datetime.now(UTC)
        with house.reading(now) as work:
            filled = work.session.scalar(select(Person.id).limit(1)) is not None
        if not filled:
            click.echo("klik: lægger 98 kommuner, systemer, opgaver og medarbejdere ind …")
            with house.writing(now) as work:
                story.fill(work, house.files)
            deleted.carry_out(house, now)
    finally:
        house.close()


def _run(settings: Settings, port: int) -> None:
    logs.set_up("WARNING", cpr.mask, plain=True)
    from klik.app import create_app
    from klik.web.demo.views import blueprint

    app = create_app(settings, pages=[blueprint])
    try:
        server = waitress.create_server(app, host="127.0.0.1", port=port, threads=8, ident=None)
    except OSError as error:
        raise click.ClickException(f"Port {port} er optaget. Prøv med --port {port + 1}.") from error
    worker = Worker(app.extensions["klik"], patient=False)  # /demo/post shows mails at once
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    threading.Thread(target=server.run, name="web", daemon=True).start()
    worker.start()
    _welcome(port)
    stopped.wait()
    click.echo("klik: stopper …")
    worker.stop()
    server.close()
    app.extensions["klik"].close()


def _welcome(port: int) -> None:
    click.echo(f"Alle konti har adgangskoden {people.PASSWORD}:")
    for place, accounts in ACCOUNTS:
        click.echo(f"  {place}: {accounts}")
    click.echo(f"Mails, der er sendt: http://127.0.0.1:{port}/demo/post")
    click.echo("Stop med Ctrl-C.")
    click.echo(f"klik: klar på http://127.0.0.1:{port}")
