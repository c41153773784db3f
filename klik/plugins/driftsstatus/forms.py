"""The forms in which KOMBIT writes a month and an incident."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from wtforms import (
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired
from wtforms.widgets import HiddenInput

from klik.plugins import in_denmark
from klik.plugins.driftsstatus.figures import (
    DENMARK,
    LARGEST_NUMBER,
    RED,
    YELLOW,
    number_of,
    percent_of,
    shown,
)
from klik.plugins.driftsstatus.incidents import SOLVED, Incident
from klik.plugins.driftsstatus.status import Area, Status
from klik.plugins.forms import CleanText, OnceForm, VersionedForm

MOST_WINDOWS = 100
LONGEST_REMARKS, LONGEST_TEXT, LONGEST_HEADING = 4_000, 2_000, 120
_DAY = re.compile(r"([0-9]{1,2})[-./]([0-9]{1,2})[-./]([0-9]{4})|([0-9]{4})-([0-9][0-9])-([0-9][0-9])")
_TIME = re.compile(r"([01]?[0-9]|2[0-3])[.:]([0-5][0-9])")


class MonthForm(VersionedForm):
    """A month of a system; a field for each area is added."""

    vinduer = StringField("Antal gennemførte servicevinduer", [CleanText(10, tick=False)])
    bemaerkninger = TextAreaField(
        "Bemærkninger",
        [CleanText(LONGEST_REMARKS, lines=True, tick=False)],
        description="En linje for hver bemærkning.",
    )

    def validate_vinduer(self, field: StringField) -> None:
        """A small whole number, or nothing."""
        if field.data and not (
            field.data.isascii() and field.data.isdigit() and int(field.data) <= MOST_WINDOWS
        ):
            raise ValidationError(f"Servicevinduer: skriv et helt tal fra 0 til {MOST_WINDOWS}.")

    @property
    def windows(self) -> int | None:
        """How many, None when nobody said."""
        return int(self.vinduer.data) if self.vinduer.data else None

    def values(self, areas: Iterable[Area]) -> dict[int, int | None]:
        """The figures by area, once they are valid; None where nothing was typed."""
        return {area.id: _value(area, self[f"tal_{area.id}"].data or "") for area in areas}


def month_form(status: Status, *, filled: bool) -> MonthForm:
    """The form of a month as it was sent in, or with ``filled`` as it stands."""

    class WholeForm(MonthForm):
        """With a field for each area."""

    for area in status.areas:
        setattr(
            WholeForm, f"tal_{area.id}", StringField(area.name, [CleanText(20, tick=False), _figure(area)])
        )
    if not filled:
        return WholeForm()
    windows = status.words.windows
    data: dict[str, Any] = {f"tal_{area.id}": area.last.text for area in status.areas}
    data |= {"vinduer": "" if windows is None else str(windows), "version": status.words.version}
    return WholeForm(formdata=None, data=data | {"bemaerkninger": "\n".join(status.words.remarks)})


def _value(area: Area, text: str) -> int | None:
    return number_of(text) if area.goal is None else percent_of(text)


def _figure(area: Area) -> Any:
    def check(_form: Any, field: StringField) -> None:
        if not field.data or _value(area, field.data) is not None:
            return
        if area.goal is None:
            raise ValidationError(f"{area.name}: skriv et helt tal fra 0 til {shown(LARGEST_NUMBER, None)}.")
        raise ValidationError(
            f"{area.name}: skriv en procent fra 0 til 100 med højst to decimaler, fx 99,85."
        )

    return check


class IncidentForm(OnceForm):
    """An incident; a new one is stored once however often the button is pressed."""

    version = IntegerField(
        widget=HiddenInput(), validators=[InputRequired("Formularen mangler sin version.")], default=0
    )
    omraade = SelectField("Driftsområde", coerce=int, validators=[InputRequired("Driftsområde: vælg et.")])
    overskrift = StringField("Overskrift", [CleanText(LONGEST_HEADING, required=True, tick=False)])
    farve = RadioField(
        "Hvor slemt",
        choices=[
            SelectChoice(RED, "Rød: systemet er utilgængeligt på grund af fejl"),
            SelectChoice(YELLOW, "Gul: systemet er tilgængeligt, men mangler funktionalitet"),
        ],
        validators=[InputRequired("Hvor slemt: vælg rød eller gul.")],
    )
    fra_dag = StringField("Begyndte den", [CleanText(20, required=True, tick=False)])
    fra_kl = StringField("Begyndte kl.", [CleanText(5, required=True, tick=False)], description="Fx 19.50")
    til_dag = StringField(
        "Afhjulpet den",
        [CleanText(20, tick=False)],
        description="Lad feltet stå tomt, så længe hændelsen varer. Skriv ellers datoen som dag-måned-år.",
    )
    til_kl = StringField("Afhjulpet kl.", [CleanText(5, tick=False)], description="Fx 07.45")
    oplevet = TextAreaField(
        "Hvad brugerne oplevede", [CleanText(LONGEST_TEXT, required=True, lines=True, tick=False)]
    )
    aarsag = TextAreaField("Årsag", [CleanText(LONGEST_TEXT, lines=True, tick=False)])
    afhjaelpning = TextAreaField(
        "Hvordan den blev afhjulpet", [CleanText(LONGEST_TEXT, lines=True, tick=False)]
    )
    loesning = TextAreaField("Permanent løsning", [CleanText(LONGEST_TEXT, lines=True, tick=False)])
    udgivelse = StringField(
        "Planlagt release med løsningen",
        [CleanText(20, tick=False)],
        description="Datoen, hvor løsningen kommer, fx 16-10-2020.",
    )
    loest = SelectField(
        "Den permanente løsning er",
        choices=[SelectChoice(value, label) for value, label in SOLVED.items()],
        default="ikke-planlagt",
    )

    def read(self, now: datetime) -> dict[str, Any] | None:
        """What is to be stored, or None when days and hours do not fit; then the fields say why."""
        starts_at = _moment(self.fra_dag, self.fra_kl)
        ends_at = _moment(self.til_dag, self.til_kl) if self.til_dag.data or self.til_kl.data else None
        planned_on = _day(self.udgivelse) if self.udgivelse.data else None
        if starts_at is not None and starts_at > now:
            _wrong(self.fra_dag, "Begyndte den: tidspunktet ligger i fremtiden.")
        if starts_at is not None and ends_at is not None and ends_at <= starts_at:
            _wrong(self.til_dag, "Afhjulpet den: skal ligge efter, at hændelsen begyndte.")
        elif ends_at is not None and ends_at > now:
            _wrong(self.til_dag, "Afhjulpet den: tidspunktet ligger i fremtiden.")
        if self.loest.data == "planlagt" and not self.udgivelse.data:
            _wrong(self.udgivelse, "Planlagt release med løsningen: skriv datoen, når løsningen er planlagt.")
        if any(field.errors for field in self):
            return None
        return {
            "area": self.omraade.data,
            "heading": self.overskrift.data,
            "colour": self.farve.data,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "seen": self.oplevet.data,
            "cause": self.aarsag.data or "",
            "mend": self.afhjaelpning.data or "",
            "solution": self.loesning.data or "",
            "planned_on": planned_on,
            "solved": self.loest.data,
        }


def incident_form(
    areas: Iterable[tuple[int, str]], incident: Incident | None, *, filled: bool
) -> IncidentForm:
    """The form of an incident as it was sent in, or with ``filled`` as it stands; None: a new one."""
    form = IncidentForm(formdata=None, data=_standing(incident)) if filled and incident else IncidentForm()
    form.omraade.choices = [SelectChoice(number, name) for number, name in areas]
    return form


def _standing(incident: Incident) -> Mapping[str, Any]:
    starts = in_denmark(incident.starts_at)
    ends = in_denmark(incident.ends_at) if incident.ends_at else None
    return {
        "version": incident.version,
        "omraade": incident.area,
        "overskrift": incident.heading,
        "farve": incident.colour,
        "fra_dag": f"{starts:%d-%m-%Y}",
        "fra_kl": f"{starts:%H.%M}",
        "til_dag": f"{ends:%d-%m-%Y}" if ends else "",
        "til_kl": f"{ends:%H.%M}" if ends else "",
        "oplevet": incident.seen,
        "aarsag": incident.cause,
        "afhjaelpning": incident.mend,
        "loesning": incident.solution,
        "udgivelse": f"{incident.planned_on:%d-%m-%Y}" if incident.planned_on else "",
        "loest": incident.solved,
    }


def _wrong(field: StringField, sentence: str) -> None:
    field.errors = [*field.errors, sentence]


def _day(field: StringField) -> date | None:
    found = _DAY.fullmatch(field.data or "")
    try:
        if found is None:
            raise ValueError
        day, month, year = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
        given = date(int(year), int(month), int(day))
        if not 2000 <= given.year <= 2100:
            raise ValueError
    except ValueError:
        _wrong(field, f"{field.label.text}: skriv datoen som 21-11-2026.")
        return None
    return given


def _moment(day_field: StringField, time_field: StringField) -> datetime | None:
    day, time = _day(day_field), _TIME.fullmatch(time_field.data or "")
    if time is None:
        _wrong(time_field, f"{time_field.label.text}: skriv klokkeslættet som 07.45.")
    if day is None or time is None:
        return None
    local = datetime(day.year, day.month, day.day, int(time[1]), int(time[2]), tzinfo=DENMARK)
    return local.astimezone(UTC)


def areas_of(found: Iterable[Status]) -> list[tuple[int, str]]:
    """What an incident can be about: every area with a goal."""
    return [(area.id, area.name) for status in found for area in status.areas if area.goal is not None]
