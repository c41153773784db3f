"""``klik plugins new``: the skeleton of a plug-in that can be installed and tested as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import click

from klik import paths

# What the skeleton's own plug-in is called; every "aula" and "Aula" in it becomes the new one's name.
ITS_NAME = "aula"
ENDINGS = (".cfg", ".html", ".py", ".toml")
_NAME = re.compile(r"[a-z][a-z0-9]{1,19}")


@click.command("new")
@click.argument("name", metavar="NAVN")
@click.option("--folder", metavar="MAPPE", default=".", help="Hvor mappen klik-NAVN laves; uden valg: her.")
def command(name: str, folder: str) -> None:
    """Lav en ny udvidelse, der kan installeres og prøves, som den er."""
    if sentence := wrong_name(name):
        raise click.BadParameter(sentence, param_hint="NAVN")
    target = Path(folder) / f"klik-{name}"
    if target.exists() or target.is_symlink():
        raise click.ClickException(f"{target} findes allerede. Der er ikke skrevet noget.")
    try:
        count = write(name, target)
    except OSError as error:
        raise click.ClickException(f"{target} kan ikke laves: der kan ikke skrives i mappen.") from error
    click.echo(f"{count} filer er lavet i {target}. Prøv dem, og installér udvidelsen:")
    click.echo(f"    cd {target}")
    click.echo("    python -m pytest tests")
    click.echo("    pip install .")
    click.echo("    klik db upgrade")
    click.echo("    klik plugins")


def wrong_name(name: str) -> str | None:
    """A Danish sentence when a plug-in cannot be called that, else None."""
    if not _NAME.fullmatch(name):
        return (
            f"“{name[:40]}” kan ikke være navnet: det skal være på 2 til 20 små bogstaver fra a til z og tal, "
            "og det første skal være et bogstav."
        )
    from importlib.metadata import entry_points

    from klik.cli import MODULES
    from klik.models import Base
    from klik.plugins.manager import CORE, DATABASE_NAMES, GROUP

    if name in {point.name for point in entry_points(group=GROUP)}:
        return f"Der er allerede installeret en udvidelse, der hedder {name}."
    tables = sorted(
        table for table in (*Base.metadata.tables, *DATABASE_NAMES) if table.startswith(f"{name}_")
    )
    if name in MODULES or name in (CORE, "klik") or tables:
        return f"“{name}” kan ikke være navnet: klik bruger det selv."
    return None


def skeleton() -> dict[str, str]:
    """The skeleton's files by their place, with its own name in them."""
    root = paths.shipped("skeleton")
    return {
        file.relative_to(root).as_posix(): file.read_text("utf-8")
        for file in sorted(root.rglob("*"))
        if file.suffix in ENDINGS and file.is_file()
    }


def write(name: str, target: Path) -> int:
    """Write the skeleton with this name into a folder that is not there yet; how many files. Raises OSError."""
    target.mkdir(parents=True)
    files = skeleton()
    for place, text in files.items():
        file = target / _named(place, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_named(text, name), "utf-8")
    return len(files)


def _named(text: str, name: str) -> str:
    return text.replace(ITS_NAME, name).replace(ITS_NAME.capitalize(), name.capitalize())
