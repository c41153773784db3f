"""The deadline rule: so many days before the municipality takes the system into use."""

from datetime import timedelta

from klik.plugins import DeadlineRule


def _deadline(task, municipality, parameter):
    # None: cannot be said yet. klik asks again when the municipality gets its day.
    return municipality.go_live and municipality.go_live - timedelta(days=int(parameter))


def _check(parameter):
    if parameter.isascii() and parameter.isdecimal() and 1 <= int(parameter) <= 365:
        return None
    return "Antal dage skal være fra 1 til 365."


BEFORE_USE = DeadlineRule(
    key="aula.foer-brug",
    label="Dage før Aula tages i brug",
    parameter_label="Antal dage",
    deadline=_deadline,
    check=_check,
    explain=lambda parameter: f"{parameter} dage før kommunen tager Aula i brug",
)
