"""``python -m klik`` is the command ``klik``."""

from klik.cli import main

if __name__ == "__main__":
    main()
