"""The forms of waves: a day, a municipality's place, and a new round."""

from __future__ import annotations

from datetime import date

from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import InputRequired

from klik.domain.calendar import short_date
from klik.services.waves import SystemWaves
from klik.services.waves.rounds import NAME_LIMIT
from klik.web.deleting.forms import DayField
from klik.web.forms import CleanText, OnceForm, VersionedForm

NOT_SURE = "Sæt kryds, når runden skal åbnes; det kan ikke fortrydes."
DAY_HELP = "Skriv datoen som dag-måned-år, fx 1-3-2027"


class GoLiveForm(VersionedForm, OnceForm):
    """A wave's day."""

    go_live = DayField(
        "Tages i brug", description=f"{DAY_HELP}. Lad feltet stå tomt, hvis dagen ikke er fastsat."
    )


class PlacingForm(OnceForm):
    """A municipality's wave and own day; without a version it has not the system yet."""

    version = HiddenField()
    wave = SelectField("Bølge")
    go_live = DayField(
        "Kommunens egen dag", description=f"{DAY_HELP}. Lad feltet stå tomt for at følge bølgens dag."
    )

    def offer(self, system: SystemWaves) -> None:
        """The system's waves to choose between."""
        self.wave.choices = [
            ("", "Ingen bølge"),
            *((str(wave.id), _with_day(wave.name, wave.go_live)) for wave in system.waves),
        ]

    @property
    def wave_id(self) -> int | None:
        """The chosen wave."""
        return int(self.wave.data) if self.wave.data else None

    @property
    def known_version(self) -> int | None:
        """The version of the municipality's row as the page showed it."""
        typed = self.version.data or ""
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


class RoundForm(VersionedForm, OnceForm):
    """A new round's name."""

    project = HiddenField()
    name = StringField(
        "Rundens navn",
        [CleanText(NAME_LIMIT, required=True, tick=False)],
        description="Fx “Stor release R27”",
    )
    sure = BooleanField("Nye opgaver skal udgives i runden", [InputRequired(NOT_SURE)])


def _with_day(name: str, day: date | None) -> str:
    return f"{name} ({short_date(day)})" if day else name
