"""When the next payment run is, and how long there is until then (seed 004: Monday afternoon)."""

from __future__ import annotations

from datetime import datetime, timedelta

from klik.plugins import days, in_denmark, long_date

AFTERNOON = 12


def next_cut_off(now: datetime) -> datetime:
    """Noon of the coming Monday, Danish time: what is solved before the afternoon is in that day's run."""
    here = in_denmark(now)
    noon = here.replace(hour=AFTERNOON, minute=0, second=0, microsecond=0) + timedelta(
        days=-here.weekday() % 7
    )
    return noon if here < noon else noon + timedelta(days=7)


def time_left(now: datetime) -> str:
    """ "2 dage og 4 timer" until the cut-off; minutes on the last day."""
    seconds = int((next_cut_off(now) - in_denmark(now)).total_seconds())
    whole, hours, minutes = seconds // 86_400, seconds % 86_400 // 3_600, seconds % 3_600 // 60
    if whole:
        return f"{days(whole)} og {_counted(hours, 'time', 'timer')}"
    return f"{_counted(hours, 'time', 'timer')} og {_counted(minutes, 'minut', 'minutter')}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def solved_now(blocks: str, now: datetime) -> tuple[str, ...]:
    """What happens when a task of the class is solved now, in Danish sentences (seed 004)."""
    day = long_date(next_cut_off(now).date())
    return {
        "udbetaling": (
            f"Løst nu: sagen kommer med i udbetalingskørslen mandag den {day}, hvis intet andet på den blokerer.",
            "Hvor ofte der udbetales på sagen, styrer stadig, hvornår pengene kommer.",
        ),
        "graensevaerdi": (
            f"Skal løses inden mandag eftermiddag den {day}, selv om de ikke blokerer.",
            "Ellers kan udbetalingen blive forkert.",
        ),
        "afgoerelse": (
            "Løst nu på en sag “Under afklaring”: den bliver afgjort i kørslen samme aften, hvis intet andet udestår.",
            "Løst nu på en “Igangværende sag”: den bliver afgjort med det samme, hvis intet andet udestår.",
        ),
        "brev": ("Løst nu: opgaven holder ikke længere underretningsbrevet tilbage.",),
        "uoplyst": ("Rapporten siger, at de blokerer. Se i KSD, hvad de blokerer for.",),
        "ingen": ("De holder ikke sagen tilbage, men skal løses som alle andre.",),
    }[blocks]
