"""Where the files that ship with klik lie."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder of shipped files called `name`: `migrations`, `phases`, `roles` or `skeleton`.

    A wheel carries them inside the package; in a checkout they stand beside it, where people edit them.
    """
    installed = PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else PACKAGE.parent / name
