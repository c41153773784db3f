"""What part of the preparation a KY task belongs to, so that ØiR can be seen and filtered on its own."""

from __future__ import annotations

from klik.plugins import Choice, ExtraField, MunicipalTaskView, field_filter

OEIR = "oeir"
AREA = ExtraField(
    key="ky.omraade",
    system="ky",
    label="Område i KY",
    help="Så kan opgaverne findes samlet, fx alle om økonomi i drejebogen.",
    choices=(
        Choice(value=OEIR, label="Økonomi i Rammearkitekturen (ØiR)"),
        Choice(value="kle", label="KLE-emner"),
        Choice(value="retsvirkning", label="Retsvirkning"),
    ),
)
AREA_FILTER = field_filter(AREA)


def area_of(task: MunicipalTaskView) -> str:
    """The task's area, empty where it has none."""
    return task.fields.get(AREA.key, "")
