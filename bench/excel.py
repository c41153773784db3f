"""Excel and CSV of 50,000 rows: peak memory of a process of its own, and seconds, as the worker makes them.

The floor is the same process that has loaded klik and reads nothing. Run from the root of the checkout:
`python -m bench.excel [sqlite|postgresql|both] [tasks]`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measuring import tell
from bench.world import worlds

TARGET = 120.0
CHILD = """
import json, sys, time
from datetime import datetime, UTC
from pathlib import Path
from klik.installation import Installation
from klik.services import filtering, tables
from klik import settings
given, kind, target = json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
house = Installation(settings.load(given))
started, rows = time.perf_counter(), 0
def told(done):
    global rows
    rows = done
with house.reading(datetime.now(UTC)) as work:
    selection = filtering.select_tasks(work, filtering.read(work.registry, "fuldfoerte=ja"))
    if kind != "floor":
        with target.open("wb") as file:
            tables.WRITERS[kind](work, selection, file, told)
# Not ru_maxrss: that one remembers the process this one was forked from.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) / 1024
size = target.stat().st_size if kind != "floor" else 0
print(json.dumps({"peak": peak, "seconds": time.perf_counter() - started, "rows": rows, "size": size}))
"""


def measure(environment: dict[str, str], kind: str, folder: Path) -> dict[str, float]:
    """What a process of its own needs for one file."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(environment), kind, str(folder / f"list.{kind}")],
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(child.stdout.splitlines()[-1])


def main(databases: list[str], size: int) -> None:
    tell(f"target: at most {TARGET:.0f} MB for 50,000 rows; floor: klik loaded, nothing read")
    for database in databases:
        with worlds(database, size) as world, tempfile.TemporaryDirectory() as folder:
            settings = world.house.settings
            environment = {
                "KLIK_DATA": str(settings.data),
                "KLIK_DATABASE_URL": settings.database_url,
                "KLIK_SECRET_KEY": settings.secret_key,
                "KLIK_MAIL_FROM": "klik@klik.example",
            }
            floor = measure(environment, "floor", Path(folder))["peak"]
            for kind in ("xlsx", "csv"):
                found = measure(environment, kind, Path(folder))
                tell(
                    f"{database:12} {kind:5} {found['rows']:>7,.0f} rows, {found['size'] / 1e6:5.1f} MB file, "
                    f"peak {found['peak']:6.1f} MB, ratio {found['peak'] / floor:.2f} to the floor of {floor:.1f} MB, "
                    f"{found['seconds']:5.1f} s"
                )


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(
        ["sqlite", "postgresql"] if which == "both" else [which],
        int(sys.argv[2]) if len(sys.argv) > 2 else 50_000,
    )
