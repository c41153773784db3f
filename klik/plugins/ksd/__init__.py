"""KSD – Kommunernes Sygedagpengesystem, supplied by KMD: blocking tasks, the report R23 and the blocking board."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from klik.plugins import Choice, ExtraField, ItSystem, TaskTemplate, hookimpl, read_task_types

KLIK_API = (1, 0)
SYSTEM = "ksd"


@hookimpl
def klik_systems() -> Iterable[ItSystem]:
    """KSD."""
    return (
        ItSystem(
            code=SYSTEM,
            name="Kommunernes Sygedagpengesystem",
            supplier="KMD",
            description="Kommunernes fagsystem til sygedagpenge. Hvor automatikken standser, danner det en opgave.",
        ),
    )


@hookimpl
def klik_task_types() -> Iterable[TaskTemplate]:
    """Tasks up to and after the day KSD is taken into use."""
    return read_task_types(Path(__file__).with_name("tasks.toml"), "ksd", SYSTEM)


@hookimpl
def klik_extra_fields() -> Iterable[ExtraField]:
    """What KSD stops while the matter that the task is about lies still."""
    return (
        ExtraField(
            key="ksd.blokerer",
            system=SYSTEM,
            label="Blokerer i KSD",
            help="Hvad der går i stå i KSD, hvis kommunen ikke har styr på det, opgaven handler om.",
            choices=(
                Choice(value="brev", label="Underretningsbrev"),
                Choice(value="udbetaling", label="Udbetaling"),
                Choice(value="afgoerelse", label="Afgørelse og dermed udbetaling"),
            ),
        ),
    )
