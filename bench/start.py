"""How long a cold start takes, and what it holds: create_app in a new process against `import flask` alone.

Run from the root of the checkout: `python -m bench.start [rounds]`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from bench.measuring import tell

SECONDS, MEBIBYTES = 1.5, 150
HELD = "import re; print(int(re.search(r'VmRSS:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)"
STARTS = {
    "klik": "from klik import settings; from klik.app import create_app; create_app(settings.load({"
    "'KLIK_DATA': %r, 'KLIK_SECRET_KEY': 'a-secret-key-for-measuring-only-0123456789', "
    "'KLIK_MAIL_FROM': 'klik@klik.example'})); ",
    "flask": "import flask, sqlalchemy.orm; flask.Flask('bare'); %r; ",
}


def start(program: str, folder: str) -> tuple[float, float]:
    """Seconds until a new process has its application and has ended, and the MiB it held then."""
    before = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program % folder + HELD], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - before, float(done.stdout)


def main(rounds: int) -> None:
    tell(f"target: at most {SECONDS} s and {MEBIBYTES} MiB")
    with tempfile.TemporaryDirectory(prefix="klik-bench-") as folder:
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in STARTS}
        for _ in range(rounds + 1):
            for name, program in STARTS.items():
                measured[name].append(start(program, folder))
    medians = {}
    for name, found in measured.items():
        # The first of each read its modules from the disk.
        medians[name] = seconds, held = [statistics.median(side) for side in zip(*found[1:], strict=True)]
        tell(f"{name:8} {seconds:5.2f} s {held:6.0f} MiB")
    tell(
        f"ratio    {medians['klik'][0] / medians['flask'][0]:5.2f}   {medians['klik'][1] / medians['flask'][1]:6.2f}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
